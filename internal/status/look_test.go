// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/unitname"
)

// servers simulate everything that a look queries.
type servers struct {
	health facts.Health
	models facts.ModelsLook
	bus    facts.BusHealth
	gpu    facts.GPULook
}

func (s servers) Health(context.Context) facts.Health           { return s.health }
func (servers) Ready(context.Context) facts.Readiness           { return facts.Readiness{} }
func (s servers) Models(context.Context, bool) facts.ModelsLook { return s.models }
func (s servers) Preload(context.Context) facts.ModelsLook      { return s.models }
func (s servers) Look(context.Context) facts.GPULook            { return s.gpu }
func (s servers) world(units gate.Units) gate.World {
	return gate.World{Orchestrator: s, Bus: bus{s.bus}, GPU: s, Units: units, Map: gate.ModelMap{Total: 2}}
}

type bus struct{ facts.BusHealth }

func (b bus) Health(context.Context) facts.BusHealth { return b.BusHealth }

var answered = facts.Answer{Kind: facts.Answered, Status: 200}

// good are servers without problems.
func good() servers {
	started, n, on := 1.0, 1, true
	return servers{
		health: facts.Health{Answer: answered, SafeMode: true}, bus: facts.BusHealth{Answer: answered, State: "ok"},
		models: facts.ModelsLook{Answer: answered, State: facts.ModelsState{HasStartedAt: true, StartedAt: &started, AllReady: true, Total: 2, Done: 2}},
		gpu:    facts.GPULook{Kind: facts.GPUAnswered, UVM: facts.DeviceNode{State: facts.NodeOpens}, Control: facts.DeviceNode{State: facts.NodeOpens}, NVML: &facts.NVML{Outcome: facts.NVMLSuccess, Count: &n, DriverVersion: "550.163.01", GPUs: []facts.GPU{{Name: "NVIDIA L4", Persistence: &on}}}},
	}
}

func TestLook_EachServerHasItsStateAndItsFinding(t *testing.T) {
	down := facts.Answer{Kind: facts.Refused, Detail: "connection refused"}
	for name, c := range map[string]struct {
		change  func(*servers, *requirement.Run)
		codes   []diag.Code
		loading bool
		safe    bool
		gpu     bool
		servers [2]string
	}{
		"all is well":      {func(*servers, *requirement.Run) {}, nil, false, false, true, [2]string{"answers", "answers"}},
		"safe mode counts": {func(_ *servers, w *requirement.Run) { w.HonorSafeMode = true }, nil, false, true, true, [2]string{"answers", "answers"}},
		"it is loading": {func(s *servers, _ *requirement.Run) {
			s.models.State = facts.ModelsState{HasStartedAt: true, StartedAt: s.models.State.StartedAt, InProgress: true, Total: 2, Done: 1}
		}, nil, true, false, true, [2]string{"answers", "answers"}},
		"nothing is loaded": {func(s *servers, _ *requirement.Run) { s.models.State = facts.ModelsState{HasStartedAt: true} }, []diag.Code{diag.ModelsIncomplete}, false, false, true, [2]string{"answers", "answers"}},
		"it is down": {func(s *servers, _ *requirement.Run) { s.health.Answer, s.models.Answer = down, down }, []diag.Code{diag.OrchestratorUnreachable},
			false, false, true, [2]string{"connection refused", "answers"}},
		"only its health is silent": {func(s *servers, _ *requirement.Run) { s.health.Answer = down }, []diag.Code{diag.OrchestratorUnreachable},
			false, false, true, [2]string{"connection refused", "answers"}},
		"the bus is down": {func(s *servers, _ *requirement.Run) { s.bus.Answer = down }, []diag.Code{diag.BusUnreachable}, false, false, true, [2]string{"answers", "connection refused"}},
		"no GPU, and none needed": {func(s *servers, _ *requirement.Run) {
			s.gpu = facts.GPULook{Kind: facts.DriverNotLoaded, NVML: &facts.NVML{}}
		}, nil, false, false, false, [2]string{"answers", "answers"}},
		"no GPU, and one needed": {func(s *servers, w *requirement.Run) {
			s.gpu, w.GPU = facts.GPULook{Kind: facts.DriverNotLoaded, NVML: &facts.NVML{}}, requirement.GPU{Needed: true, MinCount: 1}
		}, []diag.Code{diag.GPUDriverNotLoaded}, false, false, false, [2]string{"answers", "answers"}},
	} {
		s, w := good(), requirement.Run{Orchestrator: requirement.Service{URL: "http://o"}, Bus: requirement.Service{URL: "http://b"}}
		c.change(&s, &w)
		cfg := &config.Config{Instances: []config.Instance{{Name: "scout", RequireBus: true}}}
		h := New()
		h.Look(t.Context(), cfg, w, s.world(nil), nil)
		var codes []diag.Code
		for _, p := range h.Problems {
			codes = append(codes, p.Code)
		}
		if !slices.Equal(codes, c.codes) || h.Loading != c.loading || h.SafeMode != c.safe || h.GPUThere != c.gpu {
			t.Errorf("%s: %q, loading %t, safe mode %t, GPU %t", name, codes, h.Loading, h.SafeMode, h.GPUThere)
		}
		if got := [2]string{h.Orchestrator.State, h.Bus.State}; got != c.servers {
			t.Errorf("%s: %q, want %q", name, got, c.servers)
		}
	}
}

