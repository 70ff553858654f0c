// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "add new codes to testdata/stable.txt")

// Scripts, alerts and journal filters depend on codes, exit statuses and MESSAGE_IDs: those
// that were released are neither changed nor removed.
func TestCodes_ExitStatusesAndMessageIDsAreStable(t *testing.T) {
	const file = "testdata/stable.txt"
	released, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	now := map[string]string{}
	for _, code := range Codes() {
		now[string(code)] = fmt.Sprintf("%s %d %s\n", code, code.Status(), code.MessageID())
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(released)) {
		code, _, _ := strings.Cut(line, " ")
		known[code] = true
		if now[code] != line {
			t.Errorf("%q has become %q", line, now[code])
		}
	}
	text := string(released)
	for _, code := range Codes() {
		if !known[string(code)] {
			text += now[string(code)]
		}
	}
	if *update {
		err = os.WriteFile(file, []byte(text), 0o600)
	} else if text != string(released) {
		t.Error("a new code: go test ./internal/diag -run Stable -update")
	}
	if err != nil {
		t.Fatal(err)
	}
}
