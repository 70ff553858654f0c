// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// source is catalogue.toml; its head says what the keys mean.
type source struct {
	Areas    []string `toml:"areas"`
	Problems []struct {
		Code      string    `toml:"code"`
		Name      string    `toml:"name"`
		Area      string    `toml:"area"`
		Status    string    `toml:"status"`
		MessageID string    `toml:"message_id"`
		Title     string    `toml:"title"`
		Cause     string    `toml:"cause"`
		Check     []Command `toml:"check"`
		Fix
	} `toml:"problem"`
}

func readSource(t *testing.T) source {
	t.Helper()
	text, err := os.ReadFile("catalogue.toml") // not Texts, which is as old as this test's binary
	if err != nil {
		t.Fatal(err)
	}
	var s source
	meta, err := toml.Decode(string(text), &s)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		t.Errorf("unknown keys: %v", unknown)
	}
	for i := range s.Problems {
		if p := &s.Problems[i]; p.Name == "" {
			p.Name = constant(p.Code)
		}
	}
	return s
}

// initialisms are in capitals in Go names.
var initialisms = []string{"GPU", "MIG", "MPS", "URL", "UVM"}

// constant returns the Go name of a code or of a status: mixed case.
func constant(code string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(strings.ToUpper(code), "-") {
		if word != "" && !slices.Contains(initialisms, word) {
			word = word[:1] + strings.ToLower(word[1:])
		}
		name.WriteString(word)
	}
	return name.String()
}

// The table is made of constants alone, so that the linker lays it out and no program
// builds it when it starts.
func TestCatalogue_GoIsGenerated(t *testing.T) {
	const file = "catalogue_gen.go"
	var b bytes.Buffer
	b.WriteString("// Code generated from catalogue.toml by make generate; DO NOT EDIT.\n\n// SPDX-License-Identifier: Apache-2.0\n\npackage diag\n\n")
	b.WriteString("// The codes of all problems.\nconst (\n")
	problems := readSource(t).Problems
	for _, p := range problems {
		fmt.Fprintf(&b, "%s Code = %q // %s\n", p.Name, p.Code, p.Title)
	}
	b.WriteString(")\n\nvar kinds = []kind{\n")
	for _, p := range problems {
		fmt.Fprintf(&b, "{%s, %q, Status%s, %q},\n", p.Name, p.Area, constant(p.Status), p.MessageID)
	}
	b.WriteString("}\n")
	want, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from catalogue.toml: make generate", file)
	}
}

func TestCatalogue_EntriesAreComplete(t *testing.T) {
	codeForm, nameForm, idForm := regexp.MustCompile(`^[A-Z]+(-[A-Z]+)*$`), regexp.MustCompile(`^[A-Z][A-Za-z]*$`), regexp.MustCompile(`^[0-9a-f]{32}$`)
	s := readSource(t)
	seen := map[string]string{} // code, name or MESSAGE_ID -> the problem that has it
	for _, p := range s.Problems {
		for _, rule := range []struct {
			ok   bool
			want string
		}{
			{codeForm.MatchString(p.Code), "code: words in capitals, joined by -"},
			{nameForm.MatchString(p.Name), "name: a Go identifier that is exported"},
			{slices.Contains(s.Areas, p.Area), "area: one of " + strings.Join(s.Areas, ", ")},
			{p.Status != "", "status: the name of an exit status"},
			{idForm.MatchString(p.MessageID), "message_id: 32 hexadecimal digits, of systemd-id128 new"},
			{p.Title != "", "title: is missing"},
			{p.Cause != "", "cause: is missing"},
			{len(p.Check) > 0, "check: is missing"},
			{p.Advice != "" || len(p.Commands) > 0, "advice or commands: one of them is needed"},
			{!slices.ContainsFunc(slices.Concat(p.Check, p.Look, p.Commands), func(c Command) bool { return len(c) == 0 }), "a command without a program"},
		} {
			if !rule.ok {
				t.Errorf("%s: %s", p.Code, rule.want)
			}
		}
		for _, key := range []string{"code " + p.Code, "name " + p.Name, "message_id " + p.MessageID} {
			if other, taken := seen[key]; taken {
				t.Errorf("%s: %s is also that of %s", p.Code, key, other)
			}
			seen[key] = p.Code
		}
	}
}

// The texts of the catalogue are printed as they are.
func TestCatalogue_HasNoTerminalControls(t *testing.T) {
	for _, p := range readSource(t).Problems {
		for _, text := range []string{p.Title, p.Cause, p.Advice} {
			if text != Clean(text) {
				t.Errorf("%s: %q", p.Code, text)
			}
		}
	}
}

// programs are those that a fix may run or look with.
var programs = []string{
	"systemctl", "journalctl", "justnews-gate", "systemd-tmpfiles", "systemd-sysusers", "chmod", "chown", "rm", "sudo", "visudo",
	"usermod", "loginctl", "pkill", "nvidia-smi", "nvidia-modprobe", "modprobe", "ldconfig", "mount", "sysctl", "ln", "sh",
}

// checkFix checks the rules for every fix.
func checkFix(t *testing.T, where string, f Fix) {
	t.Helper()
	if strings.ContainsAny(f.Advice, ";`$|") || strings.Contains(f.Advice, "&&") || strings.Contains(f.Advice, "then: ") || strings.Contains(f.Advice, "systemctl ") {
		t.Errorf("%s: a command in the words: %s", where, f.Advice)
	}
	reset := map[string]bool{}
	for _, c := range f.Commands {
		if len(c) == 0 || !slices.Contains(programs, c[0]) {
			t.Errorf("%s: unknown program: %q", where, c)
			continue
		}
		unit := c[len(c)-1]
		switch {
		case c[0] == "systemctl" && c[1] == "reset-failed":
			reset[unit] = true
		case c[0] == "systemctl" && c[1] == "restart" && !reset[unit]:
			t.Errorf("%s: a tripped start limit refuses this fix: %s", where, f)
		}
	}
}

func TestCatalogue_FixesAreAdviceAndArguments(t *testing.T) {
	for _, p := range readSource(t).Problems {
		checkFix(t, p.Code, p.Fix)
	}
}
