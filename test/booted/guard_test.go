// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"slices"
	"strings"
	"testing"

	"justnews/test/bed"
)

// client is a unit of another package, whose user has no rights in the toolkit.
const (
	client     = "model-client.service"
	clientFile = "/etc/systemd/system/" + client
	guardDir   = clientFile + ".d"
	clientUnit = "[Unit]\nDescription=Another program\nStartLimitIntervalSec=0\n" + // the test itself starts it often
		"[Service]\nUser=daemon\nExecStart=/bin/sleep infinity\nRestart=on-failure\nRestartSec=500ms\n" +
		"[Install]\nWantedBy=multi-user.target\n"
	clientGuard = "\n[guards.client]\nunit = \"" + client + "\"\n"
)

// few is a configuration with the orchestrator, the bus and one agent.
func few() string {
	return config("60s", slices.DeleteFunc(agents(), func(n string) bool { return n == "mcp_bus" || n == "scout" })...)
}

// A unit of another package is guarded from the first boot on. Once installed, its guard
// holds whatever happens to the generator, the configuration and the program. The unit
// comes up once the cause is gone, and uninstalling leaves nothing behind.
func TestGuard_AnyUnit(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		good := few() + clientGuard
		s := boot(t, suite, host{config: good, misbehave: "hold", change: func(tree *bed.Tree) {
			tree.WriteFile(clientFile, clientUnit)
			tree.Symlink("../"+client, "/etc/systemd/system/multi-user.target.wants/"+client)
		}})
		before := s.foreign()

		// At boot it waits for the models, in the queue or in its gate.
		s.waitHeld()
		if u := s.Unit(client); u.ExecMainStart != 0 {
			t.Errorf("%v: started before the models are ready", u)
		}
		flip := s.release()
		if u := s.WaitUnit(client, "active/running"); u.ExecMainStart < flip {
			t.Errorf("%v: started before the models were ready", u)
		}
		s.WaitUnits("active/running", units("mcp_bus", "scout")...) // else status is not 0
		if r := s.Run("justnews-gate", "preflight", "--timeout", "20"); !strings.Contains(r.Stdout+r.Stderr, "GUARD-VOLATILE: "+client) {
			t.Errorf("preflight does not say that the guard depends on the generator:\n%s%s", r.Stdout, r.Stderr)
		}

		s.Must("justnews-gate", "guard", "install")
		s.Systemctl("daemon-reload")
		if text := s.Systemctl("cat", client); !strings.Contains(text, guardDir+"/50-justnews-guard.conf\n") ||
			strings.Count(text, "\nExecStartPre=/usr/bin/justnews-gate --gate-only %n\n") != 1 ||
			strings.Contains(text, "generator/"+client+".d/50-") {
			t.Errorf("systemctl cat:\n%s", text)
		}
		if r := s.Run("justnews-gate", "preflight", "--timeout", "20"); strings.Contains(r.Stdout+r.Stderr, "GUARD-") {
			t.Errorf("preflight of an installed guard:\n%s%s", r.Stdout, r.Stderr)
		}
		s.Systemctl("restart", client)
		s.WaitUnit(client, "active/running")
		if r := s.Run("justnews-gate", "status"); !strings.Contains(r.Stdout, client) || r.Code != 0 {
			t.Errorf("status:\n%s%s", r.Stdout, r.Stderr)
		}

		refuse := func(when, text string) {
			t.Helper()
			began := bed.Monotonic()
			s.Systemctl("restart", "--no-block", client)
			s.WaitFor(text+" "+when, bed.Patience, func() bool { return strings.Contains(s.since(began, client), text) })
			s.WaitFor("a refusal "+when, bed.Patience, func() bool {
				u := s.Unit(client)
				return u.NRestarts > 0 || u.Is("failed") || strings.Contains(u.SubState, "auto-restart")
			})
			if u := s.Unit(client); u.ExecMainStart > began {
				t.Errorf("%s: started: %v", when, u)
			}
		}
		heal := func(when string) {
			t.Helper()
			s.Systemctl("daemon-reload")
			s.WaitUnit(client, "active/running")
			if t.Failed() {
				t.Fatal(when)
			}
		}

		// Without the orchestrator it waits, and starts when the models are loaded again.
		s.Systemctl("stop", unit(orchestrator))
		began := bed.Monotonic()
		s.Systemctl("restart", "--no-block", client)
		s.WaitFor("a gate that waits", bed.Patience, func() bool { return s.Unit(client).Is(starting) })
		s.Systemctl("start", "--no-block", unit(orchestrator))
		s.waitHeld()
		if u := s.Unit(client); u.ExecMainStart > began {
			t.Errorf("started without the models: %v", u)
		}
		flip = s.release()
		if u := s.WaitUnit(client, "active/running"); u.ExecMainStart < flip {
			t.Errorf("%v: started before the models were ready again", u)
		}

		s.Symlink("/dev/null", maskFile)
		s.Systemctl("daemon-reload")
		refuse("without the generator", "UNIT-UNMARKED")
		s.Remove(maskFile)
		heal("with the generator again")

		s.WriteFile(configFile, good+"[guards.client\n")
		s.Systemctl("daemon-reload")
		refuse("with a broken configuration", "CONFIG-SYNTAX")
		s.WriteFile(configFile, good)
		heal("with a good configuration again")

		s.WriteFile(configFile, good+"start_timeout = \"2min\"\n")
		refuse("edited, not reloaded", "UNIT-STALE")
		heal("edited, then reloaded")

		s.WriteFile(configFile, few())
		s.Systemctl("daemon-reload")
		refuse("without its table", "GUARD-UNKNOWN")
		s.WriteFile(configFile, good)
		heal("with its table again")

		// The unit's own environment has no effect.
		s.WriteFile(guardDir+"/70-environment.conf", "[Service]\nEnvironment=GATE_TIMEOUT=1 GPU_ORCHESTRATOR_URL=http://127.0.0.1:1 "+
			"SYSTEMD_EXEC_PID=1 DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/played HOME=/tmp NOTIFY_SOCKET=/tmp/none\n")
		s.Systemctl("daemon-reload")
		s.Systemctl("restart", client)
		s.WaitUnit(client, "active/running")
		s.Remove(guardDir + "/70-environment.conf")
		s.Systemctl("daemon-reload")

		s.must("mv /usr/bin/justnews-gate /usr/bin/justnews-gate.away")
		refuse("without the program", "203/EXEC")
		s.must("mv /usr/bin/justnews-gate.away /usr/bin/justnews-gate")
		heal("with the program again")

		s.Must("justnews-gate", "guard", "uninstall", "client")
		s.WriteFile(configFile, few())
		s.Systemctl("daemon-reload")
		if text := s.Systemctl("cat", client); strings.Contains(text, "justnews") {
			t.Errorf("after uninstalling:\n%s", text)
		}
		if after := s.foreign(); after != before {
			t.Errorf("files of the guard are left, or others changed:\n%s\nbefore:\n%s", after, before)
		}
		s.Systemctl("restart", client)
		s.WaitUnit(client, "active/running")
	})
}

