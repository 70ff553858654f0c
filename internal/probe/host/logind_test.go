// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIPC_RemoveIPCIsReadAsLogindDoes(t *testing.T) {
	const etc, usr = "/etc/systemd/logind.conf", "/usr/lib/systemd/logind.conf"
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"the default":                   {nil, true},
		"the default, in a comment":     {map[string]string{usr: "[Login]\n#RemoveIPC=yes\n"}, true},
		"another default, in a comment": {map[string]string{etc: "[Login]\n#RemoveIPC=no\n"}, false},
		"off":                           {map[string]string{etc: "[Login]\nRemoveIPC=no\n"}, false},
		"off, in other words":           {map[string]string{etc: "[Login]\nRemoveIPC = x\nRemoveIPC=False\n"}, false},
		"on again by a drop-in":         {map[string]string{etc: "[Login]\nRemoveIPC=no\n", etc + ".d/50-x.conf": "[Login]\nRemoveIPC=yes\n"}, true},
		"off by a drop-in of a package": {map[string]string{usr: "#RemoveIPC=yes\n", usr + ".d/50-x.conf": "[Login]\nRemoveIPC=no\n"}, false},
		"a drop-in that is masked":      {map[string]string{usr + ".d/50-x.conf": "[Login]\nRemoveIPC=no\n", etc + ".d/50-x.conf": ""}, true},
		"the last drop-in counts":       {map[string]string{etc + ".d/10.conf": "RemoveIPC=yes\n", usr + ".d/90.conf": "RemoveIPC=0\n"}, false},
		"the first file counts":         {map[string]string{usr: "RemoveIPC=no\n", etc: "[Login]\n"}, true},
		"what is no drop-in":            {map[string]string{etc + ".d/50-x.conf.bak": "RemoveIPC=no\n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := Host{Root: t.TempDir()}
			write := func(path, text string) {
				at := filepath.Join(h.Root, path)
				if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if h.removeIPC() {
				t.Error("a host without logind removes nothing")
			}
			write("/usr/lib/systemd/systemd-logind", "")
			for path, text := range c.files {
				write(path, text)
			}
			if got := h.removeIPC(); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
		})
	}
}
