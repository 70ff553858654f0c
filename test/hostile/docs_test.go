// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/test/reference"
)

var page = filepath.Join("..", "..", "docs", "hostile.md")

const intro = `# The gate and misbehaving servers

This page is written by a test (%[1]s), which compares every row with the
real program over real sockets. The server is the reference orchestrator with 16
models, or the reference MCP bus, made to misbehave in one way at a time; the gate is
%[2]s.

A gate opens only after three consecutive looks, two of them over separate connections,
that satisfy every condition and agree. If the gate opens, the row says why that is
correct. In every row the run also ends within the time bound, sends at most %[3]d
requests plus %[4]d per second, uses at most %[5]d MiB of resident memory, and writes no
control characters to either output. The number of POSTs is exact.

| | |
|---|---:|
| ways in which the reference server can misbehave, each with a row | %[6]d |
| rows, each an execution of the real program | %[7]d |
| rows in which the gate opens | %[8]d |
| sequences of states, in virtual time | %[9]d |
| random sequences (seeded), in virtual time | %[10]d |

| behaviour | what the server does, and why a gate opens | verdict | exit status | code | POSTs | time bound |
|---|---|---|---:|---|---:|---:|
`

const kindIntro = `
## Other model servers

The same for the other values of orchestrator.kind: %d executions of the real program
against the answers of llama.cpp's server, and those documented for Ollama, vLLM, Triton
and OpenAI's API. One model is expected, with a canary; "device = gpu" is models.device. No
row opens if the model is not listed as loaded, does not answer, or is not where it has to
be.

| kind | what the server does | verdict | exit status | code |
|---|---|---|---:|---|
`

func render() []byte {
	list, opening := rows(), 0
	for _, r := range list {
		if r.status == diag.StatusReady {
			opening++
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, intro, "`go test ./test/hostile -run Page -update`", "`justnews-gate gate scout --json`",
		burst, perSecond, memoryKiB>>10, len(reference.Behaviours()), len(list), opening, len(sequences), randomSequences)
	for _, r := range list {
		fmt.Fprintln(&b, r.line())
	}
	kinds := kindRows()
	fmt.Fprintf(&b, kindIntro, len(kinds))
	for _, r := range kinds {
		fmt.Fprintln(&b, r.line())
	}
	return b.Bytes()
}

// line is the row as the page has it.
func (r row) line() string {
	known := reference.Behaviours()
	i := slices.IndexFunc(known, func(b reference.Behaviour) bool { return b.Name == r.behaviour() })
	does, verdict, code := "", "refuses", string(r.code)
	if i >= 0 {
		does = known[i].Doc
	}
	if r.why != "" {
		does += ". " + strings.ToUpper(r.why[:1]) + r.why[1:]
	}
	if r.status == diag.StatusReady {
		verdict = "**opens**"
	}
	if code == "" {
		code = "-"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %d | %s | %d | %g s |",
		strings.ReplaceAll(r.name(), "|", `\|`), strings.ReplaceAll(does, "|", `\|`), verdict, r.status, code, r.posts, r.bound().Seconds())
}

func TestTable_PageMatchesItsRows(t *testing.T) {
	want := render()
	if *update {
		if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/hostile.md is out of date; run: go test ./test/hostile -run Page -update")
	}
}
