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

// MPSUnit is the only unit that Serve starts. It is a constant: whoever may call
// the service chooses neither the unit nor the mode of the job.
const MPSUnit = "justnews-mps.service"

const (
	brokerName = "org.justnews.MPS1" // of the name on the bus, and of the interface
	brokerPath = dbus.ObjectPath("/org/justnews/MPS1")
	// noJob is the answer where nothing has to be started.
	noJob = dbus.ObjectPath("/")
)

const (
	// idleAfter is how long Serve waits for another call.
	idleAfter = 10 * time.Second
	// answerFor is how long an answer is given again instead of asking systemd.
	answerFor = 250 * time.Millisecond
	// maxCalls bounds the calls that wait for an answer at the same time.
	maxCalls = 64
)

// brokerAbsent reports whether a D-Bus error says that our service is not
// installed, cannot be activated, or is closed to this user by the bus. systemd
// is asked itself then, and decides.
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

// broker is the one object of the service. Its exported methods are what the bus
// can call.
type broker struct {
	units *Conn
	log   func(string)

	calls  chan struct{} // one token for each call that waits
	called chan struct{}
	turn   chan struct{} // whoever has the token asks systemd
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

// Start has systemd start NVIDIA MPS where it is inactive, and returns the job,
// or "/" where there is nothing to start.
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
		return noJob, dbus.NewError("org.freedesktop.DBus.Error.Timeout", []any{"systemd does not answer"})
	}
	if b.asked.IsZero() || time.Since(b.asked) >= answerFor {
		b.job, b.failed = b.start(ctx, string(sender))
		b.asked = time.Now()
	}
	return b.job, b.failed
}

// start asks systemd. A failed unit is left alone: calls without end would use
// up its start limit. Mode "fail" never takes another job's place.
func (b *broker) start(ctx context.Context, sender string) (dbus.ObjectPath, *dbus.Error) {
	unit, err := b.units.Unit(ctx, MPSUnit)
	switch {
	case err != nil:
		return noJob, failure(err)
	case unit.ActiveState == "failed":
		return noJob, dbus.NewError(brokerName+".Error.UnitFailed", []any{MPSUnit + " has failed; it is for an administrator to start it again"})
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
	return dbus.NewError("org.freedesktop.DBus.Error.Failed", []any{err.Error()})
}

// caller returns who a name on the bus is.
func (l *link) caller(ctx context.Context, sender string) string {
	var uid uint32
	err := l.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetConnectionUnixUser", 0, sender).Store(&uid)
	if err != nil {
		return "a caller that has gone"
	}
	return fmt.Sprintf("uid %d", uid)
}

// Serve offers the start of NVIDIA MPS on the system bus, to whom the bus's
// policy admits, until nobody has called for a while or ctx ends.
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
		return errors.New("cannot own " + brokerName + ": somebody does already")
	}
	b.await(ctx, l.conn.Context().Done(), idle)
	// What the bus delivered before the release is still answered; what comes
	// after has systemd start the service again.
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
