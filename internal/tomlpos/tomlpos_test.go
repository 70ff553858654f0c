// SPDX-License-Identifier: Apache-2.0

package tomlpos

import (
	"errors"
	"strings"
	"testing"
)

const sample = `# comment with [brackets] and = signs
title = "a # no comment" # a comment
[gate]
timeout = "180s"
"quoted key" . 'raw' = 1
[ instances . scout ]
after = [
  "memory", # first
  'bus',
]
gate = { timeout = "5min", deep = { x = [ { y = 1 } ] } }
text = """
[not.a.header]
key = "no key" \""" """""
raw = '''
still = "raw"'''
when = 1979-05-27 07:32:00Z
service.exec = ["/bin/sh"]
"esc\u0061ped" = true
`

func TestIndex_FindsKeysAndValues(t *testing.T) {
	x := New(sample)
	for _, c := range []struct {
		path string
		want Place
	}{
		{"title", Place{Pos{2, 1}, Pos{2, 9}}},
		{"gate", Place{Pos{3, 2}, Pos{3, 1}}},
		{"gate timeout", Place{Pos{4, 1}, Pos{4, 11}}},
		{"gate quoted_key raw", Place{Pos{5, 16}, Pos{5, 24}}},
		{"instances", Place{Pos{6, 3}, Pos{6, 3}}},
		{"instances scout after", Place{Pos{7, 1}, Pos{7, 9}}},
		{"instances scout after [0]", Place{Pos{8, 3}, Pos{8, 3}}},
		{"instances scout after [1]", Place{Pos{9, 3}, Pos{9, 3}}},
		{"instances scout gate timeout", Place{Pos{11, 10}, Pos{11, 20}}},
		{"instances scout gate deep x [0] y", Place{Pos{11, 45}, Pos{11, 49}}},
		{"instances scout text", Place{Pos{12, 1}, Pos{12, 8}}},
		{"instances scout raw", Place{Pos{15, 1}, Pos{15, 7}}},
		{"instances scout when", Place{Pos{17, 1}, Pos{17, 8}}},
		{"instances scout service exec [0]", Place{Pos{18, 17}, Pos{18, 17}}},
		{"instances scout escaped", Place{Pos{19, 1}, Pos{19, 18}}},
	} {
		path := strings.Fields(c.path)
		for i := range path {
			path[i] = strings.ReplaceAll(path[i], "_key", " key")
		}
		if got, ok := x.At(path...); !ok || got != c.want {
			t.Errorf("At(%s) = %v, %v, want %v", c.path, got, ok, c.want)
		}
	}
	for text, want := range map[string]Place{
		"[a.b]\nx = 1\n[a]\ny = 2\n": {Pos{3, 2}, Pos{3, 1}}, // its own header, not one that implied it
		"[a]\ny = 2\n[a.b]\nx = 1\n": {Pos{1, 2}, Pos{1, 1}},
	} {
		if got, ok := New(text).At("a"); !ok || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
	for key, text := range map[string]string{
		"azAZ09_-": "azAZ09_- = 1", `a"b`: `"a\"b" = 1`, `a\`: `'a\' = 1`, "\b": `"\b" = 1`, "aa": `"a\u0061" = 1`, "\U0001f600": `"\U0001F600" = 1`,
	} {
		if _, ok := New(text).At(key); !ok {
			t.Errorf("%s: no key %q", text, key)
		}
	}
	if _, ok := x.At("instances", "scout", "not"); ok {
		t.Error("a header inside a string was taken for a key")
	}
	if twice := x.Twice(); len(twice) > 0 {
		t.Errorf("Twice() = %v in a text without duplicates", twice)
	}
}

func TestIndex_FindsDuplicates(t *testing.T) {
	for text, want := range map[string]string{
		"a.b = 1\na = 7\n":                 "a 1:1 2:1",
		"a = []\na.b = ''\n":               "a 1:1 2:1",
		"a = {}\na.b = ''\n":               "a 1:1 2:1",
		"a = 1\na = 2\n":                   "a 1:1 2:1",
		"[a]\nb.c = 1\nb = { d = 2 }\n":    "a.b 2:1 3:1",
		"x = { a = 1, a = 2 }\n":           "x.a 1:7 1:14",
		"x = { a.b = 1, a = 2 }\n":         "x.a 1:7 1:16",
		"[t]\nmps.enabled = true\nmps = 1": "t.mps 2:1 3:1",
	} {
		twice := New(text).Twice()
		if len(twice) != 1 {
			t.Errorf("%q: Twice() = %v, want one", text, twice)
			continue
		}
		got := strings.Join(twice[0].Path, ".") + " " + show(twice[0].First) + " " + show(twice[0].Second)
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestIndex_AllowsWhatTOMLAllows(t *testing.T) {
	for _, text := range []string{
		"[a.b]\nx = 1\n[a]\ny = 2\n",
		"a.b = 1\na.c = 2\n",
		"x = { a.b = 1, a.c = { d = 1 } }\n",
		"[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 1\n",
		"a = [ { b = 1 }, { b = 2 } ]\n",
		"[a]\nb.c = 1\nb.d = 2\n[a.e]\n",
	} {
		if twice := New(text).Twice(); len(twice) > 0 {
			t.Errorf("%q: Twice() = %v", text, twice)
		}
	}
}

func show(p Pos) string { return string(rune('0'+p.Line)) + ":" + itoa(p.Column) }

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestWalk_RefusesExcessiveNesting(t *testing.T) {
	for name, text := range map[string]string{
		"arrays":        "a = " + strings.Repeat("[", 1<<20),
		"inline tables": strings.Repeat("a = {", 1000),
		"dotted key":    strings.Repeat("a.", 100000) + "a = 1",
		"header":        "[" + strings.Repeat("a.", 100000) + "a]",
	} {
		err := Walk(text, func(Entry) {})
		if _, deep := errors.AsType[DepthError](err); !deep {
			t.Errorf("%s: Walk = %v, want a DepthError", name, err)
		}
	}
}

func TestWalk_AcceptsNestingUpToTheLimits(t *testing.T) {
	for _, text := range []string{
		"a = " + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
		strings.Repeat("a.", maxParts-1) + "a = 1",
		"[" + strings.Repeat("a.", maxParts-1) + "a]",
	} {
		if err := Walk(text, func(Entry) {}); err != nil {
			t.Errorf("Walk(%q) = %v", text, err)
		}
	}
}

func TestWalk_AcceptsASpaceOnlyBetweenDateAndTime(t *testing.T) {
	for text, want := range map[string]error{
		"a = 1979-05-27 00:32:00": nil, "a = 1979-05-27 9": nil, "a = 1979-05-27 ": nil, "a = 1979-05-27 # x": nil,
		"a = 1 2": ErrSyntax, "a = 1979-05-27 x": ErrSyntax, "a = 1979-05-27 /": ErrSyntax, "a = 1979-05-27 :": ErrSyntax, "a = 1979-05-271 2": ErrSyntax,
	} {
		if err := Walk(text, func(Entry) {}); !errors.Is(err, want) {
			t.Errorf("Walk(%q) = %v, want %v", text, err, want)
		}
	}
}

func TestWalk_StopsAtInvalidTOML(t *testing.T) {
	for _, text := range []string{"a", "a =", "= 1", "[a", "[a]]", "a = [1", "a = { b = 1", `a = "x`, `a = """x`, "a = 1 b = 2", "[[a]", "a..b = 1",
		"\"a\n\" = 1", "a = \"x\ny = 1", `"a = 1`, `"\q" = 1`, `"\u12" = 1`, `"\uD800" = 1`, `"\uzzzz" = 1`, `"\x4" = 1`} {
		if err := Walk(text, func(Entry) {}); !errors.Is(err, ErrSyntax) {
			t.Errorf("Walk(%q) = %v, want ErrSyntax", text, err)
		}
	}
}

func TestBadBytes_FindsBytesThatTOMLForbids(t *testing.T) {
	for text, want := range map[string][]Bad{
		"a = 1\r\n\tb = 'ü€𝄞'\n": nil,
		"a\x00b":                 {{1, 0, true}},
		"a\rb\x7f":               {{1, '\r', true}, {3, 0x7f, true}},
		"a = '\ufffd'":           nil,
		"a\r":                    {{1, '\r', true}},
		"\x01\n":                 {{0, 1, true}},
		"x\xffy\xc3":             {{1, 0xff, false}, {3, 0xc3, false}},
		"\xed\xa0\x80":           {{0, 0xed, false}, {1, 0xa0, false}, {2, 0x80, false}},
	} {
		got := BadBytes(text, 10)
		if len(got) != len(want) {
			t.Errorf("BadBytes(%q) = %v, want %v", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("BadBytes(%q)[%d] = %v, want %v", text, i, got[i], want[i])
			}
		}
	}
	if n := len(BadBytes(strings.Repeat("\x00", 100), 20)); n != 20 {
		t.Errorf("BadBytes returned %d, want the limit of 20", n)
	}
}
