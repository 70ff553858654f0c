// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"justnews/internal/catalogue"
	"justnews/internal/diag"
)

func TestExplain_EveryCodeIsExplained(t *testing.T) {
	for _, e := range catalogue.Entries() {
		var out, errs bytes.Buffer
		m := Machine{Stdout: &out, Stderr: &errs, Lookup: func(string) (string, bool) { return "", false }}
		if status := Run(t.Context(), m, []string{"explain", string(e.Code)}); status != diag.StatusReady || errs.Len() > 0 {
			t.Errorf("%s: status %d, %s", e.Code, status, errs.String())
		}
		for _, part := range []string{
			string(e.Code) + ": " + e.Title + "\n", "\ncheck   run\n            " + e.Check[0].String() + "\n", "\nfix     " + e.Fix.Advice,
			fmt.Sprintf("\nstatus  %d, ", e.Status),
		} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%s has no %q:\n%s", e.Code, part, out.String())
			}
		}
		if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, strings.Join(strings.Fields(e.Cause), " ")) {
			t.Errorf("%s: the cause is not whole:\n%s", e.Code, out.String())
		}
	}
}
