// SPDX-License-Identifier: Apache-2.0

package requirement

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/lists"
	"justnews/internal/spell"
	"justnews/internal/unitname"
)

// Lookup returns an environment variable, like os.LookupEnv.
type Lookup func(name string) (string, bool)

// ForInstance returns what the gate of one instance has to verify, and every problem; with an
// error among them the Run must not be used.
func ForInstance(cfg *config.Config, name string, env Lookup, flags Flags) (Run, []diag.Problem) {
	inst, ok := cfg.Instance(name)
	if !ok {
		return Run{}, []diag.Problem{UnknownInstance(cfg, name)}
	}
	w := host(cfg, inst.Gate)
	w.Instance, w.Unit = name, unitname.Of(name)
	w.RequireModels, w.RequireBus = inst.RequireModels, inst.RequireBus
	w.RequireMPS, w.InstanceMPS = inst.MPS.Enabled, inst.MPS
	w.VisibleDevices = cfg.VisibleDevices(inst)
	w.GPU = gpu(cfg, inst.MPS)
	w.GPU.Starting = true
	if len(inst.MPS.Seen) > 0 {
		w.GPU.Visible = inst.MPS.Seen
	}
	w.GPU.Needed = w.GPU.Needed || len(inst.GPUs) > 0
	w.Verify = verify(cfg.Models, cfg.Models.Verify)
	if inst.Gate.Scope == "own" && w.JustNews() { // no other server knows agents
		w.OnlyAgent = name
	}
	w.Needs = needs(cfg, inst.Needs)
	problems := overrule(&w, env, flags)
	exempt(&w, cfg)
	return w, problems
}

// ForHost returns what a run for the whole host has to verify: every model of the map.
func ForHost(cfg *config.Config, env Lookup, flags Flags) (Run, []diag.Problem) {
	w := host(cfg, cfg.Gate)
	w.RequireModels = true
	w.ForceRefresh = flags.Refresh
	w.GPU = gpu(cfg, anyMPS(cfg))
	w.GPU.Needed = w.GPU.Needed || slices.ContainsFunc(cfg.Instances, func(i config.Instance) bool { return i.Enabled && len(i.GPUs) > 0 })
	w.Verify = verify(cfg.Models, cfg.Models.VerifyPreload)
	return w, overrule(&w, env, flags)
}

// ForMPS returns what has to be true of NVIDIA MPS, and nothing else.
func ForMPS(cfg *config.Config, env Lookup, flags Flags) (Run, []diag.Problem) {
	w := host(cfg, cfg.Gate)
	w.RequireMPS, w.MPSUnused = true, !cfg.UsesMPS()
	return w, overrule(&w, env, flags)
}

func host(cfg *config.Config, gate config.Gate) Run {
	loader, _ := cfg.Instance(cfg.Orchestrator.Instance)
	return Run{
		Loader:        Account{loader.Service.User, loader.Service.Group},
		Kind:          cfg.Orchestrator.Kind,
		Orchestrator:  service(cfg.Orchestrator.URL, cfg.Orchestrator.ServedBy()),
		Bus:           service(cfg.Bus.URL, unitname.Of(cfg.Bus.Instance)),
		HonorSafeMode: cfg.Orchestrator.HonorSafeMode,
		Models:        cfg.Models,
		Preload:       Preload{Expected: -1, AcceptEmpty: cfg.Models.AcceptEmpty, FailFast: gate.FailFast},
		Gate:          gate,
		Timeout:       Timeout{gate.Timeout, "gate.timeout"},
		MPS:           cfg.MPS,
	}
}

func service(url, unit string) Service {
	return Service{URL: url, Unit: unit, Here: unit != ""}
}

func needs(cfg *config.Config, names []string) []config.Probe {
	return lists.Map(names, func(name string) config.Probe { return cfg.Probes[name] })
}

// verify is how the Model Store is checked. Without a map its required content is unknown.
func verify(m config.Models, how string) string {
	if m.HasMap() {
		return how
	}
	return "off"
}

// gpu returns what is required of the GPUs by an instance with these MPS settings.
func gpu(cfg *config.Config, mps config.InstanceMPS) GPU {
	g := GPU{MPS: mps.Enabled, MIG: cfg.MPS.MIG, MinCount: cfg.GPU.MinCount, Patience: cfg.GPU.Patience, Needed: mps.Enabled || cfg.GPU.MinCount > 0}
	if mps.Enabled {
		g.Limit = largest(mps.Memory)
	}
	sums := map[string]uint64{}
	for _, i := range cfg.Instances {
		if !i.Enabled || !i.MPS.Enabled {
			continue
		}
		g.Clients++
		for gpu, l := range cfg.LimitOn(i) {
			sum, carry := bits.Add64(sums[gpu], l.Bytes, 0)
			sums[gpu] = sum | -carry // as large as can be where it does not fit
			g.Limits = max(g.Limits, sums[gpu])
		}
	}
	return g
}

func largest(m config.Memory) uint64 {
	var most uint64
	for _, l := range m.Each() {
		most = max(most, l.Bytes)
	}
	return most
}

// anyMPS stands for the instances of a host: MPS where one of them has it, and
// the largest limit.
func anyMPS(cfg *config.Config) config.InstanceMPS {
	var all config.InstanceMPS
	for _, i := range cfg.Instances {
		if i.Enabled && i.MPS.Enabled {
			all.Enabled = true
			if largest(i.MPS.Memory) > largest(all.Memory) {
				all.Memory = i.MPS.Memory
			}
		}
	}
	return all
}

