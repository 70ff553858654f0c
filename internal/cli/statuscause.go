// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/unitname"
)

// cause is one error and the instances that are not up because of it.
type cause struct {
	Problem diag.Problem `json:"problem"`
	Holds   []string     `json:"holds"`

	refused bool // a gate, or the preload, was shut by it
	preload bool // the preload was
	found   bool // by this look, so that the problem is whole
}

// settle works out what follows from what: the errors that were found and the
// refusals of the gates become causes, each with the instances that it keeps
// down, and what follows from another one is left out.
func (g *glance) settle() {
	others := slices.DeleteFunc(slices.Clone(g.Problems), func(p diag.Problem) bool { return p.Severity == diag.Error })
	for _, p := range diag.Errors(g.Problems) {
		g.addFound(p)
	}
	for i := range g.Units {
		g.addRefusal(&g.Units[i])
	}
	if code, text := unit.Refusal(g.preload); code != "" && unit.LastRefused(g.preload) {
		c := g.causeOf(code, text, "")
		c.refused, c.preload = true, true
	}
	if g.stopped() {
		g.Causes = slices.DeleteFunc(g.Causes, func(c cause) bool { return consequential(c.Problem.Code) })
		others = append(others, unit.TargetStopped())
	}
	g.dropConsequences()
	g.holdTheRest()
	slices.SortStableFunc(g.Causes, func(a, b cause) int { return cmp.Compare(len(b.Holds), len(a.Holds)) })
	g.nameCauses()
	g.Problems = nil
	for _, c := range g.Causes {
		g.Problems = append(g.Problems, c.Problem)
	}
	g.Problems = append(g.Problems, others...)
	g.summarize()
}

// addFound adds an error that this look found. Units that failed in the same
// way are one cause.
func (g *glance) addFound(p diag.Problem) {
	name := ""
	if p.Code == diag.UnitFailed {
		name = unitname.Instance(p.Subject)
	}
	c := g.causeOf(p.Code, p.String(), name)
	if !c.found {
		c.Problem, c.found = p, true
	}
	if name != "" {
		c.Holds = union(c.Holds, []string{name})
	}
}

// addRefusal adds what the gate of an instance was shut by.
func (g *glance) addRefusal(u *unitGlance) {
	if !unit.LastRefused(u.unit) {
		return
	}
	code, text := unit.Refusal(u.unit)
	if code == "" { // by a version that knows other codes
		code, text = diag.UnitFailed, string(diag.UnitFailed)+": its gate refused: "+u.Text
	}
	c := g.causeOf(code, text, u.Instance)
	c.refused = true
	c.Holds = union(c.Holds, []string{u.Instance})
}

// causeOf returns the cause that says the same, or a new one. What only its
// line is known of gets the fix of its code.
func (g *glance) causeOf(code diag.Code, text, instance string) *cause {
	key := alike(text, instance)
	for i := range g.Causes {
		c := &g.Causes[i]
		own := alike(c.Problem.String(), "")
		if c.Problem.Code == code && (own == alike(text, "") || own == key || c.key() == key) {
			return c
		}
	}
	_, message, _ := strings.Cut(text, ": ")
	p := diag.Problem{Code: code, Message: message}
	if e, ok := diag.Lookup(code); ok {
		p.Fix = e.Fix
		if len(p.Fix.Look) == 0 { // what it saw stands there
			p.Fix = p.Fix.Looking(diag.Run("journalctl", "-b", "-u", cmp.Or(unitname.Of(instance), unitname.Preload)))
		}
	}
	g.Causes = append(g.Causes, cause{Problem: p, Holds: []string{}})
	return &g.Causes[len(g.Causes)-1]
}

// key is alike for the instance that the cause was first found of.
func (c *cause) key() string {
	if len(c.Holds) == 0 {
		return ""
	}
	return alike(c.Problem.String(), c.Holds[0])
}

var spans = regexp.MustCompile(`\b\d+(\.\d+)? (ms|s|min)\b`)