func TestLook_UnneededBusIsNotMissing(t *testing.T) {
	down := facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused}}
	for name, c := range map[string]struct {
		cfg  config.Config
		want int
	}{
		"nobody is configured":      {config.Config{}, 0},
		"a guard that does not":     {config.Config{Guards: []config.Guard{{Name: "a"}}}, 0},
		"a guard that waits for it": {config.Config{Guards: []config.Guard{{Name: "a", RequireBus: true}}}, 1},
	} {
		if got := busProblems(&c.cfg, requirement.Run{}, down); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A server that no other unit can connect to is not a server that is down.
func TestLook_ServersInANetworkNamespaceOfTheirOwn(t *testing.T) {
	down := facts.Answer{Kind: facts.Refused, Detail: "connection refused"}
	s, w := good(), requirement.Run{Orchestrator: requirement.Service{URL: "http://o", Unit: "llm.service"}, Bus: requirement.Service{URL: "http://b", Unit: unitname.Of("mcp_bus")}}
	s.health.Answer, s.models.Answer, s.bus.Answer = down, down, down
	llm, mcp := gated("llm.service", "active", "running", ""), gated("mcp_bus", "active", "running", "")
	llm.Sandbox.NetworkPath, mcp.Sandbox.PrivateNetwork = "/run/netns/llm", true
	cfg := &config.Config{Instances: []config.Instance{{Name: "mcp_bus"}}, Guards: []config.Guard{{Name: "llm", Unit: "llm.service", When: "before", RequireBus: true}}}
	h := New()
	h.Look(t.Context(), cfg, w, s.world(loaded{units: map[string]facts.Unit{"llm.service": llm, unitname.Of("mcp_bus"): mcp}}), nil)
	for _, want := range []struct {
		code diag.Code
		seen string
	}{
		{diag.OrchestratorUnreachable, "connection refused; NetworkNamespacePath=/run/netns/llm of llm.service"},
		{diag.BusUnreachable, "connection refused; PrivateNetwork=yes of justnews@mcp_bus.service"},
	} {
		if !slices.ContainsFunc(h.Problems, func(p diag.Problem) bool { return p.Code == want.code && p.Seen == want.seen }) {
			t.Errorf("%s: %+v", want.code, h.Problems)
		}
	}
}

func TestLook_MaskedServerIsUnmaskedNotRestarted(t *testing.T) {
	s, w := good(), requirement.Run{Bus: requirement.Service{URL: "http://b", Unit: unitname.Of("mcp_bus")}}
	s.bus.Answer = facts.Answer{Kind: facts.Refused, Detail: "connection refused"}
	cfg := &config.Config{Instances: []config.Instance{{Name: "mcp_bus", RequireBus: true}}}
	h := New()
	h.Look(t.Context(), cfg, w, s.world(loaded{units: map[string]facts.Unit{unitname.Of("mcp_bus"): {LoadState: "masked"}}}), nil)
	at := slices.IndexFunc(h.Problems, func(p diag.Problem) bool { return p.Code == diag.BusUnreachable })
	if at < 0 || !strings.HasSuffix(h.Problems[at].Message, ": its unit is masked") || len(h.Problems[at].Fix.Commands) != 2 || strings.Contains(h.Problems[at].Fix.String(), "restart --") {
		t.Errorf("%+v", h.Problems)
	}
}

// loaded is a systemd with these units; an error is not for all of them.
type loaded struct {
	units map[string]facts.Unit
	err   error // of the list
	deaf  string
}

func (l loaded) Units(context.Context, string) ([]string, error) {
	var names []string
	for name := range l.units {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, l.err
}

func (l loaded) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	if name == l.deaf {
		return facts.Unit{}, errors.New("connection refused")
	}
	if u, ok := l.units[name]; ok {
		u.Name = name
		return u, nil
	}
	return facts.Unit{Name: name, LoadState: "not-found", ActiveState: "inactive"}, nil
}

// Without a configuration the instances are those that systemd has loaded.
func TestLookAtLoaded_ShowsTheLoadedUnits(t *testing.T) {
	up := gated("scout", "active", "running", "")
	all := map[string]facts.Unit{
		"justnews@scout.service": up, "justnews@gone.service": {LoadState: "not-found", ActiveState: "inactive"}, "justnews@NOT-A-NAME.service": up,
		unitname.Watch: {LoadState: "loaded", ActiveState: "active"},
	}
	for name, c := range map[string]struct {
		conn  loaded
		units []string
		watch bool
	}{
		"it answers":             {loaded{units: all}, []string{"scout"}, true},
		"it lists nothing":       {loaded{units: all, err: errors.New("x")}, nil, false},
		"it is deaf for a while": {loaded{units: all, deaf: unitname.Watch}, []string{"scout"}, false},
	} {
		h := New()
		h.LookAtLoaded(t.Context(), c.conn)
		var names []string
		for _, u := range h.Units {
			names = append(names, u.Instance)
		}
		if !slices.Equal(names, c.units) || (h.Watch != nil) != c.watch {
			t.Errorf("%s: %q, watch %+v", name, names, h.Watch)
		}
	}
	idle := loaded{units: map[string]facts.Unit{unitname.Watch: {LoadState: "loaded", ActiveState: "inactive"}}}
	h := New()
	if h.LookAtLoaded(t.Context(), idle); h.Watch != nil {
		t.Errorf("a watch that is off: %+v", h.Watch)
	}
}

func TestUnlisted_WarnsAboutInstancesOutsideTheConfiguration(t *testing.T) {
	all := map[string]facts.Unit{
		"justnews@scout.service": gated("scout", "active", "running", ""), "justnews@old.service": gated("old", "active", "running", ""),
		"justnews@typo.service": gated("typo", "failed", "failed", ""), "justnews@idle.service": gated("idle", "inactive", "dead", ""),
		"justnews@a-b.service": gated("a-b", "activating", "auto-restart", ""), "justnews@gone.service": {LoadState: "not-found", ActiveState: "inactive"},
	}
	cfg := &config.Config{Instances: []config.Instance{{Name: "scout"}}}
	var got []string
	for _, p := range Unlisted(t.Context(), cfg, loaded{units: all}) {
		got = append(got, fmt.Sprintf("%s %s %s %s %d", p.Severity, p.Code, p.Subject, p.Seen, len(p.Fix.Commands)))
	}
	want := []string{
		"warning INSTANCE-UNKNOWN justnews@a-b.service failed 2", "warning INSTANCE-UNKNOWN justnews@old.service up 1", "warning INSTANCE-UNKNOWN justnews@typo.service failed 2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := Unlisted(t.Context(), cfg, loaded{units: all, err: errors.New("x")}); got != nil {
		t.Errorf("%v", got)
	}
}

// Units after one that systemd does not answer for are not shown, and that is reported.
func TestLookAtUnits_EndsWhereSystemdFallsSilent(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "a", Enabled: true}, {Name: "b", Enabled: true}, {Name: "c", Enabled: true}}}
	conn := loaded{units: map[string]facts.Unit{"justnews@a.service": gated("a", "active", "running", ""), "justnews@c.service": gated("c", "active", "running", "")}, deaf: "justnews@b.service"}
	h := New()
	h.LookAtUnits(t.Context(), cfg, requirement.Run{}, conn, nil)
	if len(h.Units) != 1 || len(h.Problems) == 0 || h.Problems[len(h.Problems)-1].Subject != "justnews@b.service" {
		t.Errorf("%+v, %v", h.Units, h.Problems)
	}
	h.Problems = nil // of the gates, which have no marks here
	if h.Settle(); h.State != Unknown || h.Status != int(diag.StatusTimeout) || h.Summary != "unknown: 1 of 1, systemd did not report 2 instances" {
		t.Errorf("%s: %s, %d", h.State, h.Summary, h.Status)
	}
}

