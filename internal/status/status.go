// SPDX-License-Identifier: Apache-2.0

// Package status gives an overview of a host: it looks at everything once,
// groups the findings by cause, and summarizes the state of the host in one
// line. It waits for nothing and prints nothing.
package status

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/gpu"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/lists"
	"justnews/internal/probe/host"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

// The states of a host.
const (
	Up       = "up"
	Starting = "starting"
	Stopped  = "stopped"
	Degraded = "degraded" // all are up, and something is wrong
	Down     = "down"
	Unknown  = "unknown" // systemd did not report every unit, and nothing else is wrong
)

// Answers is the state of a server that answers.
const Answers = "answers"

// Host is what one look at everything found.
type Host struct {
	report.HostStatus

	// Unconfigured reports that no instance is configured.
	Unconfigured bool
	Loading      bool // the models are on their way
	GPUNeeded    bool // a configuration that can be read asks for one
	GPUThere     bool
	SafeMode     bool // the orchestrator reports it, and the gates honor it
	// Target and Preload are justnews.target and justnews-preload.service.
	Target, Preload facts.Unit

	seen   map[string]facts.Unit // by instance
	unseen int                   // instances that systemd did not report
}

// New is a host before the first look.
func New() *Host {
	return &Host{seen: map[string]facts.Unit{}, HostStatus: report.HostStatus{
		Schema: report.SchemaVersion, State: Down, Causes: []report.Cause{},
		Orchestrator: report.ServerStatus{State: "not asked"}, Bus: report.ServerStatus{State: "not asked"},
		Models: report.ModelsStatus{State: "unknown", Expected: -1, Errors: []facts.ModelError{}},
		GPU:    report.GPUs{State: "not asked", Devices: []report.GPU{}},
		Units:  []report.UnitStatus{},
	}}
}

// Look asks everything once.
func (h *Host) Look(ctx context.Context, cfg *config.Config, w requirement.Run, x gate.World, marks map[string]facts.Mark) {
	s := checkorchestrator.Subject{
		URL: w.Orchestrator.URL, Unit: w.Orchestrator.Unit, Map: w.Models.Map, Expected: x.Map.Total,
		Models: x.Map.Models, Protocol: x.Protocol,
	}
	if x.Units != nil && s.Unit != "" {
		if u, err := x.Units.Unit(ctx, s.Unit); err == nil {
			s.Stale = checkorchestrator.Stale(s.Map, x.Map.Changed, u)
		}
	}
	gpus := make(chan facts.GPULook, 1)
	go func() { gpus <- x.GPU.Look(ctx) }() // which takes as long as all the others together, if the driver hangs
	health := x.Orchestrator.Health(ctx)
	h.SafeMode = w.HonorSafeMode && health.SafeMode
	models := x.Orchestrator.Models(ctx, true)
	w.Expected, w.FailFast = x.Map.Total, true
	w.Preload = x.Required(w.Preload, models)
	s.Empty = w.Empty
	judged := checkorchestrator.Models(models, w.Preload)
	bus := x.Bus.Health(ctx)
	h.Orchestrator = report.ServerStatus{URL: w.Orchestrator.URL, State: answerState(health.Answer)}
	h.Bus = report.ServerStatus{URL: w.Bus.URL, State: answerState(bus.Answer)}
	h.Models = report.ModelsStatus{
		State: judged.State.String(), Reason: report.Brief(judged.Reason), Done: judged.Done, Total: judged.Total,
		Expected: x.Map.Total, Errors: cleanErrors(judged.Errors),
	}
	h.Problems = append(h.Problems, x.Map.Problems...)
	if h.Loading = judged.State == check.Pending; !h.Loading {
		h.Problems = append(h.Problems, checkorchestrator.Glance(judged, models, s)...)
	}
	if check.Reach(health.Answer) != check.Ready && judged.State != check.Unreachable {
		h.Problems = append(h.Problems, checkorchestrator.Silent(s, health, facts.Readiness{})...)
	}
	h.Problems = append(h.Problems, busProblems(cfg, w, bus)...)
	if w.RequireMPS {
		found := gate.GlanceMPS(ctx, w, x)
		h.MPS, h.Problems = MPS(cfg, w, found), append(h.Problems, found.Problems...)
	}
	h.lookAtGPUs(<-gpus, w.GPU)
	h.LookAtUnits(ctx, cfg, w, x.Units, marks)
	h.doubt(w, health.Late || models.Late, bus.Late)
	h.Problems = checkorchestrator.WhySilent(h.Problems, diag.OrchestratorUnreachable, h.seen[cmp.Or(unitname.Instance(w.Orchestrator.Unit), w.Orchestrator.Unit)])
	h.Problems = checkorchestrator.WhySilent(h.Problems, diag.BusUnreachable, h.seen[unitname.Instance(w.Bus.Unit)])
	if h.refusedForTheStore() {
		h.Problems = append(h.Problems, diag.Errors(gate.GlanceStore(ctx, w, x))...)
	}
	x.Self.Overridden(h.Problems, w)
}