// exempt prevents a deadlock, regardless of REQUIRE_BUS: the orchestrator can wait neither for
// itself nor for the bus, which is gated on it; the bus cannot wait for itself.
func exempt(w *Run, cfg *config.Config) {
	switch w.Instance {
	case cfg.Orchestrator.Instance:
		w.RequireModels, w.RequireBus = false, false
	case cfg.Bus.Instance:
		w.RequireBus = false
	}
}

// overrule applies the environment, then the flags. An empty variable counts
// as unset, as a line NAME= in an environment file means it.
func overrule(w *Run, env Lookup, flags Flags) []diag.Problem {
	var problems []diag.Problem
	set := func(name string, apply func(string) error) {
		value, ok := env(name)
		if !ok || value == "" {
			return
		}
		if err := apply(value); err != nil {
			problems = append(problems, badVariable(w, name, value, err))
		}
	}
	set("GATE_TIMEOUT", func(v string) error {
		d, err := config.Timeout(v)
		if err == nil {
			w.Timeout = Timeout{d, "GATE_TIMEOUT in the environment"}
		}
		return err
	})
	set("REQUIRE_BUS", into(&w.RequireBus, boolean))
	set("STRICT_MODEL_STORE", into(&w.Models.Strict, boolean))
	noted := func(name string, target *string, read func(string) (string, error)) {
		configured := *target
		set(name, into(target, read))
		if *target != configured {
			w.Overrides = append(w.Overrides, Override{Name: name, Value: *target, Configured: configured})
		}
	}
	noted("GPU_ORCHESTRATOR_URL", &w.Orchestrator.URL, config.ServerURL)
	noted("MCP_BUS_URL", &w.Bus.URL, config.ServerURL)
	noted("MODEL_STORE_ROOT", &w.Models.Root, config.Path)
	set("BASE_MODEL_DIR", into(&w.Models.BaseDir, config.Path))
	noted("CUDA_MPS_PIPE_DIRECTORY", &w.MPS.PipeDirectory, config.PipeDirectory)
	set("CUDA_MPS_LOG_DIRECTORY", into(&w.MPS.LogDirectory, config.Path))
	if flags.Timeout != nil {
		w.Timeout = Timeout{*flags.Timeout, "--timeout"}
	}
	if flags.RequireBus != nil {
		w.RequireBus = *flags.RequireBus
	}
	return problems
}

// into returns what reads a value and keeps it where it means something.
func into[T any](target *T, read func(string) (T, error)) func(string) error {
	return func(v string) error {
		value, err := read(v)
		if err == nil {
			*target = value
		}
		return err
	}
}

func boolean(v string) (bool, error) {
	on, known := envfile.Boolean(v)
	if !known {
		return false, config.Expected{Form: "0 or 1"}
	}
	return on, nil
}

func badVariable(w *Run, name, value string, err error) diag.Problem {
	expected := err.Error()
	if e, ok := errors.AsType[config.Expected](err); ok {
		expected = e.Form
	}
	where := "the environment"
	if w.Unit != "" {
		where = fmt.Sprintf("/etc/justnews/global.env, /etc/justnews/%s.env or a drop-in of %s", w.Instance, w.Unit)
	}
	return diag.Found(diag.ConfigEnvironment, name, fmt.Sprintf("%s in the environment must be %s", name, expected),
		fmt.Sprintf("%q", withoutPassword(value)), expected, diag.Advise(fmt.Sprintf("correct %s in %s", name, where), diag.Reload()))
}

// withoutPassword hides the part of a URL before its @, also where the scheme is
// missing: the problem goes to the journal and into a record.
func withoutPassword(value string) string {
	at := strings.LastIndex(value, "@")
	if at < 0 {
		return value
	}
	scheme, _, found := strings.Cut(value[:at], "://")
	if !found {
		return "***" + value[at:]
	}
	return scheme + "://***" + value[at:]
}

// UnknownInstance is the problem of an instance that the configuration does not
// list.
func UnknownInstance(cfg *config.Config, name string) diag.Problem {
	names := cfg.InstanceNames()
	p := diag.Found(diag.InstanceUnknown, name, "the configuration lists no such instance",
		fmt.Sprintf("%q", name), "one of "+strings.Join(names, ", "),
		diag.Advise(fmt.Sprintf("add the table [instances.%s] to /etc/justnews/justnews.toml", name), diag.Reload()))
	if len(names) == 0 {
		p.Expected = "an [instances.NAME] table"
	}
	for _, g := range cfg.Guards {
		if g.Name == name {
			p.Message, p.Expected = "not an instance, but a guard", g.Unit
			p.Fix = diag.Advise("name its unit, " + g.Unit)
			return p
		}
	}
	if near, ok := spell.Nearest(name, names); ok {
		p.Message += fmt.Sprintf("; did you mean %q?", near)
		p.Fix.Advice = fmt.Sprintf("name the instance %s, or add [instances.%s] to /etc/justnews/justnews.toml", near, name)
		if !config.InstanceName(name) {
			p.Fix = diag.Advise("name the instance " + near)
		}
	} else if !config.InstanceName(name) {
		p.Fix = diag.Advise("name an instance that is listed")
	}
	return p
}

// NoInstanceName is the problem of a name that no instance can have.
func NoInstanceName(name string) diag.Problem {
	return diag.Found(diag.InstanceUnknown, name, "not a valid instance name",
		fmt.Sprintf("%q", name), "a lowercase letter, then at most 62 lowercase letters, digits and underscores",
		diag.Advise("start an instance that the configuration lists").Looking(diag.Run("justnews-gate", "config", "show")))
}