// A server that does not answer within one request may be loading the models.
func TestLook_LateServerIsLookedAtAgain(t *testing.T) {
	late := facts.Answer{Kind: facts.Refused, Detail: "no answer within 3 s", Late: true}
	for state, found := range map[string]int{"activating": 0, "active": 1} {
		w := requirement.Run{Orchestrator: requirement.Service{URL: "http://o", Unit: "justnews@gpu_orchestrator.service"}, Bus: requirement.Service{URL: "http://b"}}
		cfg := &config.Config{Instances: []config.Instance{{Name: "gpu_orchestrator", Enabled: true, RequireBus: true}}}
		s := good()
		s.health.Answer, s.models.Answer = late, late
		s.models.Late = state == "activating" // one of the two suffices
		h := New()
		h.Look(t.Context(), cfg, w, s.world(loaded{units: map[string]facts.Unit{
			"justnews@gpu_orchestrator.service": gated("gpu_orchestrator", "active", "running", ""),
			"justnews-preload.service":          {Name: "justnews-preload.service", LoadState: "loaded", ActiveState: state},
		}}), nil)
		var fixes []string
		for _, p := range h.Problems {
			if p.Code == diag.OrchestratorUnreachable {
				fixes = append(fixes, p.Fix.String())
			}
		}
		if len(fixes) != found || h.Loading != (found == 0) || found > 0 && (strings.Contains(fixes[0], "systemctl restart") || !strings.Contains(fixes[0], "look again")) {
			t.Errorf("%s: %q, loading %t", state, fixes, h.Loading)
		}
	}
}

