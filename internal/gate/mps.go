// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// proofLimit bounds all tries to prove a daemon that should be up: it answers
// milliseconds after its start. A server that is being initialized is waited for until
// the deadline.
const proofLimit = 10 * time.Second

// pollMPS is the pause between two tries, with jitter. Each question costs the
// daemon five lines of its log.
const pollMPS = 250 * time.Millisecond

type mpsRunner struct {
	*runner
	want     mps.Wanted
	own      mps.Audit  // the instance's own unit, as far as it is known
	unit     facts.Unit // of the daemon, as last seen
	known    bool       // systemd said something of it
	notes    []diag.Problem
	problems []diag.Problem // why the last try proved nothing
	asked    bool           // a server was asked for
	searched time.Time      // when a deadlock was last looked for
	limits   bool           // the daemon's default limits are still to be set
	starting bool           // the last try found a server that is being initialized
}

// awaitMPS makes sure that NVIDIA MPS works for the instance: that nothing in
// its own unit keeps it away, that the daemon's unit is active, and that the
// daemon is proven up to mps.require.
func awaitMPS(ctx context.Context, r *runner) outcome {
	m := newMPSRunner(r)
	audit := m.audit(ctx)
	if len(diag.Errors(audit)) > 0 {
		return outcome{detail: "the unit's settings prevent its program from using MPS", problems: audit}
	}
	m.notes = append(m.notes, audit...)
	if problems := m.awaitUnit(ctx); len(problems) > 0 {
		return outcome{detail: m.unitState(), problems: append(m.notes, problems...)}
	}
	return m.prove(ctx)
}

func newMPSRunner(r *runner) *mpsRunner {
	r.res.MPS = MPSResult{Required: mps.RungOf(r.req.MPS.Require), Unit: r.req.MPS.Unit}
	return &mpsRunner{runner: r, want: mps.Wanted{MPS: r.req.MPS, Unused: r.req.MPSUnused, UID: r.world.Self.AgentUID}}
}

// proveMPS is awaitMPS inside the daemon's own unit.
func proveMPS(ctx context.Context, r *runner) outcome {
	m := newMPSRunner(r)
	if own := r.world.Self.Unit; own != nil && own.Name == m.want.Unit {
		m.want.UnitActive, m.want.OwnUnit = true, true
		if private := mps.OutOfReach(*own, m.want); private != nil {
			return outcome{detail: private.Message, problems: []diag.Problem{*private}}
		}
	}
	m.limits = mps.LimitsWanted(r.req.MPS)
	return m.prove(ctx)
}

// audit judges the instance's own unit. In that unit the gate's environment is the
// program's; in a manual run, systemd reports a part of it.
func (m *mpsRunner) audit(ctx context.Context) []diag.Problem {
	a := mps.Audit{Unit: m.req.Unit, PipeDirectory: m.want.PipeDirectory, Limits: m.req.InstanceMPS, Visible: m.req.VisibleDevices}
	own := m.world.Self.Unit
	switch {
	case own != nil && own.Name == m.req.Unit:
		a.Lookup, a.Sandbox = m.world.Self.Environment, &own.Sandbox
		m.want.PrivateTmp = own.Sandbox.PrivateTmp
	case m.world.Units != nil && m.req.Unit != "":
		u, err := m.world.Units.Unit(ctx, m.req.Unit)
		switch {
		case err != nil:
			a.Lookup = m.withoutSystemd()
		case u.LoadState != "loaded":
			return nil
		default:
			a.Lookup, a.Sandbox, a.Files = mps.Variables(u), &u.Sandbox, len(u.EnvironmentFiles) > 0
			if m.want.UID == nil {
				m.want.UID = u.UID
			}
		}
	default:
		a.Lookup = m.withoutSystemd()
	}
	m.own = a
	return mps.AuditUnit(a)
}

// withoutSystemd is what a gate in its instance's unit knows without systemd, its
// environment; nil: nothing.
func (m *mpsRunner) withoutSystemd() func(name string) (string, bool) {
	if m.world.Self.Unit != nil || !m.world.Self.InUnit || m.req.Unit == "" {
		return nil
	}
	return m.world.Self.Environment
}

