// SPDX-License-Identifier: Apache-2.0

// Command justnews-gate is the readiness gate of the JustNews services. See
// justnews-gate(8).
package main

import (
	"context"
	"io"
	"log"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/term"

	"justnews/internal/cli"
	"justnews/internal/diag"
	"justnews/internal/journal"
	"justnews/internal/probe/systemd"
	"justnews/internal/process"
	"justnews/internal/screen"
	"justnews/internal/version"
)

func init() { runtime.LockOSThread() } // process.OffMain asks for it

func main() {
	process.Protect()
	log.SetOutput(io.Discard) // net/http logs what a server sends unasked, as much as it sends
	// A gate waits most of the time. With one processor net/http's goroutines
	// switch without waking a thread: a fifth less CPU per look.
	runtime.GOMAXPROCS(1)
	ctx, stop := process.UntilSignal(context.Background(), syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	status := process.OffMain(func() diag.Status { return cli.Run(ctx, machine(), os.Args[1:]) })
	stop()
	os.Exit(int(status))
}

func machine() cli.Machine {
	return cli.Machine{
		DigestLog: cli.TakeDigestLog(os.Stdout),
		Stdout:    os.Stdout, Stderr: os.Stderr, Lookup: os.LookupEnv,
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Width:          width,
		Log:            journal.NewLog(os.Stderr, os.Getenv("JOURNAL_STREAM")),
		Version:        version.String(),
		Groups:         process.Groups(),
		NoSystemd:      !systemd.Booted(),
		Began:          process.Began,
		Exit:           os.Exit,
		Kill:           process.Kill,
		Console:        func() (cli.Console, error) { return screen.Open(os.Stdin, os.Stdout) },
	}
}

// width returns the columns of the terminal at stderr, 80 if unknown.
func width() int {
	columns, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || columns <= 0 {
		return 80
	}
	return columns
}