func TestDoubt_OnlyWhatSystemdDidNotReportIsLookedAtAgain(t *testing.T) {
	w := requirement.Run{}
	w.Bus.Unit = "justnews@mcp_bus.service"
	restart := diag.Do(diag.Restart(w.Bus.Unit)...)
	for name, c := range map[string]struct {
		unseen int
		bus    string // its unit
		known  bool   // systemd reported it
		again  bool
	}{
		"its unit was not reported":   {1, w.Bus.Unit, false, true},
		"its unit was reported":       {1, w.Bus.Unit, true, false},
		"it has no unit":              {1, "", false, false},
		"there is no such unit":       {0, w.Bus.Unit, false, false},
		"everything was reported":     {0, w.Bus.Unit, true, false},
		"it has none, and none known": {0, "", false, false},
	} {
		h := New()
		h.unseen = c.unseen
		if c.known {
			h.Bus.Unit = &report.UnitStatus{}
		}
		w.Bus.Unit = c.bus
		h.Problems = []diag.Problem{{Code: diag.BusUnreachable, Fix: restart}, {Code: diag.ServerUnproven, Severity: diag.Error}}
		h.doubt(w, false, false)
		if again := h.Problems[0].Fix.String() != restart.String(); again != c.again {
			t.Errorf("%s: %s", name, h.Problems[0].Fix)
		}
		if warns := h.Problems[1].Severity == diag.Warning; warns != (c.unseen > 0) {
			t.Errorf("%s: %v", name, h.Problems[1].Severity)
		}
	}
}

