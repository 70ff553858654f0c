// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"net/http"
	"sync"
)

// bus is the MCP bus of one life: names and addresses, and forwarded calls.
type bus struct {
	server *Server
	routes map[string]route
	loop   sync.Mutex // the newer bus probes inside its event loop: nothing else is answered meanwhile

	mu     sync.Mutex
	agents object // in the order of registration
}

func newBus(s *Server) *bus {
	b := &bus{server: s}
	get, post := []string{"GET"}, []string{"POST"}
	b.routes = map[string]route{
		"/health":   {get, "GET", b.health},
		"/ready":    {get, "GET", func(*request) answer { return b.ready() }},
		"/agents":   {get, "GET", b.list},
		"/register": {post, "POST", b.register},
		"/call":     {post, "POST", b.call},
	}
	return b
}

func (b *bus) answer(r *request) answer {
	if b.server.opt.Generation == New {
		b.loop.Lock()
		defer b.loop.Unlock()
	}
	return dispatch(b.routes, r)
}

func (b *bus) ready() answer {
	_, no := b.server.conduct.value(notReady)
	return say200(member{"ready", !no})
}

// health is always ok on the old bus. The newer one queries each agent in turn and reports
// degraded, with 200, if one does not answer.
func (b *bus) health(r *request) answer {
	if b.server.opt.Generation == Old {
		return say200(member{"status", "ok"})
	}
	agents, overall := &object{}, "healthy"
	for _, a := range b.snapshot() {
		word := "healthy"
		if !b.alive(r.Context(), a.value.(string)) {
			word, overall = "unreachable", "degraded"
		}
		agents.add(a.key, &object{{"status", word}})
	}
	return say200(member{"status", "ok"}, member{"overall_status", overall}, member{"agents", agents})
}

func (b *bus) alive(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, b.server.opt.ProbeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/health", nil)
	if err != nil {
		return false
	}
	resp, err := direct.RoundTrip(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK
}

func (b *bus) snapshot() object {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(object(nil), b.agents...)
}

func (b *bus) list(*request) answer {
	agents := b.snapshot()
	return answer{status: 200, state: &agents}
}

// register accepts every name and address, and overwrites existing ones.
func (b *bus) register(r *request) answer {
	body, bad := bodyObject(r)
	if bad != nil {
		return *bad
	}
	name, address, bad := twoStrings(body, "name", "address")
	if bad != nil {
		return *bad
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.agents.set(name, address)
	return say200(member{"status", "ok"})
}

func (b *bus) call(r *request) answer {
	body, bad := bodyObject(r)
	if bad != nil {
		return *bad
	}
	name, tool, bad := twoStrings(body, "agent", "tool")
	if bad != nil {
		return *bad
	}
	agents := b.snapshot()
	address, known := agents.get(name).(string)
	if !known {
		return failure(404, "Agent not found: "+name)
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, address+"/"+tool, nil)
	if err != nil {
		return failure(502, "Tool call failed: "+err.Error())
	}
	resp, err := direct.RoundTrip(req)
	if err != nil {
		return failure(502, "Tool call failed: "+err.Error())
	}
	defer func() { _ = resp.Body.Close() }()
	return say200(member{"status", "success"}, member{"data", nil})
}

func twoStrings(body map[string]any, first, second string) (a, b string, bad *answer) {
	var complaints []any
	read := func(key string) string {
		v, given := body[key]
		s, ok := v.(string)
		if !given {
			complaints = append(complaints, complaint("missing", "Field required", body, key))
		} else if !ok {
			complaints = append(complaints, complaint("string_type", "Input should be a valid string", v, key))
		}
		return s
	}
	a, b = read(first), read(second)
	if complaints != nil {
		bad = unprocessable(complaints...)
	}
	return a, b, bad
}
