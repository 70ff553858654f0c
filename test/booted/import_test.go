// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/internal/envfile"
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

var (
	handMade     = flag.Int("hand-made", 6, "how many hosts TestImport_AgentsKeepTheirEnvironment imports")
	handMadeSeed = flag.Uint64("hand-made-seed", 1, "the seed of TestImport_AgentsKeepTheirEnvironment")
)

// dump stands in for an agent: it prints its environment, a variable a line, and what else
// its unit gives it.
const dump = `#!/bin/sh
tr '\n\0' '\1\n' </proc/self/environ
printf 'ARGS=%s\n' "$(printf '<%s>' "$@")"
echo "USER_IS=$(id -un)"
echo "GROUP_IS=$(id -gn)"
echo "CWD=$(pwd)"
echo "NOFILE=$(ulimit -n)"
for dir in ` + handMadeDirs + `; do
	if (: >"$dir/of-$USER") 2>/dev/null; then echo "ACCESS $dir=write"; elif (read -r _ <"$dir/content") 2>/dev/null; then echo "ACCESS $dir=read"; else echo "ACCESS $dir=none"; fi
done
echo END=1
`

// handMadeDirs are directories of the user of hand-made hosts.
const handMadeDirs = "/srv/news/data /srv/news/logs /home/adra/work /opt/news/out /var/lib/news /var/log/news /mnt/disk/cache"

// drawHandMade writes the units and environment files of a host, which systemd reads by
// rules that the import has to know: precedence, quotes, escapes, specifiers.
func drawHandMade(random *rand.Rand, write func(name, content string)) {
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	variables := []string{"FOO", "LOG_LEVEL", "CRAWL_DEPTH", "PYTHONPATH", "TITLE"}
	value := func() string {
		return pick("plain", "1", "", `"two words"`, `'it has "quotes"'`, `"a\x20b\tc"`, `back\\slash`, "50%%", "of-%i", "/srv/%p/%i", `a=b`, `é`, `"\u00e9\101"`,
			`"semi;colon"`, "#hash", `un"quoted in"side`, `"\"q\""`, `\x41`, `"cost $5"`, "`id`", "%H", `bad\q`, `"open`, "\"two \\\n\t lines\"", "\"two\\\n; comment\n lines\"")
	}
	dirs := strings.Fields(handMadeDirs)
	environment := func() string {
		if random.IntN(8) == 0 {
			return "Environment=\n"
		}
		line := "Environment="
		for range 1 + random.IntN(3) {
			assignment := pick(variables...) + "=" + value()
			if random.IntN(4) == 0 {
				assignment = pick("LOG_DIR", "DATA_PATH", "SERVICE_DIR", "OUTPUT_DIRECTORY") + "=" + pick(dirs...)
			}
			if random.IntN(12) == 0 {
				assignment = pick("NOVALUE", "1X=2", "A-B=c")
			}
			line += assignment + pick(" ", "  ", "\t", " \\\n  ", " \\\n# a comment\n ", " \\ \n", "\\\n")
		}
		if random.IntN(4) == 0 {
			return line // the last line can continue
		}
		return strings.TrimRight(line, " \t\\\n") + "\n"
	}
	dropIn := func() string {
		text := "[Service]\n"
		for range random.IntN(4) {
			if random.IntN(2) == 0 {
				text += environment()
				continue
			}
			text += pick("User=bin", "User=", "Group=bin", "Group=", "WorkingDirectory=/srv", "WorkingDirectory=-/var/lib", "WorkingDirectory=", "WorkingDirectory=~",
				"LimitNOFILE=4096", "LimitNOFILE=2048:4096", "LimitNOFILE=", "LimitNOFILE=much", "MemoryMax=2G", "MemoryMax=1.5G", "MemoryMax=1073741824", "MemoryMax=50%", "MemoryMax=infinity", "MemoryMax=",
				"MemoryMax=abc", "RestartSec=7", "RestartSec=1min 5s", "RestartSec=500ms", "RestartSec=0.5", "RestartSec=", "RestartSec=soon",
				"ProtectSystem=strict", "ProtectSystem=full", "PrivateTmp=yes", "ReadWritePaths="+pick(dirs...), "ReadWritePaths=-"+pick(dirs...)+" "+pick(dirs...)+"/", "ReadWritePaths=", "ReadOnlyPaths="+pick(dirs...),
				"InaccessiblePaths="+pick(dirs...), "BindPaths="+pick(dirs...), "LogsDirectory=news", "StateDirectory=news",
				"ProtectHome=yes", "ProtectHome=read-only", "ProtectHome=0", "ProtectHome=tmpfs", "ProtectHome=", "ProtectHome=maybe") + "\n"
		}
		return text
	}
	files := "EnvironmentFile=-/etc/justnews/global.env\nEnvironmentFile=-/etc/justnews/%i.env\n"
	switch random.IntN(6) {
	case 0:
		files = "EnvironmentFile=-/etc/justnews/%i.env\nEnvironmentFile=-/etc/justnews/global.env\n"
	case 1:
		files += "EnvironmentFile=-/etc/justnews/db.env\n"
	case 2:
		files = "EnvironmentFile=-/etc/justnews/%i.env\n"
	}
	write(pick("/etc/systemd/system", "/etc/systemd/system", "/usr/local/lib/systemd/system")+"/justnews@.service",
		"[Service]\nUser=adra\n"+files+pick("ExecStart=/usr/local/bin/dump %i\n", "ExecStart=/usr/local/bin/dump \"%i\" 'a b' \\x41 %% \\\n  x;y {z}\n", "ExecStart=/bin/false\nExecStart=\nExecStart=/usr/bin/env 'X=1 2' Y=$$ /usr/local/bin/dump %i-%p\n",
			"ExecStart=/bin/sh -c 'exec /usr/local/bin/dump \"%I\" \"c  d\"'\n")+environment()+environment())
	for _, dir := range []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"} {
		for _, unit := range []string{"justnews@.service", "justnews@scout.service", "justnews@memory.service"} {
			for _, name := range []string{"10-a.conf", "20-b.conf", "30-c.conf"} {
				switch random.IntN(6) {
				case 0, 1:
					write(dir+"/"+unit+".d/"+name, dropIn())
				case 2:
					if dir == "/etc/systemd/system" {
						write(dir+"/"+unit+".d/"+name, "")
					}
				}
			}
		}
	}
	for _, name := range []string{"global", "scout", "memory"} {
		var text string
		for range random.IntN(3) {
			text += pick(variables...) + "=" + pick("file", `"from a file"`, "'x'") + "\n"
		}
		write("/etc/justnews/"+name+".env", text)
	}
	write("/etc/justnews/db.env", "DB_PORT=5432\n")
}

