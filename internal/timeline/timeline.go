// SPDX-License-Identifier: Apache-2.0

// Package timeline turns runs and the times of their units into rows of bars,
// and draws those as SVG. It is pure: it reads no files and no clock, and the
// same input gives the same bytes.
package timeline

import (
	"cmp"
	"slices"
	"time"
)

// Run is one run of a gate, a preload or the like. Times are on one clock for
// all of the input.
type Run struct {
	Row     string // whose bar it belongs to: an instance, or what the host does
	Began   time.Duration
	Elapsed time.Duration
	Passed  bool
	Verdict string // for people
	Steps   []Step
}

// Step is one step of a run; Start counts from the run's beginning.
type Step struct {
	Name    string
	Failed  bool
	Start   time.Duration
	Elapsed time.Duration
	Detail  string
}

// Unit is a unit's last start according to systemd; 0: never.
type Unit struct {
	Row           string
	InactiveExit  time.Duration // its start began: the gate
	MainStart     time.Duration // its main process was started
	ActiveEnter   time.Duration
	InactiveEnter time.Duration
}

// Input is the input of a chart.
type Input struct {
	Title, Subtitle string
	// Origin is where the axis begins.
	Origin time.Duration
	// Axis describes the position 0.
	Axis string
	// Queued draws the time between Origin and a row's first start as waiting
	// in systemd's queue, if it was started by a job of the boot.
	Queued bool
	// Finished is when the last job of the boot had ended, 0: not yet. What was
	// first started later had no job before.
	Finished time.Duration
	// All draws every run; without it a row ends with its first run that
	// passed.
	All   bool
	Runs  []Run
	Units []Unit
}

// Part is a piece of a bar; times count from the origin.
type Part struct {
	Kind   Kind
	Failed bool
	From   time.Duration
	To     time.Duration
	Detail string
}

// Row is one bar.
type Row struct {
	Name   string
	Parts  []Part
	Passed bool
	Result string
}

// Chart is what is drawn.
type Chart struct {
	Title, Subtitle, Axis string
	Rows                  []Row
	End                   time.Duration
	// LeftOut lists the rows that are not drawn because their units were
	// restarted later.
	LeftOut []string
}

// runsOfARow is the maximum number of runs drawn per row, up to the first that
// passed. A gate that fails for hours would leave no room for the rest.
const runsOfARow = 10

// Of builds the rows of an input, in the order in which they began.
func Of(in Input) Chart {
	c := Chart{Title: in.Title, Subtitle: in.Subtitle, Axis: in.Axis}
	byRow := map[string][]Run{}
	for _, r := range in.Runs {
		byRow[r.Row] = append(byRow[r.Row], r)
	}
	units := map[string]Unit{}
	for _, u := range in.Units {
		units[u.Row] = u
	}
	for name, runs := range byRow {
		slices.SortStableFunc(runs, func(a, b Run) int { return cmp.Compare(a.Began, b.Began) })
		if !in.All {
			runs = firstStart(runs)
		}
		c.Rows = append(c.Rows, row(in, name, runs, units[name]))
	}
	c.End = end(c.Rows)
	c.addUnits(in, byRow)
	slices.SortFunc(c.Rows, func(a, b Row) int { return cmp.Or(cmp.Compare(a.begun(), b.begun()), cmp.Compare(a.Name, b.Name)) })
	slices.Sort(c.LeftOut)
	return c
}

// addUnits adds the rows known only from systemd. If there are runs, a unit that was started
// after all of them is unrelated.
func (c *Chart) addUnits(in Input, byRow map[string][]Run) {
	window, alone := c.End, len(c.Rows) == 0
	for _, u := range in.Units {
		if byRow[u.Row] != nil || u.InactiveExit == 0 || u.InactiveExit < in.Origin {
			continue
		}
		if !alone && u.InactiveExit-in.Origin > window {
			c.LeftOut = append(c.LeftOut, u.Row)
			continue
		}
		c.Rows = append(c.Rows, unitRow(in, u))
	}
	c.End = end(c.Rows)
}

// firstStart returns the runs of a row, which are in order, up to the first that passed.
func firstStart(runs []Run) []Run {
	for i, r := range runs {
		if r.Passed {
			runs = runs[:i+1]
			break
		}
	}
	return runs[:min(len(runs), runsOfARow)]
}

func row(in Input, name string, runs []Run, u Unit) Row {
	last := runs[len(runs)-1]
	r := Row{Name: name, Passed: last.Passed, Result: last.Verdict}
	at := time.Duration(0)
	for i, run := range runs {
		from := run.Began - in.Origin
		switch {
		case i > 0:
			r.add(Part{Kind: Pause, From: at, To: from})
		case in.queued(run.Began):
			r.add(Part{Kind: Queue, From: 0, To: from})
		}
		r.addSteps(run, from)
		at = from + run.Elapsed
	}
	if began := last.Began + last.Elapsed; last.Passed && u.belongsTo(last) && u.ActiveEnter > began {
		r.add(Part{Kind: Start, From: at, To: u.ActiveEnter - in.Origin})
	}
	return r
}

