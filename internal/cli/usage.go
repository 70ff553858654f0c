// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"justnews/internal/diag"
	"justnews/internal/spell"
)

// asFlags turns the words "help" and "version", which people type as if they
// were commands, into the flags of that name.
func asFlags(model *kong.Application, args []string) []string {
	at := firstWord(model, args)
	if at < 0 {
		return args
	}
	switch args[at] {
	case "help":
		return slices.Concat(args[:at], args[at+1:], []string{"--help"})
	case "version":
		if at == len(args)-1 {
			return slices.Concat(args[:at], []string{"--version"})
		}
	}
	return args
}

// firstWord returns where the flags of every command end and a command should
// stand, -1 where nothing does.
func firstWord(model *kong.Application, args []string) int {
	flags := map[string]*kong.Flag{}
	for _, f := range model.Flags {
		addFlag(flags, f)
	}
	for i := 0; i < len(args); i++ {
		name, _, whole := strings.Cut(args[i], "=")
		f := flags[name]
		switch {
		case !strings.HasPrefix(name, "-"):
			return i
		case f == nil:
			return -1
		case !whole && !f.IsBool():
			i++
		}
	}
	return -1
}

// addFlag adds a flag under its spellings.
func addFlag(flags map[string]*kong.Flag, f *kong.Flag) {
	flags["--"+f.Name] = f
	if f.Short != 0 {
		flags["-"+string(f.Short)] = f
	}
}

// misused explains a command line that the parser refused. Where the parser's
// own words would not help, it says what is missing or what was meant.
func misused(model *kong.Application, args []string, err error) diag.Problem {
	p := diag.Problem{Code: diag.Usage, Message: err.Error(), Fix: diag.Fix{Commands: []diag.Command{diag.Run("justnews-gate", "--help")}}}
	if flag := withoutValue(model, args); flag != nil {
		p.Message = fmt.Sprintf("--%s needs a value: --%s %s", flag.Name, flag.Name, flag.FormatPlaceHolder())
		return p
	}
	word, known, ok := unknownCommand(model, args)
	if !ok {
		return p
	}
	p.Message = fmt.Sprintf("there is no command %q", word) + spell.Hint(word, known)
	return p
}

// withoutValue returns the first flag that needs a value and has none, nil for
// none.
func withoutValue(model *kong.Application, args []string) *kong.Flag {
	flags := map[string]*kong.Flag{}
	_ = kong.Visit(model, func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok && !f.IsBool() {
			addFlag(flags, f)
		}
		return next(nil)
	})
	for i, arg := range args {
		if arg == "--" {
			return nil
		}
		if f := flags[arg]; f != nil && (i+1 == len(args) || strings.HasPrefix(args[i+1], "--")) {
			return f
		}
	}
	return nil
}

// unknownCommand returns the first word of a command line that should have been
// a command, and the commands that there are at that place.
func unknownCommand(model *kong.Application, args []string) (word string, known []string, ok bool) {
	at := firstWord(model, args)
	if at < 0 {
		return "", nil, false
	}
	args = args[at:]
	node := model.Node
	for _, arg := range args[:min(2, len(args))] {
		known = nil
		var found *kong.Node
		for _, child := range node.Children {
			if child.Hidden {
				continue
			}
			known = append(known, child.Name)
			if child.Name == arg {
				found = child
			}
		}
		if len(known) == 0 || strings.HasPrefix(arg, "-") {
			return "", nil, false
		}
		if found == nil {
			return arg, known, true
		}
		node = found
	}
	return "", nil, false
}
