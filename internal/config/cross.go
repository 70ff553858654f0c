// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/spell"
)

// crossCheck checks what needs the merged configuration: references, conflicts,
// sums and the order of the units.
func (s *state) crossCheck(c *Config) {
	byName := make(map[string]int, len(c.Instances))
	for i := range c.Instances {
		byName[c.Instances[i].Name] = i
	}
	s.roles(c, byName)
	s.kind(c)
	s.ports(c)
	s.credentials(c, []string{"service"}, c.Service)
	for i := range c.Instances {
		s.taken(c.Instances[i].Name)
		s.after(&c.Instances[i], byName)
		s.credentials(c, []string{"instances", c.Instances[i].Name, "service"}, c.Instances[i].Service)
		s.needs(c, []string{"instances", c.Instances[i].Name, "needs"}, c.Instances[i].Needs)
		s.mpsLimits(c, &c.Instances[i])
	}
	s.probes()
	s.guards(c)
	s.devices(c)
	s.memory(c)
	s.clients(c)
	s.users(c)
	s.cycles(c, byName)
}

// fail reports a value of the merged configuration in the file that set it.
func (s *state) fail(code diag.Code, path []string, w where, message, seen, expected, fix string) {
	s.report(s.origin(path), path, w, diag.Found(code, "", message,
		diag.Clean(seen), expected, diag.Advise(fix, diag.Reload())))
}

func (s *state) roles(c *Config, byName map[string]int) {
	s.role("orchestrator", c.Orchestrator.Instance, c.Orchestrator.URL, c, byName)
	s.role("bus", c.Bus.Instance, c.Bus.URL, c, byName)
	if name := c.Bus.Instance; name != "" && name == c.Orchestrator.Instance {
		path := []string{"bus", "instance"}
		if !s.isWritten(path...) {
			path[0] = "orchestrator"
		}
		s.fail(diag.ConfigConflict, path, atValue, quote(name)+" serves both the orchestrator and the bus",
			quote(name), "a separate instance for each", "name another instance in orchestrator.instance or bus.instance")
	}
	busUsed := c.AnyGuard(func(g Guard) bool { return g.RequireBus }) || slices.ContainsFunc(c.Instances, func(i Instance) bool { return i.RequireBus }) ||
		c.Bus.Instance != "" && c.waits("bus")
	if busUsed && c.Bus.URL == c.Orchestrator.URL && !s.isBad([]string{"bus", "url"}) && !s.isBad([]string{"orchestrator", "url"}) {
		path := []string{"bus", "url"}
		if !s.isWritten(path...) {
			path[0] = "orchestrator"
		}
		s.fail(diag.ConfigConflict, path, atValue, "orchestrator.url and bus.url are the same server",
			quote(c.Bus.URL), "a separate server for each", "correct orchestrator.url or bus.url")
	}
}

func (s *state) role(table, name, server string, c *Config, byName map[string]int) {
	path := []string{table, "instance"}
	if name == "" || s.isBad(path) {
		return
	}
	i, listed := byName[name]
	if !listed {
		s.unlisted(c, path, name, byName)
		return
	}
	s.rolePort(table, server, &c.Instances[i])
}

// unlisted is an error if a file names the instance, and a warning if only the
// default does.
func (s *state) unlisted(c *Config, path []string, name string, byName map[string]int) {
	key := dotted(path)
	p := diag.Found(diag.ConfigReference, "", key+" is "+quote(name)+", which has no [instances] table",
		quote(name), "an instance that is listed, or \"\" if it is not a unit of this host",
		diag.Advise("add [instances."+name+"], or write "+key+` = ""`, diag.Reload()))
	doc := s.origin(path)
	if doc == nil {
		if !c.waits(path[0]) {
			return // nothing is configured yet
		}
		p.Severity = diag.Warning
		p.Message = key + " is " + quote(name) + " by default, which has no [instances] table"
	} else if near, ok := s.nearestInstance(name, byName); ok {
		p.Message += ", did you mean " + quote(near) + "?"
		p.Fix = diag.Advise("write "+quote(near)+" instead", diag.Reload())
	}
	s.report(doc, path, atValue, p)
}

// maxHints bounds the search for nearest names. Each compares with every
// instance, so a file full of typing errors would take too long for the
// generator.
const maxHints = 50

func (s *state) nearestInstance(name string, byName map[string]int) (string, bool) {
	if s.hints++; s.hints > maxHints {
		return "", false
	}
	names := make([]string, len(byName))
	for n, i := range byName {
		names[i] = n
	}
	return spell.Nearest(name, names)
}

// rolePort compares the port of a server's URL with its instance's.
func (s *state) rolePort(table, server string, i *Instance) {
	urlPath, portPath := []string{table, "url"}, []string{"instances", i.Name, "port"}
	u, err := url.Parse(server)
	if err != nil || i.Port == 0 || s.isBad(urlPath) || s.isBad(portPath) || u.Port() == strconv.Itoa(i.Port) {
		return
	}
	path, seen := urlPath, quote(server)
	if !s.isWritten(urlPath...) {
		path, seen = portPath, strconv.Itoa(i.Port)
	}
	s.fail(diag.ConfigConflict, path, atValue,
		fmt.Sprintf("%s.url has port %s, but %s listens on %d", table, u.Port(), i.Name, i.Port),
		seen, "the same port in both", fmt.Sprintf("correct %s.url or instances.%s.port", table, i.Name))
}

