// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"fmt"
	"os"
)

// orchestrator is the GPU Orchestrator of one life: two engines, the second of
// which answers only where two workers are asked for.
type orchestrator struct {
	server  *Server
	engines [2]*engine
	turn    turn
	routes  map[string]route
}

func newOrchestrator(ctx context.Context, s *Server) *orchestrator {
	o := &orchestrator{server: s}
	for i := range o.engines {
		o.engines[i] = &engine{server: s, ctx: ctx}
	}
	get, post := []string{"GET"}, []string{"POST"}
	o.routes = map[string]route{
		"/health":       {[]string{"GET", "POST"}, "POST", o.health},
		"/ready":        {get, "GET", o.ready},
		statusPath:      {get, "GET", func(*request) answer { return o.engine().status() }},
		preloadPath:     {post, "POST", o.preload},
		"/gpu/info":     {get, "GET", o.gpuInfo},
		"/metrics":      {get, "GET", o.metrics},
		"/notify_ready": {post, "POST", o.notifyReady},
		"/shutdown":     {post, "POST", o.shutdown},
	}
	return o
}

func (o *orchestrator) answer(r *request) answer { return dispatch(o.routes, r) }

func (o *orchestrator) engine() *engine {
	if _, on := o.server.conduct.value(twoWorkers); on {
		return o.engines[o.turn.next()]
	}
	return o.engines[0]
}

func (o *orchestrator) health(*request) answer {
	_, safe := o.server.conduct.value(safeMode)
	return say200(member{"status", "ok"}, member{"safe_mode", safe || o.server.opt.SafeMode})
}

func (o *orchestrator) ready(*request) answer {
	_, no := o.server.conduct.value(notReady)
	return say200(member{"ready", !no})
}

func (o *orchestrator) preload(r *request) answer {
	req, bad := readPreload(r)
	if bad != nil {
		return *bad
	}
	if req.refresh {
		o.server.ledger.note(func(c *Counters) { c.Refreshes++ })
	}
	a := o.engine().preload(req)
	o.server.stage(StageStarted) // ends the life before the answer is out, or does nothing
	return a
}

// gpuInfo is upstream's on a host without nvidia-smi. The newer server always
// fails on an attribute that it does not have.
func (o *orchestrator) gpuInfo(*request) answer {
	if o.server.opt.Generation == New {
		return failure(500, "'GPUOrchestratorEngine' object has no attribute '_NVML_SUPPORTED'")
	}
	mps := o.mpsEnabled()
	return say200(
		member{"gpus", []any{}},
		member{"available", false},
		member{"message", "nvidia-smi not available"},
		member{"mps_enabled", mps},
		member{"mps", &object{{"enabled", mps}, {"pipe_dir", o.server.opt.PipeDirectory}, {"control_process", false}}},
	)
}

// mpsEnabled accepts anything at the pipe path, as JustNews does: an empty
// directory or a plain file is enough.
func (o *orchestrator) mpsEnabled() bool {
	_, err := os.Stat(o.server.opt.PipeDirectory)
	return err == nil
}

func (o *orchestrator) metrics(*request) answer {
	mps := 0
	if o.mpsEnabled() {
		mps = 1
	}
	return answer{
		status: 200,
		header: map[string]string{"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
		text: fmt.Sprintf("# HELP gpu_orchestrator_mps_enabled Whether NVIDIA MPS is enabled\n"+
			"# TYPE gpu_orchestrator_mps_enabled gauge\ngpu_orchestrator_mps_enabled %d\n", mps),
	}
}

// notifyReady is how a bus that comes up late asks the orchestrator to
// register. The newer server always fails here, so it never does.
func (o *orchestrator) notifyReady(*request) answer {
	if o.server.opt.Generation == New {
		return answer{status: 500, text: "Internal Server Error"}
	}
	s := o.server
	ctx := o.engines[0].ctx
	s.spawn(func() { _ = s.registerOnce(ctx) })
	return say200(member{"status", "ok"})
}

func (o *orchestrator) shutdown(r *request) answer {
	if t := o.server.opt.ShutdownToken; t != "" && r.Header.Get("X-Shutdown-Token") != t && r.Header.Get("Authorization") != "Bearer "+t {
		return failure(401, "Unauthorized")
	}
	a := say200(member{"status", "shutting_down"})
	a.after = func() { o.server.spawn(func() { o.server.leave(0) }) }
	return a
}
