// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/systemd"
)

// ownPatience is how long a refusal waits for systemd's answer about its unit. It
// lies within the margin that every gate keeps of its unit's timeout.
const ownPatience = 2 * time.Second

// beforeLastWords is the time left for the record then, before the watchdog.
const beforeLastWords = 50 * time.Millisecond

// refusingUnit returns the unit whose start this process refuses: its
// SuccessExitStatus= may take the refusal for success. It is asked for at the
// end: a reload during the wait may have changed the unit. And patiently, as far
// as the process's time goes: at boot the first gates start before systemd is on
// the bus.
func (a *app) refusingUnit() gate.Own {
	if !a.startedBySystemd() {
		return gate.Own{Known: true}
	}
	ctx, cancel := a.afterwards(ownPatience)
	defer cancel()
	for {
		if u, err := a.unitOfSelf(ctx); err == nil {
			return gate.Own{Unit: u, Known: u != nil}
		}
		select {
		case <-ctx.Done():
			return gate.Own{}
		case <-time.After(ownPatience / 40):
		}
	}
}

// afterwards is the context of queries after a run, limited by the process's time: a signal
// or the deadline has ended the run's own context.
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

// startedBySystemd reports whether this very process is one of a unit's commands.
// An environment file can overwrite systemd's variables, so the kernel is also queried.
// INVOCATION_ID is not used: whole sessions inherit it
// (systemd.exec(5)).
func (a *app) startedBySystemd() bool {
	return a.getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(os.Getpid()) || a.ofOurUnit()
}

// ofOurUnit reports the same for a unit of ours, or the one that this run guards, by
// the control groups alone, which the kernel reports.
func (a *app) ofOurUnit() bool {
	return slices.ContainsFunc(a.Groups, func(name string) bool {
		return name == a.guarding && name != "" || strings.HasPrefix(name, "justnews") && strings.HasSuffix(name, ".service")
	})
}

// ownService returns the service that systemd started this process in, "" for none.
// The groups of a container are those of what runs it.
func (a *app) ownService() string {
	if a.getenv("SYSTEMD_EXEC_PID") != strconv.Itoa(os.Getpid()) {
		return ""
	}
	for _, name := range slices.Backward(a.Groups) {
		if config.ServiceName(name) {
			return name
		}
	}
	return ""
}

// busAddress is the environment's address of the system bus, "": the default.
// A unit's environment files must not choose another process to answer for systemd.
func (a *app) busAddress() string {
	if a.ofOurUnit() {
		return ""
	}
	return a.getenv("DBUS_SYSTEM_BUS_ADDRESS")
}

// unitOfSelf returns the unit whose control or main process this is, nil where
// there is none.
func (a *app) unitOfSelf(ctx context.Context) (*facts.Unit, error) {
	conn, err := systemd.Open(ctx, a.busAddress())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return unitOfSelf(ctx, conn)
}

func unitOfSelf(ctx context.Context, conn *systemd.Conn) (*facts.Unit, error) {
	u, err := conn.UnitOfPID(ctx, os.Getpid())
	if err != nil || u.ControlPID != os.Getpid() && u.MainPID != os.Getpid() {
		return nil, err
	}
	return &u, nil
}
