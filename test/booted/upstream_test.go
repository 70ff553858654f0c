// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// upstream is a commit of the software that the gates wait for. Its orchestrator and bus
// run unmodified; only the compute libraries are replaced by testdata/upstream, which opens
// the same files.
type upstream struct {
	repository, commit string
	adapters           bool // the newer generation: adapters over base models, a map that is read once
	simulated          bool // its preload loads nothing
}

var upstreams = []upstream{
	{repository: "JustNewsAgent", commit: "5f3abc0"},
	{repository: "JustNewsAgent", commit: "c429414"},
	{repository: "JustNewsAgent", commit: "79d6c92", simulated: true},
	{repository: "JustNews", commit: "b2f4534", adapters: true},
}

// checkoutDir is the software's directory; its older generation writes logs next to it.
const checkoutDir = "/opt/upstream/checkout"

// source returns the bare repository of a commit. We cannot distribute it: if it is not on
// this machine, the test is skipped.
func (u upstream) source(t *testing.T) string {
	t.Helper()
	base := os.Getenv("JUSTNEWS_TEST_UPSTREAM")
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip(err)
		}
		base = filepath.Join(cache, "justnews-test", "upstream")
	}
	dir := filepath.Join(base, u.repository+".git")
	if err := exec.CommandContext(t.Context(), "git", "--git-dir="+dir, "cat-file", "-e", u.commit).Run(); err != nil {
		t.Skipf("commit %s of Adrasteon/%s is not on this machine (a bare clone is looked for at %s; see CONTRIBUTING.md)", u.commit, u.repository, dir)
	}
	return dir
}

// mapFile is where this commit reads AGENT_MODEL_MAP.json.
func (u upstream) mapFile() string {
	if u.adapters {
		return checkoutDir + "/AGENT_MODEL_MAP.json"
	}
	return checkoutDir + "/markdown_docs/agent_documentation/AGENT_MODEL_MAP.json"
}

// modelMap is a map of two agents' models, and of another agent's if one is given.
func (u upstream) modelMap(also ...string) string {
	agents := map[string]any{}
	for _, name := range append([]string{"memory", "scout"}, also...) {
		agents[name] = []string{"org/tiny-" + name}
		if u.adapters {
			agents[name] = []any{map[string]string{"base_ref": "tiny", "adapter_name": "tiny", "adapter_model_store_path": name + "/adapters/tiny"}}
		}
	}
	var content any = agents
	if u.adapters {
		content = map[string]any{"agents": agents, "base_models": map[string]any{
			"tiny": map[string]string{"hf_id": "org/tiny", "model_store_agent": "base_models", "model_store_version": "v1"},
		}}
	}
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // strings
	}
	return string(text)
}

// weights is the file that an agent's model cannot be loaded without.
func (u upstream) weights(agent string) string {
	if u.adapters {
		return modelRoot + "/" + agent + "/adapters/tiny/adapter_model.safetensors"
	}
	return snapshot(agent, "org/tiny-"+agent) + "/model.safetensors"
}

func (u upstream) writeStore(tree *bed.Tree) {
	for _, agent := range []string{"memory", "scout"} {
		dir := filepath.Dir(u.weights(agent))
		tree.WriteFile(dir+"/config.json", `{"model_type":"bert"}`)
		tree.WriteFile(dir+"/vocab.txt", "[PAD]\n[UNK]\n")
		if u.adapters {
			tree.WriteFile(dir+"/adapter_config.json", `{"peft_type":"LORA"}`)
		} else {
			tree.Symlink("versions/v1", modelRoot+"/"+agent+"/current")
		}
		tree.WriteFile(u.weights(agent), bed.OneWeight)
	}
	if u.adapters {
		base := modelRoot + "/base_models/versions/v1"
		tree.WriteFile(base+"/config.json", `{"model_type":"mistral"}`)
		tree.WriteFile(base+"/tokenizer.json", `{}`)
		tree.WriteFile(base+"/model.safetensors", bed.OneWeight)
		tree.Symlink("versions/v1", modelRoot+"/base_models/current")
	}
}

const upstreamStarter = `#!/bin/sh
read -r uptime _ </proc/uptime
echo "$uptime" >>"/run/justnews-test/started-$1"
export PYTHONPATH=` + checkoutDir + `:/opt/upstream/standins PYTHONDONTWRITEBYTECODE=1
case $1 in
gpu_orchestrator|mcp_bus)
	cd ` + checkoutDir + ` && exec python3 /opt/upstream/standins/serve.py "agents.$1.main" ;;
esac
exec sleep infinity
`

