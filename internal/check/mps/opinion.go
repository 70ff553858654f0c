// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Opinion compares the orchestrator's opinion of MPS with what was proven,
// nil where they agree or it has none. It decides nothing: an empty directory is
// enough for its "enabled", and a daemon in another directory than its own
// environment names is none for it.
func Opinion(o facts.MPSOpinion, reached Rung, url string) *diag.Problem {
	if !o.Known || o.Enabled == (reached > NoRung) {
		return nil
	}
	p := &diag.Problem{
		Code: diag.MPSOpinion, Severity: diag.Warning, Subject: url,
		Message:  "the orchestrator says that MPS is enabled, and it is not proven",
		Seen:     fmt.Sprintf("%s is %t", diag.Clean(o.Source), o.Enabled),
		Expected: "the same as proven here: " + reached.String(),
		Fix:      diag.Advise("nothing to do about the orchestrator's word: fix what the status of MPS names").Looking(diag.Run("justnews-gate", "mps", "status")),
	}
	if !o.Enabled {
		p.Message = "the orchestrator says that MPS is not enabled, and it is proven"
		p.Fix = diag.Advise("give the orchestrator's unit the CUDA_MPS_PIPE_DIRECTORY of the daemon (mps = { enabled = true } for its instance)", diag.Reload())
	}
	return p
}
