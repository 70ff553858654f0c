// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"strings"
	"testing"

	"justnews/internal/check/orchestrator"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestVLLM_DownIsAWarning(t *testing.T) {
	answered := facts.Answer{Kind: facts.Answered, Status: 200}
	for name, c := range map[string]struct {
		vllm   facts.VLLM
		agents []string
		says   string
	}{
		"down":            {facts.VLLM{Answer: answered, Enabled: true}, []string{"synthesizer", "critic"}, "enabled, and not running"},
		"not enabled":     {facts.VLLM{Answer: answered}, []string{"synthesizer"}, "VLLM_ENABLED"},
		"running":         {facts.VLLM{Answer: answered, Enabled: true, Running: true}, []string{"synthesizer"}, ""},
		"not needed":      {facts.VLLM{Answer: answered}, nil, ""},
		"an older server": {facts.VLLM{Answer: facts.Answer{Kind: facts.NotServed}}, []string{"synthesizer"}, ""},
	} {
		problems := orchestrator.VLLM(c.vllm, c.agents, "http://127.0.0.1:8014", "justnews@gpu_orchestrator.service")
		if c.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Code != diag.VLLMDown || problems[0].Severity != diag.Warning || !strings.Contains(problems[0].Seen, c.says) {
			t.Errorf("%s: %+v", name, problems)
			continue
		}
		findings.Sound(t, problems[0])
	}
}
