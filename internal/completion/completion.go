// SPDX-License-Identifier: Apache-2.0

// Package completion generates the completion scripts for bash, zsh and fish
// from the model of a kong command line, so that they have exactly the
// program's commands and flags. The scripts query names of the machine, such as
// instances, at run time. It installs nothing.
package completion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Values is how an argument or a flag's value is completed. The zero value
// offers nothing.
type Values struct {
	Words   []string // these
	Command string   // the lines printed by this shell command
	Files   bool     // the names of files
	Dirs    bool     // the names of directories
}

// Script returns the script of a shell. values has the arguments and
// placeholders by name, as the help prints them: INSTANCE, FILE.
func Script(shell string, app *kong.Application, values map[string]Values) (string, error) {
	t, err := newTree(app, values)
	if err != nil {
		return "", err
	}
	switch shell {
	case "bash":
		return t.bash(), nil
	case "zsh":
		return t.zsh(), nil
	case "fish":
		return t.fish(), nil
	}
	return "", fmt.Errorf("cannot complete for %q: bash, zsh and fish are known", shell)
}

// tree is the command line in the form that the scripts need.
type tree struct {
	program string
	nodes   []node // parents before children; the first is the program itself
	flags   []flag // every flag once
}

type node struct {
	path     string // "", "/config", "/config/check"
	name     string
	help     string
	flags    []flag // its own and those that it inherits
	args     []arg
	children []node
}

type arg struct {
	name   string
	values Values
	many   bool // and all that follow
}

// flag is a flag; a negated one is a separate flag.
type flag struct {
	long, short string // with their dashes; short may be empty
	help        string
	takes       string // name of its value; "": no value
	values      Values
}

func newTree(app *kong.Application, values map[string]Values) (*tree, error) {
	t := &tree{program: app.Name}
	help := flag{long: "--help", short: "-h", help: "Show context-sensitive help."}
	t.add(app.Node, "", []flag{help}, values)
	seen := map[string]flag{}
	for _, n := range t.nodes {
		for _, f := range n.flags {
			// The scripts find a flag's value by the flag alone.
			if other, ok := seen[f.long]; ok && (other.takes != f.takes || other.short != f.short) {
				return nil, fmt.Errorf("cannot complete %s: it means different things to different commands", f.long)
			} else if !ok {
				seen[f.long] = f
				t.flags = append(t.flags, f)
			}
		}
	}
	return t, nil
}

func (t *tree) add(n *kong.Node, path string, inherited []flag, values map[string]Values) node {
	out := node{path: path, name: n.Name, help: n.Help, flags: slices.Clone(inherited)}
	for _, f := range n.Flags {
		if !f.Hidden && f.Name != "help" {
			out.flags = append(out.flags, flags(f, values)...)
		}
	}
	passOn := out.flags
	if d := n.DefaultCmd; d != nil {
		// The default command has its flags even without its name.
		for _, f := range d.Flags {
			if !f.Hidden {
				out.flags = append(out.flags, flags(f, values)...)
			}
		}
	}
	for _, p := range n.Positional {
		out.args = append(out.args, arg{strings.ToUpper(p.Name), find(values, p, p.Name), p.IsSlice()})
	}
	at := len(t.nodes)
	t.nodes = append(t.nodes, out)
	for _, c := range n.Children {
		if c.Type == kong.CommandNode && !c.Hidden {
			out.children = append(out.children, t.add(c, path+"/"+c.Name, passOn, values))
		}
	}
	t.nodes[at] = out
	return out
}

func flags(f *kong.Flag, values map[string]Values) []flag {
	out := flag{long: "--" + f.Name, help: f.Help}
	if f.Short != 0 {
		out.short = "-" + string(f.Short)
	}
	if !f.IsBool() && !f.IsCounter() {
		out.takes = cmp.Or(f.PlaceHolder, strings.ToUpper(f.Name))
		out.values = find(values, f.Value, out.takes)
	}
	all := []flag{out}
	if f.Tag.Negatable != "" {
		all = append(all, flag{long: "--no-" + f.Name, help: "Not: " + f.Help})
	}
	return all
}

func find(values map[string]Values, v *kong.Value, name string) Values {
	if v.Enum != "" {
		return Values{Words: v.EnumSlice()}
	}
	return values[strings.ToUpper(name)]
}

// function is a valid name of a shell function.
func (t *tree) function() string { return "_" + strings.ReplaceAll(t.program, "-", "_") }

// quote quotes any text as one word for bash and zsh.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// fishQuote quotes any text as one word for fish.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