// A busy systemd must not make a host look broken, or a server that may be starting be
// restarted.
func TestLook_SilentSystemdProvesNothing(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "gpu_orchestrator", Enabled: true}, {Name: "mcp_bus", Enabled: true, RequireModels: true}}}
	w := requirement.Run{Orchestrator: requirement.Service{Unit: "justnews@gpu_orchestrator.service"}}
	w.Bus.Unit = "justnews@mcp_bus.service"
	h := New()
	h.Problems = []diag.Problem{{Code: diag.ServerUnproven}, {Code: diag.BusUnreachable, Subject: "u", Message: "m", Fix: diag.Do(diag.Restart(w.Bus.Unit)...)}}
	h.LookAtUnits(t.Context(), cfg, w, loaded{deaf: "justnews@gpu_orchestrator.service"}, nil)
	h.doubt(w, false, false)
	if fix := h.Problems[1].Fix.String(); h.Problems[0].Severity != diag.Warning || strings.Contains(fix, "restart") || !strings.Contains(fix, "justnews-gate status") {
		t.Errorf("%+v", h.Problems)
	}
	h.Problems = h.Problems[:1]
	if r, why := h.Steady(Open{Any: true, Models: true}); r != Pending || why != nil {
		t.Errorf("%v: %v", r, why)
	}
}

// A guarded unit is wanted where its own package enables it.
func TestLookAtUnits_GuardedUnitIsEnabledByItsPackage(t *testing.T) {
	cfg := &config.Config{Guards: []config.Guard{{Name: "client", Unit: "client.service", When: "before"}}}
	for file, want := range map[string]string{"enabled": "stopped", "enabled-runtime": "stopped", "generated": "stopped", "disabled": "disabled", "static": "disabled"} {
		u := gated("client.service", "inactive", "dead", "")
		u.Service.FileState = file
		h := New()
		h.LookAtUnits(t.Context(), cfg, requirement.Run{}, loaded{units: map[string]facts.Unit{"client.service": u}}, nil)
		if len(h.Units) != 1 || string(h.Units[0].State) != want {
			t.Errorf("%s: %+v", file, h.Units)
		}
	}
}

func TestMPS_ShowsProcessesButThoseOfGates(t *testing.T) {
	found := gate.MPSGlance{Look: facts.MPS{Others: []facts.MPSProcess{{PID: 1, Parent: "justnews-gate"}, {PID: 2, Parent: "systemd"}}}}
	s := MPS(&config.Config{}, requirement.Run{}, found)
	if len(s.Others) != 1 || s.Others[0].PID != 2 || s.Unit != nil || s.Daemon != nil {
		t.Errorf("%+v", s)
	}
	found.Unit, found.Look.Daemon = &facts.Unit{Name: "nvidia-mps.service", LoadState: "loaded", ActiveState: "active"}, &facts.MPSProcess{PID: 3, Args: []string{"x", "-S"}}
	if s := MPS(&config.Config{}, requirement.Run{}, found); s.Unit == nil || s.Daemon == nil || s.Daemon.PID != 3 || !s.Static {
		t.Errorf("%+v", s)
	}
}

// The server may have loaded another map than the present one.
func TestLook_ChangedMapIsNamed(t *testing.T) {
	started := facts.Unit{LoadState: "loaded", ActiveState: "active", MainPID: 7, Times: facts.UnitTimes{ExecMainStart: time.Minute}}
	for name, c := range map[string]struct {
		units gate.Units
		unit  string
		want  bool
	}{
		"a unit that was started before": {loaded{units: map[string]facts.Unit{"o.service": started}}, "o.service", true},
		"no unit of this host":           {loaded{units: map[string]facts.Unit{"": started}}, "", false},
		"no systemd":                     {nil, "o.service", false},
		"systemd does not answer":        {loaded{units: map[string]facts.Unit{"o.service": started}, deaf: "o.service"}, "o.service", false},
	} {
		s := good()
		s.models.State = facts.ModelsState{HasStartedAt: true, StartedAt: s.models.State.StartedAt, Total: 2, Done: 1, Failed: 1, Errors: []facts.ModelError{{Agent: "a", Model: "m", Error: "e"}}}
		w := requirement.Run{Orchestrator: requirement.Service{URL: "http://o", Unit: c.unit}}
		x := s.world(c.units)
		x.Map.Changed = 2 * time.Minute
		h := New()
		h.Look(t.Context(), &config.Config{}, w, x, nil)
		at := slices.IndexFunc(h.Problems, func(p diag.Problem) bool { return p.Code == diag.ModelFailed })
		if at < 0 || strings.Contains(h.Problems[at].Seen, "was changed 60 s after the orchestrator was started") != c.want {
			t.Errorf("%s: %+v", name, h.Problems)
		}
	}
}
