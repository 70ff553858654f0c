// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of justnews-gate: one file for each command,
// and Run, the seam through which tests drive all of it in-process. It puts
// together what the lower floors offer; it judges nothing itself and never
// exits.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"justnews/internal/diag"
	"justnews/internal/report"
)

// Machine is everything outside that the program touches directly.
type Machine struct {
	Stdout, Stderr io.Writer
	// Lookup returns an environment variable.
	Lookup func(string) (string, bool)
	// StderrTerminal and StdoutTerminal tell whether a person looks.
	StderrTerminal, StdoutTerminal bool
	// Width returns the columns of the terminal at stderr.
	Width func() int
	// Log is where talk goes that no person sits before; nil: Stderr as it is.
	Log     report.Sink
	Version string
}

// line is the whole command line as kong sees it.
type line struct {
	Globals

	GateOnly string `name:"gate-only" placeholder:"INSTANCE" help:"The gate of one instance, as ExecStartPre= runs it: the same as 'gate INSTANCE'."`

	Preflight preflightCommand `cmd:"" default:"withargs" help:"All checks of this host, all findings (the default)."`
	Gate      gateCommand      `cmd:"" help:"Wait until everything that an instance needs is proven ready."`
	Status    statusCommand    `cmd:"" help:"Orchestrator, models, bus and units at a glance."`
	Preload   preloadCommand   `cmd:"" help:"Ask the orchestrator to load its models, and follow it."`
	Config    configCommand    `cmd:"" help:"Check or show the configuration."`
	Explain   explainCommand   `cmd:"" help:"The meaning and the cure of a problem code."`
}

// Globals are the flags of every command.
type Globals struct {
	ConfigFile string           `name:"config" placeholder:"FILE" help:"Read only this configuration file."`
	Root       string           `name:"root" placeholder:"DIR" help:"Read configuration below DIR instead of /."`
	Output     string           `name:"output" short:"o" enum:"text,json" default:"text" help:"Print text or json."`
	JSON       bool             `name:"json" help:"The same as --output json."`
	Color      string           `name:"color" enum:"auto,always,never" default:"auto" help:"Colour the text: auto, always or never. NO_COLOR is respected."`
	NoColor    bool             `name:"no-color" help:"The same as --color never."`
	Verbose    bool             `name:"verbose" short:"v" help:"Say more: the steps with their times."`
	Version    kong.VersionFlag `name:"version" help:"Print the version and end."`
}

func (g Globals) json() bool { return g.JSON || g.Output == "json" }

// app is what a command gets to work with.
type app struct {
	Machine
	Globals
	ctx  context.Context
	talk *report.Talk
}

const description = `The readiness gate of the JustNews services: exits 0 only when what it was
asked for is proven, else with a status that names the cause.`

// leave carries an exit that kong decides on (--help, --version) out of its
// parser, which would go on if its Exit returned.
type leave struct{ status int }

// Run runs one command line and returns the exit status. It returns soon after
// ctx ends.
func Run(ctx context.Context, m Machine, args []string) (status diag.Status) {
	// Whatever happens, only a verdict returns 0.
	status = diag.StatusInternal
	defer func() {
		switch r := recover().(type) {
		case nil:
		case leave:
			status = diag.Status(r.status)
		default:
			fmt.Fprintf(m.Stderr, "justnews-gate: error: %s: %v\n", diag.Internal, r)
			status = diag.StatusInternal
		}
	}()
	args, refused := gateOnly(args)
	if refused != nil {
		return refuseUsage(m, *refused)
	}
	var l line
	parser, err := newParser(&l, m)
	if err != nil {
		fmt.Fprintf(m.Stderr, "justnews-gate: error: %s: %v\n", diag.Internal, err)
		return diag.StatusInternal
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		return refuseUsage(m, usageProblem(err))
	}
	a := &app{Machine: m, Globals: l.Globals, ctx: ctx}
	a.talk = report.NewTalk(m.Stderr, m.Log, a.color(m.StderrTerminal))
	if err := kctx.Run(a); err != nil {
		return a.exit(err)
	}
	return diag.StatusReady
}

func newParser(l *line, m Machine) (*kong.Kong, error) {
	return kong.New(l,
		kong.Name("justnews-gate"),
		kong.Description(description+"\n\n"+statusTable()),
		kong.Vars{"version": "justnews-gate " + m.Version},
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(status int) { panic(leave{status}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
}

func statusTable() string {
	var b strings.Builder
	b.WriteString("Exit status:\n")
	for _, s := range diag.Statuses() {
		fmt.Fprintf(&b, "  %-3d %s\n", s.Status, s.Meaning)
	}
	return b.String()
}

// verdict is the error that carries an exit status out of a command.
type verdict struct{ status diag.Status }

func (v verdict) Error() string { return fmt.Sprintf("exit status %d", v.status) }

// ended returns the error for an exit status, nil for success.
func ended(s diag.Status) error {
	if s == diag.StatusReady {
		return nil
	}
	return verdict{s}
}

func (a *app) exit(err error) diag.Status {
	var v verdict
	if errors.As(err, &v) {
		return v.status
	}
	a.talk.Say(report.ProblemLines([]diag.Problem{{
		Code: diag.Internal, Message: err.Error(),
		Fix: "report it, with the output of the same command and -v",
	}}))
	return diag.StatusInternal
}

func usageProblem(err error) diag.Problem {
	return diag.Problem{
		Code: diag.Usage, Message: err.Error(), Fix: "justnews-gate --help",
	}
}

func refuseUsage(m Machine, p diag.Problem) diag.Status {
	talk := report.NewTalk(m.Stderr, m.Log, false)
	talk.Say(report.ProblemLines([]diag.Problem{p}))
	return p.Status()
}

// inUnit tells whether systemd started this process.
func inUnit(lookup func(string) (string, bool)) bool {
	_, ok := lookup("INVOCATION_ID")
	return ok
}

// color decides whether text is coloured: the flag, then NO_COLOR, then
// whether a person looks.
func (g Globals) colorMode() string {
	if g.NoColor {
		return "never"
	}
	return g.Color
}

func (a *app) color(terminal bool) bool {
	switch a.colorMode() {
	case "always":
		return true
	case "never":
		return false
	}
	if v, ok := a.Lookup("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, _ := a.Lookup("TERM"); v == "dumb" {
		return false
	}
	return terminal
}
