// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/internal/diag"
)

const (
	template0 = "etc/systemd/system/justnews@.service"
	asAdra    = "[Service]\nUser=adra\nGroup=adra\nExecStart=/usr/local/bin/justnews-start-agent.sh %i\n"
	passwd    = "root:x:0:0:root:/root:/bin/bash\nadra:x:1000:1000::/home/adra:/bin/bash\njustnews:x:998:998::/var/lib/justnews:/usr/sbin/nologin\n"
)

// handMade makes a host; a name that ends in a slash is a directory.
func handMade(t *testing.T, files map[string]string) (Result, *config.Config) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		put(t, root, name, text)
	}
	h, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	r := Convert(h)
	return r, load(t, r.TOML)
}

func instanceOfConfig(t *testing.T, cfg *config.Config, name string) config.Instance {
	t.Helper()
	for _, i := range cfg.Instances {
		if i.Name == name {
			return i
		}
	}
	t.Fatalf("there is no instance %s", name)
	return config.Instance{}
}

func TestPaths_OnlyWrittenDirectoriesAreGranted(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		write []string // of scout
		home  string
		says  string
	}{
		"a checkout in a home, its logs next to it, a directory of logs": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra, "etc/justnews/scout.env": "A=1\n",
				"etc/justnews/global.env":    "SERVICE_DIR=/home/adra/JustNews\nLOG_DIR=/var/log/justnews\n",
				"home/adra/JustNews/agents/": "", "home/adra/logs/": "", "var/log/justnews/": "",
			},
			write: []string{"/home/adra/JustNews", "/home/adra/logs", "/var/log/justnews"}, home: "read-only",
		},
		"logs that a program will make": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra, "etc/justnews/scout.env": "A=1\n", "etc/justnews/global.env": "JUSTNEWS_ROOT=/srv/news/app\n",
				"srv/news/app/agents/scout/main.py": "", "srv/news/app/common/observability.py": "",
			},
			write: []string{"/srv/news/app", "/srv/news/logs"}, home: "yes",
		},
		"the parent of a checkout, as the start script takes it": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra, "etc/justnews/scout.env": "A=1\n", "etc/justnews/global.env": "SERVICE_DIR=/home/adra\n", "home/adra/JustNews/agents/": "",
			},
			write: []string{"/home/adra/JustNews"}, home: "read-only",
		},
		"a start script that names the directory": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra, "etc/justnews/scout.env": "A=1\n",
				"usr/local/bin/justnews-start-agent.sh": "#!/bin/bash\nROOT=\"${SERVICE_DIR:-/data/JustNews}\"\nmkdir -p /data/spool \"/data/tmp\"\nexec python x >>/data/out/agent.log 2>&1\n",
				"data/JustNews/agents/":                 "",
			},
			write: []string{"/data/JustNews", "/data/out", "/data/spool", "/data/tmp"}, home: "yes",
		},
		"variables of one instance": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra, "etc/justnews/global.env": "LOG_DIR=/var/log/news\n",
				"etc/justnews/scout.env": "CRAWL4AI_MODEL_CACHE_DIR=/data/crawl4ai\nexport EVIDENCE_DIR=/data/evidence\nHITL_DB_PATH=/data/hitl/staging.db\nMODEL_STORE_ROOT=/data/models\nCUDA_HOME=/usr/local/cuda\nPATH=/data/bin\n",
			},
			write: []string{"/data/crawl4ai", "/data/evidence", "/data/hitl", "/var/log/news"}, home: "yes",
		},
		"whole homes and shared directories": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra, "etc/justnews/scout.env": "A_DIR=/home/adra\nB_DIR=/var/lib\nC_DIR=/\nD_DIR=/etc/news\nE_DIR=/home\nF_DIR=/var/tmp/x\nG_DIR=/srv/news\n",
			},
			write: []string{"/srv/news"}, home: "read-only", says: "/home/adra is not granted",
		},
		"a unit that kept homes read-only": {
			files: map[string]string{
				"etc/passwd": passwd, template0: asAdra + "ProtectHome=read-only\nReadWritePaths=-/home/adra/logs /srv/news\nReadOnlyPaths=/srv/data\nStateDirectory=news\n",
				"etc/justnews/scout.env": "SERVICE_DIR=/home/adra/JustNews\n", "home/adra/JustNews/agents/": "", "home/adra/logs/": "",
			},
			write: []string{"/home/adra/logs", "/srv/news", "/var/lib/news"}, home: "read-only",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, cfg := handMade(t, c.files)
			scout := instanceOfConfig(t, cfg, "scout")
			got := slices.Sorted(slices.Values(scout.Service.ReadWritePaths))
			if !slices.Equal(got, c.write) || scout.Service.ProtectHome != c.home {
				t.Errorf("%q, protect_home %s\n%s", got, scout.Service.ProtectHome, r.TOML)
			}
			if c.says != "" && !slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return strings.Contains(p.Message, c.says) }) {
				t.Errorf("%v", r.Problems)
			}
		})
	}
}

