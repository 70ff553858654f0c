// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestGated_GuardCountsInItsPlaceOnly(t *testing.T) {
	gate := func(argv ...string) []facts.Exec {
		return []facts.Exec{{Argv: append([]string{"/usr/bin/justnews-gate"}, argv...)}}
	}
	before, after := gate("--gate-only", "vllm.service"), gate("ready", "vllm.service")
	for what, c := range map[string]struct {
		pre, post []facts.Exec
		after     bool
		code      diag.Code
	}{
		"before":                     {pre: before},
		"after":                      {post: after, after: true},
		"before, in the other place": {post: before, code: diag.Ungated},
		"after, in the other place":  {pre: after, after: true, code: diag.Ungated},
		"after, as before":           {pre: after, code: diag.Ungated},
		"the gate of an instance":    {pre: gate("--gate-only", "vllm"), code: diag.Ungated},
		"of another unit":            {pre: gate("--gate-only", "ollama.service"), code: diag.Ungated},
		"one whose refusal is lost":  {pre: []facts.Exec{{Argv: before[0].Argv, IgnoreFailure: true}}, code: diag.Ungated},
		"none":                       {code: diag.Ungated},
		"none after":                 {pre: before, after: true, code: diag.Ungated},
	} {
		problems := Gated(facts.Unit{Name: "vllm.service", LoadState: "loaded", ExecStartPre: c.pre, ExecStartPost: c.post}, c.after)
		switch {
		case c.code == "" && len(problems) == 0:
		case len(problems) != 1 || problems[0].Code != c.code || problems[0].Severity != diag.Error:
			t.Errorf("%s: %v", what, problems)
		}
	}
}

func TestGuarded_NamesWhatOpensAGuard(t *testing.T) {
	good := facts.Unit{Name: "vllm.service", LoadState: "loaded", Service: facts.Service{Restart: "on-failure"},
		DropInPaths: []string{"/etc/systemd/system/vllm.service.d/50-justnews-guard.conf", "/run/systemd/generator/vllm.service.d/60-justnews-guard.conf"}}
	for what, c := range map[string]struct {
		change func(*facts.Unit)
		code   diag.Code
	}{
		"good":                              {func(*facts.Unit) {}, ""},
		"the generator's line":              {func(u *facts.Unit) { u.DropInPaths[0] = "/run/systemd/generator/vllm.service.d/50-justnews-guard.conf" }, diag.GuardVolatile},
		"a restart of others":               {func(u *facts.Unit) { u.Service.Restart = "on-abnormal" }, diag.GuardRestart},
		"no restart":                        {func(u *facts.Unit) { u.Service.Restart = "no" }, diag.GuardRestart},
		"a restart that a refusal prevents": {func(u *facts.Unit) { u.Service.RestartPrevent = []int{3, 78} }, diag.GuardRestart},
		"a restart that others prevent":     {func(u *facts.Unit) { u.Service.RestartPrevent = []int{3, 143} }, ""},
		"a signal is a success":             {func(u *facts.Unit) { u.SuccessSignals = []int{9} }, diag.UnitOpened},
		"a missing unit":                    {func(u *facts.Unit) { *u = facts.Unit{Name: u.Name, LoadState: "not-found"} }, ""},
	} {
		u := good
		u.DropInPaths = append([]string{}, good.DropInPaths...)
		c.change(&u)
		problems := Guarded(u)
		if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code) {
			t.Errorf("%s: %v", what, problems)
		}
	}
}

func TestWordOf_GuardedUnitDependsOnItsGate(t *testing.T) {
	refused := []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", "client.service"}, Code: facts.CodeExited, Status: 69}}
	follows := []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "ready", "client.service"}}}
	for what, c := range map[string]struct {
		unit facts.Unit
		want Word
	}{
		"its gate refused":          {facts.Unit{ActiveState: "failed", ExecStartPre: refused}, Refused},
		"and is tried again":        {facts.Unit{ActiveState: "activating", SubState: "auto-restart", ExecStartPre: refused}, Refused},
		"something else refused":    {facts.Unit{ActiveState: "failed", ExecStartPre: []facts.Exec{{Argv: []string{"/bin/false"}, Code: facts.CodeExited, Status: 1}}}, Failed},
		"its gate follows it":       {facts.Unit{ActiveState: "activating", SubState: "start-post", ExecStartPost: follows}, Waiting},
		"something else follows it": {facts.Unit{ActiveState: "activating", SubState: "start-post"}, Starting},
	} {
		c.unit.Name, c.unit.LoadState = "client.service", "loaded"
		if got := WordOf(c.unit, true); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
	u := facts.Unit{Name: "client.service", ExecStartPre: refused}
	if p := RefusedBefore(u); p.Code != diag.UnitFailed || !strings.Contains(p.Seen, "exit status 69: ") {
		t.Errorf("%+v", p)
	}
}

// An instance gets its gate from the packages, a guarded unit from a command.
func TestGated_FixIsThatOfTheKindOfUnit(t *testing.T) {
	for name, c := range map[string]struct{ loaded, missing string }{
		"justnews@scout.service": {"systemctl revert -- justnews@scout.service", "install the package justnews"},
		"vllm.service":           {"justnews-gate guard install -- vllm.service", "correct the guard's unit"},
	} {
		for state, want := range map[string]string{"loaded": c.loaded, "not-found": c.missing} {
			problems := Gated(facts.Unit{Name: name, LoadState: state}, false)
			if len(problems) != 1 || problems[0].Code != diag.Ungated || !strings.Contains(problems[0].Fix.String(), want) {
				t.Errorf("%s, %s: %+v", name, state, problems)
			}
		}
	}
}
