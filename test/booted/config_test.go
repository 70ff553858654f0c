// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	cfg "justnews/internal/config"
	"justnews/test/bed"
)

var (
	services     = flag.Int("services", 15, "how many configurations TestConfig_AgentsGetWhatItSays draws")
	servicesSeed = flag.Uint64("services-seed", 1, "the seed of TestConfig_AgentsGetWhatItSays")
)

// The configuration is broken at boot: nothing starts, the message names line
// and column, and repair plus daemon-reload is enough: the target, which was
// started without an instance, is started again.
func TestConfig_BrokenConfigurationKeepsGatesShutUntilFixed(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(config("60s"), "timeout =", "timeot =", 1) // line 2, column 1
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: broken, change: func(tree *bed.Tree) {
			// The next try begins without the status of this one.
			tree.WriteFile(dropIn("scout", "97-slow.conf"), "[Service]\nRestartSec=5s\n")
		}})
		s.WaitIdle()
		if started := s.started(); len(started) > 0 {
			t.Errorf("%v started behind a broken configuration", started)
		}
		if r := s.Run("systemctl", "start", unit("scout")); r.Code == 0 {
			t.Error("systemctl start reports success behind a broken configuration")
		}
		u := s.refused("scout", 78)
		const where = configFile + ":2:1"
		s.WaitJournal(unit("scout"), where, "timeot")
		if !strings.Contains(u.StatusText, where) {
			t.Errorf("%v; the status has to name %s", u, where)
		}

		s.WriteFile(configFile, config("60s"))
		s.Systemctl("daemon-reload")
		repaired := bed.Monotonic()
		s.everythingUp(repaired)
	})
}

// An instance that the configuration no longer lists still has its gate, and so
// has one that it never listed.
func TestConfig_UnlistedInstanceIsGated(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(0)
		was := s.mainPIDs("scout")

		s.WriteFile(configFile, config("60s", "scout"))
		s.Systemctl("daemon-reload")
		s.untouched(was)
		_ = s.Run("systemctl", "restart", unit("scout"))
		if u := s.waitRefused(unit("scout")); u.PreStatus != 78 || u.MainPID != 0 {
			t.Errorf("%v; want a gate that exits 78", u)
		}

		_ = s.Run("systemctl", "start", unit("nosuch"))
		s.refused("nosuch", 78)
		if s.Exists(startedDir + "/started-nosuch") {
			t.Error("nosuch was started although no configuration lists it")
		}
	})
}

// Without the generator the packaged drop-in still gates every instance.
func TestConfig_WithoutGeneratorGatesStayShut(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: config("3s"), change: func(tree *bed.Tree) {
			tree.Remove("/usr/lib/systemd/system-generators/justnews-generator")
			// What the generator would have told the orchestrator.
			tree.WriteFile("/etc/justnews/global.env", "MODEL_STORE_ROOT="+modelRoot+"\nSTRICT_MODEL_STORE=1\n")
			tree.WriteFile(dropIn("scout", "90-once.conf"), once)
		}})
		s.WaitIdle()
		_ = s.Run("systemctl", "start", unit("scout"))
		u := s.waitRefused(unit("scout"))
		if u.PreStatus <= 0 || u.ExecMainStart != 0 {
			t.Errorf("%v; want a gate that refuses", u)
		}
		s.noAgentStarted()
	})
}

// A drop-in that empties ExecStartPre= opens one instance by hand: it starts,
// and status and preflight say that it is ungated.
func TestConfig_InstanceOpenedByHandIsReported(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(bed.Monotonic())
		if r := s.Run("justnews-gate", "status"); r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "UNGATED") {
			t.Errorf("before: status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		s.WriteFile("/run/systemd/system/justnews@scout.service.d/override.conf", "[Service]\nExecStartPre=\n")
		s.Systemctl("daemon-reload")
		for _, command := range []string{"status", "preflight"} {
			r := s.Run("justnews-gate", command)
			if r.Code == 0 || !strings.Contains(r.Stdout+r.Stderr, "UNGATED: justnews@scout.service") {
				t.Errorf("%s: exit status %d\n%s%s", command, r.Code, r.Stdout, r.Stderr)
			}
		}
	})
}

// drawText draws a string that the configuration accepts, of what has a meaning in a unit file,
// in a command line of systemd or in TOML.
func drawText(random *rand.Rand) string {
	pieces := []string{"a", "B", "7", " ", "  ", `"`, "'", `\\`, "$", "${X}", "$HOME", "$$", "%", "%i", "%%", "%n", "{instance}", "{", "}", ";", " ; ", "#", "&", "|", "<", ">", "(", "*", "?", "[", "~", "!", "@", ":", "+", "-",
		"--", "=", ",", ".", "/", "//", "é", "😀", "\u00a0", "\u2028", `\n`, `\x41`, `\u00e9`, `\'`, "`", "^", "X=1", "[Service]", "ExecStart=", strings.Repeat("long ", 300)}
	for {
		var text strings.Builder
		for range random.IntN(8) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		if cfg.ExecWord(text.String()) {
			return text.String()
		}
	}
}

// Whatever the words of a command and the values of variables are, systemd gives them to the
// agent as the configuration has them.
func TestConfig_AgentsGetWhatItSays(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootDumping(t, suite)
		random := rand.New(rand.NewPCG(*servicesSeed, 0))
		for i := range *services {
			exec := []string{"/usr/local/bin/dump"}
			args := ""
			for range 1 + random.IntN(5) {
				word := drawText(random)
				exec, args = append(exec, word), args+"<"+word+">"
			}
			text := "[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[service]\nuser = \"adra\"\ngroup = \"bin\"\nworking_directory = \"/srv\"\nexec = " + cfg.Literal(exec) + "\n"
			want := map[string]map[string]string{}
			for _, instance := range []string{"scout", "memory"} {
				own := map[string]string{}
				text += "[instances." + instance + ".environment]\n"
				for _, name := range []string{"FOO", "BAR", "_X9"}[:random.IntN(4)] {
					own[name] = drawText(random)
					text += name + " = " + cfg.Literal(own[name]) + "\n"
				}
				own["ARGS"] = strings.ReplaceAll(args, "{instance}", instance)
				own["USER_IS"], own["GROUP_IS"], own["CWD"] = "adra", "bin", "/srv"
				want[instance] = own
			}
			s.WriteFile(configFile, text)
			s.Must("justnews-gate", "config", "check")
			got := s.dumps()
			for instance, own := range want {
				for name, value := range own {
					if is, set := got[instance][name]; is != value || !set {
						t.Errorf("configuration %d of seed %d: %s of %s is %q, want %q\n%s", i, *servicesSeed, name, instance, is, value, text)
					}
				}
			}
		}
	})
}
