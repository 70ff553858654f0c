// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/plan"
	"justnews/internal/requirement"
)

// mountEvery is how often a mount that is not there is asked for.
const mountEvery = 500 * time.Millisecond

// awaitMounts waits for what systemd is to mount on the way to the Model Store
// and to its map, where they are not there: at a boot a mount may come after
// the gate. A mount that never comes is named when the time of ctx is over.
func (a *app) awaitMounts(ctx context.Context, w requirement.Run, units gate.Units, o gate.Observer) []diag.Problem {
	if units == nil || !w.RequireModels || !w.Orchestrator.Here {
		return nil
	}
	until, _ := ctx.Deadline()
	for {
		missing := a.missing(w)
		if len(missing) == 0 {
			return nil
		}
		unit, found := absentMount(ctx, units, missing)
		switch {
		case !found:
			return nil // then the store and the map are judged as they are
		case unit.ActiveState == "failed":
			return []diag.Problem{store.MountMissing(unit, missing[0])}
		}
		o.Progress(gate.Progress{
			Step: "store", Text: "waiting for " + unit.Name, Left: time.Until(until),
		})
		select {
		case <-ctx.Done():
			return []diag.Problem{store.MountMissing(unit, missing[0])}
		case <-time.After(mountEvery):
		}
	}
}

// missing returns which of the store and the map are not there. An empty
// directory is what a store is mounted on.
func (a *app) missing(w requirement.Run) []string {
	var paths []string
	root := a.below(w.Models.Root)
	if entries, err := os.ReadDir(root); os.IsNotExist(err) || err == nil && len(entries) == 0 {
		paths = append(paths, root)
	}
	if file := a.below(w.Models.Map); file != "" {
		if _, err := os.Stat(file); os.IsNotExist(err) {
			paths = append(paths, file)
		}
	}
	return paths
}

// absentMount returns the unit of a mount that is configured on the way to one
// of the paths, and not active.
func absentMount(ctx context.Context, units gate.Units, paths []string) (facts.Unit, bool) {
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		for _, name := range plan.MountUnits(abs) {
			u, err := units.Unit(ctx, name)
			if err == nil && u.LoadState == "loaded" && u.ActiveState != "active" {
				return u, true
			}
		}
	}
	return facts.Unit{}, false
}
