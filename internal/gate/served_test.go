// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// unitsByName answers for units; err comes first.
type unitsByName struct {
	unit facts.Unit
	err  error
	asks int
}

func (u *unitsByName) Unit(context.Context, string, ...string) (facts.Unit, error) {
	u.asks++
	return u.unit, u.err
}

type groupsByPath map[string][]uint64

func (g groupsByPath) Groups(path string) []uint64 { return g[path] }

// from returns an answer as package orchestrator does with WithProof.
func from(ctx context.Context, o *Origin, server facts.Server) facts.Answer {
	a := facts.Answer{Kind: facts.Answered, Status: 200, Server: server}
	if kind, why := o.Prove(ctx, server); kind != facts.Answered {
		a.Kind, a.Detail = kind, why
	}
	return a
}

func TestOrigin_AnswersOfOthersAreDiscarded(t *testing.T) {
	units := &unitsByName{unit: facts.Unit{Name: "x.service", ActiveState: "active", ControlGroup: "/x"}}
	for name, tc := range map[string]struct {
		origin *Origin
		group  uint64
		want   facts.AnswerKind
	}{
		"the unit's own":            {&Origin{Unit: "x.service", Units: units}, 5, facts.Answered},
		"another's":                 {&Origin{Unit: "x.service", Units: units}, 6, facts.Foreign},
		"no unit of this host":      {&Origin{Units: units}, 6, facts.Answered},
		"by hand, no systemd":       {&Origin{Unit: "x.service"}, 6, facts.Answered},
		"in a unit without systemd": {&Origin{Unit: "x.service", Must: true}, 5, facts.Unattributed},
		"systemd does not answer":   {&Origin{Unit: "x.service", Units: &unitsByName{err: errors.New("no")}}, 5, facts.Unattributed},
	} {
		t.Run(name, func(t *testing.T) {
			tc.origin.Groups = groupsByPath{"/x": {5}}
			if a := from(t.Context(), tc.origin, facts.Server{Local: true, Group: tc.group, UID: 1, Accepted: true}); a.Kind != tc.want {
				t.Errorf("%+v, want %d", a, tc.want)
			}
		})
	}
}

// What systemd said before does not apply to the socket of another process, and a unit that was
// restarted is recognized again.
func TestOrigin_NewSocketIsProvenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := &unitsByName{unit: facts.Unit{Name: "x.service", ActiveState: "active", ControlGroup: "/x"}}
		groups := groupsByPath{"/x": {5}}
		origin := &Origin{Unit: "x.service", Units: units, Groups: groups}
		from := func(group uint64) facts.AnswerKind {
			time.Sleep(2 * unitEvery)
			return from(t.Context(), origin, facts.Server{Local: true, Group: group, UID: 1, Accepted: true}).Kind
		}
		if first, foreign := from(5), from(6); first != facts.Answered || foreign != facts.Foreign {
			t.Errorf("the unit's own %d, another's %d", first, foreign)
		}
		units.err = errors.New("no answer from systemd")
		if own, other := from(5), from(6); own != facts.Answered || other != facts.Unattributed {
			t.Errorf("while systemd is silent: the unit's own %d, another's %d", own, other)
		}
		units.err, groups["/x"] = nil, []uint64{6}
		if restarted := from(6); restarted != facts.Answered {
			t.Errorf("the unit's own after its restart: %d", restarted)
		}
	})
}

func TestOrigin_SystemdIsAskedOnlyIfNeeded(t *testing.T) {
	units := &unitsByName{unit: facts.Unit{Name: "x.service", ActiveState: "active", ControlGroup: "/x"}}
	o := &Origin{Unit: "x.service", Units: units, Groups: groupsByPath{"/x": {5}}}
	for range 100 {
		o.Prove(t.Context(), facts.Server{Local: true, Group: 5})
	}
	if units.asks != 1 {
		t.Errorf("asked %d times", units.asks)
	}
}

func TestOrigin_WhatTheRunAskedNeedNotBeAskedAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		asked string
		group uint64
		asks  int
		want  facts.AnswerKind
	}{
		"the unit":                 {"x.service", 5, 1, facts.Answered},
		"another's answer":         {"x.service", 6, 3, facts.Foreign}, // its group, then all of it
		"another unit":             {"y.service", 5, 2, facts.Answered},
		"another's, asked already": {"y.service", 6, 3, facts.Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			units := &unitsByName{unit: facts.Unit{Name: "x.service", ActiveState: "active", ControlGroup: "/x"}}
			origin := &Origin{Unit: "x.service", Units: units, Groups: groupsByPath{"/x": {5}}}
			if _, err := origin.Learn(units).Unit(t.Context(), tc.asked); err != nil {
				t.Fatal(err)
			}
			a := from(t.Context(), origin, facts.Server{Local: true, Group: tc.group, UID: 1, Accepted: true})
			if a.Kind != tc.want || units.asks != tc.asks {
				t.Errorf("%v after %d questions, want %v after %d", a, units.asks, tc.want, tc.asks)
			}
		})
	}
}

