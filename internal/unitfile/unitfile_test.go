// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// hostile are strings that have a meaning to systemd somewhere.
var hostile = []string{
	"plain", "", " ", "a b", " leading", "trailing ", "trailing\\", "\\", "\\\\", `\n`, `\x41`, "\t", "\n", "\r", "\x01", "\x7f",
	"%", "%%", "%i", "50%d", "100% sure", "%n%i", "$", "$$", "$HOME", "${HOME}", "$$HOME", "a$b", `"`, `'`, `"quoted"`, `it's`,
	`"; ExecStartPre=`, "x\nExecStartPre=/bin/true", "x\n[Service]\nExecStart=/bin/true", "x\r\nUser=root", ";", "\\;", " ; ", "a;b",
	"#", "# comment", "[Service]", "Key=Value", "=", "-", "-x", "--", "@x", ":x", "+x", "!x", "!!x", "|x", "~", "*", "?", "[a-z]",
	">", "|", "&", "`id`", "$(id)", "ünï", "日本", "\u2028", "\u202e", "\ufeff", "a\\\nb", "C:\\dir", "{instance}", "A=1 B=2",
	strings.Repeat("x", 3000), strings.Repeat("%", 1000),
}

func render(t *testing.T, lines ...Line) string {
	t.Helper()
	f := File{Sections: []Section{{"Service", lines}}}
	text, err := f.Append(nil)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	if err := f.Verify(text); err != nil {
		t.Fatalf("Verify refuses what Append wrote: %v\n%s", err, text)
	}
	return string(text)
}