func (m *mpsRunner) prove(ctx context.Context) outcome {
	until, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	for within := until; ; {
		before := m.problems
		reached := m.climb(within)
		m.res.MPS.Reached = max(m.res.MPS.Reached, reached)
		if reached >= m.res.MPS.Required && len(diag.Errors(m.problems)) == 0 {
			m.res.MPS.Reached = reached
			return outcome{passed: true, detail: fmt.Sprintf("MPS %s verified", reached), problems: append(m.notes, m.problems...)}
		}
		if within.Err() != nil && len(before) > 0 { // cut off: what the whole tries found counts
			m.problems = before
			break
		}
		if mps.Hopeless(reached, m.problems, m.want) {
			break
		}
		m.say("mps", "NVIDIA MPS is not verified yet: "+m.reason(), 0, 0)
		if within = until; m.starting {
			within = ctx
		}
		if !pause(within, m.jitter(pollMPS)) {
			break
		}
	}
	m.res.MPS.Reached = mps.NoRung
	return outcome{detail: m.reason(), problems: append(m.notes, m.problems...)}
}

// climb returns the rung that one try reached, and keeps what stopped it.
func (m *mpsRunner) climb(ctx context.Context) mps.Rung {
	m.starting = false
	m.refreshMainPID(ctx)
	look := m.world.MPS.Look()
	m.problems = mps.Daemon(look, m.want)
	if pid := m.want.MainPID; len(diag.Errors(m.problems)) > 0 {
		if m.refreshMainPID(ctx); m.want.MainPID != pid { // it was restarted between the two
			look = m.world.MPS.Look()
			m.problems = mps.Daemon(look, m.want)
		}
	}
	m.res.MPS.Daemon = look.Lock.PID
	if len(diag.Errors(m.problems)) > 0 {
		return mps.NoRung
	}
	if m.res.MPS.Required == mps.RungDaemon && !mps.LimitsWanted(m.req.MPS) {
		if unseen := mps.Unseen(look, m.want); unseen != nil {
			m.problems = append(m.problems, *unseen)
			return mps.NoRung
		}
		return mps.RungDaemon
	}
	if m.problems = append(m.problems, mps.Partitions(look, m.own)...); len(diag.Errors(m.problems)) > 0 {
		return mps.RungDaemon
	}
	answer := m.ask(ctx)
	if answer.Kind != facts.MPSAnswered {
		// Only now the interfering process is visible.
		m.problems = append(m.problems, mps.Control(answer, m.world.MPS.Look(), m.want)...)
		return mps.RungDaemon
	}
	if wrong := mps.Defaults(answer, m.want); wrong != nil {
		m.problems = append(m.problems, *wrong)
		return mps.RungDaemon
	}
	if m.res.MPS.Required <= mps.RungControl {
		return mps.RungControl
	}
	return m.climbToServer(ctx, look)
}

// refreshMainPID queries the main process again: systemd may have restarted it since. Inside
// the daemon's own unit it is 0 if the daemon has ended, as it does at once if there is
// another daemon in its directory. In an instance's unit the previous one is kept until there
// is a new one, so that a stray daemon that blocks its return proves nothing. If systemd does
// not answer, only the previous one may hold the lock, and another is not called a stray.
func (m *mpsRunner) refreshMainPID(ctx context.Context) {
	if !m.want.UnitActive {
		return
	}
	if m.want.OwnUnit && m.want.MainPID == 0 {
		m.want.MainPID = m.world.Self.Unit.MainPID
	}
	if m.world.Units == nil {
		return
	}
	u, err := m.world.Units.Unit(ctx, m.want.Unit)
	if m.want.Silent = err != nil; err == nil && (m.want.OwnUnit || u.MainPID > 0) {
		m.want.MainPID = u.MainPID
	}
}

// ask queries the daemon over one console, including the limits to read back; in the daemon's
// own unit it sets these first.
func (m *mpsRunner) ask(ctx context.Context) facts.MPSAnswer {
	want := m.req.MPS
	if m.limits {
		m.res.MPS.Asked++
		if a := m.world.MPS.SetLimits(ctx, mps.MemoryLimits(want), want.DefaultThreads); a.Kind != facts.MPSAnswered {
			return a
		}
		m.limits = false
	}
	m.res.MPS.Asked++
	return m.world.MPS.Ask(ctx, mps.AskMemoryLimits(want)...)
}