// queued reports whether what began at a time had a job since boot.
func (in Input) queued(began time.Duration) bool {
	return in.Queued && (in.Finished == 0 || began <= in.Finished)
}

// belongsTo reports whether the unit's last start is the one that this run was
// part of: later ones have other times.
func (u Unit) belongsTo(r Run) bool {
	return u.InactiveExit > 0 && u.InactiveExit <= r.Began && (u.ActiveEnter >= r.Began+r.Elapsed || u.ActiveEnter == 0)
}

func (r *Row) addSteps(run Run, from time.Duration) {
	before := len(r.Parts)
	for _, s := range run.Steps {
		r.add(Part{Kind: kindOf(s.Name), Failed: s.Failed, From: from + s.Start, To: from + s.Start + s.Elapsed, Detail: s.Detail})
	}
	if len(r.Parts) == before {
		r.add(Part{Kind: Gate, Failed: !run.Passed, From: from, To: from + run.Elapsed})
	}
}

func unitRow(in Input, u Unit) Row {
	r := Row{Name: u.Row, Passed: u.ActiveEnter >= u.InactiveExit, Result: "up"}
	from := u.InactiveExit - in.Origin
	// A unit that had been stopped before was started before.
	if before := u.InactiveEnter > 0 && u.InactiveEnter <= u.InactiveExit; !before && in.queued(u.InactiveExit) {
		r.add(Part{Kind: Queue, From: 0, To: from})
	}
	gate := u.MainStart
	if gate < u.InactiveExit {
		gate = max(u.ActiveEnter, u.InactiveEnter)
	}
	r.add(Part{Kind: Gate, Failed: !r.Passed, From: from, To: gate - in.Origin, Detail: "no summary that this user may read"})
	if !r.Passed {
		r.Result = "not up"
		return r
	}
	r.add(Part{Kind: Start, From: gate - in.Origin, To: u.ActiveEnter - in.Origin})
	return r
}

// add leaves out parts without duration.
func (r *Row) add(p Part) {
	if p.From = max(p.From, 0); p.To > p.From || p.Failed {
		p.To = max(p.To, p.From)
		r.Parts = append(r.Parts, p)
	}
}

// begun is when something of the row itself began.
func (r Row) begun() time.Duration {
	for _, p := range r.Parts {
		if p.Kind != Queue {
			return p.From
		}
	}
	return 0
}

func end(rows []Row) time.Duration {
	last := time.Duration(0)
	for _, r := range rows {
		for _, p := range r.Parts {
			last = max(last, p.To)
		}
	}
	return last
}

// Kind is how the time of a part of a bar was spent. The zero value is anything else.
type Kind int

// The kinds, in the order of the legend.
const (
	Gate  Kind = iota // a run with unknown steps
	Queue             // its job waited for those of other units
	Config
	MPS
	GPU
	Store
	Orchestrator
	Models
	Bus
	Needs
	Start
	Pause // between two attempts
)

// style is how a kind is drawn: a colour for light pages, one for dark pages, and the text in
// the legend.
type style struct {
	kind        Kind
	name        string
	says        string
	light, dark string
}

// styles are in the order of the legend. Neighbours also differ in lightness,
// so that they can be distinguished without colours.
func styles() []style {
	return []style{
		{Queue, "queue", "queue", "#d5dae0", "#3c444d"},
		{Gate, "gate", "gate", "#8494a6", "#8494a6"},
		{Config, "config", "config", "#4d5966", "#b6c2cf"},
		{MPS, "mps", "MPS", "#147d70", "#2fb3a3"},
		{GPU, "gpu", "GPU", "#8bbf2f", "#9ccc4a"},
		{Store, "store", "store", "#96691b", "#c9973f"},
		{Orchestrator, "orchestrator", "orchestrator", "#5b9be0", "#6ba8ea"},
		{Models, "models", "models", "#6a45c2", "#9a7bea"},
		{Bus, "bus", "bus", "#f0a04b", "#f0a04b"},
		{Needs, "needs", "needs", "#b23a77", "#dd6aa4"},
		{Start, "start", "start", "#2f9e44", "#51c069"},
		{Pause, "pause", "not running", "#e8dfcb", "#463f30"},
	}
}

func kindOf(step string) Kind {
	for _, s := range styles() {
		if s.name == step && s.kind != Queue && s.kind != Start && s.kind != Pause {
			return s.kind
		}
	}
	return Gate
}

func (k Kind) style() style {
	for _, s := range styles() {
		if s.kind == k {
			return s
		}
	}
	return styles()[1]
}
