// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// byHand is the template of a host that was set up by hand, which masks ours.
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

// A host that was set up by hand: the output of import is installed, its commands are run
// as printed, and the same instances run behind our gate.
func TestImport_HandMadeHostIsTakenOver(t *testing.T) {
	t.Parallel()
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
			t.Errorf("%d of %d instances: %q", len(made.Instances), len(ports), made.Instances)
		}
		// The store has no manifests here: they have their own tests.
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
			t.Error("part of the old gate is still there")
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

// byUpstream is a host that was set up according to upstream's documents: a checkout in a
// home directory, its user, no sandbox.
const byUpstream = `[Unit]
Description=JustNews Service (%i)
Wants=network-online.target
After=network-online.target
[Service]
Type=simple
EnvironmentFile=-/etc/justnews/global.env
EnvironmentFile=-/etc/justnews/%i.env
User=adra
Group=adra
WorkingDirectory=/home/adra/news/JustNews
ExecStart=/usr/local/bin/justnews-start-agent.sh %i
Restart=on-failure
RestartSec=3
[Install]
WantedBy=multi-user.target
`

// touching stands in for agents: it writes where they write, reads what they read, and
// lists what it could.
const touching = `#!/bin/sh
read -r uptime _ </proc/uptime
echo "$uptime" >>"/run/justnews-test/started-$1"
list=/run/justnews-test/can-$1
: >"$list"
cd "${SERVICE_DIR:-/nowhere}" && echo "cd $SERVICE_DIR" >>"$list"
for dir in "$SERVICE_DIR/archive_storage" "$SERVICE_DIR/../logs" "$LOG_DIR" "$CRAWL4AI_MODEL_CACHE_DIR"; do
	: 2>/dev/null >"$dir/of-$1" && echo "write $dir" >>"$list"
done
for file in "${HF_HOME:-${XDG_CACHE_HOME:-/home/adra/.cache}/huggingface}/hub/model" "${PLAYWRIGHT_BROWSERS_PATH:-${XDG_CACHE_HOME:-/home/adra/.cache}/ms-playwright}/chromium"; do
	read -r _ <"$file" && echo "read $(basename "$file")" >>"$list"
done
case $1 in
gpu_orchestrator) exec /usr/local/bin/justnews-reference orchestrator --bus-url "$REFERENCE_BUS_URL" --control /run/justnews-test/control ;;
mcp_bus) exec /usr/local/bin/justnews-reference bus ;;
esac
exec sleep infinity
`

