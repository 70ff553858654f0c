// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/unitname"
)

const (
	orchestrator = "justnews@gpu_orchestrator.service"
	bus          = "justnews@mcp_bus.service"
)

// host is a configuration with the orchestrator, the bus and two agents.
func host(change func(*config.Config)) *config.Config {
	c := &config.Config{
		Gate:         config.Gate{Timeout: DefaultGateTimeout},
		Orchestrator: config.Orchestrator{Instance: "gpu_orchestrator"},
		Bus:          config.Bus{Instance: "mcp_bus"},
		MPS:          config.MPS{Unit: unitname.MPS, PipeDirectory: "/run/nvidia-mps"},
		Service:      config.Service{StartGrace: DefaultStartGrace, Restart: DefaultRestart, ProtectHome: "yes"},
	}
	for _, name := range []string{"gpu_orchestrator", "mcp_bus", "memory", "scout"} {
		c.Instances = append(c.Instances, config.Instance{
			Name: name, Enabled: true, RequireBus: name == "memory" || name == "scout", Gate: c.Gate,
			Service: c.Service,
		})
	}
	change(c)
	return c
}

// lines returns KEY=value of a unit's drop-ins with these prefixes, in systemd's
// order: by name, and those of the template among an instance's own.
func lines(t *testing.T, p *Plan, unit string, prefixes ...string) []string {
	t.Helper()
	var found []DropIn
	for _, d := range append(slices.Clone(p.DropIns), p.Base) {
		of := d.Dir == unit+".d" || d.Dir == BaseDir && strings.HasPrefix(unit, "justnews@")
		if of && slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(d.Name, prefix) }) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no drop-in %s of %s", prefixes, unit)
	}
	slices.SortFunc(found, func(a, b DropIn) int { return strings.Compare(a.Name, b.Name) })
	var out []string
	for _, d := range found {
		for _, s := range d.Sections {
			for _, l := range s.Lines {
				out = append(out, l.Key()+"="+strings.Join(l.Args(), " "))
			}
		}
	}
	return out
}

// last is the effective value of a setting that is not a list.
func last(values []string) []string { return values[max(0, len(values)-1):] }

func values(lines []string, key string) []string {
	var out []string
	for _, l := range lines {
		if v, found := strings.CutPrefix(l, key+"="); found {
			out = append(out, v)
		}
	}
	return out
}

func TestPlan_OrderOfUnits(t *testing.T) {
	for _, c := range []struct {
		name         string
		instance     string
		change       func(*config.Config)
		wants, after []string
	}{
		{"the orchestrator wants the preload and waits for nothing", "gpu_orchestrator", func(*config.Config) {}, []string{unitname.Preload}, nil},
		{"the orchestrator waits for MPS", "gpu_orchestrator", func(c *config.Config) { c.Instances[0].MPS.Enabled = true }, []string{unitname.Preload}, []string{unitname.MPS}},
		{"the bus waits for the preload", "mcp_bus", func(*config.Config) {}, nil, []string{orchestrator, unitname.Preload}},
		{"an agent waits for the bus too", "scout", func(*config.Config) {}, nil, []string{orchestrator, unitname.Preload, bus}},
		{"not where it does not require it", "scout", func(c *config.Config) { c.Instances[3].RequireBus = false }, nil, []string{orchestrator, unitname.Preload}},
		{"an agent waits for MPS and for what it names", "scout", func(c *config.Config) {
			c.Instances[3].MPS.Enabled, c.Instances[3].After = true, []string{"memory", "mcp_bus"}
		}, nil, []string{orchestrator, unitname.Preload, bus, unitname.MPS, "justnews@memory.service"}},
		{"MPS that is no unit of this host", "scout", func(c *config.Config) {
			c.Instances[3].MPS.Enabled, c.MPS.Unit = true, ""
		}, nil, []string{orchestrator, unitname.Preload, bus}},
		{"an orchestrator and a bus that are no units of this host", "scout", func(c *config.Config) {
			c.Orchestrator.Instance, c.Bus.Instance = "", ""
		}, nil, []string{unitname.Preload}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(t, Build(host(c.change), Machine{}), unitname.Of(c.instance), "60-")
			if wants := values(got, "Wants"); !slices.Equal(wants, c.wants) {
				t.Errorf("Wants=%q, want %q", wants, c.wants)
			}
			after := slices.DeleteFunc(values(got, "After"), func(u string) bool { return strings.HasSuffix(u, ".mount") })
			if !slices.Equal(after, c.after) {
				t.Errorf("After=%q, want %q", after, c.after)
			}
		})
	}
}

