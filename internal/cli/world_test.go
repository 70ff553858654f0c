// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"strconv"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/gpu"
	"justnews/internal/records"
	"justnews/internal/requirement"
)

// A run that triggers nothing must not keep one that does from leading, and what was
// requested before a boot says nothing about the server that was started since.
func TestWorld_LockAndRecordBelongToRunsThatTriggerInThisBoot(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	cfg := configured(t, t.TempDir(), "[instances.gpu_orchestrator]\n[instances.mcp_bus]\n[instances.scout]\n")
	none := func(string) (string, bool) { return "", false }
	instance, _ := requirement.ForInstance(cfg, "scout", none, requirement.Flags{})
	follower, _ := requirement.ForServer(cfg, "", requirement.Flags{})
	for name, c := range map[string]struct {
		run  requirement.Run
		lead bool
	}{"an instance's gate": {instance, true}, "ready": {follower, false}} {
		a := &app{Machine: Machine{Lookup: none}, ctx: t.Context()}
		x, problems := a.openWorld(c.run, cfg, nil, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if (x.Lock != nil) != c.lead || (x.Memory != nil) != c.lead {
			t.Errorf("%s: lock %v, record %v", name, x.Lock, x.Memory)
		}
		if state, ok := x.Memory.(records.State[gate.History]); ok && (state.Boot == "" || state.Boot != bootID()) {
			t.Errorf("%s: the record is of boot %q", name, state.Boot)
		}
		x.shut()
	}
}

// Whether this is a unit's gate is known from the kernel where systemd does not say so, and
// then its unit is compared with the configuration once systemd answers.
func TestMark_IsComparedByEveryGateOfAUnit(t *testing.T) {
	cfg := configured(t, t.TempDir(), "[instances.gpu_orchestrator]\n[instances.mcp_bus]\n[instances.scout]\n")
	const unit = "justnews@scout.service"
	gateOf := waitingRun{instance: "scout", unit: unit, mayBeOff: true}
	for name, c := range map[string]struct {
		run    waitingRun
		groups []string
		own    *facts.Unit
		want   bool
	}{
		"systemd says so":                       {gateOf, nil, &facts.Unit{Name: unit}, true},
		"the kernel says so":                    {gateOf, []string{"justnews.slice", unit}, nil, true},
		"both do":                               {gateOf, []string{unit}, &facts.Unit{Name: unit}, true},
		"the kernel, and systemd names another": {gateOf, []string{unit}, &facts.Unit{Name: "other.service"}, true},
		"by hand":                               {gateOf, []string{"user@1000.service"}, nil, false},
		"of another unit":                       {gateOf, []string{"other.service"}, &facts.Unit{Name: "other.service"}, false},
		"a survey in the unit":                  {waitingRun{instance: "scout", unit: unit}, []string{unit}, nil, false},
	} {
		a := &app{Machine: Machine{Groups: c.groups, Lookup: func(string) (string, bool) { return "", false }}, ctx: t.Context()}
		mark := a.unitMark(c.run, cfg, c.own, nil)
		if (mark != nil) != c.want {
			t.Errorf("%s: compared: %t", name, mark != nil)
		}
		if mark != nil && (mark.Read.Mark == "" || mark.Own != nil && mark.Own.Name != unit) {
			t.Errorf("%s: %+v", name, mark)
		}
	}
}

func TestWorld_GateThatNeedsAGPUIsPatientWithTheDriver(t *testing.T) {
	for _, c := range []struct {
		needed         bool
		patience, want time.Duration
	}{
		{true, time.Minute, time.Minute}, {true, 0, gpu.Limit}, {false, time.Minute, 0},
	} {
		p, ok := patient(gpu.Prober{Helper: "/x"}, requirement.GPU{Needed: c.needed, Patience: c.patience}).(gpu.Prober)
		if !ok || p.Helper != "/x" || p.Limit != c.want {
			t.Errorf("%+v: %+v", c, p)
		}
	}
}

// A command in the unit of another program, such as a monitoring agent's, runs as that
// program's user, who need not be the one of the agents.
func TestSelf_OnlyAGateRunsAsItsProgram(t *testing.T) {
	cfg := &config.Config{Instances: []config.Instance{{Name: "scout", Service: config.Service{User: "nobody-of-this-name"}}}}
	pid := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		groups   []string
		env      map[string]string
		instance string
		own, in  bool
	}{
		"status by hand":                 {nil, nil, "", false, false},
		"a gate by hand":                 {nil, nil, "scout", false, false},
		"a gate in a session":            {nil, map[string]string{"INVOCATION_ID": "x"}, "scout", false, true},
		"status in another unit":         {[]string{"monitor.service"}, map[string]string{"INVOCATION_ID": "x", "SYSTEMD_EXEC_PID": pid}, "", false, true},
		"a gate in another unit":         {[]string{"x.service"}, map[string]string{"INVOCATION_ID": "x", "SYSTEMD_EXEC_PID": pid}, "scout", true, true},
		"an instance's gate":             {[]string{"justnews@scout.service"}, nil, "scout", true, true},
		"what verifies the MPS unit":     {[]string{"justnews-mps.service"}, nil, "", true, true},
		"a gate's child in another unit": {[]string{"x.service"}, map[string]string{"INVOCATION_ID": "x", "SYSTEMD_EXEC_PID": "1"}, "scout", false, true},
	} {
		a := &app{Machine: Machine{Groups: c.groups, Lookup: func(key string) (string, bool) { v, ok := c.env[key]; return v, ok }}}
		s := a.self(requirement.Run{Instance: c.instance}, cfg)
		if s.InUnit != c.in || (s.AgentUID != nil) != c.own || c.own && *s.AgentUID != os.Geteuid() {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
