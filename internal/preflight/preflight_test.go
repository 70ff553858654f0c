// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/probe/systemd"
	"justnews/internal/unitname"
)

// world is a host without findings, until a test changes it.
type world struct {
	t     *testing.T
	job   Job
	units map[string]*facts.Unit
	pids  map[int]string
	// owners are the users that listen on a port; their processes may be hidden.
	owners func(port int) []int
	hidden bool
	// newer is scout's unit as its process shows it, silent why systemd does not show it.
	newer  facts.Unit
	silent error

	mu     sync.Mutex
	fails  error // of systemd
	stops  []string
	denies string // the unit that the caller may not stop
	reach  map[string]facts.Reach
	dialed []string
	refuse map[string]error
}

func (w *world) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	if w.fails != nil {
		return facts.Unit{}, w.fails
	}
	if u := w.units[name]; u != nil {
		return *u, nil
	}
	return facts.Unit{Name: name, LoadState: "not-found", ActiveState: "inactive"}, nil
}

func (w *world) Units(context.Context, string) ([]string, error) {
	names := slices.Sorted(maps.Keys(w.units))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, "justnews@") }), w.fails
}

func (w *world) UnitOfPID(_ context.Context, pid int) (facts.Unit, error) {
	if u, err := w.newer, w.silent; pid == 8002 && (u.Name != "" || err != nil) {
		return u, err
	}
	if name, ok := w.pids[pid]; ok {
		return facts.Unit{Name: name}, nil
	}
	return facts.Unit{}, errors.New("no unit")
}

func (w *world) Stop(_ context.Context, unit string) (facts.Start, error) {
	if unit == w.denies {
		return facts.Start{Refused: "org.freedesktop.DBus.Error.AccessDenied", Detail: "Permission denied"}, nil
	}
	w.stops = append(w.stops, unit)
	return facts.Start{Result: "done"}, nil
}

const toml = `[instances.gpu_orchestrator]
port = 8014
[instances.mcp_bus]
port = 8000
[instances.memory]
port = 8007
[instances.scout]
port = 8002
`

const scoutUnit = "justnews@scout.service"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, units: map[string]*facts.Unit{}, pids: map[int]string{}, reach: map[string]facts.Reach{}, refuse: map[string]error{}, owners: func(int) []int { return []int{997} }}
	root := t.TempDir()
	w.job = Job{Config: load(t, toml), Units: w, Host: Host{
		Root:    root,
		Account: func(user, group string) facts.Account { return facts.Account{User: user, Group: group, UID: 997} },
		Reach: func(as facts.Account, path string, _ facts.Access) facts.Reach {
			if r, ok := w.reach[path]; ok {
				return r
			}
			return facts.Reach{Path: path, At: path, User: as.User, Known: true, OK: true}
		},
		Space:  func(path string) facts.Space { return facts.Space{Path: path, At: "/", Free: 1 << 40, Inodes: 1 << 20} },
		Limits: func() facts.Limits { return facts.Limits{SwapKnown: true, Swap: 1, OpenMax: 1 << 20} },
		Ports: func(ports []int) (map[int]facts.Port, error) {
			all := map[int]facts.Port{}
			for _, p := range ports {
				found := facts.Port{Port: p, UIDs: w.owners(p)}
				if len(found.UIDs) > 0 && !w.hidden {
					found.Processes = []facts.Process{{PID: p, Name: "python3"}}
				}
				all[p] = found
			}
			return all, nil
		},
		Dial: func(_ context.Context, address string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.dialed = append(w.dialed, address)
			return w.refuse[address]
		},
		GateOff: func() (string, bool) { return "", false },
	}}
	w.unit("justnews.target").Service.FileState = "enabled"
	w.unit("justnews-preload.service")
	for _, i := range w.job.Config.Instances {
		w.instance(i.Name, i.Port)
	}
	return w
}

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "justnews.toml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(config.Source{File: file, Owner: os.Getuid()})
	if cfg == nil {
		t.Fatal(problems)
	}
	return cfg
}

func (w *world) unit(name string) *facts.Unit {
	template := name
	if strings.HasPrefix(name, "justnews@") {
		template = "justnews@.service"
	}
	u := &facts.Unit{Name: name, LoadState: "loaded", ActiveState: "active", FragmentPath: "/usr/lib/systemd/system/" + template}
	w.units[name] = u
	return u
}

func (w *world) instance(name string, pid int) {
	uid := 997
	u := w.unit("justnews@" + name + ".service")
	u.SubState, u.MainPID, u.User, u.UID = "running", pid, "justnews", &uid
	u.TimeoutStart = 4 * time.Minute
	u.EnvironmentFiles = []string{"/etc/justnews/global.env", "/etc/justnews/" + name + ".env"}
	u.Environment = []string{"GATE_TIMEOUT=180", "XDG_CACHE_HOME=/var/cache/justnews/" + name}
	u.ExecStartPre = []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", name}}}
	u.Sandbox.PrivateTmp, u.Sandbox.ProtectHome, u.Sandbox.ProtectSystem = true, "yes", "strict"
	u.Sandbox.Writable = []string{"/var/cache/justnews/" + name}
	u.Service = facts.Service{
		Group: "justnews", FileState: "enabled-runtime", Restart: "on-failure", StartBurst: 5,
		ExecStart:   []facts.Exec{{Argv: []string{"/usr/local/bin/justnews-start-agent.sh", name}}},
		LimitNOFILE: 65536,
	}
	w.pids[pid] = u.Name
}

// write puts a file below the root.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.job.Host.Root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// every changes the units of all instances.
func (w *world) every(change func(*facts.Unit)) {
	for name, u := range w.units {
		if strings.HasPrefix(name, "justnews@") {
			change(u)
		}
	}
}

func (w *world) scout() *facts.Unit { return w.units[scoutUnit] }

func TestPreflight_HealthyHostHasNoFindings(t *testing.T) {
	if problems := Look(t.Context(), newWorld(t).job); len(problems) > 0 {
		t.Errorf("%v", problems)
	}
}

const (
	dropIn  = "/etc/systemd/system/" + scoutUnit + ".d/"
	tplDrop = "/etc/systemd/system/justnews@.service.d/"
)

