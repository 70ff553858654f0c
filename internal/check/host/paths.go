// SPDX-License-Identifier: Apache-2.0

// Package host judges the environment of the units on this host: users and
// paths, ports, environment files, databases, disks and limits. It mirrors
// internal/probe/host and internal/probe/environ.
package host

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/unitname"
)

// Account judges whether a unit's user and group exist: systemd ends its start
// with 217/USER or 216/GROUP.
func Account(u facts.Unit, a facts.Account) []diag.Problem {
	switch {
	case a.Err == "":
		return nil
	case u.Service.DynamicUser:
		return []diag.Problem{diag.Found(diag.UserUnknown, u.Name, "dbus-daemon rejects a dynamic user: the instance's gate cannot query systemd, and refuses",
			"DynamicUser=yes, User="+diag.Clean(a.User), "a user that exists",
			diag.Advise("remove DynamicUser= from the drop-in", diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning)}
	}
	p := noAccount(u.Name, a, "service.user and service.group in /etc/justnews/justnews.toml, or User= and Group= of a drop-in")
	p.Fix = p.Fix.Looking(diag.CatUnit(u.Name))
	return []diag.Problem{p}
}

func noAccount(subject string, a facts.Account, settings string) diag.Problem {
	if a.Unasked {
		return diag.Found(diag.UserUnknown, subject, "could not look up its user or group",
			diag.Clean(a.Err), "an answer from the sources that /etc/nsswitch.conf names",
			diag.Advise("check the directory service").Looking(diag.Run("getent", "passwd", "--", a.User))).As(diag.Warning)
	}
	return diag.Found(diag.UserUnknown, subject, "its user or group does not exist",
		diag.Clean(a.Err), fmt.Sprintf("User=%s, Group=%s", diag.Clean(a.User), diag.Clean(a.Group)),
		diag.Advise("create the user and the group, or correct "+settings, diag.Reload()))
}

// Path is one path that a unit's user has to get to.
type Path struct {
	What string // "service.exec", "service.working_directory", "PYTHON_BIN in …"
	Path string
	Want facts.Access
	Code diag.Code
}

// Paths lists what a unit runs and where it runs it.
func Paths(u facts.Unit) []Path {
	var all []Path
	for _, e := range u.Service.ExecStart {
		if len(e.Argv) > 0 && strings.HasPrefix(e.Argv[0], "/") {
			all = append(all, Path{"service.exec", e.Argv[0], facts.Run, diag.ServicePath})
		}
	}
	if d := u.Service.WorkingDirectory; strings.HasPrefix(d, "/") && d != "/" {
		all = append(all, Path{"service.working_directory", d, facts.Enter, diag.ServicePath})
	}
	return all
}

// systemPath is where systemd looks for a command without a slash.
var systemPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}

// InterpreterVariables are those that upstream's start scripts may read.
var InterpreterVariables = []string{"PYTHON_BIN", "CANONICAL_PYTHON_PATH", "CANONICAL_ENV", "CONDA_ENV"}

// Interpreters lists the interpreters that an environment names as a path.
func Interpreters(env map[string]string) []Path {
	var all []Path
	for _, name := range []string{"PYTHON_BIN", "CANONICAL_PYTHON_PATH"} {
		if v := env[name]; strings.HasPrefix(v, "/") {
			all = append(all, Path{name, v, facts.Run, diag.EnvInterpreter})
		}
	}
	return all
}

// Named is an interpreter given by name: a command, or a conda
// environment. Any of the candidates will do.
type Named struct {
	What       string
	Name       string
	Candidates []string
}

// NamedInterpreters lists those of an environment. homes are directories below
// which a person may have installed conda.
func NamedInterpreters(env map[string]string, homes []string) []Named {
	var all []Named
	if v := env["PYTHON_BIN"]; v != "" && !strings.Contains(v, "/") {
		all = append(all, Named{"PYTHON_BIN", v, lists.Map(systemPath, func(dir string) string { return filepath.Join(dir, v) })})
	}
	if env["PYTHON_BIN"] != "" || env["CANONICAL_PYTHON_PATH"] != "" {
		return all // the environment's name is not used then
	}
	for _, name := range []string{"CANONICAL_ENV", "CONDA_ENV"} {
		v := env[name]
		if v == "" || strings.ContainsAny(v, "/$") {
			continue
		}
		all = append(all, Named{name, v, lists.Map(condaBases(homes), func(base string) string { return filepath.Join(base, "envs", v, "bin/python") })})
	}
	return all
}

