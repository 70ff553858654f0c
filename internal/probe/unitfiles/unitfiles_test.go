// SPDX-License-Identifier: Apache-2.0

package unitfiles

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"justnews/internal/facts"
)

func TestUnitfiles_OnlyOverridingFilesAreRead(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"/etc/systemd/system/justnews@.service":                              "[Service]\nUser=root\n",
		"/etc/systemd/system/justnews@scout.service.d/10-x.conf":             "[Service]\nNice=1\nbroken\n",
		"/etc/systemd/system/justnews@scout.service.d/20-y.conf":             "[Unit]\nAfter=a.service\n[X-Mine]\nA=1\n[Servce]\nUser=root\n[Service]\nNice=2\n",
		"/etc/systemd/system/justnews@scout.service.d/notes.txt":             "x",
		"/etc/systemd/system/nginx.service.d/10-x.conf":                      "[Service]\nNice=1\n",
		"/etc/systemd/system/justnews.target.wants/justnews@scout.service":   "x",
		"/run/systemd/system/justnews.target.d/a.conf":                       "",
		"/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf":   "[Service]\n",
		"/usr/lib/systemd/system/justnews@.service.d/50-justnews-gate.conf":  "[Service]\n",
		"/usr/local/lib/systemd/system/justnews-preload.service.d/b.conf":    "[Service\n",
		"/etc/systemd/system.control/justnews@scout.service.d/50-Cpu.conf":   "[Service]\nCPUQuota=1%\n",
		"/etc/systemd/system/justnews@scout.service.d/sub.conf/not-a-file.x": "",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(root, "/etc/systemd/system/justnews@scout.service.d/50-justnews-gate.conf")
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	want := []facts.UnitFile{
		{Path: "/etc/systemd/system.control/justnews@scout.service.d/50-Cpu.conf", Dir: "justnews@scout.service.d", Name: "50-Cpu.conf", Keys: []string{"CPUQuota"}},
		{Path: "/etc/systemd/system/justnews@.service", Name: "justnews@.service", Keys: []string{"User"}},
		{
			Path: "/etc/systemd/system/justnews@scout.service.d/10-x.conf", Dir: "justnews@scout.service.d", Name: "10-x.conf",
			Keys:   []string{"Nice"},
			Broken: []facts.UnitFault{{Line: 3, Reason: "a line without an equals sign"}},
		},
		{
			Path: "/etc/systemd/system/justnews@scout.service.d/20-y.conf", Dir: "justnews@scout.service.d", Name: "20-y.conf",
			Keys:   []string{"After", "Nice"},
			Broken: []facts.UnitFault{{Line: 6, Reason: "[Servce] is not one of Unit, Service, Install"}},
		},
		{Path: "/etc/systemd/system/justnews@scout.service.d/50-justnews-gate.conf", Dir: "justnews@scout.service.d", Name: "50-justnews-gate.conf", Null: true},
		{Path: "/etc/systemd/system/justnews@scout.service.d/sub.conf", Dir: "justnews@scout.service.d", Name: "sub.conf", Broken: []facts.UnitFault{{Reason: "not a regular file", Rest: true}}},
		{Path: "/run/systemd/system/justnews.target.d/a.conf", Dir: "justnews.target.d", Name: "a.conf", Null: true},
		{
			Path: "/usr/local/lib/systemd/system/justnews-preload.service.d/b.conf", Dir: "justnews-preload.service.d", Name: "b.conf",
			Broken: []facts.UnitFault{{Line: 1, Reason: "an unterminated section header", Rest: true}},
		},
	}
	if diff := cmp.Diff(want, Overrides(root), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
