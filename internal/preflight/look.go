// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/probe/environ"
	"justnews/internal/probe/unitfiles"
	"justnews/internal/status"
	"justnews/internal/unitname"
)

// limit bounds each of the three parts of a look (files, units, what they name):
// a file system that hangs must not hold the rest. dialLimit bounds one database.
const (
	limit     = 3 * time.Second
	dialLimit = 2 * time.Second
)

// Units asks systemd. Stop stops a unit and follows the job.
type Units interface {
	status.LoadedUnits
	UnitOfPID(ctx context.Context, pid int) (facts.Unit, error)
	Stop(ctx context.Context, unit string) (facts.Start, error)
}

// Job is one preflight.
type Job struct {
	Config *config.Config
	Host   Host
	Units  Units                 // nil: there is no systemd to ask
	Marks  map[string]facts.Mark // of the instances, nil: not known
	Stop   bool                  // free the ports of the instances first
	// Generated compares what the generator wrote with what it would write; nil:
	// that is not known.
	Generated func(env []facts.EnvFile) facts.Generated
}

type instance struct {
	config.Instance

	unit    facts.Unit
	wanted  facts.Account // of the configuration
	account facts.Account // of the unit
	port    facts.Port
	env     map[string]string // as systemd sets it
	sourced map[string]string // as a start script has it
	paths   map[attempt]facts.Reach
	leads   map[string]string // where the paths of its gate lead through links
	named   []host.Named      // interpreters that were not found
	written []host.Path
	caches  []envfile.Cache // of the user
}

// attempt is an access to a path that was tried as the user of an instance.
type attempt struct {
	path string
	want facts.Access
}

type guarded struct {
	config.Guard

	unit facts.Unit
}

type found struct {
	env       []facts.EnvFile
	overrides []facts.UnitFile
	rivals    []facts.Rival
	target    facts.Unit
	preload   facts.Unit
	instances []instance
	guards    []guarded
	spaces    []facts.Space
	limits    facts.Limits
	databases []facts.Database
	generated facts.Generated
	unlisted  []diag.Problem
	gateOff   string // the evidence, "": the gates are not switched off
	unasked   error  // why systemd said nothing
	unchecked []string
	untried   []untried
}

// untried is a path that this run could not try as the user that needs it.
type untried struct{ path, user, why string }

// Look looks at everything and returns all findings.
func Look(ctx context.Context, j Job) []diag.Problem {
	l := &look{Job: j, ctx: ctx}
	l.files()
	l.units()
	l.named()
	l.details()
	return l.judge()
}

// look is one run. Only its own goroutine changes it: what others found, it
// keeps for them.
type look struct {
	Job
	ctx context.Context // of this one run
	found
}

// all runs the queries concurrently, until the last has returned or the limit has
// passed. What has not returned by then is abandoned and reported.
func (l *look) all(asks map[string]func() func()) {
	late, cancel := context.WithTimeout(l.ctx, limit)
	defer cancel()
	type answer struct {
		name string
		keep func()
	}
	answers := make(chan answer, len(asks))
	missing := map[string]bool{}
	for name, ask := range asks {
		missing[name] = true
		go func() { answers <- answer{name, ask()} }()
	}
	for len(missing) > 0 {
		select {
		case a := <-answers:
			delete(missing, a.name)
			a.keep()
		case <-late.Done():
			for name := range missing {
				l.notChecked(name + ": no answer within " + limit.String())
			}
			return
		}
	}
}

func (l *look) notChecked(what string) {
	if !slices.Contains(l.unchecked, what) {
		l.unchecked = append(l.unchecked, what)
	}
}

func (l *look) files() {
	root := l.Host.Root
	l.all(map[string]func() func(){
		"environment files":          func() func() { files := environ.Files(root); return func() { l.env = files } },
		"drop-ins":                   func() func() { files := unitfiles.Overrides(root); return func() { l.overrides = files } },
		"what else starts instances": func() func() { found := unitfiles.Rivals(root); return func() { l.rivals = found } },
		"limits":                     func() func() { limits := l.Host.Limits(); return func() { l.limits = limits } },
		"disk space":                 l.space,
		"kernel command line": func() func() {
			evidence, off := l.Host.GateOff()
			return func() {
				if off {
					l.gateOff = evidence
				}
			}
		},
	})
}

// space looks at the file systems of models, caches and logs.
func (l *look) space() func() {
	var spaces []facts.Space
	m := l.Config.Models
	for _, path := range []string{m.Root, m.BaseDir, "/var/cache/justnews", "/var/log/justnews", "/var/lib/justnews"} {
		if path != "" {
			spaces = append(spaces, l.Host.Space(path))
		}
	}
	return func() {
		l.spaces = spaces
		for _, s := range spaces {
			if s.Err != "" {
				l.notChecked("disk space of " + s.Path + ": " + s.Err)
			}
		}
	}
}

