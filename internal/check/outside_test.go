// SPDX-License-Identifier: Apache-2.0

package check_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"justnews/internal/check/gpu"
	"justnews/internal/check/host"
	"justnews/internal/check/mps"
	"justnews/internal/check/orchestrator"
	"justnews/internal/check/store"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/test/reference/outside"
)

// judges are all functions below this package that report problems.
var judges = map[string]any{
	"unit.Changed": unit.Changed, "unit.KeptDown": unit.KeptDown, "unit.NotUp": unit.NotUp, "host.NotOurs": host.NotOurs, "host.NotStopped": host.NotStopped, "store.Late": store.Late,
	"store.Hung": store.Hung, "store.NoLoader": store.NoLoader, "store.NothingToSeal": store.NothingToSeal, "store.NotListed": store.NotListed,
	"unit.NoSystemd": unit.NoSystemd, "unit.SystemdSilent": unit.SystemdSilent, "unit.NotDone": unit.NotDone, "unit.NotServed": unit.NotServed,
	"orchestrator.TargetStopped": orchestrator.TargetStopped, "unit.StatusUnknown": unit.StatusUnknown, "unit.StatusListed": unit.StatusListed,
	"host.PathFix": host.PathFix, "unit.Problems": unit.Problems, "unit.WithSetup": unit.WithSetup,
	"gpu.Judge": gpu.Judge, "host.Account": host.Account, "host.Cache": host.Cache, "host.Database": host.Database, "host.Directory": func(u facts.Unit, path, user string) []diag.Problem {
		return host.Directory(u, host.Granted([]string{path})[0], facts.Reach{Path: path, User: user, Known: true, Detail: host.Absent})
	},
	"host.EnvFile": host.EnvFile, "host.EnvUnused": func(name string) []diag.Problem {
		return host.EnvUnused([]facts.EnvFile{{Path: "/etc/justnews/" + name + "s.env"}}, []string{name}, nil)
	}, "host.HiddenVariables": host.HiddenVariables, "host.HiddenCaches": func(u facts.Unit, home, cache string) []diag.Problem {
		return host.HiddenCaches(u, map[string]string{"XDG_CACHE_HOME": cache}, home, envfile.Caches)
	}, "host.Limits": host.Limits, "host.NamedAccount": host.NamedAccount, "host.NamedPath": host.NamedPath,
	"host.Unreadable": func(u facts.Unit, p host.Path, r facts.Reach) []diag.Problem {
		return host.Unreadable(u, p, facts.Reach{At: r.At, User: r.User, Known: true, Detail: "permission denied"})
	},
	"host.NamedUnreadable": func(p host.Path, instances []string, r facts.Reach) []diag.Problem {
		return host.NamedUnreadable(p, instances, facts.Reach{At: r.At, User: r.User, Known: true, Detail: "permission denied"})
	},
	"store.Named": store.Named, "host.NoInstance": host.NoInstance, "host.NoInterpreter": host.NoInterpreter, "host.Port": host.Port,
	"host.Reached": host.Reached, "host.Space": host.Space, "mps.AuditUnit": mps.AuditUnit, "mps.Control": mps.Control,
	"mps.Daemon": mps.Daemon, "mps.Deadlock": mps.Deadlock, "mps.Defaults": mps.Defaults, "mps.NotStarted": mps.NotStarted,
	"mps.Opinion": mps.Opinion, "mps.Program": mps.Program, "mps.Servers": mps.Servers, "mps.NotAsked": mps.NotAsked, "mps.Partitions": func(p facts.MPSProcess, unit, partition string) []diag.Problem {
		p.Args = append([]string{"nvidia-cuda-mps-control"}, p.Args...)
		return mps.Partitions(facts.MPS{Daemon: &p}, mps.Audit{Unit: unit, Lookup: func(string) (string, bool) { return partition, true }})
	},
	"mps.NotReported": mps.NotReported,
	"mps.UnitProblem": mps.UnitProblem, "mps.OutOfReach": mps.OutOfReach, "host.RemovesIPC": host.RemovesIPC, "mps.Unseen": mps.Unseen, "orchestrator.Bus": orchestrator.Bus, "orchestrator.WhySilent": func(u facts.Unit) []diag.Problem {
		return orchestrator.WhySilent([]diag.Problem{{Code: diag.BusUnreachable}}, diag.BusUnreachable, u)
	}, "orchestrator.AcceptedEmpty": orchestrator.AcceptedEmpty,
	"orchestrator.BusUnit": orchestrator.BusUnit, "orchestrator.Canary": orchestrator.Canary, "orchestrator.OnGPU": orchestrator.OnGPU, "orchestrator.DryRun": orchestrator.DryRun,
	"orchestrator.Environment": orchestrator.Environment, "orchestrator.ForMemory": orchestrator.ForMemory,
	"orchestrator.Glance": orchestrator.Glance, "orchestrator.InvalidAnswer": orchestrator.InvalidAnswer,
	"orchestrator.Late": orchestrator.Late, "orchestrator.PreloadRefused": orchestrator.PreloadRefused,
	"orchestrator.Refused": orchestrator.Refused, "orchestrator.Registered": orchestrator.Registered,
	"orchestrator.Silent": orchestrator.Silent, "orchestrator.SystemdSilent": orchestrator.SystemdSilent,
	"orchestrator.Unit": orchestrator.Unit, "orchestrator.UnitFails": orchestrator.UnitFails, "store.Judge": store.Judge,
	"store.Map": store.Map, "store.MapDenied": store.MapDenied, "store.MapInstances": store.MapInstances,
	"store.MountMissing": store.MountMissing, "store.OfModel": store.OfModel, "store.Proofs": store.Proofs, "unit.Audit": unit.Audit,
	"unit.Enabled": unit.Enabled, "unit.Failure": unit.Failure, "unit.Gated": unit.Gated, "unit.GatedBy": unit.GatedBy, "unit.Guarded": unit.Guarded, "unit.Volatile": unit.Volatile, "unit.RefusedBefore": unit.RefusedBefore,
	"unit.Generated": unit.Generated, "unit.MarkUnknown": unit.MarkUnknown, "unit.Marked": unit.Marked, "unit.OpenFiles": unit.OpenFiles,
	"unit.Opened": unit.Opened, "unit.Overrides": unit.Overrides, "unit.Present": unit.Present, "unit.RunsAs": unit.RunsAs,
	"unit.Stale": unit.Stale, "unit.Rivals": unit.Rivals, "orchestrator.VLLM": orchestrator.VLLM, "unit.Retire": unit.Retire,
}

