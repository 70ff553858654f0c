// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/notify"
	"justnews/internal/preflight"
	"justnews/internal/probe/gpu"
	"justnews/internal/probe/host"
	"justnews/internal/probe/systemd"
	"justnews/internal/process"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

type gateCommand struct {
	Instance instance `arg:"" help:"The instance, as in justnews@INSTANCE.service, or a unit with a guard."`
	timeoutFlag
	RequireBus *bool `name:"require-bus" negatable:"" help:"Wait for the MCP bus, or do not wait for it. Overrides REQUIRE_BUS."`
}

// Run is the gate of one instance.
func (c *gateCommand) Run(a *app) error {
	name, flags := string(c.Instance), requirement.Flags{Timeout: c.Timeout.duration(), RequireBus: c.RequireBus}
	return a.waitFor(waitingRun{
		name: "gate", instance: name, unit: unitname.Of(name), guard: unitname.IsUnit(name), timeout: flags.Timeout, mayBeOff: true, run: gate.Run,
		require: func(cfg *config.Config) (requirement.Run, []diag.Problem) {
			if unitname.IsUnit(name) {
				return requirement.ForGuard(cfg, name, false, flags)
			}
			return requirement.ForInstance(cfg, name, a.lookup(cfg, name), flags)
		},
	})
}

type waitingRun struct {
	name     string
	instance string
	unit     string
	guard    bool           // of a unit that is not ours: its variables and directories are its own
	timeout  *time.Duration // --timeout, nil: not given
	mayBeOff bool           // justnews.gate=off lets it pass
	survey   bool           // it reports findings and opens nothing
	require  func(*config.Config) (requirement.Run, []diag.Problem)
	run      func(context.Context, requirement.Run, gate.World) gate.Result
}

func (a *app) waitFor(e waitingRun) error {
	a.talk.About(e.instance)
	if e.guard {
		a.guarding = e.unit
	}
	watch := a.watch()
	a.guard(e)
	res, own := a.performAndHold(e, watch)
	return ended(a.finish(e, &res, own, watch))
}

// perform returns the result of a run, whatever stops it, and the unit
// that this process runs in.
func (a *app) perform(e waitingRun, watch *report.Watch) (gate.Result, *facts.Unit) {
	began := a.Began
	if e.mayBeOff {
		if evidence, off := (host.Host{}).GateOff(); off {
			return gate.SwitchedOff(e.instance, e.unit, began, evidence), nil
		}
	}
	a.doing("reading the configuration")
	cfg, problems := config.Load(a.source())
	if cfg == nil {
		return gate.Refusal(e.instance, e.unit, began, problems), a.ownUnit(a.ctx, nil)
	}
	w, more := e.require(cfg)
	if problems = append(problems, more...); len(diag.Errors(problems)) > 0 {
		return gate.Refusal(e.instance, e.unit, began, problems), a.ownUnit(a.ctx, nil)
	}
	ctx, cancel := a.limit(w.Timeout.Value)
	defer cancel()
	if w.RequireModels {
		w.Orchestrator.Here = servedHere(a.ctx, w.Orchestrator)
		problems = append(problems, w.Remote()...)
	}
	a.doing("asking systemd")
	conn := a.openSystemd(ctx)
	defer conn.Close()
	own := a.ownUnit(ctx, conn)
	budget, conflict := gate.Budget(w.Timeout, own)
	w.Timeout = budget
	ctx, cancel = a.limit(w.Timeout.Value)
	defer cancel()
	a.doing("waiting for the mounts")
	if wrong := a.awaitMounts(ctx, w, unitsOf(conn), watch); wrong != nil {
		res := gate.Refusal(e.instance, e.unit, began, append(problems, wrong...))
		res.Timeout, res.Refused = w.Timeout, false
		return res, own
	}
	a.doing("inspecting the machine")
	x, wrong := a.openWorld(w, cfg, conn, watch)
	if wrong != nil {
		gate.Sandboxed(wrong, own, w)
		return gate.Refusal(e.instance, e.unit, began, append(problems, wrong...)), own
	}
	defer x.shut()
	x.GPU = patient(x.GPU, w.GPU)
	x.Self.Unit = own
	x.Mark = a.unitMark(e, cfg, own, conn)
	x.Began, x.Doing = began, func(step string) { a.watchdog.Now(process.Doing{What: "the step " + step, Step: step}) }
	gate.Sandboxed(x.notes, own, w)
	if own != nil && conn != nil {
		x.Renew = a.renewal(e, cfg, own, conn)
	}
	res := e.run(ctx, w, x.World)
	if res.Passed() {
		a.leaveStart(ctx, cfg, e.instance, own)
	}
	notes := append(problems, conflict...)
	res.Problems = append(append(notes, x.notes...), res.Problems...)
	return res, own
}

