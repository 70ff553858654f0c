// SPDX-License-Identifier: Apache-2.0

package requirement

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
)

func load(t *testing.T, toml string) *config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "justnews.toml")
	if err := os.WriteFile(name, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(config.Source{File: name, Owner: os.Getuid()})
	if cfg == nil {
		t.Fatal(problems)
	}
	return cfg
}

func environment(assignments ...string) Lookup {
	return func(name string) (string, bool) {
		for _, a := range assignments {
			if n, value, _ := strings.Cut(a, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

const instances = "[instances.gpu_orchestrator]\nport = 8014\n[instances.mcp_bus]\nport = 8000\n[instances.scout]\nport = 8002\n"

// layers are what may set one value, the weakest first.
type layers struct {
	variable string
	def      string
	toml     string // lines
	fromTOML string
	env      string
	fromEnv  string
	flag     Flags
	fromFlag string // "" : there is no flag
	show     func(Run) string
}

func table() []layers {
	minute, no := time.Minute, false
	return []layers{
		{
			"GATE_TIMEOUT", "3m0s gate.timeout", "[gate]\ntimeout = \"5min\"\n", "5m0s gate.timeout",
			"7min", "7m0s GATE_TIMEOUT in the environment", Flags{Timeout: &minute}, "1m0s --timeout",
			func(w Run) string { return fmt.Sprint(w.Timeout.Value, " ", w.Timeout.Origin) },
		},
		{
			"REQUIRE_BUS", "true", "", "true", "yes", "true", Flags{RequireBus: &no}, "false",
			func(w Run) string { return fmt.Sprint(w.RequireBus) },
		},
		{
			"STRICT_MODEL_STORE", "true", "[models]\nstrict = false\n", "false", "1", "true", Flags{}, "",
			func(w Run) string { return fmt.Sprint(w.Models.Strict) },
		},
		{
			"GPU_ORCHESTRATOR_URL", "http://127.0.0.1:8014", "[orchestrator]\nurl = \"http://localhost:8014/\"\n", "http://localhost:8014",
			"http://10.0.0.1:9/", "http://10.0.0.1:9", Flags{}, "", func(w Run) string { return w.Orchestrator.URL },
		},
		{
			"MCP_BUS_URL", "http://127.0.0.1:8000", "[bus]\nurl = \"http://localhost:8000\"\n", "http://localhost:8000",
			"http://bus", "http://bus:80", Flags{}, "", func(w Run) string { return w.Bus.URL },
		},
		{
			"MODEL_STORE_ROOT", "/opt/justnews/models", "[models]\nroot = \"/toml\"\n", "/toml", "/env/", "/env", Flags{}, "",
			func(w Run) string { return w.Models.Root },
		},
		{
			"BASE_MODEL_DIR", "", "[models]\nbase_dir = \"/toml\"\n", "/toml", "/env", "/env", Flags{}, "",
			func(w Run) string { return w.Models.BaseDir },
		},
		{
			"CUDA_MPS_PIPE_DIRECTORY", "/run/nvidia-mps", "[mps]\npipe_directory = \"/toml\"\n", "/toml", "/tmp/nvidia-mps", "/tmp/nvidia-mps", Flags{}, "",
			func(w Run) string { return w.MPS.PipeDirectory },
		},
		{
			"CUDA_MPS_LOG_DIRECTORY", "/var/log/nvidia-mps", "[mps]\nlog_directory = \"/toml\"\n", "/toml", "/env", "/env", Flags{}, "",
			func(w Run) string { return w.MPS.LogDirectory },
		},
		{
			"", "/etc/justnews/AGENT_MODEL_MAP.json", "[models]\nmap = \"/toml.json\"\n", "/toml.json", "", "/toml.json", Flags{}, "",
			func(w Run) string { return w.Models.Map },
		},
	}
}

func TestPrecedence_FlagBeatsTheEnvironmentBeatsTheFileBeatsTheDefault(t *testing.T) {
	for _, l := range table() {
		expect := func(what, toml string, env Lookup, flags Flags, want string) {
			t.Helper()
			w, problems := ForInstance(load(t, toml+instances), "scout", env, flags)
			if got := l.show(w); got != want || len(problems) > 0 {
				t.Errorf("%s, %s: got %q, want %q, %v", l.variable, what, got, want, problems)
			}
		}
		expect("default", "", environment(), Flags{}, l.def)
		expect("file", l.toml, environment(), Flags{}, l.fromTOML)
		expect("environment", l.toml, environment(l.variable+"="+l.env), Flags{}, l.fromEnv)
		expect("an empty variable is unset", l.toml, environment(l.variable+"="), Flags{}, l.fromTOML)
		if l.fromFlag != "" {
			expect("flag", l.toml, environment(l.variable+"="+l.env), l.flag, l.fromFlag)
		}
	}
}

// An environment file may leave out the bus, as before, and nothing else.
func TestPrecedence_NoVariableTakesARequirementAway(t *testing.T) {
	cfg := load(t, "[probes.db]\nkind = \"tcp\"\naddress = \"127.0.0.1:3306\"\n[gpu]\nmin_count = 1\n"+instances+"mps = { enabled = true }\nneeds = [\"db\"]\n")
	want, problems := ForInstance(cfg, "scout", environment(), Flags{})
	if len(problems) > 0 || !want.RequireModels || !want.RequireMPS || !want.GPU.Needed || len(want.Needs) != 1 || want.Verify == "off" {
		t.Fatalf("%+v, %v", want, problems)
	}
	for _, value := range []string{"0", "1", "no", "off", "false", "none"} {
		got, _ := ForInstance(cfg, "scout", func(string) (string, bool) { return value, true }, Flags{})
		got.RequireBus, got.Models.Strict, got.Timeout = want.RequireBus, want.Models.Strict, want.Timeout
		if !reflect.DeepEqual(got, want) {
			t.Errorf("every variable is %s:\n%+v, want\n%+v", value, got, want)
		}
	}
}

func TestPrecedence_InvalidVariableIsAConfigurationError(t *testing.T) {
	cfg := load(t, instances)
	for variable, values := range map[string][]string{
		"GATE_TIMEOUT": {
			"0", "-1", "-5s", "1e9", "1000000000", "infinity", "soon", " ", "1.5", "500ms", "86401", "0x10", "3 parsecs",
			"9223372036854775807", "99999999999999999999s", "5min\n",
		},
		"REQUIRE_BUS":             {"maybe", "2", " 1", "-1", "tru"},
		"STRICT_MODEL_STORE":      {"strict", "10"},
		"GPU_ORCHESTRATOR_URL":    {"127.0.0.1:8014", "https://127.0.0.1:8014", "http://", "http://u:p@h:1", "http://h:1/x", "http://h:0", "http://h:99999", "http://h:1?q", "http://h:1#f", "http://h:", "http://a b:1", "http://h:1\n"},
		"MCP_BUS_URL":             {"ftp://h:1", "bus"},
		"MODEL_STORE_ROOT":        {"models", "./models", "~/models", "/a\nb", "/\x1b[2J", "/\xff"},
		"BASE_MODEL_DIR":          {"base", "/a\x00b"},
		"CUDA_MPS_PIPE_DIRECTORY": {"mps", "/", "/" + strings.Repeat("x", 87)},
		"CUDA_MPS_LOG_DIRECTORY":  {"log"},
	} {
		for _, value := range values {
			for _, f := range []func() []diag.Problem{
				func() []diag.Problem {
					_, p := ForInstance(cfg, "scout", environment(variable+"="+value), Flags{})
					return p
				},
				func() []diag.Problem { _, p := ForHost(cfg, environment(variable+"="+value), Flags{}); return p },
			} {
				problems := f()
				if len(problems) != 1 || problems[0].Status() != diag.StatusConfig || problems[0].Subject != variable ||
					!strings.Contains(problems[0].Fix.String(), variable) || problems[0].Expected == "" {
					t.Errorf("%s=%q: %+v", variable, value, problems)
				}
			}
		}
	}
}

func TestPrecedence_TimeoutIsBetweenASecondAndADay(t *testing.T) {
	cfg := load(t, instances)
	for value, want := range map[string]time.Duration{
		"1": time.Second, "300": 5 * time.Minute, "300s": 5 * time.Minute, "5min": 5 * time.Minute,
		"1min 30s": 90 * time.Second, "1000ms": time.Second, "86400": 24 * time.Hour, "1d": 24 * time.Hour,
	} {
		w, problems := ForInstance(cfg, "scout", environment("GATE_TIMEOUT="+value), Flags{})
		if w.Timeout.Value != want || len(problems) > 0 {
			t.Errorf("%s: %v, %v", value, w.Timeout, problems)
		}
	}
}

func TestPrecedence_AllInvalidVariablesAreReportedAtOnce(t *testing.T) {
	_, problems := ForInstance(load(t, instances), "scout", environment("GATE_TIMEOUT=x", "REQUIRE_BUS=x", "MCP_BUS_URL=x"), Flags{})
	if len(diag.Errors(problems)) != 3 {
		t.Errorf("%v", problems)
	}
}

func TestStructure_OrchestratorAndBusAreAlwaysExempt(t *testing.T) {
	yes := true
	cfg := load(t, "[gate]\nscope = \"all\"\n"+instances)
	for name, want := range map[string][2]bool{ // models, bus
		"gpu_orchestrator": {false, false},
		"mcp_bus":          {true, false},
		"scout":            {true, true},
	} {
		for _, env := range []Lookup{environment(), environment("REQUIRE_BUS=1")} {
			for _, flags := range []Flags{{}, {RequireBus: &yes}} {
				w, problems := ForInstance(cfg, name, env, flags)
				if w.RequireModels != want[0] || w.RequireBus != want[1] || len(problems) > 0 {
					t.Errorf("%s: models %v, bus %v, %v", name, w.RequireModels, w.RequireBus, problems)
				}
			}
		}
	}
}

func TestPrecedence_UnknownInstanceSuggestsTheNearestName(t *testing.T) {
	_, problems := ForInstance(load(t, instances), "scuot", environment(), Flags{})
	if len(problems) != 1 || problems[0].Code != diag.InstanceUnknown || problems[0].Status() != diag.StatusConfig ||
		!strings.Contains(problems[0].Message, `did you mean "scout"?`) {
		t.Errorf("%+v", problems)
	}
}

// Only JustNews' orchestrator knows agents: elsewhere every model counts.
func TestForInstance_ScopeOwnNeedsAServerWithAgents(t *testing.T) {
	cfg := load(t, "[gate]\nscope = \"own\"\n[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[instances.scout]\n")
	if w, _ := ForInstance(cfg, "scout", environment(), Flags{}); w.OnlyAgent != "scout" {
		t.Errorf("%q", w.OnlyAgent)
	}
	cfg.Orchestrator.Kind = "vllm" // which config refuses together with the scope
	if w, _ := ForInstance(cfg, "scout", environment(), Flags{}); w.OnlyAgent != "" {
		t.Errorf("of another kind: %q", w.OnlyAgent)
	}
}

// An invalid URL may have a password in it.
func TestPrecedence_PasswordIsNotShown(t *testing.T) {
	cfg := load(t, instances)
	for value, want := range map[string]string{
		"http://u:hunter2@h:1": `"http://***@h:1"`, "u:hunter2@h:1": `"***@h:1"`, "http://@h:1": `"http://***@h:1"`, "http://u:hunter2@@h:1": `"http://***@h:1"`,
		"@h": `"***@h"`, "h:x": `"h:x"`,
	} {
		_, problems := ForInstance(cfg, "scout", environment("MCP_BUS_URL="+value), Flags{})
		if len(problems) != 1 || problems[0].Seen != want || strings.Contains(fmt.Sprint(problems), "hunter2") {
			t.Errorf("%s: %+v", value, problems)
		}
	}
}

func TestPrecedence_OnlyWhatDiffersIsAnOverride(t *testing.T) {
	cfg := load(t, instances)
	for value, want := range map[string]int{"/opt/justnews/models": 0, "/opt/justnews/models/": 0, "/srv": 1, "": 0} {
		w, _ := ForInstance(cfg, "scout", environment("MODEL_STORE_ROOT="+value), Flags{})
		if len(w.Overrides) != want || want > 0 && w.Overrides[0] != (Override{"MODEL_STORE_ROOT", "/srv", "/opt/justnews/models"}) {
			t.Errorf("%q: %+v", value, w.Overrides)
		}
	}
}

func TestPrecedence_InvalidVariableIsCorrectedWhereItMayBeSet(t *testing.T) {
	cfg := load(t, instances)
	_, own := ForInstance(cfg, "scout", environment("REQUIRE_BUS=x"), Flags{})
	_, host := ForHost(cfg, environment("REQUIRE_BUS=x"), Flags{})
	if !strings.Contains(own[0].Fix.String(), "/etc/justnews/scout.env or a drop-in of justnews@scout.service") || !strings.Contains(host[0].Fix.String(), "correct REQUIRE_BUS in the environment") {
		t.Errorf("%s\n%s", own[0].Fix, host[0].Fix)
	}
}

func TestUnknownInstance_SuggestsKnownNames(t *testing.T) {
	guarded := "[guards.client]\nunit = \"client.service\"\n"
	for name, c := range map[string]struct{ toml, name, message, expected, fix string }{
		"nothing near":           {instances, "zzz", "the configuration lists no such instance", "one of gpu_orchestrator, mcp_bus, scout", "add the table [instances.zzz]"},
		"a near one":             {instances, "scot", `did you mean "scout"?`, "one of gpu_orchestrator, mcp_bus, scout", "name the instance scout, or add [instances.scot]"},
		"a near one, no name":    {instances, "Scout", `did you mean "scout"?`, "one of ", "name the instance scout"},
		"no name":                {instances, "ZZZ", "no such instance", "one of ", "name an instance that is listed"},
		"no instances":           {"[bus]\ninstance = \"\"\n[orchestrator]\ninstance = \"\"\n" + guarded, "zzz", "no such instance", "an [instances.NAME] table", "add the table"},
		"a guard":                {instances + guarded, "client", "not an instance, but a guard", "client.service", "name its unit, client.service"},
		"another than the guard": {instances + guarded, "zzz", "no such instance", "one of ", "add the table"},
	} {
		p := UnknownInstance(load(t, c.toml), c.name)
		fix := p.Fix.String()
		if !strings.Contains(p.Message, c.message) || !strings.HasPrefix(p.Expected, c.expected) || !strings.HasPrefix(fix, c.fix) {
			t.Errorf("%s: %+v\n%s", name, p, fix)
		}
		if strings.HasPrefix(c.fix, "name the instance scout") && strings.Contains(fix, "[instances.Scout]") {
			t.Errorf("%s: no table can have that name: %s", name, fix)
		}
	}
}
