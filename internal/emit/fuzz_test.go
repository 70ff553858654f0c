// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"

	"justnews/internal/config"
	"justnews/internal/emit"
	"justnews/internal/plan"
)

// FuzzNoStringAddsADirective puts strings everywhere where a configuration can
// have one, past every check of package config, and asks go-systemd's reader
// what the drop-ins say.
func FuzzNoStringAddsADirective(f *testing.F) {
	for _, s := range []string{
		"plain", "", "/a b", "%i", "$HOME", "\"", "\\", ";", "x\n[Service]\nExecStartPre=", "/x\nExecStart=/bin/true", "-", "+/bin/sh", "\x00", "\xff", "4G", "a.service",
		"/\u2028", "justnews\r\nUser=root", "#", "=", "/home/\\", "{instance}",
	} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		cfg := manyInstances(3)
		cfg.Orchestrator.URL, cfg.Bus.URL, cfg.Models.Root, cfg.Models.BaseDir = a, b, c, "/"+a
		cfg.MPS.PipeDirectory, cfg.MPS.LogDirectory = "/"+b, "/"+c
		inst := &cfg.Instances[2]
		inst.Environment = map[string]string{"A": a, "B": b, "C": c}
		inst.Service.Exec = []string{"/bin/x", a, b, c, "{instance}"}
		inst.Service.ReadOnlyPaths, inst.Service.ReadWritePaths = []string{"/" + a}, []string{"/" + b}
		inst.Service.WorkingDirectory = "/" + c
		if len(a) > 0 && a[0] == '/' {
			inst.Service.Exec[0], cfg.Files = a, []string{a}
		}
		if len(b)%3 == 0 {
			inst.Service.User, inst.Service.MemoryMax, cfg.MPS.Unit = a, b, c
		}
		p := plan.Build(cfg, plan.Machine{})
		files, problems := emit.Render(p)
		if len(problems) > 0 {
			return // refused: the gates stay shut
		}
		for i, d := range append([]plan.DropIn{p.Base}, p.DropIns...) {
			says(t, files[i].Text, d)
		}
	})
}

// says compares the sections and keys; the values are compared where they are
// quoted, in package unitfile.
func says(t *testing.T, text []byte, d plan.DropIn) {
	t.Helper()
	for line := range bytes.Lines(text) {
		if len(line) > 2000 {
			return // go-systemd refuses lines over 2048 bytes
		}
	}
	got, err := unit.DeserializeOptions(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("go-systemd cannot read: %v\n%s", err, text)
	}
	var want, read []string
	for _, s := range d.Sections {
		for _, l := range s.Lines {
			want = append(want, s.Name+" "+l.Key())
		}
	}
	for _, o := range got {
		read = append(read, o.Section+" "+o.Name)
	}
	if strings.Join(read, "\n") != strings.Join(want, "\n") {
		t.Fatalf("go-systemd reads %q, meant are %q:\n%s", read, want, text)
	}
}

// FuzzValidConfigurationsRender holds that the generator can write whatever Load takes:
// the configuration's own rules are as strict as the door of the unit files.
// Left to Render are what 4 KiB cannot hold: lines of 1 MiB, and components of
// 256 bytes by the name of an instance.
func FuzzValidConfigurationsRender(f *testing.F) {
	seeds, err := filepath.Glob("../config/testdata/cases/*/etc/justnews/justnews.toml")
	if err != nil || len(seeds) < 30 {
		f.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for _, name := range seeds {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(string(text))
		}
	}
	for _, exec := range []string{"/opt/o'brien/agent", "/a\\\\b", "/$x", "/", "/bin/", "/{instance}", "/x\uFFFE", "/\U0001FFFF", "/\uFDD0"} {
		for _, key := range []string{"exec = [%q]", "working_directory = %q", "read_only_paths = [%q]", "environment = { A = %q }"} {
			f.Add("[service]\n" + strings.Replace(key, "%q", `"`+exec+`"`, 1) + "\n[instances.a]\n")
			f.Add("[instances.a]\n" + strings.Replace(key, "%q", `"`+exec+`"`, 1) + "\n")
		}
	}
	name := filepath.Join(f.TempDir(), "justnews.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			t.Skip()
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, _ := config.Load(config.Source{File: name, Owner: os.Getuid()})
		if cfg == nil {
			return
		}
		if _, problems := emit.Render(plan.Build(cfg, plan.Machine{})); len(problems) > 0 {
			t.Fatalf("%q loads, and: %v", text, problems)
		}
		for _, i := range cfg.Instances {
			if want, err := plan.Mark(cfg, i.Name); err != nil || want.Mark == "" {
				t.Fatalf("%q gives %s no mark: %v", text, i.Name, err)
			}
		}
	})
}
