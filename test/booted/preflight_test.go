// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"justnews/test/bed"
)

// found is one finding of a preflight.
type found struct {
	Code, Severity, Subject, Message, Seen, Fix string
}

// preflight runs the full validation as root and returns its exit status and
// its findings. What is the test bed's own is left out: a busy host's disk, and
// that a container has no GPU.
func (s *site) preflight(args ...string) (int, []found) {
	s.t.Helper()
	r := s.Run(append([]string{"justnews-gate", "--json", "preflight", "--timeout", "20"}, args...)...)
	var summary struct{ Problems []found }
	if err := json.Unmarshal([]byte(r.Stdout), &summary); err != nil {
		s.t.Fatalf("preflight: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	var all []found
	for _, f := range summary.Problems {
		if !strings.HasPrefix(f.Code, "GPU-") && f.Code != "SWAP-NONE" {
			all = append(all, f)
		}
	}
	return r.Code, all
}

// has tells whether there is a finding of that code whose words hold text.
func has(all []found, code, text string) bool {
	for _, f := range all {
		if f.Code == code && strings.Contains(fmt.Sprint(f), text) {
			return true
		}
	}
	return false
}

// paste runs the command of a finding's hint.
func (s *site) paste(all []found, code string) {
	s.t.Helper()
	for _, f := range all {
		if f.Code != code {
			continue
		}
		_, command, said := strings.Cut(f.Fix, ", then: ")
		if !said {
			command = f.Fix
		}
		if r := s.Sh(command); r.Err != nil {
			s.t.Fatalf("the hint fails: %s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
		}
		return
	}
	s.t.Fatalf("there is no %s to paste: %+v", code, all)
}

// One boot, one thing after the other done to the host: each is found, and once
// all are undone the host is clean again.
func TestAPreflightFindsWhatIsDoneToAHost(t *testing.T) {
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=\nREFERENCE_BUS_URL=http://127.0.0.1:8000\n")
		}})
		s.everythingUp(0)

		// The orchestrator had to be up before the bus, and has given up
		// registering there.
		status, all := s.preflight()
		if status != 2 || !has(all, "BUS-UNREGISTERED", orchestrator) {
			t.Fatalf("status %d: %+v", status, all)
		}
		s.paste(all, "BUS-UNREGISTERED")
		s.everythingUp(0)
		if status, all = s.preflight(); status != 0 {
			t.Fatalf("a clean host: status %d: %+v", status, all)
		}
	})
}