// TestPreflight_EachFindingHasItsCause changes one thing on a host without findings.
func TestPreflight_EachFindingHasItsCause(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(w *world)
		code     diag.Code
		severity diag.Severity
		has      string // in the problem
	}{
		{"no template", func(w *world) { w.scout().LoadState = "not-found" }, diag.Ungated, diag.Warning, scoutUnit},
		{"an empty ExecStartPre", func(w *world) { w.scout().ExecStartPre = nil }, diag.Ungated, diag.Error, "systemctl revert -- " + scoutUnit},
		{"files newer than systemd's", func(w *world) { w.scout().NeedDaemonReload = true }, diag.NeedReload, diag.Warning, scoutUnit},
		{"a target newer than systemd's", func(w *world) { w.units["justnews.target"].NeedDaemonReload = true }, diag.NeedReload, diag.Warning, "justnews.target"},
		{"an instance that has failed", func(w *world) {
			w.scout().ActiveState, w.scout().SubState, w.scout().Result, w.scout().MainPID = "failed", "failed", "exit-code", 0
			w.listen()
		}, diag.UnitFailed, diag.Error, "exit-code"},
		{"no target", func(w *world) { delete(w.units, "justnews.target") }, diag.UnitMissing, diag.Error, "justnews.target"},
		{"a masked preload", func(w *world) { w.units["justnews-preload.service"].LoadState = "masked" }, diag.UnitMissing, diag.Error, "systemctl unmask"},
		{"a target that is not enabled", func(w *world) { w.units["justnews.target"].Service.FileState = "disabled" }, diag.UnitDisabled, diag.Warning, "systemctl enable -- justnews.target"},
		{"an instance that the target does not want", func(w *world) { w.scout().Service.FileState = "disabled" }, diag.UnitDisabled, diag.Warning, scoutUnit},
		{"an instance that is started against the configuration", func(w *world) { w.job.Config.Instances[3].Enabled = false }, diag.UnitDisabled, diag.Warning, "systemctl disable"},
		{"upstream's template", func(w *world) {
			for _, u := range w.units {
				if strings.HasPrefix(u.Name, "justnews@") {
					u.FragmentPath = "/etc/systemd/system/justnews@.service"
				}
			}
		}, diag.UnitShadowed, diag.Warning, "rm -- /etc/systemd/system/justnews@.service"},
		{"a signal that counts as success", func(w *world) { w.scout().SuccessSignals = []int{15} }, diag.UnitOpened, diag.Error, "signals [15]"},
		{"a gate that is missing and counts as passed", func(w *world) { w.scout().SuccessExitStatus = []int{203} }, diag.UnitOpened, diag.Error, "203"},
		{"a status of the gate's", func(w *world) { w.scout().SuccessExitStatus = []int{75, 130, 143} }, diag.StatusOpens, diag.Warning, "[75]"},
		{"a second gate", func(w *world) {
			w.write(dropIn+"10-x.conf", "[Service]\nExecStartPre=/opt/preflight.sh --gate-only %i\n")
			w.scout().DropInPaths = []string{dropIn + "10-x.conf"}
			w.scout().ExecStartPre = append(w.scout().ExecStartPre, facts.Exec{Argv: []string{"/opt/preflight.sh", "--gate-only", "scout"}})
		}, diag.GateDouble, diag.Warning, "set in " + dropIn + "10-x.conf"},
		{"a start limit", func(w *world) { w.scout().Service.StartLimit = time.Minute }, diag.StartLimit, diag.Warning, "can keep this instance down"},
		{"an instance without restarts", func(w *world) {
			w.write(dropIn+"10-x.conf", "[Service]\nRestart=no\n")
			w.scout().DropInPaths = []string{dropIn + "10-x.conf"}
			w.scout().Service.Restart = "no"
		}, diag.UnitSupervision, diag.Warning, "Restart=no, set in " + dropIn + "10-x.conf"},
		{"an instance that a refusal ends", func(w *world) { w.scout().Service.RestartPrevent = []int{2, 78} }, diag.UnitSupervision, diag.Warning, "RestartPreventExitStatus=[78]"},
		{"an instance that is never up", func(w *world) { w.scout().Service.Type = "oneshot" }, diag.UnitSupervision, diag.Warning, "Type=oneshot"},
		{"an instance that is always up", func(w *world) { w.scout().Service.RemainAfterExit = true }, diag.UnitSupervision, diag.Warning, "RemainAfterExit=yes"},
		{"a gate that refuses for ever", func(w *world) {
			u := w.scout()
			u.ActiveState, u.SubState, u.NRestarts, u.MainPID = "activating", "auto-restart", 9, 0
			u.ExecStartPre[0].Code, u.ExecStartPre[0].Status = 1, 78
			w.listen()
		}, diag.RestartLoop, diag.Error, "its gate exited with 78"},
		{"a file that hides the gate", func(w *world) { w.write(tplDrop+"50-justnews-gate.conf", "") }, diag.DropInMasks, diag.Error, "rm -- " + tplDrop},
		{"a link that hides an instance's settings", func(w *world) {
			w.write(dropIn+"x.conf", "[Service]\nNice=1\n")
			if err := os.Symlink("/dev/null", filepath.Join(w.job.Host.Root, dropIn, "60-justnews-instance.conf")); err != nil {
				w.t.Fatal(err)
			}
		}, diag.DropInMasks, diag.Error, "/dev/null"},
		{"the runbook's timeout", func(w *world) {
			w.write(dropIn+"05-gate-timeout.conf", "[Service]\nEnvironment=GATE_TIMEOUT=180\n")
		}, diag.DropInLeftover, diag.Notice, "gate.timeout"},
		{"the runbook's gate", func(w *world) {
			w.write(tplDrop+"10-preflight-gating.conf", "[Service]\nExecStartPre=/x\nTimeoutStartSec=300\n")
		}, diag.DropInLeftover, diag.Warning, "ExecStartPre=, TimeoutStartSec="},
		{"a drop-in that runs as root", func(w *world) { w.write(dropIn+"01-root.conf", "[Service]\nUser=root\n") }, diag.DropInLeftover, diag.Warning, "service.user"},
		{"an open quote", func(w *world) { w.write(dropIn+"90-x.conf", "[Service]\nExecStartPost=/bin/sh -c 'x\nNice=1\n") }, diag.DropInBroken, diag.Warning, "the rest of the file"},
		{"an instance that is not listed", func(w *world) {
			w.generated(facts.Generated{There: true})
			w.unit("justnews@gone.service")
		}, diag.InstanceUnknown, diag.Warning, "systemctl disable --now -- justnews@gone.service"},
		{"no generator", func(w *world) {
			w.generated(facts.Generated{Outdated: []string{"/run/systemd/generator/x"}})
		}, diag.GeneratorAbsent, diag.Error, "justnews-generator"},
		{"a generator that failed", func(w *world) {
			w.generated(facts.Generated{There: true, Outdated: []string{"/g/a"}})
			w.job.Marks = map[string]facts.Mark{"scout": {Mark: "a1", DropIns: []string{"/g/b"}}}
		}, diag.UnitUnmarked, diag.Error, "not read: b"},
		{"a unit of another configuration", func(w *world) {
			w.generated(facts.Generated{There: true, Outdated: []string{"/g/a"}})
			w.job.Marks = map[string]facts.Mark{"scout": {Mark: "a1"}}
			w.scout().Marks = []string{"b2"}
			w.scout().NeedDaemonReload = true
		}, diag.UnitStale, diag.Warning, "the mark of another configuration"},
		{"a configuration that was not reloaded", func(w *world) {
			w.generated(facts.Generated{There: true, Outdated: []string{"/g/a", "/g/b"}})
		}, diag.GeneratorStale, diag.Warning, "/g/a, and 1 more"},
		{"a file of bytes", func(w *world) { w.write("/etc/justnews/scout.env", "A=\xff\n") }, diag.EnvUnreadable, diag.Error, "not UTF-8"},
		{"a misspelt environment file", func(w *world) { w.write("/etc/justnews/scuot.env", "A=1\n") }, diag.EnvUnused, diag.Warning, "scuot.env"},
		{"an unterminated quote", func(w *world) { w.write("/etc/justnews/global.env", "A=1\nB='x\nC=1\n") }, diag.EnvSyntax, diag.Error, "global.env:2"},
		{"what no shell reads", func(w *world) { w.write("/etc/justnews/global.env", "A=(\n") }, diag.EnvSyntax, diag.Error, "start script that sources it fails"},
		{"a bare word", func(w *world) { w.write("/etc/justnews/global.env", "A=1\nhunter2\n") }, diag.EnvSyntax, diag.Warning, "not NAME=value"},
		{"a value in two words", func(w *world) { w.write("/etc/justnews/global.env", "A=my hunter2\n") }, diag.EnvSyntax, diag.Warning, "as a command"},
		{"an export", func(w *world) { w.write("/etc/justnews/global.env", "export A=1\n") }, diag.EnvSyntax, diag.Warning, "does not support export"},
		{"no name", func(w *world) { w.write("/etc/justnews/global.env", "1A=1\n") }, diag.EnvSyntax, diag.Warning, "ignores the line"},
		{"what only bash expands", func(w *world) { w.write("/etc/justnews/global.env", "X=/opt/${CANONICAL_ENV:-hunter2}\n") }, diag.EnvDiffers, diag.Warning, "expands ${CANONICAL_ENV…}"},
		{"a comment after a value", func(w *world) { w.write("/etc/justnews/global.env", "X=1 # hunter2\n") }, diag.EnvDiffers, diag.Warning, "a comment differently"},
		{"a missing interpreter", func(w *world) {
			w.write("/etc/justnews/scout.env", "PYTHON_BIN=/opt/none/bin/python\n")
			w.out("/opt/none/bin/python", "/opt/none", "does not exist")
		}, diag.EnvInterpreter, diag.Error, "/opt/none: does not exist"},
		{"an interpreter below a hidden home", func(w *world) { w.write("/etc/justnews/scout.env", "PYTHON_BIN=/home/adra/bin/python\n") }, diag.HomeHidden, diag.Error, "ProtectHome=yes"},
		{"a missing interpreter of a program", func(w *world) {
			w.write(starter, "no script")
			w.write("/etc/justnews/scout.env", "PYTHON_BIN=/opt/none/bin/python\n")
			w.out("/opt/none/bin/python", "/opt/none", "does not exist")
		}, diag.EnvInterpreter, diag.Error, "/opt/none: does not exist"},
		{"a missing conda environment", func(w *world) { w.write("/etc/justnews/scout.env", "CANONICAL_ENV=justnews-py312\n") }, diag.EnvInterpreter, diag.Warning, "PYTHON_BIN=\"/path/to/envs/justnews-py312/bin/python"},
		{"a conda environment in a home that the sandbox of this run may hide", func(w *world) {
			w.write("/etc/justnews/scout.env", "CANONICAL_ENV=justnews-py312\n")
			const path = "/root/conda/envs/justnews-py312/bin/python"
			w.reach[path] = facts.Reach{Path: path, Detail: "the sandbox of this run hides it"}
		}, diag.Unchecked, diag.Notice, "/root/conda/envs/justnews-py312/bin/python as the user justnews"},
		{"an interpreter of no name that systemd finds", func(w *world) { w.write("/etc/justnews/scout.env", "PYTHON_BIN=python9\n") }, diag.EnvInterpreter, diag.Warning, "python9"},
		{"another program on the port", func(w *world) { w.pids[8002] = "nginx.service"; w.scout().MainPID = 1 }, diag.PortTaken, diag.Error, "python3 (PID 8002) of nginx.service"},
		{"a port of an instance that is down", func(w *world) { w.scout().ActiveState, w.scout().MainPID = "inactive", 0 }, diag.PortTaken, diag.Error, "systemctl stop -- " + scoutUnit},
		{"another user on the port, and no process to be seen", func(w *world) {
			w.hidden = true
			w.listen(1000)
		}, diag.PortTaken, diag.Error, "UID 1000"},
		{"a free port", func(w *world) { w.listen() }, diag.PortSilent, diag.Notice, scoutUnit},
		{"ports that cannot be listed", func(w *world) {
			w.job.Host.Ports = func([]int) (map[int]facts.Port, error) { return nil, errors.New("no /proc/net/tcp") }
		}, diag.Unchecked, diag.Notice, "ports: no /proc/net/tcp"},
		{"little space", func(w *world) { w.free(5 << 30) }, diag.DiskSpace, diag.Warning, "left for /opt/justnews/models, /var/cache/justnews, /var/log/justnews, /var/lib/justnews 5.0 GiB"},
		{"no space", func(w *world) { w.free(100 << 20) }, diag.DiskSpace, diag.Error, "100 MiB"},
		{"no inodes", func(w *world) {
			w.job.Host.Space = func(path string) facts.Space { return facts.Space{Path: path, At: "/", Free: 1 << 40, Inodes: 3} }
		}, diag.DiskSpace, diag.Warning, "3 free inodes"},
		{"a file system that this user cannot see", func(w *world) {
			w.job.Host.Space = func(path string) facts.Space { return facts.Space{Path: path, Err: "permission denied"} }
		}, diag.Unchecked, diag.Notice, "disk space of /opt/justnews/models: permission denied"},
		{"few open files", func(w *world) { w.scout().Service.LimitNOFILE = 1024 }, diag.LimitNOFILE, diag.Warning, "LimitNOFILE=1024"},
		{"few open files in all", func(w *world) { w.limits(facts.Limits{OpenMax: 4096}) }, diag.LimitNOFILE, diag.Warning, "fs.nr_open"},
		{"no swap", func(w *world) { w.limits(facts.Limits{SwapKnown: true}) }, diag.SwapNone, diag.Notice, "swap"},
		{"a /tmp without exec", func(w *world) { w.limits(facts.Limits{TmpNoexec: true}) }, diag.TmpNoexec, diag.Warning, "/tmp"},
		{"a user that does not exist", func(w *world) {
			w.job.Config.Instances[3].Service.User = "nobody9"
			w.scout().User = "nobody9"
			was := w.job.Host.Account
			w.job.Host.Account = func(user, group string) facts.Account {
				a := was(user, group)
				if user == "nobody9" {
					a.Err = `there is no user "nobody9"`
				}
				return a
			}
		}, diag.UserUnknown, diag.Error, "create the user and the group"},
		{"an instance as root", func(w *world) { zero := 0; w.scout().User, w.scout().UID = "root", &zero; w.listen(0) }, diag.UserOther, diag.Warning, "User=root"},
		{"another user in the environment", func(w *world) { w.write("/etc/justnews/global.env", "SERVICE_USER=adra\n") }, diag.UserOther, diag.Warning, "SERVICE_USER=adra"},
		{"a missing program", func(w *world) {
			w.scout().Service.ExecStart[0].Argv[0] = "/srv/agent"
			w.out("/srv/agent", "/srv", "permission denied")
		}, diag.ServicePath, diag.Error, "justnews cannot run /srv/agent"},
		{"a missing directory", func(w *world) {
			w.scout().Service.WorkingDirectory = "/srv/x"
			w.out("/srv/x", "/srv/x", "does not exist")
		}, diag.ServicePath, diag.Error, "service.working_directory"},
		{"a working directory that is granted, and that its user cannot write", func(w *world) {
			w.job.Config.Instances[3].Service.ReadWritePaths = []string{"/srv/x"}
			w.scout().Service.WorkingDirectory, w.scout().Sandbox.Writable = "/srv/x", append(w.scout().Sandbox.Writable, "/srv/x")
			was := w.job.Host.Reach
			w.job.Host.Reach = func(as facts.Account, path string, want facts.Access) facts.Reach {
				r := was(as, path, want)
				if path == "/srv/x" && want == facts.Write {
					r.OK, r.Detail = false, "permission denied"
				}
				return r
			}
		}, diag.DirectoryReadOnly, diag.Warning, "/srv/x: permission denied"},
		{"a configuration that only root can read", func(w *world) {
			file := w.job.Config.Files[0]
			w.out(file, file, "permission denied")
		}, diag.ConfigUnreadable, diag.Error, "chmod a+r -- "},
		{"a map in a directory that only root can search", func(w *world) { w.out(modelMap, "/etc/justnews", "permission denied") }, diag.MapUnreadable, diag.Error, "chmod a+x -- /etc/justnews; justnews-gate retry"},
		{"a program below a hidden home", func(w *world) { w.scout().Service.ExecStart[0].Argv[0] = "/home/adra/start.sh" }, diag.HomeHidden, diag.Error, "protect_home"},
		{"a directory that no bind brings in", func(w *world) {
			w.scout().Sandbox.ProtectHome, w.scout().Service.WorkingDirectory = "tmpfs", "/home/adra/x"
		}, diag.HomeHidden, diag.Error, "ProtectHome=tmpfs"},
		{"a store in a private /tmp", func(w *world) { w.job.Config.Models.Root = "/var/tmp/models" }, diag.StoreRoot, diag.Error, "hidden by PrivateTmp= of the unit"},
		{"a store below a link to a private /tmp", func(w *world) {
			w.job.Config.Models.Root = "/srv/store/models"
			if err := errors.Join(os.MkdirAll(filepath.Join(w.job.Host.Root, "srv"), 0o755), os.Symlink("/var/tmp/disk", filepath.Join(w.job.Host.Root, "srv/store"))); err != nil {
				w.t.Fatal(err)
			}
		}, diag.StoreRoot, diag.Error, "/srv/store/models, which leads to /var/tmp/disk/models, PrivateTmp=yes"},
		{"a store that a bind mount replaces", func(w *world) {
			w.units["justnews@gpu_orchestrator.service"].Sandbox.Source = map[string]string{"/var/lib": "/var/lib", "/var/lib/justnews": "/data/justnews", "/data": "/x"}
			w.scout().Sandbox.Source = map[string]string{"/": "/image"}
			w.job.Config.Models.Root = "/var/lib/justnews/models"
		}, diag.StoreRoot, diag.Warning, "set models.root = \"/data/justnews/models\""},
		{"a store that is hidden from the orchestrator alone", func(w *world) {
			w.units["justnews@gpu_orchestrator.service"].Sandbox.Emptied = []string{"/opt"}
		}, diag.StoreRoot, diag.Error, "hidden by TemporaryFileSystem= of the unit"},
		{"a map that is inaccessible", func(w *world) { w.every(func(u *facts.Unit) { u.Sandbox.Inaccessible = []string{"/etc/justnews"} }) }, diag.MapUnreadable, diag.Error, "InaccessiblePaths="},
		{"a need that is hidden", func(w *world) {
			w.job.Config.Probes = map[string]config.Probe{"mount": {Name: "mount", Kind: "path", Path: "/srv/x"}}
			w.job.Config.Instances[3].Needs = []string{"mount"}
			w.scout().Sandbox.Emptied = []string{"/srv"}
		}, diag.NeedUnmet, diag.Error, "hidden by TemporaryFileSystem= of the unit"},
		{"a program below a link to a private /tmp", func(w *world) {
			w.reach["/usr/local/bin/justnews-start-agent.sh"] = facts.Reach{Path: "/usr/local/bin/justnews-start-agent.sh", Leads: "/tmp/agent", Known: true, OK: true}
		}, diag.ServicePath, diag.Error, "which leads to /tmp/agent"},
		{"a program in a private /tmp", func(w *world) { w.scout().Service.ExecStart[0].Argv[0] = "/tmp/agent" }, diag.ServicePath, diag.Error, "hidden by PrivateTmp="},
		{"an instance that may not use IP", func(w *world) {
			w.scout().Sandbox.OnlyFamilies, w.scout().Sandbox.Families = true, []string{"AF_UNIX"}
			w.job.Config.Instances[3].RequireBus, w.job.Config.Instances[3].RequireModels = false, true
		}, diag.OrchestratorUnreachable, diag.Error, "RestrictAddressFamilies= of the unit forbids it to connect to the orchestrator"},
		{"a directory of logs outside the sandbox", func(w *world) { w.write("/etc/justnews/scout.env", "LOG_DIR=/srv/log\n") }, diag.DirectoryReadOnly, diag.Warning, "/srv/log"},
		{"logs next to a checkout", func(w *world) {
			w.write("/etc/justnews/global.env", "SERVICE_DIR=/srv/JustNews\n")
			w.write("/srv/JustNews/agents/x", "")
			w.write("/srv/JustNews/common/observability.py", "")
			w.out("/srv/JustNews", "/srv/JustNews", "permission denied") // as before
		}, diag.DirectoryReadOnly, diag.Warning, "/srv/logs"},
		{"a pipe directory in a private /tmp", func(w *world) {
			w.job.Config.Instances[3].MPS.Enabled = true
			w.write("/etc/justnews/scout.env", "CUDA_MPS_PIPE_DIRECTORY=/tmp/nvidia-mps\n")
		}, diag.MPSEnvironment, diag.Error, "remove CUDA_MPS_PIPE_DIRECTORY from the environment files"},
		{"a user whose shared memory is removed", func(w *world) {
			was, limits := w.job.Host.Account, w.job.Host.Limits()
			w.job.Host.Account = func(user, group string) facts.Account {
				a := was(user, group)
				a.UID = 1000
				return a
			}
			uid := 1000
			w.every(func(u *facts.Unit) { u.UID = &uid })
			limits.RemoveIPC = true
			w.job.Host.Limits = func() facts.Limits { return limits }
		}, diag.IPCRemoved, diag.Warning, "loginctl enable-linger -- justnews"},
		{"a user's downloads", func(w *world) { w.downloads("/home/adra", "model") }, diag.HomeHidden, diag.Warning, "/home/adra/.cache/huggingface"},
		{"a cache below a home", func(w *world) { w.write("/etc/justnews/scout.env", "TRITON_CACHE_DIR=/home/adra/.triton\n") }, diag.CacheReadOnly, diag.Warning, "ProtectHome=yes"},
		{"a cache outside the sandbox", func(w *world) { w.write("/etc/justnews/scout.env", "CUDA_CACHE_PATH=/srv/cuda\n") }, diag.CacheReadOnly, diag.Warning, "ProtectSystem=strict"},
		{"a cache that its user cannot write", func(w *world) {
			w.out("/var/cache/justnews/scout", "/var/cache/justnews/scout", "permission denied")
		}, diag.CacheReadOnly, diag.Warning, "permission denied"},
		{"a database that is down", func(w *world) {
			w.write("/etc/justnews/global.env", "DATABASE_URL=postgresql://u:hunter2@db.example/justnews\n")
			w.refuse["db.example:5432"] = errors.New("connection refused")
		}, diag.DatabaseDown, diag.Error, "db.example:5432"},
		{"a database that only a file elsewhere names", func(w *world) {
			w.write("/srv/secrets/db", "DATABASE_URL=postgresql://u:hunter2@db.example/justnews\n")
			w.scout().EnvironmentFiles = append(w.scout().EnvironmentFiles, "/srv/secrets/*")
			w.refuse["db.example:5432"] = errors.New("connection refused")
		}, diag.DatabaseDown, diag.Error, "db.example:5432"},
		{"a mariadb that is down", func(w *world) {
			w.write("/etc/justnews/memory.env", "MARIADB_HOST=db\nMARIADB_PORT=3307\nMARIADB_PASSWORD=hunter2\n")
			w.refuse["db:3307"] = errors.New("connection refused")
		}, diag.DatabaseDown, diag.Error, "db:3307"},
		{"an invalid database URL", func(w *world) {
			w.write("/etc/justnews/global.env", "JUSTNEWS_DB_URL='postgresql://u:hunter2#x@h/d'\n")
		}, diag.DatabaseURL, diag.Error, "percent-encoded"},
		{"a scheme of no database", func(w *world) { w.write("/etc/justnews/global.env", "DATABASE_URL=http://u:hunter2@h/d\n") }, diag.DatabaseURL, diag.Error, "the scheme is not"},
		{"a store of its own", func(w *world) { w.write("/etc/justnews/scout.env", "MODEL_STORE_ROOT=/srv/other\n") }, diag.StoreRoot, diag.Warning, "/srv/other"},
		{"timeouts that contradict each other", func(w *world) { w.write("/etc/justnews/scout.env", "GATE_TIMEOUT=900\n") }, diag.TimeoutConflict, diag.Warning, "900"},
		{"an invalid timeout", func(w *world) { w.write("/etc/justnews/global.env", "GATE_TIMEOUT=soon\n") }, diag.ConfigEnvironment, diag.Error, "GATE_TIMEOUT"},
		{"the switch on the kernel command line", func(w *world) {
			w.job.Host.GateOff = func() (string, bool) { return "/proc/cmdline", true }
		}, diag.GateOff, diag.Warning, "/proc/cmdline"},
		{"what only root can try", func(w *world) {
			w.reach["/usr/local/bin/justnews-start-agent.sh"] = facts.Reach{Path: "/x", Detail: "only root can check access as another user"}
		}, diag.Unchecked, diag.Notice, "everything: /usr/local/bin/justnews-start-agent.sh as the user justnews (only root"},
		{"a systemd that does not answer", func(w *world) { w.fails = errors.New("no answer") }, diag.NoSystemd, diag.Warning, "no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.change(w)
			problems := Look(t.Context(), w.job)
			if len(problems) != 1 {
				t.Fatalf("%d findings, want 1: %v", len(problems), problems)
			}
			p := problems[0]
			all := fmt.Sprintf("%s %s %s %s", p, p.Seen, p.Expected, p.Fix.String())
			if p.Code != c.code || p.Severity != c.severity || !strings.Contains(all, c.has) {
				t.Errorf("got %s %s, want %s %s with %q", p.Severity, all, c.severity, c.code, c.has)
			}
			if strings.Contains(all, "hunter2") {
				t.Errorf("a secret is shown: %s", all)
			}
			if p.Fix.String() == "" || p.Code.Area() == "this run" {
				t.Errorf("an unfinished problem: %+v", p)
			}
			reset, start := strings.Index(p.Fix.String(), "systemctl reset-failed"), strings.Index(p.Fix.String(), "systemctl start justnews")
			if start >= 0 && (reset < 0 || reset > start) {
				t.Errorf("a tripped start limit refuses this fix: %s", p.Fix.String())
			}
		})
	}
}

