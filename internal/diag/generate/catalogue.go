// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// catalogue is the file; its head says what the keys mean.
type catalogue struct {
	Areas    []string  `toml:"areas"`
	Problems []problem `toml:"problem"`
}

type problem struct {
	Code      string     `toml:"code"`
	Name      string     `toml:"name"`
	Area      string     `toml:"area"`
	Status    string     `toml:"status"`
	MessageID string     `toml:"message_id"`
	Title     string     `toml:"title"`
	Cause     string     `toml:"cause"`
	Check     [][]string `toml:"check"`
	Advice    string     `toml:"advice"`
	Look      [][]string `toml:"look"`
	Commands  [][]string `toml:"commands"`
}

func read(text string) (catalogue, error) {
	var c catalogue
	meta, err := toml.Decode(text, &c)
	if err != nil {
		return c, err
	}
	var errs []error
	for _, key := range meta.Undecoded() {
		errs = append(errs, fmt.Errorf("unknown key %s", key))
	}
	seen := map[string]string{} // code, name or MESSAGE_ID -> the problem that has it
	for i := range c.Problems {
		p := &c.Problems[i]
		if p.Name == "" {
			p.Name = constant(p.Code)
		}
		for _, err := range append(p.check(c.Areas), p.unique(seen)...) {
			errs = append(errs, fmt.Errorf("%s (problem %d): %w", p.Code, i+1, err))
		}
	}
	return c, errors.Join(errs...)
}

var (
	codeForm = regexp.MustCompile(`^[A-Z]+(-[A-Z]+)*$`)
	nameForm = regexp.MustCompile(`^[A-Z][A-Za-z]*$`)
	idForm   = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

func (p problem) check(areas []string) []error {
	var errs []error
	for _, rule := range []struct {
		ok   bool
		want string
	}{
		{codeForm.MatchString(p.Code), "code: words in capitals, joined by -"},
		{nameForm.MatchString(p.Name), "name: a Go identifier that is exported"},
		{slices.Contains(areas, p.Area), "area: one of " + strings.Join(areas, ", ")},
		{p.Status != "", "status: the name of an exit status"},
		{idForm.MatchString(p.MessageID), "message_id: 32 hexadecimal digits, of systemd-id128 new"},
		{p.Title != "", "title: is missing"},
		{p.Cause != "", "cause: is missing"},
		{len(p.Check) > 0, "check: is missing"},
		{p.Advice != "" || len(p.Commands) > 0, "advice or commands: one of them is needed"},
		{!slices.ContainsFunc(slices.Concat(p.Check, p.Look, p.Commands), func(argv []string) bool { return len(argv) == 0 }), "a command without a program"},
	} {
		if !rule.ok {
			errs = append(errs, errors.New(rule.want))
		}
	}
	return errs
}

// unique returns what another problem has, too.
func (p problem) unique(seen map[string]string) []error {
	var errs []error
	for _, key := range []string{"code " + p.Code, "name " + p.Name, "message_id " + p.MessageID} {
		if other, taken := seen[key]; taken {
			errs = append(errs, fmt.Errorf("%s is also that of %s", key, other))
		}
		seen[key] = p.Code
	}
	return errs
}

// initialisms keep their capitals in a Go name.
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
