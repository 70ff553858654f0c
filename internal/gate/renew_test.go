// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Without certainty nothing is restarted.
func TestStarted_OnlyADifferenceThatIsKnownIsOutdated(t *testing.T) {
	with := func(change func(*Started)) Started {
		s := Started{Invocation: "i", Mark: "m", Files: map[string]string{"/a": "1", "/unknown": UnknownFile}}
		if change != nil {
			change(&s)
		}
		return s
	}
	file := func(path, state string) func(*Started) {
		return func(s *Started) {
			s.Files = map[string]string{"/a": "1", "/unknown": UnknownFile, path: state}
		}
	}
	active := facts.Unit{ActiveState: "active", InvocationID: "i"}
	for name, c := range map[string]struct {
		unit      facts.Unit
		then, now Started
		want      bool
	}{
		"the same":                      {active, with(nil), with(nil), false},
		"another mark":                  {active, with(nil), with(func(s *Started) { s.Mark = "n" }), true},
		"it is down":                    {facts.Unit{ActiveState: "inactive", InvocationID: "i"}, with(nil), with(func(s *Started) { s.Mark = "n" }), false},
		"another start":                 {facts.Unit{ActiveState: "active", InvocationID: "j"}, with(nil), with(func(s *Started) { s.Mark = "n" }), false},
		"a start that is not known":     {facts.Unit{ActiveState: "active"}, Started{Mark: "m"}, Started{Mark: "n"}, false},
		"another state of a file":       {active, with(nil), with(file("/a", "2")), true},
		"a file more":                   {active, with(nil), with(file("/b", "1")), true},
		"a file less":                   {active, with(file("/b", "1")), with(nil), true},
		"a file that may be an old one": {active, with(nil), with(file("/a", OldFile)), true},
		"a missing file, not listed":    {active, with(nil), with(file("/b", NoFile)), false},
		"a file that cannot be seen":    {active, with(nil), with(file("/a", UnknownFile)), false},
		"a file that could not be seen": {active, with(nil), with(file("/unknown", "1")), false},
	} {
		if got := c.then.Outdated(c.unit, c.now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestRenew_IsNotRequestedAtTheEnd(t *testing.T) {
	asked := 0
	r := &runner{world: World{Renew: func(context.Context) *diag.Problem { asked++; return &diag.Problem{Code: diag.Internal} }}}
	if p := r.renew(t.Context()); len(p) != 1 || asked != 1 {
		t.Errorf("%v, asked %d times", p, asked)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	if p := r.renew(ctx); len(p) != 0 || asked != 1 {
		t.Errorf("at the end: %v, asked %d times", p, asked)
	}
}