// lookAtGPUs keeps the problems of the GPUs. Recommendations, and the lack of a GPU on a host
// that needs none, are left to preflight.
func (h *Host) lookAtGPUs(look facts.GPULook, want requirement.GPU) {
	h.GPU, h.GPUNeeded, h.GPUThere = *report.GPUsOf(&look), want.Needed, look.Kind == facts.GPUAnswered
	problems := gpu.Judge(look, want)
	h.Problems = append(h.Problems, slices.DeleteFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Notice })...)
}

// busProblems are only warnings if no instance waits for the bus.
func busProblems(cfg *config.Config, w requirement.Run, b facts.BusHealth) []diag.Problem {
	problems := checkorchestrator.Bus(w.Bus.URL, w.Bus.Unit, b)
	if len(cfg.Instances) == 0 && !cfg.AnyGuard(func(g config.Guard) bool { return g.RequireBus }) {
		return nil
	}
	if !slices.ContainsFunc(cfg.Instances, func(i config.Instance) bool { return i.RequireBus }) {
		return diag.AtWorst(problems, diag.Warning)
	}
	return problems
}

// LookAtUnits asks systemd about every instance, and adds the units of the two
// servers to their answers.
func (h *Host) LookAtUnits(ctx context.Context, cfg *config.Config, w requirement.Run, units gate.Units, marks map[string]facts.Mark) {
	if units == nil {
		return
	}
	type gated struct {
		name    string
		enabled bool
		mark    facts.Mark
	}
	all := lists.Map(cfg.Instances, func(i config.Instance) gated { return gated{i.Name, i.Enabled, marks[i.Name]} })
	for _, g := range cfg.Guards {
		mark := marks[g.Unit]
		mark.After = g.After()
		all = append(all, gated{g.Unit, true, mark})
	}
	for n, i := range all {
		if !h.lookAtUnit(ctx, units, i.name, i.enabled, i.mark) {
			h.unseen = len(all) - n
			return
		}
		seen := h.Units[len(h.Units)-1]
		switch unitname.Of(i.name) {
		case w.Orchestrator.Unit:
			h.Orchestrator.Unit = &seen
		case w.Bus.Unit:
			h.Bus.Unit = &seen
		}
	}
	h.lookAtOthers(ctx, units)
}

// doubt takes back what one look cannot know. Where systemd did not answer, it may be busy
// with a reload, or have no CPU, and a server whose unit is not known may be starting. One
// that is late may be busy, as while it loads the models.
func (h *Host) doubt(w requirement.Run, orchestratorLate, busLate bool) {
	if orchestratorLate && h.PreloadPending() && !unit.Refuses(h.Preload) {
		h.Loading = true
		h.Problems = slices.DeleteFunc(h.Problems, func(p diag.Problem) bool { return p.Code == diag.OrchestratorUnreachable })
	}
	for i, p := range h.Problems {
		switch p.Code {
		case diag.ServerUnproven:
			if h.unseen > 0 {
				h.Problems[i].Severity = diag.Warning
			}
		case diag.OrchestratorUnreachable:
			h.Problems[i].Fix = h.again(p.Fix, w.Orchestrator.Unit, h.Orchestrator.Unit, orchestratorLate)
		case diag.BusUnreachable:
			h.Problems[i].Fix = h.again(p.Fix, w.Bus.Unit, h.Bus.Unit, busLate)
		}
	}
}

