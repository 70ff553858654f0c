// SPDX-License-Identifier: Apache-2.0

// Package completion completes command lines in bash, zsh and fish. The scripts
// of the shells ask the program at each Tab; Lines answers from the model of its
// kong command line, so that exactly its commands and flags are offered. It
// installs nothing.
package completion

import (
	"cmp"
	"embed"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
)

//go:embed justnews-gate.*
var scripts embed.FS

// Script returns the script of a shell: bash, zsh or fish.
func Script(shell string) (string, error) {
	text, err := scripts.ReadFile("justnews-gate." + shell)
	return string(text), err
}

// What the shell itself completes.
const (
	Files       = "files"
	Directories = "directories"
)

// Values is how an argument or a flag's value is completed. The zero value
// offers nothing.
type Values struct {
	Names func() ([]string, error) // these; none after an error
	Shell string                   // Files or Directories
}

// Lines returns what can be entered in place of the last of the words, which follow
// the program's name: a line with a word, a tab and its help for each possibility,
// or one line, Files or Directories, without a tab. The shell drops words that do not
// match what is typed of the last one. values has the arguments and placeholders by
// name, as the help prints them: INSTANCE, FILE.
func Lines(app *kong.Application, words []string, values map[string]Values) []string {
	node, arguments := app.Node, 0
	var open *kong.Flag // its value is the next word
	typed, last := words[:len(words)-1], words[len(words)-1]
	for _, word := range typed {
		child := command(node, word)
		switch {
		case open != nil:
			open = nil
		case strings.HasPrefix(word, "-"):
			open = find(node, word)
		case child != nil && arguments == 0:
			node = child
		default:
			arguments++
		}
	}
	before := ""
	if name, _, whole := strings.Cut(last, "="); whole && open == nil && strings.HasPrefix(last, "--") { // -o=json is -o with =json
		if open = find(node, name); open != nil {
			before = name + "="
		}
	}
	switch {
	case open != nil:
		return valueLines(before, open.Value, values)
	case strings.HasPrefix(last, "-"):
		return flagLines(node)
	case arguments == 0 && len(node.Children) > 0:
		return commandLines(node)
	case len(node.Positional) == 0:
		return nil
	}
	at := min(arguments, len(node.Positional)-1) // the last one may take all that follow
	if at < arguments && !node.Positional[at].IsSlice() {
		return nil
	}
	return valueLines("", node.Positional[at], values)
}

// command returns the command of that name below another one, nil for none.
func command(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name && !c.Hidden {
			return c
		}
	}
	return nil
}

// flags returns the flags that can follow a command, including those of the default
// command, which need not be named.
func flags(node *kong.Node) []*kong.Flag {
	if node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	return slices.Concat(node.AllFlags(true)...)
}

// find returns the flag that a word names and whose value is the next word, nil if
// there is none.
func find(node *kong.Node, word string) *kong.Flag {
	for _, f := range flags(node) {
		takes := !f.IsBool() && !f.IsCounter()
		if takes && (word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short)) {
			return f
		}
	}
	return nil
}

func flagLines(node *kong.Node) []string {
	var all []string
	for _, f := range flags(node) {
		all = append(all, "--"+f.Name+"\t"+f.Help)
		if f.Short != 0 {
			all = append(all, "-"+string(f.Short)+"\t"+f.Help)
		}
		if f.Tag.Negatable != "" {
			all = append(all, "--no-"+f.Name+"\tNot: "+f.Help)
		}
	}
	return all
}

func commandLines(node *kong.Node) []string {
	var all []string
	for _, c := range node.Children {
		if !c.Hidden {
			all = append(all, c.Name+"\t"+c.Help)
		}
	}
	return all
}

// valueLines returns a line for each possible value, with what is typed before it.
func valueLines(before string, v *kong.Value, values map[string]Values) []string {
	name := v.Name
	if v.Flag != nil {
		name = cmp.Or(v.Flag.PlaceHolder, name)
	}
	var all []string
	how := values[strings.ToUpper(name)]
	switch {
	case v.Enum != "":
		all = v.EnumSlice()
	case how.Names != nil:
		all, _ = how.Names()
	case how.Shell != "":
		return []string{how.Shell}
	}
	var out []string
	for _, word := range all {
		// A name may come from a file that anybody can write.
		if !strings.ContainsFunc(word, unicode.IsControl) {
			out = append(out, before+word+"\t")
		}
	}
	return out
}
