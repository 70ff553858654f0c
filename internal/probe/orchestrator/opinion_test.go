// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"justnews/internal/facts"
	"justnews/internal/probe/orchestrator"
)

// Real answers of the old and the new server, and answers that neither should give.
func TestOpinion_OrchestratorsOpinionOfMPS(t *testing.T) {
	const (
		info    = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}"
		metrics = "# HELP gpu_orchestrator_mps_enabled MPS\n# TYPE gpu_orchestrator_mps_enabled gauge\n"
	)
	for _, tc := range []struct {
		name, info, metrics string
		want                facts.MPSOpinion
	}{
		{"old, enabled", ok(`{"gpus":[],"mps_enabled":true}`), "", facts.MPSOpinion{Known: true, Enabled: true, Source: "/gpu/info: mps_enabled"}},
		{"old, not enabled", ok(`{"mps_enabled":false}`), "", facts.MPSOpinion{Known: true, Source: "/gpu/info: mps_enabled"}},
		{"new, enabled", info, ok(metrics + "gpu_orchestrator_mps_enabled 1.0\n"), facts.MPSOpinion{Known: true, Enabled: true, Source: "/metrics: gpu_orchestrator_mps_enabled"}},
		{"new, not enabled", info, ok(metrics + "gpu_orchestrator_mps_enabled 0.0\n"), facts.MPSOpinion{Known: true, Source: "/metrics: gpu_orchestrator_mps_enabled"}},
		{"a name that only begins so", info, ok("gpu_orchestrator_mps_enabled_total 1\n"), facts.MPSOpinion{}},
		{"no number", info, ok("gpu_orchestrator_mps_enabled yes\n"), facts.MPSOpinion{}},
		{"a string for the boolean", ok(`{"mps_enabled":"true"}`), ok(""), facts.MPSOpinion{}},
		{"nothing at all", info, info, facts.MPSOpinion{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := client(t, serve(t, byPath(map[string]string{"/gpu/info": tc.info, "/metrics": tc.metrics}))).(orchestrator.Adviser).MPS(t.Context())
			if got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

// byPath answers each path with its bytes.
func byPath(answers map[string]string) func(net.Conn, *http.Request) {
	return func(c net.Conn, r *http.Request) { io.WriteString(c, answers[r.URL.Path]) }
}
