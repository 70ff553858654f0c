// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"justnews/internal/catalogue"
	checkorchestrator "justnews/internal/check/orchestrator"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/report"
	"justnews/internal/unitname"
)

type cause struct {
	report.Cause

	refused bool     // a gate, or the preload, was shut by it
	preload bool     // the preload was
	found   bool     // by this look, so that the problem is whole
	text    text     // without times
	also    []string // other instances of which it was found, and which it does not keep down
}

// causes are those of one host, and which of them a text is about.
type causes struct {
	all  []*cause
	seen map[string]facts.Unit // by instance, or by unit for those of guards
}

// Settle works out what follows from what: the errors that were found and the
// refusals of the gates become causes, each with the instances that it keeps
// down, and what follows from another one is left out. The exit status and the
// summary follow from them.
func (h *Host) Settle() {
	others := lists.Filter(h.Problems, func(p diag.Problem) bool { return p.Severity != diag.Error })
	found := causes{seen: h.seen}
	for _, p := range diag.Errors(h.Problems) {
		found.add(p)
	}
	for _, u := range h.Units {
		found.addRefusal(u, h.seen[u.Instance])
	}
	if code, text := unit.Refusal(h.Preload); code != "" && unit.LastRefused(h.Preload) {
		c := found.of(code, text, "")
		c.refused, c.preload = true, true
	}
	if h.Stopped() {
		found.all = slices.DeleteFunc(found.all, func(c *cause) bool { return Consequential(c.Problem.Code) })
		others = append(others, checkorchestrator.TargetStopped())
	}
	h.dropConsequences(&found)
	h.holdTheRest(found.all)
	slices.SortStableFunc(found.all, func(a, b *cause) int { return cmp.Compare(len(b.Holds), len(a.Holds)) })
	h.Causes, h.Problems = []report.Cause{}, nil
	for _, c := range found.all {
		if len(c.also) > 0 {
			c.Problem.Subject += " and also " + strings.Join(c.also, ", ")
		}
		h.Causes, h.Problems = append(h.Causes, c.Cause), append(h.Problems, c.Problem)
	}
	h.Problems = append(h.Problems, Fold(others)...)
	h.nameCauses()
	h.summarize()
}

// add adds an error that was found. Units that failed in the same way are one
// cause.
func (f *causes) add(p diag.Problem) {
	name := unitname.Instance(p.Subject)
	if _, guarded := f.seen[p.Subject]; guarded && p.Code == diag.UnitFailed {
		name = p.Subject
	}
	c := f.of(p.Code, p.String(), name)
	switch {
	case !c.found:
		c.Problem, c.found = p, true
	case name != "" && p.Code != diag.UnitFailed:
		c.also = append(c.also, name)
	}
	if name != "" && p.Code == diag.UnitFailed {
		c.Holds = union(c.Holds, []string{name})
	}
}

// addRefusal adds the cause for which an instance's gate refused.
func (f *causes) addRefusal(u report.UnitStatus, seen facts.Unit) {
	if !unit.LastRefused(seen) {
		return
	}
	code, text := unit.Refusal(seen)
	if code == "" { // by a version that knows other codes
		code, text = diag.UnitFailed, string(diag.UnitFailed)+": its gate refused: "+u.Text
	}
	c := f.of(code, text, u.Instance)
	c.refused = true
	c.Holds = union(c.Holds, []string{u.Instance})
}

// of returns the cause that a text is about, or a new one. A cause of which only the
// text is known gets the fix of its code.
func (f *causes) of(code diag.Code, line, instance string) *cause {
	about := text{spans().ReplaceAllString(line, ""), instance, string(code)}
	if c := f.first(func(c *cause) bool { return c.text.alike(about) }); c != nil {
		return c
	}
	_, message, _ := strings.Cut(line, ": ")
	p := diag.Problem{Code: code, Message: message}
	if e, ok := catalogue.Lookup(code); ok {
		p.Fix = e.Fix
		if len(p.Fix.Look) == 0 { // its evidence is there
			p.Fix = p.Fix.Looking(diag.LogOf(cmp.Or(unitname.Of(instance), unitname.Preload)))
		}
	}
	c := &cause{Cause: report.Cause{Problem: p, Holds: []string{}}, text: about}
	f.all = append(f.all, c)
	return c
}

var spans = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b\d+(\.\d+)? (ms|s|min)\b`)
})

var numbers = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[0-9]+`)
})