func TestPlan_NoInstanceIsBoundToAnother(t *testing.T) {
	for _, d := range Build(host(func(*config.Config) {}), Machine{}).DropIns {
		if !strings.HasPrefix(d.Dir, "justnews@") {
			continue
		}
		for _, s := range d.Sections {
			for _, l := range s.Lines {
				if slices.Contains([]string{"Requires", "BindsTo", "Requisite", "ExecStartPre", "ExecCondition"}, l.Key()) {
					t.Errorf("%s/%s: %s=", d.Dir, d.Name, l.Key())
				}
			}
		}
	}
}

func TestPlan_PreloadStopsWithTheOrchestrator(t *testing.T) {
	got := lines(t, Build(host(func(*config.Config) {}), Machine{}), unitname.Preload, "60-")
	for _, key := range []string{"StopPropagatedFrom", "PartOf", "After"} {
		if v := values(got, key); !slices.Equal(v, []string{orchestrator}) {
			t.Errorf("%s=%q", key, v)
		}
	}
	got = lines(t, Build(host(func(c *config.Config) { c.Orchestrator.Instance = "" }), Machine{}), unitname.Preload, "60-")
	for _, key := range []string{"StopPropagatedFrom", "PartOf", "After"} {
		if v := values(got, key); len(v) > 0 {
			t.Errorf("no unit of this host, but %s=%q", key, v)
		}
	}
}

func TestPlan_TimeoutStartSecCoversEveryGateTimeout(t *testing.T) {
	for _, c := range []struct {
		name  string
		toml  time.Duration
		env   map[string]time.Duration
		scout string
		base  string
	}{
		{"the TOML's", 300 * time.Second, nil, "360s", "240s"},
		{"a shorter one in an environment file changes nothing", 300 * time.Second, map[string]time.Duration{"global": time.Second}, "360s", "240s"},
		{"global.env", 180 * time.Second, map[string]time.Duration{"global": 400 * time.Second}, "460s", "460s"},
		{"its own env file", 180 * time.Second, map[string]time.Duration{"global": 200 * time.Second, "scout": 500 * time.Second}, "560s", "560s"},
		{"another's env file is for an instance that is not listed", 180 * time.Second, map[string]time.Duration{"x": 500 * time.Second}, "240s", "560s"},
		{"a time that overflows is cut", 180 * time.Second, map[string]time.Duration{"scout": 1<<63 - 1}, "31536060s", "31536060s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Build(host(func(cfg *config.Config) { cfg.Instances[3].Gate.Timeout = c.toml }), Machine{EnvTimeouts: c.env})
			if got := last(values(lines(t, p, unitname.Of("scout"), "50-", "60-"), "TimeoutStartSec")); !slices.Equal(got, []string{c.scout}) {
				t.Errorf("scout %q, want %s", got, c.scout)
			}
			if got := values(lines(t, p, unitname.Template, "50-"), "TimeoutStartSec"); !slices.Equal(got, []string{c.base}) {
				t.Errorf("base %q, want %s", got, c.base)
			}
		})
	}
}

