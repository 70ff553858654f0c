// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"justnews/internal/check"
	checkhost "justnews/internal/check/host"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/probe/orchestrator"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

type statusCommand struct {
	Watch bool `name:"watch" help:"Look again every 2 seconds, in place on a terminal; q or ^C ends it."`
}

// statusTimeout bounds one glance at the servers and units, a handful of looks
// of at most 3 s each; mpsTimeout is what a glance at NVIDIA MPS has besides.
const (
	statusTimeout = 10 * time.Second
	mpsTimeout    = 10 * time.Second
)

// glance is what one look at everything found; it is also the JSON of status.
type glance struct {
	Schema  int    `json:"schema"`
	State   string `json:"state"`   // up, starting, stopped, degraded, down
	Summary string `json:"summary"` // the same as a line for people
	// Causes are the errors, without those that follow from another one.
	Causes       []cause        `json:"causes"`
	Orchestrator serviceGlance  `json:"orchestrator"`
	Models       modelsGlance   `json:"models"`
	MPS          *mpsGlance     `json:"mps"` // null: no instance has MPS
	Bus          serviceGlance  `json:"bus"`
	GPU          report.GPUs    `json:"gpu"`
	Units        []unitGlance   `json:"units"`
	Problems     []diag.Problem `json:"problems"`
	Status       int            `json:"status"`

	gpuNeeded bool // a configuration that can be read asks for one
	gpuThere  bool
	target    facts.Unit // justnews.target
	preload   facts.Unit
	loading   bool // the models are on their way

	unconfigured bool // there is no instance
}

type serviceGlance struct {
	URL   string      `json:"url"`
	State string      `json:"state"` // answers, or what came instead
	Unit  *unitGlance `json:"unit"`  // null: no unit of this host, or nobody to ask
}

type modelsGlance struct {
	State    string             `json:"state"`
	Reason   string             `json:"reason"`
	Done     int                `json:"done"`
	Total    int                `json:"total"`
	Expected int                `json:"expected"` // by AGENT_MODEL_MAP, -1: unknown
	Errors   []facts.ModelError `json:"errors"`   // at most 50
}

type unitGlance struct {
	Instance string    `json:"instance"`
	Name     string    `json:"name"`
	State    unit.Word `json:"state"`
	For      float64   `json:"for_s,omitempty"` // seconds in that state, absent: not known
	Cause    diag.Code `json:"cause,omitempty"` // what keeps it from being up
	Active   string    `json:"active"`
	Sub      string    `json:"sub"`
	Result   string    `json:"result"`
	Text     string    `json:"text,omitempty"`
	Gated    bool      `json:"gated"`

	unit facts.Unit
}

// newUnitGlance is a glance at a unit. A status text that is not of its present
// state is left out.
func newUnitGlance(instance string, u facts.Unit, enabled bool, now time.Duration) unitGlance {
	g := unitGlance{
		Instance: instance, Name: u.Name, State: unit.WordOf(u, enabled), Active: u.ActiveState, Sub: u.SubState, Result: u.Result, unit: u,
	}
	since := u.Times.StateChange
	if g.State == unit.Up {
		since = u.Times.ActiveEnter
	}
	if since > 0 && now > since && g.State != unit.Queued {
		g.For = (now - since).Round(time.Millisecond).Seconds()
	}
	switch g.State {
	case unit.Up, unit.Waiting, unit.Starting, unit.Refused:
		g.Text = report.Brief(u.StatusText)
	}
	return g
}

// nothingSeen is a glance before the first look.
func nothingSeen() glance {
	return glance{
		Schema: report.SchemaVersion, State: "down", Causes: []cause{},
		Orchestrator: serviceGlance{State: "not asked"}, Bus: serviceGlance{State: "not asked"},
		Models: modelsGlance{State: "unknown", Expected: -1, Errors: []facts.ModelError{}},
		GPU:    report.GPUs{State: "not asked", Devices: []report.GPU{}},
		Units:  []unitGlance{},
	}
}