// units asks systemd about everything that is ours, until a query fails: the next
// one would wait as long.
func (l *look) units() {
	l.instances = lists.Map(l.Config.Instances, func(i config.Instance) instance { return instance{Instance: i} })
	if l.Units == nil {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, limit)
	defer cancel()
	ask := func(name string, into *facts.Unit) {
		if l.unasked == nil {
			*into, l.unasked = l.Units.Unit(ctx, name)
		}
	}
	ask(unitname.Target, &l.target)
	ask(unitname.Preload, &l.preload)
	for n := range l.instances {
		ask(unitname.Of(l.instances[n].Name), &l.instances[n].unit)
	}
	for _, g := range l.Config.Guards {
		seen := guarded{Guard: g}
		ask(g.Unit, &seen.unit)
		l.guards = append(l.guards, seen)
	}
	if l.unasked != nil {
		l.Units = nil
	}
}

// named reads the environment files outside the usual directory, which only units name.
func (l *look) named() {
	var names []string
	for _, i := range l.instances {
		for _, name := range i.unit.EnvironmentFiles {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	root := l.Host.Root
	l.all(map[string]func() func(){
		"environment files of units": func() func() {
			files := environ.Named(root, names)
			return func() { l.env = append(l.env, files...) }
		},
	})
	for _, f := range l.env {
		if f.Denied {
			l.notChecked(f.Path)
		}
	}
}

// details looks at what the units and the environment files name. The looks get
// a copy: a late one still runs after all has returned.
func (l *look) details() {
	for n := range l.instances {
		i := &l.instances[n]
		i.env, i.sourced = l.environment(i.unit, host.Environment), l.environment(i.unit, host.Sourced)
		l.dropUnread(i)
	}
	seen := slices.Clone(l.instances)
	asks := map[string]func() func(){"databases": func() func() { return l.dial(seen) }}
	if l.Units != nil {
		asks["ports"] = func() func() { return l.ports(seen) }
		for n, i := range seen {
			if i.unit.LoadState == "loaded" {
				asks["paths of "+i.unit.Name] = func() func() { return l.reach(n, i) }
			}
		}
	}
	if env := l.env; l.Units != nil && l.Generated != nil {
		units := l.Units
		asks["generator"] = func() func() {
			files := l.Generated(env)
			if len(files.Outdated) > 0 { // a reload may be under way, during which systemd does not answer
				if _, err := units.Unit(l.ctx, unitname.Target); err != nil {
					return func() { l.notChecked("generator: " + err.Error()) }
				}
				files = l.Generated(env)
			}
			return func() { l.generated = files }
		}
		asks["instances that are not listed"] = func() func() {
			problems := status.Unlisted(l.ctx, l.Config, l.Units)
			return func() { l.unlisted = problems }
		}
	}
	l.all(asks)
}

// environment returns the variables of a unit; where there is none to ask, those
// that every unit gets.
func (l *look) environment(u facts.Unit, reading func(facts.Unit, []facts.EnvFile) map[string]string) map[string]string {
	if u.LoadState != "loaded" {
		u.EnvironmentFiles = []string{environ.Dir + "/global.env"}
	}
	return reading(u, l.env)
}

// errLate represents a deadline in the output.
var errLate = errors.New("no answer within " + dialLimit.String())

// dial tries every database that an environment names, those of one variable once.
func (l *look) dial(instances []instance) func() {
	var all []facts.Database
	for _, i := range instances {
		for _, d := range host.Databases(i.sourced, "/etc/justnews/*.env or a drop-in") {
			if !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
	}
	var wg sync.WaitGroup
	for n := range all {
		if d := &all[n]; d.Address != "" {
			wg.Go(func() { d.Down = l.dialAny(d.Address) })
		}
	}
	wg.Wait()
	return func() { l.databases = all }
}

// dialAny tries addresses until one answers, as libpq does.
func (l *look) dialAny(addresses string) (down string) {
	for address := range strings.SplitSeq(addresses, ",") {
		if down = l.tryDial(address); down == "" {
			return ""
		}
	}
	return down
}

func (l *look) tryDial(address string) string {
	ctx, cancel := context.WithTimeoutCause(l.ctx, dialLimit, errLate)
	defer cancel()
	err := l.Host.Dial(ctx, address)
	switch {
	case err == nil:
		return ""
	case ctx.Err() != nil:
		return context.Cause(ctx).Error()
	}
	return strings.TrimSpace(err.Error())
}