func TestPlan_HasNoStartLimitAndPacesRestarts(t *testing.T) {
	for _, c := range []struct {
		systemd                 int
		restart                 time.Duration
		first, steps, maxPauses []string
	}{
		{257, 3 * time.Second, []string{"3s"}, []string{"5"}, []string{"30s"}},
		{254, 3 * time.Second, []string{"3s"}, []string{"5"}, []string{"30s"}},
		{257, 40 * time.Second, []string{"40s"}, []string{"0"}, []string{"infinity"}},
		{254, 30 * time.Second, []string{"30s"}, []string{"0"}, []string{"infinity"}},
		{257, 29 * time.Second, []string{"29s"}, []string{"5"}, []string{"30s"}},
		{253, 40 * time.Second, []string{"40s"}, nil, nil},
		{252, 3 * time.Second, []string{"10s"}, nil, nil},
		{0, 3 * time.Second, []string{"10s"}, nil, nil},
		{252, 20 * time.Second, []string{"20s"}, nil, nil},
	} {
		p := Build(host(func(cfg *config.Config) { cfg.Instances[3].Service.Restart = c.restart }), Machine{Systemd: c.systemd})
		got := lines(t, p, unitname.Of("scout"), "60-")
		for name, want := range map[string][]string{"RestartSec": c.first, "RestartSteps": c.steps, "RestartMaxDelaySec": c.maxPauses} {
			if v := last(values(got, name)); !slices.Equal(v, want) {
				t.Errorf("systemd %d, restart_sec %v: %s=%q, want %q", c.systemd, c.restart, name, v, want)
			}
		}
		if v := values(lines(t, p, unitname.Template, "50-"), "StartLimitIntervalSec"); !slices.Equal(v, []string{"0"}) {
			t.Errorf("StartLimitIntervalSec=%q", v)
		}
	}
}

func TestPlan_PacesTheDaemonOfMPSWhereSystemdCan(t *testing.T) {
	for systemd, want := range map[int][]string{253: nil, 254: {"1s"}, 257: {"1s"}} {
		p := Build(host(func(c *config.Config) { c.Instances[3].MPS.Enabled = true }), Machine{Systemd: systemd})
		if got := values(lines(t, p, unitname.MPS, "60-"), "RestartSec"); !slices.Equal(got, want) {
			t.Errorf("systemd %d: RestartSec=%q, want %q", systemd, got, want)
		}
	}
	p := Build(host(func(c *config.Config) { c.Service.Restart = longest }), Machine{Systemd: stepsSince})
	if got := lines(t, p, unitname.Template, "60-"); slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, "RestartSteps=") }) {
		t.Errorf("a pause that is the longest grows: %q", got)
	}
}

// systemd creates a directory for a unit only if its name is one word.
func TestPlan_DirectoriesOfMPSAreCreatedWhereSystemdCan(t *testing.T) {
	for dir, want := range map[string][]string{
		"/run/nvidia-mps": nil, "/run/mps/Pipe_0": {"", "mps/Pipe_0"}, "/run/a b": {""}, "/run/a:b": {""}, "/srv/mps": {""},
	} {
		p := Build(host(func(c *config.Config) {
			c.MPS.PipeDirectory, c.MPS.LogDirectory, c.Instances[3].MPS.Enabled = dir, strings.Replace(dir, "/run/", "/var/log/", 1), true
		}), Machine{})
		got := lines(t, p, unitname.MPS, "60-")
		for _, key := range []string{"RuntimeDirectory", "LogsDirectory"} {
			if v := values(got, key); !slices.Equal(v, want) {
				t.Errorf("%s: %s=%q, want %q", dir, key, v, want)
			}
		}
	}
}

// Where the orchestrator is not a unit of this host, the user of the agents looks.
func TestPlan_PreloadRunsAsTheOrchestratorsUser(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*config.Config)
		user   string
	}{
		{"the orchestrator's", func(*config.Config) {}, "orchestrator"},
		{"the first instance's", func(c *config.Config) { c.Orchestrator.Instance = "" }, "bus"},
		{"no instances", func(c *config.Config) { c.Orchestrator.Instance, c.Instances = "", nil }, "justnews"},
	} {
		p := Build(host(func(cfg *config.Config) {
			cfg.Instances[0], cfg.Instances[1] = cfg.Instances[1], cfg.Instances[0]
			cfg.Instances[0].Service.User, cfg.Instances[1].Service.User = "bus", "orchestrator"
			c.change(cfg)
		}), Machine{})
		for _, unit := range []string{unitname.Preload, unitname.Watch} {
			if got := values(lines(t, p, unit, "60-"), "User"); !slices.Equal(got, []string{c.user}) {
				t.Errorf("%s: User=%q of %s, want %s", c.what, got, unit, c.user)
			}
		}
	}
}