// An agent has the same environment, user and directory after the migration as systemd gave
// it before, but for what the import says.
func TestImport_AgentsKeepTheirEnvironment(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootDumping(t, suite)
		random := rand.New(rand.NewPCG(*handMadeSeed, 0))
		for i := range *handMade {
			s.importsHandMade(suite, fmt.Sprintf("host %d of seed %d", i, *handMadeSeed), random)
		}
	})
}

// bootDumping boots a machine whose instances print what their unit gives them, without a gate.
func bootDumping(t *testing.T, suite string) *site {
	m := bed.Boot(t, bed.Options{Suite: suite, Prepare: func(tree *bed.Tree) {
		tree.Install()
		tree.Run("systemctl", "disable", target)
		tree.Run("useradd", "--create-home", "--gid=games", "adra")
		tree.WriteFile("/usr/local/bin/dump", dump, 0o755)
		for dir := range strings.FieldsSeq(handMadeDirs) {
			tree.WriteFile(dir+"/content", "x\n")
			tree.Run("chown", "-R", "adra", dir)
		}
		tree.WriteFile("/etc/systemd/system.control/justnews@.service.d/99-dump.conf", "[Service]\nExecStartPre=\nRestart=no\nType=oneshot\nStandardOutput=truncate:/run/dumps/%i\n")
	}})
	m.WaitIdle()
	return &site{Machine: m, t: t}
}

