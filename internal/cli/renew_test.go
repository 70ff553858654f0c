// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/requirement"
)

// unitsByName is a systemd that knows these units and no others.
type unitsByName map[string]facts.Unit

func (u unitsByName) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	if known, ok := u[name]; ok {
		return known, nil
	}
	return facts.Unit{}, errors.New("no such unit")
}

// Units lists all of them.
func (u unitsByName) Units(context.Context, string) ([]string, error) {
	return slices.Sorted(maps.Keys(u)), nil
}

const renewConfig = `[models]
map = "/etc/justnews/map.json"
[instances.gpu_orchestrator]
[instances.mcp_bus]
[instances.scout]
[instances.dashboard]
require_models = false
`

// A server is restarted only if it certainly runs with another configuration than it
// would be started with, and if nothing uses it.
func TestRenew_OnlyUnusedServersAreRenewed(t *testing.T) {
	const orchestrator, bus, scout = "justnews@gpu_orchestrator.service", "justnews@mcp_bus.service", "justnews@scout.service"
	const dashboard = "justnews@dashboard.service"
	dir := t.TempDir()
	file := filepath.Join(dir, "global.env")
	before, now := configured(t, dir, "[gate]\ntimeout = \"20s\"\n"+renewConfig), configured(t, dir, renewConfig)
	before.Models.Map, now.Models.Map = filepath.Join(dir, "map.json"), filepath.Join(dir, "map.json")
	for name, c := range map[string]struct {
		started *config.Config                    // what the orchestrator was started with
		due     bool                              // a daemon-reload, as it was started
		after   func(units unitsByName, run *app) // what has happened since
		want    []string
	}{
		"nothing has changed":                                {started: now},
		"the configuration has":                              {started: before, want: []string{orchestrator}},
		"the configuration had been corrected as it started": {started: before, due: true, want: []string{orchestrator}},
		"a file of the unit had changed as it started":       {started: now, due: true, want: []string{orchestrator}},
		"and an instance is up":                              {started: before, after: func(u unitsByName, _ *app) { changed(u, scout, func(u *facts.Unit) { u.MainPID = 7 }) }},
		"and an instance is up that did not wait for it": {
			started: before, after: func(u unitsByName, _ *app) { changed(u, dashboard, func(u *facts.Unit) { u.MainPID = 9 }) }, want: []string{orchestrator},
		},
		"and an instance is up that left the configuration": {started: before, after: func(u unitsByName, _ *app) {
			changed(u, "justnews@old.service", func(u *facts.Unit) { u.MainPID = 10 })
		}},
		"and the bus is up, which does not use it": {
			started: before, after: func(u unitsByName, _ *app) { changed(u, bus, func(u *facts.Unit) { u.MainPID = 8 }) }, want: []string{orchestrator},
		},
		"and it is being started": {started: before, after: func(u unitsByName, _ *app) {
			changed(u, orchestrator, func(u *facts.Unit) { u.ActiveState = "activating" })
		}},
		"and it was restarted since": {started: before, after: func(u unitsByName, _ *app) {
			changed(u, orchestrator, func(u *facts.Unit) { u.InvocationID = "other" })
		}},
		"and it has just started": {started: before, after: func(u unitsByName, _ *app) {
			changed(u, orchestrator, func(u *facts.Unit) { u.Times.ActiveEnter = host.Monotonic() })
		}},
		"and systemd has not read it": {started: before, after: func(u unitsByName, _ *app) {
			changed(u, orchestrator, func(u *facts.Unit) { u.Marks = []string{"another"} })
		}},
		"and a file of the unit has not been read": {started: before, after: func(u unitsByName, _ *app) {
			changed(u, orchestrator, func(u *facts.Unit) { u.NeedDaemonReload = true })
		}},
		"an environment file has":          {started: now, after: func(unitsByName, *app) { replaced(t, file) }, want: []string{orchestrator}},
		"the map has, which it reads once": {started: now, after: func(unitsByName, *app) { replaced(t, filepath.Join(dir, "map.json")) }, want: []string{orchestrator}},
		"an environment file is gone": {started: now, after: func(unitsByName, *app) {
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}, want: []string{orchestrator}},
		"an administrator's drop-in was added": {started: now, after: func(u unitsByName, _ *app) {
			changed(u, orchestrator, func(u *facts.Unit) {
				other := filepath.Join(dir, "override.conf")
				replaced(t, other)
				u.DropInPaths = append(slices.Clone(u.DropInPaths), other)
			})
		}, want: []string{orchestrator}},
		"the record is not ours": {started: before, after: func(_ unitsByName, a *app) {
			if err := os.WriteFile(filepath.Join(a.SharedDir, "started-gpu_orchestrator.json"), []byte("[]"), 0o600); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			replaced(t, file)
			a := &app{Machine: Machine{SharedDir: t.TempDir()}}
			units := unitsByName{scout: {Name: scout, ActiveState: "activating"}, bus: {Name: bus, ActiveState: "activating"}}
			units[dashboard] = facts.Unit{Name: dashboard, ActiveState: "activating"}
			units[orchestrator] = running(t, c.started, file)
			own := units[orchestrator]
			own.NeedDaemonReload = c.due
			a.leaveStart(t.Context(), c.started, "gpu_orchestrator", &own)
			units[orchestrator] = running(t, now, file)
			if c.after != nil {
				c.after(units, a)
			}
			if got := a.outdated(t.Context(), now, units); !slices.Equal(got, c.want) {
				t.Errorf("outdated: %v; want %v", got, c.want)
			}
		})
	}
}