func (w *world) generated(g facts.Generated) {
	w.job.Generated = func([]facts.EnvFile) facts.Generated { return g }
}

// looks sets what each look at the generator's files finds.
func (w *world) looks(all ...facts.Generated) {
	w.job.Generated = func([]facts.EnvFile) (g facts.Generated) {
		g, all = all[0], all[1:]
		return g
	}
}

// out makes a path unreachable.
func (w *world) out(path, at, detail string) {
	w.reach[path] = facts.Reach{Path: path, At: at, Detail: detail, User: "justnews", Known: true}
}

// downloads gives every user a home with files in a cache.
func (w *world) downloads(home string, files ...string) {
	was := w.job.Host.Account
	w.job.Host.Account = func(user, group string) facts.Account {
		a := was(user, group)
		a.Home = home
		return a
	}
	if err := os.MkdirAll(filepath.Join(w.job.Host.Root, home, ".cache/huggingface"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	for _, name := range files {
		w.write(filepath.Join(home, ".cache/huggingface", name), "")
	}
}

func (w *world) limits(l facts.Limits) { w.job.Host.Limits = func() facts.Limits { return l } }

func (w *world) free(bytes uint64) {
	w.job.Host.Space = func(path string) facts.Space { return facts.Space{Path: path, At: "/", Free: bytes, Inodes: 1 << 20} }
}

// listen sets who listens on scout's port; the other ports have their own owners.
func (w *world) listen(uids ...int) {
	w.owners = func(p int) []int {
		if p == 8002 {
			return uids
		}
		return []int{997}
	}
}

func TestPreflight_ChangeDuringTheLookIsNoFinding(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"an instance that is started": func(w *world) {
			w.scout().ActiveState, w.scout().MainPID = "inactive", 0
			w.newer = facts.Unit{Name: scoutUnit, ActiveState: "active", MainPID: 8002}
		},
		"a reload":  func(w *world) { w.looks(facts.Generated{Outdated: []string{"/g/a"}}, facts.Generated{There: true}) },
		"no reload": func(w *world) { w.looks(facts.Generated{There: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			change(w)
			if problems := Look(t.Context(), w.job); len(problems) > 0 {
				t.Errorf("%v", problems)
			}
		})
	}
}

func TestPreflight_UnansweredQuestionIsNoFinding(t *testing.T) {
	w := newWorld(t)
	w.scout().MainPID = 1
	w.silent = fmt.Errorf("%w: context deadline exceeded", systemd.ErrUnreachable)
	account := w.job.Host.Account
	w.job.Host.Account = func(user, group string) facts.Account {
		a := account(user, group)
		a.Err, a.Unasked = "getent passwd justnews did not answer within 2s", true
		return a
	}
	problems := Look(t.Context(), w.job)
	if !slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Code == diag.Unchecked && strings.Contains(p.Message, "ports") }) {
		t.Errorf("the ports were not checked: %v", problems)
	}
	for _, p := range problems {
		if p.Severity == diag.Error || p.Code == diag.UserUnknown && p.Message != "could not look up its user or group" {
			t.Errorf("%+v", p)
		}
	}
}

