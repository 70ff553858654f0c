// SPDX-License-Identifier: Apache-2.0

// Package findings is for tests: it checks what every problem must have, whichever judge
// returns it.
package findings

import (
	"strings"
	"testing"

	"justnews/internal/diag"
)

// Sound fails the test if a problem is incomplete, or not fit for a terminal.
func Sound(t *testing.T, p diag.Problem) {
	t.Helper()
	if p.Code == "" || p.Message == "" || p.Fix.String() == "" || p.Subject == "" && p.Position == nil {
		t.Errorf("an unfinished problem: %+v", p)
	}
	if strings.HasSuffix(p.Message, ".") || strings.ContainsAny(p.String()+p.Seen+p.Expected+p.Fix.String(), "\n\r\x1b") {
		t.Errorf("not a line for a terminal: %+v", p)
	}
	if starts := strings.ReplaceAll(p.Fix.String(), "systemctl start dbus.socket", ""); strings.Contains(starts, "systemctl start") && !strings.Contains(p.Fix.String(), "systemctl reset-failed") {
		t.Errorf("a start without reset-failed: %s", p.Fix.String())
	}
	if reset, start := strings.Index(p.Fix.String(), "systemctl reset-failed"), strings.Index(p.Fix.String(), "systemctl start"); start >= 0 && start < reset {
		t.Errorf("a start before reset-failed: %s", p.Fix.String())
	}
}
