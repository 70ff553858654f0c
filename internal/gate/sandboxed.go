// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	checkhost "justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
)

// Sandboxed compares the paths and servers that a run in a unit reports as missing,
// unreadable or unreachable with what the unit hides and forbids. Own is nil for a manual run,
// which sees the host as it is.
func Sandboxed(problems []diag.Problem, own *facts.Unit, w requirement.Run) {
	if own != nil {
		checkhost.Sandboxed(problems, *own, func(p diag.Problem) checkhost.Place {
			at := place(p, w)
			if filepath.IsAbs(at.Path) {
				at.Leads = leads(at.Path)
			}
			return at
		})
	}
}

// leads returns where a path leads in this unit, "" if that is not known in time.
func leads(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), afterwards)
	defer cancel()
	end, _ := safefile.Do(ctx, func() (string, error) { return safefile.Leads(path, os.Readlink), nil })
	return end
}

// place is the path or the server that a problem is about.
func place(p diag.Problem, w requirement.Run) checkhost.Place {
	switch p.Code {
	case diag.StoreRoot, diag.StorePermission:
		return checkhost.Place{What: "the Model Store", Path: p.Subject}
	case diag.MapUnreadable, diag.MapMissing:
		if p.Position != nil {
			return checkhost.Place{What: "the model map", Path: p.Position.File}
		}
	case diag.MPSDirectory, diag.MPSDead:
		return checkhost.Place{What: "the pipe directory", Path: p.Subject}
	case diag.GPUPermission, diag.GPUDriverNotLoaded, diag.GPUNone, diag.GPUUVMMissing:
		return checkhost.Place{What: "the GPU", Path: "/dev/nvidiactl"}
	case diag.OrchestratorUnreachable:
		return checkhost.Place{What: "the orchestrator", Server: p.Subject}
	case diag.BusUnreachable:
		return checkhost.Place{What: "the MCP bus", Server: p.Subject}
	case diag.NeedUnmet:
		if n := slices.IndexFunc(w.Needs, func(need config.Probe) bool { return need.Name == p.Subject }); n >= 0 {
			return checkhost.PlaceOf(w.Needs[n])
		}
	}
	return checkhost.Place{}
}
