// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// opensLate: after a restart the port stays closed for 20 ms.
func opensLate(t *testing.T, s *Server) {
	before := len(s.Counters().OpenedNS)
	s.Restart(0)
	if got := status(t, s); !isRefused(got.err) {
		t.Errorf("%d %v", got.status, got.err)
	}
	open(t, s)
	c := s.Counters()
	if closed := time.Duration(c.OpenedNS[before] - c.ClosedNS[len(c.ClosedNS)-1]); closed < 20*time.Millisecond {
		t.Errorf("closed for %v", closed)
	}
	answers(200, `"started_at":null`).check(t, s)
}

func restarts(t *testing.T, s *Server) {
	if got := ask(t, s, "GET", "/health"); got.err == nil {
		t.Errorf("answered: %d", got.status)
	}
	open(t, s)
	answers(200, `"started_at":null`).check(t, s)
	if got := ask(t, s, "GET", "/health"); got.status != 200 {
		t.Errorf("it restarts forever: %v", got.err)
	}
	if c := s.Counters(); c.Restarts != 1 {
		t.Errorf("%d restarts", c.Restarts)
	}
}

func crashes(t *testing.T, s *Server) {
	if got := ask(t, s, "GET", "/health"); got.err == nil {
		t.Errorf("answered: %d", got.status)
	}
	if got := ask(t, s, "GET", "/health"); !isRefused(got.err) {
		t.Errorf("%d %v", got.status, got.err)
	}
}

func TestServer_RestartHappensAtEachStage(t *testing.T) {
	for _, stage := range Stages {
		t.Run(string(stage), func(t *testing.T) {
			s := start(t, nil, "restart-at="+string(stage)+",5ms")
			switch stage {
			case StageHealth, StageReady:
				ask(t, s, "GET", "/"+string(stage))
			case StageStatus:
				status(t, s)
			case StageOpen:
			default:
				trigger(t, s, `{}`)
			}
			until(t, "the restart", func() bool { return s.Counters().Restarts == 1 })
			open(t, s)
			answers(200, `"in_progress":false`, `"started_at":null`).check(t, s)
			jobs := map[Stage]int{StageStarted: 1, StageLoading: 1, StageLast: 1, StageDone: 1}[stage]
			if c := s.Counters(); c.Jobs != jobs {
				t.Errorf("%d jobs, want %d", c.Jobs, jobs)
			}
		})
	}
}

func TestServer_RestartEndsKeptAliveConnections(t *testing.T) {
	s := start(t, nil)
	c := dial(t, s)
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		t.Fatal(err)
	}
	s.Restart(0)
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil && !isReset(err) {
		t.Error("the connection outlived its server:", err)
	}
}

func TestServer_IdleConnectionIsClosedAfterTheIdleTime(t *testing.T) {
	s := start(t, func(o *Options) { o.IdleTimeout = 10 * time.Millisecond })
	c := dial(t, s)
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(data), "HTTP/1.1 200 OK") {
		t.Errorf("%q %v", data, err)
	}
	o, err := Options{}.withDefaults()
	if err != nil || o.IdleTimeout != 5*time.Second {
		t.Errorf("by default %v, uvicorn has 5 s", o.IdleTimeout)
	}
}

func TestServer_PortIsClosedWhileTheOrchestratorRegisters(t *testing.T) {
	var tries atomic.Int32
	bus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		http.Error(w, "not yet", http.StatusServiceUnavailable)
	}))
	defer bus.Close()
	s := launch(t, Options{BusURL: bus.URL, Backoff: []time.Duration{time.Millisecond, 50 * time.Millisecond}})
	until(t, "the second try", func() bool { return tries.Load() >= 2 })
	if got := status(t, s); !isRefused(got.err) {
		t.Errorf("%d %v", got.status, got.err)
	}
	open(t, s)
	if n := tries.Load(); n != 3 {
		t.Errorf("%d tries, want 3", n)
	}
	if got := ask(t, s, "GET", "/ready"); got.body != `{"ready":true}` {
		t.Error("ready although registration failed:", got.body)
	}
}

