// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/test/bed"
)

const (
	mpsUnit   = "justnews-mps.service"
	pipeDir   = "/run/nvidia-mps"
	control   = "/usr/bin/nvidia-cuda-mps-control"
	busPolicy = "/usr/share/dbus-1/system.d/org.justnews.MPS1.conf"
)

// mpsConfig lists instances with MPS, without models or a bus to wait for: only MPS is
// tested here. mps is added to [mps].
func mpsConfig(mps string, instances ...string) string {
	var b strings.Builder
	b.WriteString("[gate]\ntimeout = \"20s\"\n\n[orchestrator]\ninstance = \"\"\n\n[bus]\ninstance = \"\"\n\n")
	b.WriteString("[mps]\nenabled = true\n" + mps + "\n\n[service]\nstart_grace = \"20s\"\n\n")
	for i, name := range instances {
		fmt.Fprintf(&b, "[instances.%s]\nport = %d\nrequire_models = false\nrequire_bus = false\n\n", name, 8101+i)
	}
	return b.String()
}

// bootMPS boots a host with NVIDIA's control daemon. No instance waits for the preload,
// since there is no orchestrator.
func bootMPS(t testing.TB, suite, config string, change func(*bed.Tree)) *site {
	t.Helper()
	return boot(t, suite, host{config: config, change: func(tree *bed.Tree) {
		tree.Unpack("non-free", "nvidia-cuda-mps")
		fakeDriver(t, tree) // MPS needs a GPU, and its daemon none
		tree.Symlink("/dev/null", "/etc/systemd/system/"+preload)
		for _, limited := range []string{"justnews@.service", mpsUnit} {
			tree.WriteFile("/etc/systemd/system/"+limited+".d/96-no-limit.conf", noLimit)
		}
		if change != nil {
			change(tree)
		}
	}})
}

func seventeen() []string { return slices.Sorted(maps.Keys(ports)) }

// verdict is the JSON output of a manual gate run.
type verdict struct {
	Status int `json:"status"`
	MPS    *struct {
		Required, Reached string
		Started           bool
		Daemon            int
	} `json:"mps"`
	Problems []finding `json:"problems"`
}

type finding struct {
	Code, Severity, Subject, Message, Seen, Expected string
	Fix                                              diag.Fix
}

// gateBy runs the gate of scout as a user, as an operator would.
func (s *site) gateBy(user string, args ...string) verdict {
	s.t.Helper()
	r := s.Run(append([]string{"runuser", "-u", user, "--", "justnews-gate", "--json", "gate", "scout"}, args...)...)
	var v verdict
	if err := json.Unmarshal([]byte(r.Stdout), &v); err != nil {
		s.t.Fatalf("the gate's JSON: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	if v.Status != r.Code {
		s.t.Errorf("exit status %d, the record says %d", r.Code, v.Status)
	}
	return v
}

// refusedWith fails unless the gate refused with one error of that code, whose
// evidence has every text, and returns the fix.
func (v verdict) refusedWith(t testing.TB, status int, code string, seen ...string) string {
	t.Helper()
	for _, p := range v.Problems {
		if p.Severity != "error" {
			continue
		}
		if p.Code != code || v.Status != status {
			t.Fatalf("exit status %d, %s: %s (seen: %s); want %d, %s", v.Status, p.Code, p.Message, p.Seen, status, code)
		}
		for _, text := range seen {
			if !strings.Contains(p.Message+p.Seen+p.Expected+p.Fix.String(), text) {
				t.Errorf("%s: %q is not in %q", code, text, p.Message+"; seen: "+p.Seen+"; fix: "+p.Fix.String())
			}
		}
		return strings.Join(diag.Lines(p.Fix.Commands), "\n")
	}
	t.Fatalf("exit status %d without an error, want %d, %s: %+v", v.Status, status, code, v)
	return ""
}

func (v verdict) passed(t testing.TB, when string) {
	t.Helper()
	if v.Status != 0 {
		t.Fatalf("%s: exit status %d: %+v", when, v.Status, v.Problems)
	}
}

// follow runs a printed fix as root, as it was printed; advice to follow before is the part
// that ends with ", then: ".
func (s *site) follow(fix string) {
	s.t.Helper()
	if _, command, found := strings.Cut(fix, ", then: "); found {
		fix = command
	}
	if r := s.Sh(fix); r.Err != nil {
		s.t.Fatalf("the printed fix fails: %s: %v\n%s%s", fix, r.Err, r.Stdout, r.Stderr)
	}
}

// fixes follows a fix and fails unless the gate then passes.
func (s *site) fixes(t testing.TB, fix string) {
	t.Helper()
	s.follow(fix)
	s.gateBy("justnews").passed(t, "after: "+fix)
}

func TestMPS_SeventeenInstancesStartBehindOneProvenDaemon(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootMPS(t, suite, mpsConfig("", seventeen()...), nil)
		s.WaitUnits("active/running", units(seventeen()...)...)
		daemon := s.WaitUnit(mpsUnit, "active/running")
		for _, u := range s.Units(units(seventeen()...)...) {
			if u.ExecMainStart < daemon.ActiveEnter {
				t.Errorf("%s was started before the daemon was verified", u.Name)
			}
		}
		for _, name := range seventeen() {
			s.WaitJournal(unit(name), name+" may start: MPS control verified")
		}
		s.WaitJournal(mpsUnit, "mps wait passed: MPS control verified")
		if u := s.Unit(mpsUnit); u.NRestarts != 0 {
			t.Errorf("%v: it was restarted", u)
		}
		// A clean stop: the daemon quits and the unit has not failed.
		s.Systemctl("stop", mpsUnit)
		s.WaitUnit(mpsUnit, "inactive/dead")
		s.WaitJournal(mpsUnit, "Cmd:quit")
		if s.Exists(pipeDir) {
			t.Error("the pipe directory is left behind")
		}
	})
}