// alike is a text without what differs between two instances that meet the same:
// their names, and times.
func alike(text, instance string) string {
	if instance != "" {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(instance)+`\b`).ReplaceAllString(text, "%i")
	}
	return spans.ReplaceAllString(text, "")
}

// consequential reports whether a code says that a server, or what it loads, is
// not there yet: something else may be why.
func consequential(code diag.Code) bool {
	return ofOrchestrator(code) || ofBus(code) || ofModels(code)
}

func ofOrchestrator(code diag.Code) bool {
	return slices.Contains([]diag.Code{diag.OrchestratorUnreachable, diag.OrchestratorUnit, diag.OrchestratorNotReady}, code)
}

func ofBus(code diag.Code) bool {
	return slices.Contains([]diag.Code{diag.BusUnreachable, diag.BusUnit}, code)
}

func ofModels(code diag.Code) bool {
	return slices.Contains([]diag.Code{diag.ModelsIncomplete, diag.ModelsTimeout, diag.PreloadTimeout}, code)
}

// dropConsequences gives what a consequence holds to its cause: to what keeps
// the unit of the silent server down, or to what shut the preload. A server
// whose unit is on its way is no error.
func (g *glance) dropConsequences() {
	for _, kind := range []struct {
		is   func(diag.Code) bool
		root func() *cause
		wait bool
	}{
		{ofModels, g.ofPreload, g.loading || pendingUnit(g.preload.ActiveState, g.preload.Job) && !unit.LastRefused(g.preload)},
		{ofBus, func() *cause { return g.holding(g.Bus.Unit) }, onItsWay(g.Bus.Unit)},
		{ofOrchestrator, func() *cause { return g.holding(g.Orchestrator.Unit) }, onItsWay(g.Orchestrator.Unit)},
	} {
		for i := 0; i < len(g.Causes); i++ {
			c := g.Causes[i]
			if !kind.is(c.Problem.Code) {
				continue
			}
			root := kind.root()
			switch {
			case root != nil && root != &g.Causes[i] && !kind.is(root.Problem.Code):
				root.Holds = union(root.Holds, c.Holds)
			case kind.wait && !c.refused:
			default:
				continue
			}
			g.Causes = slices.Delete(g.Causes, i, i+1)
			i--
		}
	}
}

func union(a, b []string) []string {
	for _, name := range b {
		if !slices.Contains(a, name) {
			a = append(a, name)
		}
	}
	slices.Sort(a)
	return a
}

func onItsWay(u *unitGlance) bool { return u != nil && u.State.Pending() }

func pendingUnit(active string, job bool) bool { return active == "activating" || job }

// holding returns what keeps the unit of a server down.
func (g *glance) holding(server *unitGlance) *cause {
	if server == nil {
		return nil
	}
	for i := range g.Causes {
		if slices.Contains(g.Causes[i].Holds, server.Instance) {
			return &g.Causes[i]
		}
	}
	return nil
}

// ofPreload returns why the models are not loaded: what shut the preload, what
// is wrong with the store or the map, or what keeps the orchestrator down.
func (g *glance) ofPreload() *cause {
	for i := range g.Causes {
		if c := &g.Causes[i]; c.preload && !consequential(c.Problem.Code) {
			return c
		}
	}
	for i := range g.Causes {
		code := string(g.Causes[i].Problem.Code)
		if strings.HasPrefix(code, "STORE-") || strings.HasPrefix(code, "MAP-") || strings.HasPrefix(code, "MODEL-") {
			return &g.Causes[i]
		}
	}
	return g.holding(g.Orchestrator.Unit)
}

// holdTheRest counts instances that wait to those that are held, where there is
// one cause alone that holds any.
func (g *glance) holdTheRest() {
	var only *cause
	for i := range g.Causes {
		if c := &g.Causes[i]; len(c.Holds) > 0 || consequential(c.Problem.Code) || c.preload {
			if only != nil {
				return
			}
			only = c
		}
	}
	if only == nil {
		return
	}
	for _, u := range g.Units {
		if u.State == unit.Waiting || u.State == unit.Queued {
			only.Holds = union(only.Holds, []string{u.Instance})
		}
	}
}

