// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// names are instances that are called like words of messages and parts of units' names.
var names = []string{"memory", "scout", "service", "systemd", "justnews", "s", "s_2"}

func TestAlike_ANameStandsOnlyWhereTheOtherTextHasTheOther(t *testing.T) {
	for _, name := range names {
		for _, other := range names {
			for _, form := range []string{
				"justnews@NAME.service of memory: systemd, service",
				"/var/cache/justnews/NAME, /srv/NAME/cuda, NAME",
				"NAME NAME: NAME",
				"no name",
				"",
			} {
				a, b := text{strings.ReplaceAll(form, "NAME", name), name, ""}, text{strings.ReplaceAll(form, "NAME", other), other, ""}
				if !a.alike(b) || !b.alike(a) {
					t.Errorf("%q and %q", a.text, b.text)
				}
				if b.text += "x"; a.alike(b) || b.alike(a) {
					t.Errorf("%q is like %q", a.text, b.text)
				}
			}
		}
	}
	for _, c := range []struct{ a, b text }{
		{text{"memory", "memory", ""}, text{"memory", "scout", "x"}},
		{text{"of memory", "memory", ""}, text{"of scout", "", ""}},
		{text{"of memory", "", ""}, text{"of scout", "", ""}},
		{text{"scout of memory", "memory", ""}, text{"memory of scout", "scout", ""}},
		{text{"low on memory", "memory", ""}, text{"low on disk", "scout", ""}},
	} {
		if c.a.alike(c.b) || c.b.alike(c.a) {
			t.Errorf("%+v is like %+v", c.a, c.b)
		}
	}
}

func TestFold_GatesRefusedByOneCauseAreOne(t *testing.T) {
	refused := func(name, message string) diag.Problem {
		return unit.NotUp(name, facts.Unit{Name: name, LoadState: "loaded", ActiveState: "failed",
			StatusText: unit.StatusOfRefusal(diag.Problem{Code: diag.StoreAgent, Subject: "scout", Message: message})})
	}
	got := Fold([]diag.Problem{refused("justnews@scout.service", "m"), refused("justnews@memory.service", "m"), refused("justnews@critic.service", "other")})
	if len(got) != 2 || got[0].Subject != "justnews@scout.service and also memory" {
		t.Errorf("%+v", got)
	}
}

