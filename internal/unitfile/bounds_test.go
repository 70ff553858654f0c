// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"slices"
	"strings"
	"testing"
)

// What is just acceptable is accepted, and the next is not: these were found by
// changing one operator at a time (test/mutate).
func TestBounds_OfNamesAndValues(t *testing.T) {
	long := strings.Repeat("/a", 2046) + "/aa" // 4095 bytes
	for name, c := range map[string]struct {
		line Line
		ok   bool
	}{
		"the longest path":                    {Path("WorkingDirectory", long), true},
		"a longer path":                       {Path("WorkingDirectory", long+"a"), false},
		"the root":                            {Path("WorkingDirectory", "/"), true},
		"a step up at the end":                {Path("WorkingDirectory", "/a/.."), false},
		"the longest file name":               {Path("WorkingDirectory", "/"+strings.Repeat("x", 255)), true},
		"the longest unit name":               {Unit("After", strings.Repeat("x", 247)+".service"), true},
		"a longer unit name":                  {Unit("After", strings.Repeat("x", 248)+".service"), false},
		"every character of a unit":           {Unit("After", `AZaz09:-_.\@x.service`), true},
		"a template":                          {Unit("After", "x@.service"), true},
		"an instance of nothing":              {Unit("After", "@x.service"), false},
		"a type alone":                        {Unit("After", ".service"), false},
		"an unknown type":                     {Unit("After", "x.nosuch"), false},
		"a size in kilobytes":                 {Size("MemoryMax", "5.5K"), true},
		"a size in percent":                   {Size("MemoryMax", "9%"), true},
		"a size without a unit":               {Size("MemoryMax", "10"), true},
		"no limit":                            {Size("MemoryMax", "infinity"), true},
		"a unit alone":                        {Size("MemoryMax", "K"), false},
		"two units of a size":                 {Size("MemoryMax", "5KK"), false},
		"the first rune beyond ASCII":         {Assignment("A", "\u0080"), true},
		"a replacement character":             {Assignment("A", "\ufffd"), true},
		"before the non-characters":           {Assignment("A", "\ufdcf"), true},
		"the first non-character":             {Assignment("A", "\ufdd0"), false},
		"the last non-character of the block": {Assignment("A", "\ufdef"), false},
		"after the non-characters":            {Assignment("A", "\ufdf0"), true},
		"a control character with a letter":   {Assignment("A", "\x0a\x0f\x1a\x1f\x10\x19"), true},
		"a quote that begins a command":       {CommandLine("ExecStart", []string{`"/x`}), false},
		"a command with one letter":           {CommandLine("ExecStart", []string{"/x"}), true},
	} {
		t.Run(name, func(t *testing.T) {
			f := File{Sections: []Section{{"Service", []Line{c.line}}}}
			text, err := f.Append(nil)
			if (err == nil) != c.ok {
				t.Fatalf("%v, want it accepted: %t", err, c.ok)
			}
			if err := f.Verify(text); c.ok && err != nil {
				t.Errorf("what was written is refused: %v", err)
			}
		})
	}
}

func TestBounds_OfALine(t *testing.T) {
	if err := readable(strings.Repeat("x", maxLine-1)); err != nil {
		t.Error(err)
	}
	for name, line := range map[string]string{"too long": strings.Repeat("x", maxLine), "a carriage return at the start": "\rx", "a NUL": "a\x00"} {
		if readable(line) == nil {
			t.Errorf("%s: it is accepted", name)
		}
	}
	for line, want := range map[string]bool{`a\`: true, `a\\`: false, `a\\\`: true, `\a\`: true, `\\a`: false, ``: false, `a`: false} {
		if continues(line) != want {
			t.Errorf("%s continues: %t", line, !want)
		}
	}
}

func TestBounds_OfACommandLine(t *testing.T) {
	for value, want := range map[string][]string{
		`/x`: {"/x"}, `/x ";" a`: {"/x", ";", "a"}, `/x "$$A" "%%i"`: {"/x", "$A", "%i"}, `"/a b"  "c"`: {"/a b", "c"}, `/x "a\x1a\x0f"`: {"/x", "a\x1a\x0f"},
		`/x a\x1a`: {"/x", "a\x1a"}, `/$$x y`: {"/$$x", "y"}, // no variable is replaced in the name of the command
	} {
		if got, err := readCommandLine(value); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q %v, want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"", "x", `""`, "/x ;", "/x ; /y", `/x ";" ; /y`, "/x %i", "/x a%", "/x $A", "/%i", `/x "a`, `/x "\x1"`, `/x "\xag"`, `/x "\xga"`, `/x "a"b"`, `/x "\q12"`, `/x "a;`} {
		if got, err := readCommandLine(value); err == nil {
			t.Errorf("%s: read as %q", value, got)
		}
	}
}