// nameCauses notes with each instance what holds it.
func (g *glance) nameCauses() {
	for _, c := range g.Causes {
		for i := range g.Units {
			if u := &g.Units[i]; u.State != unit.Up && slices.Contains(c.Holds, u.Instance) {
				u.Cause = c.Problem.Code
			}
		}
	}
	for _, server := range []*unitGlance{g.Orchestrator.Unit, g.Bus.Unit} {
		for _, u := range g.Units {
			if server != nil && server.Instance == u.Instance {
				server.Cause = u.Cause
			}
		}
	}
}

// stopped reports whether everything is down because justnews.target is, and
// nothing has failed.
func (g *glance) stopped() bool {
	if g.target.LoadState != "loaded" || g.target.ActiveState != "inactive" || g.target.Job {
		return false
	}
	for _, u := range g.Units {
		switch u.State {
		case unit.Stopped, unit.Disabled, unit.Masked:
		default:
			return false
		}
	}
	return true
}

// refusedForTheStore reports whether a gate, or the preload, was shut by the
// Model Store.
func (g *glance) refusedForTheStore() bool {
	if code, _ := unit.Refusal(g.preload); unit.LastRefused(g.preload) && strings.HasPrefix(string(code), "STORE-") {
		return true
	}
	return slices.ContainsFunc(g.Units, func(u unitGlance) bool {
		code, _ := unit.Refusal(u.unit)
		return unit.LastRefused(u.unit) && strings.HasPrefix(string(code), "STORE-")
	})
}

// The states of a host.
const (
	hostUp       = "up"
	hostStarting = "starting"
	hostStopped  = "stopped"
	hostDegraded = "degraded" // all are up, and something is wrong
	hostDown     = "down"
)

// summarize says it in one line, and gives the exit status.
func (g *glance) summarize() {
	var wanted, up, pending int
	var stopped, held []string
	for _, u := range g.Units {
		switch {
		case u.State == unit.Disabled || u.State == unit.Masked:
			continue
		case u.State == unit.Up:
			up++
		case u.State.Pending():
			pending++
		case u.State == unit.Stopped:
			stopped = append(stopped, u.Instance)
		}
		wanted++
	}
	holding := 0
	for _, c := range g.Causes {
		held = union(held, c.Holds)
		if len(c.Holds) > 0 {
			holding++
		}
	}
	held = slices.DeleteFunc(held, func(name string) bool { return g.isUp(name) })
	var says []string
	if wanted > 0 {
		says = []string{fmt.Sprintf("%d of %d", up, wanted)}
	}
	g.Status = int(statusOf(g.Problems))
	switch {
	case len(held) > 0:
		g.State, says = hostDown, []string{fmt.Sprintf("%d of %d wait for %s", len(held), wanted, diag.Count(holding, "cause"))}
		if more := len(g.Causes) - holding; more > 0 {
			says = append(says, "besides "+diag.Count(more, "error"))
		}
	case len(g.Causes) > 0 && wanted > 0 && up == wanted:
		g.State, says = hostDegraded, append(says, diag.Count(len(g.Causes), "error"))
	case len(g.Causes) > 0:
		g.State, says = hostDown, []string{diag.Count(len(g.Causes), "error")}
	case g.unconfigured:
		g.State, says, g.Status = hostStopped, []string{"no instance is configured"}, int(diag.StatusUnavailable)
	case g.stopped():
		g.State, says, g.Status = hostStopped, []string{unitname.Target + " is stopped"}, int(diag.StatusUnavailable)
	case pending > 0 || g.loading:
		g.State, g.Status = hostStarting, int(diag.StatusTimeout)
	default:
		g.State = hostUp
	}
	if g.State != hostDown && g.State != hostStopped && len(stopped) > 0 {
		says = append(says, "stopped: "+strings.Join(stopped, ", "))
	}
	if g.Summary = g.State; len(says) > 0 {
		g.Summary += ": " + strings.Join(says, ", ")
	}
}

func (g *glance) isUp(instance string) bool {
	return slices.ContainsFunc(g.Units, func(u unitGlance) bool { return u.Instance == instance && u.State == unit.Up })
}
