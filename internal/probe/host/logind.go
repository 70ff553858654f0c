// SPDX-License-Identifier: Apache-2.0

package host

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// configs are where systemd's programs look for their configuration, the first
// one first.
var configs = []string{"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"}

// removeIPC reads RemoveIPC= as logind does: from the first logind.conf, then
// from the drop-ins by name. Without one of them the default holds, which is yes
// unless the distribution's own file shows another one in a comment.
func (h Host) removeIPC() bool {
	if _, err := os.Stat(h.path("/usr/lib/systemd/systemd-logind")); err != nil {
		return false
	}
	on := true
	read := func(path, comment string) bool {
		text, err := os.ReadFile(h.path(path))
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), comment+"RemoveIPC="); ok {
				on = !slices.Contains([]string{"no", "n", "false", "f", "off", "0"}, strings.ToLower(strings.TrimSpace(value)))
			}
		}
		return true
	}
	read("/usr/lib/systemd/logind.conf", "#")
	read("/etc/systemd/logind.conf", "#")
	for _, dir := range configs {
		if read(filepath.Join(dir, "logind.conf"), "") {
			break
		}
	}
	dropIns := map[string]string{}
	for _, dir := range slices.Backward(configs) {
		entries, _ := os.ReadDir(h.path(filepath.Join(dir, "logind.conf.d")))
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".conf") {
				dropIns[e.Name()] = filepath.Join(dir, "logind.conf.d", e.Name())
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dropIns)) {
		read(dropIns[name], "")
	}
	return on
}
