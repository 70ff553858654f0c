// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/test/bed"
)

var update = flag.Bool("update", false, "write docs/screens.md and docs/security.md anew")

const screensHead = `# Screens

What the program prints on a host with 17 instances and a booted systemd. The test
that writes this page also compares it with the program:
` + "`go test ./test/booted -run Screens -update`" + `. Times, sizes and process counts are
those of that run, and are not compared.
`

// The documentation shows the program's output, on a host that is up and on one that lacks
// a model.
func TestScreens_InTheDocsAreUpToDate(t *testing.T) {
	t.Parallel()
	s := boot(t, bed.Suites()[0], host{})
	s.everythingUp(0)
	var page strings.Builder
	page.WriteString(screensHead)
	show := func(title, command string) {
		r := s.Sh("export HOME=/root; " + command + " 2>&1")
		fmt.Fprintf(&page, "\n## %s\n\n```\n# %s\n%s```\n\nExit status %d.\n", title, command, r.Stdout, r.Code)
	}
	show("At a glance", "justnews-gate status")
	show("Can this instance start now?", "justnews-gate gate scout --timeout 5")
	show("The full validation of a host that is up", "justnews-gate preflight")
	s.Must("mv", snapshot("chief_editor", models["chief_editor"][0]), "/root/away")
	show("A model is missing", "justnews-gate preload --refresh --wait")
	show("The full validation then", "justnews-gate preflight --timeout 10")
	show("What a code means", "justnews-gate explain STORE-SNAPSHOT")
	s.Must("mv", "/root/away", snapshot("chief_editor", models["chief_editor"][0]))
	show("Fixed", "justnews-gate preload --refresh --wait")

	file := filepath.Join("..", "..", "docs", "screens.md")
	if *update {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lasting(string(kept)), lasting(page.String())); diff != "" {
		t.Errorf("read the difference, then: go test ./test/booted -run Screens -update\n%s", diff)
	}
}

// varying matches what differs between runs.
// The machine below the bed may have swap.
var varying = regexp.MustCompile(`FOR +|(\d+ (s|min)( to \d+ (s|min))? +)|\d+(\.\d+)? (ms|s|[KMGT]i?B?)\b|PID \d+|justnews-gate: waiting: .*\n|justnews-gate: notice: SWAP-NONE: .*\n`)

// lasting is a page without these. The lines of a wait come and go.
func lasting(page string) string { return varying.ReplaceAllString(page, "") }
