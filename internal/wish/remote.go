// SPDX-License-Identifier: Apache-2.0

package wish

import "justnews/internal/diag"

// Remote returns the warning of an orchestrator that is asked over the
// network: what it says is then worth as much as the network is, and the owner
// of its listener cannot be compared with its unit's user.
func (w Wish) Remote() []diag.Problem {
	if w.Orchestrator.URL == "" || Loopback(w.Orchestrator.URL) {
		return nil
	}
	return []diag.Problem{{
		Code: diag.OrchestratorRemote, Severity: diag.Warning, Subject: w.Orchestrator.URL,
		Message:  "the orchestrator's URL is not on this host: requests leave it unencrypted",
		Seen:     w.Orchestrator.URL,
		Expected: "localhost, or an address of 127.0.0.0/8 or ::1",
		Fix:      diag.Advise("set orchestrator.url in /etc/justnews/justnews.toml or GPU_ORCHESTRATOR_URL to a loopback address if it runs on this host", diag.Reload()),
	}}
}