// host is a host with this commit's orchestrator and bus. More is added to [models].
func (u upstream) host(t *testing.T, more string) host {
	dir := u.source(t)
	var b strings.Builder
	fmt.Fprintf(&b, "[gate]\ntimeout = \"90s\"\n[models]\nroot = %q\nmap = %q\n%s\n[service]\nstart_grace = \"60s\"\nread_write_paths = [\"/opt/upstream/logs\"]\n", modelRoot, u.mapFile(), more)
	for _, name := range upstreamInstances {
		fmt.Fprintf(&b, "[instances.%s]\nport = %d\n", name, cmp.Or(ports[name], 8013))
	}
	return host{
		config: b.String(),
		packages: []string{
			"python3-fastapi", "python3-uvicorn", "python3-requests", "python3-prometheus-client", "python3-psutil", "python3-yaml",
		},
		change: func(tree *bed.Tree) {
			tree.WriteFile("/etc/justnews/global.env", "GPU_ORCHESTRATOR_PORT=8014\nLOG_DIR=/opt/upstream/logs\nGPU_ORCHESTRATOR_SKIP_BOOTSTRAP=1\n")
			u.writeStore(tree)
			tree.Mkdir("/opt/upstream/logs", 0o777)
			tree.Mkdir(checkoutDir, 0o755)
			archive := fmt.Sprintf("git --git-dir=%s archive %s | tar -x -C %s", dir, u.commit, tree.Path(checkoutDir))
			if out, err := exec.CommandContext(t.Context(), "sh", "-c", archive).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			stands, err := filepath.Glob("testdata/upstream/*.py")
			if err != nil || len(stands) == 0 {
				t.Fatal("no stand-ins", err)
			}
			for _, file := range stands {
				tree.Copy(file, "/opt/upstream/standins/"+filepath.Base(file), 0o644)
			}
			tree.WriteFile(u.mapFile(), u.modelMap())
			tree.WriteFile(starter, upstreamStarter, 0o755)
			tree.Remove("/etc/systemd/system/justnews@.service.d/95-quick.conf")
		},
	}
}

var upstreamInstances = []string{"dashboard", "gpu_orchestrator", "mcp_bus", "memory", "scout"}

// up waits until all units are running. An orchestrator that looks for its bus
// first keeps its port closed for half a minute.
func (s *site) up(names ...string) {
	s.t.Helper()
	s.WaitFor("all instances running", 4*time.Minute, func() bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !s.Unit(name).Is("active/running") })
	})
}

// TestUpstream runs upstream's own orchestrator and bus, with the faults that only they
// answer in their own way.
func TestUpstream(t *testing.T) {
	t.Parallel()
	for _, u := range upstreams {
		t.Run(u.commit, func(t *testing.T) {
			bed.Newest(t, func(t *testing.T, suite string) {
				if u.simulated {
					u.loadsNothing(t, suite)
					return
				}
				u.loads(t, suite)
			})
		})
	}
}

func (u upstream) loads(t *testing.T, suite string) {
	all := units(upstreamInstances...)
	// The gate's own checks of the store would refuse before upstream encounters the fault.
	s := boot(t, suite, u.host(t, "verify = \"off\"\nverify_preload = \"off\""))
	s.up(all...)
	if posts := strings.Count(s.Journal(unit("gpu_orchestrator")), "POST /models/preload"); posts != 1 {
		t.Errorf("%d POSTs at a boot", posts)
	}
	for _, f := range []fault{
		{name: "weights are missing", inject: "mv " + u.weights("scout") + " /root/weights", remove: "mv /root/weights " + u.weights("scout"), refused: "STORE-"},
		{name: "the store cannot be searched", inject: "chmod 0700 " + modelRoot + "/scout", remove: "chmod 0755 " + modelRoot + "/scout", refused: "STORE-"},
		{
			name:    "an agent without a model was added to the map",
			inject:  "cat >" + u.mapFile() + " <<'E'\n" + u.modelMap("newone") + "\nE\n",
			remove:  "cat >" + u.mapFile() + " <<'E'\n" + u.modelMap() + "\nE\n",
			refused: "STORE-",
		},
	} {
		t.Run(f.name, func(t *testing.T) {
			inner := &site{Machine: s.Machine, t: t}
			inner.heals(t, f, all...)
		})
	}
	t.Run("the orchestrator is killed during the preload", func(t *testing.T) {
		s := &site{Machine: s.Machine, t: t}
		s.must("echo STANDIN_DELAY=3 >>/etc/justnews/global.env")
		s.Systemctl(append([]string{"stop", target}, all...)...)
		s.stopAll()
		before := bed.Monotonic()
		s.Systemctl("start", "--no-block", target)
		s.WaitFor("a job", 2*time.Minute, func() bool {
			return strings.Contains(s.Sh("curl -s http://127.0.0.1:8014/models/status || python3 -c 'import urllib.request as r; print(r.urlopen(\"http://127.0.0.1:8014/models/status\").read())'").Stdout, `"in_progress":true`)
		})
		s.Systemctl("kill", "--signal=KILL", unit("gpu_orchestrator"))
		killed := bed.Monotonic()
		s.up(all...)
		for _, name := range all {
			if u := s.Unit(name); name != unit("gpu_orchestrator") && u.ExecMainStart > before && u.ExecMainStart < killed {
				t.Errorf("%v was started before the kill", u)
			}
		}
	})
}

// loadsNothing: what is verified with a release whose preload is simulated, and what is
// not.
func (u upstream) loadsNothing(t *testing.T, suite string) {
	s := boot(t, suite, u.host(t, "verify_preload = \"presence\""))
	s.WaitFor("the preload names its cause", 2*time.Minute, func() bool { return strings.Contains(s.Journal(preload), "PRELOAD-EMPTY") })
	for _, name := range []string{"memory", "scout", "mcp_bus"} {
		if u := s.Unit(unit(name)); u.ExecMainStart != 0 {
			t.Errorf("%v: nothing is loaded", u)
		}
	}
	s.must("sed -i 's/^verify_preload/accept_empty = true\\n&/' " + configFile)
	s.Systemctl("daemon-reload")
	s.up(units(upstreamInstances...)...)
	s.WaitJournal(unit("scout"), "PRELOAD-EMPTY")
}