func TestCommands_OutsideNamesAreNeverCommandsOrOptions(t *testing.T) {
	for _, name := range judgesOfTheSource(t) {
		if judges[name] == nil {
			t.Errorf("%s is not held against a shell", name)
		}
	}
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	var shell outside.Shell
	for name, judge := range judges {
		r := rand.New(rand.NewPCG(1, 2))
		said, wild := 0, 0
		for range rounds {
			problems, ok := outside.Call(r, judge)
			if !ok {
				wild++
			}
			said += len(problems)
			for _, p := range problems {
				shell.Hold(t, name, p)
			}
		}
		if said == 0 || wild > rounds/2 {
			t.Errorf("%s: %d problems, %d panics in %d calls", name, said, wild, rounds)
		}
	}
	shell.Split(t)
	t.Logf("%d commands", shell.Len())
}

// judgesOfTheSource are the exported functions whose result is a problem or a fix.
func judgesOfTheSource(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() && fn.Type.Results != nil && says(fn.Type.Results) {
				names = append(names, f.Name.Name+"."+fn.Name.Name)
			}
		}
	}
	return names
}

// says reports whether one of the results is a problem or a fix.
func says(results *ast.FieldList) bool {
	found := false
	ast.Inspect(results, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Problem" || s.Sel.Name == "Fix") {
			found = true
		}
		return true
	})
	return found
}
