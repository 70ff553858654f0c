// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/process"
	"justnews/internal/report"
)

// startWatchdog sets the one watchdog of this process. It ends a command soon after
// a signal, whatever that waits for: a file system that never answers would keep it
// from seeing one. limited and guard give it a deadline as well.
func (a *app) startWatchdog() {
	a.release = func() {}
	if a.Exit == nil {
		return
	}
	a.watchdog = &process.Watchdog{Report: a.hung, End: func() {
		status := diag.StatusTimeout
		if a.guarded.Load() == nil {
			status = a.unlessCtrlC(status)
		}
		a.endNow(status)
	}}
	unhook := context.AfterFunc(a.ctx, a.watchdog.Asked)
	a.release = func() {
		unhook()
		// In a unit nothing that follows a run may hang either.
		if a.guarded.Load() == nil || !a.startedBySystemd() {
			a.watchdog.Stop()
		}
	}
}

// limited ends a command that only looks after a limit, whatever does not answer.
func (a *app) limited(name string, limit time.Duration) {
	a.doing(name)
	a.watchdog.Until(a.Began.Add(limit))
}

// completing is how long a shell waits for words.
const completing = 2 * time.Second

// defaultBudget is gate.timeout's default: all that is known of a run before its
// configuration is read.
const defaultBudget = 180 * time.Second

// guard limits a run, first to the time that is known before any file is read.
func (a *app) guard(e waitingRun) {
	budget := defaultBudget
	if value, ok := a.Lookup("GATE_TIMEOUT"); ok && !e.guard {
		if d, err := config.Timeout(value); err == nil {
			budget = d
		}
	}
	if e.timeout != nil {
		budget = *e.timeout
	}
	a.guarded.Store(&e)
	a.limited("the start of the run", budget)
}

// limit sets the deadline of the run, which counts from the process's start. The
// context is for all that can be waited for; the watchdog is for what can't.
func (a *app) limit(budget time.Duration) (context.Context, context.CancelFunc) {
	deadline := a.Began.Add(budget)
	a.watchdog.Until(deadline)
	return context.WithDeadline(a.ctx, deadline)
}

// doing tells the watchdog what runs outside the steps of a run.
func (a *app) doing(what string) { a.watchdog.Now(process.Doing{What: what}) }

// hung reports why the watchdog ends this process, and records a run that it ends.
func (a *app) hung(doing process.Doing) {
	e := a.guarded.Load()
	switch { // talk may block, and so may the record
	case e != nil:
		res := gate.Hung(e.instance, e.unit, a.Began, doing.What, doing.Step, host.Host{}.CPUPressure(), host.CPUWait())
		go a.talk.Say(report.Lines(e.name, res))
		if !e.guard {
			_ = a.record(a.summarize(*e, res), res.Started)
		}
	case a.ctx.Err() != nil:
		go a.say(gate.Cut(a.ctx))
	default:
		go a.say(gate.Hung("", "", a.Began, doing.What, "", host.Host{}.CPUPressure(), host.CPUWait()).Problems...)
	}
}

func (a *app) endNow(status diag.Status) {
	// It is too late to query which statuses systemd treats as success.
	if a.startedBySystemd() {
		a.Kill(process.Unlisted)
	}
	a.Exit(int(status))
}
