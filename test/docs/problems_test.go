// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/catalogue"
	"justnews/internal/diag"
)

var update = flag.Bool("update", false, "rewrite man/justnews-problems.7")

const problemsHead = `.\" SPDX-License-Identifier: Apache-2.0
.\" Made from the catalogue of problems, internal/diag/catalogue.toml: make generate
.Dd November 27, 2026
.Dt JUSTNEWS-PROBLEMS 7
.Os
.Sh NAME
.Nm justnews-problems
.Nd problems that keep a JustNews service from starting, and their fixes
.Sh DESCRIPTION
Every problem that
.Xr justnews-gate 8
or
.Xr justnews-generator 8
reports has one of these codes.
A code, its exit status and its
.Li MESSAGE_ID
in the journal never change.
.Li justnews-gate explain CODE
prints the same text.
A problem with exit status 0 is only ever a warning or a notice.
.Bl -tag -width indent
`

const problemsTail = `.El
.Sh SEE ALSO
.Xr journalctl 1 ,
.Xr justnews.toml 5 ,
.Xr justnews-systemd 7 ,
.Xr justnews-gate 8 ,
.Xr justnews-generator 8
`

func TestProblemsPage_MatchesTheCatalogue(t *testing.T) {
	var b strings.Builder
	b.WriteString(problemsHead)
	for _, e := range catalogue.Entries() {
		fmt.Fprintf(&b, ".It Sy %s\n%s.\nExit status %d.\n.Pp\n%s\n.Pp\nLook:\n.Bd -literal -compact -offset indent\n%s\n.Ed\n.Pp\nFix:\n%s\n.Pp\n.Li MESSAGE_ID=%s\n",
			e.Code, sentence(e.Title), e.Status, roff(e.Cause), literal(e.Check), fixText(e.Fix), e.MessageID)
	}
	b.WriteString(problemsTail)
	name := "man/justnews-problems.7"
	if *update {
		if err := os.WriteFile(filepath.Join(repository, name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(b.String(), read(t, name)); diff != "" {
		t.Errorf("make generate\n%s", diff)
	}
}

// fixText returns the advice, and each command on a line that can be pasted.
func fixText(f diag.Fix) string {
	var parts []string
	if f.Advice != "" {
		parts = append(parts, strings.ReplaceAll(roff(f.Advice), "-", `\-`))
	}
	if len(f.Commands) > 0 {
		parts = append(parts, ".Bd -literal -compact -offset indent\n"+literal(f.Commands)+"\n.Ed")
	}
	return strings.Join(parts, "\n")
}

func literal(commands []diag.Command) string {
	return strings.ReplaceAll(strings.Join(diag.Lines(commands), "\n"), `\`, `\e`)
}

func sentence(s string) string { return roff(strings.ToUpper(s[:1]) + s[1:]) }

// roff makes text no line of which is a request or longer than 80 bytes, with
// each sentence on a line of its own.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	var lines []string
	for sentence := range strings.SplitSeq(strings.ReplaceAll(s, ". ", ".\n"), "\n") {
		line := ""
		for word := range strings.FieldsSeq(sentence) {
			if line != "" && len(line)+1+len(word) > 72 {
				lines = append(lines, line)
				line = ""
			}
			if line == "" {
				line = word
			} else {
				line += " " + word
			}
		}
		lines = append(lines, line)
	}
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