func TestPreflight_ForeignUnitsAreIgnored(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"an administrator's own drop-in": func(w *world) { w.write(dropIn+"override.conf", "[Service]\nMemoryMax=8G\n") },
		"a good environment":             func(w *world) { w.write("/etc/justnews/global.env", "A='x y'\nB=2\n# c\nC=\"d\"\n") },
		"a database that answers":        func(w *world) { w.write("/etc/justnews/global.env", "DATABASE_URL=mysql+pymysql://u:p@db/x\n") },
		"a database in a file":           func(w *world) { w.write("/etc/justnews/global.env", "DATABASE_URL=sqlite:////var/lib/x.db\n") },
		"a database behind a socket": func(w *world) {
			w.write("/etc/justnews/global.env", "DATABASE_URL=postgresql:///x?host=/run/postgresql\n")
		},
		"a database check that is skipped": func(w *world) {
			w.write("/etc/justnews/global.env", "MARIADB_HOST=db\nSKIP_MARIADB_CHECK=1\n")
			w.refuse["db:3306"] = errors.New("x")
		},
		"a user without downloads": func(w *world) { w.downloads("/home/adra") },
		"a user without a home":    func(w *world) { w.downloads("", "model") },
		"an interpreter that the start script does not read": func(w *world) {
			w.write(starter, "#!/bin/sh\nexec /opt/agent\n")
			w.write("/etc/justnews/scout.env", "PYTHON_BIN=/opt/none/bin/python\n")
			w.out("/opt/none/bin/python", "/opt/none", "does not exist")
		},
		"a conda environment of a person": func(w *world) {
			w.write("/etc/justnews/scout.env", "CANONICAL_ENV=justnews-py312\n")
			w.write("/home/adra/miniconda3/envs/justnews-py312/bin/python", "")
			w.scout().Sandbox.ProtectHome = "read-only"
		},
		"a cache in a private /tmp":         func(w *world) { w.write("/etc/justnews/scout.env", "CUDA_CACHE_PATH=/tmp/cuda\n") },
		"a cache that systemd will make":    func(w *world) { w.out("/var/cache/justnews/scout", "/var/cache", "permission denied") },
		"143, which is no status of a gate": func(w *world) { w.scout().SuccessExitStatus = []int{143} },
		"a home that is read-only": func(w *world) {
			w.scout().Sandbox.ProtectHome, w.scout().Service.WorkingDirectory = "read-only", "/home/adra"
		},
		"a home that is bound in": func(w *world) {
			w.scout().Sandbox.ProtectHome, w.scout().Service.WorkingDirectory = "tmpfs", "/home/adra/x"
			w.scout().Sandbox.Bound = []string{"/home/adra"}
		},
		"a program that reports that it is ready": func(w *world) { w.scout().Service.Type = "notify" },
		"an instance that came back":              func(w *world) { w.scout().NRestarts = 40 },
		"the user by its number":                  func(w *world) { w.scout().User = "997" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			change(w)
			if problems := Look(t.Context(), w.job); len(problems) > 0 {
				t.Errorf("%v", problems)
			}
		})
	}
}

