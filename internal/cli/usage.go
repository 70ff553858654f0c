// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/requirement"
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

func addFlag(flags map[string]*kong.Flag, f *kong.Flag) {
	flags["--"+f.Name] = f
	if f.Short != 0 {
		flags["-"+string(f.Short)] = f
	}
}

// misused explains a command line that the parser rejected. If the parser's own message
// would not help, it describes what is missing or what was meant.
func misused(model *kong.Application, args []string, err error) diag.Problem {
	p := diag.Problem{Code: diag.Usage, Message: err.Error(), Fix: diag.Fix{Commands: []diag.Command{diag.Run("justnews-gate", "--help")}}}
	if e, ok := errors.AsType[*kong.ParseError](err); ok && e.Context != nil {
		if node := e.Context.Selected(); node != nil && slices.Contains(args, node.Name) {
			p.Fix = diag.Do(append(strings.Fields(node.FullPath()), "--help"))
		}
	}
	if text, _, ok := strings.Cut(p.Message, ", did you mean"); ok && !strings.Contains(text, " --") {
		p.Message = text // one letter resembles any other
	}
	if name, ok := strings.CutPrefix(p.Message, `expected "<`); ok {
		p.Message = "missing argument <" + strings.TrimSuffix(name, `"`)
	}
	if word, flag := oneDash(model, args); flag != nil {
		p.Message = fmt.Sprintf("unknown flag %s, did you mean \"--%s\"?", word, flag.Name)
		return p
	}
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

// oneDash returns the first word that is a flag but for its second dash: -help is parsed
// as -h -e -l -p.
func oneDash(model *kong.Application, args []string) (word string, flag *kong.Flag) {
	flags := allFlags(model)
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if f := flags["-"+name]; f != nil && strings.HasPrefix(name, "-") {
			return name, f
		}
	}
	return "", nil
}

// withoutValue returns the first flag that needs a value and has none, nil for
// none.
func withoutValue(model *kong.Application, args []string) *kong.Flag {
	flags := allFlags(model)
	for i, arg := range args {
		if arg == "--" {
			return nil
		}
		if f := flags[arg]; f != nil && !f.IsBool() && (i+1 == len(args) || strings.HasPrefix(args[i+1], "-") && args[i+1] != "-") {
			return f
		}
	}
	return nil
}

// allFlags returns the flags of all commands by how they are written.
func allFlags(model *kong.Application) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	_ = kong.Visit(model, func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok {
			addFlag(flags, f)
		}
		return next(nil)
	})
	return flags
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
			if !child.Hidden {
				known = append(known, child.Name)
			}
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

const description = `The readiness gate of the JustNews services: exits 0 only if everything is
ready, otherwise with a status that identifies the kind of problem.`

const examples = `
Examples:
  justnews-gate                                 check this host
  justnews-gate gate scout --timeout 5          can scout start now?
  justnews-gate preload --refresh --wait        load the models again and wait
  justnews-gate models verify                   verify the Model Store
  justnews-gate config check && systemctl daemon-reload
  justnews-gate status --watch                  refresh until q is pressed
  sudo justnews-gate plot > boot.svg            where the time of this boot went
  justnews-gate explain MODEL-FAILED

Files and environment:
  /etc/justnews/justnews.toml                   see justnews.toml(5)
  /etc/justnews/global.env, INSTANCE.env        the services' environment
  GATE_TIMEOUT, REQUIRE_BUS, GPU_ORCHESTRATOR_URL, MCP_BUS_URL,
  MODEL_STORE_ROOT, BASE_MODEL_DIR, STRICT_MODEL_STORE,
  CUDA_MPS_PIPE_DIRECTORY, CUDA_MPS_LOG_DIRECTORY
      override the file; flags override them. Empty means unset.

`

// printHelp prints kong's page and, for the program itself, what no command or flag
// describes.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	root := ctx.Selected() == nil
	if !root {
		hideGateOnly(ctx.Model)
	}
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil || !root {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, examples, statusTable())
	return err
}

// hideGateOnly hides the flag where a command is given: it is one of its own.
func hideGateOnly(model *kong.Application) {
	for _, f := range model.Flags {
		if f.Name == "gate-only" {
			f.Hidden = true
		}
	}
}

func statusTable() string {
	var b strings.Builder
	b.WriteString("Exit status:\n")
	for _, s := range diag.Statuses() {
		fmt.Fprintf(&b, "  %-3d %s\n", s.Status, s.Meaning)
	}
	return b.String()
}

// gateOnly turns "--gate-only INSTANCE", the line of every unit, into
// "gate INSTANCE" before any flag is parsed. INSTANCE may also be a guarded unit. It
// is a name and never a flag: an instance called --version would otherwise print the
// version, exit 0 and so open its gate.
//
// It also reports whether it did: then nothing on the line may end with 0 but a
// verdict.
func gateOnly(args []string) ([]string, bool, *diag.Problem) {
	at := slices.IndexFunc(args, func(a string) bool {
		return a == "--" || a == "--gate-only" || strings.HasPrefix(a, "--gate-only=")
	})
	if at < 0 || args[at] == "--" {
		return args, false, nil
	}
	var name string
	rest := args[at+1:]
	if value, ok := strings.CutPrefix(args[at], "--gate-only="); ok {
		name = value
	} else if len(rest) > 0 {
		name, rest = rest[0], rest[1:]
	} else {
		return nil, true, new(diag.New(diag.Usage, "", "--gate-only needs the name of an instance",
			diag.Do(diag.Run("justnews-gate", "--gate-only", "mcp_bus"))))
	}
	if name = bareInstance(name); !config.InstanceName(name) && !config.ServiceName(name) {
		return nil, true, new(requirement.NoInstanceName(name))
	}
	others := slices.Concat(args[:at], rest)
	if slices.ContainsFunc(others, func(a string) bool { return a == "--help" || a == "-h" || a == "--version" }) {
		return nil, true, askedOfAGate()
	}
	return slices.Concat(args[:at], []string{"gate", name}, rest), true, nil
}

func askedOfAGate() *diag.Problem {
	return new(diag.New(diag.Usage, "", "--gate-only cannot be combined with --help or --version",
		diag.Do(diag.Run("justnews-gate", "--help"))))
}

// Model returns the commands and flags, for what documents them.
func Model() *kong.Application {
	return newParser(new(line), Machine{Stdout: io.Discard, Stderr: io.Discard}).Model
}

// Parse returns the error with which Run would refuse a command line, and runs
// nothing.
func Parse(args []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, asked := r.(leave); !asked { // --help, --version
				panic(r)
			}
		}
	}()
	args, gated, refused := gateOnly(args)
	if refused != nil {
		return errors.New(refused.String())
	}
	_, err = newParser(newLine(gated), Machine{Stdout: io.Discard, Stderr: io.Discard}).Parse(args)
	return err
}
