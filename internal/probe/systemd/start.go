// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"justnews/internal/facts"
)

const (
	// startTimeout bounds StartUnit itself, during which systemd asks polkit,
	// which may have to be started (35 to 110 ms); the job is bounded by ctx.
	startTimeout = 10 * time.Second
	// jobEvery is how often a job is polled in case no signal arrives: after a
	// restart of the bus daemon none ever does.
	jobEvery = 500 * time.Millisecond
)

// Start asks systemd to start a unit (mode "replace", as systemctl does) and
// follows the job until it is gone or ctx ends. Without root it uses our own
// D-Bus service for justnews-mps.service first (Serve). A refusal by systemd is
// part of the result; an error means that systemd could not be reached. The
// result "done" of a job says nothing about the state of the unit.
//
// It asks only once: repeated starts exhaust the unit's start limit.
func (c *Conn) Start(ctx context.Context, name string) (facts.Start, error) {
	return c.change(ctx, name, "start", "StartUnit")
}

// Stop asks systemd to stop a unit and follows the job, as Start does.
func (c *Conn) Stop(ctx context.Context, name string) (facts.Start, error) {
	return c.change(ctx, name, "stop", "StopUnit")
}

// Restart asks systemd to restart a unit that is active, and follows the job, as
// Start does.
func (c *Conn) Restart(ctx context.Context, name string) (facts.Start, error) {
	return c.change(ctx, name, "restart", "TryRestartUnit")
}

func (c *Conn) change(ctx context.Context, name, verb, method string) (facts.Start, error) {
	began := time.Now()
	s, err := c.job(ctx, name, method)
	s.Elapsed = time.Since(began)
	if err != nil {
		return s, fmt.Errorf("cannot %s unit %s: %w", verb, name, err)
	}
	return s, nil
}

// job makes systemd create a job for a unit, and follows it.
func (c *Conn) job(ctx context.Context, name, method string) (facts.Start, error) {
	if !isUnitName(name) {
		return facts.Start{}, errors.New("not a unit name")
	}
	l, err := c.link(ctx)
	if err != nil {
		return facts.Start{}, err
	}
	// Before the job exists, or its end could be missed. Buffered, or godbus
	// would keep a goroutine for each signal that is not received.
	removed := make(chan *dbus.Signal, 64)
	l.conn.Signal(removed)
	defer l.conn.RemoveSignal(removed)
	l.subscribe(ctx, name)

	job, refused, err := l.enqueueFor(ctx, c.byBroker && method == "StartUnit", method, name)
	switch {
	case err != nil:
		return facts.Start{}, c.unreachable(err)
	case refused != nil:
		return *refused, nil
	case job == noJob:
		return facts.Start{Result: "done"}, nil
	}
	return facts.Start{Result: c.follow(ctx, l, name, job, removed)}, nil
}

// subscribe subscribes to JobRemoved. If that fails the job is polled: on
// systemd's own socket there is no bus to subscribe to.
func (l *link) subscribe(ctx context.Context, unit string) {
	short, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_ = l.conn.AddMatchSignalContext(short,
		dbus.WithMatchSender(destination), dbus.WithMatchInterface(managerIface),
		dbus.WithMatchMember("JobRemoved"), dbus.WithMatchArg(2, unit))
	_ = l.ask(short, managerPath, managerIface+".Subscribe").Err
}

// enqueueFor is enqueue, through our own service if that exists and admits this
// user. A service that did not answer in time, or to which systemd did not, has refused
// nothing; neither has a systemd that only the service may ask.
func (l *link) enqueueFor(ctx context.Context, byBroker bool, method, unit string) (dbus.ObjectPath, *facts.Start, error) {
	if byBroker && unit == MPSUnit {
		short, cancel := context.WithTimeout(ctx, startTimeout)
		defer cancel()
		job, refused, err := stored(l.conn.Object(brokerName, brokerPath).CallWithContext(short, brokerName+".Start", 0))
		switch {
		case refused == nil:
			return job, nil, err
		case refused.Refused == brokerFailed:
			return "", nil, errors.New(refused.Detail)
		case !brokerAbsent(refused.Refused):
			return job, refused, nil
		case brokerLate(refused.Refused):
			if job, again, err := l.enqueue(ctx, method, unit, "replace"); again == nil {
				return job, nil, err
			}
			return "", nil, fmt.Errorf("%s: %s", refused.Refused, refused.Detail)
		}
	}
	return l.enqueue(ctx, method, unit, "replace")
}

