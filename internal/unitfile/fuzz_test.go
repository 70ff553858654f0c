// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"strconv"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
)

// FuzzEveryLineReadsBackAsItWasMeant asks two readers that we did not write:
// go-systemd's for the lines, strconv for the quotes (Go's escapes of ASCII are
// systemd's).
func FuzzEveryLineReadsBackAsItWasMeant(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, hostile[(i*7+3)%len(hostile)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		lines := []Line{
			Assignment("V", a), CommandLine("ExecStart", []string{"/bin/x", a, b}), CommandLine("ExecStop", []string{a, b}),
			Path("WorkingDirectory", "/"+a), ListedPath("ReadOnlyPaths", "/"+a, true), ListedPath("BindPaths", b, false),
			Plain("User", a), Unit("After", a), Size("MemoryMax", a), Assignment(a, b), Reset("ExecReload"),
		}
		var written []Line
		for _, l := range lines {
			one := File{Sections: []Section{{"Service", []Line{l}}}}
			if _, err := one.Append(nil); err == nil {
				written = append(written, l)
			}
		}
		whole := File{Comment: []string{"comment"}, Sections: []Section{{"Service", written}}}
		text, err := whole.Append(nil)
		if err != nil {
			t.Fatalf("refused together, not apart: %v", err)
		}
		if err := whole.Verify(text); err != nil {
			t.Fatalf("our own reader: %v\n%s", err, text)
		}
		if strings.Count(string(text), "\n") != len(written)+3 {
			t.Fatalf("a value added a line:\n%s", text)
		}
		if longest(string(text)) < 2000 { // go-systemd refuses lines over 2048 bytes
			judge(t, string(text), written)
		}
	})
}

func longest(text string) int {
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n = max(n, len(line))
	}
	return n
}

func judge(t *testing.T, text string, want []Line) {
	t.Helper()
	got, err := unit.DeserializeOptions(strings.NewReader(text))
	if err != nil {
		t.Fatalf("go-systemd cannot read: %v\n%s", err, text)
	}
	if len(got) != len(want) {
		t.Fatalf("go-systemd reads %d settings, %d were meant:\n%s", len(got), len(want), text)
	}
	for i, l := range want {
		if got[i].Section != "Service" || got[i].Name != l.key {
			t.Fatalf("setting %d is [%s] %s=, want %s=", i, got[i].Section, got[i].Name, l.key)
		}
		judgeValue(t, got[i].Value, l)
	}
}

func judgeValue(t *testing.T, value string, l Line) {
	t.Helper()
	switch l.form {
	case formAssignment:
		sameWords(t, value, l.Args(), false)
	case formCommandLine:
		sameWords(t, value, l.Args(), true)
	case formListedPath:
		sameWords(t, value, l.Args(), false)
	case formPath:
		path := single(t, value, "%")
		if path != l.value && path != l.value+"/" {
			t.Fatalf("path %q reads %q", l.value, path)
		}
	case formPlain, formSize, formUnit:
		if value != l.value || strings.ContainsAny(value, " \t\"'\\$;#") && l.form != formUnit {
			t.Fatalf("%q reads %q", l.value, value)
		}
	}
}

// sameWords unquotes a value made of double-quoted words, by strconv.
func sameWords(t *testing.T, value string, want []string, exec bool) {
	t.Helper()
	var got []string
	for rest := value; rest != ""; {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			t.Fatalf("strconv cannot read %q: %v", rest, err)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(err)
		}
		word = single(t, word, "%")
		if exec && len(got) > 0 {
			word = single(t, word, "$")
		}
		got, rest = append(got, word), strings.TrimPrefix(rest[len(quoted):], " ")
	}
	if strings.Join(got, "\x00") != strings.Join(want, "\x00") || len(got) != len(want) {
		t.Fatalf("%q were meant, %q are read", want, got)
	}
}

// single halves every sequence of sign, which must have an even length.
func single(t *testing.T, s, sign string) string {
	t.Helper()
	if strings.Contains(strings.ReplaceAll(s, sign+sign, ""), sign) {
		t.Fatalf("a single %s in %q", sign, s)
	}
	return strings.ReplaceAll(s, sign+sign, sign)
}
