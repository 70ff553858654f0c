// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"justnews/internal/diag"
	"justnews/internal/version"
)

// loadText is Load without files.
func loadText(text string) *state {
	s := &state{}
	s.add(decode(file{path: "x.toml", text: strings.TrimPrefix(text, "\ufeff")}))
	s.judge()
	return s
}

// FuzzLoadAnyText holds, for any text: no panic; a Config exactly where there
// is not an error; every problem has a place, a fix and a code; no string of a
// Config holds what a unit file must not; and what config show prints loads to
// the same Config; a min_version that the decoder finds was read before.
func FuzzLoadAnyText(f *testing.F) {
	f.Add(sound)
	for _, line := range []string{`"min\u005fversion" = '1.4'`, "min_version = '''\n1.4'''", "x = [\n[]\n]\nmin_version = \"\\u0031\""} {
		f.Add(line)
	}
	for _, name := range tomlSeeds(f) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			t.Skip()
		}
		s := loadText(text)
		if (s.config == nil) != (len(diag.Errors(s.problems)) > 0) {
			t.Fatalf("Config %v with %d errors", s.config, len(diag.Errors(s.problems)))
		}
		if len(s.docs) == 1 {
			want, _ := s.docs[0].data[minVersion].(string)
			_, valid := version.Parse(want)
			if read := (file{path: "x.toml", text: strings.TrimPrefix(text, "\ufeff")}).minimum(); valid && len(s.problems) == 0 && (read == nil || read.text != want) {
				t.Fatalf("min_version = %q was not read", want)
			}
		}
		lines := strings.Count(text, "\n") + 1
		for _, p := range s.problems {
			if p.Code == "" || p.Fix.String() == "" || p.Message == "" {
				t.Fatalf("an incomplete problem: %+v", p)
			}
			if p.Severity == diag.Error && (p.Position == nil || p.Position.Line < 1 || p.Position.Line > lines || p.Position.Column < 1) {
				t.Fatalf("a problem without a place: %+v at %v", p, p.Position)
			}
		}
		if s.config == nil {
			return
		}
		judgeStrings(t, text)
		again := loadText(s.show(true))
		if again.config == nil {
			t.Fatalf("config show does not load: %s", problemText(again.problems))
		}
		if diff := cmp.Diff(s.config, again.config); diff != "" {
			t.Fatalf("config show loads to something else:\n%s", diff)
		}
	})
}

// judgeStrings decodes the text once more and looks at every string by rules of
// its own.
func judgeStrings(t *testing.T, text string) {
	t.Helper()
	var v any
	if _, err := toml.Decode(strings.TrimPrefix(text, "\ufeff"), &v); err != nil {
		t.Fatalf("Load accepts what is not TOML: %v", err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
				t.Fatalf("Load accepts the string %q", v)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				walk(k)
				walk(e)
			}
		}
	}
	walk(v)
}

func tomlSeeds(f *testing.F) []string {
	f.Helper()
	seeds := []string{}
	entries, err := os.ReadDir("testdata/cases")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		name := "testdata/cases/" + e.Name() + "/etc/justnews/justnews.toml"
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			seeds = append(seeds, name)
		}
	}
	return seeds
}

func manyInstances(n int) string {
	var b strings.Builder
	b.WriteString("[gpu]\nmemory = \"24T\"\n[mps]\nmax_clients = 1024\n" + sound)
	for i := range n - 2 {
		fmt.Fprintf(&b, "\n[instances.agent_%d]\nport = %d\nafter = [\"agent_%d\"]\ngate = { timeout = \"300s\" }\nmps = { enabled = true, memory = \"1G\", threads = 25 }\nenvironment = { LOG_LEVEL = \"INFO\" }\n",
			i, 10000+i, max(0, i-1))
	}
	return strings.Replace(b.String(), "after = [\"agent_0\"]\n", "", 1)
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{2, 17, 1000} {
		src := write(b, manyInstances(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c, problems := Load(src); c == nil || len(c.Instances) != n {
					b.Fatal(problemText(problems))
				}
			}
		})
	}
}

// BenchmarkDecodeOnly is the share of the TOML library in BenchmarkLoad.
func BenchmarkDecodeOnly(b *testing.B) {
	for _, n := range []int{17, 1000} {
		text := manyInstances(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				var m map[string]any
				if _, err := toml.Decode(text, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
