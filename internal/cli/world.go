// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"justnews/internal/account"
	checkhost "justnews/internal/check/host"
	checkstore "justnews/internal/check/store"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/modelmap"
	"justnews/internal/probe/environ"
	"justnews/internal/probe/gpu"
	"justnews/internal/probe/host"
	"justnews/internal/probe/mps"
	"justnews/internal/probe/need"
	"justnews/internal/probe/orchestrator"
	"justnews/internal/probe/store"
	"justnews/internal/probe/systemd"
	"justnews/internal/records"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
)

// world is a gate.World over the real machine, and what has to be closed afterwards.
type world struct {
	gate.World
	notes []diag.Problem
	close []func()
}

// openWorld puts the probes together that a run of w needs. What cannot be
// asked on this machine is left out and noted once; only a URL or a key that cannot
// be used is an error, and then the configuration is to blame.
func (a *app) openWorld(w requirement.Run, cfg *config.Config, conn *systemd.Conn, observer gate.Observer) (*world, []diag.Problem) {
	models, key := a.modelMap(w), a.apiKey(cfg.Orchestrator.APIKeyFile)
	if strings.ContainsFunc(key, unicode.IsControl) { // HTTP has no way to send it
		return nil, []diag.Problem{diag.Found(diag.ConfigValue, cfg.Orchestrator.APIKeyFile, "the orchestrator's API key has more than one line, or a control character",
			"", "a file with nothing but the key, or "+apiKeyVariable, diag.Advise("write only the key into it", diag.Reload(), diag.Retry()))}
	}
	origin, busOrigin := a.origin(w.Orchestrator, conn), a.origin(requirement.Service{Unit: w.Bus.Unit, Here: true}, conn)
	server := orchestrator.WithServer(host.Host{}.Server)
	o, errO := orchestrator.Open(w.Kind, w.Orchestrator.URL, models.Names, server, orchestrator.WithKey(key), orchestrator.WithProof(origin.Prove))
	b, errB := orchestrator.NewBus(w.Bus.URL, server, orchestrator.WithProof(busOrigin.Prove))
	if err := errors.Join(errO, errB); err != nil {
		return nil, []diag.Problem{diag.Found(diag.ConfigValue, "", err.Error(),
			"", "http://HOST:PORT", diag.Advise("correct the URL in /etc/justnews/justnews.toml", diag.Reload()))}
	}
	x := &world{World: gate.World{
		Orchestrator: o, Protocol: o.Protocol(), Bus: b, Observer: observer,
		Map: models, Uptime: host.Uptime, Machine: host.Host{},
	}}
	x.Adviser, _ = o.(gate.Adviser)
	if w.Models.Canary {
		x.Canary, _ = o.(gate.Canary)
	}
	x.close = append(x.close, o.Close, b.Close)
	if conn != nil {
		x.Units, x.Starter = origin.Learn(conn), conn
	}
	x.Needs = need.Prober{Probes: cfg.Probes, Units: x.Units}
	x.Self = a.self(w, cfg)
	if w.RequireModels && !w.Follow { // a run that triggers nothing must not lead
		x.openLock(w)
	}
	if w.RequireMPS {
		x.openMPS(w)
	}
	if x.GPU = a.GPU; x.GPU == nil {
		x.GPU = gpu.Prober{}
	}
	if w.RequireModels && w.Orchestrator.Here { // else its store is not this host's
		m, note, shut := a.openStore(w)
		x.Store = m
		x.close = append(x.close, shut)
		if note != nil {
			x.notes = append(x.notes, *note)
		}
	}
	return x, nil
}

// origin is how the answers of a unit are proven to be its own.
func (a *app) origin(s requirement.Service, conn *systemd.Conn) *gate.Origin {
	return &gate.Origin{Unit: s.Unit, Away: !s.Here, Units: unitsOf(conn), Groups: host.Host{}, Must: a.startedBySystemd()}
}

// openLock finds the lock that keeps the gates of this host from triggering
// together, and the record next to it.
func (x *world) openLock(w requirement.Run) {
	name := hostlock.Name("orchestrator", w.Orchestrator.URL)
	lock, err := hostlock.Open(name)
	x.noteLock(lock, err)
	if err != nil {
		return
	}
	x.Lock = lock
	x.close = append(x.close, lock.Unlock)
	if dir := lock.Dir(); dir != "" {
		// Without an ID nothing binds the record but /run, which a boot empties.
		x.Memory = records.State[gate.History]{Dir: dir, Name: name, Boot: bootID()}
	}
}

func (x *world) noteLock(lock *hostlock.Lock, err error) {
	switch {
	case err != nil:
		x.notes = append(x.notes, gate.NotExcluded(hostlock.SharedDir, "cannot lock: "+err.Error()))
	case !lock.Shared():
		x.notes = append(x.notes, gate.NotExcluded(hostlock.SharedDir, "it uses the lock "+lock.Where()))
	}
}

func (x *world) shut() {
	for _, f := range x.close {
		f()
	}
}

func (a *app) modelMap(w requirement.Run) gate.ModelMap {
	if !w.RequireModels {
		return gate.ModelMap{Total: -1}
	}
	if names := w.Models.Expected; !w.Models.HasMap() {
		return gate.ModelMap{Total: len(names), Names: names}
	}
	file := modelmap.ReadFile(a.below(w.Models.Map))
	m := gate.ModelMap{Total: -1, Problems: mapProblems(file, w)}
	if file.Map != nil {
		m.Total, m.Models = file.Map.Total(), file.Map
		if !w.JustNews() {
			m.Names = file.Map.Names()
			m.Total = len(m.Names)
		}
	}
	m.Changed = changedAt(file.Path)
	return m
}