func (s *site) importsHandMade(suite, host string, random *rand.Rand) {
	s.t.Helper()
	s.must("rm -rf /etc/justnews/*; for d in /etc /run /usr/local/lib; do rm -rf $d/systemd/system/justnews@*; done")
	var written []string
	drawHandMade(random, func(name, content string) {
		s.WriteFile(name, content)
		written = append(written, name+":\n"+content)
	})
	before := s.dumps()
	var made struct {
		Remove   []string
		TOML     string
		Problems []diag.Problem
	}
	r := s.Run("justnews-gate", "--json", "config", "import")
	if err := json.Unmarshal([]byte(r.Stdout), &made); err != nil || r.Code != 0 {
		s.t.Fatalf("%s: exit status %d, %v\n%s%s", host, r.Code, err, r.Stdout, r.Stderr)
	}
	for _, command := range made.Remove {
		if strings.HasPrefix(command, "rm ") {
			s.must(command)
		}
	}
	s.WriteFile(configFile, made.TOML)
	after := s.dumps()
	for instance, was := range before {
		for name, value := range was {
			now, set := after[instance][name]
			// systemd's defaults. Those of the package's unit differ.
			unset := slices.Contains([]string{"CWD=/", "NOFILE=1024", "MemoryMax=infinity", "RestartUSec=100ms", "ProtectHome=no"}, name+"="+value)
			// Without RestartSteps=, the generator does not let agents restart faster.
			if older := suite == bed.Bookworm && name == "RestartUSec" && now == "10s"; older || set && now == value || unset || saidSo(made.Problems, name) {
				continue
			}
			if dir, access := strings.CutPrefix(name, "ACCESS "); access && (value == "none" || now == "write" || value == now || !named(was, dir)) {
				continue
			}
			s.t.Errorf("%s: %s of %s was %q and is %q\n%s\n%s\n%s", host, name, instance, value, now, strings.Join(written, "\n"), made.TOML, r.Stdout)
		}
	}
}

// named reports whether a variable of an agent names a directory.
func named(variables map[string]string, dir string) bool {
	for name, value := range variables {
		if envfile.Directory(name, value) == dir {
			return true
		}
	}
	return false
}

// saidSo reports whether the import says that a variable or setting can change.
func saidSo(problems []diag.Problem, name string) bool {
	const root = "it ran the agents as root"
	setting := map[string]string{"USER_IS": root, "USER": root, "LOGNAME": root, "HOME": root, "SHELL": root, "CWD": "WorkingDirectory=", "NOFILE": "LimitNOFILE=", "GROUP_IS": root,
		"MemoryMax": "MemoryMax=", "RestartUSec": "RestartSec=", "ProtectHome": "ProtectHome="}[name]
	return slices.ContainsFunc(problems, func(p diag.Problem) bool {
		dir, access := strings.CutPrefix(name, "ACCESS ")
		if access && strings.HasPrefix(p.Message, root) {
			return true
		}
		return access && (strings.Contains(p.Message, dir) || strings.Contains(p.Seen, dir)) || strings.HasPrefix(p.Message, "ExecStart= ") || strings.HasPrefix(p.Message, cmp.Or(setting, name+" ")) || setting == "" && strings.Contains(p.Message, "environment files") ||
			name == "DB_PORT" && strings.Contains(p.Seen, "db.env")
	})
}

// dumps starts the instances of a host, and returns what each printed that could start.
func (s *site) dumps() map[string]map[string]string {
	s.t.Helper()
	s.must("rm -rf /run/dumps; mkdir /run/dumps")
	s.Systemctl("daemon-reload")
	all := map[string]map[string]string{}
	for _, instance := range []string{"scout", "memory"} {
		if s.Run("systemctl", "--job-mode=ignore-dependencies", "start", unit(instance)).Err != nil {
			continue // not with these settings
		}
		printed := map[string]string{}
		shown := s.Must("systemctl", "show", "--property=MemoryMax", "--property=RestartUSec", "--property=ProtectHome", unit(instance))
		for line := range strings.Lines(s.ReadFile("/run/dumps/"+instance) + shown) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			switch name {
			case "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "PWD", "_", "NOTIFY_SOCKET", "LOGS_DIRECTORY", "STATE_DIRECTORY":
			default:
				printed[name] = value
			}
		}
		if printed["END"] == "" {
			s.t.Fatalf("%s printed %q", instance, printed)
		}
		all[instance] = printed
	}
	return all
}
