// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"justnews/internal/check"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/report"
	"justnews/internal/wish"
)

type statusCommand struct{}

// statusTimeout bounds one glance: a handful of looks of at most 3 s each.
const statusTimeout = 10 * time.Second

// glance is what one look at everything found; it is also the JSON of status.
type glance struct {
	Schema       int            `json:"schema"`
	Orchestrator serviceGlance  `json:"orchestrator"`
	Models       modelsGlance   `json:"models"`
	Bus          serviceGlance  `json:"bus"`
	Units        []unitGlance   `json:"units"`
	Problems     []diag.Problem `json:"problems"`
	Status       int            `json:"status"`
}

type serviceGlance struct {
	URL   string `json:"url"`
	State string `json:"state"`
	Unit  string `json:"unit,omitempty"`
}

type modelsGlance struct {
	State    string             `json:"state"`
	Reason   string             `json:"reason"`
	Done     int                `json:"done"`
	Total    int                `json:"total"`
	Expected int                `json:"expected"` // by AGENT_MODEL_MAP, -1: unknown
	Errors   []facts.ModelError `json:"errors"`
}

type unitGlance struct {
	Instance string `json:"instance"`
	Active   string `json:"active"`
	Sub      string `json:"sub"`
	Result   string `json:"result"`
	Text     string `json:"text,omitempty"`
	Gated    bool   `json:"gated"`
}

// Run looks once at everything and says what it saw.
func (c *statusCommand) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, statusTimeout)
	defer cancel()
	cfg, problems := config.Load(a.source())
	if cfg == nil {
		a.talk.Say(report.ProblemLines(problems))
		return ended(statusOf(problems))
	}
	w, more := wish.ForHost(cfg, a.Lookup, wish.Flags{})
	problems = append(problems, more...)
	conn := openSystemd(ctx)
	if conn != nil {
		defer conn.Close()
	}
	x, wrong := a.openWorld(w, cfg.Probes, conn, nil)
	if wrong != nil {
		a.talk.Say(report.ProblemLines(wrong))
		return ended(statusOf(wrong))
	}
	defer x.shut()
	g := look(ctx, cfg, w, x.World)
	g.Problems = append(problems, g.Problems...)
	if g.Problems == nil {
		g.Problems = []diag.Problem{}
	}
	g.Status = int(statusOf(g.Problems))
	if a.json() {
		if err := a.printJSON(g); err != nil {
			return err
		}
	} else {
		printGlance(a, g)
		a.talk.Say(report.ProblemLines(g.Problems))
	}
	return ended(diag.Status(g.Status))
}

// look asks everything once.
func look(ctx context.Context, cfg *config.Config, w wish.Wish, x gate.World) glance {
	s := check.Subject{URL: w.Orchestrator.URL, Unit: w.Orchestrator.Unit, Map: w.Models.Map, Expected: x.Map.Total}
	health := x.Orchestrator.Health(ctx)
	models := x.Orchestrator.Models(ctx, true)
	judged := check.Models(models, check.ModelsWish{Expected: x.Map.Total, AcceptEmpty: w.AcceptEmpty, FailFast: true})
	bus := x.Bus.Health(ctx)
	g := glance{
		Schema:       report.SchemaVersion,
		Orchestrator: serviceGlance{URL: w.Orchestrator.URL, State: answerState(health.Answer)},
		Bus:          serviceGlance{URL: w.Bus.URL, State: answerState(bus.Answer)},
		Models: modelsGlance{
			State: judged.State.String(), Reason: diag.Clean(judged.Reason), Done: judged.Done, Total: judged.Total,
			Expected: x.Map.Total, Errors: cleanErrors(judged.Errors),
		},
		Units: []unitGlance{},
	}
	g.Problems = append(g.Problems, x.Map.Problems...)
	if judged.State != check.Ready {
		g.Problems = append(g.Problems, check.Refused(judged, models, s)...)
	}
	g.Problems = append(g.Problems, check.Bus(w.Bus.URL, bus)...)
	g.Units, g.Orchestrator.Unit, g.Bus.Unit = unitGlances(ctx, cfg, w, x.Units)
	g.Problems = append(g.Problems, unitFindings(ctx, cfg, x.Units)...)
	return g
}

func answerState(a facts.Answer) string {
	if check.Reach(a) == check.Ready {
		return "answers"
	}
	return diag.Clean(a.Detail)
}

func cleanErrors(errs []facts.ModelError) []facts.ModelError {
	out := make([]facts.ModelError, 0, len(errs))
	for _, e := range errs {
		out = append(out, facts.ModelError{Agent: diag.Clean(e.Agent), Model: diag.Clean(e.Model), Error: diag.Clean(e.Error)})
	}
	return out
}

func unitGlances(ctx context.Context, cfg *config.Config, w wish.Wish, units gate.Units) (all []unitGlance, orchestrator, bus string) {
	all = []unitGlance{}
	if units == nil {
		return all, "", ""
	}
	for _, i := range cfg.Instances {
		name := wish.InstanceUnit(i.Name)
		u, err := units.Unit(ctx, name)
		if err != nil {
			return all, orchestrator, bus
		}
		state := u.ActiveState + " (" + u.SubState + ")"
		switch name {
		case w.Orchestrator.Unit:
			orchestrator = name + " " + state
		case w.Bus.Unit:
			bus = name + " " + state
		}
		all = append(all, unitGlance{
			Instance: i.Name, Active: u.ActiveState, Sub: u.SubState, Result: u.Result,
			Text: diag.Clean(u.StatusText), Gated: len(diag.Errors(check.Gated(u))) == 0,
		})
	}
	return all, orchestrator, bus
}

func printGlance(a *app, g glance) {
	row := func(name, text string) { fmt.Fprintf(a.Stdout, "%-13s %s\n", name, strings.TrimRight(text, " ")) }
	row("orchestrator", fmt.Sprintf("%s %s  %s", g.Orchestrator.URL, g.Orchestrator.State, g.Orchestrator.Unit))
	row("models", fmt.Sprintf("%s, %s", g.Models.State, g.Models.Reason))
	row("bus", fmt.Sprintf("%s %s  %s", g.Bus.URL, g.Bus.State, g.Bus.Unit))
	for i, u := range g.Units {
		name := ""
		if i == 0 {
			name = "units"
		}
		state := u.Active + " (" + u.Sub + ")"
		if !u.Gated {
			state += ", NOT GATED"
		}
		row(name, fmt.Sprintf("%-18s %-28s %s", u.Instance, state, u.Text))
	}
}
