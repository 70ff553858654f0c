// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/diag"
)

// The texts of the catalogue are printed as they are.
func TestCatalog_HasNoTerminalControls(t *testing.T) {
	for _, e := range Entries() {
		for _, text := range []string{e.Title, e.Cause, e.Fix.Advice} {
			if text != diag.Clean(text) {
				t.Errorf("%s: %q", e.Code, text)
			}
		}
	}
}

// programs are those that a fix may run or look with.
var programs = []string{
	"systemctl", "journalctl", "justnews-gate", "systemd-tmpfiles", "systemd-sysusers", "chmod", "chown", "rm", "sudo", "visudo",
	"usermod", "loginctl", "pkill", "nvidia-smi", "nvidia-modprobe", "modprobe", "ldconfig", "mount", "sysctl", "ln", "sh",
}

// checkFix holds what every fix of the project keeps to.
func checkFix(t *testing.T, where string, f diag.Fix) {
	t.Helper()
	if strings.ContainsAny(f.Advice, ";`$|") || strings.Contains(f.Advice, "&&") || strings.Contains(f.Advice, "then: ") || strings.Contains(f.Advice, "systemctl ") {
		t.Errorf("%s: a command in the words: %s", where, f.Advice)
	}
	reset := map[string]bool{}
	for _, c := range f.Commands {
		if len(c) == 0 || !slices.Contains(programs, c[0]) {
			t.Errorf("%s: unknown program: %q", where, c)
			continue
		}
		unit := c[len(c)-1]
		switch {
		case c[0] == "systemctl" && c[1] == "reset-failed":
			reset[unit] = true
		case c[0] == "systemctl" && c[1] == "restart" && !reset[unit]:
			t.Errorf("%s: a tripped start limit refuses this fix: %s", where, f)
		}
	}
}

func TestCatalog_FixesAreAdviceAndArguments(t *testing.T) {
	for _, e := range Entries() {
		checkFix(t, string(e.Code), e.Fix)
	}
}

// The texts and the constants are made from one file: neither lacks an entry of the other.
func TestCatalog_HasTheTextsOfEachCode(t *testing.T) {
	entries := Entries()
	if codes := diag.Codes(); len(entries) != len(codes) {
		t.Fatalf("%d entries, %d codes", len(entries), len(codes))
	}
	for i, code := range diag.Codes() {
		if e, ok := Lookup(code); !ok || e.Title != entries[i].Title {
			t.Errorf("%s is not found by its code: %+v", code, e)
		}
		if e := entries[i]; e.Code != code || e.Title == "" || e.Cause == "" || len(e.Check) == 0 || e.Fix.Empty() || e.Status != code.Status() || e.MessageID != code.MessageID() {
			t.Errorf("%s: %+v", code, e)
		}
	}
	if e, ok := Lookup("NO-SUCH-CODE"); ok {
		t.Errorf("an unknown code has an entry: %+v", e)
	}
}
