// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"slices"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/requirement"
)

func TestPorts_AreFreedByStoppingTheirUnits(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(w *world)
		refuses string
		stopped []string
		codes   []diag.Code
	}{
		"its own unit":          {func(w *world) { w.taken(8002) }, "", []string{scoutUnit}, []diag.Code{diag.PortFreed}},
		"another unit of ours":  {func(w *world) { w.taken(8002); w.pids[8002] = "justnews@memory.service" }, "", []string{"justnews@memory.service"}, []diag.Code{diag.PortFreed}},
		"a unit of no package":  {func(w *world) { w.taken(8002); w.pids[8002] = "nginx.service" }, "", nil, []diag.Code{diag.PortTaken}},
		"a process of no unit":  {func(w *world) { w.taken(8002); delete(w.pids, 8002) }, "", nil, []diag.Code{diag.PortTaken}},
		"nobody":                {func(w *world) { w.taken(1) }, "", nil, nil},
		"a caller that may not": {func(w *world) { w.taken(8002) }, scoutUnit, nil, []diag.Code{diag.PortTaken}},
		"no process to be seen": {func(w *world) {
			w.taken(8002)
			w.hidden = true
		}, "", []string{scoutUnit}, []diag.Code{diag.PortFreed}},
		"a stranger's process that cannot be seen": {func(w *world) {
			w.taken(8002, 1000)
			w.hidden = true
		}, "", nil, []diag.Code{diag.PortTaken}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.denies = c.refuses
			c.change(w)
			freed := FreePorts(t.Context(), w.job.Config, w.job.Host, w)
			var codes []diag.Code
			for _, p := range freed.Problems {
				codes = append(codes, p.Code)
			}
			if !slices.Equal(w.stops, c.stopped) || !slices.Equal(freed.Stopped, c.stopped) || !slices.Equal(codes, c.codes) {
				t.Errorf("stopped %q, said %v; want %q, %v", w.stops, freed.Problems, c.stopped, c.codes)
			}
		})
	}
}

func TestPorts_WhatWasStoppedIsNotWaitedFor(t *testing.T) {
	for port, want := range map[int]requirement.Run{8014: {RequireBus: true}, 8000: {RequireModels: true}, 8002: {RequireModels: true, RequireBus: true}} {
		w, got := newWorld(t), requirement.Run{RequireModels: true, RequireBus: true}
		got.Orchestrator.Unit, got.Bus.Unit = "justnews@gpu_orchestrator.service", "justnews@mcp_bus.service"
		w.taken(port)
		if found := w.job.free(t.Context(), &got); len(found) != 0 || len(w.stops) != 0 {
			t.Errorf("without --stop: %v, stopped %q", found, w.stops)
		}
		w.job.Stop = true
		if found := w.job.free(t.Context(), &got); len(found) != 1 || got.RequireModels != want.RequireModels || got.RequireBus != want.RequireBus {
			t.Errorf("port %d: %v, models %v, bus %v", port, found, got.RequireModels, got.RequireBus)
		}
	}
}

// taken leaves one port alone taken.
func (w *world) taken(port int, uids ...int) {
	if len(uids) == 0 {
		uids = []int{997}
	}
	w.owners = func(p int) []int {
		if p == port {
			return uids
		}
		return nil
	}
}
