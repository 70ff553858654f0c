// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestGated_OnlyTheInstancesOwnGateCounts(t *testing.T) {
	gate := func(argv ...string) facts.Exec { return facts.Exec{Argv: argv} }
	own := gate("/usr/bin/justnews-gate", "--gate-only", "scout")
	ignored := own
	ignored.IgnoreFailure = true
	for name, c := range map[string]struct {
		unit facts.Unit
		code diag.Code
	}{
		"the gate":                     {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{own}}, ""},
		"the gate among others":        {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{gate("/bin/true"), own}}, ""},
		"no command":                   {facts.Unit{LoadState: "loaded"}, diag.Ungated},
		"another command":              {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{gate("/bin/true")}}, diag.Ungated},
		"the gate of another":          {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{gate("/usr/bin/justnews-gate", "--gate-only", "memory")}}, diag.Ungated},
		"a gate whose refusal is lost": {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{ignored}}, diag.Ungated},
		"help instead of a gate":       {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{gate("/usr/bin/justnews-gate", "--help")}}, diag.Ungated},
		"files that changed since":     {facts.Unit{LoadState: "loaded", ExecStartPre: []facts.Exec{own}, NeedDaemonReload: true}, diag.NeedReload},
		"no such unit":                 {facts.Unit{LoadState: "not-found"}, diag.Ungated},
		"no ExecStart=":                {facts.Unit{LoadState: "bad-setting"}, diag.UnitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			c.unit.Name = "justnews@scout.service"
			problems := Gated(c.unit, false)
			switch {
			case c.code == "" && len(problems) > 0:
				t.Errorf("got %v, want nothing", problems)
			case c.code != "" && (len(problems) != 1 || problems[0].Code != c.code || problems[0].Fix.String() == ""):
				t.Errorf("got %v, want %s with a fix", problems, c.code)
			}
		})
	}
}

func TestGated_MaskedUnitIsMasked(t *testing.T) {
	problems := Gated(facts.Unit{Name: "justnews@scout.service", LoadState: "masked"}, false)
	if len(problems) != 1 || problems[0].Severity != diag.Warning || !strings.Contains(problems[0].Message, "masked") ||
		!strings.Contains(problems[0].Fix.String(), "systemctl unmask -- justnews@scout.service") {
		t.Errorf("%+v", problems)
	}
}