func condaBases(homes []string) []string {
	var all []string
	for _, dir := range append([]string{"/opt"}, homes...) {
		for _, name := range []string{"conda", "miniconda3", "miniforge3", "mambaforge", "anaconda3", ".conda"} {
			all = append(all, filepath.Join(dir, name))
		}
	}
	return all
}

// NoInterpreter is the problem of a name for which no candidate exists.
func NoInterpreter(unit string, n Named) diag.Problem {
	return diag.Found(diag.EnvInterpreter, unit, "the interpreter that "+n.What+" names was not found in the directories that conda and systemd search",
		n.What+"="+diag.Clean(n.Name), "one of "+filepath.Dir(filepath.Dir(n.Candidates[0]))+" and the like",
		diag.Advise(fmt.Sprintf("name the interpreter itself in /etc/justnews/global.env, as PYTHON_BIN=%s", diag.Quote("/path/to/envs/"+n.Name+"/bin/python")))).As(diag.Warning)
}

// Reached judges a path of a unit: whether its sandbox hides it, and whether its
// user gets there.
func Reached(u facts.Unit, p Path, r facts.Reach) []diag.Problem {
	hidden := Hidden(u.Sandbox, p.Path, r.Leads)
	switch {
	case ownRoot(hidden): // what lies there instead is not known
		return nil
	case hidden != "":
		problem := diag.Problem{Code: p.Code, Subject: u.Name}
		if inside(homes, p.Path) || inside(homes, r.Leads) {
			problem.Code = diag.HomeHidden
		}
		Cover(&problem, u.Name, Place{What: p.What, Path: p.Path, Leads: r.Leads}, hidden)
		return []diag.Problem{problem}
	}
	if !r.Known || r.OK {
		return nil
	}
	message, seen := Unreached(p, r)
	return []diag.Problem{diag.Found(p.Code, u.Name, message,
		seen, "", PathFix(p, r, []diag.Command{diag.Retry()}))}
}

// judgedElsewhere are variables whose paths have their own findings, and one that is not
// about files that a program uses.
var judgedElsewhere = []string{"HOME", "MODEL_STORE_ROOT", "BASE_MODEL_DIR", "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"}

// HiddenVariables judges the variables that name a path which the unit's sandbox
// hides: a program that goes there fails, or starts anew with an empty directory.
func HiddenVariables(u facts.Unit, env map[string]string) []diag.Problem {
	var names []string
	why := ""
	for _, name := range slices.Sorted(maps.Keys(env)) {
		path := env[name]
		if !filepath.IsAbs(path) || strings.ContainsAny(path, ":,; \t") || slices.Contains(Caches, name) || slices.Contains(InterpreterVariables, name) || slices.Contains(judgedElsewhere, name) {
			continue
		}
		if hidden := Hidden(u.Sandbox, path); hidden != "" && inside(homes, path) {
			names, why = append(names, name+"="+diag.Clean(path)), hidden
		}
	}
	if len(names) == 0 {
		return nil
	}
	p := diag.Found(diag.HomeHidden, u.Name, "the environment names a path below a home directory that the unit cannot see",
		strings.Join(names, ", ")+"; "+why, "paths outside /home, /root and /run/user, or protect_home = \"read-only\"",
		diag.Advise("set service.protect_home = \"read-only\" in /etc/justnews/justnews.toml, with read_write_paths for directories that are written to, or move it", diag.Reload())).As(diag.Warning)
	if slices.ContainsFunc(names, func(n string) bool {
		return strings.HasPrefix(n, "SERVICE_DIR=") || strings.HasPrefix(n, "JUSTNEWS_ROOT=")
	}) {
		p.Severity = diag.Error // the start scripts go there first
	}
	return []diag.Problem{p}
}

