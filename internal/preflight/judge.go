// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/check/host"
	"justnews/internal/check/orchestrator"
	checkunit "justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/lists"
	"justnews/internal/requirement"
	"justnews/internal/status"
)

func (l *look) judge() []diag.Problem {
	problems := slices.Concat(lists.Flat(l.env, host.EnvFile), host.Space(l.spaces), host.Limits(l.limits), lists.Flat(l.databases, host.Database))
	if l.gateOff != "" {
		problems = append(problems, diag.GatesOff("justnews.gate=off", l.gateOff))
	}
	if l.Units == nil {
		return append(status.Fold(problems), l.notLooked()...)
	}
	problems = slices.Concat(problems, checkunit.Overrides(l.overrides), checkunit.Rivals(l.rivals), checkunit.Generated(l.generated),
		checkunit.Present(l.target), checkunit.Enabled(l.target, true), checkunit.Present(l.preload), l.unlisted,
		host.EnvUnused(l.env, l.Config.InstanceNames(), l.namedFiles()))
	problems = slices.Concat(problems, lists.Flat(l.instances, l.judgeInstance), lists.Flat(l.guards, l.judgeGuard))
	problems = slices.DeleteFunc(problems, follow(problems))
	return append(status.Fold(problems), l.notLooked()...)
}

// namedFiles are the environment files, or patterns of them, that units name.
func (l *look) namedFiles() []string {
	return append(lists.Flat(l.instances, func(i instance) []string { return i.unit.EnvironmentFiles }),
		lists.Flat(l.guards, func(g guarded) []string { return g.unit.EnvironmentFiles })...)
}

// follow reports which problems follow from another finding: instances without a
// mark from a generator that is not there, old files from units that are made of them.
func follow(problems []diag.Problem) func(diag.Problem) bool {
	found := func(codes ...diag.Code) bool {
		return slices.ContainsFunc(problems, func(p diag.Problem) bool { return slices.Contains(codes, p.Code) })
	}
	absent, marks := found(diag.GeneratorAbsent), found(diag.UnitStale, diag.UnitUnmarked)
	return func(p diag.Problem) bool {
		return absent && p.Code == diag.UnitUnmarked || !absent && marks && p.Code == diag.GeneratorStale
	}
}

func (l *look) judgeInstance(i instance) []diag.Problem {
	problems := checkunit.GatedBy(i.unit, l.Marks[i.Name])
	if i.unit.LoadState != "loaded" {
		return problems
	}
	if p := checkunit.KeptDown(i.unit); p != nil {
		problems = append(problems, *p)
	}
	problems = slices.Concat(problems, checkunit.Audit(i.unit, l.overrides), checkunit.Enabled(i.unit, i.Enabled), checkunit.OpenFiles(i.unit, l.overrides))
	if i.account.User != "" { // else it was not looked up in time
		problems = append(problems, host.Account(i.unit, i.account)...)
		problems = append(problems, checkunit.RunsAs(i.unit, i.wanted, l.overrides, i.env)...)
		if i.account.Err == "" {
			problems = append(problems, host.RemovesIPC(i.unit, i.account, l.limits)...)
		}
	}
	w, wrong := requirement.ForInstance(l.Config, i.Name, lookup(i.env), requirement.Flags{})
	_, conflict := gate.Budget(w.Timeout, &i.unit)
	return slices.Concat(problems, host.Port(i.unit, i.port), l.judgePaths(i), outOfSight(i.unit, w, i.leads), l.movedFor(i, w), bound(i.unit, w), wrong, conflict)
}

// movedFor reports what an instance's own environment moves elsewhere: the rest of the run
// checks only what all instances use.
func (l *look) movedFor(i instance, own requirement.Run) (problems []diag.Problem) {
	all, _ := requirement.ForHost(l.Config, lookup(l.environment(facts.Unit{}, host.Environment)), requirement.Flags{})
	for _, at := range []struct {
		code           diag.Code
		what, own, all string
	}{
		{diag.StoreRoot, "the Model Store", own.Models.Root, all.Models.Root},
		{diag.OrchestratorUnreachable, "the orchestrator", own.Orchestrator.URL, all.Orchestrator.URL},
		{diag.BusUnreachable, "the MCP bus", own.Bus.URL, all.Bus.URL},
	} {
		if own.RequireModels && at.own != at.all {
			problems = append(problems, diag.Found(at.code, i.unit.Name, "its environment moves "+at.what+" elsewhere, which this run has not checked",
				diag.Clean(at.own), diag.Clean(at.all)+", as for the other instances",
				diag.Advise("remove the variable from its environment file or drop-in, or check it", diag.Run("justnews-gate", "gate", "--", i.Name)).Looking(diag.CatUnit(i.unit.Name))).As(diag.Warning))
		}
	}
	return problems
}

// bound reports what a bind mount shows the orchestrator at a path: the preload, and this run,
// check what the host has there.
func bound(u facts.Unit, w requirement.Run) []diag.Problem {
	if w.Unit != w.Orchestrator.Unit {
		return nil
	}
	var problems []diag.Problem
	for _, at := range []struct {
		code            diag.Code
		key, what, path string
	}{
		{diag.StoreRoot, "models.root", "the Model Store", w.Models.Root},
		{diag.StoreRoot, "models.base_dir", "the directory of models.base_dir", w.Models.BaseDir},
		{diag.MapUnreadable, "models.map", "the model map", w.Models.Map},
	} {
		if from := host.Source(u.Sandbox, at.path); from != at.path {
			problems = append(problems, diag.Found(at.code, u.Name, "a bind mount of the unit replaces "+at.what+", which is checked as the host has it",
				diag.Clean(at.path)+" is "+diag.Clean(from)+" for the unit", "the same files for the unit and for justnews-preload.service",
				diag.Advise(fmt.Sprintf("set %s = %s in /etc/justnews/justnews.toml instead of the bind mount, or add the same to justnews-preload.service and justnews-preflight.service", at.key, diag.Quote(from)), diag.Reload()).
					Looking(diag.CatUnit(u.Name))).As(diag.Warning))
		}
	}
	return problems
}

