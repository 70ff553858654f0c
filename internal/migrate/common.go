// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/safefile"
)

func (a *converter) document(names []string) *document {
	doc := &document{head: []string{
		"Written by justnews-gate config import from what was set up manually on this host.",
		"Each value names the file and line that it came from. Secrets stay in the",
		"environment files, which are read as before and override this file.",
	}}
	ports := a.ports(names)
	a.gate(doc.table("gate"))
	a.server(doc.table("orchestrator"), names, orchestrator, "GPU_ORCHESTRATOR_URL", ports)
	a.server(doc.table("bus"), names, bus, "MCP_BUS_URL", ports)
	a.models(doc.table("models"))
	limits := a.mps(doc.table("mps"), names)
	a.gpu(doc.table("gpu"), limits)
	shared := a.service(doc.table("service"))
	for _, name := range names {
		a.instance(doc.table("instances."+name), name, ports[name], names, limits, shared)
	}
	a.reportUnread(names)
	return doc
}

// accept imports a value if it is valid in the configuration.
func accept[T any](a *converter, v value, what string, read func(string) (T, error)) (T, bool) {
	t, err := read(v.text)
	if err != nil {
		a.leftOut(v, what, err.Error(), "correct or remove it, and run the same command again: every gate refuses to run with it")
		return t, false
	}
	return t, true
}

func (a *converter) take(t *table, key, variable string, read func(string) (string, error)) {
	if v, ok := a.variable("", variable); ok {
		if clean, ok := accept(a, v, variable, read); ok {
			t.from(key, value{clean, v.at})
		}
	}
}

func (a *converter) gate(t *table) {
	if v, ok := a.variable("", "GATE_TIMEOUT"); ok {
		if _, ok := accept(a, v, "GATE_TIMEOUT", config.Timeout); ok {
			t.from("timeout", seconds(v))
		}
	}
}

func seconds(v value) value {
	if _, err := strconv.Atoi(v.text); err == nil {
		v.text += "s"
	}
	return v
}

func (a *converter) server(t *table, names []string, name, variable string, ports map[string]port) {
	here := slices.Contains(names, name)
	if !here {
		t.set("instance", `""`, "no "+name+" was found on this host")
	}
	if v, ok := a.variable(orchestrator, "SAFE_MODE"); ok && name == orchestrator {
		a.safeMode(t, v)
	}
	v, ok := a.variable("", variable)
	if !ok {
		// The port may also be in the orchestrator's own file.
		if p := ports[name]; here && p.at != fromTable && p.number != 0 {
			t.set("url", quoted(fmt.Sprintf("http://127.0.0.1:%d", p.number)), p.at)
		}
		return
	}
	clean, ok := accept(a, v, variable, config.ServerURL)
	if !ok {
		return
	}
	if u, err := url.Parse(clean); err == nil && here && ports[name].number != 0 && u.Port() != strconv.Itoa(ports[name].number) {
		a.say(diag.ImportConflict, v.at, fmt.Sprintf("%s has a different port than %s itself; the latter is used", variable, name),
			v.text, fmt.Sprintf("port %d (%s)", ports[name].number, ports[name].at), "make them equal, and run the same command again")
		clean = fmt.Sprintf("http://127.0.0.1:%d", ports[name].number)
	}
	t.set("url", quoted(clean), v.at.String())
}

// safeMode reports safe_mode of the orchestrator, with which the old gate passed
// without models. The new one does so only on request.
func (a *converter) safeMode(t *table, v value) {
	if on, _ := envfile.Boolean(v.text); on {
		t.note("honor_safe_mode = true   would let gates pass without models, as the old gate did: %s", v.at)
		a.say(diag.ImportConflict, v.at, "SAFE_MODE let the old gate pass without models; the new one waits for them",
			v.text, "", "write honor_safe_mode = true into [orchestrator] if that was intended")
	}
}