// again is the fix of a server that does not answer, or another look first.
func (h *Host) again(fix diag.Fix, name string, seen *report.UnitStatus, late bool) diag.Fix {
	look := diag.Run("justnews-gate", "status")
	switch {
	case h.unseen > 0 && name != "" && seen == nil:
		return diag.Advise("look again when systemd answers, since its unit may be starting", look)
	case late:
		again := diag.Advise("look again, since it may be busy, and restart it only if it stays silent", look)
		again.Look = fix.Look
		return again
	}
	return fix
}

// LoadedUnits is a systemd that lists what it has loaded.
type LoadedUnits interface {
	gate.Units
	Units(ctx context.Context, pattern string) ([]string, error)
}

// LookAtLoaded asks systemd about the instances that it has loaded.
func (h *Host) LookAtLoaded(ctx context.Context, conn LoadedUnits) {
	names, err := conn.Units(ctx, unitname.Of("*"))
	if err != nil {
		return // the configuration is what is wrong here
	}
	for _, name := range names {
		instance := unitname.Instance(name)
		if !config.InstanceName(instance) {
			continue
		}
		if u, err := conn.Unit(ctx, name); err == nil && unit.WordOf(u, true) == unit.Missing {
			continue // another unit names it
		}
		h.lookAtUnit(ctx, conn, instance, true, facts.Mark{})
	}
	h.lookAtOthers(ctx, conn)
}

// Unlisted warns about the instances that systemd has, other than stopped, and the
// configuration does not list.
func Unlisted(ctx context.Context, cfg *config.Config, conn LoadedUnits) []diag.Problem {
	names, err := conn.Units(ctx, unitname.Of("*"))
	if err != nil {
		return nil // the queries about the units say so
	}
	listed := cfg.InstanceNames()
	var problems []diag.Problem
	for _, name := range names {
		if slices.Contains(listed, unitname.Instance(name)) {
			continue
		}
		if u, err := conn.Unit(ctx, name); err == nil && !slices.Contains([]unit.Word{unit.Missing, unit.Masked, unit.Stopped}, unit.WordOf(u, true)) {
			problems = append(problems, unlisted(cfg, u))
		}
	}
	return problems
}

func unlisted(cfg *config.Config, u facts.Unit) diag.Problem {
	p := requirement.UnknownInstance(cfg, unitname.Instance(u.Name)).As(diag.Warning)
	word := unit.WordOf(u, true)
	p.Subject, p.Seen = u.Name, string(word)
	commands := []diag.Command{diag.Run("systemctl", "disable", "--now", "--", u.Name)}
	if word != unit.Up { // a gate that is stopped, too, ends as failed
		commands = append(commands, diag.Run("systemctl", "reset-failed", "--", u.Name))
	}
	p.Fix = diag.Advise(p.Fix.Advice+", or stop it", commands...)
	return p
}

func (h *Host) lookAtUnit(ctx context.Context, units gate.Units, instance string, enabled bool, mark facts.Mark) bool {
	u, err := units.Unit(ctx, unitname.Of(instance))
	if err != nil {
		h.Problems = append(h.Problems, unit.SystemdSilent(unitname.Of(instance), "the units after this one are not shown", err.Error()))
		return false
	}
	if unitname.IsUnit(instance) { // its own package enables it or not
		enabled = strings.HasPrefix(u.Service.FileState, "enabled") || u.Service.FileState == "generated"
	}
	gated := unit.GatedBy(u, mark)
	seen := h.Add(instance, u, enabled, host.Monotonic())
	seen.Gated = seen.State == unit.Masked || len(diag.Errors(gated)) == 0
	if seen.State == unit.Refused && !unit.LastRefused(u) { // its unit passes no status on
		h.Problems = append(h.Problems, unit.RefusedBefore(u))
	}
	if seen.State == unit.Failed {
		h.Problems = append(h.Problems, *unit.Failure(unit.Ended(u)))
	}
	h.Problems = append(h.Problems, gated...)
	return true
}