func TestPreflight_UserOfADropInExistsOrIsDynamic(t *testing.T) {
	for _, c := range []struct {
		name, user, group string
		dynamic           bool
		want              []string
	}{
		{"a user that does not exist", "nosuch", "", false, []string{"error USER-UNKNOWN", "warning USER-OTHER"}},
		{"a group that does not exist", "justnews", "nosuch", false, []string{"error USER-UNKNOWN"}},
		{"a dynamic user", "nosuch", "nosuch", true, []string{"warning USER-UNKNOWN", "warning USER-OTHER"}},
		{"the last dynamic user", "last", "last", true, []string{"warning USER-UNKNOWN", "warning USER-OTHER"}},
		{"a dynamic user that is there", "running", "running", true, []string{"warning USER-UNKNOWN", "warning USER-OTHER"}},
		{"a user that exists all the time", "justnews", "justnews", true, nil},
		{"another group", "justnews", "users", false, nil},
	} {
		w := newWorld(t)
		w.job.Host.Account = func(user, group string) facts.Account {
			a := facts.Account{User: user, Group: group, UID: 997}
			if user == "nosuch" || group == "nosuch" {
				a.Err = "there is none"
			}
			switch user {
			case "running":
				a.UID = firstDynamic
			case "last":
				a.UID = lastDynamic
			}
			return a
		}
		w.scout().User, w.scout().Service.Group, w.scout().Service.DynamicUser = c.user, c.group, c.dynamic
		var got []string
		for _, p := range Look(t.Context(), w.job) {
			got = append(got, fmt.Sprintf("%s %s", p.Severity, p.Code))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPreflight_PathsAreTriedAsTheUserOfTheUnit(t *testing.T) {
	w := newWorld(t)
	w.scout().User = "alice"
	w.job.Host.Reach = func(as facts.Account, path string, _ facts.Access) facts.Reach {
		return facts.Reach{Path: path, At: path, User: as.User, Known: true, OK: as.User == "justnews", Detail: "permission denied"}
	}
	problems := Look(t.Context(), w.job)
	if !slices.ContainsFunc(problems, func(p diag.Problem) bool {
		return p.Code == diag.ServicePath && p.Subject == scoutUnit && strings.Contains(p.Fix.Advice, `"alice"`)
	}) {
		t.Errorf("%v", problems)
	}
}

// memory is both a word of messages and the name of an instance.
func TestPreflight_InstanceWithACommonNameIsFolded(t *testing.T) {
	w := newWorld(t)
	for name, u := range w.units {
		if strings.HasPrefix(name, "justnews@") {
			u.Sandbox.ProtectHome, u.Service.WorkingDirectory = "yes", "/home/adra"
		}
	}
	problems := Look(t.Context(), w.job)
	if len(problems) != 1 || !strings.Contains(problems[0].Subject, "memory") || !strings.Contains(problems[0].Subject, "scout") {
		t.Errorf("%+v", problems)
	}
}

// An instance may have the name of a word of every message, or of the units.
func TestPreflight_FindingsOfInstancesWithCommonNamesAreFolded(t *testing.T) {
	names := []string{"env", "gate", "justnews", "memory", "service", "systemd", "the"}
	for what, c := range map[string]struct {
		change func(w *world, u *facts.Unit)
		code   diag.Code
		fix    string // as it is printed, of the first instance
	}{
		"a hidden home": {func(_ *world, u *facts.Unit) { u.Service.WorkingDirectory = "/home/adra" }, diag.HomeHidden, ""},
		"few open files": {func(_ *world, u *facts.Unit) { u.Service.LimitNOFILE = 1024 }, diag.LimitNOFILE,
			"set service.limit_nofile = 65536 in /etc/justnews/justnews.toml, and no LimitNOFILE= of your own, then: systemctl daemon-reload"},
		"a start limit": {func(_ *world, u *facts.Unit) { u.Service.StartLimit = time.Minute }, diag.StartLimit,
			"remove the start limit (systemctl cat -- justnews@env.service), then: systemctl daemon-reload"},
		"a second gate": {func(_ *world, u *facts.Unit) {
			u.ExecStartPre = append(u.ExecStartPre, facts.Exec{Argv: []string{"/opt/preflight.sh", unitname.Instance(u.Name)}})
		}, diag.GateDouble, "remove its ExecStartPre= line (systemctl cat -- justnews@env.service), then: systemctl daemon-reload"},
		"a cache of its own": {func(w *world, u *facts.Unit) {
			path := "/var/cache/justnews/" + unitname.Instance(u.Name)
			w.out(path, path, "permission denied")
		}, diag.CacheReadOnly, ""},
	} {
		w := newWorld(t)
		w.units = map[string]*facts.Unit{"justnews.target": w.units["justnews.target"], "justnews-preload.service": w.units["justnews-preload.service"]}
		text := toml
		for n, name := range names {
			if name != "memory" {
				text += fmt.Sprintf("[instances.%s]\nport = %d\n", name, 9000+n)
			}
		}
		w.job.Config = load(t, text)
		for _, i := range w.job.Config.Instances {
			w.instance(i.Name, i.Port)
		}
		for _, name := range names {
			c.change(w, w.units[unitname.Of(name)])
		}
		problems := Look(t.Context(), w.job)
		if len(problems) != 1 || problems[0].Code != c.code || problems[0].Subject != "justnews@env.service and also gate, justnews, memory, service, systemd, the" {
			t.Errorf("%s: %v", what, problems)
		} else if c.fix != "" && problems[0].Fix.String() != c.fix {
			t.Errorf("%s: fix %q", what, problems[0].Fix.String())
		}
	}
}

func TestPreflight_SharedFindingIsReportedOnce(t *testing.T) {
	w := newWorld(t)
	for _, name := range slices.Sorted(maps.Keys(w.units)) {
		if u := w.units[name]; strings.HasPrefix(name, "justnews@") {
			u.Service.LimitNOFILE = 1024
		}
	}
	problems := Look(t.Context(), w.job)
	if len(problems) != 1 || !strings.Contains(problems[0].Subject, "gpu_orchestrator.service and also mcp_bus, memory, scout") {
		t.Errorf("%v", problems)
	}
}

func TestPreflight_WithoutSystemdOnlyTheHostIsChecked(t *testing.T) {
	w := newWorld(t)
	w.job.Units = nil
	w.write("/etc/justnews/global.env", "DATABASE_URL=postgresql://u:p@db/x\n")
	w.write(tplDrop+"50-justnews-gate.conf", "")
	w.refuse["db:5432"] = errors.New("connection refused")
	w.free(1 << 20)
	var codes []diag.Code
	for _, p := range Look(t.Context(), w.job) {
		codes = append(codes, p.Code)
	}
	if !slices.Equal(codes, []diag.Code{diag.DiskSpace, diag.DatabaseDown}) {
		t.Errorf("%v", codes)
	}
}

func TestPreflight_PathHiddenByItsOwnSandboxIsNotMissing(t *testing.T) {
	for path, c := range map[string]struct {
		detail string
		known  bool
	}{
		"/home/adra/x": {"permission denied", false}, "/tmp/x": {"does not exist", false}, "/var/cache/x": {"read-only file system", false},
		"/opt/x": {"does not exist", true}, "/homes/x": {"does not exist", true},
	} {
		if got := unlessHidden(facts.Reach{Path: path, Known: true, Detail: c.detail}); got.Known != c.known {
			t.Errorf("%s: %+v", path, got)
		}
		if got := unlessHidden(facts.Reach{Path: path, Known: true, OK: true}); !got.Known {
			t.Errorf("%s, which is within reach: %+v", path, got)
		}
	}
}

func TestPreflight_EachDatabaseIsTriedOnce(t *testing.T) {
	w := newWorld(t)
	w.write("/etc/justnews/global.env", "DATABASE_URL=postgresql://u:p@db/x\n")
	w.write("/etc/justnews/scout.env", "DATABASE_URL=postgresql://u:p@other/x\n")
	Look(t.Context(), w.job)
	if slices.Sort(w.dialed); !slices.Equal(w.dialed, []string{"db:5432", "other:5432"}) {
		t.Errorf("%q", w.dialed)
	}
}

func TestPreflight_HangingDiskDoesNotBlockOtherChecks(t *testing.T) {
	w := newWorld(t)
	w.listen()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		w.job.Host.Space = func(string) facts.Space { <-hang; return facts.Space{} }
		began := time.Now()
		problems := Look(t.Context(), w.job)
		if took := time.Since(began); took != limit {
			t.Errorf("took %v", took)
		}
		var codes []diag.Code
		for _, p := range problems {
			codes = append(codes, p.Code)
		}
		if !slices.Contains(codes, diag.Unchecked) || !strings.Contains(fmt.Sprint(problems), "disk space: no answer") {
			t.Errorf("%v", problems)
		}
	})
}

func TestPreflight_SilentDatabaseIsGivenUpSoon(t *testing.T) {
	w := newWorld(t)
	w.write("/etc/justnews/global.env", "DATABASE_URL=postgresql://u:p@db/x\n")
	synctest.Test(t, func(t *testing.T) {
		w.job.Host.Dial = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		problems := Look(t.Context(), w.job)
		if took := time.Since(began); took != dialLimit || len(problems) != 1 || problems[0].Code != diag.DatabaseDown {
			t.Errorf("after %v: %v", took, problems)
		}
	})
}

func TestPreflight_GuardedUnitIsJudgedByItsGate(t *testing.T) {
	const client = "client.service"
	for what, c := range map[string]struct {
		change func(*facts.Unit)
		want   diag.Code
	}{
		"nothing":      {func(*facts.Unit) {}, ""},
		"no gate":      {func(u *facts.Unit) { u.ExecStartPre = nil }, diag.Ungated},
		"no such unit": {func(u *facts.Unit) { *u = facts.Unit{Name: client, LoadState: "not-found"} }, diag.Ungated},
		"the generator's": {func(u *facts.Unit) {
			u.DropInPaths = []string{"/run/systemd/generator/" + client + ".d/50-justnews-guard.conf"}
		}, diag.GuardVolatile},
		"no restart":      {func(u *facts.Unit) { u.Service.Restart = "no" }, diag.GuardRestart},
		"a short timeout": {func(u *facts.Unit) { u.TimeoutStart = 90 * time.Second }, diag.TimeoutConflict},
		"a refusal": {func(u *facts.Unit) {
			u.ActiveState = "failed"
			u.ExecStartPre[0].Code, u.ExecStartPre[0].Status = facts.CodeExited, 78
		}, diag.UnitFailed},
		"a private network": {func(u *facts.Unit) { u.Sandbox.PrivateNetwork = true }, diag.OrchestratorUnreachable},
	} {
		w := newWorld(t)
		w.job.Config = load(t, toml+"[guards.client]\nunit = \""+client+"\"\n")
		u := w.unit(client)
		u.TimeoutStart, u.Service.Restart = 5*time.Minute, "on-failure"
		u.ExecStartPre = []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", client}}}
		c.change(u)
		problems := Look(t.Context(), w.job)
		if c.want == "" && len(problems) > 0 || c.want != "" && (len(problems) != 1 || problems[0].Code != c.want || !strings.Contains(problems[0].Subject, client)) {
			t.Errorf("%s: %v", what, problems)
		}
	}
}

func TestPreflight_SecondGateOfTheTemplateIsReportedOnce(t *testing.T) {
	w := newWorld(t)
	w.every(func(u *facts.Unit) {
		u.ExecStartPre = append(u.ExecStartPre, facts.Exec{Argv: []string{"/opt/preflight.sh", "--gate-only", unitname.Instance(u.Name)}})
	})
	problems := Look(t.Context(), w.job)
	problems = slices.DeleteFunc(problems, func(p diag.Problem) bool { return p.Code != diag.GateDouble })
	if len(problems) != 1 || !strings.Contains(problems[0].Subject, "gpu_orchestrator.service and also mcp_bus, memory, scout") {
		t.Errorf("%+v", problems)
	}
}