func (a *converter) models(t *table) {
	a.take(t, "root", "MODEL_STORE_ROOT", config.Path)
	a.take(t, "base_dir", "BASE_MODEL_DIR", config.Path)
	if v, ok := a.variable("", "STRICT_MODEL_STORE"); ok {
		if on, known := envfile.Boolean(v.text); !known {
			a.leftOut(v, "STRICT_MODEL_STORE", "it is neither 0 nor 1", "correct it, and run the same command again")
		} else if !on {
			t.set("strict", "false", v.at.String())
		}
	}
	switch m := a.host.Map; {
	case m == nil:
		t.note("no AGENT_MODEL_MAP.json was found: copy it to /etc/justnews, so that the models are counted")
	case m.Path != "/etc/justnews/AGENT_MODEL_MAP.json":
		t.set("map", quoted(m.Path), "found there: "+diag.Count(m.Map.Total(), "model")+" of "+diag.Count(len(m.Map.Agents), "agent"))
	default:
		t.note("%s is read by default: %s of %s", m.Path, diag.Count(m.Map.Total(), "model"), diag.Count(len(m.Map.Agents), "agent"))
	}
}

// belowHome reports whether a path is one that ProtectHome= would hide.
func belowHome(p string) bool {
	return safefile.Within("/home", p) || safefile.Within("/root", p)
}

const (
	orchestrator = "gpu_orchestrator"
	bus          = "mcp_bus"
)

type server struct {
	name string
	port int
}

// upstream is the table of JustNews' health check, in start order.
var upstream = [...]server{
	{orchestrator, 8014}, {bus, 8000}, {"chief_editor", 8001}, {"scout", 8002}, {"fact_checker", 8003},
	{"analyst", 8004}, {"synthesizer", 8005}, {"critic", 8006}, {"memory", 8007}, {"reasoning", 8008},
	{"newsreader", 8009}, {"balancer", 8010}, {"analytics", 8011}, {"archive", 8012}, {"dashboard", 8013},
	{"hitl_service", 8040}, {"crawl4ai", 3308}, {"crawler", 8015}, {"crawler_control", 8016}, {"journalist", 8016}, {"auth", 8009},
	// Workers, which listen nowhere.
	{"fact_intel", 0}, {"cluster_pipeline", 0},
}

// rank is the place in start order; unknown instances come last.
func rank(name string) int {
	if i := slices.IndexFunc(upstream[:], func(u server) bool { return u.name == name }); i >= 0 {
		return i
	}
	return len(upstream)
}

const fromTable = "upstream's table of ports"

// port is where an instance listens, and the source of that; 0: unknown.
type port struct {
	number int
	at     string
}

// ports determines the port of every instance: from a variable of the host, from the
// URL that other instances use, or from JustNews' table. The second of two instances
// with the same port gets none.
func (a *converter) ports(names []string) map[string]port {
	ports, owner := map[string]port{}, map[int]string{}
	for _, name := range names {
		p := a.portOf(name)
		if other, taken := owner[p.number]; taken && p.number != 0 {
			a.say(diag.ImportConflict, place{"/etc/justnews/" + name + ".env", 0},
				fmt.Sprintf("%s and %s would have the same port; that of %s is omitted", other, name, name),
				fmt.Sprintf("%d (%s)", p.number, p.at), "a separate port for each", fmt.Sprintf("write the port of %s into [instances.%s]", name, name))
			p = port{}
		}
		if p.number != 0 {
			owner[p.number] = name
		}
		ports[name] = p
	}
	return ports
}

func (a *converter) portOf(name string) port {
	variable := strings.ToUpper(name) + "_PORT"
	if name == "crawler" { // its CRAWLER_PORT defaults to the orchestrator's port
		variable = "CRAWLER_AGENT_PORT"
	}
	if v, ok := a.variable(name, variable); ok {
		if n, err := strconv.Atoi(v.text); err == nil && n >= 1 && n <= 65535 {
			return port{n, v.at.String()}
		}
		a.leftOut(v, variable, "it is not a port", "correct it, and run the same command again")
	}
	if v, ok := a.url(name); ok {
		if u, err := url.Parse(v.text); err == nil {
			if n, err := strconv.Atoi(u.Port()); err == nil {
				return port{n, v.at.String()}
			}
		}
	}
	if i := rank(name); i < len(upstream) {
		return port{upstream[i].port, fromTable}
	}
	return port{}
}

// url is under which others look for the orchestrator or the bus.
func (a *converter) url(name string) (value, bool) {
	switch name {
	case orchestrator:
		return a.variable("", "GPU_ORCHESTRATOR_URL")
	case bus:
		return a.variable("", "MCP_BUS_URL")
	}
	return value{}, false
}