// HiddenCaches judges the caches of a unit's user that the unit does not see, since
// XDG_CACHE_HOME leads elsewhere. present are those that hold anything.
// What was downloaded once is not downloaded again where the hub is offline.
func HiddenCaches(u facts.Unit, env map[string]string, home string, present []envfile.Cache) []diag.Problem {
	var hidden, set []string
	if cache := env["XDG_CACHE_HOME"]; cache == "" || filepath.Clean(cache) == filepath.Join(home, ".cache") {
		return nil
	}
	for _, c := range present {
		leads := slices.ContainsFunc(append([]string{c.Variable}, c.Beside...), func(v string) bool { return env[v] != "" })
		if c.Variable == "" || leads {
			continue
		}
		path := filepath.Join(home, c.Below)
		hidden, set = append(hidden, diag.Clean(path)), append(set, c.Variable+"="+path)
	}
	if len(hidden) == 0 {
		return nil
	}
	return []diag.Problem{diag.Found(diag.HomeHidden, u.Name, "the instance does not see its user's downloads",
		strings.Join(hidden, ", ")+"; XDG_CACHE_HOME="+diag.Clean(env["XDG_CACHE_HOME"]), "models in the Model Store, or the variables that lead to these caches",
		diag.Advise(fmt.Sprintf("add %s to /etc/justnews/global.env, and the directories to service.read_write_paths in /etc/justnews/justnews.toml, with protect_home = \"read-only\"", diag.Bare(strings.Join(set, " "))), diag.Reload())).As(diag.Warning)}
}

// Caches are the variables with the directories of compiled kernels.
var Caches = []string{"CUDA_CACHE_PATH", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "XDG_CACHE_HOME"}

// Cache judges where a unit's program would keep what its compilers made. One
// that cannot be written costs minutes at each start, or ends the program.
func Cache(u facts.Unit, name, dir string, r facts.Reach) []diag.Problem {
	why := ""
	own := inside(u.Sandbox.Writable, dir)
	hidden, readOnly := Hidden(u.Sandbox, dir, r.Leads), ReadOnly(u.Sandbox, dir, r.Leads)
	switch {
	case !strings.HasPrefix(dir, "/"):
		why = "not an absolute path"
	case hidden == "PrivateTmp=yes": // the unit has one of its own
	case ownRoot(hidden): // as in Reached
	case hidden != "":
		why = hidden
	case readOnly != "":
		why = readOnly + " leaves it read-only"
	case own && !inside(u.Sandbox.Writable, r.At):
		// systemd makes the unit's own directories when it starts.
	case r.Known && !r.OK:
		why = diag.Clean(r.At) + ": " + diag.Clean(r.Detail)
	}
	if why == "" {
		return nil
	}
	return []diag.Problem{diag.Found(diag.CacheReadOnly, u.Name, name+" is a directory that the instance cannot write",
		name+"="+diag.Clean(dir)+": "+why, "a directory below /var/cache/justnews/"+unitname.Instance(u.Name)+", which is the default",
		diag.Advise(fmt.Sprintf("remove %s from drop-ins and /etc/justnews/*.env", diag.Bare(name)), diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning)}
}

// NamedPath judges a path that the configuration gives instances, before there
// is a unit of them. It is a warning: the generator takes it as it is.
func NamedPath(p Path, instances []string, r facts.Reach) []diag.Problem {
	if !r.Known || r.OK {
		return nil
	}
	message, seen := Unreached(p, r)
	return []diag.Problem{diag.Found(p.Code, ofInstances(instances), message,
		seen, "", PathFix(p, r, []diag.Command{diag.Reload()})).As(diag.Warning)}
}

// NamedAccount judges the user and the group that the configuration gives
// instances.
func NamedAccount(instances []string, a facts.Account) []diag.Problem {
	if a.Err == "" {
		return nil
	}
	return []diag.Problem{noAccount(ofInstances(instances), a, "service.user and service.group in /etc/justnews/justnews.toml").As(diag.Warning)}
}

// GateFiles are the files that an instance's gate reads as the instance's user.
func GateFiles(cfg *config.Config, i config.Instance) []Path {
	var all []Path
	for _, file := range cfg.Files {
		all = append(all, Path{"the configuration", file, facts.Read, diag.ConfigUnreadable})
	}
	if i.RequireModels && cfg.Models.HasMap() {
		all = append(all, Path{"the model map", cfg.Models.Map, facts.Read, diag.MapUnreadable})
	}
	return all
}

// Unreadable judges one of the GateFiles of a unit: what root could not read either has
// other findings.
func Unreadable(u facts.Unit, p Path, r facts.Reach) []diag.Problem {
	return unreadable(u.Name, p, r, diag.Retry())
}

// NamedUnreadable judges one of the GateFiles of instances before there is a unit of them.
func NamedUnreadable(p Path, instances []string, r facts.Reach) []diag.Problem {
	return diag.AtWorst(unreadable(ofInstances(instances), p, r, diag.Reload()), diag.Warning)
}

func unreadable(subject string, p Path, r facts.Reach, next diag.Command) []diag.Problem {
	if !r.Known || r.Detail != "permission denied" {
		return nil
	}
	open := diag.Run("chmod", "a+x", "--", r.At)
	if r.At == p.Path {
		open = diag.Run("chmod", "a+r", "--", r.At)
	}
	message, seen := Unreached(p, r)
	return []diag.Problem{diag.Found(p.Code, subject, message, seen, "a file that the user "+diag.Clean(r.User)+" can read", diag.Do(open, next))}
}

// NoInstance is the problem of a configuration that lists none, as it is after
// the installation.
func NoInstance(cfg *config.Config) []diag.Problem {
	if !cfg.Empty() {
		return nil
	}
	return []diag.Problem{diag.New(diag.ConfigEmpty, strings.Join(cfg.Files, ", "), "no instance is configured",
		diag.CopyExample()).As(diag.Warning)}
}

func ofInstances(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%d instances", len(names))
	}
	return strings.Join(names, ", ")
}

