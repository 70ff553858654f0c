// SPDX-License-Identifier: Apache-2.0

package requirement

import (
	"strings"
	"testing"
	"time"

	"justnews/internal/diag"
)

const guards = "[gate]\ntimeout = \"90s\"\n[orchestrator]\ninstance = \"\"\n[probes.db]\nkind = \"tcp\"\naddress = \"127.0.0.1:3306\"\n" +
	"[guards.vllm]\nunit = \"vllm.service\"\nwhen = \"after\"\ntimeout = \"10min\"\ntrigger = true\n" +
	"[guards.client]\nunit = \"client.service\"\nneeds = [\"db\"]\nrequire_mps = true\n" +
	"[guards.web]\nunit = \"web.service\"\nwhen = \"after\"\nrequire_models = false\n"

func TestForGuard_FollowsTheConfiguration(t *testing.T) {
	for _, l := range table() { // of another package's unit
		if l.variable != "" {
			t.Setenv(l.variable, l.env)
		}
	}
	cfg := load(t, guards)
	before, problems := ForGuard(cfg, "client.service", false, Flags{})
	if len(problems) > 0 || before.Unit != "client.service" || before.Instance != before.Unit {
		t.Fatalf("%+v, %v", before, problems)
	}
	if !before.RequireModels || !before.RequireMPS || before.RequireBus || !before.Follow || before.Verify != "off" || !before.GPU.Needed ||
		len(before.Needs) != 1 || before.Timeout.Value != 90*time.Second || len(before.Overrides) > 0 {
		t.Errorf("%+v", before)
	}
	if before.Orchestrator.Unit != "vllm.service" || !before.Orchestrator.Here {
		t.Errorf("the models are served by %+v, want the unit that waits for its own", before.Orchestrator)
	}
	after, problems := ForGuard(cfg, "vllm.service", true, Flags{})
	if len(problems) > 0 || after.Orchestrator.Unit != "vllm.service" || after.Follow || after.GPU.Starting || after.Timeout.Value != 10*time.Minute {
		t.Errorf("%+v, %v", after, problems)
	}
	if web, _ := ForGuard(cfg, "web.service", true, Flags{}); web.RequireModels || web.Orchestrator.Unit != "vllm.service" {
		t.Errorf("a server of something else: %+v", web)
	}
	minute := time.Minute
	if w, _ := ForGuard(cfg, "client.service", false, Flags{Timeout: &minute}); w.Timeout.Value != minute {
		t.Errorf("--timeout: %+v", w.Timeout)
	}
}

func TestForMPS_InstancesAndGuardedUnitsUseIt(t *testing.T) {
	for text, unused := range map[string]bool{instances: true, instances + "mps = { enabled = true }\n": false, guards: false} {
		if w, problems := ForMPS(load(t, text), environment(), Flags{}); len(problems) > 0 || !w.RequireMPS || w.MPSUnused != unused {
			t.Errorf("%s: %+v, %v", text, w, problems)
		}
	}
}

func TestForGuard_UnitThatIsNamedAfterAnInstanceIsMistaken(t *testing.T) {
	_, problems := ForGuard(load(t, instances), "scout.service", false, Flags{})
	if len(problems) != 1 || !strings.HasSuffix(problems[0].Message, `; did you mean the instance "scout"?`) || !strings.HasPrefix(problems[0].Fix.Advice, "name the instance scout, add the table") {
		t.Errorf("%+v", problems)
	}
}

func TestForGuard_RefusesUnguardedUnitsAndWrongPlaces(t *testing.T) {
	cfg := load(t, guards)
	for _, c := range []struct {
		unit  string
		after bool
	}{{"nobody.service", false}, {"nobody.service", true}, {"client.service", true}, {"vllm.service", false}} {
		w, problems := ForGuard(cfg, c.unit, c.after, Flags{})
		if len(problems) != 1 || problems[0].Code != diag.GuardUnknown || problems[0].Severity != diag.Error || w.Timeout.Value != 0 {
			t.Errorf("%+v: %+v, %v", c, w, problems)
		}
	}
}

func TestForServer_RequiresTheCallingUnit(t *testing.T) {
	cfg := load(t, instances)
	own, problems := ForServer(cfg, "vllm.service", Flags{})
	if len(diag.Errors(problems)) > 0 || own.Orchestrator.Unit != "vllm.service" || !own.RequireModels || !own.Follow || own.RequireBus {
		t.Errorf("%+v, %v", own, problems)
	}
	byHand, _ := ForServer(cfg, "", Flags{})
	if byHand.Orchestrator.Unit != "justnews@gpu_orchestrator.service" || byHand.Unit != "" {
		t.Errorf("%+v", byHand)
	}
}
