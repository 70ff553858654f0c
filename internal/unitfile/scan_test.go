// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScan_ContinuesWhereSystemdDoes(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		keys   string
		faults []Fault
	}{
		"a good one":                   {"[Service]\nUser=root\n\n# x\nExecStartPre=\n", "User ExecStartPre", nil},
		"carriage returns":             {"[Service]\r\nUser=root\r\n", "User", nil},
		"no equals sign":               {"[Service]\nhello\nUser=root\n", "User", []Fault{{2, "a line without an equals sign", false}}},
		"before any section":           {"User=root\n[Service]\nGroup=x\n", "Group", []Fault{{1, "a setting before the first section", false}}},
		"a broken header":              {"[Service\nUser=root\n", "", []Fault{{1, "an unterminated section header", true}}},
		"a relative command":           {"[Service]\nExecStartPre=bin/gate\nUser=root\n", "ExecStartPre", []Fault{{2, "ExecStartPre= has a relative path", true}}},
		"a command by name":            {"[Service]\nExecStartPre=-true\nUser=root\n", "ExecStartPre User", nil},
		"no command":                   {"[Unit]\nExecStartPre=bin/gate\n[Service]\nDocumentation=bin/x\n", "ExecStartPre Documentation", nil},
		"an open quote":                {"[Service]\nExecStartPre=/bin/sh -c 'x\nUser=root\n", "ExecStartPre", []Fault{{2, "ExecStartPre= has an unterminated quote", true}}},
		"a continued command":          {"[Service]\nExecStartPre=/bin/sh -c \\\n 'x'\nUser=root\n", "ExecStartPre User", nil},
		"a continued end":              {"[Service]\nUser=root\nGroup=\\", "User Group", nil},
		"a blank after a backslash":    {"[Service]\nUser=root \\ \nGroup=x\n", "User Group", nil},
		"an ignored command":           {"[Service]\nExecStop=-bin/x\nUser=root\n", "ExecStop User", []Fault{{2, "ExecStop= has a relative path", false}}},
		"no program":                   {"[Service]\nExecStop=@+\nUser=root\n", "ExecStop", []Fault{{2, "ExecStop= has no program", true}}},
		"a directory":                  {"[Service]\nExecStop=/bin/\nUser=root\n", "ExecStop", []Fault{{2, "ExecStop= has a directory as its program", true}}},
		"the directory above":          {"[Service]\nExecStop=/bin/..\nUser=root\n", "ExecStop", []Fault{{2, "ExecStop= has a directory as its program", true}}},
		"a tab in a path":              {"[Service]\nExecStop='/bin/a\tb'\nUser=root\n", "ExecStop", []Fault{{2, "ExecStop= has a special character in the path of its program", true}}},
		"a program without a name":     {"[Service]\nExecStop=@/bin/true ;\nUser=root\n", "ExecStop", []Fault{{2, "ExecStop= has no name for the program", true}}},
		"a named program":              {"[Service]\nExecStop=@/bin/true true\nUser=root\n", "ExecStop User", nil},
		"a second command":             {"[Service]\nExecStop=/bin/true ; bin/x\nUser=root\n", "ExecStop", []Fault{{2, "ExecStop= has a relative path", true}}},
		"a third, ignored":             {"[Service]\nExecStop=/bin/true a;b ;c ; /bin/true ; -bin/x\nUser=root\n", "ExecStop User", []Fault{{2, "ExecStop= has a relative path", false}}},
		"an argument with a semicolon": {"[Service]\nExecStop=/bin/true ;bin/x\nUser=root\n", "ExecStop User", nil},
		"a path by a specifier":        {"[Service]\nExecStop=%h/x\nUser=root\n", "ExecStop User", nil},
		"an open quote at first":       {"[Service]\nExecStop='/bin/x\nUser=root\n", "ExecStop User", []Fault{{2, "ExecStop= has an unterminated quote", false}}},
		"other ends of lines":          {"[Service]\rUser=root\n\rGroup=x\x00A=1\n\nNice=1\n\x00\x00\r\n", "User Group A Nice", nil},
		"a line after odd ends":        {"[Service]\n\n\r\r\nnothing\nNice=1\n", "Nice", []Fault{{4, "a line without an equals sign", false}}},
		"a comment, not UTF-8":         {"[Service]\n# \xff\n;\xff\nNice=1\n", "Nice", nil},
		"bytes that are UTF-8":         {"[Service]\nDescription=ü\n", "Description", nil},
	} {
		t.Run(name, func(t *testing.T) {
			settings, faults := Scan([]byte(c.text))
			var keys []string
			for _, s := range settings {
				keys = append(keys, s.Key)
			}
			if got := strings.Join(keys, " "); got != c.keys {
				t.Errorf("settings %q, want %q", got, c.keys)
			}
			if diff := cmp.Diff(c.faults, faults); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, faults := Scan([]byte("[Service]\nA=\xff\nUser=root\n")); len(faults) != 1 || !faults[0].Rest {
		t.Errorf("not UTF-8: %v", faults)
	}
}

func TestSalvage_ContinuesAfterEveryFault(t *testing.T) {
	got := Salvage([]byte("junk\n[Service]\nA=1 \\\n  # not this\n  2\n;B=3\nno equals sign\nC=\n[broken\nExecStart=bin/x\nD=\xff\nE=5\n"))
	want := []Placed{{Setting{"Service", "A", "1    2"}, 3}, {Setting{"Service", "C", ""}, 8}, {Setting{"Service", "ExecStart", "bin/x"}, 10}, {Setting{"Service", "E", "5"}, 12}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWords_AreSplitAsSystemdDoes(t *testing.T) {
	for text, want := range map[string][]string{
		`A=1 B=2`: {"A=1", "B=2"}, `"A=1 2" 'B=3 4'`: {"A=1 2", "B=3 4"}, `A="1 2"`: {"A=1 2"},
		`"A=a \" b" C=1`: {`A=a " b`, "C=1"}, `A=a\ b`: {"A=a b"}, ``: nil, `  `: nil, `A=`: {"A="}, `""`: {""}, `A=1 "B=2`: {"A=1"},
		`A=\x41`: {"A=x41"},
	} {
		if got, ok := Words(text, false); !slices.Equal(got, want) || ok == strings.HasSuffix(text, `"B=2`) {
			t.Errorf("%s: %q, %t, want %q", text, got, ok, want)
		}
	}
	for text, want := range map[string][]string{
		`A=\x41\u00e9\U0001f600\101 "B=\s\t\n"`: {"A=Aé😀A", "B= \t\n"}, `A=\"\'\\ B=\xff`: {`A="'\`, "B=\xff"}, `A=1 B=\q C=2`: {"A=1"},
		`A=1 B=\x00`: {"A=1"}, `A=1 B=\ C=2`: {"A=1"}, `A=1 B=\ud800`: {"A=1"}, `A=1 B=\777`: {"A=1"}, `A=1 B=\x4`: {"A=1"},
	} {
		if got, ok := Words(text, true); !slices.Equal(got, want) || ok != (len(want) == 2) {
			t.Errorf("%s: %q, %t, want %q", text, got, ok, want)
		}
	}
}
