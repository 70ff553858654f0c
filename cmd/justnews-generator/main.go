// SPDX-License-Identifier: Apache-2.0

// Command justnews-generator is a systemd generator (systemd.generator(7)): it
// turns /etc/justnews/justnews.toml into drop-ins that keep every instance of
// justnews@.service from starting before its gate has passed. It uses no
// network, D-Bus or name service, and starts no process.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/term"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/plan"
	"justnews/internal/version"
)

func main() {
	debug.SetTraceback("crash") // a crash is a signal, whatever the environment sets
	// A run of milliseconds needs no garbage collection; the limit is for the
	// largest possible configuration.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)
	os.Exit(int(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)))
}

func run(args []string, getenv func(string) string, stdout, stderr io.Writer) diag.Status {
	opts, err := parse(args)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n%s", emit.Program, err, usage)
		return diag.StatusUsage
	case opts.help:
		return printed(io.WriteString(stdout, usage+help))
	case opts.version:
		return printed(fmt.Fprintln(stdout, emit.Program, version.String()))
	}
	voice := emit.Voice{
		Stderr: stderr,
		System: !opts.dryRun && !opts.hasRoot && !term.IsTerminal(int(os.Stderr.Fd())),
		Socket: emit.JournalSocket, KernelLog: emit.KernelLog,
	}
	g := emit.Generator{
		Dir: opts.dir, DryRun: opts.dryRun, Stdout: stdout, Getenv: getenv,
		Load: func() (*config.Config, []diag.Problem) {
			return config.Load(config.Source{Root: opts.root, Owner: os.Getuid()})
		},
		Look: func() plan.Machine { return emit.Look(opts.root, getenv) },
		GiveUp: func(status diag.Status, problems []diag.Problem) {
			voice.Say(problems)
			os.Exit(int(status)) //nolint:revive // the deadline was reached: a hang must not block the boot
		},
	}
	status, problems := g.Run()
	voice.Say(problems)
	return status
}

func printed(_ int, err error) diag.Status {
	if err != nil {
		return diag.StatusInternal
	}
	return diag.StatusReady
}
