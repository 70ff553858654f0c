// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"justnews/test/bed"
)

// The texts on which units/polkit-1/50-justnews.rules relies. They are undocumented, but
// nothing else distinguishes the start of an installed unit from that of a transient one.
const (
	manageUnits   = "org.freedesktop.systemd1.manage-units"
	startText     = "Authentication is required to start '$(unit)'."
	transientText = "Authentication is required to start transient unit '$(unit)'."
)

// exactly allows a user only calls with exactly the action, verb and message that
// "expected" has for the unit.
const exactly = `polkit.addRule(function(action, subject) {
    var expected = EXPECTED;
    var seen = action.id + "|" + action.lookup("verb") + "|" + action.lookup("polkit.message");
    if (subject.user === "adra" && expected[action.lookup("unit")] === seen) {
        return polkit.Result.YES;
    }
    return polkit.Result.NOT_HANDLED;
});
`

// polkitCalls are calls to systemd's manager, each for a separate unit, and the details
// that a rule has to see.
var polkitCalls = []struct{ unit, call, verb, message string }{
	{"pin-a.service", manager + "StartUnit ss pin-a.service replace", "start", startText},
	{"pin-b.service", manager + "StartUnitReplace sss pin-waits.service pin-b.service replace", "start", startText},
	{"pin-c.service", systemd1 + " /org/freedesktop/systemd1/unit/pin_2dc_2eservice " + systemd1 + ".Unit Start s replace", "start", startText},
	{"pin-d.service", manager + "StopUnit ss pin-d.service replace", "stop", "Authentication is required to stop '$(unit)'."},
	{"pin-e.service", manager + "RestartUnit ss pin-e.service replace", "restart", "Authentication is required to restart '$(unit)'."},
	{"pin-t.service", manager + `StartTransientUnit "ssa(sv)a(sa(sv))" pin-t.service replace 1 ExecStart "a(sasb)" 1 /bin/true 1 /bin/true false 0`, "start", transientText},
}

// undetailed stands for missing details in what a rule sees.
const undetailed = "undefined"

// busRefuses are the other calls that start a unit. The policy of systemd's bus name allows
// them only for root, so no rule is consulted.
var busRefuses = []string{
	manager + "StartUnitWithFlags sst pin-a.service replace 0",
	manager + "EnqueueUnitJob sss pin-a.service start replace",
}

// With a systemd whose texts differ, the rule would refuse everyone. This test shows it
// before an operator notices.
func TestPolkit_SystemdPassesTheDetailsThatTheRuleUses(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../units/polkit-1/50-justnews.rules")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`action.id !== "` + manageUnits + `"`, `action.lookup("verb") !== "start"`, `action.lookup("polkit.message") !== "` + startText + `"`} {
		if !strings.Contains(string(text), want) {
			t.Fatalf("the rule does not have %s:\n%s", want, text)
		}
	}
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.Run("useradd", "--create-home", "adra")
			for _, c := range polkitCalls[:len(polkitCalls)-1] { // a transient unit must not be there
				tree.WriteFile("/etc/systemd/system/"+c.unit, "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
			}
			tree.WriteFile("/etc/systemd/system/pin-waits.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\nTimeoutStartSec=infinity\n")
		}})
		s.WaitIdle()
		// StartUnitReplace needs a job to replace.
		s.Systemctl("start", "--no-block", "pin-waits.service")
		expected := map[string]string{}
		for _, c := range polkitCalls {
			unit, verb, message := c.unit, c.verb, c.message
			if message == transientText && suite == bed.Bookworm { // systemd 252 passes no details
				unit, verb, message = undetailed, undetailed, undetailed
			}
			expected[unit] = manageUnits + "|" + verb + "|" + message
		}
		s.noCallIsAllowed(t, "without a rule")
		// The rule depends on these details: with one changed, no call is allowed.
		for detail, change := range map[string]*strings.Replacer{
			"action":  strings.NewReplacer(manageUnits, manageUnits+"x"),
			"verb":    strings.NewReplacer("|start|", "|stop|", "|stop|", "|start|", "|restart|", "|start|", "|undefined|", "|start|"),
			"message": strings.NewReplacer(startText, transientText, transientText, startText, "to stop", "to start", "to restart", "to start", "|undefined|undefined", "|undefined|"+startText),
		} {
			other := map[string]string{}
			for unit, want := range expected {
				if other[unit] = change.Replace(want); other[unit] == want {
					t.Fatalf("%s is not changed in %s", detail, want)
				}
			}
			s.allowExactly(other)
			s.noCallIsAllowed(t, "by a rule for another "+detail)
		}
		s.allowExactly(expected)
		for _, c := range polkitCalls {
			if !s.mayCall(c.call) {
				t.Errorf("%s is not seen as the verb %q with %q", c.call, c.verb, c.message)
			}
		}
		for _, call := range busRefuses {
			if s.mayCall(call) {
				t.Errorf("%s reaches polkit: the rule has to cover it", call)
			}
		}
	})
}

func (s *site) noCallIsAllowed(t *testing.T, by string) {
	t.Helper()
	for _, c := range polkitCalls {
		if s.mayCall(c.call) {
			t.Errorf("%s is allowed %s", c.call, by)
		}
	}
}

// allowExactly replaces the rule of the test. polkit is restarted: it would read the
// rule some time after the file changed.
func (s *site) allowExactly(expected map[string]string) {
	s.t.Helper()
	list, err := json.Marshal(expected)
	if err != nil {
		s.t.Fatal(err)
	}
	s.WriteFile("/etc/polkit-1/rules.d/00-pin.rules", strings.Replace(exactly, "EXPECTED", string(list), 1))
	s.Systemctl("restart", "polkit.service")
}

// mayCall makes a call as adra, and fails unless it is answered or denied.
func (s *site) mayCall(call string) bool {
	s.t.Helper()
	r := s.Sh("runuser -u adra -- busctl --timeout=60 call " + call)
	if r.Err != nil && !strings.Contains(r.Stderr, "nteractive authentication required") && !strings.Contains(r.Stderr, "Access denied") {
		s.t.Errorf("%s: %v, %q", call, r.Err, r.Stderr)
	}
	return r.Err == nil
}