func TestPlan_InstancesWantOnlyWhatTheTargetDoesNotStart(t *testing.T) {
	enabled := Build(host(func(*config.Config) {}), Machine{})
	if got := values(lines(t, enabled, unitname.Of("scout"), "60-"), "Wants"); len(got) > 0 {
		t.Errorf("scout wants %q, which the target starts", got)
	}
	if got := values(lines(t, enabled, unitname.Target, "60-"), "Wants"); !slices.Contains(got, unitname.Preload) {
		t.Errorf("the target wants %q", got)
	}
	off := Build(host(func(c *config.Config) {
		for i := range c.Instances {
			c.Instances[i].Enabled = c.Instances[i].Name == "scout"
		}
	}), Machine{})
	if got := values(lines(t, off, unitname.Of("scout"), "60-"), "Wants"); !slices.Contains(got, unitname.Of("gpu_orchestrator")) {
		t.Errorf("scout wants %q, and nothing else starts the orchestrator", got)
	}
}

func TestPlan_OnlyEnabledInstancesAreWanted(t *testing.T) {
	p := Build(host(func(c *config.Config) { c.Instances[3].Enabled = false }), Machine{})
	if slices.Contains(p.Wanted, unitname.Of("scout")) || len(p.Wanted) != 3 {
		t.Errorf("wanted %q", p.Wanted)
	}
	if got := values(lines(t, p, unitname.Target, "60-"), "After"); !slices.Equal(got, p.Wanted) {
		t.Errorf("the target waits for %q", got)
	}
	if !slices.ContainsFunc(p.DropIns, func(d DropIn) bool { return d.Dir == unitname.Of("scout")+".d" }) {
		t.Error("but it is configured")
	}
}

func TestPlan_PipeDirectoryHiddenByPrivateTmpIsBound(t *testing.T) {
	for dir, want := range map[string]string{
		"/tmp/nvidia-mps": "BindPaths=-/tmp/nvidia-mps", "/var/tmp/mps": "BindPaths=-/var/tmp/mps",
		"/run/nvidia-mps": "ReadWritePaths=-/run/nvidia-mps", "/tmpfs/mps": "ReadWritePaths=-/tmpfs/mps",
	} {
		p := Build(host(func(c *config.Config) { c.MPS.PipeDirectory, c.Instances[3].MPS.Enabled = dir, true }), Machine{})
		if got := lines(t, p, unitname.Of("scout"), "60-"); !slices.Contains(got, want) {
			t.Errorf("%s: %q is not in %q", dir, want, got)
		}
		if got := lines(t, p, unitname.MPS, "60-"); slices.Contains(got, "PrivateTmp=no") != strings.HasPrefix(want, "Bind") {
			t.Errorf("%s: the daemon has %q", dir, got)
		}
	}
}

