// SPDX-License-Identifier: Apache-2.0

package tomlpos

import (
	"errors"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// FuzzIndexAgainstTheDecoder asks the decoder: every key that it knows has a
// place, and at that place stands the key.
func FuzzIndexAgainstTheDecoder(f *testing.F) {
	f.Add(sample)
	for _, seed := range []string{
		"a.b = 1\na = 7\n", "a = []\na.b = ''\n", "[[a]]\nb=1\n[[a]]\n[a.b]\n", "x = [ {a=1}, [2] ]",
		"a = 1979-05-27 07:32:00\n", "a = 1979-05-27 \n", "'' = 1\n[\"\"]\n", "a = +inf # x\r\n", "a = \"\"\"\\\n  x\"\"\"\"\"\n",
		"a={b=1,\n c=2,}", "\"\\x41\\e\" = 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		walked := Walk(text, func(Entry) {})
		if _, deep := errors.AsType[DepthError](walked); deep || len(text) > 512 || len(BadBytes(text, 1)) > 0 || strings.HasPrefix(text, "\ufeff") {
			t.Skip()
		}
		meta, ok := decode(text)
		if !ok {
			return
		}
		if walked != nil && strings.Contains(text, `\\""""""`) {
			t.Skip() // the decoder takes the second backslash for the escape of a quote, and allows one too many
		}
		if walked != nil {
			t.Fatalf("the decoder accepts %q, Walk says %v", text, walked)
		}
		x := New(text)
		for _, key := range meta.Keys() {
			place, found := x.At(key...)
			if !found {
				if strings.Contains(text, "[") {
					continue // a key inside an array has a step that the decoder does not name
				}
				t.Fatalf("no place for %q in %q", key, text)
			}
			if !standsAt(text, place.Key, key[len(key)-1]) {
				t.Fatalf("%q is not at %v in %q", key, place.Key, text)
			}
		}
	})
}

func decode(text string) (meta toml.MetaData, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	var m map[string]any
	meta, err := toml.Decode(text, &m)
	return meta, err == nil
}

// standsAt reads the key at a position by the decoder itself.
func standsAt(text string, p Pos, want string) bool {
	line := strings.Split(text, "\n")[p.Line-1]
	rest := line[p.Column-1:]
	for end := 1; end <= len(rest); end++ {
		var m map[string]any
		if _, err := toml.Decode(rest[:end]+" = 1", &m); err == nil {
			if _, ok := m[want]; ok {
				return true
			}
		}
	}
	return want == "" && rest != "" && (rest[0] == '"' || rest[0] == '\'')
}
