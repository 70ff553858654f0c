// SPDX-License-Identifier: Apache-2.0

package requirement

import "justnews/internal/diag"

// Remote returns the warning of an orchestrator that is asked over the
// network: its answers are then as trustworthy as the network, and nothing
// proves who answers.
func (w Run) Remote() []diag.Problem {
	if w.Orchestrator.URL == "" || w.Orchestrator.Here {
		return nil
	}
	return []diag.Problem{{
		Code: diag.OrchestratorRemote, Severity: diag.Warning, Subject: w.Orchestrator.URL,
		Message:  "the orchestrator's URL is not on this host: requests leave it unencrypted",
		Seen:     w.Orchestrator.URL,
		Expected: "an address of this host",
		Fix:      diag.Advise("if it runs on this host, name its instance in orchestrator.instance and an address of this host in orchestrator.url (or GPU_ORCHESTRATOR_URL)", diag.Reload()),
	}}
}
