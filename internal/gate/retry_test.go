// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// retryHost is a systemd on which each start succeeds but that of broken.service.
type retryHost struct {
	sync.Mutex
	units    map[string]string
	restarts int
	denied   bool

	reset, started, stopped []string
}

func (h *retryHost) Unit(_ context.Context, name string) (facts.Unit, error) {
	h.Lock()
	defer h.Unlock()
	return facts.Unit{Name: name, LoadState: "loaded", ActiveState: h.units[name], Result: "exit-code", NRestarts: h.restarts}, nil
}

func (h *retryHost) UnitOfPID(context.Context, int) (facts.Unit, error) {
	return facts.Unit{}, errors.New("none")
}

func (h *retryHost) ResetFailed(_ context.Context, name string) error {
	if h.denied {
		return errors.New("interactive authentication required")
	}
	h.Lock()
	defer h.Unlock()
	h.reset = append(h.reset, name)
	if h.units[name] == "failed" {
		h.units[name] = "inactive"
	}
	return nil
}

func (h *retryHost) Start(_ context.Context, name string) (facts.Start, error) {
	h.Lock()
	defer h.Unlock()
	h.started = append(h.started, name)
	if name == "broken.service" {
		h.units[name] = "failed"
		return facts.Start{Result: "failed"}, nil
	}
	h.units[name] = "active"
	return facts.Start{Result: "done"}, nil
}

func (h *retryHost) Stop(_ context.Context, name string) (facts.Start, error) {
	h.Lock()
	defer h.Unlock()
	h.stopped = append(h.stopped, name)
	h.units[name] = "inactive"
	return facts.Start{Result: "done"}, nil
}

func TestRetry_EndsAWaitingStart(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "activating", "b.service": "active"}, restarts: 1}
	r := retryOn(t, h, "a.service", "b.service")
	if !r.Passed() || !slices.Equal(h.stopped, []string{"a.service"}) || !slices.Equal(h.started, []string{"a.service"}) {
		t.Errorf("%+v stopped %q started %q", r, h.stopped, h.started)
	}
}

func retryOn(t *testing.T, h *retryHost, start ...string) Result {
	t.Helper()
	w := requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}}
	return Retry(t.Context(), w, World{Units: h, Starter: h}, Again{Reset: start, Start: start}, h)
}

func TestRetry_ResetsAndStartsInactiveUnits(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed", "b.service": "active"}}
	r := retryOn(t, h, "a.service", "b.service")
	if !r.Passed() || !slices.Equal(h.reset, []string{"a.service", "b.service"}) || !slices.Equal(h.started, []string{"a.service"}) {
		t.Errorf("%+v reset %q started %q", r, h.reset, h.started)
	}
}

func TestRetry_ReportsUnitsThatAreStillDown(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed", "broken.service": "failed"}}
	r := retryOn(t, h, "a.service", "broken.service")
	if r.Passed() || len(r.Problems) != 1 || r.Problems[0].Code != diag.UnitFailed || r.Problems[0].Subject != "broken.service" || r.Problems[0].Fix.Empty() {
		t.Errorf("%+v", r)
	}
}

func TestRetry_PermissionErrorNamesTheRequiredGroup(t *testing.T) {
	h := &retryHost{units: map[string]string{"a.service": "failed"}, denied: true}
	r := retryOn(t, h, "a.service")
	if r.Passed() || len(h.started) != 0 || len(r.Problems) != 1 || r.Problems[0].Fix.String() != "sudo justnews-gate retry" {
		t.Errorf("%+v", r)
	}
}

// A gate that leads waits for the orchestrator that a retry has stopped: the retry must
// not wait for that gate before it starts the orchestrator.
func TestRetry_WaitingLeaderDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(2, time.Second))
		leader := h.lock.ticket()
		if led, err := leader.TryExclusive(); err != nil || !led {
			t.Fatal(led, err)
		}
		units := &retryHost{units: map[string]string{"orchestrator.service": "inactive"}}
		x := h.world()
		x.Units, x.Starter = units, units
		w := requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}, RequireModels: true}
		r := Retry(t.Context(), w, x, Again{Start: []string{"orchestrator.service"}}, units)
		if !r.Passed() || !slices.Equal(units.started, []string{"orchestrator.service"}) || r.Elapsed > 3*time.Second {
			t.Errorf("%v, started %q after %v", r.Problems, units.started, r.Elapsed)
		}
	})
}
