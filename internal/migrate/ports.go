// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
)

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
func (a *adopter) ports(names []string) map[string]port {
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

func (a *adopter) portOf(name string) port {
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
func (a *adopter) url(name string) (value, bool) {
	switch name {
	case orchestrator:
		return a.variable("", "GPU_ORCHESTRATOR_URL")
	case bus:
		return a.variable("", "MCP_BUS_URL")
	}
	return value{}, false
}
