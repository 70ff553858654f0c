// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Opinion compares the MPS state reported by the orchestrator with the verified one,
// nil if they agree or it reports none. It decides nothing: an empty directory is
// enough for its "enabled", and a daemon in another directory than its own
// environment names is none for it.
func Opinion(o facts.MPSOpinion, reached Rung, url string) *diag.Problem {
	if !o.Known || o.Enabled == (reached > NoRung) {
		return nil
	}
	p := &diag.Problem{
		Code: diag.MPSOpinion, Severity: diag.Warning, Subject: url,
		Message:  "the orchestrator reports that MPS is enabled, but this could not be verified",
		Seen:     fmt.Sprintf("%s is %t", diag.Clean(o.Source), o.Enabled),
		Expected: "what was verified here: " + reached.String(),
		Fix:      diag.Advise("fix what the status of MPS reports").Looking(diag.Run("justnews-gate", "mps", "status")),
	}
	if !o.Enabled {
		p.Message = "the orchestrator reports that MPS is not enabled, but it was verified to be"
		p.Fix = diag.Advise("give the orchestrator's unit the CUDA_MPS_PIPE_DIRECTORY of the daemon (mps = { enabled = true } for its instance)", diag.Reload())
	}
	return p
}
