// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"slices"
	"testing"

	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/unitname"
)

func TestOwnPath_RemovesANameOnlyFromPaths(t *testing.T) {
	for text, want := range map[string]string{
		"/var/cache/justnews/scout":                  "/var/cache/justnews/",
		"/var/cache/justnews/scout/cuda":             "/var/cache/justnews//cuda",
		"/srv/scout, and /opt/scout":                 "/srv/, and /opt/",
		`"/srv/scout"; ('/opt/scout')`:               `"/srv/"; ('/opt/')`,
		"the scout writes to /srv/scout: not there":  "the scout writes to /srv/: not there",
		"/srv/scouting/scout":                        "/srv/scouting/",
		"/srv/scout-logs /srv/scout.d":               "/srv/scout-logs /srv/scout.d",
		"justnews@scout.service, a boy scout, scout": "justnews@scout.service, a boy scout, scout",
		"": "",
	} {
		if got := ownPath(text, "scout"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// folded are the subjects of what is left of some findings. A counterpart without the
// instance's name has neither its subject nor what is seen of it.
func folded(problems ...diag.Problem) []string {
	without := slices.Clone(problems)
	for i := range without {
		if unitname.Instance(problems[i].Subject) != "" {
			without[i].Subject, without[i].Seen = "", ""
		}
	}
	var subjects []string
	for _, p := range fold(problems, without) {
		subjects = append(subjects, p.Subject)
	}
	return subjects
}

func TestFold_FindingsThatDifferOnlyInTheInstanceAreOne(t *testing.T) {
	scout, memory := "justnews@scout.service", "justnews@memory.service"
	p := func(code diag.Code, subject, message string) diag.Problem {
		return diag.Problem{Code: code, Subject: subject, Message: message, Seen: "of " + subject}
	}
	at := func(p diag.Problem, line int) diag.Problem {
		p.Position = &diag.Position{File: "/etc/justnews/global.env", Line: line}
		return p
	}
	fixed := func(p diag.Problem, advice string) diag.Problem {
		p.Fix = diag.Advise(advice)
		return p
	}
	both := []string{scout + " and also memory"}
	each := []string{scout, memory}
	for name, c := range map[string]struct {
		problems []diag.Problem
		want     []string
	}{
		"none":                    {nil, nil},
		"two instances":           {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.LimitNOFILE, memory, "m")}, both},
		"two codes":               {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.UserOther, memory, "m")}, each},
		"two messages":            {[]diag.Problem{p(diag.LimitNOFILE, scout, "m"), p(diag.LimitNOFILE, memory, "n")}, each},
		"two fixes":               {[]diag.Problem{fixed(p(diag.LimitNOFILE, scout, "m"), "x"), fixed(p(diag.LimitNOFILE, memory, "m"), "y")}, each},
		"one variable, two fixes": {[]diag.Problem{fixed(p(diag.ConfigEnvironment, scout, "m"), "x"), fixed(p(diag.ConfigEnvironment, memory, "m"), "y")}, both},
		"two that failed":         {[]diag.Problem{p(diag.UnitFailed, scout, "m"), p(diag.UnitFailed, memory, "m")}, each},
		"two that were refused":   {[]diag.Problem{p(diag.UnitFailed, scout, checkunit.GateRefused), p(diag.UnitFailed, memory, checkunit.GateRefused)}, both},
		"two ports":               {[]diag.Problem{p(diag.PortTaken, scout, "m"), p(diag.PortTaken, memory, "m")}, each},
		"no instance":             {[]diag.Problem{p(diag.DiskSpace, "/srv", "m"), p(diag.DiskSpace, "/opt", "m")}, []string{"/srv", "/opt"}},
		"no instance, twice":      {[]diag.Problem{p(diag.DiskSpace, "/srv", "m"), p(diag.DiskSpace, "/srv", "m")}, []string{"/srv"}},
		"one line of a file":      {[]diag.Problem{at(p(diag.EnvSyntax, "", "m"), 3), at(p(diag.EnvSyntax, "", "m"), 3)}, []string{""}},
		"two lines of a file":     {[]diag.Problem{at(p(diag.EnvSyntax, "", "m"), 3), at(p(diag.EnvSyntax, "", "m"), 4)}, []string{"", ""}},
	} {
		if got := folded(c.problems...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