// patient waits as long for the driver's answer as for the driver: a slow machine, or many
// GPUs without persistence, may need longer than a glance has. One that needs no GPU does not
// wait.
func patient(g gate.GPU, w requirement.GPU) gate.GPU {
	p, ok := g.(gpu.Prober)
	if !ok || !w.Needed {
		return g
	}
	p.Limit = max(w.Patience, gpu.Limit)
	return p
}

// unitsOf keeps a nil connection from becoming an interface that is not nil.
func unitsOf(conn *systemd.Conn) gate.Units {
	if conn == nil {
		return nil
	}
	return conn
}

// ownUnit returns the unit whose control process this is, nil for a manual run or if
// systemd does not report it. It connects if there is no connection.
func (a *app) ownUnit(ctx context.Context, conn *systemd.Conn) *facts.Unit {
	if !a.inUnit() {
		return nil
	}
	if conn == nil {
		ctx, cancel := context.WithTimeout(ctx, ownPatience)
		defer cancel()
		if conn = a.openSystemd(ctx); conn == nil {
			return nil
		}
		defer conn.Close()
		return a.ownUnit(ctx, conn)
	}
	u, _ := unitOfSelf(ctx, conn)
	return u
}

// finish prints, records and notifies the result, and returns the exit status.
func (a *app) finish(e waitingRun, res *gate.Result, own *facts.Unit, watch *report.Watch) diag.Status {
	switch {
	case e.survey:
		preflight.Settle(res)
	case !res.Passed():
		a.doing("asking systemd about its own unit")
		a.signal = gate.KeepShut(res, a.refusingUnit())
		res.Elapsed = time.Since(a.Began)
	}
	if !res.Passed() {
		res.Status = a.unlessCtrlC(res.Status)
	}
	res.Problems = a.here(res.Problems)
	how, by := a.telling(e, *res, own)
	a.doing("recording the run")
	summary := a.summarize(e, *res)
	noted := func(note *diag.Problem) {
		if note != nil {
			res.Problems = append(res.Problems, *note)
			summary = a.summarize(e, *res)
		}
	}
	switch {
	case e.guard: // its journal has the run
	case !instanceUnknown(*res):
		noted(a.record(summary, res.Started))
		if a.serves(e, own) {
			noted(a.metrics(summary))
		}
	case a.serves(e, own): // its unit still runs, although it left the configuration
		_ = a.sweepMetrics()
	}
	watch.Done(*res)
	if a.json() {
		_, _ = a.Stdout.Write(summary.JSON())
	}
	lines := a.lines(e, *res, how, by)
	if e.survey && a.StderrTerminal {
		lines = report.Headed(lines)
	}
	if a.Verbose {
		lines = append(report.StepLines(*res), lines...)
	}
	a.talk.Say(lines)
	return res.Status
}

// serves reports whether this run belongs to a unit, and to its own one. own is nil if
// systemd did not report which unit it is.
func (a *app) serves(e waitingRun, own *facts.Unit) bool {
	return a.startedBySystemd() && (own == nil || e.unit == "" || own.Name == e.unit)
}

// watch returns the observer that fits where this process runs.
func (a *app) watch() *report.Watch {
	w := &report.Watch{Talk: a.talk}
	n := notify.New()
	switch {
	case n.Active():
		w.Notifier = n
	case a.StderrTerminal:
		w.Width = a.Width
	default:
		w.Log = true
	}
	return w
}
