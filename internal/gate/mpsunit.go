// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/mps"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// awaitUnit waits until the daemon's unit is active, and starts it if nothing else does.
func (m *mpsRunner) awaitUnit(ctx context.Context) []diag.Problem {
	if m.want.Unit == "" {
		return nil
	}
	if m.world.Units == nil {
		m.notes = append(m.notes, checkunit.NoSystemd(diag.Notice, m.want.Unit, "the unit's state is not checked"))
		return nil
	}
	for {
		unit, err := m.world.Units.Unit(ctx, m.want.Unit)
		if err == nil {
			m.unit, m.known = unit, true
			done, problems := m.react(ctx, mps.Unit(unit))
			if done {
				return problems
			}
		} else if ctx.Err() == nil {
			// It can be asked again later, and the daemon proven without it.
			m.notes = append(m.notes, checkunit.SystemdSilent(m.want.Unit, "the unit's state is not checked", err.Error()).As(diag.Notice))
			return nil
		}
		m.say("mps", "waiting for "+m.want.Unit+": "+m.unitState(), 0, 0)
		if !pause(ctx, m.jitter(pollMPS)) {
			return []diag.Problem{m.notActive()}
		}
	}
}

// react returns true if there is nothing left to wait for.
func (m *mpsRunner) react(ctx context.Context, j check.Judgement) (bool, []diag.Problem) {
	switch j.State {
	case check.Ready:
		m.want.UnitActive, m.want.MainPID = true, m.unit.MainPID
		return true, nil
	case check.Failed:
		if m.retry(ctx) {
			return false, nil
		}
		return true, []diag.Problem{mps.UnitProblem(m.unit, j, m.want)}
	case check.Idle:
		if m.res.MPS.Started || m.world.Starter == nil {
			return true, []diag.Problem{mps.NotStarted(facts.Start{}, m.unit, m.want, m.caller(), !m.world.Self.InUnit)}
		}
		return m.start(ctx)
	default:
		if m.unit.ActiveState != "inactive" {
			return false, nil
		}
		// Its job is queued, and may be waiting for this very gate. Who waits for
		// whom takes some dozens of questions to find out.
		if time.Since(m.searched) < searchEvery {
			return false, nil
		}
		m.searched = time.Now()
		if deadlock := m.deadlock(ctx); deadlock != nil {
			return true, []diag.Problem{*deadlock}
		}
		return false, nil
	}
}

// failedFor is how long a failed unit is left alone. The packaged one is restarted by
// systemd; any other is started by the first gate of this host that finds it failed,
// and for the other gates it has then just been tried.
const failedFor = 30 * time.Second

// retry restarts a unit that failed a while ago, or was skipped because of a condition that
// may be met by now. It reports whether to look at the unit again.
func (m *mpsRunner) retry(ctx context.Context) bool {
	if m.res.MPS.Started || m.world.Starter == nil || m.unit.LoadState != "loaded" {
		return false
	}
	// A unit that is skipped again costs nothing: systemd makes no process of it.
	skipped := m.unit.ActiveState == "inactive"
	if !skipped && (m.world.Uptime == nil || m.world.Uptime()-m.unit.Times.InactiveEnter < failedFor) {
		return false
	}
	if m.deadlock(ctx) != nil {
		return false
	}
	m.res.MPS.Started = true
	// What became of it is seen at the next look, and it is tried once.
	_, err := m.world.Starter.Start(ctx, m.want.Unit)
	return err == nil
}

// start starts the unit, once, unless that would wait for this gate itself.
func (m *mpsRunner) start(ctx context.Context) (bool, []diag.Problem) {
	if deadlock := m.deadlock(ctx); deadlock != nil {
		return true, []diag.Problem{*deadlock}
	}
	m.say("mps", "starting "+m.want.Unit, 0, 0)
	m.res.MPS.Started = true
	started, err := m.world.Starter.Start(ctx, m.want.Unit)
	if err != nil {
		return true, []diag.Problem{mps.NotAsked(m.want, err.Error())}
	}
	// "done" is not "active", and "failed" may have been followed by a restart.
	unit, err := m.world.Units.Unit(ctx, m.want.Unit)
	switch {
	case err == nil:
		m.unit = unit
	case started.Refused == "" && started.Result == "": // what was seen before says nothing now
		late := check.Judgement{Reason: "its start job had not finished after " + started.Elapsed.Round(time.Second).String()}
		return true, []diag.Problem{mps.UnitProblem(m.unit, late, m.want)}
	}
	j := mps.Unit(m.unit)
	if started.Refused == "" && (j.State == check.Ready || j.State == check.Pending) {
		return false, nil
	}
	return true, []diag.Problem{mps.NotStarted(started, m.unit, m.want, m.caller(), !m.world.Self.InUnit)}
}

// maxOrder bounds the search for a deadlock, in units; searchEvery is how often
// it is made while a job is queued.
const (
	maxOrder    = 64
	searchEvery = 5 * time.Second
)

// deadlock looks for a way on which the daemon's unit waits for the unit whose
// gate this is.
func (m *mpsRunner) deadlock(ctx context.Context) *diag.Problem {
	own := m.world.Self.Unit
	if own == nil || own.Name == m.want.Unit {
		return nil
	}
	if slices.Contains(m.unit.Conflicts, own.Name) || slices.Contains(own.Conflicts, m.want.Unit) {
		return mps.Deadlock([]string{own.Name, m.want.Unit}, true, m.want)
	}
	units := map[string]facts.Unit{own.Name: *own, m.want.Unit: m.unit}
	queue := slices.Clone(m.unit.After)
	for len(queue) > 0 && len(units) < maxOrder {
		name := queue[0]
		queue = queue[1:]
		if _, seen := units[name]; seen {
			continue
		}
		u, err := m.world.Units.Unit(ctx, name)
		if err != nil {
			continue
		}
		if units[name] = u; u.Job {
			queue = append(queue, u.After...)
		}
	}
	return mps.Deadlock(mps.Waits(own.Name, m.want.Unit, units), false, m.want)
}

// notActive is the problem at the deadline.
func (m *mpsRunner) notActive() diag.Problem {
	if !m.known {
		return mps.NotReported(m.want)
	}
	return mps.UnitProblem(m.unit, mps.Unit(m.unit), m.want)
}

func (m *mpsRunner) unitState() string {
	if !m.known {
		return "systemd has not answered"
	}
	return cmp.Or(mps.Unit(m.unit).Reason, m.unit.ActiveState)
}

func (m *mpsRunner) caller() string { return cmp.Or(m.world.Self.User, "this user") }
