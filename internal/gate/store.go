// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"justnews/internal/check"
	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// ModelStore looks at the Model Store. Look is quick, and so is Recall: it returns
// earlier results; Prove reads what was not read before.
type ModelStore interface {
	// As is the same store, looked at as a user of this host.
	As(uid int) ModelStore
	Recall(ctx context.Context, trees []facts.StoreTree) []facts.StoreProof
	Look(ctx context.Context, wants []facts.StoreWant) facts.Store
	Prove(ctx context.Context, trees []facts.StoreTree, tell func(digest.Progress)) []facts.StoreProof
}

var storeStep = step{"store", auditStore}

// auditStore makes sure that every model of the map is in the store, complete and readable
// and, if the run requires it, that every byte matches the manifest. Without a map, or with
// an orchestrator on another host, there is nothing to check.
func auditStore(ctx context.Context, r *runner) outcome {
	wants := store.Wants(r.world.Map.Models, r.only()...)
	if r.world.Store == nil || len(wants) == 0 {
		return outcome{passed: true}
	}
	look := r.world.Store.Look(ctx, wants)
	if ctx.Err() != nil || look.Fault == nil && len(look.Models) != len(wants) {
		return outcome{detail: "not all models were checked", problems: []diag.Problem{store.Late(look, r.req.Timeout.Value)}}
	}
	if r.req.Instance == "" { // users see different things, and the preload looks as the loader
		r.store = fingerprint(look)
	}
	w := r.wanted()
	out := outcome{problems: store.Judge(look, w), detail: fmt.Sprintf("%d of %d models in the store", len(wants), len(wants)), done: len(wants), total: len(wants)}
	out.passed = len(diag.Errors(out.problems)) == 0
	switch {
	case look.Fault != nil || !out.passed && !w.Thorough:
	case r.req.Verify == "manifest":
		r.prove(ctx, look, w, &out)
	default:
		r.recallProofs(ctx, look, w, &out)
	}
	if !out.passed {
		out.detail = "the store is not complete"
	}
	return out
}

// GlanceStore returns what one look at the Model Store finds wrong with it. It
// hashes nothing.
func GlanceStore(ctx context.Context, w requirement.Run, world World) []diag.Problem {
	wants := store.Wants(world.Map.Models)
	if world.Store == nil || len(wants) == 0 {
		return nil
	}
	look := world.Store.Look(ctx, wants)
	if ctx.Err() != nil || look.Fault == nil && len(look.Models) != len(wants) {
		return nil
	}
	k := &runner{req: w, world: world}
	return store.Judge(look, k.wanted())
}

// fingerprint changes with the result of a look.
func fingerprint(look facts.Store) string {
	text, err := json.Marshal(look.Models)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// recallProofs hashes nothing, but rejects what is known to be damaged: a file that the
// preload found damaged keeps every gate shut.
func (r *runner) recallProofs(ctx context.Context, look facts.Store, w store.Wanted, out *outcome) {
	known := slices.DeleteFunc(r.world.Store.Recall(ctx, look.Trees), func(p facts.StoreProof) bool { return p.Verdict != facts.Differs })
	out.problems = append(out.problems, store.Proofs(known, look, w)...)
	out.passed = len(diag.Errors(out.problems)) == 0
}

func (r *runner) prove(ctx context.Context, look facts.Store, w store.Wanted, out *outcome) {
	began := time.Now()
	proofs := r.world.Store.Prove(ctx, look.Trees, func(p digest.Progress) {
		text, _ := HashingText(p, time.Since(began))
		r.say("store", text, int(p.Done>>20), int(p.Total>>20))
	})
	out.problems = append(out.problems, store.Proofs(proofs, look, w)...)
	out.passed = len(diag.Errors(out.problems)) == 0
	var all, read int64
	for _, p := range proofs {
		all, read = all+p.Bytes, read+p.Read
	}
	out.done, out.total = 0, 0 // bytes say more
	out.detail = fmt.Sprintf("%s of models verified, %s read", check.Size(all), check.Size(read))
}

// only is the agent whose models decide, if one alone does.
func (r *runner) only() []string {
	if r.req.OnlyAgent == "" {
		return nil
	}
	return []string{r.req.OnlyAgent}
}

func (r *runner) wanted() store.Wanted {
	return store.Wanted{Models: r.req.Models, Listed: r.world.Map.Models, Thorough: r.survey, Unit: r.world.Self.Unit}
}

// HashingText describes the progress of hashing, with an estimate of the remaining time.
func HashingText(p digest.Progress, passed time.Duration) (string, time.Duration) {
	text := fmt.Sprintf("%s of %s verified", check.Size(p.Done), check.Size(p.Total))
	rate := float64(p.Read) / max(passed.Seconds(), 1e-3)
	if rate <= 0 {
		return text, 0
	}
	left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second))
	return fmt.Sprintf("%s, %s/s, %d s left", text, check.Size(int64(rate)), int(left.Seconds()+0.5)), left
}