// Run looks once at everything and says what it saw, or again and again.
func (c *statusCommand) Run(a *app) error {
	if c.Watch {
		return a.watchStatus()
	}
	defer a.limited("status", statusTimeout+mpsTimeout)()
	ctx, cancel := context.WithTimeout(a.ctx, statusTimeout+mpsTimeout)
	defer cancel()
	return a.sayGlance(a.glanceOnce(ctx))
}

// glanceOnce is a glance with its exit status.
func (a *app) glanceOnce(ctx context.Context) glance {
	g := a.glance(ctx)
	g.Problems = a.here(g.Problems)
	g.settle()
	g.Problems = report.Clean(g.Problems)
	return g
}

func (a *app) sayGlance(g glance) error {
	if a.json() {
		if err := a.printJSON(g); err != nil {
			return err
		}
	} else {
		a.printGlance(g)
	}
	return ended(diag.Status(g.Status))
}

// glance gets as far as the configuration lets it. Without one it shows the
// units that systemd knows of.
func (a *app) glance(ctx context.Context) glance {
	g := nothingSeen()
	conn := a.openSystemd(ctx)
	if conn != nil {
		defer conn.Close()
	}
	cfg, problems := config.Load(a.source())
	if g.Problems = problems; cfg == nil {
		if conn != nil && a.ConfigFile == "" && a.Root == "" { // else it is not this host's
			lookAtLoaded(ctx, &g, conn)
		}
		return g
	}
	if len(cfg.Instances) == 0 {
		g.unconfigured, g.Problems = true, append(g.Problems, checkhost.NoInstance(cfg)...)
		return g
	}
	w, more := requirement.ForHost(cfg, a.Lookup, requirement.Flags{})
	w.RequireMPS = len(mpsInstances(cfg)) > 0
	w.Orchestrator.Here = servedHere(ctx, w.Orchestrator)
	g.Problems = append(append(g.Problems, more...), w.Remote()...)
	x, wrong := a.openWorld(w, cfg, conn, nil)
	if g.Problems = append(g.Problems, wrong...); wrong != nil {
		return g
	}
	defer x.shut()
	look(ctx, &g, cfg, w, x.World, a.marks(cfg))
	return g
}

// look asks everything once.
func look(ctx context.Context, g *glance, cfg *config.Config, w requirement.Run, x gate.World, marks map[string]facts.Mark) {
	s := checkorchestrator.Subject{
		URL: w.Orchestrator.URL, Unit: w.Orchestrator.Unit, Map: w.Models.Map, Expected: x.Map.Total,
		Models: x.Map.Models, Timeout: orchestrator.LookTimeout, Protocol: x.Protocol,
	}
	gpus := make(chan facts.GPULook, 1)
	go func() { gpus <- x.GPU.Look(ctx) }() // which takes as long as all the others together, if the driver hangs
	health := x.Orchestrator.Health(ctx)
	models := x.Orchestrator.Models(ctx, true)
	w.Expected, w.FailFast = x.Map.Total, true
	judged := checkorchestrator.Models(models, w.Preload)
	bus := x.Bus.Health(ctx)
	g.Orchestrator = serviceGlance{URL: w.Orchestrator.URL, State: answerState(health.Answer)}
	g.Bus = serviceGlance{URL: w.Bus.URL, State: answerState(bus.Answer)}
	g.Models = modelsGlance{
		State: judged.State.String(), Reason: report.Brief(judged.Reason), Done: judged.Done, Total: judged.Total,
		Expected: x.Map.Total, Errors: cleanErrors(judged.Errors),
	}
	g.Problems = append(g.Problems, x.Map.Problems...)
	if g.loading = judged.State == check.Pending; !g.loading {
		g.Problems = append(g.Problems, checkorchestrator.Glance(judged, models, s)...)
	}
	if check.Reach(health.Answer) != check.Ready && judged.State != check.Unreachable {
		g.Problems = append(g.Problems, checkorchestrator.Silent(s, health, facts.Readiness{})...)
	}
	g.Problems = append(g.Problems, busProblems(cfg, w, bus)...)
	if w.RequireMPS {
		found := gate.GlanceMPS(ctx, w, x)
		mps := newMPSGlance(cfg, w, found)
		g.MPS, g.Problems = &mps, append(g.Problems, found.Problems...)
	}
	lookAtGPUs(g, <-gpus, w.GPU)
	lookAtUnits(ctx, g, cfg, w, x.Units, marks)
	if g.refusedForTheStore() {
		g.Problems = append(g.Problems, diag.Errors(gate.GlanceStore(ctx, w, x))...)
	}
}

