// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/check"
	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Evidence is what was examined to find out why a model did not load.
type Evidence struct {
	Store  facts.Store        // the whole store
	Proofs []facts.StoreProof // of the versions that were hashed
	Memory facts.Memory
	Unit   string   // of the orchestrator
	Limits []string // of that unit: MemoryMax=, LimitAS=, …
	Wanted store.Wanted
}

// DiagnoseModel finds the cause of a model's error on the disk and in memory.
// The message decides only what no disk can show: that memory ran out, or that a
// download was attempted. It returns false if nothing of the model was examined.
func DiagnoseModel(e facts.ModelError, v Evidence) (Diagnosis, bool) {
	disk := store.OfModel(e.Agent, e.Model, v.Store, v.Proofs, v.Wanted)
	switch kind := pointsTo(e).says; {
	case kind == "memory":
		return outOfMemory(e, v, memory(v.Memory, v.Limits)), true
	case kind == download && v.Wanted.Strict:
		return downloadTried(e, v, disk), true
	case len(disk) > 0:
		p := disk[0]
		return Diagnosis{Code: p.Code, Seen: p.Message + ": " + p.Seen, Expected: p.Expected, Fix: p.Fix}, true
	}
	if why := tooLarge(e, v); why != "" {
		return outOfMemory(e, v, why+"; "+memory(v.Memory, v.Limits)), true
	}
	return soundOnDisk(e, v)
}

// downloadTried explains an error of a loader that tried to download.
func downloadTried(e facts.ModelError, v Evidence, disk []diag.Problem) Diagnosis {
	d := Diagnosis{
		Code: diag.ModelDownload, Seen: "the message shows that a download was attempted, which STRICT_MODEL_STORE forbids",
		Expected: "a complete snapshot in the Model Store, so that nothing is downloaded",
		Fix:      diag.Advise(fmt.Sprintf("copy the complete snapshot of %s into the Model Store", diag.Quote(cmp.Or(e.Model, e.Agent))), diag.Retry()),
	}
	switch sound, _ := complete(e, v); {
	case len(disk) > 0:
		d.Seen, d.Fix = d.Seen+"; "+string(disk[0].Code)+": "+disk[0].Seen, disk[0].Fix
	case sound != "":
		d.Seen, d.Fix = d.Seen+"; "+sound, lookElsewhere(v)
	}
	return d
}

func outOfMemory(e facts.ModelError, v Evidence, seen string) Diagnosis {
	d := Diagnosis{
		Code: diag.ModelMemory, Seen: seen, Expected: "enough memory to load the model",
		Fix: diag.Advise("free memory, add swap, raise service.memory_max of the orchestrator's instance or load fewer models", diag.Retry()),
	}
	if name := limitBelow(size(e, v), v.Limits); name != "" && v.Unit != "" {
		d.Fix = diag.Advise(fmt.Sprintf("raise %s= of the orchestrator", name), append([]diag.Command{diag.Reload()}, diag.Restart(v.Unit)...)...).Looking(diag.Run("systemctl", "edit", "--", v.Unit))
	}
	return d
}

// tooLarge returns why a model that is intact on disk cannot fit into memory. With STRICT,
// upstream hides the cause behind its own message.
func tooLarge(e facts.ModelError, v Evidence) string {
	bytes := size(e, v)
	if name := limitBelow(bytes, v.Limits); name != "" {
		return fmt.Sprintf("the model needs %s, more than %s= of the unit allows", check.Size(bytes), name)
	}
	m := v.Memory
	if m.Total > 0 && m.Available >= 0 && m.SwapFree >= 0 && bytes > m.Available+m.SwapFree {
		return fmt.Sprintf("the model needs %s, more than is free", check.Size(bytes))
	}
	return ""
}

// size is the total size of the model's files.
func size(e facts.ModelError, v Evidence) int64 {
	m, _ := store.Find(v.Store, e.Agent, e.Model)
	return m.Bytes
}

func limitBelow(bytes int64, limits []string) string {
	for _, l := range limits {
		name, value, _ := strings.Cut(l, "=")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n < bytes {
			return name
		}
	}
	return ""
}

// soundOnDisk reports that the disk is not the cause: only the message is left as
// evidence, unless the disk contradicts it.
func soundOnDisk(e facts.ModelError, v Evidence) (Diagnosis, bool) {
	seen, proven := complete(e, v)
	if seen == "" {
		return Diagnosis{}, false
	}
	d := Diagnosis{}
	switch pointsTo(e).says {
	case permission, download, missing:
		d.Expected, d.Fix = "a model that loads", lookElsewhere(v)
	case corrupt:
		if proven {
			d.Expected, d.Fix = "a model that loads", lookElsewhere(v)
		}
	}
	if said := messageDiagnosis(e); said.Seen != "" {
		seen += "; " + said.Seen
	}
	d.Seen = seen
	return d, true
}

// complete describes a model that is complete on disk, and whether every byte of it was
// compared with its manifest; "" if it was not found.
func complete(e facts.ModelError, v Evidence) (seen string, proven bool) {
	m, _ := store.Find(v.Store, e.Agent, e.Model)
	if m.Dir == "" {
		return "", false
	}
	seen = fmt.Sprintf("it is complete on disk and readable by %s: %s with %s, %s", v.Store.User, diag.Clean(m.Dir), diag.Count(m.Files, "file"), check.Size(m.Bytes))
	if hashed(m, v) {
		return seen + ", every byte as manifested", true
	}
	return seen, false
}

func hashed(m facts.StoreModel, v Evidence) bool {
	return m.Tree >= 0 && slices.ContainsFunc(v.Proofs, func(p facts.StoreProof) bool {
		return p.Path == v.Store.Trees[m.Tree].Path && p.Verdict == facts.Whole
	})
}

// lookElsewhere is the fix of an error that the disk contradicts: copying the model would
// not help.
func lookElsewhere(v Evidence) diag.Fix {
	return diag.Advise("load the models again, since the error may be older than the files; if it recurs, the orchestrator reads a different directory or map than the one that was checked",
		diag.Retry()).Looking(diag.LogOf(v.Unit))
}

// What a message can point to.
const (
	permission = "permission"
	download   = "an attempted download"
	missing    = "files that are missing"
	corrupt    = "a file that is corrupt"
)
