// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of justnews-gate: one file for each command,
// and Run, the function through which tests run all of it in-process. It combines the
// lower floors; it judges nothing itself and never exits.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/preflight"
	"justnews/internal/process"
	"justnews/internal/report"
)

// Machine is everything outside that the program touches directly.
type Machine struct {
	Stdout, Stderr io.Writer
	// Lookup returns an environment variable.
	Lookup func(string) (string, bool)
	// StderrTerminal and StdoutTerminal report whether they are terminals.
	StderrTerminal, StdoutTerminal bool
	// Width returns the columns of the terminal at stderr.
	Width func() int
	// Log gets the messages where stderr is not a terminal; nil: Stderr as it is.
	Log     report.Sink
	Version string
	// GPU looks at the GPUs; nil: the helper of the packages does.
	GPU gate.GPU
	// Console takes over the terminal for status --watch; nil: there is none.
	Console func() (Console, error)
	// MetricsDir is where the metrics of each run go, "": to where node_exporter
	// looks.
	MetricsDir string
	// SharedDir is where the gates leave what they tell each other, "":
	// hostlock.SharedDir.
	SharedDir string
	// DigestDir is where digests are remembered, "": DigestDir.
	DigestDir string
	// DigestLog is a log there that the service manager opened for this process,
	// nil: none.
	DigestLog *os.File
	// Host is how preflight looks at the machine; nil: as it is.
	Host *preflight.Host
	// Groups name the control groups that systemd started this process in, the
	// unit's own among them; nil: something else started it.
	Groups []string
	// NoSystemd reports that systemd is not the service manager here.
	NoSystemd bool
	// Began is when the process did: what every deadline counts from. The zero
	// value: with the command.
	Began time.Time
	// Exit and Kill end the process, by an exit status or a signal. nil: nothing
	// does, and no watchdog runs.
	Exit func(status int)
	Kill func(syscall.Signal)
}

// line is the command line of all commands.
type line struct {
	Globals

	GateOnly string `name:"gate-only" placeholder:"INSTANCE" help:"Run the gate of an instance or guarded unit, as in ExecStartPre=; the same as gate INSTANCE."`

	Preflight preflightCommand `cmd:"" default:"withargs" help:"Check this host and report all findings (the default)."`
	Gate      gateCommand      `cmd:"" help:"Wait until everything that an instance needs is ready."`
	Ready     readyCommand     `cmd:"" help:"Wait until the model server is ready; for ExecStartPost= of its unit."`
	Guard     guardCommand     `cmd:"" help:"Install or uninstall the gate of a unit outside JustNews."`
	Status    statusCommand    `cmd:"" help:"Show the state of the orchestrator, models, bus, GPUs and units."`
	Watch     watchCommand     `cmd:"" help:"Keep checking once the gates are open, and report what is no longer ready; for justnews-watch.service."`
	Preload   preloadCommand   `cmd:"" help:"Request that the orchestrator preload the models."`
	Retry     retryCommand     `cmd:"" help:"Reset failed units and start all enabled instances."`
	MPS       mpsCommand       `cmd:"" name:"mps" help:"Show, start or verify NVIDIA MPS."`
	Models    modelsCommand    `cmd:"" help:"Verify or seal the Model Store."`
	Config    configCommand    `cmd:"" help:"Check, show or import the configuration."`
	History   historyCommand   `cmd:"" help:"List past runs and their results."`
	Plot      plotCommand      `cmd:"" help:"Draw a timeline of this boot, or of past runs, as SVG."`
	Nopasswd  nopasswdCommand  `cmd:"" help:"Allow a user to operate JustNews without a password, or run a gate unprivileged."`
	Explain   explainCommand   `cmd:"" help:"Print the meaning and the fix of problem codes."`

	Renew      renewCommand      `cmd:"" hidden:"" help:"Restart unused servers that run with an outdated configuration; for justnews-renew.service."`
	Candidates candidatesCommand `cmd:"" hidden:"" help:"Print what can be entered next; for the completion scripts."`
	Completion completionCommand `cmd:"" help:"Print the completion script for a shell."`
}

// gateLine is the command line of a unit's gate. Building the grammar of all commands
// takes kong 6 % of the CPU time of a gate that has nothing to wait for.
type gateLine struct {
	Globals

	Gate gateCommand `cmd:""`
}

// grammar is a command line as kong sees it.
type grammar interface{ flags() Globals }

// newLine returns the grammar of a unit's gate, or that of all commands.
func newLine(gated bool) grammar {
	if gated {
		return new(gateLine)
	}
	return new(line)
}