// enqueue returns the job, or why systemd refused to create one.
func (l *link) enqueue(ctx context.Context, method, unit, mode string) (dbus.ObjectPath, *facts.Start, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return stored(l.ask(ctx, managerPath, managerIface+"."+method, unit, mode))
}

func stored(reply *dbus.Call) (dbus.ObjectPath, *facts.Start, error) {
	var job dbus.ObjectPath
	err := reply.Store(&job)
	if e, answered := errors.AsType[dbus.Error](err); answered {
		return "", &facts.Start{Refused: e.Name, Detail: e.Error()}, nil
	}
	return job, nil, err
}

// follow returns the result of a job, "" if ctx ended first or its end was
// missed.
func (c *Conn) follow(ctx context.Context, l *link, unit string, job dbus.ObjectPath, removed <-chan *dbus.Signal) string {
	look := time.NewTicker(jobEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ""
		case s, open := <-removed:
			if !open {
				removed = nil // the connection is gone: poll instead
				continue
			}
			if result, ours := l.jobResult(ctx, s, job); ours {
				return result
			}
		case <-look.C:
			u, err := c.Unit(ctx, unit)
			if err != nil || u.Job {
				continue
			}
			return l.drained(ctx, removed, job)
		}
	}
}

// drained checks for a signal that arrived while systemd was queried.
func (l *link) drained(ctx context.Context, removed <-chan *dbus.Signal, job dbus.ObjectPath) string {
	for {
		select {
		case s, open := <-removed:
			if !open {
				return ""
			}
			if result, ours := l.jobResult(ctx, s, job); ours {
				return result
			}
		default:
			return ""
		}
	}
}

// jobResult reads JobRemoved(u id, o job, s unit, s result) of the manager.
func (l *link) jobResult(ctx context.Context, s *dbus.Signal, job dbus.ObjectPath) (string, bool) {
	if s == nil || !strings.HasSuffix(s.Name, ".JobRemoved") || len(s.Body) < 4 {
		return "", false
	}
	path, _ := s.Body[1].(dbus.ObjectPath)
	result, ok := s.Body[3].(string)
	return result, ok && path == job && l.ofManager(ctx, s.Sender)
}

// ofManager reports whether a signal is the manager's. Any process on the bus can send one to
// this connection; the bus names its sender. On systemd's own socket nobody else sends.
func (l *link) ofManager(ctx context.Context, sender string) bool {
	if sender == "" || sender == destination {
		return true
	}
	short, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var owner string
	err := l.conn.BusObject().CallWithContext(short, "org.freedesktop.DBus.GetNameOwner", 0, destination).Store(&owner)
	return err == nil && owner == sender
}

// ResetFailed resets the failed state and the start counter of a unit. A unit that systemd has
// not loaded has neither: an instance that is stopped and that nothing wants.
func (c *Conn) ResetFailed(ctx context.Context, name string) (facts.Start, error) {
	if !isUnitName(name) {
		return facts.Start{}, errors.New("not a unit name")
	}
	l, err := c.link(ctx)
	if err != nil {
		return facts.Start{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = l.ask(ctx, managerPath, managerIface+".ResetFailedUnit", name).Err
	refused, answered := errors.AsType[dbus.Error](err)
	switch {
	case answered && refused.Name == destination+".NoSuchUnit":
		return facts.Start{}, nil
	case answered:
		return facts.Start{Refused: refused.Name, Detail: refused.Error()}, nil
	case err != nil:
		return facts.Start{}, fmt.Errorf("cannot reset unit %s: %w", name, c.unreachable(err))
	}
	return facts.Start{}, nil
}