func TestServer_BackOffsMatchUpstream(t *testing.T) {
	for generation, want := range map[Generation]time.Duration{New: 3 * time.Second, Old: 30 * time.Second} {
		o, err := Options{Generation: generation}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		var sum time.Duration
		for _, d := range o.Backoff {
			sum += d
		}
		if sum != want {
			t.Errorf("%s waits %v, want %v", generation, sum, want)
		}
	}
	if _, err := (Options{Generation: "middle"}).withDefaults(); err == nil {
		t.Error("an unknown generation is accepted")
	}
}

func TestServer_OrchestratorRegistersWithARunningBus(t *testing.T) {
	bus := launch(t, Options{Role: Bus})
	s := start(t, func(o *Options) { o.BusURL = bus.URL() })
	if got := ask(t, bus, "GET", "/agents"); got.body != `{"gpu_orchestrator":"`+s.URL()+`"}` {
		t.Error(got.body)
	}
}

func TestServer_OldOrchestratorRegistersWhenItIsNotified(t *testing.T) {
	bus := launch(t, Options{Role: Bus, Misbehave: []string{"500@/register*1"}})
	s := start(t, func(o *Options) { o.Generation, o.BusURL, o.Backoff = Old, bus.URL(), []time.Duration{} })
	if got := ask(t, s, "POST", "/notify_ready", "{}"); got.status != 200 {
		t.Fatal(got.status)
	}
	until(t, "the registration", func() bool { return strings.Contains(ask(t, bus, "GET", "/agents").body, s.URL()) })
}

func TestServer_NewBusIsDegradedByAMissingAgent(t *testing.T) {
	bus := launch(t, Options{Role: Bus, ProbeTimeout: 30 * time.Millisecond})
	if got := ask(t, bus, "GET", "/health"); !strings.Contains(got.body, `"overall_status":"healthy"`) {
		t.Error(got.body)
	}
	agent := start(t, nil, hangAccept)
	for _, name := range []string{"scout", "critic"} {
		ask(t, bus, "POST", "/register", `{"name":"`+name+`","address":"`+agent.URL()+`"}`)
	}
	begun := time.Now()
	got := ask(t, bus, "GET", "/health")
	if took := time.Since(begun); got.status != 200 || !strings.Contains(got.body, `"overall_status":"degraded"`) || took < 60*time.Millisecond {
		t.Errorf("%d after %v: %s", got.status, took, got.body)
	}
}

func TestServer_HangingListenerAcceptsAfterRecovery(t *testing.T) {
	s := start(t, nil, hangAccept)
	c := dial(t, s)
	if err := s.Misbehave(); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

func TestServer_ReadyAfterCountsFromTheStart(t *testing.T) {
	s := start(t, nil, "ready-after=30ms")
	begun := s.begun
	loaded(t, s)
	if took := time.Since(begun); took < 30*time.Millisecond {
		t.Errorf("ready after %v", took)
	}
}

func TestServer_ScriptIsPlayedInOrder(t *testing.T) {
	steps, err := ParseScript([]byte(`[{"at":"30ms","set":[]},{"at":"0s","set":["500"]},{"at":"60ms","restart":true,"down":"1ms"}]`))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *Options) { o.Script = steps })
	until(t, "the first step", func() bool { return status(t, s).status == 500 })
	until(t, "the second step", func() bool { return status(t, s).status == 200 })
	until(t, "the third step", func() bool { return s.Counters().Restarts == 1 })
	for _, bad := range []string{`{}`, `[{"at":"soon"}]`, `[{"at":"1s","restart":true,"down":"x"}]`} {
		if _, err := ParseScript([]byte(bad)); err == nil {
			t.Errorf("%s is accepted as a script", bad)
		}
	}
	if _, err := Start(Options{Script: []Step{{Set: []string{"nosuch"}}}}); err == nil {
		t.Error("a script of unknown behaviours is accepted")
	}
}

