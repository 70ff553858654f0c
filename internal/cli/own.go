// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"strconv"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/systemd"
)

// ownPatience is how long a refusal waits for systemd's account of its unit. It
// lies within the margin that every gate keeps of its unit's time-out.
const ownPatience = 2 * time.Second

// beforeLastWords is what is left then for the record, before the watchdog.
const beforeLastWords = 50 * time.Millisecond

// refusingUnit returns the unit whose start this process refuses: its
// SuccessExitStatus= may take the refusal for success. It is asked for at the
// end: a reload during the wait may have changed the unit. And patiently, as far
// as the process's time goes: at boot the first gates start before systemd is on
// the bus.
func (a *app) refusingUnit() gate.Own {
	if !startedBySystemd(a.Lookup) {
		return gate.Own{Known: true}
	}
	ctx, cancel := a.afterwards(ownPatience)
	defer cancel()
	for {
		if u, err := unitOfSelf(ctx); err == nil {
			return gate.Own{Unit: u, Known: u != nil}
		}
		select {
		case <-ctx.Done():
			return gate.Own{}
		case <-time.After(ownPatience / 40):
		}
	}
}

// afterwards is the context of what is asked after a run, as far as the process's
// time goes: a signal or the deadline has ended the run's own.
func (a *app) afterwards(patience time.Duration) (context.Context, context.CancelFunc) {
	if left, limited := a.watchdog.Left(); limited {
		patience = min(patience, left-beforeLastWords)
	}
	return context.WithTimeout(context.Background(), patience)
}

// end returns the status to exit with after a refusal, and notes the signal that
// has to end the process instead.
func (a *app) end(refusal diag.Status) diag.Status {
	status, s := gate.Shut(refusal, a.refusingUnit())
	a.signal = s
	return status
}

// startedBySystemd tells whether this very process is one of a unit's commands.
// It does not ask INVOCATION_ID, which whole sessions inherit (systemd.exec(5)).
func startedBySystemd(lookup func(string) (string, bool)) bool {
	pid, _ := lookup("SYSTEMD_EXEC_PID")
	return pid == strconv.Itoa(os.Getpid())
}

// unitOfSelf returns the unit whose control or main process this is, nil where
// there is none.
func unitOfSelf(ctx context.Context) (*facts.Unit, error) {
	conn, err := systemd.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	u, err := conn.UnitOfPID(ctx, os.Getpid())
	if err != nil {
		return nil, err
	}
	if u.ControlPID != os.Getpid() && u.MainPID != os.Getpid() {
		return nil, nil
	}
	return &u, nil
}