func TestUnitFile_SystemdReadsEveryForm(t *testing.T) {
	for _, c := range []struct {
		line Line
		want string
	}{
		{Reset("ExecStart"), "ExecStart="},
		{Verbatim("ExecStartPre", "/usr/bin/justnews-gate --gate-only %i"), "ExecStartPre=/usr/bin/justnews-gate --gate-only %i"},
		{Plain("TimeoutStartSec", "240s"), "TimeoutStartSec=240s"},
		{Size("MemoryMax", "50%"), "MemoryMax=50%"},
		{Size("MemoryMax", "1.5G"), "MemoryMax=1.5G"},
		{Unit("After", "justnews@mcp_bus.service"), "After=justnews@mcp_bus.service"},
		{Path("WorkingDirectory", `/a b/%i/"q"`), `WorkingDirectory=/a b/%%i/"q"`},
		{Path("WorkingDirectory", "/a "), "WorkingDirectory=/a /"},
		{Path("WorkingDirectory", `/a\`), `WorkingDirectory=/a\/`},
		{ListedPath("ReadOnlyPaths", `/a b/%i/"q"\`, true), `ReadOnlyPaths="-/a b/%%i/\"q\"\\"`},
		{ListedPath("ReadOnlyPaths", "/a", false), `ReadOnlyPaths="/a"`},
		{Assignment("A", "50% $X \"q\"\n\x01"), `Environment="A=50%% $X \"q\"\n\x01"`},
		{CommandLine("ExecStart", []string{"/bin/x y", "$A", "%i", ";", "", "-q"}), `ExecStart="/bin/x y" "$$A" "%%i" ";" "" "-q"`},
	} {
		if got := render(t, c.line); got != "[Service]\n"+c.want+"\n" {
			t.Errorf("got %s want %s", got, c.want)
		}
	}
}

func TestUnitFile_RefusesWhatSystemdWouldMisread(t *testing.T) {
	for _, c := range []struct {
		name   string
		line   Line
		offset int
	}{
		{"NUL in a value", Assignment("A", "a\x00"), 1},
		{"invalid UTF-8 in a value", Assignment("A", "\n\xff"), 1},
		{"a non-character, which systemd takes for invalid", Assignment("A", "x\ufffe"), 1},
		{"a space in a variable's name", Assignment("A B", ""), 1},
		{"a digit at the start of a variable's name", Assignment("1A", ""), 0},
		{"an empty variable's name", Assignment("", "x"), 0},
		{"NUL in an argument", CommandLine("ExecStart", []string{"/x", "\x00"}), 0},
		{"a prefix before the command", CommandLine("ExecStart", []string{"-/x"}), 0},
		{"a privileged command", CommandLine("ExecStart", []string{"+/x"}), 0},
		{"a relative command", CommandLine("ExecStart", []string{"x"}), 0},
		{"a directory as a command", CommandLine("ExecStart", []string{"/x/"}), 2},
		{"a quote in a command", CommandLine("ExecStart", []string{`/x"`}), 2},
		{"a variable in a command", CommandLine("ExecStart", []string{"/$X"}), 1},
		{"a step up in a command", CommandLine("ExecStart", []string{"/a/../x"}), 3},
		{"no command", CommandLine("ExecStart", nil), 0},
		{"a relative path", Path("WorkingDirectory", "a"), 0},
		{"home as a path", Path("WorkingDirectory", "~"), 0},
		{"a line break in a path", Path("WorkingDirectory", "/a\nUser=root"), 2},
		{"a tab in a listed path", ListedPath("ReadOnlyPaths", "/a\tb", true), 2},
		{"a file name longer than a file system allows", Path("WorkingDirectory", "/"+strings.Repeat("x", 256)), 256},
		{"a specifier as a plain word", Plain("User", "%i"), 0},
		{"an empty plain word", Plain("User", ""), 0},
		{"two plain words", Plain("User", "a b"), 1},
		{"a size with an unknown unit", Size("MemoryMax", "4X"), 1},
		{"an empty size", Size("MemoryMax", ""), 0},
		{"two units", Unit("After", "a.service b.service"), 9},
		{"a unit without a type", Unit("After", "a"), 0},
		{"a unit with a specifier", Unit("After", "justnews@%i.service"), 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := File{Sections: []Section{{"Service", []Line{c.line}}}}
			_, err := f.Append(nil)
			refusal, ok := errors.AsType[*Refusal](err)
			if !ok || refusal.Offset != c.offset {
				t.Errorf("got error %v, want a refusal at byte %d", err, c.offset)
			}
		})
	}
}

func TestUnitFile_RefusesOverlongLines(t *testing.T) {
	f := File{Sections: []Section{{"Service", []Line{Assignment("A", strings.Repeat("x", 1<<20))}}}}
	if _, err := f.Append(nil); !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
	longest := maxLine - len("Description=\n")
	for n, want := range map[int]error{longest: nil, longest + 1: errTooLong} {
		f := File{Sections: []Section{{"Unit", []Line{Plain("Description", strings.Repeat("x", n))}}}}
		text, err := f.Append(nil)
		if !errors.Is(err, want) || err == nil && f.Verify(text) != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// A configuration may contain what can be written to a unit file.
func TestCheck_AcceptsWhatCanBeWritten(t *testing.T) {
	for name, c := range map[string]struct {
		check     func(string) error
		good, bad string
		offset    int
	}{
		"text":    {CheckText, "100%\n", "a\x00", 1},
		"path":    {CheckPath, "/a b/", "/a/..", 3},
		"command": {CheckCommand, "/a b", "/a$", 2},
		"unit":    {CheckUnit, "a.service", "a b.service", 1},
	} {
		if err := c.check(c.good); err != nil {
			t.Errorf("%s: %q: %v", name, c.good, err)
		}
		if r, ok := errors.AsType[*Refusal](c.check(c.bad)); !ok || r.Offset != c.offset {
			t.Errorf("%s: %q: %v", name, c.bad, r)
		}
	}
}

func TestUnitFile_ZeroLineIsRefused(t *testing.T) {
	f := File{Sections: []Section{{"Service", []Line{{}}}}}
	if _, err := f.Append(nil); err == nil {
		t.Error("a line without a form was written")
	}
}

func TestUnitFile_CommentCannotBecomeASetting(t *testing.T) {
	f := File{Comment: []string{"x\nExecStart=/bin/true"}}
	if _, err := f.Append(nil); err == nil {
		t.Error("a comment with a line break was written")
	}
}

func TestVerify_FindsEveryChange(t *testing.T) {
	f := File{Sections: []Section{
		{"Unit", []Line{Unit("After", "a.service")}},
		{"Service", []Line{
			Plain("User", "justnews"), Path("WorkingDirectory", "/w"), ListedPath("ReadOnlyPaths", "/r", true),
			Assignment("A", "1"), CommandLine("ExecStart", []string{"/bin/x", "a"}), Reset("ExecStop"),
		}},
	}}
	text, err := f.Append(nil)
	if err != nil || f.Verify(text) != nil {
		t.Fatalf("%v, %v", err, f.Verify(text))
	}
	for _, c := range []struct{ name, from, to string }{
		{"another section", "[Service]", "[Install]"},
		{"a section cut open", "[Service]", "[Service"},
		{"another key", "User=", "Group="},
		{"another value", "User=justnews", "User=root"},
		{"a line less", "User=justnews\n", ""},
		{"a line more", "ExecStop=\n", "ExecStop=\nExecStopPost=/bin/true\n"},
		{"a reset that sets", "ExecStop=", "ExecStop=/bin/true"},
		{"a specifier in a path", "=/w", "=/w%i"},
		{"another path", "=/w", "=/v"},
		{"another argument", `"a"`, `"b"`},
		{"an argument more", `"a"`, `"a" "a"`},
		{"an end that is continued", "ExecStop=\n", "ExecStop=\\"},
		{"no dash", `"-/r"`, `"/r"`},
		{"a plus", `"-/r"`, `"-+/r"`},
		{"two paths", `"-/r"`, `"-/r" "/s"`},
		{"a specifier in a variable", `"A=1"`, `"A=1%n"`},
		{"two variables", `"A=1"`, `"A=1" "B=2"`},
		{"an unterminated quote", `"A=1"`, `"A=1`},
		{"an unknown escape", `"A=1"`, `"A=1\q"`},
		{"a prefix", `"/bin/x"`, `"-/bin/x"`},
		{"a variable", `"a"`, `"$a"`},
		{"a second command", `"a"`, `"a" ; "/bin/y"`},
		{"a second command at the end", `"a"`, `"a" ;`},
		{"a continued line", `"a"`, `"a" \`},
		{"a byte that is not UTF-8", `"a"`, "\"a\xff\""},
		{"no equals sign", "ExecStop=", "ExecStop"},
	} {
		changed := bytes.Replace(text, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(changed, text) {
			t.Fatalf("%s: %q is not in the text", c.name, c.from)
		}
		if f.Verify(changed) == nil {
			t.Errorf("%s: not found in\n%s", c.name, changed)
		}
	}
}

func TestQuote_CommandLineDoublesDollarSigns(t *testing.T) {
	for _, s := range hostile {
		q, err := appendQuoted(nil, s, false)
		x, err2 := appendQuoted(nil, s, true)
		if err != nil || err2 != nil {
			t.Fatalf("%q: %v %v", s, err, err2)
		}
		if strings.ReplaceAll(string(q), "$", "$$") != string(x) {
			t.Errorf("%q: %s and %s", s, q, x)
		}
	}
}
