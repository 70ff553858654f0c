// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"testing"

	"justnews/internal/diag"
)

// The texts and the constants are generated from one file and have the same entries.
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
