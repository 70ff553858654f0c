// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/probe/host"
	"justnews/internal/records"
	"justnews/internal/safefile"
	"justnews/internal/status"
	"justnews/internal/unitname"
)

// A server keeps the configuration that it was started with, regardless of reloads.
// Restarting it is the operator's decision while instances use it. If none does, and the
// gates make no progress, it is restarted, so that correcting the configuration is enough.
//
// A server's gate leaves a record of how it was started. A waiting gate compares, and uses
// a file to request justnews-renew.service, which makes its own comparison.

// renewRequest is the record that justnews-renew.path waits for.
const renewRequest = "renew"

// Before the first comparison by a process, and between two: each pause is twice as
// long as the one before, up to renewSlow. A comparison reads the configuration and
// asks systemd two to three questions.
const (
	renewEvery = 5 * time.Second
	renewSlow  = 20 * time.Second
)

// renewGrace is for how long a server is not restarted after its start, in case a restart
// does not have the expected effect.
const renewGrace = 15 * time.Second

// restartTime bounds the restart of one server, and its gate.
const restartTime = 60 * time.Second

type renewCommand struct{}

// Run is ExecStart= of justnews-renew.service.
func (c *renewCommand) Run(a *app) error {
	a.limited("renew", 3*restartTime)
	// First, so that a request that comes from now on starts this again.
	if err := records.Remove(a.sharedDir(), renewRequest); err != nil {
		return a.refuse(diag.Found(diag.RecordUnwritten, "", "cannot remove a request",
			err.Error(), "", diag.Do(diag.Run("systemd-tmpfiles", "--create", "justnews.conf"))))
	}
	conn := a.openSystemd(a.ctx)
	if conn == nil {
		return a.refuse(unit.NoSystemd(diag.Error, unitname.Of("*"), "no server can be restarted"))
	}
	defer conn.Close()
	cfg, err := a.load()
	if err != nil {
		return err
	}
	for _, name := range a.outdated(a.ctx, cfg, conn) {
		fmt.Fprintf(a.Stderr, "%s was started with another configuration, and no instance uses it: restarting it\n", name)
		ctx, cancel := context.WithTimeout(a.ctx, restartTime)
		s, err := conn.Restart(ctx, name)
		cancel()
		if problem := unit.NotDone(name, "restart", s, err); problem != nil {
			return a.refuse(*problem)
		}
	}
	return nil
}

func servers(cfg *config.Config) []string {
	all := []string{cfg.Orchestrator.Instance, cfg.Bus.Instance}
	return slices.DeleteFunc(all, func(name string) bool {
		_, listed := cfg.Instance(name)
		return !listed
	})
}

// outdated returns the units of the servers that run with an outdated configuration
// and that no instance uses.
func (a *app) outdated(ctx context.Context, cfg *config.Config, units status.LoadedUnits) []string {
	var found []string
	for _, name := range servers(cfg) {
		u, err := units.Unit(ctx, unitname.Of(name))
		if err != nil {
			return nil
		}
		now, known := startedWith(cfg, name, u)
		if !known || host.Monotonic()-u.Times.ActiveEnter < renewGrace {
			continue
		}
		if was, err := a.startRecord(name).Load(); err == nil && was.Outdated(u, now) && !inUse(ctx, cfg, name, units) {
			found = append(found, u.Name)
		}
	}
	return found
}

// inUse reports whether an instance is up that waited for this server, or may have:
// one that has left the configuration runs on.
func inUse(ctx context.Context, cfg *config.Config, server string, units status.LoadedUnits) bool {
	for _, g := range cfg.Guards {
		if g.After() || !(server == cfg.Orchestrator.Instance && g.RequireModels || server == cfg.Bus.Instance && g.RequireBus) {
			continue
		}
		if u, err := units.Unit(ctx, g.Unit); err != nil || u.MainPID != 0 {
			return true
		}
	}
	names, err := units.Units(ctx, unitname.Of("*"))
	return err != nil || slices.ContainsFunc(names, func(name string) bool {
		instance := unitname.Instance(name)
		i, listed := cfg.Instance(instance)
		waited := server == cfg.Orchestrator.Instance && i.RequireModels || server == cfg.Bus.Instance && i.RequireBus
		if slices.Contains(servers(cfg), instance) || listed && !waited {
			return false
		}
		u, err := units.Unit(ctx, name)
		return err != nil || u.MainPID != 0
	})
}

// startedWith returns what systemd would start an instance with now. It is not
// known of a unit that waits for a daemon-reload.
func startedWith(cfg *config.Config, instance string, u facts.Unit) (gate.Started, bool) {
	want, problems := wantedMark(cfg, instance)
	if len(problems) > 0 || u.NeedDaemonReload || len(unit.Marked(u, want)) > 0 {
		return gate.Started{}, false
	}
	inst, _ := cfg.Instance(instance)
	files := slices.Concat(u.EnvironmentFiles, inst.Service.Exec[:min(1, len(inst.Service.Exec))])
	if instance == cfg.Orchestrator.Instance {
		files = append(files, cfg.Models.Map) // once: upstream's loader keeps what it has read
	}
	files = slices.DeleteFunc(append(files, unitFiles(u)...), func(path string) bool { return path == "" })
	return gate.Started{Invocation: u.InvocationID, Mark: want.Mark, Files: statesOf(files)}, true
}