// Add adds the unit of an instance.
func (h *Host) Add(instance string, u facts.Unit, enabled bool, now time.Duration) *report.UnitStatus {
	h.seen[instance] = u
	h.Units = append(h.Units, unitStatus(instance, u, enabled, now))
	return &h.Units[len(h.Units)-1]
}

// unitStatus is a glance at a unit. A status text that is not of its present
// state is left out.
func unitStatus(instance string, u facts.Unit, enabled bool, now time.Duration) report.UnitStatus {
	s := report.UnitStatus{
		Instance: instance, Name: u.Name, State: unit.WordOf(u, enabled), Active: u.ActiveState, Sub: u.SubState, Result: u.Result,
	}
	since := u.Times.StateChange
	if s.State == unit.Up {
		since = u.Times.ActiveEnter
	}
	if since > 0 && s.State != unit.Queued {
		s.For = max(now-since, 0).Round(time.Millisecond).Seconds()
	}
	switch s.State {
	case unit.Up, unit.Waiting, unit.Starting, unit.Refused:
		s.Text = report.Brief(u.StatusText)
	}
	return s
}

// lookAtOthers asks for what explains the instances' states.
func (h *Host) lookAtOthers(ctx context.Context, units gate.Units) {
	h.Target, _ = units.Unit(ctx, unitname.Target)
	h.Preload, _ = units.Unit(ctx, unitname.Preload)
	if u, err := units.Unit(ctx, unitname.Watch); err == nil && u.ActiveState == "active" {
		h.Watch = new(unitStatus("", u, true, host.Monotonic()))
	}
}

func answerState(a facts.Answer) string {
	if check.Reach(a) == check.Ready {
		return Answers
	}
	return report.Brief(cmp.Or(a.Detail, "no answer"))
}

// maxErrors is how many errors of models one glance shows.
const maxErrors = 50

func cleanErrors(errs []facts.ModelError) []facts.ModelError {
	return lists.Map(errs[:min(len(errs), maxErrors)], func(e facts.ModelError) facts.ModelError {
		return facts.ModelError{Agent: report.Brief(e.Agent), Model: report.Brief(e.Model), Error: report.Brief(e.Error)}
	})
}

// MPS is what one look at NVIDIA MPS found.
func MPS(cfg *config.Config, w requirement.Run, found gate.MPSGlance) *report.MPSStatus {
	s := &report.MPSStatus{
		PipeDirectory: w.MPS.PipeDirectory, Require: found.Required, Reached: found.Reached,
		Instances: cfg.MPSInstances(), Server: found.Server, Elsewhere: append([]string{}, found.Look.Elsewhere...), Others: []report.MPSProcess{},
		Partitions: lists.Map(found.Partitions, report.Brief), MLOPart: lists.Map(found.MLOPart, report.Brief),
	}
	if found.Unit != nil {
		s.Unit = new(unitStatus("", *found.Unit, true, host.Monotonic()))
	}
	if found.Look.Daemon != nil {
		s.Daemon, s.Static = new(mpsProcess(*found.Look.Daemon)), found.Look.Daemon.Static()
	}
	for _, other := range found.Look.Others {
		if other.Parent != "justnews-gate" { // another gate's question
			s.Others = append(s.Others, mpsProcess(other))
		}
	}
	return s
}

func mpsProcess(p facts.MPSProcess) report.MPSProcess {
	return report.MPSProcess{
		PID: p.PID, UID: p.UID, Unit: report.Brief(p.Unit), State: p.State,
		Command: report.Brief(strings.Join(p.Args, " ")), PipeDirectory: report.Brief(p.PipeDirectory),
	}
}