// Globals are the flags of every command.
type Globals struct {
	ConfigFile place            `name:"config" placeholder:"FILE" help:"Read only this configuration file."`
	Root       place            `name:"root" placeholder:"DIR" help:"Read the configuration below DIR instead of /."`
	Output     string           `name:"output" short:"o" enum:"text,json" default:"text" placeholder:"FORMAT" help:"Print text or JSON; messages go to stderr as text."`
	JSON       bool             `name:"json" help:"The same as --output json."`
	Color      string           `name:"color" enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"Colour text: auto, always or never; auto respects NO_COLOR."`
	NoColor    bool             `name:"no-color" help:"The same as --color never."`
	Verbose    bool             `name:"verbose" short:"v" help:"Be verbose: show every step with its time."`
	Version    kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

func (g Globals) flags() Globals { return g }

func (g Globals) json() bool { return g.JSON || g.Output == "json" }

// app is what all commands have in common.
type app struct {
	Machine
	Globals
	ctx  context.Context
	talk *report.Talk
	out  *output // Stdout
	told float64 // when the journal last got a line about what refuses this unit

	guarding string // the unit that this run is the gate of, "": an instance, or none

	compareNext  time.Time     // when a gate compares again what a server was started with
	comparePause time.Duration // the pause before that

	watchdog *process.Watchdog           // nil: nothing may end this process
	guarded  *atomic.Pointer[waitingRun] // what the watchdog reports a run of, nil: no run
	release  func()                      // ends the watch
	signal   syscall.Signal              // not 0: what has to end the process, whatever its status
}

// leave carries an exit that kong decides on (--help, --version) out of its
// parser, which would go on if its Exit returned.
type leave struct{ status int }

// Run runs one command line and returns the exit status. It returns soon after
// ctx ends.
func Run(ctx context.Context, m Machine, args []string) diag.Status {
	a := &app{Machine: m, ctx: ctx, out: &output{w: m.Stdout}, guarded: &atomic.Pointer[waitingRun]{}}
	a.Stdout = a.out
	a.talk = report.NewTalk(m.Stderr, m.Log, a.layoutOf(m.StderrTerminal))
	if a.Began.IsZero() {
		a.Began = time.Now()
	}
	status := a.run(args)
	if a.out.err != nil {
		a.say(diag.New(diag.Internal, "", "cannot write to standard output: "+a.out.err.Error(),
			diag.Advise("free space where the output is written, and run the same command again")))
		if status == diag.StatusReady {
			status = a.end(diag.StatusInternal)
		}
	}
	if status != diag.StatusReady {
		status = a.unlessCtrlC(status)
	}
	if a.signal != 0 && a.Kill != nil {
		a.Kill(a.signal)
	}
	return status
}

// unlessCtrlC returns the status of a run that did not pass: that of shells where
// Ctrl-C ended a run by hand. In a unit a refusal keeps the status that
// SuccessExitStatus= was compared with.
func (a *app) unlessCtrlC(status diag.Status) diag.Status {
	if gate.ByCtrlC(a.ctx) && !a.startedBySystemd() {
		return diag.StatusInterrupted
	}
	return status
}

func (a *app) run(args []string) (status diag.Status) {
	// Whatever happens, only a verdict returns 0.
	status = diag.StatusInternal
	var gated bool
	defer func() {
		switch r := recover().(type) {
		case nil:
		case leave:
			if status = diag.Status(r.status); gated {
				// No way of asking for help may open a gate.
				status = a.refused(*askedOfAGate())
			}
		default:
			a.crashed(r, debug.Stack())
			status = a.end(diag.StatusInternal)
		}
	}()
	var refused *diag.Problem
	if args, gated, refused = gateOnly(args); refused != nil {
		return a.refused(*refused)
	}
	l := newLine(gated)
	parser := newParser(l, a.Machine)
	if !gated {
		args = asFlags(parser.Model, args)
	}
	kctx, err := parser.Parse(args)
	switch {
	case a.out.err != nil: // of --help
		return a.end(diag.StatusInternal)
	case err != nil:
		return a.refused(misused(Model(), args, err)) // of all commands: the word may be one
	}
	a.Globals = l.flags()
	a.talk = report.NewTalk(a.Stderr, a.Log, a.layoutOf(a.StderrTerminal))
	a.startWatchdog()
	defer func() { a.release() }()
	if err := kctx.Run(a); err != nil {
		return a.exit(err)
	}
	return diag.StatusReady
}

func newParser(l grammar, m Machine) *kong.Kong {
	return kong.Must(l,
		kong.Name("justnews-gate"),
		kong.Description(description),
		kong.Vars{"version": "justnews-gate " + m.Version},
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(status int) { panic(leave{status}) }),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
}

// verdict is the error that carries an exit status out of a command.
type verdict struct{ status diag.Status }

func (v verdict) Error() string { return fmt.Sprintf("exit status %d", v.status) }

func ended(s diag.Status) error {
	if s == diag.StatusReady {
		return nil
	}
	return verdict{s}
}

func (a *app) exit(err error) diag.Status {
	if v, ok := errors.AsType[verdict](err); ok {
		return v.status
	}
	if a.out.err != nil { // Run says so
		return a.end(diag.StatusInternal)
	}
	return a.refused(diag.New(diag.Internal, "", err.Error(),
		diag.Advise("report it, with the output of the same command and -v")))
}

// refused reports a problem that ends a run without a result. Its exit status
// opens nothing: this can be a unit's ExecStartPre= line.
func (a *app) refused(p diag.Problem) diag.Status {
	a.say(p)
	return a.end(p.Status())
}

func (a *app) crashed(what any, stack []byte) {
	a.say(diag.New(diag.Internal, "", fmt.Sprintf("the program crashed: %v", what),
		diag.Advise("report it as a bug, with the lines below")))
	for frame := range strings.Lines(string(stack)) {
		fmt.Fprintf(a.Stderr, "  %s\n", diag.Clean(strings.TrimRight(frame, "\n")))
	}
}

// load reads the configuration. Without one, its problems are printed and the error
// has their exit status.
func (a *app) load() (*config.Config, error) {
	cfg, problems := config.Load(a.source())
	if cfg == nil {
		a.say(problems...)
		return nil, verdict{diag.StatusOf(problems)}
	}
	return cfg, nil
}

func (a *app) source() config.Source {
	return config.Source{Root: string(a.Root), File: string(a.ConfigFile), Owner: os.Getuid(), Build: a.Machine.Version}
}

// inUnit reports whether systemd started this process, or one that this one comes
// from.
func (a *app) inUnit() bool {
	_, ok := a.Lookup("INVOCATION_ID")
	return ok || a.startedBySystemd()
}

// color decides whether text is coloured: by the flags, then NO_COLOR, then
// whether it is for a terminal.
func (a *app) color(terminal bool) bool {
	switch {
	case a.NoColor || a.Color == "never":
		return false
	case a.Color == "always":
		return true
	}
	return terminal && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}
