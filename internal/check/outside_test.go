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

	"justnews/internal/check"
	"justnews/internal/reference/outside"
)

// judges are all functions of this package that say what is wrong.
var judges = map[string]any{
	"Account": check.Account, "Bus": check.Bus, "BusUnit": check.BusUnit, "Cache": check.Cache, "Database": check.Database, "DryRun": check.DryRun,
	"Enabled": check.Enabled, "EnvFile": check.EnvFile, "FailedUnit": check.FailedUnit, "ForMemory": check.ForMemory, "GPU": check.GPU,
	"Gated": check.Gated, "GatedBy": check.GatedBy, "Generated": check.Generated, "Glance": check.Glance, "HostLimits": check.HostLimits,
	"Late": check.Late, "MPSAudit": check.MPSAudit, "MPSControl": check.MPSControl, "MPSDaemon": check.MPSDaemon, "MPSDeadlock": check.MPSDeadlock,
	"MPSDefaults": check.MPSDefaults, "MPSNotStarted": check.MPSNotStarted, "MPSOpinion": check.MPSOpinion, "MPSProgram": check.MPSProgram,
	"MPSServers": check.MPSServers, "MPSUnitProblem": check.MPSUnitProblem, "MPSUnseen": check.MPSUnseen, "Map": check.Map, "MapDenied": check.MapDenied,
	"MapInstances": check.MapInstances, "MarkUnknown": check.MarkUnknown, "Marked": check.Marked, "MountMissing": check.MountMissing,
	"NoInterpreter": check.NoInterpreter, "NamedPath": check.NamedPath, "NamedAccount": check.NamedAccount, "NamedStore": check.NamedStore, "NoInstance": check.NoInstance, "OpenFiles": check.OpenFiles, "Opened": check.Opened, "OrchestratorFails": check.OrchestratorFails, "OrchestratorLate": check.OrchestratorLate,
	"OrchestratorNonsense": check.OrchestratorNonsense, "OrchestratorUnit": check.OrchestratorUnit, "Overrides": check.Overrides, "Port": check.Port,
	"PreloadRefused": check.PreloadRefused, "Present": check.Present, "Reached": check.Reached, "Refused": check.Refused, "Registered": check.Registered,
	"RunsAs": check.RunsAs, "Space": check.Space, "Stale": check.Stale, "StartMPS": check.StartMPS, "Store": check.Store,
	"StoreEnvironment": check.StoreEnvironment, "StoreModelProblems": check.StoreModelProblems, "StoreProofs": check.StoreProofs, "SystemdSilent": check.SystemdSilent, "UnitAudit": check.UnitAudit,
}

func TestNoNameFromOutsideBecomesACommandOrAnOption(t *testing.T) {
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
	files, err := filepath.Glob("*.go")
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
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// says reports whether one of the results is of package diag: problems or a fix.
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
