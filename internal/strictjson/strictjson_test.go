// SPDX-License-Identifier: Apache-2.0

package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"justnews/internal/strictjson"
)

var limits = strictjson.Limits{Bytes: 1 << 20, Depth: 32}

var refused = []struct{ name, text, want string }{
	{"nothing at all", ``, "unexpected end of JSON input (byte 0)"},
	{"white space only", " \n", "unexpected end of JSON input"},
	{"a list", `[{"a":1}]`, "expected an object, found a list"},
	{"a string", `"ok"`, "expected an object, found a string"},
	{"html", `<html>`, "invalid character '<' looking for beginning of value (byte 0)"},
	{"a byte order mark", "\xef\xbb\xbf{}", "a byte order mark before the text"},
	{"invalid UTF-8", "{\"a\":\"\xff\"}", "invalid UTF-8 (byte 6)"},
	{"an encoded surrogate", "{\"a\":\"\xed\xa0\x80\"}", "invalid UTF-8 (byte 6)"},
	{"invalid UTF-8 at the start", "\xff{}", "invalid UTF-8 (byte 0)"},
	{"an open object without a key", `{`, "unexpected end of JSON input (byte 1)"},
	{"an open object after a comma", `{"a":1,`, "unexpected end of JSON input (byte 7)"},
	{"an open object after a key", `{"a"`, "a: unexpected end of JSON input (byte 4)"},
	{"an open escape", `{"a":"\`, "a: unexpected end of JSON input (byte 7)"},
	{"a key twice that has no case", `{"日本":1,"日本":2}`, "the key occurs twice"},
	{"trailing bytes", `{"a":1} x`, "invalid character 'x' after top-level value (byte 8)"},
	{"a second object", `{"all_ready":false}{"all_ready":true}`, "invalid character '{' after top-level value (byte 19)"},
	{"a trailing NUL", "{}\x00", "after top-level value (byte 2)"},
	{"a key twice", `{"a":1,"a":1}`, "a: the key occurs twice (byte 7)"},
	{"a key twice by an escape", `{"a":1,"\u0061":1}`, "a: the key occurs twice"},
	{"keys that differ in case", `{"all_ready":false,"ALL_READY":true}`, `ALL_READY: the key differs from "all_ready" only in case`},
	{"keys that differ by the long s", `{"errors":[],"error\u017f":[]}`, "only in case"},
	{"keys that differ by the Kelvin sign", `{"k":1,"\u212a":2}`, "only in case"},
	{"a nested key twice", `{"summary":{"total":1,"total":2}}`, "summary.total: the key occurs twice"},
	{"a key twice inside a list", `{"errors":[{},{"a":1,"a":2}]}`, "errors[1].a: the key occurs twice"},
	{"NaN", `{"a":NaN}`, "a: invalid character 'N' looking for beginning of value (byte 5)"},
	{"Infinity", `{"a":Infinity}`, "a: invalid character 'I' looking for beginning of value"},
	{"minus Infinity", `{"a":-Infinity}`, "a: invalid character 'I' in numeric literal"},
	{"a leading zero", `{"a":01}`, "a: invalid character '1' after object key:value pair"},
	{"a leading plus", `{"a":+1}`, "a: invalid character '+' looking for beginning of value"},
	{"a bare fraction", `{"a":1.}`, "after decimal point in numeric literal"},
	{"a bare exponent", `{"a":1e}`, "in exponent of numeric literal"},
	{"hexadecimal", `{"a":0x1}`, "a: invalid character 'x' after object key:value pair"},
	{"a lone high surrogate", `{"a":"\ud800"}`, "a lone surrogate"},
	{"a lone low surrogate", `{"a":"\udc00x"}`, "a lone surrogate"},
	{"two high surrogates", `{"a":"\ud800\ud800"}`, "a lone surrogate"},
	{"a raw newline in a string", "{\"a\":\"\n\"}", `invalid character '\n' in string literal`},
	{"an unknown escape", `{"a":"\x41"}`, "a: invalid character 'x' in string escape code"},
	{"a short escape", `{"a":"\u12"}`, "hexadecimal character escape"},
	{"an unquoted key", `{a:1}`, "invalid character 'a' looking for beginning of object key string"},
	{"single quotes", `{'a':1}`, "looking for beginning of object key string"},
	{"a comment", `{/* */"a":1}`, "looking for beginning of object key string"},
	{"a trailing comma", `{"a":1,}`, "looking for beginning of object key string"},
	{"a trailing comma in a list", `{"a":[1,]}`, "a[1]: invalid character ']' looking for beginning of value"},
	{"a leading comma", `{,"a":1}`, "looking for beginning of object key string"},
	{"no colon", `{"a" 1}`, "a: invalid character '1' after object key"},
	{"an open object", `{"a":1`, "unexpected end of JSON input"},
	{"an open list", `{"a":[1`, "unexpected end of JSON input"},
	{"an open string", `{"a":"x`, "a: unexpected end of JSON input"},
	{"a number in a list", `{"a":[0,01]}`, "a[1]: invalid character '1' after array element (byte 9)"},
	{"a word that is all that is left", `{"a":tru`, "a: unexpected end of JSON input (byte 8)"},
	{"typographic quotes", `{“a”:1}`, "invalid character '“' looking for beginning of object key string (byte 1)"},
	{"a word cut short", `{"a":tru}`, "a: invalid character '}' in literal true"},
	{"an upper-case word", `{"a":True}`, "a: invalid character 'T' looking for beginning of value"},
	{"a key twice, and no value", `{"a":1,"a":`, "a: the key occurs twice"},
	{"a lone surrogate after a backslash", `{"a":"\\\\\ud800"}`, "a: a lone surrogate in a string (byte 10)"},
	{"too deep", `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "nested too deeply"},
	{"far too deep", `{"a":` + strings.Repeat("[", 1<<19), "nested too deeply"},
}

func TestParse_RefusesAmbiguousInput(t *testing.T) {
	for _, tc := range refused {
		t.Run(tc.name, func(t *testing.T) {
			_, err := strictjson.Parse([]byte(tc.text), limits)
			var e *strictjson.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an *Error with %q", err, tc.want)
			}
		})
	}
}

func TestParse_ZeroLimitsRefuseEverything(t *testing.T) {
	for _, l := range []strictjson.Limits{{}, {Bytes: 100}, {Depth: 5}, {Bytes: 1, Depth: 5}} {
		if _, err := strictjson.Parse([]byte(`{}`), l); err == nil {
			t.Errorf("limits %+v let {} pass", l)
		}
	}
	if _, err := strictjson.Parse([]byte(`{}`), strictjson.Limits{Bytes: 2, Depth: 1}); err != nil {
		t.Errorf("exact limits refused {}: %v", err)
	}
}

func whole(v strictjson.Value) (int, error) { return v.Int(0, 1<<31-1) }

func TestValue_AccessorsReportTypeMismatchesByPath(t *testing.T) {
	o, err := strictjson.Parse([]byte(`{"b":"true","n":null,"i":8.0,"e":1e1,"h":2147483648,"x":9223372036854775808,
		"m":-1,"big":1e999,"s":{"total":"8"},"l":[{"agent":3}],"Odd":1}`), limits)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := strictjson.Required(o, "s", strictjson.Value.Object)
	l, _ := strictjson.Required(o, "l", strictjson.Value.List)
	item, _ := l[0].Object()
	big, _ := o.Value("big")
	fail := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		"b: expected a boolean, found a string":       fail(strictjson.Required(o, "b", strictjson.Value.Bool)),
		"n: expected a boolean, found null":           fail(strictjson.Required(o, "n", strictjson.Value.Bool)),
		"n: expected a string, found null":            fail(strictjson.Required(o, "n", strictjson.Value.Text)),
		"n: expected a list, found null":              fail(strictjson.Required(o, "n", strictjson.Value.List)),
		"n: expected an object, found null":           fail(strictjson.Required(o, "n", strictjson.Value.Object)),
		"n: expected a number, found null":            fail(strictjson.Required(o, "n", whole)),
		"i: expected a whole number":                  fail(strictjson.Required(o, "i", whole)),
		"e: expected a whole number":                  fail(strictjson.Required(o, "e", whole)),
		"h: expected a whole number":                  fail(strictjson.Required(o, "h", whole)),
		"x: expected a whole number":                  fail(strictjson.Required(o, "x", whole)),
		"m: expected a whole number":                  fail(strictjson.Required(o, "m", whole)),
		"big: the number 1e999 is out of range":       fail(big.Float()),
		"s.total: expected a number, found a string":  fail(strictjson.Required(s, "total", whole)),
		"s.done: missing":                             fail(strictjson.Required(s, "done", whole)),
		"l[0].agent: expected a string, found a numb": fail(strictjson.Required(item, "agent", strictjson.Value.Text)),
		"l[0].model: missing":                         fail(strictjson.Required(item, "model", strictjson.Value.Text)),
		`Odd: the key differs from "odd" only in ca`:  fail(strictjson.Required(o, "odd", whole)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestValue_AccessorsReturnTheValue(t *testing.T) {
	o, err := strictjson.Parse([]byte(` {"b":true,"i":2147483647,"f":1795439865.725532,"s":"\u00e9\ud83d\ude00\n\/","l":[1,[]],"z":-0} `), limits)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := strictjson.Required(o, "b", strictjson.Value.Bool); !b || err != nil {
		t.Errorf("b: %v %v", b, err)
	}
	if i, err := strictjson.Required(o, "i", whole); i != 2147483647 || err != nil {
		t.Errorf("i: %v %v", i, err)
	}
	v, _ := o.Value("f")
	if f, err := v.Float(); f != 1795439865.725532 || err != nil {
		t.Errorf("f: %v %v", f, err)
	}
	if n, err := v.Number(); n != "1795439865.725532" || err != nil {
		t.Errorf("f as written: %v %v", n, err)
	}
	if s, err := strictjson.Required(o, "s", strictjson.Value.Text); s != "é😀\n/" || err != nil {
		t.Errorf("s: %q %v", s, err)
	}
	if l, err := strictjson.Required(o, "l", strictjson.Value.List); len(l) != 2 || err != nil || l[1].Path() != "l[1]" {
		t.Errorf("l: %v %v", l, err)
	}
	if _, ok, err := o.Optional("absent"); ok || err != nil {
		t.Errorf("absent: %v %v", ok, err)
	}
	if keys := len(o.Members()); keys != 6 {
		t.Errorf("%d members", keys)
	}
}

func TestValue_KindsAndBoundsAreExact(t *testing.T) {
	o, err := strictjson.Parse([]byte(`{"o":{},"l":[],"s":"a b","e":"","n":5,"long":12345678901234567890123456789012,"longer":123456789012345678901234567890123,"Odd":1}`), limits)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][3]bool{"o": {true}, "l": {false, true}, "s": {false, false, true}, "n": {}} {
		v, err := o.Value(key)
		if got := [3]bool{v.IsObject(), v.IsList(), v.IsText()}; got != want || err != nil {
			t.Errorf("%s: %v, %v", key, got, err)
		}
	}
	s, _ := o.Value("s")
	if text, err := s.Text(); text != "a b" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := strictjson.Required(o, "e", strictjson.Value.Text); text != "" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	n, _ := o.Value("n")
	for bounds, ok := range map[[2]int]bool{{5, 5}: true, {6, 9}: false, {1, 4}: false} {
		if _, err := n.Int(bounds[0], bounds[1]); (err == nil) != ok {
			t.Errorf("%v: %v", bounds, err)
		}
	}
	for key, want := range map[string]string{"long": "found 12345678901234567890123456789012 ", "longer": "found 12345678901234567890123456789012… "} {
		v, _ := o.Value(key)
		if _, err := v.Int(0, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, found, err := o.Optional("odd"); found || err == nil {
		t.Errorf("another case: %t, %v", found, err)
	}
}

func TestValue_ZeroValueIsNoValue(t *testing.T) {
	var v strictjson.Value
	if _, err := v.Bool(); err == nil {
		t.Error("the zero Value is a boolean")
	}
	if _, err := v.Object(); err == nil {
		t.Error("the zero Value is an object")
	}
	if _, err := strictjson.Required(strictjson.Object{}, "all_ready", strictjson.Value.Bool); err == nil {
		t.Error("the zero Object has keys")
	}
}

func TestLineColumn_CountsFromOne(t *testing.T) {
	text := []byte("{\n \"a\"\n}")
	for offset, want := range map[int][2]int{-1: {1, 1}, 0: {1, 1}, 1: {1, 2}, 2: {2, 1}, 3: {2, 2}, 7: {3, 1}, 99: {3, 2}} {
		if line, column := strictjson.LineColumn(text, offset); line != want[0] || column != want[1] {
			t.Errorf("offset %d: %d:%d, want %v", offset, line, column, want)
		}
	}
}

// FuzzParse asks encoding/json: what Parse takes, encoding/json must read as
// the same value; what encoding/json takes and Parse refuses must have one of
// the faults that encoding/json overlooks.
func FuzzParse(f *testing.F) {
	for _, tc := range refused {
		if len(tc.text) < 4096 {
			f.Add([]byte(tc.text))
		}
	}
	f.Add([]byte(`{"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00",true,false,null,{}],"b":{"c":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := strictjson.Parse(data, limits)
		judge, judgeErr := decode(data)
		if err == nil {
			if judgeErr != nil {
				t.Fatalf("took %q, encoding/json refuses it: %v", data, judgeErr)
			}
			if mine := plainObject(t, o); !reflect.DeepEqual(mine, judge) {
				t.Fatalf("%q: read %#v, encoding/json %#v", data, mine, judge)
			}
			return
		}
		if judgeErr != nil {
			return
		}
		overlooked := []string{"invalid UTF-8", "occurs twice", "only in case", "lone surrogate", "nested too deeply"}
		for _, fault := range overlooked {
			if strings.Contains(err.Error(), fault) {
				return
			}
		}
		t.Fatalf("refused %q (%v), encoding/json takes it", data, err)
	})
}

// decode is the second judge: one object, numbers as text, nothing after it.
func decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("trailing bytes")
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("no object")
	}
	return v, nil
}

func plainObject(t *testing.T, o strictjson.Object) map[string]any {
	m := map[string]any{}
	for _, member := range o.Members() {
		m[member.Key] = plain(t, member.Value)
	}
	return m
}

func plain(t *testing.T, v strictjson.Value) any {
	if v.IsNull() {
		return nil
	}
	if b, err := v.Bool(); err == nil {
		return b
	}
	if s, err := v.Text(); err == nil {
		return s
	}
	if n, err := v.Number(); err == nil {
		return json.Number(n)
	}
	if o, err := v.Object(); err == nil {
		return plainObject(t, o)
	}
	items, err := v.List()
	if err != nil {
		t.Fatalf("%s has no type: %v", v.Path(), err)
	}
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = plain(t, item)
	}
	return list
}
