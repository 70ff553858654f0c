// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"
	"time"
)

func TestHistory_RefreshesInTenMinutesAreLimited(t *testing.T) {
	// Seventeen gates restart every 3 s for ten minutes on a model that never
	// loads: what matters is how many POSTs the orchestrator sees.
	h := History{}
	posts := 0
	for uptime := time.Duration(0); uptime <= 10*time.Minute; uptime += 3 * time.Second / 17 {
		if h.mayRefresh(1, uptime, "") {
			h.Refreshes++
			h.LastPost = uptime
			posts++
		}
	}
	if posts < 2 || posts > 6 {
		t.Errorf("%d refreshes in ten minutes, want 2 to 6", posts)
	}
}

func TestHistory_IneffectiveTriggerIsRepeatedOnceThenBacksOff(t *testing.T) {
	h := History{}
	if ok, _ := h.mayTrigger(0); !ok {
		t.Fatal("an idle orchestrator may not be triggered at all")
	}
	h = History{Triggers: 1, LastPost: time.Second}
	if ok, left := h.mayTrigger(3 * time.Second); ok || left != 3*time.Second {
		t.Errorf("within the grace: %v, %v; want false, 3s", ok, left)
	}
	if ok, _ := h.mayTrigger(6 * time.Second); !ok {
		t.Error("no second trigger after the grace")
	}
	h = History{Triggers: 2, LastPost: time.Second}
	if ok, left := h.mayTrigger(time.Second); ok || left != firstBackoff {
		t.Errorf("after two: %v, %v; want false, %v", ok, left, firstBackoff)
	}
}

func TestHistory_RefreshAttemptsZeroNeverRefreshes(t *testing.T) {
	if (History{}).mayRefresh(0, time.Hour, "") {
		t.Error("refresh_attempts = 0 refreshed")
	}
}

func TestHistory_BackoffDoublesUpToTenMinutes(t *testing.T) {
	want := []int{30, 60, 120, 240, 480, 600, 600}
	for n, seconds := range want {
		if got := backoff(n); got != time.Duration(seconds)*time.Second {
			t.Errorf("backoff(%d) = %v, want %d s", n, got, seconds)
		}
	}
	if backoff(1000) != lastBackoff {
		t.Error("backoff overflows")
	}
}

func TestHistory_RestartedOrchestratorStartsANewHistory(t *testing.T) {
	job := 1795439865.7
	h := History{Invocation: "a", Job: &job, Triggers: 1, Refreshes: 3, LastPost: time.Minute}
	for _, c := range []struct {
		what       string
		invocation string
		noJob      bool
		want       int
	}{
		{"the same", "a", false, 3},
		{"another InvocationID", "b", false, 0},
		{"no job where there was one", "a", true, 3},
		{"a unit that cannot be asked", "", false, 3},
	} {
		if got := h.ofInvocation(c.invocation, c.noJob).Refreshes; got != c.want {
			t.Errorf("%s: %d refreshes remembered, want %d", c.what, got, c.want)
		}
	}
	if got := h.ofInvocation("", true); got.Job != nil || got.Triggers != 1 {
		t.Errorf("a vanished job, without a unit: %+v, want no job and one trigger", got)
	}
}

func TestHistory_RecordOfAnotherBootIsIgnored(t *testing.T) {
	h := History{Refreshes: 9, LastPost: time.Hour}
	if !h.mayRefresh(1, time.Minute, "") {
		t.Error("a record from the future holds a refresh back")
	}
}

func TestHistory_ChangedStoreAllowsAnEarlierRefresh(t *testing.T) {
	h := History{Refreshes: 6, LastPost: time.Minute, Store: "before"} // the next in 8 min
	for _, c := range []struct {
		store string
		at    time.Duration
		want  bool
	}{
		{"before", 3 * time.Minute, false},
		{"", 3 * time.Minute, false},
		{"after", 3 * time.Minute, true},
		{"after", time.Minute + 10*time.Second, false}, // a copy that goes on is no storm
	} {
		if got := h.mayRefresh(1, c.at, c.store); got != c.want {
			t.Errorf("store %q at %v: %v, want %v", c.store, c.at, got, c.want)
		}
	}
	if h.mayRefresh(0, 3*time.Minute, "after") {
		t.Error("refresh_attempts = 0 refreshed")
	}
}
