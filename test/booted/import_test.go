// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"justnews/test/bed"
)

// byHand is the template of a host that was set up by hand: it shadows ours.
const byHand = `[Unit]
Description=JustNews %i
[Service]
Type=simple
EnvironmentFile=-/etc/justnews/global.env
EnvironmentFile=-/etc/justnews/%i.env
User=justnews
Group=justnews
ExecStartPre=/usr/local/bin/justnews-preflight-check.sh --gate-only %i
ExecStart=/usr/local/bin/justnews-start-agent.sh %i
Restart=on-failure
RestartSec=3
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
`

// A host that was set up by hand: what import prints is put in place, the
// commands that it lists are run as they stand, and the same instances run,
// behind our gate.
func TestAHostThatWasSetUpByHandIsTakenOver(t *testing.T) {
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.Remove(configFile)
			tree.Run("systemctl", "disable", target)
			tree.WriteFile("/etc/systemd/system/justnews@.service", byHand)
			tree.WriteFile("/usr/local/bin/justnews-preflight-check.sh", "#!/bin/sh\n", 0o755)
			for name := range ports {
				tree.Symlink("/etc/systemd/system/justnews@.service", "/etc/systemd/system/multi-user.target.wants/"+unit(name))
			}
			tree.WriteFile(dropIn("scout", "05-gate-timeout.conf"), "[Service]\nEnvironment=GATE_TIMEOUT=90\n")
			tree.WriteFile(dropIn(orchestrator, "05-bus-bypass.conf"), "[Service]\nEnvironment=REQUIRE_BUS=0\n")
			tree.WriteFile("/etc/justnews/global.env", "GATE_TIMEOUT=60\nMODEL_STORE_ROOT="+modelRoot+"\n")
			tree.Run("cp", modelRoot+"/AGENT_MODEL_MAP.json", "/etc/justnews/AGENT_MODEL_MAP.json")
		}})
		var made struct {
			Instances, Remove []string
			TOML              string
			Status            int
		}
		r := s.Run("justnews-gate", "--json", "config", "import")
		if err := json.Unmarshal([]byte(r.Stdout), &made); err != nil || r.Code != 0 {
			t.Fatalf("exit status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
		}
		if len(made.Instances) != len(ports) {
			t.Errorf("%d instances of %d: %q", len(made.Instances), len(ports), made.Instances)
		}
		// The store has no manifests here: they have tests of their own.
		s.WriteFile(configFile, strings.Replace(made.TOML, "[models]\n", "[models]\nverify_preload = \"presence\"\n", 1))
		for _, command := range made.Remove {
			// The bed's own drop-ins stay.
			if strings.HasPrefix(command, "#") || strings.Contains(command, "/9") {
				continue
			}
			if r := s.Sh(command); r.Err != nil {
				t.Fatalf("%s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
			}
		}
		if s.Exists("/etc/systemd/system/justnews@.service") || s.Exists("/usr/local/bin/justnews-preflight-check.sh") || s.Exists(dropIn("scout", "05-gate-timeout.conf")) {
			t.Error("something of the old gate is still there")
		}
		s.Run("systemctl", "stop", "justnews@*.service")
		s.Run("systemctl", "reset-failed")
		s.Systemctl("start", target)
		s.everythingUp(0)
		for name, port := range ports {
			s.WaitJournal(unit(name), name+" may start: ")
			if !strings.Contains(made.TOML, fmt.Sprintf("[instances.%s]\nport = %d ", name, port)) {
				t.Errorf("%s has another port", name)
			}
		}
	})
}