func TestPaths_InstanceKeepsSharedPaths(t *testing.T) {
	r, cfg := handMade(t, map[string]string{
		"etc/passwd": passwd, template0: asAdra, "etc/justnews/global.env": "LOG_DIR=/srv/log\n",
		"etc/justnews/scout.env": "\nEVIDENCE_DIR=/srv/evidence\n", "etc/justnews/critic.env": "A=1\n",
	})
	if got := instanceOfConfig(t, cfg, "critic").Service.ReadWritePaths; !slices.Equal(got, []string{"/srv/log"}) {
		t.Errorf("critic: %q", got)
	}
	for _, want := range []string{`"/srv/log", # LOG_DIR: /etc/justnews/global.env:1`, `"/srv/evidence", # EVIDENCE_DIR: /etc/justnews/scout.env:2`, "#   install -d --owner=adra --group=adra -- /srv/evidence\n"} {
		if !strings.Contains(r.TOML, want) {
			t.Errorf("%q is missing in\n%s", want, r.TOML)
		}
	}
}

func TestPaths_UserCachesAreKept(t *testing.T) {
	files := map[string]string{
		"etc/passwd": passwd, template0: asAdra, "etc/justnews/scout.env": "A=1\n",
		"home/adra/.cache/huggingface/hub/": "", "home/adra/.cache/torch/": "", "home/adra/.cache/ms-playwright/": "", "home/adra/.crawl4ai/": "", "home/adra/.cache/other/": "",
	}
	_, cfg := handMade(t, files)
	scout := instanceOfConfig(t, cfg, "scout")
	env := scout.Environment
	if env["HF_HOME"] != "/home/adra/.cache/huggingface" || env["TORCH_HOME"] != "/home/adra/.cache/torch" || env["PLAYWRIGHT_BROWSERS_PATH"] != "/home/adra/.cache/ms-playwright" || len(env) != 3 {
		t.Errorf("%v", env)
	}
	if got := slices.Sorted(slices.Values(scout.Service.ReadWritePaths)); !slices.Equal(got, []string{"/home/adra/.cache/huggingface", "/home/adra/.cache/torch", "/home/adra/.crawl4ai"}) {
		t.Errorf("%q", got)
	}
	if got := scout.Service.ReadOnlyPaths; !slices.Equal(got, []string{"/home/adra/.cache/ms-playwright"}) || scout.Service.ProtectHome != "read-only" {
		t.Errorf("%q, %s", got, scout.Service.ProtectHome)
	}

	// What the host sets itself is left as it is; what the old unit hid stays hidden.
	for _, own := range []string{"HF_HUB_CACHE=/data/hub\nTORCH_HOME=/data/torch\nPLAYWRIGHT_BROWSERS_PATH=/data/browsers\n", "XDG_CACHE_HOME=/data/cache\n"} {
		files["etc/justnews/scout.env"] = own
		_, cfg = handMade(t, files)
		if got := instanceOfConfig(t, cfg, "scout").Environment; len(got) > 0 {
			t.Errorf("%s: %v", own, got)
		}
	}
	files["etc/justnews/scout.env"], files[template0] = "A=1\n", asAdra+"ProtectHome=yes\n"
	_, cfg = handMade(t, files)
	if got := instanceOfConfig(t, cfg, "scout"); len(got.Environment) > 0 || len(got.Service.ReadWritePaths) > 0 {
		t.Errorf("%v, %q", got.Environment, got.Service.ReadWritePaths)
	}
}

