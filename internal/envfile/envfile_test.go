// SPDX-License-Identifier: Apache-2.0

package envfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// recorded are answers of systemd 252's load_env_file(), taken by calling it in
// libsystemd-shared. FuzzParse asks it again where it is installed.
var recorded = []struct {
	text string
	want Vars
}{
	{"", Vars{}},
	{"A=1", Vars{"A": "1"}},
	{"A=1\nA=2\n", Vars{"A": "2"}},
	{"A=\n", Vars{"A": ""}},
	{"A", Vars{}},
	{"A\nB=1\n", Vars{"B": "1"}},
	{" A = x y \t\n", Vars{"A": "x y"}},
	{"A=1\r\nB=2\r", Vars{"A": "1", "B": "2"}},
	{"# A=1\n;B=2\nC=3 # D\n", Vars{"C": "3 # D"}},
	{"A='x y'\nB=\"x y\"\nC='it''s'\n", Vars{"A": "x y", "B": "x y", "C": "its"}},
	{"A=\"30\" \"0\"\n", Vars{"A": "300"}},
	{"A='x '", Vars{"A": "x "}},
	{"A=x ", Vars{"A": "x"}},
	{"A=\\\n \n", Vars{"A": ""}},
	{"A=\\\n  \n", Vars{"A": ""}},
	{"A='x' y\n", Vars{"A": "xy"}},
	{"A='x  \n", Vars{"A": "x  \n"}},
	{"A='x\ny'\n", Vars{"A": "x\ny"}},
	{"A=x'y'\n", Vars{"A": "x'y'"}},
	{"A=\"a\\nb\\$c\\\"\\\\\\`\\\nd\"\n", Vars{"A": "a\\nb$c\"\\`d"}},
	{"A='a\\'b\n", Vars{"A": "a\\b"}},
	{"A=a\\\n b\n", Vars{"A": "a b"}},
	{"A=a\\ \n", Vars{"A": "a "}},
	{"A=x \\ \n", Vars{"A": "x  "}},
	{"A==3\n", Vars{"A": "=3"}},
	{"export A=4\n", Vars{"export A": "4"}},
	{"1A=3\nA B=4\n", Vars{"1A": "3", "A B": "4"}},
	{"GATE_TIMEOUT=300s\nX=${GATE_TIMEOUT}\n", Vars{"GATE_TIMEOUT": "300s", "X": "${GATE_TIMEOUT}"}},
	{"A=\\", Vars{"A": ""}},
	{"A=\"x\\", Vars{"A": "x"}},
	{"Ü=ü\n", Vars{"Ü": "ü"}},
}

func TestEnvFile_ReadsAsSystemdDoes(t *testing.T) {
	for _, c := range recorded {
		got, err := parse(c.text)
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

func TestEnvFile_VariableAfterACommentEndingInABackslash(t *testing.T) {
	got, err := parse("# note \\\nGATE_TIMEOUT=300\n")
	if err != nil || got["GATE_TIMEOUT"] != "300" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestEnvFile_FileThatSystemdRejectsIsAnError(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{{"A=1\nB=\xff\n", ErrNotUTF8}, {"A=\ufffe\n", ErrNotUTF8}, {"A=1\x00", ErrNUL}, {"\x00A=1", ErrNUL}, {"A=\ufdd0", ErrNotUTF8}, {"A=\ufdef", ErrNotUTF8}} {
		if got, err := parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%q: got %q, %v", c.text, got, err)
		}
	}
}

func TestDetails_HaveTheLineOfEachAssignment(t *testing.T) {
	d, err := Details("A=1\n\nB='x\ny'\nbare\nC=3\nD=\"open\n")
	if err != nil || d.Open != 7 || !slices.Equal(d.Bare, []int{5}) {
		t.Errorf("%+v, %v", d, err)
	}
	want := []Assignment{{"A", "1", 1}, {"B", "x\ny", 3}, {"C", "3", 6}, {"D", "open\n", 7}}
	if !slices.Equal(d.Assignments, want) {
		t.Errorf("%+v", d.Assignments)
	}
}

func TestBoolean_IsReadAsJustNewsDoes(t *testing.T) {
	for value, want := range map[string][2]bool{
		"1": {true, true}, "TRUE": {true, true}, "yes": {true, true}, "On": {true, true},
		"0": {false, true}, "false": {false, true}, "NO": {false, true}, "off": {false, true}, "": {}, "2": {}, "y": {},
	} {
		if on, known := Boolean(value); on != want[0] || known != want[1] {
			t.Errorf("%q: %t %t", value, on, known)
		}
	}
}

func TestEnvFile_OnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	fifo, large, good := filepath.Join(dir, "fifo"), filepath.Join(dir, "large"), filepath.Join(dir, "good")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{large: strings.Repeat("#", maxSize+1), good: "A=1\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{fifo: ErrNotRegular, dir: ErrNotRegular, large: ErrTooLarge, filepath.Join(dir, "none"): os.ErrNotExist} {
		if _, err := Read(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if vars, err := Read(good); err != nil || vars["A"] != "1" {
		t.Errorf("%v, %v", vars, err)
	}
}

// FuzzParse asks systemd itself, through the script in testdata.
func FuzzParse(f *testing.F) {
	for _, c := range recorded {
		f.Add(c.text)
	}
	ask := judge(f)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parse(text)
		if strings.ContainsAny(text, "#;") {
			return // 252 and later disagree on comments
		}
		for name := range got {
			if strings.HasPrefix(name, "=") {
				return // cannot be told from its value in the answer
			}
		}
		want, readable := ask(t, text)
		if readable != (err == nil) || err == nil && !maps.Equal(got, want) {
			t.Errorf("%q: got %q, %v; systemd %q, %v", text, got, err, want, readable)
		}
	})
}

// judge starts the script, which answers one file after the other.
func judge(f *testing.F) func(*testing.T, string) (Vars, bool) {
	f.Helper()
	libraries, _ := filepath.Glob("/usr/lib/*/systemd/libsystemd-shared-*.so")
	python, err := exec.LookPath("python3")
	if err != nil || len(libraries) == 0 {
		f.Skip("python3 or libsystemd-shared is not installed")
	}
	cmd := exec.Command(python, "testdata/load_env_file.py", libraries[0])
	in, err := cmd.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.Skipf("cannot ask libsystemd-shared: %v", err)
	}
	f.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	out := bufio.NewReader(pipe)
	return func(t *testing.T, text string) (Vars, bool) {
		t.Helper()
		fmt.Fprintf(in, "%d\n%s", len(text), text)
		var length int
		if _, err := fmt.Fscanf(out, "%d\n", &length); err != nil {
			t.Skipf("cannot ask libsystemd-shared: %v", err)
		}
		answer := make([]byte, length)
		if _, err := io.ReadFull(out, answer); err != nil {
			t.Fatal(err)
		}
		return assignments(string(answer))
	}
}

func assignments(answer string) (Vars, bool) {
	list, readable := strings.CutPrefix(answer, "ok\x00")
	vars := Vars{}
	for assignment := range strings.SplitSeq(list, "\x00") {
		if name, value, found := strings.Cut(assignment, "="); found {
			vars[name] = value
		}
	}
	return vars, readable
}
