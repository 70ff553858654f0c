// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"slices"
	"time"

	"justnews/internal/check/orchestrator"
	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Machine provides what no service of this host reports: the memory there is,
// and what a unit's process was started with.
type Machine interface {
	Memory(controlGroup string) facts.Memory
	Environment(u facts.Unit) facts.Environment
}

// A diagnosis comes after the verdict: what it may take, and how far it may go
// beyond the deadline.
const (
	lookTime   = 2 * time.Second
	proveTime  = 3 * time.Second
	afterwards = 150 * time.Millisecond
)

// diagnosing returns a context for a part of the diagnosis. It is not the run's,
// which may have ended.
func (k *walk) diagnosing(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.Background(), earlier(time.Now().Add(limit), k.until.Add(afterwards)))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// evidence looks at the Model Store and the machine, once, to find out why
// models did not load. What the store step proved is not looked at again.
func (k *walk) evidence() orchestrator.Evidence {
	if k.found != nil {
		return *k.found
	}
	v := orchestrator.Evidence{Wanted: k.wanted(), Unit: k.unit.unit.Name, Limits: k.unit.unit.MemoryLimits}
	if k.world.Machine != nil {
		v.Memory = k.world.Machine.Memory(k.unit.unit.ControlGroup)
	}
	if wants := store.Wants(k.world.Map.Models); len(wants) > 0 {
		ctx, cancel := k.diagnosing(lookTime)
		defer cancel()
		seen := k.world.Store
		if k.req.Loader.User == "" && k.server.Accepted { // no unit says as whom it runs, its socket does
			seen = seen.As(k.server.UID)
		}
		v.Store = seen.Look(ctx, wants)
	}
	k.found = &v
	return v
}

// diagnose finds the cause of a model's error. Of a model that looks right from
// outside the content is compared as well, as far as the time allows.
func (k *walk) diagnose(e facts.ModelError) (orchestrator.Diagnosis, bool) {
	if k.world.Store == nil {
		return orchestrator.Diagnosis{}, false
	}
	v := k.evidence()
	d, ok := orchestrator.DiagnoseModel(e, v)
	if !ok || d.Code != "" {
		return d, ok
	}
	if k.proveFor(e, &v) {
		return orchestrator.DiagnoseModel(e, v)
	}
	return d, ok
}

// proveFor hashes the version of one model, the first time that it is asked
// for.
func (k *walk) proveFor(e facts.ModelError, v *orchestrator.Evidence) bool {
	at := slices.IndexFunc(v.Store.Models, func(m facts.StoreModel) bool {
		return m.Want.Agent == e.Agent && m.Want.Model == e.Model && m.Tree >= 0
	})
	if at < 0 {
		return false
	}
	tree := v.Store.Trees[v.Store.Models[at].Tree]
	if k.proven[tree.Path] {
		return false
	}
	if k.proven == nil {
		k.proven = map[string]bool{}
	}
	k.proven[tree.Path] = true
	ctx, cancel := k.diagnosing(proveTime)
	defer cancel()
	v.Proofs = append(v.Proofs, k.world.Store.Prove(ctx, []facts.StoreTree{tree}, nil)...)
	k.found = v
	return true
}

// environment compares what the running orchestrator was started with to the
// configuration.
func (k *walk) environment() []diag.Problem {
	u := k.unit.unit
	if !k.unit.known || k.world.Machine == nil || u.MainPID == 0 {
		return nil
	}
	return orchestrator.Environment(u.Name, k.world.Machine.Environment(u), k.req.Models.Strict, k.req.Models.Root)
}

// forMemory names memory as the cause of a unit's failure where it was.
func (k *walk) forMemory(problems []diag.Problem) []diag.Problem {
	if k.world.Machine == nil || len(problems) == 0 {
		return problems
	}
	return orchestrator.ForMemory(problems, k.unit.unit, k.world.Machine.Memory(k.unit.unit.ControlGroup))
}
