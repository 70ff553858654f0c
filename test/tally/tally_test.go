// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tested runs go test -json on a package with one file and returns tally's output.
func tested(t *testing.T, source string) (status int, live, sums string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example\ngo 1.26\n", "x_test.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, _ := cmd.CombinedOutput()
	var say, sumText, log strings.Builder
	followed, err := follow(strings.NewReader(string(out)), &say, &log)
	if err != nil {
		t.Fatal(err)
	}
	summed, err := sum(strings.NewReader(log.String()), &sumText)
	if err != nil {
		t.Fatal(err)
	}
	if followed != summed {
		t.Errorf("status %d of the run, %d of its sum", followed, summed)
	}
	return followed, say.String(), sumText.String()
}

const head = "package x\nimport \"testing\"\n"

func TestTally_FailureIsShownAndCounted(t *testing.T) {
	status, live, sums := tested(t, head+`
func TestGood(t *testing.T) {}
func TestBad(t *testing.T) { t.Run("inner", func(t *testing.T) { t.Error("the cause") }) }`)
	if status == 0 || !strings.Contains(live, "the cause") || !strings.Contains(live, "FAIL  example") {
		t.Errorf("status %d, says\n%s", status, live)
	}
	if !strings.Contains(sums, "example TestBad/inner: the cause\n") || !strings.HasSuffix(sums, "\n1 passed, 2 failed, 0 skipped\n") {
		t.Errorf("sum\n%s", sums)
	}
}

func TestTally_SkippedTestIsNamedWithItsReason(t *testing.T) {
	status, live, sums := tested(t, head+`
func TestGood(t *testing.T) { t.Log("chatter") }
func TestRoot(t *testing.T) { t.Skip("needs root: mounts") }`)
	if status != 0 || strings.Contains(live, "chatter") {
		t.Errorf("status %d, says\n%s", status, live)
	}
	if !strings.Contains(sums, "example TestRoot: needs root: mounts\n") || !strings.HasSuffix(sums, "\n1 passed, 0 failed, 1 skipped\n") {
		t.Errorf("sum\n%s", sums)
	}
}

func TestTally_PanicAndAnExitAreFailuresWithTheirCause(t *testing.T) {
	for source, cause := range map[string]string{
		head + `func TestBad(t *testing.T) { panic("the cause") }`:                                      "the cause",
		head + `import "os"` + "\n" + `func TestBad(t *testing.T) { println("the cause"); os.Exit(3) }`: "the cause",
		head + `func TestBad(t *testing.T) { undefined() }`:                                             "undefined: undefined",
		head + `func TestBad(t *testing.T) { t.Errorf("%d", "x") }`:                                     "wrong type",
	} {
		if status, live, sums := tested(t, source); status == 0 || !strings.Contains(live, cause) || !strings.Contains(sums, "== failed") {
			t.Errorf("%s: status %d, says\n%s\nsum\n%s", source, status, live, sums)
		}
	}
}

func TestTally_NoTestsAtAllIsAFailure(t *testing.T) {
	if status, err := follow(strings.NewReader("go: no such command\n"), io.Discard, io.Discard); status == 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestTally_TestThatRunsTwiceIsSkippedForOneReason(t *testing.T) {
	log := `{"Action":"output","Package":"example","Test":"TestRoot","Output":"    x_test.go:4: needs root\n"}
{"Action":"skip","Package":"example","Test":"TestRoot"}
`
	var out strings.Builder
	if _, err := sum(strings.NewReader(log+log), &out); err != nil {
		t.Fatal(err)
	}
	if want := "== skipped\nexample TestRoot: needs root\n\n0 passed, 0 failed, 1 skipped\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTally_TestThatOneRunSkipsAndAnotherRunsIsNotSkipped(t *testing.T) {
	log := `{"Action":"pass","Package":"example","Test":"TestLong"}
{"Action":"skip","Package":"example","Test":"TestLong"}
`
	var out strings.Builder
	if status, err := sum(strings.NewReader(log), &out); err != nil || status != 0 {
		t.Fatal(status, err)
	}
	if want := "== skipped\nnothing\n\n1 passed, 0 failed, 0 skipped\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTally_SlowTestIsNamedAndTheSlowPartsOfAQuickOne(t *testing.T) {
	log := `{"Action":"pass","Package":"x","Test":"TestBeside/one","Elapsed":3}
{"Action":"pass","Package":"x","Test":"TestBeside/one/inner","Elapsed":3}
{"Action":"pass","Package":"x","Test":"TestBeside/two","Elapsed":1}
{"Action":"pass","Package":"x","Test":"TestBeside","Elapsed":0}
{"Action":"pass","Package":"x","Test":"TestOrdered/one","Elapsed":3}
{"Action":"pass","Package":"x","Test":"TestOrdered","Elapsed":4}
`
	var out strings.Builder
	if status, err := follow(strings.NewReader(log), &out, io.Discard); err != nil || status != 0 {
		t.Fatal(status, err)
	}
	want := fmt.Sprintf("  ok  %-60s %6.1f s\n  ok  %-60s %6.1f s\n", "TestBeside/one", 3.0, "TestOrdered", 4.0)
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