// Every way in which MPS can be broken, one after the other on one host: each is
// distinguished from all others, and the printed commands fix it.
func TestMPS_EachFaultIsReportedAndFixed(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := bootMPS(t, suite, mpsConfig("", "memory", "scout"), func(tree *bed.Tree) {
			tree.WriteFile("/root/hand.toml", mpsConfig("unit = \"\"\n", "memory", "scout"))
			tree.Chmod("/root", 0o755)
			tree.Run("useradd", "--no-create-home", "site")
		})
		s.WaitUnits("active/running", units("memory", "scout")...)
		for _, fault := range mpsFaults {
			t.Run(fault.name, func(t *testing.T) {
				sub := &site{Machine: s.Machine, t: t}
				sub.gateBy("justnews").passed(t, "before")
				fault.run(t, sub)
				sub.gateBy("justnews").passed(t, "afterwards")
			})
		}
	})
}

var mpsFaults = []struct {
	name string
	run  func(t *testing.T, s *site)
}{
	{"killed, and started again by systemd", func(t *testing.T, s *site) {
		before := s.Unit(mpsUnit).MainPID
		s.Systemctl("kill", "--signal=KILL", mpsUnit)
		s.gateBy("justnews").passed(t, "killed")
		if after := s.Unit(mpsUnit); after.MainPID == before {
			t.Errorf("%v: still the same process", after)
		}
	}},
	{"stopped by a signal", func(t *testing.T, s *site) {
		s.Systemctl("kill", "--signal=STOP", mpsUnit)
		s.fixes(t, s.gateBy("justnews").refusedWith(t, 71, "MPS-WEDGED", "state T", mpsUnit))
	}},
	{"pipe directory deleted", func(t *testing.T, s *site) {
		s.Remove(pipeDir)
		s.fixes(t, s.gateBy("justnews").refusedWith(t, 71, "MPS-SPLIT", pipeDir))
	}},
	{"control socket deleted", func(t *testing.T, s *site) {
		s.Remove(pipeDir + "/control")
		s.fixes(t, s.gateBy("justnews").refusedWith(t, 71, "MPS-SPLIT", "no control socket"))
	}},
	{"second daemon in the pipe directory", func(t *testing.T, s *site) {
		s.Remove(pipeDir)
		s.Must("install", "-d", "-o", "justnews", pipeDir)
		s.Must("runuser", "-u", "justnews", "--", "env", "CUDA_MPS_PIPE_DIRECTORY="+pipeDir, "CUDA_MPS_LOG_DIRECTORY=/tmp", control, "-d")
		s.fixes(t, s.gateBy("justnews").refusedWith(t, 71, "MPS-SPLIT", "2 daemons"))
	}},
	{"stray daemon before the unit's", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		s.Must("install", "-d", "-o", "justnews", pipeDir)
		s.Must("runuser", "-u", "justnews", "--", "env", "CUDA_MPS_PIPE_DIRECTORY="+pipeDir, "CUDA_MPS_LOG_DIRECTORY=/tmp", control, "-d")
		fix := s.gateBy("justnews", "--timeout", "3").refusedWith(t, 71, "MPS-UNIT")
		s.WaitJournal(mpsUnit, "MPS-STRAY", "An instance of this daemon is already running")
		s.killDaemons()
		s.fixes(t, fix)
	}},
	{"open console", func(t *testing.T, s *site) {
		s.Must("systemd-run", "--uid=justnews", "--setenv=CUDA_MPS_PIPE_DIRECTORY="+pipeDir, "--unit=console",
			"sh", "-c", "sleep 600 | "+control)
		var v verdict
		s.WaitFor("a gate that meets the open console", bed.Patience, func() bool {
			v = s.gateBy("justnews", "--timeout", "3")
			return v.Status != 0 // until then the console was not connected yet
		})
		s.fixes(t, v.refusedWith(t, 71, "MPS-BUSY", "console", "PID"))
		s.Sh("systemctl stop console")
	}},
	{"pipe directory closed", func(t *testing.T, s *site) {
		s.Must("chown", "root:root", pipeDir)
		s.Chmod(pipeDir, 0o700)
		fix := s.gateBy("justnews").refusedWith(t, 71, "MPS-DIRECTORY", pipeDir, "0700")
		s.fixes(t, fix)
		s.Must("chown", "justnews:justnews", pipeDir)
	}},
	{"daemon of another user", func(t *testing.T, s *site) {
		s.WriteFile("/run/systemd/system/"+mpsUnit+".d/70-user.conf", "[Service]\nUser=site\nGroup=site\n")
		s.Systemctl("daemon-reload")
		s.Systemctl("restart", mpsUnit)
		fix := s.gateBy("justnews").refusedWith(t, 71, "MPS-USER", "UID")
		s.Remove("/run/systemd/system/" + mpsUnit + ".d/70-user.conf")
		s.fixes(t, fix)
	}},
	{"unit masked", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		s.Systemctl("mask", "--runtime", mpsUnit)
		fix := s.gateBy("justnews").refusedWith(t, 71, "MPS-UNIT", "masked")
		s.Systemctl("unmask", "--runtime", mpsUnit) // the hint says unmask, which removes a link in /etc
		s.fixes(t, fix)
	}},
	{"not installed: the condition does not hold", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		s.Must("mv", control, "/root/away")
		fix := s.gateBy("justnews").refusedWith(t, 71, "MPS-MISSING", "ConditionPathExists="+control)
		s.Must("mv", "/root/away", control)
		s.fixes(t, fix)
	}},
	{"an administrator's start limit is hit", func(t *testing.T, s *site) {
		s.WriteFile("/run/systemd/system/"+mpsUnit+".d/97-limit.conf",
			"[Unit]\nStartLimitIntervalSec=60s\nStartLimitBurst=2\n[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=100ms\n")
		s.Systemctl("daemon-reload")
		s.Run("systemctl", "restart", mpsUnit)
		s.WaitUnit(mpsUnit, "failed")
		fix := s.gateBy("justnews").refusedWith(t, 71, "MPS-UNIT", "failed")
		s.Remove("/run/systemd/system/" + mpsUnit + ".d/97-limit.conf")
		s.Systemctl("daemon-reload")
		s.fixes(t, fix)
	}},
	{"not running: the gate starts it, as the agents' user", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		v := s.gateBy("justnews")
		v.passed(t, "stopped")
		if v.MPS == nil || !v.MPS.Started || v.MPS.Reached != "control" || v.MPS.Daemon == 0 {
			t.Errorf("%+v", v.MPS)
		}
	}},
	{"not running, and the caller may not start it", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		fix := s.gateBy("site").refusedWith(t, 77, "MPS-DENIED", "sudo justnews-gate mps start")
		s.Must("sh", "-c", strings.TrimPrefix(fix, "sudo ")) // the machine has no sudo
		s.gateBy("site").passed(t, "started by root")
		s.Systemctl("stop", mpsUnit)
		s.Must("usermod", "-aG", "justnews", "site")
		s.gateBy("site").passed(t, "as a member of the group")
		s.Must("gpasswd", "--delete", "site", "justnews")
	}},
	{"not running, and the D-Bus service is missing", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		policy := s.ReadFile(busPolicy)
		s.Remove(busPolicy)
		s.Systemctl("reload", "dbus.service")
		s.gateBy("justnews").refusedWith(t, 77, "MPS-DENIED", "org.justnews.MPS1")
		s.WriteFile(busPolicy, policy)
		s.Systemctl("reload", "dbus.service")
	}},
	{"its unit waits for the instance", func(_ *testing.T, s *site) {
		s.Systemctl("stop", unit("scout"), mpsUnit)
		s.WriteFile("/run/systemd/system/"+mpsUnit+".d/70-order.conf", "[Unit]\nAfter="+unit("scout")+"\n")
		// With the instance's own order that is a cycle: systemd breaks it by dropping
		// the job of MPS, and leaves it to the gate.
		s.WriteFile("/run/systemd/system/justnews@.service.d/96-once.conf", once)
		s.Systemctl("daemon-reload")
		s.Run("systemctl", "start", unit("scout"))
		s.WaitUnit(unit("scout"), "failed")
		s.WaitJournal(unit("scout"), "MPS-DEADLOCK", unit("scout")+" before "+mpsUnit, "exit status 78")
		s.Remove("/run/systemd/system/" + mpsUnit + ".d/70-order.conf")
		s.Systemctl("daemon-reload")
		// The same start without that order: the gate starts MPS from its sandbox.
		s.Systemctl("reset-failed")
		s.Systemctl("start", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")
		s.Remove("/run/systemd/system/justnews@.service.d/96-once.conf")
		s.Systemctl("daemon-reload")
	}},
	{"no unit, no daemon", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		fix := s.gateBy("justnews", "--config", "/root/hand.toml", "--timeout", "2").refusedWith(t, 71, "MPS-DEAD", pipeDir)
		if !strings.HasPrefix(fix, "env CUDA_MPS_PIPE_DIRECTORY="+pipeDir+" nvidia-cuda-mps-control -d") {
			t.Errorf("the fix is %q", fix)
		}
	}},
	{"no unit, and the runbook's daemon in its own directory", func(t *testing.T, s *site) {
		s.Systemctl("stop", mpsUnit)
		s.Must("env", "CUDA_MPS_LOG_DIRECTORY=/tmp", control, "-d")
		v := s.gateBy("justnews", "--config", "/root/hand.toml")
		fix := v.refusedWith(t, 71, "MPS-ELSEWHERE", "/tmp/nvidia-mps", `pipe_directory = "/tmp/nvidia-mps"`)
		// One of the commands: use that directory.
		s.WriteFile("/root/tmp.toml", strings.ReplaceAll(s.ReadFile("/root/hand.toml"), "unit = \"\"\n", "unit = \"\"\npipe_directory = \"/tmp/nvidia-mps\"\n"))
		s.Must("runuser", "-u", "justnews", "--", "justnews-gate", "--config", "/root/tmp.toml", "mps", "status")
		// With our daemon running as well, it is reported, but not a reason to refuse.
		s.Systemctl("start", mpsUnit)
		v = s.gateBy("justnews")
		v.passed(t, "with both daemons")
		if !slices.ContainsFunc(v.Problems, func(p finding) bool {
			return p.Code == "MPS-ELSEWHERE" && p.Severity == "warning"
		}) {
			t.Errorf("the second daemon is not reported: %+v", v.Problems)
		}
		// The other command: end it.
		command, _, _ := strings.Cut(fix, "; ")
		s.Must("sh", "-c", command)
	}},
}

