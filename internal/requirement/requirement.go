// SPDX-License-Identifier: Apache-2.0

// Package requirement determines what one run has to verify: the configuration,
// overridden by the unit's environment, overridden by flags. It is pure and
// depends on its arguments only.
package requirement

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
)

// Run is what one run has to verify. The zero value requires nothing and has no time:
// ForInstance, ForHost and ForMPS return useful ones.
type Run struct {
	Instance string // "" for a run for the whole host (preload, preflight); of a guard its unit
	Unit     string // justnews@INSTANCE.service, or the guarded unit; "" without an instance

	Timeout   Timeout
	Overrides []Override

	Kind         string // of the orchestrator, as in orchestrator.kind
	Orchestrator Service
	Bus          Service

	RequireModels bool
	RequireBus    bool
	HonorSafeMode bool

	Models config.Models
	Verify string // "off", "presence" or "manifest": what is asked of the Model Store
	// Loader is the user that loads the models and so has to be able to read them; the zero
	// value if the orchestrator is not a unit of this host.
	Loader Account

	// Follow: no preload is requested, only waited for.
	Follow bool

	Preload
	Gate         config.Gate // of the instance; Timeout above says what its timeout became
	ForceRefresh bool        // preload --refresh: POST even where a finished job needs none

	Needs []config.Probe

	RequireMPS bool
	MPS        config.MPS
	MPSUnused  bool // nothing uses it, so that no other command starts it
	// InstanceMPS is the instance's own part of it: its limits.
	InstanceMPS config.InstanceMPS
	// VisibleDevices is CUDA_VISIBLE_DEVICES as the generator sets it, "": not at all.
	VisibleDevices string
	GPU            GPU
}

// JustNews reports whether JustNews' own orchestrator is asked, which has a map of its
// models and an environment to verify.
func (w Run) JustNews() bool { return w.Kind == "" || w.Kind == config.KindJustNews }

// Preload is what has to be true of a preload.
type Preload struct {
	// Expected is how many models the map lists, -1: not known. The
	// reader of the map sets it.
	Expected int
	// AcceptEmpty makes a job over no models count where there is no map, or where
	// Empty is set.
	AcceptEmpty bool
	// Empty is set for a server that answers a load request with a finished job over no
	// models: it loads none itself. The sender of that request sets it.
	Empty    bool
	FailFast bool // a reported error ends the wait although the job still runs
	// OnlyAgent is the only agent whose errors count (scope = "own"); "": every agent's.
	OnlyAgent string
}

// GPU is what is required of the GPUs.
type GPU struct {
	// Needed makes findings errors: gpu.min_count is above 0, MPS is on, or the
	// instance is given GPUs. Where no GPU is needed, none of them is worse than a
	// warning, and that there is no driver is a notice.
	Needed   bool
	MPS      bool          // the instance, or any of the host, runs under MPS
	MIG      bool          // mps.mig
	MinCount int           // gpu.min_count
	Patience time.Duration // gpu.patience
	Limit    uint64        // mps.memory of the instance in bytes, of a host or several GPUs the largest; 0: none
	Limits   uint64        // of all instances with MPS together, on one GPU
	Clients  int           // enabled instances with MPS
	Visible  []string      // GPUs that the instance is given, by index or UUID; nil: any GPU will do
	Starting bool          // an instance is about to start: what it may use has to be free
}

// Account is a user and a group, as a unit has them.
type Account struct{ User, Group string }

// Service is an HTTP server that is waited for, and its unit.
type Service struct {
	URL  string
	Unit string // "" : no unit of this host, nothing is asked of systemd
	// Here: it is served by this host, according to its unit or, which this package cannot
	// know, the address in its URL.
	Here bool
}

// Override is a value that the environment has and the configuration has not.
type Override struct {
	Name       string // of the variable
	Value      string
	Configured string
}

// Timeout is the total budget of one run and where it was set.
type Timeout struct {
	Value  time.Duration
	Origin string // "flag --timeout", "environment GATE_TIMEOUT", "gate.timeout", …
}

// Flags are the command line's overrides; a nil pointer is a flag not given.
type Flags struct {
	Timeout    *time.Duration
	RequireBus *bool
	Refresh    bool
}

