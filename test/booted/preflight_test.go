// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/test/bed"
)

// found is one finding of a preflight.
type found struct {
	Code, Severity, Subject, Message, Seen, Expected string
	Fix                                              diag.Fix
	Position                                         struct {
		File string
		Line int
	}
}

// preflight runs the full validation as root and returns its exit status and findings,
// without those that are due to the test bed: a busy host's disk, no GPU in a container.
func (s *site) preflight(args ...string) (int, []found) {
	s.t.Helper()
	r := s.Run(append([]string{"justnews-gate", "--json", "preflight", "--timeout", "20"}, args...)...)
	var summary struct {
		Elapsed  float64 `json:"elapsed_s"`
		Problems []found
	}
	if err := json.Unmarshal([]byte(r.Stdout), &summary); err != nil {
		s.t.Fatalf("preflight: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	s.t.Logf("a preflight took %.3f s", summary.Elapsed)
	var all []found
	for _, f := range summary.Problems {
		if !strings.HasPrefix(f.Code, "GPU-") && f.Code != "SWAP-NONE" {
			all = append(all, f)
		}
	}
	return r.Code, all
}

// has reports whether there is a finding with that code whose text contains
// text.
func has(all []found, code, text string) bool {
	for _, f := range all {
		if f.Code == code && strings.Contains(f.String(), text) {
			return true
		}
	}
	return false
}

// String is what has looks at.
func (f found) String() string {
	return fmt.Sprintf("%s: %s: %s:%d: %s: %s (%s; expected %s) [%s]", f.Code, f.Severity, f.Position.File, f.Position.Line, f.Subject, f.Message, f.Seen, f.Expected, f.Fix)
}

// pasteFinding runs the command of a finding's hint.
func (s *site) pasteFinding(all []found, code string) {
	s.t.Helper()
	for _, f := range all {
		if f.Code != code {
			continue
		}
		command := strings.Join(diag.Lines(f.Fix.Commands), "\n")
		if r := s.Sh(command); r.Err != nil {
			s.t.Fatalf("the hint fails: %s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
		}
		return
	}
	s.t.Fatalf("there is no %s to paste: %+v", code, all)
}

// damage is one change to a host, and the finding that it causes.
type damage struct {
	file, text string
	code, has  string
}

const (
	etcUnits = "/etc/systemd/system/"
	etcEnv   = "/etc/justnews/"
)

// damages are undone by removing their files. Those in units take effect once systemd has
// read them.
var damages = []damage{
	{dropIn("scout", "10-preflight-gating.conf"), "[Service]\nExecStartPre=/bin/echo preflight.sh --gate-only %i\n", "GATE-DOUBLE", "10-preflight-gating.conf"},
	{dropIn("memory", "90-root.conf"), "[Service]\nUser=root\n", "USER-OTHER", "90-root.conf"},
	{"/run/systemd/system/" + unit("critic") + ".d/override.conf", "[Service]\nExecStartPre=\n", "UNGATED", "systemctl revert -- " + unit("critic")},
	{dropIn("analyst", "90-success.conf"), "[Service]\nSuccessExitStatus=SIGKILL 75\n", "UNIT-OPENED", "signals [9], set in " + dropIn("analyst", "90-success.conf")},
	{dropIn("archive", "90-limit.conf"), "[Unit]\nStartLimitIntervalSec=10\n", "START-LIMIT", "90-limit.conf"},
	{dropIn("dashboard", "90-timeout.conf"), "[Service]\nTimeoutStartSec=10\n", "TIMEOUT-CONFLICT", unit("dashboard")},
	{dropIn("crawler", "60-justnews-instance.conf"), "[Service]\nNice=1\n", "DROPIN-MASKS", "crawler"},
	{dropIn("reasoning", "90-open.conf"), "[Service]\nNice=1\nExecStartPost=/bin/sh -c 'x\nUser=root\n", "DROPIN-BROKEN", "the rest of the file"},
	{dropIn("newsreader", "90-home.conf"), "[Service]\nWorkingDirectory=/home/adra/agent\n", "HOME-HIDDEN", "ProtectHome=yes"},
	{dropIn("critic", "90-hide.conf"), "[Service]\nInaccessiblePaths=/opt/justnews\n", "STORE-ROOT", "InaccessiblePaths=/opt/justnews"},
	{dropIn("memory", "91-unix.conf"), "[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX\n", "ORCHESTRATOR-UNREACHABLE", "RestrictAddressFamilies=AF_UNIX"},
	{dropIn("analytics", "90-files.conf"), "[Service]\nLimitNOFILE=1024\n", "LIMIT-NOFILE", "90-files.conf"},
	{dropIn("synthesizer", "90-exec.conf"), "[Service]\nExecStart=\nExecStart=/opt/none/agent %i\n", "SERVICE-PATH", "/opt/none: does not exist"},
	{dropIn("analytics", "91-user.conf"), "[Service]\nUser=nosuch\n", "USER-UNKNOWN", `there is no user "nosuch"`},
	{dropIn("archive", "91-restart.conf"), "[Service]\nRestart=no\nRemainAfterExit=yes\n", "UNIT-SUPERVISION", "Restart=no, set in " + dropIn("archive", "91-restart.conf")},
	{dropIn("dashboard", "91-prevent.conf"), "[Service]\nRestartPreventExitStatus=78 SIGTERM\n", "UNIT-SUPERVISION", "RestartPreventExitStatus=[78], set in"},
	{dropIn(orchestrator, "90-bind.conf"), "[Service]\nBindReadOnlyPaths=/srv:/opt/justnews\n", "STORE-ROOT", modelRoot + " is /srv/models for the unit"},
	{etcEnv + "justnews.toml.d/10.conf", "[gate]\n", "CONFIG-IGNORED", "10.conf"},
	{etcUnits + unit("fact_checker"), "[Service]\nExecStart=/bin/sleep infinity\n", "UNIT-SHADOWED", unit("fact_checker")},
	{etcUnits + "justnews@.service.d/05-gate-timeout.conf", "[Service]\nEnvironment=GATE_TIMEOUT=60\n", "DROPIN-LEFTOVER", "gate.timeout"},
	{etcEnv + "chief_editor.env", "TRITON_CACHE_DIR=/srv/triton\n", "CACHE-READONLY", "ProtectSystem=strict"},
	{etcEnv + "hitl_service.env", "X=${CANONICAL_ENV:-y}\n", "ENV-DIFFERS", "hitl_service.env:1"},
	{etcEnv + "crawler_control.env", "A='x\n", "ENV-SYNTAX", "crawler_control.env:1"},
	{etcEnv + "critic.env", "PYTHON_BIN=/opt/none/bin/python\n", "ENV-INTERPRETER", "/opt/none: does not exist"},
	{etcEnv + "memory.env", "DATABASE_URL=postgresql://u:hunter2@127.0.0.1:5432/d\n", "DATABASE-DOWN", "127.0.0.1:5432"},
}

// One boot, one change to the host after the other: each is found, and once all are undone
// the host is clean again.
func TestPreflight_FindsWhatIsDoneToAHost(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=\nREFERENCE_BUS_URL=http://127.0.0.1:8000\n")
		}})
		s.everythingUp(0)
		s.unregistered()
		s.clean("after its boot")

		s.damaged()
		s.clean("after all is undone")
		s.unlisted()
		s.clean("after an instance was stopped that is not listed")
		s.looping()
		s.unreloaded()
		s.withoutGenerator()
		s.clean("after its generator came back")
		s.unprivileged()
		s.stopped()
	})
}