// unitFiles are those that systemd reads for a unit, without the generator's, which the
// mark covers.
func unitFiles(u facts.Unit) []string {
	return slices.DeleteFunc(append(slices.Clone(u.DropInPaths), u.FragmentPath), func(path string) bool {
		return path == "" || strings.HasPrefix(path, generatorDir+"/")
	})
}

func statesOf(paths []string) map[string]string {
	states := make(map[string]string, len(paths))
	for _, path := range paths {
		states[path] = stateOf(path)
	}
	return states
}

// stateOf changes with the content, place, owner and mode of a file, or of the one that a
// link leads to.
func stateOf(path string) string {
	info, err := safefile.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gate.NoFile
	case err != nil:
		return gate.UnknownFile
	}
	return fmt.Sprint(info.Dev, info.Ino, info.Ctime)
}

// leaveStart records what a server is being started with, once its gate has passed. If
// that fails, it is not restarted automatically; nothing else depends on the record.
func (a *app) leaveStart(ctx context.Context, cfg *config.Config, instance string, own *facts.Unit) {
	if !slices.Contains(servers(cfg), instance) {
		return
	}
	if own == nil { // systemd did not answer as the gate began
		own = a.ownUnit(ctx, nil)
	}
	if own == nil || own.Name != unitname.Of(instance) {
		return
	}
	loaded := *own
	loaded.NeedDaemonReload = false
	s, known := startedWith(cfg, instance, loaded)
	if !known {
		return
	}
	if own.NeedDaemonReload { // the configuration or a file of the unit has changed: systemd starts it with the old one
		for _, path := range unitFiles(loaded) {
			s.Files[path] = gate.OldFile
		}
	}
	_ = a.startRecord(instance).Save(s)
}

func (a *app) startRecord(instance string) records.State[gate.Started] {
	return records.State[gate.Started]{Dir: a.sharedDir(), Name: "started-" + instance, Boot: bootID()}
}

// renewal returns how a gate asks for the restart of a server, and finds out that it
// runs with an outdated configuration itself. The configuration is read again each
// time: it may be corrected while the gate waits.
func (a *app) renewal(e waitingRun, cfg *config.Config, own *facts.Unit, units status.LoadedUnits) func(context.Context) *diag.Problem {
	environment, changed := statesOf(own.EnvironmentFiles), changedSinceRead(*own)
	return func(ctx context.Context) *diag.Problem {
		if a.compareNext.IsZero() { // 17 gates of a boot would read it at once
			a.compareNext = a.Began.Add(renewEvery)
		}
		if time.Now().Before(a.compareNext) {
			return nil
		}
		a.comparePause = min(max(renewEvery, 2*a.comparePause), renewSlow)
		a.compareNext = time.Now().Add(a.comparePause)
		latest, _ := config.Load(a.source())
		if latest == nil {
			return nil
		}
		if len(a.outdated(ctx, latest, units)) > 0 {
			_ = records.State[struct{}]{Dir: a.sharedDir(), Name: renewRequest, Boot: bootID()}.Save(struct{}{})
		}
		if changed || !maps.Equal(environment, statesOf(own.EnvironmentFiles)) || superseded(ctx, e, own.Name, cfg, latest, units) {
			return new(unit.Changed(own.Name))
		}
		return nil
	}
}

// readMargin is how long before a unit changed its state systemd may have read the
// environment files: the manager reads them, then it makes the process, then it
// notes the time.
const readMargin = 250 * time.Millisecond

// changedSinceRead reports whether an environment file of the unit that this process
// runs in has changed since systemd read it, or may have: as long as this process had
// not begun, nothing of it was noticed.
func changedSinceRead(own facts.Unit) bool {
	read := own.Times.StateChange - readMargin
	return own.Times.StateChange > 0 && slices.ContainsFunc(own.EnvironmentFiles, func(path string) bool {
		return changedAt(path) > read || changedAt(filepath.Dir(path)) > read // a file may have come or gone
	})
}

// changedAt returns when a file or a directory changed, on the monotonic clock; 0 if
// it is not known.
func changedAt(path string) time.Duration {
	info, err := safefile.Stat(path)
	if err != nil {
		return 0
	}
	now := time.Now()
	return onMonotonic(time.Unix(0, info.Ctime), now, host.MonotonicAt(now))
}

// onMonotonic converts a time by the wall clock. One in the future is not known: the
// clock was set back since, or is not set yet.
func onMonotonic(t, now time.Time, monotonic time.Duration) time.Duration {
	ago := now.Sub(t)
	if ago < 0 {
		return 0
	}
	return monotonic - ago
}

// superseded reports whether a run waits for what cfg requires and latest does not,
// in a unit that systemd has read as latest has it.
func superseded(ctx context.Context, e waitingRun, name string, cfg, latest *config.Config, units gate.Units) bool {
	if reflect.DeepEqual(cfg, latest) {
		return false
	}
	required, _ := e.require(cfg)
	requires, problems := e.require(latest)
	was, _ := wantedMark(cfg, e.instance)
	now, _ := wantedMark(latest, e.instance)
	if len(diag.Errors(problems)) > 0 || reflect.DeepEqual(required, requires) && was.Mark == now.Mark {
		return false
	}
	u, err := units.Unit(ctx, name)
	// The preload's drop-in has no mark.
	return err == nil && !u.NeedDaemonReload && (e.instance == "" || len(unit.Marked(u, now)) == 0)
}

func (a *app) sharedDir() string { return cmp.Or(a.SharedDir, hostlock.SharedDir) }

func bootID() string {
	boot, _ := host.Host{}.BootID()
	return boot
}