// hungUnits answers when its caller gives up.
type hungUnits struct{ asked chan struct{} }

func (u hungUnits) Unit(ctx context.Context, _ string, _ ...string) (facts.Unit, error) {
	u.asked <- struct{}{}
	<-ctx.Done()
	return facts.Unit{}, ctx.Err()
}

func TestOrigin_LooksDoNotWaitForEachOther(t *testing.T) {
	units := hungUnits{make(chan struct{}, 2)}
	o, server := &Origin{Unit: "x.service", Units: units}, facts.Server{Local: true, Group: 5}
	long, endLong := context.WithCancel(t.Context())
	short, endShort := context.WithCancel(t.Context())
	var posted, looked sync.WaitGroup
	posted.Go(func() { o.Prove(long, server) })
	<-units.asked
	looked.Go(func() { o.Prove(short, server) })
	endShort()
	done := make(chan struct{})
	go func() { looked.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute): // it waits for the request to load
		t.Error("a look that was given up did not return")
	}
	endLong()
	posted.Wait()
}

// busOf answers as the bus.
type busOf struct {
	origin *Origin
	server facts.Server
}

func (b busOf) Health(ctx context.Context) facts.BusHealth {
	return facts.BusHealth{Answer: from(ctx, b.origin, b.server), State: "ok"}
}

func TestOrigin_BusOfAnotherUnitIsAnImpostor(t *testing.T) {
	units := &unitsByName{unit: facts.Unit{Name: "x.service", ActiveState: "active", ControlGroup: "/x"}}
	bus := busOf{&Origin{Unit: "x.service", Units: units, Groups: groupsByPath{"/x": {5}}}, facts.Server{Local: true, Group: 6}}
	w := requirement.Run{Timeout: requirement.Timeout{Value: time.Minute}, Bus: requirement.Service{URL: "http://127.0.0.1:8000", Unit: "x.service"}}
	res := run(t.Context(), w, World{Bus: bus, Units: units}, []step{busStep}, stopAtFirst)
	if res.Passed() || res.Status != diag.StatusNonsense || len(res.Problems) != 1 || res.Problems[0].Code != diag.BusImpostor {
		t.Errorf("%+v", res)
	}
}

// The listener of a socket unit may be made in that unit's control group.
func TestOrigin_SocketUnitMakesTheListener(t *testing.T) {
	uid := 990
	units := unitFunc(func(name string) (facts.Unit, error) {
		switch name {
		case "x.service":
			return facts.Unit{Name: name, ActiveState: "active", ControlGroup: "/x", UID: &uid, TriggeredBy: []string{"x.path", "gone.socket", "x.socket"}}, nil
		case "gone.socket":
			return facts.Unit{ControlGroup: "/gone"}, errors.New("no such unit")
		}
		return facts.Unit{Name: name, ControlGroup: "/" + name}, nil
	})
	groups := groupsByPath{"/x": {5}, "/x.socket": {6}, "/gone": {7}, "/x.path": {8}, "/init.scope": {9}}
	for group, want := range map[uint64]facts.AnswerKind{5: facts.Answered, 6: facts.Answered, 7: facts.Foreign, 8: facts.Foreign, 9: facts.Answered} {
		a := from(t.Context(), &Origin{Unit: "x.service", Units: units, Groups: groups}, facts.Server{Local: true, Group: group, UID: uid, Accepted: true})
		if a.Kind != want {
			t.Errorf("group %d: %+v", group, a)
		}
	}
}

// A control group that is not known is none of the unit's.
func TestOrigin_UnknownGroupIsNotTheUnits(t *testing.T) {
	uid := 990
	units := &unitsByName{unit: facts.Unit{Name: "x.service", ActiveState: "active", ControlGroup: "/x", UID: &uid}}
	o := &Origin{Unit: "x.service", Units: units, Groups: groupsByPath{"/x": {1, 5}}}
	own := from(t.Context(), o, facts.Server{Local: true, Group: 5})
	other := from(t.Context(), o, facts.Server{Local: true, Group: 1, UID: 1000, Accepted: true})
	if own.Kind != facts.Answered || other.Kind != facts.Foreign {
		t.Errorf("%+v, %+v", own, other)
	}
}