// busProblems are only warnings where no instance waits for the bus.
func busProblems(cfg *config.Config, w requirement.Run, b facts.BusHealth) []diag.Problem {
	problems := checkorchestrator.Bus(w.Bus.URL, b)
	if !slices.ContainsFunc(cfg.Instances, func(i config.Instance) bool { return i.RequireBus }) {
		for i := range problems {
			problems[i].Severity = max(problems[i].Severity, diag.Warning)
		}
	}
	return problems
}

// lookAtUnits asks systemd about every instance, and puts the two servers'
// units beside what they answer.
func lookAtUnits(ctx context.Context, g *glance, cfg *config.Config, w requirement.Run, units gate.Units, marks map[string]facts.Mark) {
	if units == nil {
		return
	}
	for _, i := range cfg.Instances {
		if !g.lookAtUnit(ctx, units, i.Name, i.Enabled, marks[i.Name]) {
			return
		}
		seen := g.Units[len(g.Units)-1]
		switch unitname.Of(i.Name) {
		case w.Orchestrator.Unit:
			g.Orchestrator.Unit = &seen
		case w.Bus.Unit:
			g.Bus.Unit = &seen
		}
	}
	g.lookAtOthers(ctx, units)
}

// loadedUnits is a systemd that lists what it has loaded.
type loadedUnits interface {
	gate.Units
	Units(ctx context.Context, pattern string) ([]string, error)
}

// lookAtLoaded asks systemd about the instances that it has loaded.
func lookAtLoaded(ctx context.Context, g *glance, conn loadedUnits) {
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
		g.lookAtUnit(ctx, conn, instance, true, facts.Mark{})
	}
	g.lookAtOthers(ctx, conn)
}

func (g *glance) lookAtUnit(ctx context.Context, units gate.Units, instance string, enabled bool, mark facts.Mark) bool {
	u, err := units.Unit(ctx, unitname.Of(instance))
	if err != nil {
		g.Problems = append(g.Problems, unit.SystemdSilent(unitname.Of(instance), "the units after this one are left out", err.Error()))
		return false
	}
	seen := newUnitGlance(instance, u, enabled, host.Monotonic())
	gated := unit.GatedBy(u, mark)
	seen.Gated = seen.State == unit.Masked || len(diag.Errors(gated)) == 0
	g.Units = append(g.Units, seen)
	if seen.State == unit.Failed {
		ended := u // also between two tries
		ended.ActiveState, ended.SubState = "failed", "failed"
		g.Problems = append(g.Problems, *unit.Failure(ended))
	}
	g.Problems = append(g.Problems, gated...)
	return true
}

// lookAtOthers asks for what explains the instances' states.
func (g *glance) lookAtOthers(ctx context.Context, units gate.Units) {
	g.target, _ = units.Unit(ctx, unitname.Target)
	g.preload, _ = units.Unit(ctx, unitname.Preload)
}

func answerState(a facts.Answer) string {
	if check.Reach(a) == check.Ready {
		return "answers"
	}
	return report.Brief(cmp.Or(a.Detail, "no answer"))
}

// maxErrors is how many errors of models one glance shows.
const maxErrors = 50

func cleanErrors(errs []facts.ModelError) []facts.ModelError {
	out := []facts.ModelError{}
	for _, e := range errs[:min(len(errs), maxErrors)] {
		out = append(out, facts.ModelError{Agent: report.Brief(e.Agent), Model: report.Brief(e.Model), Error: report.Brief(e.Error)})
	}
	return out
}
