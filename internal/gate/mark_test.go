// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// looks is what a gate sees at its first look at its unit, at the next, and so
// on; the last one forever.
type looks []struct {
	own        *facts.Unit // as systemd reported it when the run began, of the first look only
	read       string      // what the run's requirement is made of, of the first look only
	has, wants string
	err        error
	broken     bool
	success    facts.Unit // of which SuccessExitStatus= counts
}

func (l looks) mark() *Mark {
	n := -1
	return &Mark{
		Own:  l[0].own,
		Read: facts.Mark{Mark: l[0].read},
		Unit: func(context.Context) (facts.Unit, error) {
			n = min(n+1, len(l)-1)
			unit := l[n].success
			unit.Marks = []string{l[n].has}
			return unit, l[n].err
		},
		Wanted: func() (facts.Mark, []diag.Problem) {
			if l[n].broken {
				return facts.Mark{}, []diag.Problem{{Code: diag.ConfigSyntax}}
			}
			return facts.Mark{Mark: l[n].wants}, nil
		},
	}
}

func TestGate_ComparesItsUnitAtStartAndBeforeOpening(t *testing.T) {
	mute := errors.New("mute")
	of := func(mark string) *facts.Unit { return &facts.Unit{Marks: []string{mark}} }
	kill, exec := facts.Unit{SuccessSignals: []int{9}}, facts.Unit{SuccessExitStatus: []int{203}}
	for what, c := range map[string]struct {
		looks looks
		code  diag.Code // "": it passes
	}{
		"unchanged":             {looks{{read: "a", has: "a", wants: "a"}}, ""},
		"a reload for a moment": {looks{{err: mute}, {has: "a", wants: "a"}, {err: mute}, {err: mute}, {has: "a", wants: "a"}}, ""},
		"stale":                 {looks{{has: "a", wants: "b"}}, diag.UnitStale},
		"stale at the end":      {looks{{has: "a", wants: "a"}, {has: "a", wants: "b"}}, diag.UnitStale},
		"changed and reloaded":  {looks{{has: "a", wants: "a"}, {has: "b", wants: "b"}}, diag.UnitStale},
		"changed and reloaded before the first look": {looks{{read: "a", err: mute}, {has: "b", wants: "b"}}, diag.UnitStale},
		"broken at the end":                          {looks{{has: "a", wants: "a"}, {has: "a", broken: true}}, diag.ConfigSyntax},
		"unknown":                                    {looks{{err: mute}}, diag.UnitUnmarked},
		"unknown at the end":                         {looks{{has: "a", wants: "a"}, {err: mute}}, diag.UnitUnmarked},
		"a success by a signal":                      {looks{{has: "a", wants: "a", success: kill}}, diag.UnitOpened},
		"that comes at the end":                      {looks{{has: "a", wants: "a"}, {has: "a", wants: "a", success: kill}}, diag.UnitOpened},
		"a success without it":                       {looks{{has: "a", wants: "a", success: exec}}, diag.UnitOpened},
		"a success without its runtime":              {looks{{has: "a", wants: "a", success: facts.Unit{SuccessExitStatus: []int{2}}}}, diag.UnitOpened},
		"its own success status":                     {looks{{has: "a", wants: "a", success: facts.Unit{SuccessExitStatus: []int{69, 143}}}}, ""},
		"known when the run began":                   {looks{{own: of("a"), read: "a", has: "a", wants: "a"}}, ""},
		"known and stale":                            {looks{{own: of("b"), read: "a", has: "a", wants: "a"}}, diag.UnitStale},
		"known, stale at the end":                    {looks{{own: of("a"), read: "a", has: "b", wants: "a"}}, diag.UnitStale},
		"known, changed and reloaded":                {looks{{own: of("a"), read: "a", has: "b", wants: "b"}}, diag.UnitStale},
		"known, and its configuration is not":        {looks{{own: of("b"), has: "a", wants: "a"}}, ""},
		"known, a success by a signal":               {looks{{own: &facts.Unit{Marks: []string{"a"}, SuccessSignals: []int{9}}, read: "a", has: "a", wants: "a"}}, diag.UnitOpened},
		"no mark wanted":                             {looks{{has: ""}}, diag.UnitUnmarked},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := requirement.Run{Instance: "scout", Unit: "justnews@scout.service"}
			w.Timeout.Value = 10 * time.Second
			res := Run(t.Context(), w, World{Mark: c.looks.mark()})
			var got diag.Code
			if errs := diag.Errors(res.Problems); len(errs) > 0 {
				got = errs[0].Code
			}
			if got != c.code || res.Passed() != (c.code == "") {
				t.Errorf("%s: %q, passed %v; want %q", what, got, res.Passed(), c.code)
			}
			if names := stepNames(res); res.Passed() && !slices.Equal(names, []string{"config", "unit", "unit"}) {
				t.Errorf("%s: steps %v", what, names)
			}
		})
	}
}

func stepNames(r Result) []string {
	var names []string
	for _, s := range r.Steps {
		names = append(names, s.Name)
	}
	return names
}