// Key is what two refusals by the same cause have in common, as a word for a
// record.
func Key(p diag.Problem, instance string) string {
	key := p.String() + " " + p.Seen
	if instance != "" {
		key = regexp.MustCompile(`\b`+regexp.QuoteMeta(instance)+`\b`).ReplaceAllString(key, "%i")
	}
	key = spans().ReplaceAllString(key, "")
	return numbers().ReplaceAllString(key[:min(len(key), 500)], "0")
}

// Consequential reports whether a code means that a server, or what it loads, is not ready
// yet: the cause may be another problem.
func Consequential(code diag.Code) bool {
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

// dropConsequences moves the instances held by a consequence to its cause: the problem that
// keeps the silent server's unit down, or that shut the preload. A server whose unit is still
// starting is not an error.
func (h *Host) dropConsequences(f *causes) {
	f.displaced(diag.OrchestratorImpostor, h.Orchestrator.Unit)
	f.displaced(diag.BusImpostor, h.Bus.Unit)
	// The preload's own refusal says more than a look that finds no models.
	told := f.first(func(c *cause) bool { return c.preload && ofModels(c.Problem.Code) }) != nil
	for _, kind := range []struct {
		is   func(diag.Code) bool
		root func() *cause
		wait bool
	}{
		{ofModels, func() *cause { return f.ofPreload(h.Orchestrator.Unit) }, h.Loading || told || h.PreloadPending() && !unit.LastRefused(h.Preload)},
		{ofBus, func() *cause { return f.holding(h.Bus.Unit) }, OnItsWay(h.Bus.Unit)},
		{ofOrchestrator, func() *cause { return f.holding(h.Orchestrator.Unit) }, OnItsWay(h.Orchestrator.Unit)},
	} {
		for i := 0; i < len(f.all); i++ {
			c := f.all[i]
			if !kind.is(c.Problem.Code) {
				continue
			}
			root := kind.root()
			switch {
			case root != nil && root != c && !kind.is(root.Problem.Code):
				root.Holds = union(root.Holds, c.Holds)
			case kind.wait && !c.refused:
			default:
				continue
			}
			f.all = slices.Delete(f.all, i, i+1)
			i--
		}
	}
}

// displaced gives the failure of a server's unit to the process that answers in its
// place, and so has its port.
func (f *causes) displaced(impostor diag.Code, server *report.UnitStatus) {
	root := f.first(func(c *cause) bool { return c.Problem.Code == impostor })
	if root == nil || server == nil {
		return
	}
	f.all = slices.DeleteFunc(f.all, func(c *cause) bool {
		failed := c.Problem.Code == diag.UnitFailed && slices.Equal(c.Holds, []string{server.Instance})
		if failed {
			root.Holds = union(root.Holds, c.Holds)
		}
		return failed
	})
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

// OnItsWay reports whether a unit's state is transitional.
func OnItsWay(u *report.UnitStatus) bool { return u != nil && u.State.Pending() }

// PreloadPending reports whether justnews-preload.service runs, or will.
func (h *Host) PreloadPending() bool { return h.Preload.ActiveState == "activating" || h.Preload.Job }

// holding returns what keeps the unit of a server down.
func (f *causes) holding(server *report.UnitStatus) *cause {
	return f.first(func(c *cause) bool { return server != nil && slices.Contains(c.Holds, server.Instance) })
}

func (f *causes) first(is func(*cause) bool) *cause {
	if i := slices.IndexFunc(f.all, is); i >= 0 {
		return f.all[i]
	}
	return nil
}

// ofPreload returns why the models are not loaded: what shut the preload, what
// is wrong with the store or the map, or what keeps the orchestrator down.
func (f *causes) ofPreload(orchestrator *report.UnitStatus) *cause {
	return cmp.Or(
		f.first(func(c *cause) bool { return c.preload && !Consequential(c.Problem.Code) }),
		f.first(func(c *cause) bool {
			code := string(c.Problem.Code)
			return strings.HasPrefix(code, "STORE-") || strings.HasPrefix(code, "MAP-") || strings.HasPrefix(code, "MODEL-")
		}),
		f.holding(orchestrator))
}

// holdTheRest counts instances that wait to those that are held, where there is
// one cause alone that holds any, and they do not wait for models that are being loaded.
func (h *Host) holdTheRest(all []*cause) {
	if h.Loading {
		return
	}
	var only *cause
	for _, c := range all {
		if len(c.Holds) > 0 || Consequential(c.Problem.Code) || c.preload {
			if only != nil {
				return
			}
			only = c
		}
	}
	if only == nil {
		return
	}
	for _, u := range h.Units {
		if u.State == unit.Waiting || u.State == unit.Queued {
			only.Holds = union(only.Holds, []string{u.Instance})
		}
	}
}

// nameCauses notes with each instance what holds it.
func (h *Host) nameCauses() {
	for _, c := range h.Causes {
		for i := range h.Units {
			if u := &h.Units[i]; u.State != unit.Up && slices.Contains(c.Holds, u.Instance) {
				u.Cause = c.Problem.Code
			}
		}
	}
	for _, server := range []*report.UnitStatus{h.Orchestrator.Unit, h.Bus.Unit} {
		for _, u := range h.Units {
			if server != nil && server.Instance == u.Instance {
				server.Cause = u.Cause
			}
		}
	}
}

// Stopped reports whether everything is down because justnews.target is, and
// nothing has failed.
func (h *Host) Stopped() bool {
	if h.Target.LoadState != "loaded" || h.Target.ActiveState != "inactive" || h.Target.Job {
		return false
	}
	guards := 0
	for _, u := range h.Units {
		if unitname.IsUnit(u.Instance) { // which the target does not start
			guards++
			continue
		}
		switch u.State {
		case unit.Stopped, unit.Disabled, unit.Masked:
		default:
			return false
		}
	}
	return guards == 0 || guards < len(h.Units)
}

// refusedForTheStore reports whether a gate, or the preload, was shut by the
// Model Store.
func (h *Host) refusedForTheStore() bool {
	refused := func(u facts.Unit) bool {
		code, _ := unit.Refusal(u)
		return unit.LastRefused(u) && strings.HasPrefix(string(code), "STORE-")
	}
	return refused(h.Preload) || slices.ContainsFunc(h.Units, func(u report.UnitStatus) bool { return refused(h.seen[u.Instance]) })
}

func (h *Host) summarize() {
	var wanted, up, pending int
	var stopped, held []string
	for _, u := range h.Units {
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
	for _, c := range h.Causes {
		held = union(held, c.Holds)
		if len(c.Holds) > 0 {
			holding++
		}
	}
	held = slices.DeleteFunc(held, func(name string) bool {
		return slices.ContainsFunc(h.Units, func(u report.UnitStatus) bool { return u.Instance == name && u.State == unit.Up })
	})
	var says []string
	if wanted > 0 {
		says = []string{fmt.Sprintf("%d of %d", up, wanted)}
	}
	h.Status = int(diag.StatusOf(h.Problems))
	switch {
	case len(held) > 0:
		h.State, says = Down, []string{fmt.Sprintf("%d of %d wait for %s", len(held), wanted, diag.Count(holding, "cause"))}
		if more := len(h.Causes) - holding; more > 0 {
			says = append(says, "besides "+diag.Count(more, "error"))
		}
	case len(h.Causes) > 0 && wanted > 0 && up == wanted && h.unseen == 0:
		h.State, says = Degraded, append(says, diag.Count(len(h.Causes), "error"))
	case len(h.Causes) > 0:
		h.State, says = Down, []string{diag.Count(len(h.Causes), "error")}
	case h.Unconfigured:
		h.State, says, h.Status = Stopped, []string{"no instance is configured"}, int(diag.StatusUnavailable)
	case h.Stopped():
		h.State, says, h.Status = Stopped, []string{unitname.Target + " is stopped"}, int(diag.StatusUnavailable)
	case pending > 0 || h.Loading:
		h.State, h.Status = Starting, int(diag.StatusTimeout)
	case h.unseen > 0:
		h.State, h.Status = Unknown, int(diag.StatusTimeout)
	default:
		h.State = Up
	}
	if h.unseen > 0 && h.State != Down {
		says = append(says, fmt.Sprintf("systemd did not report %s", diag.Count(h.unseen, "instance")))
	}
	if h.State != Down && h.State != Stopped && len(stopped) > 0 {
		says = append(says, "stopped: "+strings.Join(stopped, ", "))
	}
	if h.Summary = h.State; len(says) > 0 {
		h.Summary += ": " + strings.Join(says, ", ")
	}
}