// Unreached says which path could not be reached, after what it is for:
// it: "service.exec: P does not exist".
func Unreached(p Path, r facts.Reach) (message, seen string) {
	switch {
	case r.At == p.Path && (r.Detail == Absent || strings.HasPrefix(r.Detail, "is ")):
		return fmt.Sprintf("%s: %s %s", p.What, diag.Clean(p.Path), diag.Clean(r.Detail)), ""
	case r.Detail == Absent:
		return fmt.Sprintf("%s: %s does not exist", p.What, diag.Clean(p.Path)), diag.Clean(r.At) + ": " + Absent
	case r.At == p.Path:
		return fmt.Sprintf("%s: %s: %s", p.What, diag.Clean(p.Path), diag.Clean(r.Detail)), ""
	}
	return fmt.Sprintf("%s: %s cannot %s %s", p.What, diag.Clean(r.User), p.Want, diag.Clean(p.Path)), diag.Clean(r.At) + ": " + diag.Clean(r.Detail)
}

// Absent is what a probe of paths reports for a missing one.
const Absent = "does not exist"

// Credentials are the files of secrets that a service has. systemd reads them as
// root.
func Credentials(s config.Service, o config.Orchestrator) []Path {
	var all []Path
	if o.APIKeyFile != "" {
		all = append(all, Path{"orchestrator.api_key_file", o.APIKeyFile, facts.Read, diag.ServicePath})
	}
	add := func(key string, list []string) {
		for _, c := range list {
			_, file, _ := strings.Cut(c, ":")
			all = append(all, Path{key, file, facts.Read, diag.ServicePath})
		}
	}
	add("service.credentials", s.Credentials)
	add("service.encrypted_credentials", s.EncryptedCredentials)
	return all
}

// startScript is what service.exec runs by default. The packages have an example
// of it.
const startScript = "/usr/local/bin/justnews-start-agent.sh"

// PathFix puts a path where it is expected. commands follow it.
func PathFix(p Path, r facts.Reach, commands []diag.Command) diag.Fix {
	if p.Path == startScript && r.Detail == Absent {
		return diag.Advise("install your own start script there, or adapt the example "+diag.Examples+"justnews-start-agent.sh", commands...)
	}
	return diag.Advise(fmt.Sprintf("create it, or give %s access to it", diag.Quote(r.User)), commands...).Looking(diag.Namei(p.Path))
}
