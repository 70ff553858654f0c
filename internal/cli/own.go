// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"justnews/internal/facts"
	"justnews/internal/probe/systemd"
)

// ownPatience is how long a refusal waits for systemd's account of its unit. It
// lies within the margin that every gate keeps of its unit's time-out.
const ownPatience = 2 * time.Second

// refusingUnit returns the unit whose start this process refuses: its
// SuccessExitStatus= may take the refusal for success. It is asked for at the
// end, and patiently: at boot the first gates start before systemd is on the
// bus, and a reload during the wait may have changed the unit. nil: no unit's
// process, or nobody can say.
func refusingUnit(lookup func(string) (string, bool)) *facts.Unit {
	if !startedBySystemd(lookup) {
		return nil
	}
	// A context of its own: a signal or the deadline has ended the run's.
	ctx, cancel := context.WithTimeout(context.Background(), ownPatience)
	defer cancel()
	for {
		u, err := unitOfSelf(ctx)
		if err == nil || errors.Is(err, systemd.ErrNoSystemd) {
			return u
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(ownPatience / 40):
		}
	}
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