func (s *site) clean(when string) {
	s.t.Helper()
	if status, all := s.preflight(); status != 0 {
		s.t.Fatalf("a clean host, %s: status %d: %+v", when, status, all)
	}
}

// finds expects this finding, and the exit status of the worst one.
func (s *site) finds(status int, code, text string) []found {
	s.t.Helper()
	got, all := s.preflight()
	if got != status || !has(all, code, text) {
		s.t.Errorf("status %d, want %d and %s with %q:\n%v", got, status, code, text, all)
	}
	return all
}

// unregistered: the orchestrator was up before the bus, and has given up registering with
// it.
func (s *site) unregistered() {
	s.pasteFinding(s.finds(2, "BUS-UNREGISTERED", orchestrator), "BUS-UNREGISTERED")
	s.everythingUp(0)
}

func (s *site) damaged() {
	for _, d := range damages {
		s.WriteFile(d.file, d.text)
	}
	s.finds(1, "NEED-RELOAD", "scout")
	// An interpreter that the start script does not read is no finding.
	s.must("sed -i '2i : \"${PYTHON_BIN:-}\" \"${CANONICAL_ENV:-}\" \"${CONDA_ENV:-}\"' " + starter)
	s.Systemctl("disable", "justnews.target")
	s.Systemctl("daemon-reload")
	status, all := s.preflight()
	for _, d := range damages {
		if !has(all, d.code, d.has) {
			s.t.Errorf("%s is not found: no %s with %q", d.file, d.code, d.has)
		}
	}
	if status != 1 || !has(all, "UNIT-DISABLED", "systemctl enable -- justnews.target") {
		s.t.Errorf("status %d: %+v", status, all)
	}
	if strings.Contains(fmt.Sprint(all), "hunter2") {
		s.t.Error("a password is shown")
	}
	if s.t.Failed() {
		s.t.Logf("%+v", all)
	}
	for _, d := range damages {
		s.Remove(d.file)
	}
	s.Systemctl("enable", "justnews.target")
	s.Systemctl("daemon-reload")
	// Running processes are not affected; nothing of it is left in the units.
}

