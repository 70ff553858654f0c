// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"

	"justnews/internal/envfile"
	"justnews/internal/facts"
)

// maxEnviron is the largest environment that is read, in bytes. The kernel's
// limit for arguments and environment together is higher.
const maxEnviron = 4 << 20

// Environment returns the environment of a unit's main process or, if that
// cannot be read because it belongs to another user, of the unit.
func (h Host) Environment(u facts.Unit) facts.Environment {
	if u.MainPID > 0 {
		if values, err := h.environ(u.MainPID); err == nil {
			return facts.Environment{Values: values, Exact: true, Others: h.others(u)}
		}
	}
	values := u.Variables()
	for _, path := range u.EnvironmentFiles {
		vars, err := envfile.Read(h.path(path))
		if err != nil {
			continue
		}
		maps.Copy(values, vars)
	}
	u.RemoveUnset(values)
	return facts.Environment{Values: values}
}

// others reads the environments of a unit's processes except the main one,
// including those in control groups that the unit has created below its own
// (Delegate=).
func (h Host) others(u facts.Unit) []map[string]string {
	var all []map[string]string
	for _, pid := range processes(h.processDir(u.ControlGroup)) {
		if pid == u.MainPID {
			continue
		}
		if values, err := h.environ(pid); err == nil {
			all = append(all, values)
		}
	}
	return all
}

// processDir returns the directory of a unit's control group in the hierarchy
// that systemd uses for its processes: cgroup2, or on an older host its own.
func (h Host) processDir(group string) string {
	if dir := h.groupDir(group); dir != "" {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	if group == "" || strings.Contains(group, "..") {
		return ""
	}
	return h.path("/sys/fs/cgroup/systemd" + group)
}

func (h Host) environ(pid int) (map[string]string, error) {
	f, err := os.Open(h.path("/proc/" + strconv.Itoa(pid) + "/environ"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxEnviron))
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("the process %d has no environment", pid) // a zombie has none
	}
	return facts.Variables(strings.Split(string(text), "\x00")), nil
}