// takenNames are valid names whose files or directories something else uses already.
var takenNames = map[string]string{
	"global":    "/etc/justnews/global.env, the environment file of every unit",
	"host":      "the records of runs for the whole host",
	"mps":       "/var/cache/justnews/mps, the cache of justnews-mps.service",
	"preflight": "/var/cache/justnews/preflight, the cache of justnews-preflight.service",
	"preload":   "/var/cache/justnews/preload, the cache of justnews-preload.service",
}

func (s *state) taken(name string) {
	if what, ok := takenNames[name]; ok {
		path := []string{"instances", name}
		s.report(s.origin(path), path, atKey, diag.Found(diag.ConfigConflict, "", "the instance shares "+what,
			quote(name), "another name", diag.Advise("rename the instance", diag.Reload())).As(diag.Warning))
	}
}

func (s *state) ports(c *Config) {
	owner := make(map[int]string, len(c.Instances))
	for i := range c.Instances {
		in := &c.Instances[i]
		path := []string{"instances", in.Name, "port"}
		if in.Port == 0 || s.isBad(path) {
			continue
		}
		other, taken := owner[in.Port]
		if !taken {
			owner[in.Port] = in.Name
			continue
		}
		s.fail(diag.ConfigConflict, path, atValue,
			fmt.Sprintf("port %d is the port of %s and of %s", in.Port, other, in.Name),
			strconv.Itoa(in.Port), "a separate port for each instance", "give one of the two another port")
	}
}

// APIKey is the credential that has the orchestrator's API key, where the
// configuration names a file of it.
const APIKey = "orchestrator-api-key"

// credentials finds two files of one name: systemd would pass on only one of them.
func (s *state) credentials(c *Config, table []string, v Service) {
	plain, encrypted := slices.Concat(table, []string{"credentials"}), slices.Concat(table, []string{"encrypted_credentials"})
	path := plain
	if !s.isWritten(path...) {
		path = encrypted
	}
	if !s.isWritten(path...) || s.isBad(plain) || s.isBad(encrypted) { // not written by an instance: reported for [service]
		return
	}
	seen := map[string]bool{APIKey: c.Orchestrator.APIKeyFile != ""}
	for _, one := range slices.Concat(v.Credentials, v.EncryptedCredentials) {
		name, _, _ := strings.Cut(one, ":")
		if seen[name] {
			s.fail(diag.ConfigConflict, path, atValue, "two credentials have the name "+quote(name), quote(one),
				"a separate name for each file, and "+quote(APIKey)+" only for orchestrator.api_key_file", "give one of them another name")
			return
		}
		seen[name] = true
	}
}

// after checks the instances that an instance is ordered after; itself is reported
// by the cycle check.
func (s *state) after(in *Instance, byName map[string]int) {
	listed := func(name string) bool { _, ok := byName[name]; return ok }
	near := func(name string) (string, bool) { return s.nearestInstance(name, byName) }
	s.references([]string{"instances", in.Name, "after"}, in.After, "instances", "an instance that is listed", listed, near)
}

func (s *state) needs(c *Config, list, names []string) {
	defined := func(name string) bool { _, ok := c.Probes[name]; return ok }
	near := func(name string) (string, bool) { return spell.Nearest(name, sortedKeys(c.Probes)) }
	s.references(list, names, "probes", "a probe that is defined", defined, near)
}

// references checks a list of names, each of which must have its own table.
func (s *state) references(list, names []string, table, expected string, exists func(string) bool, nearest func(string) (string, bool)) {
	if s.isBad(list) {
		return
	}
	for n, name := range names {
		if exists(name) {
			continue
		}
		path := append(slices.Clone(list), "["+strconv.Itoa(n)+"]")
		message, fix := dotted(path)+" is "+quote(name)+", which has no ["+table+"] table", "add ["+table+"."+name+"] or remove the name"
		if near, ok := nearest(name); ok {
			message += ", did you mean " + quote(near) + "?"
			fix = "write " + quote(near) + " instead"
		}
		s.fail(diag.ConfigReference, path, atValue, message, quote(name), expected, fix)
	}
}

// probeKeys are the keys that the kinds of probes need; no other is allowed.
var probeKeys = map[string]string{"tcp": "address", "http": "url", "unit": "unit", "path": "path"}

// probes checks that each probe has the keys of its kind: after the merge,
// since a drop-in may add what is missing.
func (s *state) probes() {
	tables, _ := s.merged["probes"].(map[string]any)
	for _, name := range sortedKeys(tables) {
		if table, ok := tables[name].(map[string]any); ok {
			s.probe(name, table)
		}
	}
}

