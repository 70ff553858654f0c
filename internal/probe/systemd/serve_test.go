// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestServe_StartsOneUnitOnceWithoutReplacingAJob(t *testing.T) {
	c, m, b := connected(t)
	unitPath := managerPath + "/unit/justnews_2dmps_2eservice"
	state := func(s string) {
		m.set(func() {
			props := notFound(unitPath)
			props["LoadState"], props["ActiveState"] = dbus.MakeVariant("loaded"), dbus.MakeVariant(s)
			m.units[unitPath] = props
		})
	}
	state("inactive")
	m.onStart(func(unit, mode string) (dbus.ObjectPath, *dbus.Error) {
		if unit != MPSUnit || mode != "fail" {
			t.Errorf("StartUnit(%q, %q)", unit, mode)
		}
		return "/org/freedesktop/systemd1/job/7", nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var mu sync.Mutex
	var log []string
	go func() {
		ended <- serve(ctx, "unix:path="+b.socket(), func(line string) {
			mu.Lock()
			defer mu.Unlock()
			log = append(log, line)
		}, time.Minute)
	}()
	l, err := c.link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := func() (dbus.ObjectPath, error) {
		var job dbus.ObjectPath
		for {
			err := l.conn.Object(brokerName, brokerPath).CallWithContext(t.Context(), brokerName+".Start", 0).Store(&job)
			if err != nil && strings.Contains(err.Error(), "not provided by any") {
				time.Sleep(5 * time.Millisecond) // it does not own the name yet
				continue
			}
			return job, err
		}
	}
	if job, err := start(); err != nil || job != "/org/freedesktop/systemd1/job/7" {
		t.Fatalf("%s, %v", job, err)
	}
	// A flood gets one answer each and costs systemd a few questions.
	m.set(func() { m.started = 0 })
	var calls sync.WaitGroup
	began := time.Now()
	for range 500 {
		calls.Go(func() { _, _ = start() })
	}
	calls.Wait()
	if starts, _ := m.asks(); starts > 2+int(time.Since(began)/answerFor) {
		t.Errorf("%d starts in %v", starts, time.Since(began))
	}
	for s, want := range map[string]string{"active": "", "activating": "", "failed": "UnitFailed"} {
		state(s)
		time.Sleep(answerFor)
		m.set(func() { m.started = 0 })
		job, err := start()
		if starts, _ := m.asks(); starts > 0 {
			t.Errorf("%s: started", s)
		}
		if want == "" && (err != nil || job != noJob) || want != "" && (err == nil || !strings.Contains(fmt.Sprint(err), "has failed")) {
			t.Errorf("%s: %s, %v", s, job, err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(log) == 0 || !strings.HasPrefix(log[0], "start "+MPSUnit+" for uid ") {
		t.Errorf("the log is %q", log)
	}
}

func TestServe_NameOfAnotherProcessIsNotShared(t *testing.T) {
	_, _, b := connected(t)
	other, err := dbus.Connect("unix:path=" + b.socket())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.RequestName(brokerName, 0); err != nil {
		t.Fatal(err)
	}
	if err := serve(t.Context(), "unix:path="+b.socket(), func(string) {}, 10*time.Millisecond); err == nil {
		t.Error("it serves, and nobody can reach it")
	}
}

func TestServe_WaitingCallsAreLimited(t *testing.T) {
	b := newBroker(nil, nil)
	for range maxCalls {
		b.calls <- struct{}{}
	}
	refused := make(chan *dbus.Error, 1)
	go func() {
		_, err := b.Start(":1.1")
		refused <- err
	}()
	select {
	case err := <-refused:
		if err == nil || err.Name != "org.freedesktop.DBus.Error.LimitsExceeded" {
			t.Errorf("%v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits, too")
	}
}

func TestServe_ExitsWhenIdle(t *testing.T) {
	_, _, b := connected(t)
	if err := serve(t.Context(), "unix:path="+b.socket(), func(string) {}, 10*time.Millisecond); err != nil {
		t.Error(err)
	}
}

// Only where our service cannot be asked at all is systemd asked itself.
func TestServe_WithoutTheServiceSystemdIsAsked(t *testing.T) {
	c, m, _ := connected(t)
	c.byBroker = true
	asked := ""
	m.onStart(func(unit, mode string) (dbus.ObjectPath, *dbus.Error) {
		asked = unit + " " + mode
		return "", dbus.NewError("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", nil)
	})
	s, err := c.Start(t.Context(), MPSUnit)
	if err != nil || !strings.HasSuffix(s.Refused, ".InteractiveAuthorizationRequired") || asked != MPSUnit+" replace" {
		t.Errorf("%+v, %v, %q", s, err, asked)
	}
	for name, want := range map[string]bool{
		"org.freedesktop.DBus.Error.ServiceUnknown":                   true,
		"org.freedesktop.DBus.Error.Spawn.ChildExited":                true,
		"org.freedesktop.DBus.Error.AccessDenied":                     true,
		"org.freedesktop.DBus.Error.LimitsExceeded":                   false,
		"org.freedesktop.systemd1.TransactionIsDestructive":           false,
		"org.justnews.MPS1.Error.UnitFailed":                          false,
		"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": false,
	} {
		if got := brokerAbsent(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Also one that connects later: at boot the first gates start before systemd is on the bus.
func TestServe_IsUsedByEveryUserButRoot(t *testing.T) {
	for euid, want := range map[int]bool{0: false, 997: true} {
		if c := newFor(euid, ""); c.byBroker != want {
			t.Errorf("UID %d: %t", euid, c.byBroker)
		}
	}
}

// slowBroker is our service on a host that is too slow for it.
type slowBroker struct{ err string }

func (b *slowBroker) Start() (dbus.ObjectPath, *dbus.Error) {
	return noJob, dbus.NewError("org.freedesktop.DBus.Error."+b.err, []any{"too slow"})
}

func TestServe_LateAnswerIsNoRefusal(t *testing.T) {
	c, m, b := connected(t)
	c.byBroker = true
	m.onStart(func(string, string) (dbus.ObjectPath, *dbus.Error) {
		return "", dbus.NewError("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", nil)
	})
	service, err := dbus.Connect("unix:path=" + b.socket())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Close() }()
	for _, name := range []string{"Failed", "NoReply", "TimedOut"} {
		if err := service.Export(&slowBroker{name}, brokerPath, brokerName); err != nil {
			t.Fatal(err)
		}
		if _, err := service.RequestName(brokerName, dbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
		if s, err := c.Start(t.Context(), MPSUnit); err == nil || s.Refused != "" || !strings.Contains(err.Error(), "too slow") {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
