// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"

	"justnews/internal/facts"
	"justnews/internal/requirement"
)

const guardConfig = "[instances.gpu_orchestrator]\n[instances.mcp_bus]\n" +
	"[guards.client]\nunit = \"client.service\"\n[guards.web]\nunit = \"web.service\"\nrequire_models = false\nrequire_bus = true\n" +
	"[guards.idle]\nunit = \"idle.service\"\n"

// A guarded unit that failed is started again, one that was never started is not.
func TestRetry_StartsFailedGuardedUnits(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may start units of other packages")
	}
	cfg := configured(t, t.TempDir(), guardConfig)
	w, _ := requirement.ForHost(cfg, func(string) (string, bool) { return "", false }, requirement.Flags{})
	units := unitsByName{
		"client.service": {Name: "client.service", LoadState: "loaded", ActiveState: "failed"},
		"web.service":    {Name: "web.service", LoadState: "loaded", ActiveState: "active"},
		"idle.service":   {Name: "idle.service", LoadState: "loaded", ActiveState: "inactive"},
	}
	failed := failedGuards(t.Context(), cfg, units)
	again, problems := retried(cfg, w, nil, failed)
	if len(problems) > 0 || !slices.Contains(again.Reset, "client.service") || !slices.Contains(again.Start, "client.service") ||
		slices.Contains(again.Start, "web.service") || slices.Contains(again.Start, "idle.service") {
		t.Errorf("%+v, %v", again, problems)
	}
	named, problems := retried(cfg, w, []string{"idle.service"}, failed)
	if len(problems) > 0 || !slices.Equal(named.Start, []string{"idle.service"}) {
		t.Errorf("by name: %+v, %v", named, problems)
	}
	if _, problems := retried(cfg, w, []string{"nobody.service"}, failed); len(problems) != 1 {
		t.Errorf("a unit without a guard: %v", problems)
	}
}

func TestRetry_StartsMPSForAGuardedUnit(t *testing.T) {
	const mps = "justnews-mps.service"
	for text, want := range map[string]bool{guardConfig: false, guardConfig + "require_mps = true\n": true} {
		cfg := configured(t, t.TempDir(), text)
		w, _ := requirement.ForHost(cfg, func(string) (string, bool) { return "", false }, requirement.Flags{})
		again, _ := retried(cfg, w, nil, nil)
		if slices.Contains(again.Start, mps) != want || slices.Contains(again.Reset, mps) != want {
			t.Errorf("%s: %+v", text, again)
		}
	}
}

// An instance that is not enabled is started by name only, and then alone.
func TestRetry_StartsEnabledInstancesOrTheNamedOne(t *testing.T) {
	cfg := configured(t, t.TempDir(), "[instances.gpu_orchestrator]\n[instances.mcp_bus]\n[instances.memory]\nenabled = false\n[instances.scout]\n")
	w, _ := requirement.ForHost(cfg, func(string) (string, bool) { return "", false }, requirement.Flags{})
	for _, c := range []struct{ named, want []string }{
		{nil, []string{"justnews-preload.service", "justnews@gpu_orchestrator.service", "justnews@mcp_bus.service", "justnews@scout.service"}},
		{[]string{"scout"}, []string{"justnews@scout.service"}},
		{[]string{"justnews@memory.service"}, []string{"justnews@memory.service"}},
	} {
		again, problems := retried(cfg, w, c.named, nil)
		if len(problems) > 0 || !slices.Equal(again.Start, c.want) {
			t.Errorf("%q: starts %q, want %q; %v", c.named, again.Start, c.want, problems)
		}
		if others := slices.Contains(again.Reset, "justnews@memory.service"); others != (len(c.named) == 0 || c.named[0] != "scout") {
			t.Errorf("%q: resets %q", c.named, again.Reset)
		}
	}
}

// noInstances is a systemd that has loaded none.
type noInstances struct{ unitsByName }

func (noInstances) Units(context.Context, string) ([]string, error) { return nil, nil }

// A unit that waited for a server uses it, so the server is not restarted.
func TestGuard_UnitUsesTheServerItWaitedFor(t *testing.T) {
	cfg := configured(t, t.TempDir(), guardConfig)
	for unit, uses := range map[string]string{"client.service": "gpu_orchestrator", "web.service": "mcp_bus"} {
		units := unitsByName{}
		for _, name := range []string{"client.service", "web.service", "idle.service"} {
			units[name] = facts.Unit{Name: name}
		}
		units[unit] = facts.Unit{Name: unit, MainPID: 7}
		for _, server := range []string{"gpu_orchestrator", "mcp_bus"} {
			if got := inUse(t.Context(), cfg, server, noInstances{units}); got != (server == uses) {
				t.Errorf("%s is up: %s is in use: %v", unit, server, got)
			}
		}
	}
}

func TestOwnUnit_IsTheServiceThatSystemdStarted(t *testing.T) {
	self := func(pid string) *app {
		return &app{Machine: Machine{
			Groups: []string{"0::", "system.slice", "vllm.service", ".control"},
			Lookup: func(name string) (string, bool) { return pid, name == "SYSTEMD_EXEC_PID" },
		}}
	}
	if got := self(strconv.Itoa(os.Getpid())).ownService(); got != "vllm.service" {
		t.Errorf("%q", got)
	}
	if got := self("").ownService(); got != "" {
		t.Errorf("in a container: %q", got)
	}
	guard := self("1")
	if guard.startedBySystemd() {
		t.Error("a variable of another process counts")
	}
	if guard.guarding = "vllm.service"; !guard.startedBySystemd() || guard.busAddress() != "" {
		t.Error("a guarded unit's environment says who started this process")
	}
}