func TestFold_FindingsThatDifferOnlyInTheInstanceAreOne(t *testing.T) {
	scout, memory := "justnews@scout.service", "justnews@memory.service"
	p := func(code diag.Code, subject, message string) diag.Problem {
		return diag.Problem{Code: code, Subject: subject, Message: message, Seen: "of " + subject}
	}
	at := func(p diag.Problem, line int) diag.Problem {
		return p.At("/etc/justnews/global.env", line, 0)
	}
	fixed := func(p diag.Problem, advice string) diag.Problem {
		p.Fix = diag.Advise(advice)
		return p
	}
	hidden := func(subject, unit string) diag.Problem {
		return diag.Problem{Code: diag.MPSEnvironment, Subject: subject, Fix: diag.Fix{}.Looking(diag.CatUnit(unit))}
	}
	both := []string{scout + " and also memory"}
	each := []string{scout, memory}
	for name, c := range map[string]struct {
		problems []diag.Problem
		want     []string
	}{
		"none":                     {nil, nil},
		"two instances":            {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.LimitNOFILE, memory, "m")}, both},
		"the same one twice":       {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.LimitNOFILE, scout, "m")}, []string{scout}},
		"two severities":           {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.LimitNOFILE, memory, "m").As(diag.Warning)}, each},
		"two codes":                {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.UserOther, memory, "m")}, each},
		"two messages":             {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.LimitNOFILE, memory, "n")}, each},
		"a word that is a name":    {[]diag.Problem{p(diag.LimitNOFILE, scout, "no memory"), p(diag.LimitNOFILE, memory, "no memory")}, both},
		"the other's name":         {[]diag.Problem{p(diag.LimitNOFILE, scout, "memory"), p(diag.LimitNOFILE, memory, "scout")}, each},
		"two fixes":                {[]diag.Problem{fixed(p(diag.LimitNOFILE, scout, "m"), "x"), fixed(p(diag.LimitNOFILE, memory, "m"), "y")}, each},
		"one variable, two fixes":  {[]diag.Problem{fixed(p(diag.ConfigEnvironment, scout, "m"), "x"), fixed(p(diag.ConfigEnvironment, memory, "m"), "y")}, both},
		"two that failed":          {[]diag.Problem{p(diag.UnitFailed, scout, "m"), p(diag.UnitFailed, memory, "m")}, each},
		"two that were refused":    {[]diag.Problem{p(diag.UnitFailed, scout, unit.GateRefused), p(diag.UnitFailed, memory, unit.GateRefused)}, both},
		"two ports":                {[]diag.Problem{p(diag.PortTaken, scout, "m"), p(diag.PortTaken, memory, "m")}, each},
		"no instance":              {[]diag.Problem{p(diag.DiskSpace, "/srv", "m"), p(diag.DiskSpace, "/opt", "m")}, []string{"/srv", "/opt"}},
		"no instance, twice":       {[]diag.Problem{p(diag.DiskSpace, "/srv", "m"), p(diag.DiskSpace, "/srv", "m")}, []string{"/srv"}},
		"one path of two units":    {[]diag.Problem{hidden("/run/mps", scout), hidden("/run/mps", memory)}, []string{"/run/mps"}},
		"two files of two units":   {[]diag.Problem{hidden("/etc/"+scout+".d", scout), hidden("/etc/"+memory+".d", memory)}, []string{"/etc/" + scout + ".d", "/etc/" + memory + ".d"}},
		"one line of a file":       {[]diag.Problem{at(p(diag.EnvSyntax, "", "m"), 3), at(p(diag.EnvSyntax, "", "m"), 3)}, []string{""}},
		"two lines of a file":      {[]diag.Problem{at(p(diag.EnvSyntax, "", "m"), 3), at(p(diag.EnvSyntax, "", "m"), 4)}, []string{"", ""}},
		"each has its own command": {[]diag.Problem{p(diag.InstanceUnknown, scout, "m"), p(diag.InstanceUnknown, memory, "m")}, each},
	} {
		var got []string
		for _, p := range Fold(c.problems) {
			got = append(got, p.Subject)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFold_CommonNamesOfInstances(t *testing.T) {
	var problems []diag.Problem
	for _, name := range names {
		problems = append(problems, diag.Found(diag.StartLimit, unitname.Of(name), "systemd has little memory for the service of justnews",
			"set in /etc/systemd/system/"+unitname.Of(name)+".d/memory.conf", "", diag.Do(diag.Run("justnews-gate", "--gate-only", name))))
	}
	got := Fold(problems)
	if len(got) != 1 || got[0].Subject != "justnews@memory.service and also scout, service, systemd, justnews, s, s_2" || got[0].Fix.String() != "justnews-gate --gate-only memory" {
		t.Errorf("%+v", got)
	}
}

func TestSettle_RefusalsOfInstancesWithCommonNamesAreOneCause(t *testing.T) {
	h := New()
	for _, name := range names {
		add(h, name, "failed", "failed", "refused: USER-UNKNOWN: justnews@"+name+".service: the user of the service has no memory")
	}
	h.Settle()
	if len(h.Causes) != 1 || len(h.Causes[0].Holds) != len(names) {
		t.Errorf("%+v", h.Causes)
	}
}

func TestKey_DependsOnTheCauseOnly(t *testing.T) {
	p := func(subject, message, seen string) diag.Problem {
		return diag.Problem{Code: diag.BusUnreachable, Subject: subject, Message: message, Seen: seen}
	}
	same := Key(p("justnews@scout.service", "did not answer within 180 s", "scout of PID 17"), "scout")
	if other := Key(p("justnews@memory.service", "did not answer within 60 s", "memory of PID 4711"), "memory"); other != same {
		t.Errorf("%q and %q", same, other)
	}
	if other := Key(p("justnews@memory.service", "did not answer within 60 s", "another story"), "memory"); other == same {
		t.Errorf("%q", other)
	}
	if key := Key(p("a", "did not answer", "scout"), ""); !strings.Contains(key, "scout") {
		t.Errorf("without an instance: %q", key)
	}
}