func TestPlan_PathHiddenByPrivateTmpIsBound(t *testing.T) {
	p := Build(host(func(c *config.Config) {
		c.Instances[3].Service.ReadOnlyPaths = []string{"/var/tmp/models", "/opt/x", "/tmp"}
		c.Instances[3].Service.ReadWritePaths = []string{"/tmp/work", "/srv/y", "/var/tmp"}
	}), Machine{})
	got := lines(t, p, unitname.Of("scout"), "60-")
	for _, want := range []string{
		"BindReadOnlyPaths=-/var/tmp/models", "ReadOnlyPaths=-/opt/x", "ReadOnlyPaths=-/tmp",
		"BindPaths=-/tmp/work", "ReadWritePaths=-/srv/y", "ReadWritePaths=-/var/tmp",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

// The gate, the preload and the loader have to see the models and their map.
func TestPlan_ModelsHiddenByProtectHomeAreBound(t *testing.T) {
	for home, want := range map[string][]string{
		"tmpfs": {"-/home/a", "-/root/b", "-/run/user/1/map.json"},
		"yes":   nil, // preflight reports such paths
	} {
		p := Build(host(func(c *config.Config) {
			c.Models = config.Models{Root: "/home/a", BaseDir: "/root/b", Map: "/run/user/1/map.json"}
			for i := range c.Instances {
				c.Instances[i].Service.ProtectHome = home
			}
		}), Machine{})
		for _, unit := range []string{unitname.Of("scout"), unitname.Preload, PreflightUnit, unitname.Watch} {
			if got := values(lines(t, p, unit, "60-"), "BindReadOnlyPaths"); !slices.Equal(got, want) {
				t.Errorf("ProtectHome=%s: %s has BindReadOnlyPaths=%q, want %q", home, unit, got, want)
			}
		}
	}
}

func TestPlan_ConfiguredVariablesComeLastAndSorted(t *testing.T) {
	p := Build(host(func(c *config.Config) { c.Instances[3].Environment = map[string]string{"Z": "1", "A": "2"} }), Machine{})
	got := values(lines(t, p, unitname.Of("scout"), "00-"), "Environment")
	if n := len(got); n < 4 || got[n-2] != "A=2" || got[n-1] != "Z=1" {
		t.Errorf("%q", got)
	}
}

func TestPlan_ClosedPlanStartsNoInstance(t *testing.T) {
	p := Closed(Machine{EnvTimeouts: map[string]time.Duration{"global": 300 * time.Second}})
	if len(p.DropIns) > 0 || !slices.Equal(p.Wanted, []string{HealUnit}) {
		t.Errorf("%v %v", p.DropIns, p.Wanted)
	}
	got := lines(t, p, unitname.Template, "50-")
	for _, want := range []string{Gate, "TimeoutStartSec=360s", "NotifyAccess=exec"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

// The settings of [service] and [gate] are written once, to the template; an instance has
// only what differs.
func TestPlan_WritesCommonSettingsOnce(t *testing.T) {
	p := Build(host(func(c *config.Config) {
		c.Service.User, c.Service.MemoryMax, c.Service.Exec = "news", "8G", config.DefaultExec
		for i := range c.Instances {
			c.Instances[i].Service = c.Service
		}
		other := &c.Instances[3].Service
		other.User, other.MemoryMax, other.Exec = "crawler", "", []string{"/bin/x", "{instance}"}
		c.Instances[3].Gate.Timeout = time.Minute
	}), Machine{})
	for _, c := range []struct {
		instance, prefix string
		own              []string // its own drop-ins alone
	}{
		{"memory", "00-", nil},
		{"memory", "60-", []string{"UnsetEnvironment"}},
		{"scout", "00-", []string{"Environment"}},
		{"scout", "60-", []string{"TimeoutStartSec", "User", "ExecStart", "ExecStart", "MemoryMax", "UnsetEnvironment"}},
	} {
		var keys []string
		for _, d := range p.DropIns {
			if d.Dir != unitname.Of(c.instance)+".d" || !strings.HasPrefix(d.Name, c.prefix) {
				continue
			}
			for _, s := range d.Sections {
				if s.Name != "Service" {
					continue
				}
				for _, l := range s.Lines {
					keys = append(keys, l.Key())
				}
			}
		}
		if !slices.Equal(keys, c.own) {
			t.Errorf("%s, %s: %q, want %q", c.instance, c.prefix, keys, c.own)
		}
	}
	got := lines(t, p, unitname.Of("scout"), "00-", "60-")
	for key, want := range map[string]string{"User": "crawler", "MemoryMax": "infinity", "ExecStart": "/bin/x scout"} {
		if v := last(values(got, key)); !slices.Equal(v, []string{want}) {
			t.Errorf("scout: %s=%q, want %s", key, v, want)
		}
	}
	got = lines(t, p, unitname.Of("memory"), "00-", "60-")
	for key, want := range map[string]string{"User": "news", "MemoryMax": "8G", "ExecStart": "/usr/local/bin/justnews-start-agent.sh %i"} {
		if v := last(values(got, key)); !slices.Equal(v, []string{want}) {
			t.Errorf("memory: %s=%q, want %s", key, v, want)
		}
	}
}

// The template's own command is the default of service.exec.
func TestPlan_UsesTheTemplatesCommand(t *testing.T) {
	text, err := os.ReadFile("../../units/justnews@.service")
	if err != nil {
		t.Fatal(err)
	}
	command := strings.ReplaceAll(strings.Join(config.DefaultExec, " "), "{instance}", "%i")
	if !strings.Contains(string(text), "\nExecStart="+command+"\n") {
		t.Errorf("the template does not run %s", command)
	}
}
