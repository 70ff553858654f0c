// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"justnews/internal/envfile"
	"justnews/internal/facts"
)

// maxEnviron is the most that is read of a process's environment, in bytes. The
// kernel's limit for arguments and environment together is above it.
const maxEnviron = 4 << 20

// Environment returns what a unit's main process was started with, and where
// that process cannot be asked (it is another user's) what the unit says.
func (h Host) Environment(u facts.Unit) facts.Environment {
	if u.MainPID > 0 {
		if values, err := h.environ(u.MainPID); err == nil {
			return facts.Environment{Values: values, Exact: true}
		}
	}
	values := assignments(u.Environment)
	for _, path := range u.EnvironmentFiles {
		vars, err := envfile.Read(h.path(path))
		if err != nil {
			continue
		}
		for name, value := range vars {
			values[name] = value
		}
	}
	return facts.Environment{Values: values}
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
	return assignments(strings.Split(string(text), "\x00")), nil
}

// assignments reads NAME=VALUE; of two with one name the last counts.
func assignments(list []string) map[string]string {
	values := map[string]string{}
	for _, a := range list {
		if name, value, ok := strings.Cut(a, "="); ok {
			values[name] = value
		}
	}
	return values
}
