// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"

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
