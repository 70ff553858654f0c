// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// VLLM judges whether the vLLM server is running that serves agents of the map. No
// gate waits for it: the orchestrator's preload does not cover it.
func VLLM(v facts.VLLM, agents []string, url, unit string) []diag.Problem {
	if len(agents) == 0 || v.Kind != facts.Answered || v.Running {
		return nil
	}
	seen := "enabled, and not running"
	if !v.Enabled {
		seen = "not enabled, VLLM_ENABLED is not true"
	}
	return []diag.Problem{{
		Code: diag.VLLMDown, Severity: diag.Warning, Subject: url + "/vllm/status",
		Message: "the vLLM server of " + diag.Clean(strings.Join(agents, ", ")) + " is not running",
		Seen:    seen, Expected: "a running vLLM server, or no vllm_agents in the map",
		Fix: diag.Advise("set VLLM_ENABLED=true in the orchestrator's environment and fix the error in its log, or remove vllm_agents from the map", diag.Restart(unit)...).Looking(diag.LogOf(unit)),
	}}
}
