// SPDX-License-Identifier: Apache-2.0

// Package outside is for tests of how names from outside are used: it fills a judge's facts
// with hostile ones, and checks the judge's output with a shell.
package outside

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"justnews/internal/diag"
)

// mark is part of every hostile name, and of no text of ours.
const mark = "ZQ"

// Names are hostile. Each would do harm as a shell's text, an option, or on a
// terminal.
func Names() []string {
	return []string{
		"x, then: touch ZQ; systemctl reset-failed #", "; touch ZQ", "&& touch ZQ", "| touch ZQ", "$(touch ZQ)", "`touch ZQ`",
		"a 'ZQ' \"b", "it's ZQ", "ZQ\ntouch ZQ", "ZQ\n", "\x1b[2JZQ", "ZQ\u202eevil", "ZQ\u2028x", "\xffZQ", "ZQ\\", "~ZQ", "*ZQ", "{ZQ,b}", "$ZQ", "!ZQ",
		"--ZQ", "-ZQ", "--root=/ZQ", "-rf ZQ", "#ZQ", ">ZQ", "ZQ\t100%s", "NAME=ZQ", "/srv/ZQ\n; touch ZQ", "/ZQ/$(touch ZQ)", "/home/$(ZQ)", "a/../ZQ", "justnews@ZQ; touch ZQ.service", "",
	}
}

// words make judges take their branches.
var words = []string{
	"loaded", "masked", "not-found", "bad-setting", "active", "inactive", "failed", "activating", "auto-restart", "start-pre", "exited", "running",
	"signal", "oom-kill", "exit-code", "timeout", "resources", "success", "enabled", "disabled", "static", "owner", "group", "others", "r", "rx", "x",
	"justnews@scout.service", "justnews-mps.service", "scout", "yes", "/opt/justnews/models", "1", "0", "refused: STORE-CORRUPT: x", "ready", "link", "none",
}

// states are the values of fields that decide which branch a judge takes.
var states = map[string][]string{
	"LoadState": {"loaded", "loaded", "masked", "not-found"}, "ActiveState": {"active", "failed", "inactive", "activating"},
	"SubState": {"failed", "auto-restart", "start-pre", "running"}, "Result": {"success", "exit-code", "oom-kill", "signal", "start-limit-hit"},
}

const deepest = 6

// given are parameters that are not facts: a judge gets them from another judge.
var given = []reflect.Type{reflect.TypeFor[diag.Fix](), reflect.TypeFor[diag.Command]()}

var errorType = reflect.TypeFor[error]()

// fill gives everything below a value one: strings are hostile names, or words
// that judges look for.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if !v.CanSet() || depth > deepest || slices.Contains(given, v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		pool := Names()
		if r.IntN(3) == 0 {
			pool = words
		}
		v.SetString(pool[r.IntN(len(pool))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt([]int64{-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 100}[r.IntN(13)])
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint([]uint64{0, 1, 2, 3, 64, 100}[r.IntN(6)])
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.Float64() * 100)
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		n := r.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		fillMap(r, v, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), depth+1)
			if pool := states[v.Type().Field(i).Name]; pool != nil && v.Field(i).Kind() == reflect.String && r.IntN(4) > 0 {
				v.Field(i).SetString(pool[r.IntN(len(pool))])
			}
		}
	case reflect.Interface:
		if v.Type() == errorType && r.IntN(2) == 0 {
			v.Set(reflect.ValueOf(errors.New(Names()[r.IntN(len(Names()))])))
		}
	}
}

func fillMap(r *rand.Rand, v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	for range r.IntN(3) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(r, key, depth+1)
		fill(r, value, depth+1)
		v.SetMapIndex(key, value)
	}
}

// Call calls a judge with made-up facts, and returns every problem and command in its results.
// ok is false if the judge panics because no probe could have returned such facts.
func Call(r *rand.Rand, judge any) (problems []diag.Problem, ok bool) {
	f := reflect.ValueOf(judge)
	args := make([]reflect.Value, f.Type().NumIn())
	for i := range args {
		args[i] = reflect.New(f.Type().In(i)).Elem()
		fill(r, args[i], 0)
	}
	defer func() { ok = recover() == nil }()
	results := f.Call
	if f.Type().IsVariadic() {
		results = f.CallSlice
	}
	for _, result := range results(args) {
		switch p := result.Interface().(type) {
		case diag.Problem:
			problems = append(problems, p)
		case *diag.Problem:
			if p != nil {
				problems = append(problems, *p)
			}
		case []diag.Problem:
			problems = append(problems, p...)
		case diag.Fix:
			problems = append(problems, diag.Problem{Fix: p})
		}
	}
	return problems, true
}