// A unit whose user is unknown to D-Bus is refused, and starts if the operator makes the
// gate run as root.
func TestGuard_DynamicUser(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: few() + clientGuard + "timeout = \"5s\"\n", change: func(tree *bed.Tree) {
			tree.WriteFile(clientFile, strings.Replace(clientUnit, "User=daemon", "DynamicUser=yes", 1))
		}})
		s.WaitUnit(unit("scout"), "active/running")
		if r := s.Run("systemctl", "start", client); r.Code == 0 {
			t.Log("D-Bus knows the user of this unit")
		} else if said := s.since(0, client); !strings.Contains(said, "UNIT-UNMARKED") {
			t.Errorf("the refusal does not say why:\n%s", said)
		}
		s.Systemctl("stop", client)
		s.WriteFile(guardDir+"/50-justnews-guard.conf", "[Service]\nExecStartPre=+/usr/bin/justnews-gate --gate-only %n\n")
		s.Systemctl("daemon-reload")
		s.Systemctl("start", client)
		if u := s.WaitUnit(client, "active/running"); u.ExecMainStart == 0 {
			t.Errorf("%v", u)
		}
		if r := s.Run("justnews-gate", "status"); r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "UNGATED") {
			t.Errorf("status:\n%s%s", r.Stdout, r.Stderr)
		}
	})
}