// All gates of a host run at once, and no daemon is running: there is one start, and no
// gate fails because of the others.
func TestMPS_SeventeenGatesStartOneDaemon(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootMPS(t, suite, mpsConfig("", "memory", "scout"), nil)
		s.WaitUnits("active/running", units("memory", "scout")...)
		for round := range 3 {
			s.Systemctl("stop", mpsUnit)
			before := s.Unit(mpsUnit).InvocationID
			r := s.Sh(`for i in $(seq 17); do
				runuser -u justnews -- justnews-gate --json gate scout >/tmp/gate-$i.json 2>/tmp/gate-$i.err &
			done
			wait
			grep -L '"status": 0' /tmp/gate-*.json; grep -h -e error: -e refused: /tmp/gate-*.err`)
			if strings.TrimSpace(r.Stdout) != "" {
				t.Fatalf("round %d:\n%s", round, r.Stdout)
			}
			if u := s.Unit(mpsUnit); u.NRestarts != 0 || u.InvocationID == before {
				t.Errorf("round %d: %v", round, u)
			}
		}
	})
}

// The runbook's directory: PrivateTmp= hides it from units, and the drop-ins bind it back.
func TestMPS_PipeDirectoryInTmpWorksWithPrivateTmp(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootMPS(t, suite, mpsConfig("pipe_directory = \"/tmp/nvidia-mps\"\ndefault_memory = \"6G\"\ndefault_threads = 50\n", "memory", "scout"), nil)
		s.WaitUnits("active/running", units("memory", "scout")...)
		s.WaitJournal(unit("scout"), "scout may start: MPS control verified")

		// The defaults are set in the daemon, and changing them shuts the gate.
		ask := "| runuser -u justnews -- env CUDA_MPS_PIPE_DIRECTORY=/tmp/nvidia-mps " + control
		got := s.Must("sh", "-c", "echo get_default_device_pinned_mem_limit 0 "+ask+"; echo get_default_active_thread_percentage "+ask)
		if got != "6G\n50.0\n" {
			t.Errorf("the daemon has %q", got)
		}
		s.Must("sh", "-c", "echo set_default_device_pinned_mem_limit 0 8G "+ask)
		s.fixes(t, s.gateBy("justnews").refusedWith(t, 71, "MPS-LIMIT", "8G", "6G"))

		// Settings that would keep the program from MPS, or from its limits.
		for _, c := range []struct{ dropIn, code, seen string }{
			{"BindPaths=\n", "MPS-ENVIRONMENT", "PrivateTmp="},
			{"Environment=CUDA_MPS_PIPE_DIRECTORY=/run/other\n", "MPS-ENVIRONMENT", "than that of " + mpsUnit},
			{"UnsetEnvironment=CUDA_MPS_PIPE_DIRECTORY\nPrivateDevices=yes\n", "MPS-ENVIRONMENT", "PrivateDevices="},
			{"DeviceAllow=\n", "MPS-ENVIRONMENT", "DevicePolicy="},
			{"Environment=CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=100 CUDA_VISIBLE_DEVICES=1\n", "", "CUDA_VISIBLE_DEVICES=1"},
		} {
			s.WriteFile(dropIn("scout", "97-audit.conf"), "[Service]\nRestart=no\n"+c.dropIn)
			s.Systemctl("daemon-reload")
			r := s.Run("systemctl", "restart", unit("scout"))
			if c.code == "" { // only mentioned
				s.WaitJournal(unit("scout"), c.seen)
				continue
			}
			if r.Code == 0 {
				t.Errorf("%q: it started", c.dropIn)
			}
			s.WaitJournal(unit("scout"), c.code, c.seen)
		}
		s.Remove(dropIn("scout", "97-audit.conf"))
		s.Systemctl("daemon-reload")
		s.Systemctl("reset-failed")
		s.Systemctl("restart", unit("scout"))
		s.WaitUnit(unit("scout"), "active/running")
	})
}

// A server needs a GPU, which no test bed has: the daemon is verified, but the gate stays
// shut.
func TestMPS_WithoutAGPUNoServerIsProven(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := bootMPS(t, suite, mpsConfig("require = \"server\"\n", "memory", "scout"), nil)
		s.WaitJournal(mpsUnit, "MPS-SERVER", "exit status 71")
		s.gateBy("justnews", "--timeout", "2").refusedWith(t, 71, "MPS-UNIT")
		s.noneStarted("scout", "memory")
	})
}

// killDaemons kills every control daemon of the host.
func (s *site) killDaemons() {
	s.t.Helper()
	s.Must("sh", "-c", `for d in /proc/[0-9]*; do
		[ "$(readlink $d/exe)" = `+control+` ] && kill -KILL ${d#/proc/}
	done; true`)
}

func (s *site) noneStarted(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if u := s.Unit(unit(name)); u.ExecMainStart != 0 {
			s.t.Errorf("%v: its main process was started", u)
		}
	}
}
