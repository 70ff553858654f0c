// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"errors"
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
