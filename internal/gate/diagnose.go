// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/safefile"
	"justnews/internal/unitname"
)

// Machine provides facts that no service of this host reports: its memory, and the
// environment with which a unit's process was started.
type Machine interface {
	Memory(controlGroup string) facts.Memory
	Environment(u facts.Unit) facts.Environment
	// Processes are those of a control group and of the groups below it.
	Processes(controlGroup string) []int
}

// A diagnosis follows the verdict. These limit its time, also beyond the deadline.
const (
	lookTime   = 2 * time.Second
	proveTime  = 3 * time.Second
	afterwards = 150 * time.Millisecond
)

// diagnosing returns a context for a part of the diagnosis. It is not the run's,
// which may have ended.
func (r *runner) diagnosing(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), min(limit, time.Until(r.until.Add(afterwards))))
}

// evidence looks at the Model Store and the machine, once, to find out why
// models did not load. What the store step proved is not looked at again.
func (r *runner) evidence() orchestrator.Evidence {
	if r.found != nil {
		return *r.found
	}
	v := orchestrator.Evidence{Wanted: r.wanted(), Unit: r.unit.unit.Name, Limits: r.unit.unit.MemoryLimits}
	if r.world.Machine != nil {
		v.Memory = r.world.Machine.Memory(r.unit.unit.ControlGroup)
	}
	if wants := store.Wants(r.world.Map.Models); len(wants) > 0 {
		ctx, cancel := r.diagnosing(lookTime)
		defer cancel()
		seen := r.world.Store
		if r.req.Loader.User == "" && r.server.Accepted { // no unit names its user, but its socket does
			seen = seen.As(r.server.UID)
		}
		v.Store = seen.Look(ctx, wants)
	}
	r.found = &v
	return v
}

// diagnose finds the cause of a model's error. Of a model that looks right from
// outside the content is compared as well, as far as the time allows.
func (r *runner) diagnose(e facts.ModelError) (orchestrator.Diagnosis, bool) {
	if r.world.Store == nil {
		return orchestrator.Diagnosis{}, false
	}
	v := r.evidence()
	d, ok := orchestrator.DiagnoseModel(e, v)
	if !ok || d.Code != "" {
		return d, ok
	}
	if r.proveFor(e, &v) {
		return orchestrator.DiagnoseModel(e, v)
	}
	return d, ok
}

// proveFor hashes the version of one model, the first time that it is asked
// for.
func (r *runner) proveFor(e facts.ModelError, v *orchestrator.Evidence) bool {
	at := slices.IndexFunc(v.Store.Models, func(m facts.StoreModel) bool {
		return m.Want.Agent == e.Agent && m.Want.Model == e.Model && m.Tree >= 0
	})
	if at < 0 {
		return false
	}
	tree := v.Store.Trees[v.Store.Models[at].Tree]
	if r.proven[tree.Path] {
		return false
	}
	if r.proven == nil {
		r.proven = map[string]bool{}
	}
	r.proven[tree.Path] = true
	ctx, cancel := r.diagnosing(proveTime)
	defer cancel()
	v.Proofs = append(v.Proofs, r.world.Store.Prove(ctx, []facts.StoreTree{tree}, nil)...)
	r.found = v
	return true
}

const rootVariable = "MODEL_STORE_ROOT"

// environment compares what the running orchestrator was started with to the
// configuration.
func (r *runner) environment() []diag.Problem {
	u := r.unit.unit
	// Only an instance gets its environment from the configuration.
	if !r.unit.known || r.world.Machine == nil || u.MainPID == 0 || !r.req.JustNews() || unitname.Instance(u.Name) == "" {
		return nil
	}
	e := r.world.Machine.Environment(u)
	ctx, cancel := r.diagnosing(lookTime)
	defer cancel()
	if root := r.req.Models.Root; filepath.IsAbs(e.Values[rootVariable]) && safefile.SameDirectory(ctx, e.Values[rootVariable], root) {
		e.Values = maps.Clone(e.Values)
		e.Values[rootVariable] = root
	}
	return orchestrator.Environment(u.Name, e, r.req.Models.Strict, r.req.Models.Root)
}

// forMemory names memory as the cause of a unit's failure where it was.
func (r *runner) forMemory(problems []diag.Problem) []diag.Problem {
	if r.world.Machine == nil || len(problems) == 0 {
		return problems
	}
	return orchestrator.ForMemory(problems, r.unit.unit, r.world.Machine.Memory(r.unit.unit.ControlGroup))
}