// climbToServer wants a server of the agents' user, and the same one a second
// later: one that crashes at once is on the list for a moment.
func (m *mpsRunner) climbToServer(ctx context.Context, look facts.MPS) mps.Rung {
	servers, list := m.world.MPS.Servers(ctx)
	m.res.MPS.Asked++
	first := mps.ActiveServer(servers, look, m.want)
	if first == nil && list.Kind == facts.MPSAnswered && !m.asked && m.want.UID != nil {
		if a := m.world.MPS.StartServer(ctx, *m.want.UID); a.Kind != facts.MPSAnswered {
			m.problems = append(m.problems, mps.Control(a, look, m.want)...)
			return mps.RungControl
		}
		m.asked = true // once: the daemon tries for itself from then on
	}
	if first != nil && pause(ctx, time.Second) {
		again, answer := m.world.MPS.Servers(ctx)
		second := mps.ActiveServer(again, look, m.want)
		if second != nil && second.PID == first.PID {
			m.res.MPS.Server = first.PID
			return mps.RungServer
		}
		servers, list = again, answer
	}
	m.starting = mps.Initializing(servers, look, m.want)
	problems := mps.Servers(servers, list, look, m.want)
	if len(problems) == 0 {
		problems = mps.Servers(nil, facts.MPSAnswer{Kind: facts.MPSAnswered}, look, m.want)
		problems[0].Seen = "its server exited within a second"
	}
	m.problems = append(m.problems, problems...)
	return mps.RungControl
}

func (m *mpsRunner) reason() string {
	if errs := diag.Errors(m.problems); len(errs) > 0 {
		return errs[0].Message
	}
	return "nothing was verified"
}

// MPSGlance is what one look at NVIDIA MPS found.
type MPSGlance struct {
	MPSResult
	Look     facts.MPS
	Unit     *facts.Unit // of the daemon, nil: no unit of this host, or nobody to ask
	Problems []diag.Problem
	// Partitions are the static partitions of the daemon, MLOPart the parts of GPUs
	// that it shows as devices; both in its own words.
	Partitions, MLOPart []string
}

// GlanceMPS looks at MPS and climbs as far as mps.require asks, once. It starts
// nothing. A question that another console broke off is asked again, a few
// times.
func GlanceMPS(ctx context.Context, w requirement.Run, world World) MPSGlance {
	began := time.Now()
	res := Result{}
	m := newMPSRunner(&runner{req: w, world: world, began: began, until: began.Add(proofLimit), res: &res})
	g := MPSGlance{}
	if m.want.Unit != "" && world.Units != nil {
		if unit, err := world.Units.Unit(ctx, m.want.Unit); err == nil {
			m.unit, m.known, g.Unit = unit, true, &unit
			g.Problems = append(g.Problems, m.glanceUnit()...)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	for range glanceTries {
		if m.res.MPS.Reached = m.climb(ctx); m.res.MPS.Reached >= m.res.MPS.Required || !brokenOff(m.problems) || !pause(ctx, m.jitter(pollMPS)) {
			break
		}
	}
	g.Look, g.MPSResult = world.MPS.Look(), res.MPS
	if g.Reached >= mps.RungControl && g.Look.Daemon != nil && g.Look.Daemon.Static() {
		g.Partitions = mps.Named(world.MPS.Ask(ctx, mps.AskPartitions), "")
	}
	if g.Server > 0 {
		g.MLOPart = mps.Named(world.MPS.Ask(ctx, mps.AskDevices), "MLOPart")
	}
	g.Problems = append(g.Problems, m.problems...)
	g.Problems = append(g.Problems, Opinion(ctx, w, world, g.Reached)...)
	return g
}

// Opinion reports an MPS state of the orchestrator that differs from the verified one.
func Opinion(ctx context.Context, w requirement.Run, world World, reached mps.Rung) []diag.Problem {
	if world.Adviser == nil {
		return nil
	}
	if p := mps.Opinion(world.Adviser.MPS(ctx), reached, w.Orchestrator.URL); p != nil {
		return []diag.Problem{*p}
	}
	return nil
}

const glanceTries = 3

// glanceUnit judges the unit without waiting for it. A unit that is inactive is
// named by the daemon that is missing, if that is so.
func (m *mpsRunner) glanceUnit() []diag.Problem {
	j := mps.Unit(m.unit)
	switch j.State {
	case check.Ready:
		m.want.UnitActive, m.want.MainPID = true, m.unit.MainPID
	case check.Failed:
		return []diag.Problem{mps.UnitProblem(m.unit, j, m.want)}
	}
	return nil
}

// brokenOff reports whether another console was in the way.
func brokenOff(problems []diag.Problem) bool {
	return slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Code == diag.MPSBusy || p.Code == diag.MPSEmpty })
}
