// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"os"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/notify"
	"justnews/internal/probe/host"
	"justnews/internal/probe/systemd"
	"justnews/internal/report"
	"justnews/internal/wish"
)

type gateCommand struct {
	Instance   instance `arg:"" help:"The instance, as in justnews@INSTANCE.service."`
	Timeout    span     `name:"timeout" placeholder:"TIME" help:"Total budget of the run: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
	RequireBus *bool    `name:"require-bus" negatable:"" help:"Wait for the MCP bus, or not. Overrides REQUIRE_BUS."`
}

// Run is the gate of one instance.
func (c *gateCommand) Run(a *app) error {
	name := string(c.Instance)
	return a.waitFor(errand{
		name: "gate", instance: name, unit: wish.InstanceUnit(name), mayBeOff: true, run: gate.Run,
		wish: func(cfg *config.Config) (wish.Wish, []diag.Problem) {
			return wish.ForInstance(cfg, name, a.Lookup, wish.Flags{Timeout: c.Timeout.pointer(), RequireBus: c.RequireBus})
		},
	})
}

// errand is one run that waits: what it is about and how it goes.
type errand struct {
	name     string
	instance string
	unit     string
	mayBeOff bool // justnews.gate=off lets it pass
	survey   bool // it reports findings and opens nothing
	wish     func(*config.Config) (wish.Wish, []diag.Problem)
	run      func(context.Context, wish.Wish, gate.World) gate.Result
}

// waitFor does an errand from the configuration to the record.
func (a *app) waitFor(e errand) error {
	began := time.Now()
	a.talk.About(e.instance)
	watch := a.watch()
	res, own := a.perform(e, began, watch)
	status := a.finish(e, &res, own, watch)
	return ended(status)
}

// perform returns the result of an errand, whatever stops it, and the unit
// that this process runs in.
func (a *app) perform(e errand, began time.Time, watch *report.Watch) (gate.Result, *facts.Unit) {
	if e.mayBeOff {
		if evidence, off := (host.Host{}).GateOff(); off {
			return gate.SwitchedOff(e.instance, e.unit, began, evidence), nil
		}
	}
	cfg, problems := config.Load(a.source())
	if cfg == nil {
		return gate.Refusal(e.instance, e.unit, began, problems), a.ownUnit(nil)
	}
	a.listed = instanceNames(cfg)
	w, more := e.wish(cfg)
	if problems = append(problems, more...); len(diag.Errors(problems)) > 0 {
		return gate.Refusal(e.instance, e.unit, began, problems), a.ownUnit(nil)
	}
	if w.RequireModels {
		problems = append(problems, w.Remote()...)
	}
	conn := openSystemd(a.ctx)
	if conn != nil {
		defer conn.Close()
	}
	own := a.ownUnit(conn)
	budget, conflict := gate.Budget(w.Timeout, own)
	w.Timeout = budget
	x, wrong := a.openWorld(w, cfg, conn, watch)
	if wrong != nil {
		return gate.Refusal(e.instance, e.unit, began, append(problems, wrong...)), own
	}
	defer x.shut()
	x.Self.Unit = own
	res := e.run(a.ctx, w, x.World)
	notes := append(problems, conflict...)
	res.Problems = append(append(notes, x.notes...), res.Problems...)
	return res, own
}

// ownUnit returns the unit that this process is the control process of, nil
// for a run by hand. Without a connection it makes one: even a refusal has to
// know which exit statuses would open the gate.
func (a *app) ownUnit(conn *systemd.Conn) *facts.Unit {
	if !inUnit(a.Lookup) {
		return nil
	}
	if conn == nil {
		if conn = openSystemd(a.ctx); conn == nil {
			return nil
		}
		defer conn.Close()
	}
	u, err := conn.UnitOfPID(a.ctx, os.Getpid())
	if err != nil || (u.ControlPID != os.Getpid() && u.MainPID != os.Getpid()) {
		return nil
	}
	return &u
}

// finish says, records and notifies what came out, and returns the exit
// status.
func (a *app) finish(e errand, res *gate.Result, own *facts.Unit, watch *report.Watch) diag.Status {
	switch {
	case e.survey:
		settleSurvey(res)
	case !res.Passed():
		gate.KeepShut(res, cmp.Or(refusingUnit(a.Lookup), own))
	}
	summary := a.summarize(e, *res)
	noted := func(note *diag.Problem) {
		if note != nil {
			res.Problems = append(res.Problems, *note)
			summary = a.summarize(e, *res)
		}
	}
	if !ofNobody(*res) {
		noted(a.record(summary, res.Started))
		if a.serves(e, own) {
			noted(a.metrics(summary))
		}
	}
	watch.Done(*res)
	if a.json() {
		if text, err := summary.JSON(); err == nil {
			_, _ = a.Stdout.Write(text)
		}
	}
	lines := report.Lines(e.name, *res)
	if e.survey && a.StderrTerminal {
		lines = report.Headed(lines)
	}
	if a.Verbose {
		lines = append(report.StepLines(*res), lines...)
	}
	a.talk.Say(lines)
	return res.Status
}

// serves reports whether this run is that of a unit, and of no other one than
// the errand's own. own is nil where systemd did not say which unit it is.
func (a *app) serves(e errand, own *facts.Unit) bool {
	return startedBySystemd(a.Lookup) && (own == nil || e.unit == "" || own.Name == e.unit)
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

func (a *app) source() config.Source {
	return config.Source{Root: string(a.Root), File: string(a.ConfigFile), Owner: os.Getuid()}
}