// apiKeyVariable is the variable with the orchestrator's API key, for environment files.
const apiKeyVariable = "ORCHESTRATOR_API_KEY"

const maxKey = 4096

// apiKey returns the orchestrator's API key, "" where this process has none: from its
// environment, from its credentials, or, as root by hand, from the file itself. A server
// that needs one says so.
func (a *app) apiKey(path string) string {
	if key := strings.TrimSpace(a.getenv(apiKeyVariable)); key != "" {
		return key
	}
	if path == "" {
		return ""
	}
	for _, name := range []string{filepath.Join(a.getenv("CREDENTIALS_DIRECTORY"), config.APIKey), a.below(path)} {
		if text, err := safefile.Read(name, maxKey); err == nil && filepath.IsAbs(name) {
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}

// mapProblems judges the map, and where it may not be read looks for what keeps
// this user out.
func mapProblems(file modelmap.File, w requirement.Run) []diag.Problem {
	problems := checkstore.Map(file, w.Models.MapWritten)
	if errors.Is(file.Err, fs.ErrPermission) {
		problems = checkstore.MapDenied(problems, store.Self().Name, store.Denial(file.Path))
	}
	return problems
}

// below puts --root before a path.
func (a *app) below(path string) string {
	return string(a.Root) + path
}

// locations are the variables that move what a run looks at.
var locations = []string{"GPU_ORCHESTRATOR_URL", "MCP_BUS_URL", "MODEL_STORE_ROOT", "BASE_MODEL_DIR", "CUDA_MPS_PIPE_DIRECTORY"}

// lookup returns the environment of a run: its own and, by hand, where global.env and the
// file of an instance have the units look, as far as this user may read them.
func (a *app) lookup(cfg *config.Config, instance string) requirement.Lookup {
	if a.inUnit() || a.ConfigFile != "" {
		return a.Lookup
	}
	read := facts.Unit{EnvironmentFiles: []string{environ.Dir + "/global.env", environ.Dir + "/" + instance + ".env"}}
	env := checkhost.Environment(read, environ.Files(string(a.Root)))
	files := func(name string) (string, bool) {
		return env[name], slices.Contains(locations, name) && env[name] != ""
	}
	if _, wrong := requirement.ForHost(cfg, files, requirement.Flags{}); instance == "" && len(wrong) > 0 {
		return a.Lookup // a gate refuses it, and preflight reports that
	}
	return func(name string) (string, bool) {
		if v, ok := a.Lookup(name); ok && v != "" {
			return v, ok
		}
		return files(name)
	}
}

// openSystemd connects to systemd, or returns nil if there is none. One that exists and does
// not answer, or not yet, is asked again with each question.
func (a *app) openSystemd(ctx context.Context) *systemd.Conn {
	conn, err := systemd.Open(ctx, a.busAddress())
	switch {
	case err == nil:
		return conn
	case !errors.Is(err, systemd.ErrNoSystemd):
		return systemd.New(a.busAddress())
	default:
		return nil
	}
}

// servedHere reports whether this host serves the orchestrator: by its instance, or by
// the addresses of its URL. A name that does not resolve yet counts as this host: then
// everything is checked.
func servedHere(ctx context.Context, s requirement.Service) bool {
	u, err := url.Parse(s.URL)
	if s.Unit != "" || err != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	addresses, err := orchestrator.Addresses(ctx, u.Hostname())
	return err != nil || slices.ContainsFunc(addresses, host.Local)
}

const resolveTime = 2 * time.Second

// openMPS puts the probe of NVIDIA MPS together with the lock around all
// questions to the daemon of that pipe directory.
func (x *world) openMPS(w requirement.Run) {
	prober := mps.Prober{PipeDirectory: w.MPS.PipeDirectory}
	lock, err := hostlock.Open(hostlock.Name("mps", w.MPS.PipeDirectory))
	if err == nil {
		prober.Turn = lock
		x.close = append(x.close, lock.Unlock)
	}
	if x.Lock == nil { // else openLock has said it
		x.noteLock(lock, err)
	}
	x.MPS = prober
}

// self is what this process knows about itself. A gate that systemd starts runs as the
// program that it gates; for any other run, also one of another program's unit, the
// program's user is looked up.
func (a *app) self(w requirement.Run, cfg *config.Config) gate.Self {
	s := gate.Self{Environment: a.Lookup, User: strconv.Itoa(os.Geteuid()), InUnit: a.inUnit()}
	if u, err := user.LookupId(s.User); err == nil {
		s.User = u.Username
	}
	if a.ofOurUnit() || w.Instance != "" && a.startedBySystemd() {
		s.AgentUID = new(os.Geteuid())
		return s
	}
	if u, err := (account.Host{}).User(agentUser(cfg, w.Instance)); err == nil {
		s.AgentUID = &u.UID
	}
	return s
}

// agentUser returns User= of an instance, or of those with MPS, who share one.
func agentUser(cfg *config.Config, instance string) string {
	if i, ok := cfg.Instance(instance); ok {
		return i.Service.User
	}
	if len(cfg.Instances) == 0 {
		return "justnews"
	}
	withMPS := slices.IndexFunc(cfg.Instances, func(i config.Instance) bool { return i.MPS.Enabled })
	return cfg.Instances[max(withMPS, 0)].Service.User
}