func TestServer_ControlListener(t *testing.T) {
	s := start(t, nil, hold)
	control := httptest.NewServer(s.Control())
	defer control.Close()
	do := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, control.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := control.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(data)
	}
	trigger(t, s, `{"refresh":true}`)
	do("POST", "/release", "")
	until(t, "the flip", func() bool { _, body := do("GET", "/counters", ""); return !strings.Contains(body, `"flips_ns":null`) })
	if code, _ := do("PUT", "/misbehave", "404@/ready*3\nvacuous\n"); code != 204 {
		t.Error(code)
	}
	if _, body := do("GET", "/misbehave", ""); body != "404@/ready*3\nvacuous\n" {
		t.Errorf("%q", body)
	}
	if code, _ := do("PUT", "/misbehave", "nosuch"); code != 400 {
		t.Error(code)
	}
	if _, body := do("GET", "/behaviours", ""); strings.Count(body, "\n") != len(Behaviours()) {
		t.Error(body)
	}
	do("POST", "/restart?down=1ms", "")
	open(t, s)
	do("POST", "/crash", "")
	until(t, "the crash", func() bool { return isRefused(status(t, s).err) })
	for _, path := range []string{"/counters", "/misbehave", "/release"} {
		s := start(t, nil)
		if got := ask(t, s, "GET", path); got.status != 404 {
			t.Errorf("the public port serves %s: %d", path, got.status)
		}
	}
}

func TestServer_CountersCountRequestsPathsAndConcurrency(t *testing.T) {
	s := start(t, nil, "hang-headers@/ready")
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		go func() {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/ready", nil)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		}()
	}
	until(t, "three requests at once", func() bool { return s.Counters().MaxConcurrent == 3 })
	cancel()
	ask(t, s, "GET", "/health")
	trigger(t, s, `{"refresh":true}`)
	trigger(t, s, `{"refresh":"maybe"}`)
	c := s.Counters()
	if c.Requests != 6 || c.ByPath["GET /ready"] != 3 || c.ByPath["POST /models/preload"] != 2 || c.Posts != 2 || c.Preloads != 2 || c.Refreshes != 1 || c.Jobs != 1 {
		t.Errorf("%+v", c)
	}
	if c.MaxConnections < 3 || len(c.OpenedNS) != 1 || len(c.JobsNS) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestServer_EnvironmentMatchesUpstream(t *testing.T) {
	env := map[string]string{
		"GPU_ORCHESTRATOR_PORT": "8114", "MODEL_STORE_ROOT": "/m", "STRICT_MODEL_STORE": "1", "MCP_BUS_URL": "http://b:1",
		"SAFE_MODE": "True", "DRY_RUN": "yes", "REFERENCE_MISBEHAVE": "500 html", "MCP_BUS_PORT": "8100", "SHUTDOWN_TOKEN": "s",
	}
	o, err := FromEnvironment(Orchestrator, func(k string) string { return env[k] })
	if err != nil || o.Address != "127.0.0.1:8114" || o.Root != "/m" || !o.Strict || o.BusURL != "http://b:1" || !o.SafeMode || !o.DryRun || len(o.Misbehave) != 2 {
		t.Errorf("%+v %v", o, err)
	}
	o, err = FromEnvironment(Orchestrator, func(string) string { return "" })
	if err != nil || o.Address != "127.0.0.1:8014" || o.Strict || o.SafeMode || o.DryRun || o.BusURL != "http://localhost:8000" {
		t.Errorf("%+v %v", o, err)
	}
	o, err = FromEnvironment(Bus, func(k string) string { return env[k] })
	if err != nil || o.Address != "0.0.0.0:8100" || o.BusURL != "" {
		t.Errorf("%+v %v", o, err)
	}
	if _, err := FromEnvironment(Bus, func(string) string { return "x" }); err == nil {
		t.Error("x is accepted as a port")
	}
}

func TestServer_ShutdownNeedsItsToken(t *testing.T) {
	s := start(t, func(o *Options) { o.ShutdownToken = "secret" })
	if got := ask(t, s, "POST", "/shutdown", "{}"); got.status != 401 {
		t.Error(got.status)
	}
}