func TestRead_ForeignEnvironmentFilesAreNotInstances(t *testing.T) {
	r, _ := handMade(t, map[string]string{
		"etc/justnews/scout.env": "A=1\n", "etc/justnews/monitoring.env": "PROMETHEUS_BIN=/x\n", "etc/justnews/crawl_scheduler.env": "CRAWL_SCHEDULE=1\n",
		"etc/justnews/archive.env": "A=1\n", "etc/systemd/system/justnews-archive-export.service": "[Service]\nEnvironmentFile=-/etc/justnews/archive.env\n",
		"etc/justnews/own_agent.env": "OWN_AGENT_PORT=9000\n", "etc/justnews/gated.env": "GATE_TIMEOUT=10\n",
		"etc/justnews/global.env": "SERVICE_DIR=/srv/news\n", "etc/justnews/fact_intel.env": "A=1\n", "srv/news/agents/fact_intel/main.py": "",
		"etc/justnews/cluster_pipeline.env": "A=1\n", "etc/justnews/dcgm-exporter.env": "DCGM_EXPORTER_PORT=9400\n", "etc/justnews/sensor-logger.env": "A=1\n",
		"etc/justnews/dcgm.env": "X=1\n", "etc/systemd/system/multi-user.target.wants/justnews@dcgm.service": "",
	})
	if want := []string{"scout", "fact_intel", "cluster_pipeline", "dcgm", "gated", "own_agent"}; !slices.Equal(r.Instances, want) {
		t.Errorf("%q", r.Instances)
	}
	for _, name := range []string{"monitoring", "crawl_scheduler", "archive", "dcgm-exporter", "sensor-logger"} {
		if !slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return strings.HasPrefix(p.Message, name+" is not imported") }) {
			t.Errorf("%s is not reported: %v", name, r.Problems)
		}
	}
}

func TestRead_TemplateVariablesAreKept(t *testing.T) {
	_, cfg := handMade(t, map[string]string{
		template0: asAdra + "Environment=PATH=/opt/conda/bin:/usr/bin OMP_NUM_THREADS=4\nEnvironment=\"NOTE=a b\"\n", "etc/justnews/scout.env": "A=1\n",
		"etc/systemd/system/justnews@critic.service.d/10.conf": "[Service]\nEnvironment=OMP_NUM_THREADS=8\n",
	})
	for name, threads := range map[string]string{"scout": "4", "critic": "8"} {
		env := instanceOfConfig(t, cfg, name).Environment
		if env["PATH"] != "/opt/conda/bin:/usr/bin" || env["OMP_NUM_THREADS"] != threads || env["NOTE"] != "a b" {
			t.Errorf("%s: %v", name, env)
		}
	}
}

func TestPaths_UnusedVariableDoesNotRequireMPS(t *testing.T) {
	_, cfg := handMade(t, map[string]string{
		"etc/justnews/global.env": "ENABLE_MPS=true\nSERVICE_DIR=/srv/news\n", "etc/justnews/scout.env": "A=1\n",
		"srv/news/config/gpu/mps_allocation_config.json": `{"mps_resource_allocation":{"agent_allocations":{"scout":{"mps_memory_limit_gb":4}}}}`,
	})
	if instanceOfConfig(t, cfg, "scout").MPS.Enabled {
		t.Error("MPS is required")
	}
}

func TestWrite_VersionsWithoutAManifestAreSealed(t *testing.T) {
	r, _ := handMade(t, map[string]string{
		"etc/justnews/scout.env": "A=1\n", "etc/justnews/global.env": "MODEL_STORE_ROOT=/srv/models\n",
		"etc/justnews/AGENT_MODEL_MAP.json":       `{"agents":{"scout":["a/b"],"critic":["a/b"],"memory":["a/b"],"absent":["a/b"]}}`,
		"srv/models/scout/current/config.json":    "{}",
		"srv/models/critic/current/manifest.json": "{}", "srv/models/memory/current/.justnews/manifest.json": "{}",
	})
	var seals []string
	for _, c := range r.Remove {
		if strings.Contains(c.String(), "seal") {
			seals = append(seals, c.String())
		}
	}
	if !slices.Equal(seals, []string{"justnews-gate models seal -- scout"}) {
		t.Errorf("%q", seals)
	}
}

func TestPaths_TemplateThatRunsAsRootIsReported(t *testing.T) {
	says := func(template string) bool {
		r, _ := handMade(t, map[string]string{"etc/justnews/scout.env": "A=1\n", template0: template})
		return slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return strings.Contains(p.Message, "ran the agents as root") })
	}
	if !says("[Service]\nExecStart=/usr/local/bin/justnews-start-agent.sh %i\n") || says(asAdra) {
		t.Error("it is reported for the wrong template")
	}
}
