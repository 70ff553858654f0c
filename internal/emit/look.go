// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"justnews/internal/envfile"
	"justnews/internal/kernelcmdline"
	"justnews/internal/plan"
	"justnews/internal/timespan"
)

// Look returns what the plan needs to know about the machine below root ("" for
// the running one): GATE_TIMEOUT in /etc/justnews/*.env and the kernel command
// line. What cannot be read is left out; the gate will report it.
func Look(root string, getenv func(string) string) plan.Machine {
	return plan.Machine{
		EnvTimeouts: envTimeouts(filepath.Join(root, "/etc/justnews")),
		Systemd:     systemdVersion(root),
		GateOff:     kernelcmdline.GateOff(kernelcmdline.Generator(root, getenv)),
	}
}

// systemdVersion takes the version from the name of systemd's own library,
// since a generator cannot query systemd. With several libraries it returns the
// oldest version, with none 0, so that newer settings are left out.
func systemdVersion(root string) int {
	version := 0
	for _, dir := range [...]string{"/usr/lib/systemd", "/usr/lib/*/systemd", "/usr/lib64/systemd"} {
		names, _ := filepath.Glob(root + dir + "/libsystemd-shared-*.so")
		for _, name := range names {
			digits := strings.TrimPrefix(filepath.Base(name), "libsystemd-shared-")
			digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
			if n, err := strconv.Atoi(digits); err == nil && (version == 0 || n < version) {
				version = n
			}
		}
	}
	return version
}

func envTimeouts(dir string) map[string]time.Duration {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	timeouts := map[string]time.Duration{}
	for _, e := range entries {
		name, isEnv := strings.CutSuffix(e.Name(), ".env")
		if !isEnv {
			continue
		}
		vars, err := envfile.Read(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		if d, err := timespan.Seconds(vars["GATE_TIMEOUT"]); err == nil {
			timeouts[name] = d
		}
	}
	return timeouts
}
