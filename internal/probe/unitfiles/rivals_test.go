// SPDX-License-Identifier: Apache-2.0

package unitfiles

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"justnews/internal/facts"
)

const coldStart = "[Service]\nType=oneshot\nExecStart=/bin/bash -lc '/usr/local/bin/justnews-cold-start.sh'\n[Install]\nWantedBy=multi-user.target\n"

func TestRivals_AreFoundByWhatTheyDo(t *testing.T) {
	for name, c := range map[string]struct {
		files  map[string]string
		links  []string
		want   string // path
		does   string
		by     string
		active bool
		also   []string
	}{
		"upstream's cold start, by its timer": {
			files: map[string]string{
				"/etc/systemd/system/justnews-cold-start.service": coldStart,
				"/usr/local/bin/justnews-cold-start.sh":           "#!/bin/bash\nREPO_DIR=\"/srv/JustNews\"\nexec sudo -n \"$REPO_DIR/deploy/start-all.sh\"\n",
				"/srv/JustNews/deploy/start-all.sh":               "#!/bin/bash\ncp units/justnews@.service /etc/systemd/system/\n",
			},
			links: []string{"timers.target.wants/justnews-cold-start.timer"},
			want:  "/etc/systemd/system/justnews-cold-start.service", does: "runs a script of JustNews that starts instances", by: "/etc/systemd/system/justnews-cold-start.service",
			active: true, also: []string{"justnews-cold-start.timer"},
		},
		"a unit of any name, two scripts away": {
			files: map[string]string{
				"/etc/systemd/system/site-boot.service": "[Service]\nExecStart=/usr/local/bin/site-boot\n",
				"/usr/local/bin/site-boot":              "#!/bin/sh\n# enables nothing itself\nHELPERS=/opt/site\n. ${HELPERS}/news\n",
				"/opt/site/news":                        "#!/bin/sh\nfor i in scout memory; do\n  systemctl enable --now \"justnews@$i.service\"\ndone\n",
			},
			want: "/etc/systemd/system/site-boot.service", does: "enables or starts instances", by: "/opt/site/news",
		},
		"a copied template": {
			files: map[string]string{"/etc/systemd/system/restore.service": "[Service]\nExecStart=/bin/sh -c 'install -m 644 /srv/justnews@.service /etc/systemd/system/'\n"},
			links: []string{"multi-user.target.wants/restore.service"},
			want:  "/etc/systemd/system/restore.service", does: "replaces unit files of JustNews", by: "/etc/systemd/system/restore.service", active: true,
		},
		"a crawler with its own template": {
			files: map[string]string{"/etc/systemd/system/justnews-crawler-agent@.service": "[Service]\nExecStart=/opt/conda run -n x python -m agents.crawler.main\n"},
			links: []string{"multi-user.target.wants/justnews-crawler-agent@bbc.service"},
			want:  "/etc/systemd/system/justnews-crawler-agent@.service", does: "runs a program of JustNews itself", by: "/etc/systemd/system/justnews-crawler-agent@.service",
			active: true, also: []string{"justnews-crawler-agent@bbc.service"},
		},
		"a crawler that an enabled scheduler wants": {
			files: map[string]string{
				"/etc/systemd/system/justnews-crawler-agent@.service":  "[Service]\nExecStart=/usr/local/bin/justnews-start-agent.sh %i\n",
				"/etc/systemd/system/justnews-crawl-scheduler.service": "[Unit]\nWants=network-online.target justnews-crawler-agent@production.service\n[Service]\nExecStart=/usr/local/bin/run_crawl_schedule.sh\n",
				"/etc/systemd/system/justnews-crawl-scheduler.timer":   "[Timer]\nOnCalendar=hourly\n",
			},
			links: []string{"timers.target.wants/justnews-crawl-scheduler.timer"},
			want:  "/etc/systemd/system/justnews-crawler-agent@.service", does: "runs a program of JustNews itself", by: "/etc/systemd/system/justnews-crawler-agent@.service",
			active: true, also: []string{"justnews-crawl-scheduler.timer", "justnews-crawler-agent@production.service"},
		},
		"a timer of another name": {
			files: map[string]string{
				"/etc/systemd/system/site-boot.service": "[Service]\nExecStart=/usr/bin/systemctl start justnews@scout.service\n",
				"/etc/systemd/system/site.timer":        "[Timer]\nOnBootSec=1\nUnit=site-boot.service\n",
			},
			links: []string{"timers.target.wants/site.timer"},
			want:  "/etc/systemd/system/site-boot.service", does: "enables or starts instances", by: "/etc/systemd/system/site-boot.service", active: true, also: []string{"site.timer"},
		},
		"a timer that is not enabled": {
			files: map[string]string{
				"/etc/systemd/system/site-boot.service": "[Service]\nExecStart=/usr/bin/systemctl start justnews@scout.service\n",
				"/etc/systemd/system/site-boot.timer":   "[Timer]\nOnBootSec=1\n",
			},
			want: "/etc/systemd/system/site-boot.service", does: "enables or starts instances", by: "/etc/systemd/system/site-boot.service",
		},
		"units in a variable": {
			files: map[string]string{"/etc/cron.d/news": "@reboot root /usr/local/bin/up\n", "/usr/local/bin/up": "#!/bin/bash\nUNITS=(\"justnews@scout\" justnews@memory)\nfor u in \"${UNITS[@]}\"; do\n  systemctl restart \"$u\"\ndone\n"},
			want:  "/etc/cron.d/news", does: "enables or starts instances", by: "/usr/local/bin/up", active: true,
		},
		"a script that only asks for units": {files: map[string]string{
			"/etc/cron.d/news": "@hourly root /usr/local/bin/look\n", "/usr/local/bin/look": "#!/bin/bash\nfor u in justnews@scout justnews@memory; do systemctl is-active \"$u\"; done\n",
		}},
		"cron": {
			files: map[string]string{"/etc/cron.d/news": "@reboot root systemctl restart justnews@scout.service\n"},
			want:  "/etc/cron.d/news", does: "enables or starts instances", by: "/etc/cron.d/news", active: true,
		},
		"a unit that starts an instance, and whose script replaces the template": {
			files: map[string]string{
				"/etc/systemd/system/both.service": "[Service]\nExecStartPre=/usr/bin/systemctl start justnews@scout.service\nExecStart=/usr/local/bin/both\n",
				"/usr/local/bin/both":              "#!/bin/sh\nsystemctl enable justnews@scout.service\ncp /srv/justnews@.service /etc/systemd/system/\n",
			},
			want: "/etc/systemd/system/both.service", does: "replaces unit files of JustNews", by: "/usr/local/bin/both",
		},
		"the last of many jobs that run scripts": {
			files: map[string]string{
				"/etc/cron.d/a": "@daily root /usr/local/bin/harmless\n", "/etc/cron.d/b": "@daily root /usr/local/bin/harmless\n", "/etc/cron.d/c": "@daily root /usr/local/bin/harmless\n",
				"/etc/cron.d/d": "@daily root /usr/local/bin/harmless\n", "/etc/cron.d/e": "@daily root /usr/local/bin/harmless\n", "/etc/cron.d/f": "@daily root /usr/local/bin/harmless\n",
				"/etc/cron.d/g": "@daily root /usr/local/bin/starter\n", "/usr/local/bin/harmless": "#!/bin/sh\ntrue\n",
				"/usr/local/bin/starter": "#!/bin/sh\nsystemctl start justnews@scout.service\n",
			},
			want: "/etc/cron.d/g", does: starts, by: "/usr/local/bin/starter", active: true,
		},
		"a unit that only waits for them": {files: map[string]string{"/etc/systemd/system/backup.service": "[Unit]\nAfter=justnews@memory.service\n[Service]\nExecStart=/usr/bin/systemctl is-active justnews@memory.service\n"}},
		"an exporter":                     {files: map[string]string{"/etc/systemd/system/node-exporter.service": "[Service]\nExecStart=/usr/bin/node_exporter\n", "/etc/cron.daily/logrotate": "#!/bin/sh\nlogrotate /etc/logrotate.conf\n"}},
		"a comment":                       {files: map[string]string{"/etc/cron.d/news": "# systemctl restart justnews@scout.service\n"}},
		"a template of ours":              {files: map[string]string{"/etc/systemd/system/justnews@.service": "[Service]\nExecStart=/usr/local/bin/justnews-start-agent.sh %i\n"}},
		"scripts that call each other": {files: map[string]string{
			"/etc/systemd/system/loop.service": "[Service]\nExecStart=/usr/local/bin/a\n", "/usr/local/bin/a": "#!/bin/sh\n/usr/local/bin/b\n", "/usr/local/bin/b": "#!/bin/sh\n/usr/local/bin/a\n",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range c.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, link := range c.links {
				path := filepath.Join(root, "/etc/systemd/system", link)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("../"+filepath.Base(link), path); err != nil {
					t.Fatal(err)
				}
			}
			var want []facts.Rival
			if c.want != "" {
				r := facts.Rival{Path: c.want, Does: c.does, By: c.by, Active: c.active, Also: c.also}
				if filepath.Ext(c.want) == ".service" {
					r.Unit = filepath.Base(c.want)
				}
				want = append(want, r)
			}
			got := Rivals(root)
			if len(got) != len(want) || len(want) == 1 && (got[0].Path != want[0].Path || got[0].Does != want[0].Does || got[0].By != want[0].By ||
				got[0].Active != want[0].Active || got[0].Gated != (c.does == starts) || got[0].Unit != want[0].Unit || !slices.Equal(got[0].Also, want[0].Also)) {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		})
	}
}