// Remote returns the warning about an orchestrator that is queried over the
// network: its answers are then as trustworthy as the network, and the server's identity
// cannot be verified.
func (w Run) Remote() []diag.Problem {
	if w.Orchestrator.URL == "" || w.Orchestrator.Here {
		return nil
	}
	return []diag.Problem{diag.Found(diag.OrchestratorRemote, w.Orchestrator.URL, "the orchestrator's URL is not on this host: requests leave it unencrypted",
		w.Orchestrator.URL, "an address of this host",
		diag.Advise("if it runs on this host, name its instance in orchestrator.instance and an address of this host in orchestrator.url (or GPU_ORCHESTRATOR_URL)", diag.Reload())).As(diag.Warning)}
}

// ForGuard returns what the gate of a guarded unit has to verify. Its environment belongs to
// another package's unit, so nothing of the run is taken from it. After is the place of its
// line.
func ForGuard(cfg *config.Config, unit string, after bool, flags Flags) (Run, []diag.Problem) {
	g, ok := cfg.Guard(unit)
	if !ok || g.After() != after {
		return Run{}, []diag.Problem{UnknownGuard(cfg, unit, after)}
	}
	w := follow(cfg, unit, g.RequireModels && after)
	w.RequireModels, w.RequireBus, w.RequireMPS = g.RequireModels, g.RequireBus, g.RequireMPS
	w.GPU = gpu(cfg, config.InstanceMPS{Enabled: g.RequireMPS})
	w.GPU.Starting = !after
	w.Timeout = Timeout{g.Timeout, "guards." + g.Name + ".timeout"}
	w.Follow = !g.Trigger
	w.Needs = needs(cfg, g.Needs)
	return w, overrule(&w, noEnvironment, flags)
}

// ForServer returns what justnews-gate ready has to make sure of: that the models are
// ready, and, unless unit is "", that the answer comes from that unit.
func ForServer(cfg *config.Config, unit string, flags Flags) (Run, []diag.Problem) {
	w := follow(cfg, unit, unit != "")
	return w, overrule(&w, noEnvironment, flags)
}

// follow returns a run that waits for the models. The server that loads them reads
// the Model Store, as another user.
func follow(cfg *config.Config, unit string, served bool) Run {
	w := host(cfg, cfg.Gate)
	w.Instance, w.Unit = unit, unit
	w.RequireModels, w.Follow, w.Verify = true, true, "off"
	if served {
		w.Orchestrator = service(w.Orchestrator.URL, unit)
	}
	return w
}

func noEnvironment(string) (string, bool) { return "", false }

// UnknownGuard is the problem of a unit that has the line of a guard, which the
// configuration does not have in this place.
func UnknownGuard(cfg *config.Config, unit string, after bool) diag.Problem {
	place := map[bool]string{false: "before", true: "after"}
	p := diag.Found(diag.GuardUnknown, unit, "the configuration has no guard for this unit",
		fmt.Sprintf("a gate that was started as a guard with when = %q", place[after]), fmt.Sprintf("a [guards] table with unit = %q", unit),
		diag.Advise("add the table to /etc/justnews/justnews.toml and reload, or remove the gate",
			diag.Run("justnews-gate", "guard", "uninstall", "--", unit)))
	if name := strings.TrimSuffix(unit, ".service"); slices.Contains(cfg.InstanceNames(), name) {
		p.Message += fmt.Sprintf("; did you mean the instance %q?", name)
		p.Fix.Advice = "name the instance " + name + ", " + p.Fix.Advice
	}
	if g, ok := cfg.Guard(unit); ok {
		p.Message = "the gate of this unit is in another place than the configuration says"
		p.Expected = fmt.Sprintf("guards.%s.when = %q", g.Name, place[after])
		p.Fix = diag.Do(diag.Run("justnews-gate", "guard", "install", "--", unit))
	}
	return p
}

// NoGuard is the problem of a name that is neither that of a guard nor its unit.
func NoGuard(name string) diag.Problem {
	return diag.Found(diag.GuardUnknown, name, "the configuration has no such guard",
		fmt.Sprintf("%q", name), "the name of a [guards] table, or its unit", diag.Advise("add the table to /etc/justnews/justnews.toml"))
}
