// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"justnews/internal/facts"
)

const (
	jobPath  dbus.ObjectPath = managerPath + "/job/117"
	mpsUnit                  = "justnews-mps.service"
	otherJob dbus.ObjectPath = managerPath + "/job/118"
)

func TestStart_IsFollowedUntilItsJobEnds(t *testing.T) {
	c, m, _ := connected(t)
	m.onStart(func(unit, mode string) (dbus.ObjectPath, *dbus.Error) {
		if unit != mpsUnit || mode != "replace" {
			t.Errorf("StartUnit(%q, %q)", unit, mode)
		}
		go func() {
			m.removeJob(t, otherJob, unit, "canceled") // another job of the same unit
			m.removeJob(t, jobPath, unit, "failed")
		}()
		return jobPath, nil
	})
	s, err := c.Start(t.Context(), mpsUnit)
	if err != nil || s.Result != "failed" || s.Refused != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if starts, _ := m.asks(); starts != 1 {
		t.Errorf("asked %d times, want once", starts)
	}
}

// Every process on the bus can send this one a signal, whatever it subscribed to.
func TestStart_SignalOfAnotherProcessEndsNothing(t *testing.T) {
	c, m, b := connected(t)
	forger, err := dbus.Connect("unix:path=" + b.socket())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = forger.Close() }()
	m.onStart(func(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
		forged := &dbus.Message{
			Type: dbus.TypeSignal,
			Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldDestination: dbus.MakeVariant(c.now.conn.Names()[0]), dbus.FieldPath: dbus.MakeVariant(managerPath),
				dbus.FieldInterface: dbus.MakeVariant(managerIface), dbus.FieldMember: dbus.MakeVariant("JobRemoved"),
				dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(uint32(0), jobPath, "", "")),
			},
			Body: []any{uint32(117), jobPath, unit, "forged"},
		}
		if call := forger.Send(forged, nil); call != nil && call.Err != nil {
			t.Error(call.Err)
		}
		// The bus keeps the order of what it passes on: once it answers, the forged one is on its way.
		if err := forger.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
			t.Error(err)
		}
		go m.removeJob(t, jobPath, unit, "done")
		return jobPath, nil
	})
	if s, err := c.Start(t.Context(), mpsUnit); err != nil || s.Result != "done" {
		t.Errorf("%+v, %v", s, err)
	}
}

// A second request would count against the unit's start limit, or start what was stopped meanwhile.
func TestStart_LostReplyIsNotRepeated(t *testing.T) {
	c, m, _ := connected(t)
	m.onStart(func(string, string) (dbus.ObjectPath, *dbus.Error) {
		_ = c.now.sock.Close()
		return jobPath, nil
	})
	if s, err := c.Start(t.Context(), mpsUnit); err == nil {
		t.Errorf("%+v without an answer", s)
	}
	if _, err := c.Unit(t.Context(), "justnews@scout.service"); err != nil { // over a new connection
		t.Error(err)
	}
	if starts, _ := m.asks(); starts != 1 {
		t.Errorf("asked %d times, want once", starts)
	}
}

func TestStart_RefusalIsAFact(t *testing.T) {
	c, m, _ := connected(t)
	const name = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
	m.onStart(func(string, string) (dbus.ObjectPath, *dbus.Error) {
		return "", dbus.NewError(name, []any{"Interactive authentication required."})
	})
	s, err := c.Start(t.Context(), mpsUnit)
	if want := (facts.Start{Refused: name, Detail: "Interactive authentication required.", Elapsed: s.Elapsed}); err != nil || s != want {
		t.Errorf("%+v, %v, want %+v", s, err, want)
	}
}

// The signal is lost with a bus that restarts; the job that is no longer there
// says the same.
func TestStart_UnnoticedEndOfTheJobEndsTheWait(t *testing.T) {
	c, m, _ := connected(t)
	m.onStart(func(string, string) (dbus.ObjectPath, *dbus.Error) {
		done := scout()
		done["Job"] = dbus.MakeVariant(job{0, "/"})
		m.mu.Lock()
		m.units[scoutPath] = done
		m.mu.Unlock()
		return jobPath, nil
	})
	if s, err := c.Start(t.Context(), "justnews@scout.service"); err != nil || s.Result != "" || s.Refused != "" {
		t.Errorf("%+v, %v: nobody said how it ended", s, err)
	}
}

func TestStart_DeadBusEndsTheWaitWithItsContext(t *testing.T) {
	c, m, b := connected(t)
	made := make(chan struct{})
	m.onStart(func(string, string) (dbus.ObjectPath, *dbus.Error) {
		close(made)
		return jobPath, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan facts.Start, 1)
	go func() {
		s, _ := c.Start(ctx, "justnews@scout.service") // the reply may be lost with the bus
		ended <- s
	}()
	<-made
	b.stop()
	cancel()
	if s := <-ended; s.Result != "" {
		t.Errorf("%+v: nobody said how it ended", s)
	}
}

func TestStart_EndsWithItsContext(t *testing.T) {
	c, m, _ := connected(t)
	m.onStart(func(string, string) (dbus.ObjectPath, *dbus.Error) { return jobPath, nil })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if s, err := c.Start(ctx, "justnews@scout.service"); err != nil || s.Result != "" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestStart_OnlyUnitNamesAreAccepted(t *testing.T) {
	c, m, _ := connected(t)
	for _, name := range []string{"", "mps", "a b.service", "x\n.service"} {
		if _, err := c.Start(t.Context(), name); err == nil {
			t.Errorf("%q was started", name)
		}
	}
	if starts, _ := m.asks(); starts != 0 {
		t.Errorf("%d requests reached systemd", starts)
	}
}

func TestResetFailed_UnitThatIsNotLoadedHasNotFailed(t *testing.T) {
	c, _, _ := connected(t)
	for name, want := range map[string]string{
		"justnews@scout.service": "", "gone.service": "", "denied.service": "Interactive authentication required.", "no unit": "not a unit name",
	} {
		done, err := c.ResetFailed(t.Context(), name)
		if err != nil {
			done.Detail = err.Error()
		}
		if done.Detail != want || (done.Refused != "") != (name == "denied.service") {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
	}
}