// A gate asks rarely, and leaves a request only if there is something to do.
func TestRenew_IsRequestedOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "global.env")
	replaced(t, file)
	now := configured(t, dir, renewConfig)
	a := &app{Machine: Machine{SharedDir: t.TempDir()}, Globals: Globals{ConfigFile: place(filepath.Join(dir, "justnews.toml"))}}
	const orchestrator = "justnews@gpu_orchestrator.service"
	units := unitsByName{
		orchestrator:               running(t, now, file),
		"justnews@scout.service":   {ActiveState: "activating"},
		"justnews@mcp_bus.service": {ActiveState: "activating"},
	}
	own := units[orchestrator]
	a.leaveStart(t.Context(), now, "gpu_orchestrator", &own)
	request := filepath.Join(a.SharedDir, "renew.json")
	a.renewal(scoutsGate(), now, &facts.Unit{Name: "justnews@scout.service"}, units)(t.Context())
	if _, err := os.Lstat(request); err == nil {
		t.Fatal("a request although nothing has changed")
	}
	replaced(t, file)
	a.renewal(scoutsGate(), now, &facts.Unit{Name: "justnews@scout.service"}, units)(t.Context())
	if _, err := os.Lstat(request); err == nil {
		t.Error("compared again before its time")
	}
	a.compareNext = time.Time{}
	a.renewal(scoutsGate(), now, &facts.Unit{Name: "justnews@scout.service"}, units)(t.Context())
	if _, err := os.Lstat(request); err != nil {
		t.Error(err)
	}
}

// An agent can write the record, and reads as much of it as the rest.
func TestPrestart_StartedValuesNeverOpen(t *testing.T) {
	if (gate.Started{}).Outdated(facts.Unit{ActiveState: "active"}, gate.Started{Mark: "m"}) {
		t.Error("a server without a record is restarted")
	}
	// A valid record with other files, as an agent can write it.
	forged := gate.Started{Invocation: "one", Mark: "m"}
	if !forged.Outdated(facts.Unit{ActiveState: "active", InvocationID: "one"}, gate.Started{Mark: "m", Files: map[string]string{"/x": "1 2 3"}}) {
		t.Error("a file that was added is not seen")
	}
}

func changed(units unitsByName, name string, f func(*facts.Unit)) {
	u := units[name]
	f(&u)
	units[name] = u
}

// replaced puts a new file in the place of another one.
func replaced(t *testing.T, path string) {
	t.Helper()
	was, _ := os.Stat(path)
	for i := range 3 { // a freed inode may be taken again
		temporary := path + strconv.Itoa(i)
		if err := os.WriteFile(temporary, []byte(time.Now().String()), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temporary, path); err != nil {
			t.Fatal(err)
		}
		if is, err := os.Stat(path); err == nil && (was == nil || !os.SameFile(was, is)) {
			return
		}
	}
}