// Shell collects commands, and makes a shell parse all of them at once.
type Shell struct {
	seen     map[string]bool
	advised  map[string]bool
	commands []diag.Command
}

// Hold fails the test if a fix is malformed, and keeps its commands for the shell.
func (s *Shell) Hold(t *testing.T, where string, p diag.Problem) {
	t.Helper()
	if p.Fix.Advice != diag.Clean(p.Fix.Advice) {
		t.Errorf("%s: the advice drives a terminal: %q", where, p.Fix.Advice)
	}
	if why := misworded(p.Fix.Advice); why != "" && !s.advised[where+why] {
		s.advised = put(s.advised, where+why)
		t.Errorf("%s: %s: %s", where, why, p.Fix.Advice)
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	for _, c := range slices.Concat(p.Fix.Look, p.Fix.Commands) {
		if line := c.String(); !s.seen[line] {
			s.seen[line] = true
			s.commands = append(s.commands, c)
			if why := misread(c); why != "" {
				t.Errorf("%s: %s: %s: %q", where, p.Code, why, []string(c))
			}
		}
	}
}

// misworded returns how an advice is more than text.
func misworded(advice string) string {
	before, _, found := strings.Cut(strings.NewReplacer(`\\`, "", `\"`, "").Replace(advice), Names()[0])
	if found && strings.Count(before, `"`)%2 == 0 {
		return "a name without quotes"
	}
	for _, name := range Names() {
		if len(name) > 4 {
			advice = strings.ReplaceAll(advice, name, "")
		}
	}
	for _, program := range []string{"systemctl ", "journalctl ", "chmod ", "ls -", "rm -"} {
		if strings.Contains(advice, program) {
			return "a command in the words"
		}
	}
	return ""
}

func put(m map[string]bool, key string) map[string]bool {
	if m == nil {
		m = map[string]bool{}
	}
	m[key] = true
	return m
}

// valued are options whose next word is their value.
var valued = []string{"-u", "-g", "-t", "-d", "-i", "-p", "-s", "-m", "-T"}

// misread returns how a program would misinterpret a word from outside.
func misread(c diag.Command) string {
	for i, word := range c {
		switch {
		case word == "--":
			return ""
		case !strings.Contains(word, mark):
		case i == 0:
			return "the program is one from outside"
		case i == 2 && c[0] == "sh" && c[1] == "-c":
			return "a name is part of a script"
		case i > 2 && c[0] == "sh" && c[1] == "-c": // $0, $1, …
		case slices.Contains(valued, c[i-1]):
		case strings.HasPrefix(word, "-") && !assigned(word):
			return "a name is an option"
		}
	}
	return ""
}

// assigned reports whether a word is one of our options with a value.
func assigned(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && !strings.Contains(name, mark) && slices.Contains([]string{"--user", "--format"}, name)
}

// Split fails the test unless a shell splits every line into the words that the
// command has, and does nothing else.
func (s *Shell) Split(t *testing.T) {
	t.Helper()
	var script strings.Builder
	for _, c := range s.commands {
		line := c.String()
		if line != diag.Clean(line) {
			t.Errorf("a line that drives a terminal: %q", line)
		}
		fmt.Fprintf(&script, "set -- %s\nprintf '%%s\\0' \"$#\" \"$@\"\n", line)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "-u")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for _, c := range s.commands {
		if len(words) <= len(c) || words[0] != fmt.Sprint(len(c)) || !slices.Equal(words[1:len(c)+1], c) {
			t.Fatalf("%q became other words: %q", []string(c), words[:min(len(words), len(c)+1)])
		}
		words = words[len(c)+1:]
	}
	if left, err := exec.CommandContext(t.Context(), "ls", "-A", dir).Output(); err != nil || len(left) > 0 {
		t.Errorf("the lines did something: %s %v", left, err)
	}
}

// Len is the number of commands that were checked with the shell.
func (s *Shell) Len() int { return len(s.commands) }
