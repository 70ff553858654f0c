// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"errors"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestMarked_RefusesAnyOtherMark(t *testing.T) {
	want := facts.Mark{Mark: "a1", DropIns: []string{"/g/00", "/g/60"}}
	whole := []string{"/g/00", "/g/60", "/etc/90-admin.conf"}
	for what, c := range map[string]struct {
		unit facts.Unit
		want facts.Mark
		code diag.Code // "": none
	}{
		"the wanted unit":         {facts.Unit{Marks: []string{"a1"}, DropInPaths: whole}, want, ""},
		"no mark":                 {facts.Unit{DropInPaths: whole}, want, diag.UnitUnmarked},
		"nothing at all":          {facts.Unit{}, want, diag.UnitUnmarked},
		"another mark":            {facts.Unit{Marks: []string{"b2"}, DropInPaths: whole}, want, diag.UnitStale},
		"two marks":               {facts.Unit{Marks: []string{"a1", "b2"}, DropInPaths: whole}, want, diag.UnitStale},
		"an empty mark":           {facts.Unit{Marks: []string{""}, DropInPaths: whole}, want, diag.UnitStale},
		"a hidden drop-in":        {facts.Unit{Marks: []string{"a1"}, DropInPaths: []string{"/etc/00", "/g/60"}}, want, diag.UnitUnmarked},
		"a masked drop-in":        {facts.Unit{Marks: []string{"a1"}, DropInPaths: []string{"/g/60"}}, want, diag.UnitUnmarked},
		"no mark wanted":          {facts.Unit{Marks: []string{"a1"}, DropInPaths: whole}, facts.Mark{}, diag.UnitUnmarked},
		"no mark wanted or found": {facts.Unit{}, facts.Mark{}, diag.UnitUnmarked},
	} {
		var got diag.Code
		if problems := Marked(c.unit, c.want); len(diag.Errors(problems)) > 0 {
			got = problems[0].Code
			if problems[0].Fix.Empty() {
				t.Errorf("%s: no fix", what)
			}
		}
		if got != c.code {
			t.Errorf("%s: %q, want %q", what, got, c.code)
		}
	}
	if p := MarkUnknown("x", errors.New("x")); p.Severity != diag.Error || p.Status() != diag.StatusConfig {
		t.Errorf("%+v", p)
	}
}

// A file that systemd reads in place of the drop-in with the mark is named, and a reload alone
// does not fix that.
func TestMarked_FileThatHidesTheMarkIsNamed(t *testing.T) {
	const own, other = "/run/systemd/generator/vllm.service.d/60-justnews-guard.conf", "/etc/systemd/system/vllm.service.d/60-justnews-guard.conf"
	for what, marks := range map[string][]string{"no mark": nil, "a mark of another file": {"b2"}} {
		p := Marked(facts.Unit{Name: "vllm.service", Marks: marks, DropInPaths: []string{other}}, facts.Mark{Mark: "a1", DropIns: []string{own}})
		if len(p) != 1 || p[0].Code != diag.UnitUnmarked || !strings.Contains(p[0].Seen, other) || !strings.Contains(p[0].Fix.String(), "rm -- "+other) {
			t.Errorf("%s: %+v", what, p)
		}
	}
	packaged := "/usr/lib/systemd/system/justnews@.service.d/50-justnews-gate.conf"
	base := "/run/systemd/generator/justnews@.service.d/50-justnews-gate.conf"
	p := Marked(facts.Unit{Name: "justnews@scout.service", DropInPaths: []string{packaged}}, facts.Mark{Mark: "a1", DropIns: []string{base}})
	if len(p) != 1 || strings.Contains(p[0].Fix.String(), packaged) {
		t.Errorf("without a generator: %+v", p)
	}
}