// unlisted: a misspelt instance was started by hand, and is tried again for ever.
func (s *site) unlisted() {
	name := unit("scuot")
	s.Systemctl("start", "--no-block", name)
	s.waitRefused(name)
	if r := s.Run("justnews-gate", "status"); r.Code != 0 || !strings.Contains(r.Stdout, "warning: INSTANCE-UNKNOWN: "+name) {
		s.t.Errorf("status %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	s.pasteFinding(s.finds(2, "INSTANCE-UNKNOWN", name), "INSTANCE-UNKNOWN")
}

// looping: a program that exits at once, and a start limit set by the administrator.
func (s *site) looping() {
	file := dropIn("hitl_service", "90-loop.conf")
	s.WriteFile(file, "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=500\n[Service]\nRestart=always\nExecStart=\nExecStart=/bin/false\n")
	s.Systemctl("daemon-reload")
	_ = s.Run("systemctl", "restart", "--no-block", unit("hitl_service"))
	s.WaitFor("a few restarts", bed.Patience, func() bool { return s.Unit(unit("hitl_service")).NRestarts >= 5 })
	// It is up for a moment between two restarts.
	s.WaitFor("a preflight that finds the loop", bed.Patience, func() bool {
		status, all := s.preflight()
		return status == 1 && has(all, "RESTART-LOOP", unit("hitl_service")) && has(all, "START-LIMIT", "90-loop.conf")
	})
	s.Remove(file)
	s.Systemctl("daemon-reload")
	s.Systemctl("restart", unit("hitl_service"))
}

// unreloaded: first the file is newer than systemd's state; then it was broken at the last
// reload, and a gate that refused reported that in the journal.
func (s *site) unreloaded() {
	s.WriteFile(configFile, strings.Replace(config("60s"), "timeout = \"60s\"", "timeout = \"70s\"", 1))
	s.finds(2, "UNIT-STALE", "and also")
	s.WriteFile(configFile, strings.Replace(config("60s"), "timeout =", "timeot =", 1))
	s.Systemctl("daemon-reload")
	_ = s.Run("systemctl", "restart", unit("scout"))
	s.waitRefused(unit("scout"))
	s.carriesItsMessageID("scout", diag.ConfigUnknownKey)
	s.WriteFile(configFile, config("60s"))
	s.finds(1, "UNIT-UNMARKED", "and also")
	s.Systemctl("daemon-reload")
	s.Systemctl("reset-failed", "justnews*")
	s.Systemctl("start", target)
}

// withoutGenerator: the generator is masked, and only the packaged gate is left.
func (s *site) withoutGenerator() {
	s.Symlink("/dev/null", "/etc/systemd/system-generators/justnews-generator")
	s.Systemctl("daemon-reload")
	s.finds(1, "GENERATOR-ABSENT", "justnews-generator")
	s.Remove("/etc/systemd/system-generators/justnews-generator")
	s.Systemctl("daemon-reload")
	s.WaitUnits("active/running", units(agents()...)...) // what was refused meanwhile is tried again
}

// carriesItsMessageID looks for the journal's entry of a refusal.
func (s *site) carriesItsMessageID(instance string, code diag.Code) {
	s.t.Helper()
	s.WaitFor("the entry of "+string(code), bed.Patience, func() bool {
		out := s.Must("journalctl", "--no-pager", "--quiet", "--boot", "--output=json", "--unit="+unit(instance), "MESSAGE_ID="+code.MessageID())
		for line := range strings.Lines(out) {
			var fields struct {
				Code     diag.Code `json:"JUSTNEWS_CODE"`
				Instance string    `json:"JUSTNEWS_INSTANCE"`
				Priority string    `json:"PRIORITY"`
			}
			if json.Unmarshal([]byte(line), &fields) == nil && fields.Code == code && fields.Instance == instance && fields.Priority == "3" {
				return true
			}
		}
		return false
	})
}

// unprivileged: a user other than root is told what could not be checked.
func (s *site) unprivileged() {
	s.WriteFile(etcEnv+"scout.env", "A=1\n", 0o600)
	r := s.Run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "justnews-gate", "preflight", "--timeout", "20")
	if r.Code != 0 || !strings.Contains(r.Stderr, "notice: UNCHECKED: ") || !strings.Contains(r.Stderr, etcEnv+"scout.env") {
		s.t.Errorf("as nobody: status %d\n%s", r.Code, r.Stderr)
	}
	s.Remove(etcEnv + "scout.env")

	// In a separate unit, like the packaged one: paths hidden by the sandbox are not
	// reported as missing.
	argv := []string{"systemd-run", "--wait", "--pipe", "--quiet"}
	for _, p := range []string{
		"User=justnews", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "ProtectProc=invisible", "NoNewPrivileges=yes",
		"CapabilityBoundingSet=", "CacheDirectory=justnews/preflight", "ReadWritePaths=/run/justnews-gate",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK", "SystemCallFilter=@system-service", "SystemCallErrorNumber=EPERM",
	} {
		argv = append(argv, "-p", p)
	}
	r = s.Run(append(argv, "justnews-gate", "preflight", "--timeout", "20")...)
	if r.Code != 0 || !strings.Contains(r.Stderr, "paths such as /var/cache/justnews/analyst as the user justnews (the sandbox of this run hides it)") {
		s.t.Errorf("in a unit: status %d\n%s", r.Code, r.Stderr)
	}
}

// stopped: the ports are freed by stopping our units; another program is reported and
// keeps running.
func (s *site) stopped() {
	s.Systemctl("stop", unit("scout"))
	s.Must("systemd-run", "--unit=stranger", "/usr/local/bin/justnews-reference", "bus", "--address", "127.0.0.1:8002")
	s.WaitFor("the other program", bed.Patience, func() bool { _, all := s.preflight(); return has(all, "PORT-TAKEN", "of stranger.service") })
	status, all := s.preflight("--stop")
	if status != 1 || !has(all, "PORT-FREED", unit("mcp_bus")) || !has(all, "PORT-FREED", unit(orchestrator)) || !has(all, "PORT-TAKEN", "nothing was stopped") {
		s.t.Errorf("--stop: status %d: %+v", status, all)
	}
	if has(all, "ORCHESTRATOR-UNREACHABLE", "") || has(all, "BUS-UNREACHABLE", "") {
		s.t.Errorf("--stop waits for what it stopped: %+v", all)
	}
	s.WaitUnits("inactive", unit("mcp_bus"), unit(orchestrator))
	s.WaitUnit("stranger.service", "active/running")
}