// foreign lists the files that a guarded unit's gate could leave.
func (s *site) foreign() string {
	s.t.Helper()
	return s.Must("sh", "-c", "find /etc/systemd/system/*client* /etc/systemd/system/multi-user.target.wants /home /tmp /usr/sbin/.cache /var/cache/private -not -name 'systemd-private-*' -not -path '*/systemd-private-*' -not -name '.*-unix' 2>/dev/null | sort; true")
}

// A model server's own unit becomes active once it reports its models ready, and units
// ordered after it start then.
func TestGuard_ModelServerItself(t *testing.T) {
	t.Parallel()
	const (
		server = "model-server.service"
		file   = "/etc/systemd/system/" + server
		other  = "other-server.service"

		control = "/run/model-server/control"
	)
	serve := func(settings, arguments string) string {
		return "[Service]\nUser=daemon\nRestart=on-failure\nRestartSec=500ms\nTimeoutStartSec=5min\n" + settings +
			"ExecStart=/usr/local/bin/justnews-reference orchestrator --bus-url \"\" --root " + modelRoot + " --address 127.0.0.1:8014" + arguments + "\n"
	}
	bed.Each(t, func(t *testing.T, suite string) {
		good := "[gate]\ntimeout = \"30s\"\n[models]\nroot = \"" + modelRoot + "\"\nmap = \"" + modelRoot + "/AGENT_MODEL_MAP.json\"\n" +
			"[guards.server]\nunit = \"" + server + "\"\nwhen = \"after\"\ntrigger = true\n" + clientGuard
		s := boot(t, suite, host{config: good, change: func(tree *bed.Tree) {
			tree.WriteFile(file, serve("RuntimeDirectory=model-server\n", " --misbehave hold --control "+control))
			tree.WriteFile("/etc/systemd/system/"+other, serve("", ""))
			tree.WriteFile(clientFile, clientUnit)
		}})
		s.Must("justnews-gate", "guard", "install")
		s.Systemctl("daemon-reload")
		s.Systemctl("start", "--no-block", server, client)
		s.WaitUnit(server, "activating/start-post")
		s.WaitFor("a preload", bed.Patience, func() bool {
			state, ok := s.models()
			return ok && state.InProgress
		})
		if u := s.Unit(client); u.ExecMainStart != 0 {
			t.Errorf("%v: started before the server is ready", u)
		}
		began := bed.Monotonic()
		s.Must("/usr/local/bin/justnews-reference", "control", control, "POST", "/release")
		u := s.WaitUnit(server, "active/running")
		if c := s.WaitUnit(client, "active/running"); u.ActiveEnter < began || c.ExecMainStart < u.ActiveEnter {
			t.Errorf("the server was active at %v, its client started at %v, the models were ready after %v", u.ActiveEnter, c.ExecMainStart, began)
		}

		// Another unit has the port: that its models are ready does not count.
		s.Systemctl("stop", server)
		s.Systemctl("start", other)
		s.WaitUnit(other, "active/running")
		s.WriteFile(file, "[Service]\nUser=daemon\nExecStart=/bin/sleep infinity\n")
		s.Systemctl("daemon-reload")
		began = bed.Monotonic()
		if r := s.Run("systemctl", "start", server); r.Code == 0 {
			t.Error("a unit that serves nothing is ready")
		}
		if said := s.since(began, server); !strings.Contains(said, "ORCHESTRATOR-IMPOSTOR") {
			t.Errorf("the refusal does not name the other process:\n%s", said)
		}
	})
}
