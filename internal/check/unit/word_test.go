// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"testing"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestWordOf_EachState(t *testing.T) {
	const refused = "refused: STORE-SNAPSHOT: chief_editor: the model has no snapshot"
	loaded := func(active, sub, text string, job bool) facts.Unit {
		return facts.Unit{LoadState: "loaded", ActiveState: active, SubState: sub, StatusText: text, Job: job}
	}
	for what, c := range map[string]struct {
		unit     facts.Unit
		disabled bool
		want     unit.Word
	}{
		"running":                        {unit: loaded("active", "running", "", false), want: "up"},
		"running, not enabled":           {unit: loaded("active", "running", "", false), disabled: true, want: "up"},
		"running, to be restarted":       {unit: loaded("active", "running", "", true), want: "up"},
		"the gate runs":                  {unit: loaded("activating", "start-pre", "waiting: models: 3 of 16", true), want: "waiting"},
		"the gate has just begun":        {unit: loaded("activating", "start-pre", "", true), want: "waiting"},
		"the program is executed":        {unit: loaded("activating", "start", "", true), want: "starting"},
		"refused":                        {unit: loaded("failed", "failed", refused, false), want: "refused"},
		"refused, tried again later":     {unit: loaded("activating", "auto-restart", refused, false), want: "refused"},
		"refused before, now has a job":  {unit: loaded("failed", "failed", refused, true), want: "queued"},
		"refused, the next try has come": {unit: loaded("activating", "auto-restart-queued", refused, true), want: "queued"},
		"stopped after a refusal":        {unit: loaded("inactive", "dead", refused, false), want: "stopped"},
		"queued after a refusal":         {unit: loaded("inactive", "dead", refused, true), want: "queued"},
		"failed":                         {unit: loaded("failed", "failed", "", false), want: "failed"},
		"crashed, tried again later":     {unit: loaded("activating", "auto-restart", "", false), want: "failed"},
		"an agent's own words":           {unit: loaded("failed", "failed", "shutting down", false), want: "failed"},
		"stopped":                        {unit: loaded("inactive", "dead", "", false), want: "stopped"},
		"stops":                          {unit: loaded("deactivating", "stop-sigterm", "", true), want: "stopping"},
		"disabled":                       {unit: loaded("inactive", "dead", "", false), disabled: true, want: "disabled"},
		"masked":                         {unit: facts.Unit{LoadState: "masked", ActiveState: "inactive"}, want: "masked"},
		"not installed":                  {unit: facts.Unit{LoadState: "not-found", ActiveState: "inactive"}, want: "missing"},
	} {
		if got := unit.WordOf(c.unit, !c.disabled); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

func TestWordOf_InstanceWhoseProgramHasEndedIsNotUp(t *testing.T) {
	if got := unit.WordOf(facts.Unit{Name: "justnews@scout.service", LoadState: "loaded", ActiveState: "active", SubState: "running"}, true); got != unit.Up {
		t.Errorf("running: %q", got)
	}
	for name, want := range map[string]unit.Word{"justnews@scout.service": unit.Stopped, "client.service": unit.Up} {
		if got := unit.WordOf(facts.Unit{Name: name, LoadState: "loaded", ActiveState: "active", SubState: "exited"}, true); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestRefusal_OnlyKnownCodesAreRead(t *testing.T) {
	for text, want := range map[string]diag.Code{
		"refused: STORE-SNAPSHOT: a: b": diag.StoreSnapshot,
		"refused: NO-SUCH: a: b":        "",
		"refused: ":                     "",
		"waiting: STORE-SNAPSHOT: a":    "",
		"":                              "",
	} {
		if got, _ := unit.Refusal(facts.Unit{StatusText: text}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestState_StatusTextOfAGateIsReadBack(t *testing.T) {
	p := diag.Problem{Code: diag.StoreSnapshot, Subject: "scout: waiting: x", Message: "refused: a\nb"}
	u := facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: unit.StatusOfRefusal(p)}
	if code, text := unit.Refusal(u); code != p.Code || text != p.String() || !unit.LastRefused(u) {
		t.Errorf("%q: %s %q", u.StatusText, code, text)
	}
	wait := unit.StatusOfWait("refused: STORE-SNAPSHOT\nx")
	if code, _ := unit.Refusal(facts.Unit{StatusText: wait}); code != "" || unit.WaitsFor(wait) != `refused: STORE-SNAPSHOT\nx` {
		t.Errorf("%q: %s %q", wait, code, unit.WaitsFor(wait))
	}
}

func TestWord_PendingIsTransitional(t *testing.T) {
	for _, w := range []unit.Word{unit.Waiting, unit.Queued, unit.Starting, unit.Stopping} {
		if !w.Pending() {
			t.Errorf("%s is not pending", w)
		}
	}
	for _, w := range []unit.Word{unit.Refused, unit.Failed, unit.Missing, unit.Masked, unit.Stopped, unit.Disabled, unit.Up} {
		if w.Pending() {
			t.Errorf("%s is pending", w)
		}
	}
}

func TestLastRefused_BetweenTwoTriesOnly(t *testing.T) {
	const refused = "refused: STORE-SNAPSHOT: a: b"
	for name, c := range map[string]struct {
		unit facts.Unit
		want bool
	}{
		"it failed":               {facts.Unit{LoadState: "loaded", ActiveState: "failed", StatusText: refused}, true},
		"it is tried again later": {facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart", Job: true, StatusText: refused}, true},
		"it holds":                {facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "start-pre", StatusText: "waiting: " + refused}, true},
		"it waits":                {facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "start-pre", StatusText: "waiting: models: " + refused}, false},
		"it held, and is up":      {facts.Unit{LoadState: "loaded", ActiveState: "active", StatusText: "waiting: " + refused}, false},
		"it has a job":            {facts.Unit{LoadState: "loaded", ActiveState: "failed", Job: true, StatusText: refused}, false},
		"it was stopped":          {facts.Unit{LoadState: "loaded", ActiveState: "inactive", StatusText: refused}, false},
		"it failed otherwise":     {facts.Unit{LoadState: "loaded", ActiveState: "failed"}, false},
		"it is no unit any more":  {facts.Unit{LoadState: "not-found", ActiveState: "failed", StatusText: refused}, false},
	} {
		if got := unit.LastRefused(c.unit); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
