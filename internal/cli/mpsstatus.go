// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"justnews/internal/check/mps"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/report"
	"justnews/internal/requirement"
)

type mpsStatusCommand struct{}

// mpsStatus is the JSON of mps status.
type mpsStatus struct {
	Schema   int            `json:"schema"`
	MPS      *mpsGlance     `json:"mps"` // null: the configuration cannot be read, or no instance uses it
	Problems []diag.Problem `json:"problems"`
	Status   int            `json:"status"`

	unused bool
}

// mpsGlance is what one look at NVIDIA MPS found.
type mpsGlance struct {
	PipeDirectory string       `json:"pipe_directory"`
	Require       string       `json:"require"` // mps.require: daemon, control or server
	Reached       string       `json:"reached"` // none, daemon, control or server
	Instances     []string     `json:"instances"`
	Unit          *unitGlance  `json:"unit"`   // null: no unit of this host, or nobody to ask
	Daemon        *mpsProcess  `json:"daemon"` // null: none lives, or it cannot be seen
	Server        int          `json:"server"` // PID, 0: none was asked for
	Elsewhere     []string     `json:"elsewhere"`
	Others        []mpsProcess `json:"others"`
}

type mpsProcess struct {
	PID           int    `json:"pid"`
	UID           int    `json:"uid"`
	Unit          string `json:"unit"`
	State         string `json:"state"`
	Command       string `json:"command"`
	PipeDirectory string `json:"pipe_directory"`
}

// Run looks once at NVIDIA MPS, where an instance uses it.
func (c *mpsStatusCommand) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, statusTimeout+mpsTimeout)
	defer cancel()
	s := a.lookAtMPS(ctx)
	s.Problems = a.clean(s.Problems)
	s.Status = int(statusOf(s.Problems))
	if a.json() {
		if err := a.printJSON(s); err != nil {
			return err
		}
	} else {
		switch {
		case s.MPS != nil:
			a.printMPS(*s.MPS)
		case s.unused:
			a.row("mps", plain, "not used", "no instance has mps = { enabled = true }")
		}
		a.talk.Say(a.problemLines(s.Problems))
	}
	return ended(diag.Status(s.Status))
}

func (a *app) lookAtMPS(ctx context.Context) mpsStatus {
	s := mpsStatus{Schema: report.SchemaVersion}
	cfg, problems := config.Load(a.source())
	if s.Problems = problems; cfg == nil {
		return s
	}
	if len(mpsInstances(cfg)) == 0 {
		s.Problems, s.unused = diag.Errors(problems), true
		return s
	}
	w, more := requirement.ForMPS(cfg, a.Lookup, requirement.Flags{})
	if s.Problems = append(s.Problems, more...); len(diag.Errors(more)) > 0 {
		return s
	}
	conn := a.openSystemd(ctx)
	if conn != nil {
		defer conn.Close()
	}
	x, wrong := a.openWorld(w, cfg, conn, nil)
	if s.Problems = append(s.Problems, wrong...); wrong != nil {
		return s
	}
	defer x.shut()
	s.Problems = append(s.Problems, x.notes...)
	found := gate.GlanceMPS(ctx, w, x.World)
	g := newMPSGlance(cfg, w, found)
	s.MPS, s.Problems = &g, append(s.Problems, found.Problems...)
	return s
}

func newMPSGlance(cfg *config.Config, w requirement.Run, found gate.MPSGlance) mpsGlance {
	g := mpsGlance{
		PipeDirectory: w.MPS.PipeDirectory, Require: found.Required.String(), Reached: found.Reached.String(),
		Instances: mpsInstances(cfg), Server: found.Server, Elsewhere: append([]string{}, found.Look.Elsewhere...), Others: []mpsProcess{},
	}
	if found.Unit != nil {
		unit := newUnitGlance("", *found.Unit, true, host.Monotonic())
		g.Unit = &unit
	}
	if found.Look.Daemon != nil {
		p := newMPSProcess(*found.Look.Daemon)
		g.Daemon = &p
	}
	for _, other := range found.Look.Others {
		if other.Parent != filepath.Base(gateProgram) { // another gate's question
			g.Others = append(g.Others, newMPSProcess(other))
		}
	}
	return g
}

const gateProgram = "/usr/bin/justnews-gate"

func newMPSProcess(p facts.MPSProcess) mpsProcess {
	return mpsProcess{
		PID: p.PID, UID: p.UID, Unit: report.Brief(p.Unit), State: p.State,
		Command: report.Brief(strings.Join(p.Args, " ")), PipeDirectory: report.Brief(p.PipeDirectory),
	}
}

func mpsInstances(cfg *config.Config) []string {
	names := []string{}
	for _, i := range cfg.Instances {
		if i.MPS.Enabled {
			names = append(names, i.Name)
		}
	}
	return names
}

// printMPS prints how far MPS is proven, who the daemon is, and who else is
// there.
func (a *app) printMPS(g mpsGlance) {
	a.mpsRow(g)
	if g.Unit != nil {
		a.row("unit", toneIf(g.Unit.State == checkunit.Up), string(g.Unit.State), g.Unit.Name)
	}
	if g.Daemon != nil {
		a.row("daemon", toneIf(g.Daemon.State != "T"), fmt.Sprintf("PID %d", g.Daemon.PID), g.Daemon.text())
	}
	if g.Server > 0 {
		a.row("server", good, fmt.Sprintf("PID %d", g.Server), "active")
	}
	for _, o := range g.Others {
		a.row("other", wrong, fmt.Sprintf("PID %d", o.PID), o.text())
	}
	a.row("used by", plain, diag.Count(len(g.Instances), "instance"), strings.Join(g.Instances, ", "))
}

func toneIf(well bool) tone {
	if well {
		return good
	}
	return wrong
}

// mpsRow is the one line that status prints of MPS.
func (a *app) mpsRow(g mpsGlance) {
	state := g.Reached + " proven"
	if g.Reached == mps.NoRung.String() {
		state = "not proven"
	}
	a.row("mps", toneIf(mps.RungOf(g.Require) <= rungNamed(g.Reached)), state, g.PipeDirectory+", "+g.Require+" is required")
}

// rungNamed reads the word of a rung; what it does not know is none.
func rungNamed(word string) mps.Rung {
	for _, r := range []mps.Rung{mps.RungDaemon, mps.RungControl, mps.RungServer} {
		if r.String() == word {
			return r
		}
	}
	return mps.NoRung
}

func (p mpsProcess) text() string {
	parts := []string{fmt.Sprintf("user id %d", p.UID)}
	if p.Unit != "" {
		parts = append(parts, "of "+p.Unit)
	}
	return strings.Join(append(parts, cmp.Or(p.Command, "hidden"), "pipe directory "+cmp.Or(p.PipeDirectory, "unknown")), ", ")
}