// judgeGuard judges a guarded unit, of which only the gate is ours.
func (l *look) judgeGuard(g guarded) []diag.Problem {
	mark := l.Marks[g.Unit]
	mark.After = g.After()
	problems := append(checkunit.GatedBy(g.unit, mark), checkunit.Guarded(g.unit)...)
	if g.unit.LoadState != "loaded" {
		return problems
	}
	switch p := checkunit.Failure(g.unit); {
	case checkunit.WordOf(g.unit, true) == checkunit.Refused:
		problems = append(problems, checkunit.RefusedBefore(g.unit))
	case p != nil:
		problems = append(problems, *p)
	}
	w, _ := requirement.ForGuard(l.Config, g.Unit, g.After(), requirement.Flags{})
	_, conflict := gate.Budget(w.Timeout, &g.unit)
	return slices.Concat(problems, outOfSight(g.unit, w, nil), conflict)
}

// outOfSight finds what the instance's gate would call missing or down because
// its unit hides or forbids it. Leads is where the paths lead through links.
func outOfSight(u facts.Unit, w requirement.Run, leads map[string]string) []diag.Problem {
	var problems []diag.Problem
	add := func(code diag.Code, subject string, at host.Place) {
		at.Leads = leads[at.Path]
		one := []diag.Problem{{Code: code, Subject: subject}}
		if host.Sandboxed(one, u, func(diag.Problem) host.Place { return at }); one[0].Message != "" {
			problems = append(problems, one...)
		}
	}
	if w.RequireModels {
		add(diag.OrchestratorUnreachable, u.Name, host.Place{What: "the orchestrator", Server: w.Orchestrator.URL})
	}
	if w.RequireModels || w.Unit == w.Orchestrator.Unit {
		add(diag.StoreRoot, u.Name, host.Place{What: "the Model Store", Path: w.Models.Root})
		add(diag.StoreRoot, u.Name, host.Place{What: "models.base_dir", Path: w.Models.BaseDir})
		add(diag.MapUnreadable, u.Name, host.Place{What: "the model map", Path: w.Models.Map})
	}
	if w.RequireMPS {
		add(diag.MPSEnvironment, w.MPS.PipeDirectory, host.Place{What: "the MPS pipe directory", Path: w.MPS.PipeDirectory})
	}
	if w.RequireBus {
		add(diag.BusUnreachable, u.Name, host.Place{What: "the MCP bus", Server: w.Bus.URL})
	}
	for _, n := range w.Needs {
		add(diag.NeedUnmet, u.Name, host.PlaceOf(n))
	}
	orchestrator.Overridden(problems, w.Overrides)
	return problems
}

func (l *look) judgePaths(i instance) []diag.Problem {
	var problems []diag.Problem
	for _, p := range slices.Concat(host.Paths(i.unit), host.Interpreters(i.sourced)) {
		problems = append(problems, host.Reached(i.unit, p, i.paths[attempt{p.Path, p.Want}])...)
	}
	for _, p := range host.GateFiles(l.Config, i.Instance) {
		problems = append(problems, host.Unreadable(i.unit, p, i.paths[attempt{p.Path, p.Want}])...)
	}
	problems = slices.Concat(problems, host.HiddenVariables(i.unit, i.sourced), host.HiddenCaches(i.unit, i.env, i.account.Home, i.caches))
	for _, n := range i.named {
		problems = append(problems, host.NoInterpreter(i.unit.Name, n))
	}
	for _, p := range i.written {
		problems = append(problems, host.Directory(i.unit, p, i.paths[attempt{p.Path, p.Want}])...)
	}
	for _, name := range host.Caches {
		if dir := i.env[name]; dir != "" {
			problems = append(problems, host.Cache(i.unit, name, dir, i.paths[attempt{dir, facts.Write}])...)
		}
	}
	return problems
}

// unlooked lists the checks that are skipped without systemd.
const unlooked = "units, ports and paths were not checked"

// notLooked reports once the checks that this run could not make. They are not known to have
// a problem.
func (l *look) notLooked() []diag.Problem {
	var problems []diag.Problem
	if l.unasked != nil {
		problems = append(problems, checkunit.SystemdSilent("systemd", unlooked, l.unasked.Error()))
	}
	missed := append(slices.Sorted(slices.Values(l.unchecked)), l.notTried()...)
	if len(missed) == 0 {
		return problems
	}
	return append(problems, diag.New(diag.Unchecked, "preflight", "this run could not check everything: "+diag.Clean(strings.Join(missed, ", ")),
		diag.Do(diag.Run("sudo", "justnews-gate", "preflight"))).As(diag.Notice))
}

// notTried counts the paths that could not be tried, by user and reason.
func (l *look) notTried() []string {
	paths := map[untried][]string{}
	for _, u := range l.untried {
		group := untried{user: u.user, why: u.why}
		paths[group] = append(paths[group], u.path)
	}
	var all []string
	for group, in := range paths {
		slices.Sort(in)
		in = slices.Compact(in)
		text := in[0]
		if len(in) > 1 {
			text = fmt.Sprintf("%d paths such as %s", len(in), in[0])
		}
		all = append(all, fmt.Sprintf("%s as the user %s (%s)", text, group.user, group.why))
	}
	slices.Sort(all)
	return all
}
