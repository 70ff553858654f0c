// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"justnews/internal/check/mps"
	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/probe/systemd"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/status"
)

type mpsCommand struct {
	Status mpsStatusCommand `cmd:"" help:"Show the control daemon, its server and how far MPS is verified."`
	Start  mpsStartCommand  `cmd:"" help:"Start the NVIDIA MPS unit, and verify that it works."`
	Wait   mpsWaitCommand   `cmd:"" help:"Set the daemon's default limits, and wait until it is verified; does not start it."`
	Serve  mpsServeCommand  `cmd:"" hidden:"" help:"Start the NVIDIA MPS unit on request over D-Bus; for justnews-mps-start.service."`
}

type mpsStartCommand struct{ timeoutFlag }

// Run starts the unit of NVIDIA MPS where it does not run, and proves the
// daemon.
func (c *mpsStartCommand) Run(a *app) error {
	return a.waitFor(a.mpsRun("mps start", c.timeoutFlag, gate.StartMPS))
}

type mpsWaitCommand struct{ timeoutFlag }

// Run is ExecStartPost= of justnews-mps.service: active then means proven.
func (c *mpsWaitCommand) Run(a *app) error {
	return a.waitFor(a.mpsRun("mps wait", c.timeoutFlag, gate.ProveMPS))
}

type mpsServeCommand struct{}

// Run is ExecStart= of justnews-mps-start.service. Its log names the caller and the unit.
func (c *mpsServeCommand) Run(a *app) error {
	a.release() // the last calls are answered, for as long as the unit has
	err := systemd.Serve(a.ctx, func(line string) { fmt.Fprintln(a.Stderr, line) })
	if err == nil {
		return nil
	}
	return a.refuse(unit.NotServed(err.Error()))
}

func (a *app) mpsRun(name string, flags timeoutFlag, run func(context.Context, requirement.Run, gate.World) gate.Result) waitingRun {
	return waitingRun{
		name: name, timeout: flags.Timeout.duration(), run: run,
		require: func(cfg *config.Config) (requirement.Run, []diag.Problem) {
			return requirement.ForMPS(cfg, a.lookup(cfg, ""), requirement.Flags{Timeout: flags.Timeout.duration()})
		},
	}
}

type mpsStatusCommand struct{}

// Run looks once at NVIDIA MPS, where an instance or a guarded unit uses it.
func (c *mpsStatusCommand) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, statusTimeout+mpsTimeout)
	defer cancel()
	s, unused := a.lookAtMPS(ctx)
	s.Problems = a.clean(s.Problems)
	status := a.statusOf(s.Problems)
	s.Status = int(status)
	return a.printed(s, status, func() {
		switch {
		case s.MPS != nil:
			a.printMPS(*s.MPS)
		case unused:
			a.row("mps", plain, "not used", "no instance has mps = { enabled = true }, no guard require_mps = true")
		}
		a.say(s.Problems...)
	})
}

func (a *app) lookAtMPS(ctx context.Context) (s report.MPSOutput, unused bool) {
	s.Schema = report.SchemaVersion
	cfg, problems := config.Load(a.source())
	if s.Problems = problems; cfg == nil {
		return s, false
	}
	if !cfg.UsesMPS() {
		s.Problems = diag.Errors(problems)
		return s, true
	}
	w, more := requirement.ForMPS(cfg, a.lookup(cfg, ""), requirement.Flags{})
	if s.Problems = append(s.Problems, more...); len(diag.Errors(more)) > 0 {
		return s, false
	}
	conn := a.openSystemd(ctx)
	defer conn.Close()
	x, wrong := a.openWorld(w, cfg, conn, nil)
	if s.Problems = append(s.Problems, wrong...); wrong != nil {
		return s, false
	}
	defer x.shut()
	s.Problems = append(s.Problems, x.notes...)
	found := gate.GlanceMPS(ctx, w, x.World)
	s.MPS, s.Problems = status.MPS(cfg, w, found), append(s.Problems, found.Problems...)
	return s, false
}

// printMPS prints how far MPS is verified, the daemon, and the other MPS processes.
func (a *app) printMPS(g report.MPSStatus) {
	a.mpsRow(g)
	if g.Unit != nil {
		a.row("unit", toneIf(g.Unit.State == unit.Up), string(g.Unit.State), g.Unit.Name)
	}
	if g.Daemon != nil {
		a.row("daemon", toneIf(g.Daemon.State != "T"), fmt.Sprintf("PID %d", g.Daemon.PID), processText(*g.Daemon))
	}
	if g.Server > 0 {
		a.row("server", good, fmt.Sprintf("PID %d", g.Server), "active")
	}
	if g.Static {
		a.row("partitions", plain, "static", cmp.Or(strings.Join(g.Partitions, "; "), "none is listed"))
	}
	if len(g.MLOPart) > 0 {
		a.row("MLOPart", plain, diag.Count(len(g.MLOPart), "device"), strings.Join(g.MLOPart, "; "))
	}
	for _, o := range g.Others {
		a.row("other", wrong, fmt.Sprintf("PID %d", o.PID), processText(o))
	}
	a.row("used by", plain, diag.Count(len(g.Instances), "instance"), strings.Join(g.Instances, ", "))
}

func toneIf(well bool) tone {
	if well {
		return good
	}
	return wrong
}

func (a *app) mpsRow(g report.MPSStatus) {
	state := g.Reached.String() + " verified"
	if g.Reached == mps.NoRung {
		state = "not verified"
	}
	a.row("mps", toneIf(g.Require <= g.Reached), state, fmt.Sprintf("%s, %s is required", g.PipeDirectory, g.Require))
}

func processText(p report.MPSProcess) string {
	parts := []string{fmt.Sprintf("UID %d", p.UID)}
	if p.Unit != "" {
		parts = append(parts, "of "+p.Unit)
	}
	return strings.Join(append(parts, cmp.Or(p.Command, "hidden"), "pipe directory "+cmp.Or(p.PipeDirectory, "unknown")), ", ")
}