func (s *state) probe(name string, table map[string]any) {
	path := []string{"probes", name}
	kind, ok := table["kind"].(string)
	if !ok {
		if _, there := table["kind"]; !there {
			s.fail(diag.ConfigValue, path, atKey, dotted(path)+" has no kind", "", `kind = "tcp", "http", "unit" or "path"`, "add the kind")
		}
		return
	}
	need := probeKeys[kind]
	if need == "" {
		return
	}
	if _, there := table[need]; !there {
		s.fail(diag.ConfigValue, append(path, "kind"), atValue, dotted(path)+" has no "+need+", which kind "+quote(kind)+" needs",
			quote(kind), need+" = …", "add "+need)
	}
	for _, other := range sortedKeys(table) {
		if other == "kind" || other == need || find(probeFields, other) == nil {
			continue
		}
		s.fail(diag.ConfigConflict, append(path, other), atKey, dotted(append(path, other))+" is not valid for kind "+quote(kind),
			other, "kind and "+need, "remove it, or correct the kind")
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// kind checks what depends on the kind of the orchestrator.
func (s *state) kind(c *Config) {
	o, written := c.Orchestrator, func(path string) bool { return s.isWritten(strings.Split(path, ".")...) }
	if o.Unit != "" && o.Instance != "" {
		s.kindFault(diag.ConfigConflict, "orchestrator.unit", "orchestrator.unit and orchestrator.instance name two units",
			quote(o.Unit)+" and "+quote(o.Instance), "the unit that serves orchestrator.url", "remove one of the two")
	}
	if o.Kind == KindJustNews {
		s.refuse(o.Kind, map[string]bool{
			"models.expected": len(c.Models.Expected) > 0, "models.canary": c.Models.Canary, "orchestrator.api_key_file": o.APIKeyFile != "",
		})
	} else {
		s.named(c, written)
	}
	if c.Models.Device == "gpu" && o.ServedBy() == "" && o.Kind != "ollama" {
		s.kindFault(diag.ConfigConflict, "models.device", "models.device = \"gpu\" needs the unit of the server, whose processes are looked for on the GPUs",
			"no unit", "orchestrator.instance or orchestrator.unit", "name the server's unit, or remove models.device")
	}
}

// named checks a server whose models the configuration names.
func (s *state) named(c *Config, written func(string) bool) {
	o := c.Orchestrator
	for path, missing := range map[string]bool{
		"orchestrator.url": !written("orchestrator.url"), "models.expected": len(c.Models.Expected) == 0 && !c.Models.MapWritten,
	} {
		if missing {
			s.kindFault(diag.ConfigValue, "orchestrator.kind", fmt.Sprintf("orchestrator.kind = %s needs %s", quote(o.Kind), path),
				"it is not set, or empty", path, "set "+path)
		}
	}
	if !written("orchestrator.unit") && !written("orchestrator.instance") && o.ServedBy() == "" {
		s.kindFault(diag.ConfigValue, "orchestrator.kind", fmt.Sprintf("orchestrator.kind = %s needs the unit of the server", quote(o.Kind)),
			"neither orchestrator.unit nor orchestrator.instance is set", `orchestrator.unit, or "" for a server that is not a unit of this host`, "set orchestrator.unit")
	}
	if len(c.Models.Expected) > 0 && c.Models.MapWritten {
		s.kindFault(diag.ConfigConflict, "models.map", "models.expected and models.map both name the models", quote(c.Models.Map), "one of the two", "remove one of the two")
	}
	seen := map[string]bool{}
	for _, name := range c.Models.Expected {
		if seen[name] {
			s.kindFault(diag.ConfigConflict, "models.expected", "models.expected names "+quote(name)+" twice", quote(name), "each name once", "remove one of the two")
		}
		seen[name] = true
	}
	none := map[string]bool{
		"orchestrator.honor_safe_mode": o.HonorSafeMode, "models.accept_empty": c.Models.AcceptEmpty, "gate.scope": c.Gate.Scope == "own",
	}
	for _, i := range c.Instances {
		if path := "instances." + i.Name + ".gate.scope"; written(path) {
			none[path] = i.Gate.Scope == "own"
		}
	}
	s.refuse(o.Kind, none)
	if v, ok := lookUp(s.merged, []string{"models", "canary"}); ok && v == false && o.Kind == "openai" {
		s.kindFault(diag.ConfigConflict, "models.canary", "models.canary cannot be switched off: a list of models is all that a server of the kind \"openai\" shows otherwise",
			"false", "true", "remove models.canary")
	}
}

func (s *state) refuse(kind string, set map[string]bool) {
	for path, is := range set {
		if is {
			s.kindFault(diag.ConfigConflict, path, fmt.Sprintf("%s is not valid for orchestrator.kind = %s", path, quote(kind)),
				"it is set", "another kind, or the key removed", "remove "+path)
		}
	}
}

func (s *state) kindFault(code diag.Code, path, message, seen, expected, fix string) {
	at := strings.Split(path, ".")
	if !s.isBad(at) {
		s.fail(code, at, atValue, message, seen, expected, fix)
	}
}