// Agents can write, read and enter the same paths after the migration as before.
func TestImport_AgentsKeepTheirFiles(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		names := []string{"gpu_orchestrator", "mcp_bus", "memory", "scout"}
		s := boot(t, suite, host{change: func(tree *bed.Tree) {
			tree.Remove(configFile)
			tree.Run("systemctl", "disable", target)
			tree.Run("useradd", "--create-home", "--shell", "/bin/bash", "adra")
			tree.WriteFile("/etc/systemd/system/justnews@.service", byUpstream)
			tree.WriteFile("/etc/systemd/system/justnews-cold-start.service", "[Service]\nType=oneshot\nExecStart=/usr/local/bin/justnews-cold-start.sh\n[Install]\nWantedBy=multi-user.target\n")
			tree.WriteFile("/etc/systemd/system/justnews-cold-start.timer", "[Timer]\nOnActiveSec=1h\n[Install]\nWantedBy=timers.target\n")
			tree.WriteFile("/usr/local/bin/justnews-cold-start.sh", "#!/bin/sh\nsystemctl enable --now justnews@scout.service\n", 0o755)
			tree.Symlink("/etc/systemd/system/justnews-cold-start.timer", "/etc/systemd/system/timers.target.wants/justnews-cold-start.timer")
			for _, name := range names {
				tree.Symlink("/etc/systemd/system/justnews@.service", "/etc/systemd/system/multi-user.target.wants/"+unit(name))
				tree.WriteFile("/etc/justnews/"+name+".env", "\n")
			}
			tree.WriteFile("/etc/justnews/monitoring.env", "GRAFANA_PORT=3000\n")
			tree.WriteFile("/etc/justnews/global.env", strings.Join([]string{
				"SERVICE_DIR=/home/adra/news/JustNews", "LOG_DIR=/srv/news-logs", "CRAWL4AI_MODEL_CACHE_DIR=/srv/crawl4ai",
				"MODEL_STORE_ROOT=" + modelRoot, "ENABLE_MPS=true", "HF_HUB_OFFLINE=1", "",
			}, "\n"))
			tree.WriteFile("/usr/local/bin/justnews-start-agent.sh", touching, 0o755)
			for _, dir := range []string{"/home/adra/news/JustNews/archive_storage", "/home/adra/news/logs", "/srv/news-logs", "/srv/crawl4ai"} {
				tree.Mkdir(dir, 0o755)
			}
			tree.WriteFile("/home/adra/.cache/huggingface/hub/model", "x\n")
			tree.WriteFile("/home/adra/.cache/ms-playwright/chromium", "x\n")
			tree.Run("chown", "-R", "adra:adra", "/home/adra", "/srv/news-logs", "/srv/crawl4ai")
			tree.Run("cp", modelRoot+"/AGENT_MODEL_MAP.json", "/home/adra/news/JustNews/AGENT_MODEL_MAP.json")
			tree.Run("chmod", "0777", "/run")
		}})
		before := map[string]string{}
		for _, name := range []string{"memory", "scout"} { // without any gate
			s.must("mkdir -p /run/justnews-test && chmod 1777 /run/justnews-test; runuser -u adra -- sh -c 'set -a; . /etc/justnews/global.env; timeout 3 /usr/local/bin/justnews-start-agent.sh " + name + "'; true")
			before[name] = s.ReadFile("/run/justnews-test/can-" + name)
			s.must("rm /run/justnews-test/*-" + name)
			if lines := strings.Count(before[name], "\n"); lines != 7 {
				t.Fatalf("%s could do %d things by hand:\n%s", name, lines, before[name])
			}
		}
		began := bed.Monotonic()
		var made struct {
			Instances, Remove []string
			TOML              string
		}
		r := s.Run("justnews-gate", "--json", "config", "import")
		if err := json.Unmarshal([]byte(r.Stdout), &made); err != nil || r.Code != 0 {
			t.Fatalf("exit status %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
		}
		t.Logf("%s", made.TOML)
		if slices.Sort(made.Instances); !slices.Equal(made.Instances, names) {
			t.Errorf("the instances are %q", made.Instances)
		}
		s.WriteFile(configFile, strings.Replace(made.TOML, "[models]\n", "[models]\nverify_preload = \"presence\"\n", 1))
		commands := 3 // config import, the copy to /etc/justnews, the start
		for _, command := range made.Remove {
			if strings.HasPrefix(command, "#") || strings.Contains(command, "/9") {
				continue
			}
			commands++
			if r := s.Sh(command); r.Err != nil {
				t.Fatalf("%s: %v\n%s%s", command, r.Err, r.Stdout, r.Stderr)
			}
		}
		if r := s.Sh("systemctl is-enabled justnews-cold-start.timer"); strings.TrimSpace(r.Stdout) != "disabled" {
			t.Errorf("the timer that undoes the migration is %s", r.Stdout)
		}
		s.Run("systemctl", "stop", "justnews@*.service")
		s.Run("systemctl", "reset-failed")
		s.Systemctl("start", target)
		s.WaitUnits("active/running", units(names...)...)
		t.Logf("%d commands, %v from the import to the last agent", commands, (bed.Monotonic() - began).Round(100*time.Millisecond))
		for name, could := range before {
			// An agent runs before it has written all of it.
			s.WaitFor(name+"'s files as before, which were:\n"+could, bed.Patience, func() bool {
				return s.Run("cat", "/run/justnews-test/can-"+name).Stdout == could
			})
		}
	})
}