func configured(t *testing.T, dir, text string) *config.Config {
	t.Helper()
	path := filepath.Join(dir, "justnews.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(config.Source{File: path, Owner: os.Getuid()})
	if cfg == nil || len(diag.Errors(problems)) > 0 {
		t.Fatal(problems)
	}
	return cfg
}

// running is the orchestrator's unit, as systemd has read it.
func running(t *testing.T, cfg *config.Config, environment string) facts.Unit {
	t.Helper()
	want, problems := wantedMark(cfg, "gpu_orchestrator")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return facts.Unit{
		Name: "justnews@gpu_orchestrator.service", ActiveState: "active", InvocationID: "one", MainPID: 4,
		Marks: []string{want.Mark}, FragmentPath: "/usr/lib/systemd/system/justnews@.service", DropInPaths: want.DropIns, EnvironmentFiles: []string{environment},
	}
}

// A gate ends where systemd has read another configuration than the one that it
// runs with, and only there.
func TestPrestart_GateEndsIfItsConfigurationChanged(t *testing.T) {
	const scout = "justnews@scout.service"
	dir := t.TempDir()
	file := filepath.Join(dir, "scout.env")
	was := configured(t, dir, renewConfig)
	for name, c := range map[string]struct {
		text   string        // of the configuration now
		reload bool          // systemd has read it
		needs  bool          // it names a probe
		env    bool          // the environment file was replaced
		read   time.Duration // how long after the environment file's last change systemd read it; 0: not known
		want   bool
	}{
		"nothing changed":              {text: renewConfig, reload: true},
		"it changed":                   {text: "[gate]\ntimeout = \"20s\"\n" + renewConfig, reload: true, want: true},
		"it changed, and was not read": {text: "[gate]\ntimeout = \"20s\"\n" + renewConfig},
		"what the gate requires changed, and nothing of the unit": {text: renewConfig + "[probes.db]\nkind = \"path\"\npath = \"/x\"\n", reload: true, needs: true, want: true},
		"it changed for another instance":                         {text: renewConfig + "enabled = false\n", reload: true},
		"its environment file changed":                            {text: renewConfig, reload: true, env: true, want: true},
		"it changed before the process looked":                    {text: renewConfig, reload: true, read: -time.Minute, want: true},
		"it changed before systemd read it":                       {text: renewConfig, reload: true, read: time.Minute},
		"what cannot be read says nothing":                        {text: "[gate", reload: true},
		"what the generator cannot have read":                     {text: renewConfig + "unknown = 1\n", reload: true},
	} {
		t.Run(name, func(t *testing.T) {
			replaced(t, file)
			path := filepath.Join(dir, "justnews.toml")
			if c.needs {
				c.text = strings.Replace(c.text, "[instances.scout]\n", "[instances.scout]\nneeds = [\"db\"]\n", 1)
			}
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			a := &app{Machine: Machine{SharedDir: t.TempDir()}, Globals: Globals{ConfigFile: place(path)}}
			read := was
			if latest, _ := config.Load(a.source()); c.reload && latest != nil {
				read = latest
			}
			want, _ := wantedMark(read, "scout")
			own := facts.Unit{Name: scout, Marks: []string{want.Mark}, DropInPaths: want.DropIns, EnvironmentFiles: []string{file}}
			if c.read != 0 {
				own.Times.StateChange = host.Monotonic() + c.read
			}
			renew := a.renewal(scoutsGate(), was, &own, unitsByName{scout: own})
			if c.env {
				replaced(t, file)
			}
			if p := renew(t.Context()); (p != nil) != c.want || p != nil && p.Code != diag.UnitStale {
				t.Errorf("ended by %v, want an end: %v", p, c.want)
			}
		})
	}
}

func scoutsGate() waitingRun {
	return waitingRun{name: "gate", instance: "scout", require: func(cfg *config.Config) (requirement.Run, []diag.Problem) {
		return requirement.ForInstance(cfg, "scout", func(string) (string, bool) { return "", false }, requirement.Flags{})
	}}
}

// On a host without a battery for its clock every file is from the future, until the
// clock is set.
func TestOnMonotonic_FutureTimeIsUnknown(t *testing.T) {
	now := time.Now()
	for ago, want := range map[time.Duration]time.Duration{time.Minute: time.Hour - time.Minute, 0: time.Hour, -time.Nanosecond: 0, -24 * time.Hour: 0, 2 * time.Hour: -time.Hour} {
		if got := onMonotonic(now.Add(-ago), now, time.Hour); got != want {
			t.Errorf("%v ago: %v, want %v", ago, got, want)
		}
	}
}
