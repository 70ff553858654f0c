// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// MPSUnit is the only unit that Serve starts. It is a constant: callers of the
// service choose neither the unit nor the job mode.
const MPSUnit = "justnews-mps.service"

const (
	brokerName = "org.justnews.MPS1" // bus name and interface
	brokerPath = dbus.ObjectPath("/org/justnews/MPS1")
	// noJob is the reply if nothing has to be started.
	noJob = dbus.ObjectPath("/")
)

const (
	// idleAfter is how long Serve waits for another call.
	idleAfter = 10 * time.Second
	// answerFor is how long a reply is reused instead of querying systemd.
	answerFor = 250 * time.Millisecond
	// maxCalls bounds the number of concurrently waiting calls.
	maxCalls = 64
)

// brokerAbsent reports whether a D-Bus error means that our service is not
// installed, cannot be activated, or is denied to this user by the bus. Then
// systemd itself is asked, and decides.
func brokerAbsent(name string) bool {
	const standard = "org.freedesktop.DBus.Error."
	rest, ok := strings.CutPrefix(name, standard)
	switch rest {
	case "ServiceUnknown", "NameHasNoOwner", "AccessDenied", "NoReply", "TimedOut":
		return ok
	}
	return strings.HasPrefix(rest, "Spawn.") || strings.HasPrefix(name, destination+".NoSuchUnit") ||
		name == destination+".UnitMasked" || name == destination+".LoadFailed"
}

// brokerLate reports whether a D-Bus error means that the bus gave up waiting for our
// service.
func brokerLate(name string) bool {
	return name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.TimedOut"
}

// brokerFailed is our service's error if systemd did not answer it.
const brokerFailed = "org.freedesktop.DBus.Error.Failed"

// broker is the only object of the service. Its exported methods can be called
// over the bus.
type broker struct {
	units *Conn
	log   func(string)

	calls  chan struct{} // one token for each waiting call
	called chan struct{}
	turn   chan struct{} // the holder of the token queries systemd
	asked  time.Time
	job    dbus.ObjectPath
	failed *dbus.Error
}

func newBroker(units *Conn, log func(string)) *broker {
	return &broker{
		units: units, log: log,
		calls: make(chan struct{}, maxCalls), called: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
}

// Start makes systemd start NVIDIA MPS if it is inactive, and returns the job,
// or "/" if there is nothing to start.
func (b *broker) Start(sender dbus.Sender) (dbus.ObjectPath, *dbus.Error) {
	select {
	case b.calls <- struct{}{}:
		defer func() { <-b.calls }()
	default:
		return noJob, dbus.NewError("org.freedesktop.DBus.Error.LimitsExceeded", []any{"too many calls at the same time"})
	}
	select {
	case b.called <- struct{}{}:
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout-2*time.Second)
	defer cancel()
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return noJob, dbus.NewError(brokerFailed, []any{"systemd does not answer"})
	}
	if b.asked.IsZero() || time.Since(b.asked) >= answerFor {
		b.job, b.failed = b.start(ctx, string(sender))
		b.asked = time.Now()
	}
	return b.job, b.failed
}

// start asks systemd. A failed unit is not started: repeated calls would
// exhaust its start limit. Mode "fail" never replaces another job.
func (b *broker) start(ctx context.Context, sender string) (dbus.ObjectPath, *dbus.Error) {
	unit, err := b.units.Unit(ctx, MPSUnit)
	switch {
	case err != nil:
		return noJob, failure(err)
	case unit.ActiveState == "failed":
		return noJob, dbus.NewError(brokerName+".Error.UnitFailed", []any{MPSUnit + " has failed; only an administrator can start it again"})
	case unit.ActiveState != "inactive":
		return noJob, nil
	}
	l, err := b.units.link(ctx)
	if err != nil {
		return noJob, failure(err)
	}
	b.log(fmt.Sprintf("start %s for %s", MPSUnit, l.caller(ctx, sender)))
	job, refused, err := l.enqueue(ctx, "StartUnit", MPSUnit, "fail")
	switch {
	case err != nil:
		return noJob, failure(b.units.unreachable(err))
	case refused != nil:
		return noJob, dbus.NewError(refused.Refused, []any{refused.Detail})
	}
	return job, nil
}

func failure(err error) *dbus.Error {
	return dbus.NewError(brokerFailed, []any{err.Error()})
}

func (l *link) caller(ctx context.Context, sender string) string {
	var uid uint32
	err := l.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetConnectionUnixUser", 0, sender).Store(&uid)
	if err != nil {
		return "a caller that has disconnected"
	}
	return fmt.Sprintf("uid %d", uid)
}

// Serve offers the start of NVIDIA MPS on the system bus, to callers that the
// bus policy allows, until it is idle or ctx ends.
func Serve(ctx context.Context, log func(string)) error {
	return serve(ctx, busAddress, log, idleAfter)
}

func serve(ctx context.Context, address string, log func(string), idle time.Duration) error {
	units, err := OpenAddress(ctx, address)
	if err != nil {
		return err
	}
	defer units.Close()
	l, err := units.link(ctx)
	if err != nil {
		return err
	}
	b := newBroker(units, log)
	if err := l.conn.Export(b, brokerPath, brokerName); err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	reply, err := l.conn.RequestName(brokerName, dbus.NameFlagDoNotQueue)
	if err != nil {
		return fmt.Errorf("cannot own %s: %w", brokerName, err)
	}
	if reply != dbus.RequestNameReplyPrimaryOwner {
		return errors.New("cannot own " + brokerName + ": another process owns it")
	}
	b.await(ctx, l.conn.Context().Done(), idle)
	// Calls delivered before the release are still answered; later ones make
	// systemd start the service again.
	_, _ = l.conn.ReleaseName(brokerName)
	for pause := 50 * time.Millisecond; ; {
		time.Sleep(pause)
		if len(b.calls) == 0 {
			return nil
		}
	}
}

// await returns when there was no call for a while, ctx ended, or the bus is
// gone.
func (b *broker) await(ctx context.Context, gone <-chan struct{}, idle time.Duration) {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-gone:
			return
		case <-b.called:
			timer.Reset(idle)
		case <-timer.C:
			return
		}
	}
}
