// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"justnews/test/bed"
)

// fromUpstream is the template that JustNews' documents install.
const fromUpstream = `[Unit]
Description=JustNews Service (%i)
Wants=network-online.target
After=network-online.target
[Service]
Type=simple
EnvironmentFile=-/etc/justnews/global.env
EnvironmentFile=-/etc/justnews/%i.env
Environment=PATH=/home/adra/miniconda3/bin:/usr/local/bin:/usr/bin:/bin
User=adra
Group=adra
WorkingDirectory=/
ExecStart=/usr/local/bin/justnews-start-agent.sh %i
Restart=on-failure
RestartSec=3
LimitNOFILE=65536
[Install]
WantedBy=multi-user.target
`

// storing stands in for agents that write where upstream's do, and exit if they cannot.
const storing = `#!/bin/sh
set -e
for dir in "$SERVICE_DIR/archive_storage" "$SERVICE_DIR/../logs" "$LOG_DIR"; do : >"$dir/of-$1"; done
case $1 in
gpu_orchestrator) exec /usr/local/bin/justnews-reference orchestrator --bus-url "$REFERENCE_BUS_URL" ;;
mcp_bus) exec /usr/local/bin/justnews-reference bus ;;
esac
exec sleep infinity
`

var migrated = []string{"gpu_orchestrator", "mcp_bus", "memory", "scout"}

// generation is the setup of a host according to the documents of one of JustNews' two
// repositories.
type generation struct {
	name     string
	checkout string
	modelMap string            // below the checkout
	files    map[string]string // in addition to those of both
}

var generations = []generation{
	{
		name: "JustNewsAgent", checkout: "/home/adra/justnewsagent/JustNewsAgent", modelMap: "markdown_docs/agent_documentation/AGENT_MODEL_MAP.json",
		files: map[string]string{
			"/home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh":    "#!/bin/sh\n",
			"/etc/systemd/system/justnews@scout.service.d/05-gate-timeout.conf":     "[Service]\nEnvironment=GATE_TIMEOUT=180\n",
			"/etc/systemd/system/justnews@scout.service.d/10-preflight-gating.conf": "[Service]\nExecStartPre=/bin/bash -lc '/home/adra/justnewsagent/JustNewsAgent/deploy/systemd/preflight.sh --gate-only %i'\n",
			"/etc/systemd/system/justnews@scout.service.d/20-restart-policy.conf":   "[Service]\nRestart=on-failure\nRestartSec=3\n",
		},
	},
	{
		name: "JustNews", checkout: "/home/adra/JustNews", modelMap: "AGENT_MODEL_MAP.json",
		files: map[string]string{
			"/etc/justnews/monitoring.env":                                            "GF_SERVER_HTTP_PORT=3000\n",
			"/etc/justnews/crawl_scheduler.env":                                       "CRAWL_SCHEDULE=hourly\n",
			"/usr/local/bin/justnews-preflight-check.sh":                              "#!/bin/sh\n",
			"/etc/systemd/system/justnews@mcp_bus.service.d/10-preflight-gating.conf": "[Service]\nExecStartPre=/usr/local/bin/justnews-preflight-check.sh --gate-only\n",
		},
	},
}

// A host set up according to JustNews' documents, and docs/migration.md followed literally.
func TestMigration_ChapterEndsWithAllAgentsRunning(t *testing.T) {
	t.Parallel()
	for _, g := range generations {
		t.Run(g.name, g.migrate)
	}
}

func (g generation) migrate(t *testing.T) {
	bed.Newest(t, func(t *testing.T, suite string) {
		h := boot(t, suite, nil, g.setUp)
		for _, command := range chapter(t) {
			command = strings.NewReplacer("sudo ", "", "apt install ./dist/justnews_*_amd64.deb", "apt-get -qy install "+newDeb+" </dev/null").Replace(command)
			if strings.HasSuffix(command, "justnews-gate preflight") {
				// Such a host has warnings: the orchestrator gives up registering before the bus
				// is up, and its user logs in.
				if r := h.Sh("cd /root; " + command); r.Code != 2 || strings.Contains(r.Stdout+r.Stderr, "warning: UNIT-RIVAL") {
					t.Errorf("preflight: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
				}
				continue
			}
			h.step("cd /root; " + command)
		}
		for _, name := range migrated {
			h.WaitUnit(unit(name), "active/running")
			h.WaitJournal(unit(name), name+" may start: ")
		}
		h.step("test ! -e " + handMade)
		if got := strings.TrimSpace(h.Run("systemctl", "is-enabled", "justnews-cold-start.timer").Stdout); got != "disabled" {
			t.Errorf("the timer that undoes the migration is %s", got)
		}
		for _, dir := range []string{g.checkout + "/archive_storage", filepath.Dir(g.checkout) + "/logs", "/srv/news-logs"} {
			h.step("test -e " + dir + "/of-scout")
		}
		h.healthy("the migration")
	})
}

func (g generation) setUp(tree *bed.Tree) {
	tree.Run("useradd", "--create-home", "--shell", "/bin/bash", "adra")
	tree.WriteFile(handMade, fromUpstream)
	for _, name := range migrated {
		tree.Symlink(handMade, "/etc/systemd/system/multi-user.target.wants/"+unit(name))
		tree.WriteFile("/etc/justnews/"+name+".env", "\n")
	}
	for path, text := range g.files {
		tree.WriteFile(path, text, 0o755)
	}
	tree.WriteFile("/etc/justnews/global.env", "SERVICE_DIR="+g.checkout+"\nLOG_DIR=/srv/news-logs\nMODEL_STORE_ROOT="+modelRoot+"\nENABLE_MPS=true\n")
	tree.WriteFile("/usr/local/bin/justnews-start-agent.sh", storing, 0o755)
	tree.WriteFile("/usr/local/bin/justnews-cold-start.sh", "#!/bin/sh\nsystemctl enable --now justnews@scout.service\n", 0o755)
	tree.WriteFile("/etc/systemd/system/justnews-cold-start.service", "[Service]\nType=oneshot\nExecStart=/usr/local/bin/justnews-cold-start.sh\n")
	tree.WriteFile("/etc/systemd/system/justnews-cold-start.timer", "[Timer]\nOnActiveSec=1h\n[Install]\nWantedBy=timers.target\n")
	tree.Symlink("/etc/systemd/system/justnews-cold-start.timer", "/etc/systemd/system/timers.target.wants/justnews-cold-start.timer")
	for _, dir := range []string{g.checkout + "/agents", g.checkout + "/archive_storage", filepath.Dir(g.checkout) + "/logs", filepath.Dir(filepath.Join(g.checkout, g.modelMap)), "/srv/news-logs"} {
		tree.Mkdir(dir, 0o755)
	}
	tree.Run("cp", modelRoot+"/AGENT_MODEL_MAP.json", filepath.Join(g.checkout, g.modelMap))
	tree.Run("chown", "-R", "adra:adra", "/home/adra", "/srv/news-logs")
}

// chapter returns the commands in docs/migration.md up to its first section, as blocks of
// lines to paste.
func chapter(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs/migration.md"))
	if err != nil {
		t.Fatal(err)
	}
	main, _, _ := strings.Cut(string(text), "\n## ")
	var all []string
	for i, part := range strings.Split(main, "```") {
		if lines, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 {
			all = append(all, strings.Split(strings.TrimSpace(lines), "\n")...)
		}
	}
	if len(all) < 8 {
		t.Fatalf("the chapter has only these commands: %q", all)
	}
	return all
}
