// SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"fmt"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// ModelEvidence is what was looked at to find out why a model did not load.
type ModelEvidence struct {
	Store  facts.Store        // the whole store
	Proofs []facts.StoreProof // of the versions that were hashed
	Memory facts.Memory
	Limits []string // of the orchestrator's unit: MemoryMax=, LimitAS=, …
	Wish   StoreWish
}

// DiagnoseModel finds the cause of a model's error on the disk and in memory.
// The message decides only what no disk can show: that memory ran out, or that a
// download was tried. It returns false where nothing of the model was looked at.
func DiagnoseModel(e facts.ModelError, v ModelEvidence) (Diagnosis, bool) {
	disk := modelOnDisk(e, v)
	switch kind := pointsTo(e); {
	case kind == "memory":
		return Diagnosis{
			Code: diag.ModelMemory, Seen: memory(v.Memory, v.Limits), Expected: "enough memory to load the model",
			Fix: mend(refresh, "free memory, add swap, raise service.memory_max of the orchestrator's instance or load fewer models"),
		}, true
	case kind == download && v.Wish.Strict:
		seen := "the message shows that a download was tried, which STRICT_MODEL_STORE forbids"
		d := Diagnosis{
			Code: diag.ModelDownload, Seen: seen, Expected: "a complete snapshot in the Model Store, so that nothing is downloaded",
			Fix: mend(refresh, "copy the complete snapshot of %s into the Model Store", quote(cmp.Or(e.Model, e.Agent))),
		}
		if len(disk) > 0 {
			d.Seen, d.Fix = seen+"; "+string(disk[0].Code)+": "+disk[0].Seen, disk[0].Fix
		}
		return d, true
	case len(disk) > 0:
		p := disk[0]
		return Diagnosis{Code: p.Code, Seen: p.Message + ": " + p.Seen, Expected: p.Expected, Fix: p.Fix}, true
	}
	return soundOnDisk(e, v)
}

// modelOnDisk returns what is wrong with the one model, errors only.
func modelOnDisk(e facts.ModelError, v ModelEvidence) []diag.Problem {
	j := storeJudge{look: v.Store, wish: v.Wish, said: map[string]bool{}}
	if v.Store.Fault != nil {
		j.root(*v.Store.Fault)
		return diag.Errors(j.settled())
	}
	m, ok := looked(e, v.Store)
	if !ok {
		return nil
	}
	if m.Tree >= 0 {
		j.tree(m.Tree, v.Store.Trees[m.Tree])
	}
	j.model(m)
	for _, p := range v.Proofs {
		if m.Tree >= 0 && p.Path == v.Store.Trees[m.Tree].Path && p.Verdict == facts.Differs {
			j.proof(p)
		}
	}
	return diag.Errors(j.settled())
}

func looked(e facts.ModelError, s facts.Store) (facts.StoreModel, bool) {
	for _, m := range s.Models {
		if m.Want.Agent == e.Agent && m.Want.Model == e.Model {
			return m, true
		}
	}
	return facts.StoreModel{}, false
}

// soundOnDisk says that the disk is not to blame: the message stays what there
// is to go by.
func soundOnDisk(e facts.ModelError, v ModelEvidence) (Diagnosis, bool) {
	m, ok := looked(e, v.Store)
	if !ok || m.Dir == "" {
		return Diagnosis{}, false
	}
	seen := fmt.Sprintf("on disk it is complete, and %s can read it: %s with %d files, %s", v.Store.User, diag.Clean(m.Dir), m.Files, Bytes(m.Bytes))
	for _, p := range v.Proofs {
		if m.Tree >= 0 && p.Path == v.Store.Trees[m.Tree].Path && p.Verdict == facts.Whole {
			seen += ", every byte as manifested"
		}
	}
	if said := messageDiagnosis(e); said.Seen != "" {
		seen += "; " + said.Seen
	}
	return Diagnosis{Seen: seen}, true
}

const download = "a download that was tried"

// pointsTo returns what the words of a message say, "" for nothing known.
func pointsTo(e facts.ModelError) string {
	text := strings.ToLower(e.Error)
	for _, h := range hints {
		for _, word := range h.words {
			if strings.Contains(text, word) {
				return h.says
			}
		}
	}
	return ""
}
