// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

const (
	statusPath  = "/models/status"
	preloadPath = "/models/preload"
)

// maxRequest is how much of a request's body is read, in bytes.
const maxRequest = 1 << 20

// request is one request, its body read.
type request struct {
	*http.Request
	body []byte
}

// answer is the answer of an app.
type answer struct {
	status  int
	header  map[string]string
	state   *object // the JSON body
	wrapped bool    // the state is under detail
	body    []byte  // a JSON body that no behaviour rewrites
	text    string  // a plain text body, where the others are not set
	after   func()  // runs once the answer is sent
}

func (a answer) render() rendered {
	r := rendered{status: a.status, header: typed(typeJSON)}
	switch {
	case a.state != nil && a.wrapped:
		r.body = appendJSON(nil, &object{{"detail", a.state}})
	case a.state != nil:
		r.body = appendJSON(nil, a.state)
	case a.body != nil:
		r.body = a.body
	case a.text != "":
		r.header, r.body = typed(typeText), []byte(a.text)
	default:
		r.header = map[string]string{}
	}
	for k, v := range a.header {
		r.header[k] = v
	}
	return r
}

// ServeHTTP handles every request: count, stage, refuse, answer, rewrite, dress, deliver.
func (l *life) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	s, path := l.server, hr.URL.Path
	if !s.enter() {
		return
	}
	defer s.work.Done()
	s.ledger.begin(hr.Method, path)
	defer s.ledger.end()
	body, err := io.ReadAll(io.LimitReader(hr.Body, maxRequest))
	if err != nil {
		return // the client went away
	}
	if now, ok := pathStage[path]; ok && s.stage(now) {
		return // the life, and this connection with it, has ended
	}
	out, after := l.compose(&request{hr, body}, path)
	d := &delivery{w: w, r: hr, out: out, life: l.ctx}
	var spoil []*spec
	s.conduct.take(path, func(sp *spec) bool { return sp.deliver != nil }, func(sp *spec) {
		turn := *sp // deliver runs outside the lock, since it may take long
		spoil = append(spoil, &turn)
	})
	if !slices.ContainsFunc(spoil, func(sp *spec) bool { return sp.deliver(d, sp) }) {
		d.send()
	}
	if after != nil {
		// What comes after may end the life, and this connection with it.
		_ = http.NewResponseController(w).Flush()
		after()
	}
}

// compose builds the answer, with the byte-level misbehaviours applied.
func (l *life) compose(r *request, path string) (rendered, func()) {
	conduct := &l.server.conduct
	var refused *rendered
	conduct.take(path, func(sp *spec) bool { return sp.refuse != nil && refused == nil }, func(sp *spec) {
		out := sp.refuse(sp.value)
		refused = &out
	})
	if refused != nil {
		return *refused, nil
	}
	a := l.app.answer(r)
	if a.state != nil {
		conduct.take(path, func(sp *spec) bool { return sp.rewrite != nil }, func(sp *spec) { sp.rewrite(a.state, sp) })
	}
	out := a.render()
	conduct.take(path, func(sp *spec) bool { return sp.dress != nil }, func(sp *spec) { sp.dress(&out, sp.value) })
	return out, a.after
}

// route is one path of a FastAPI application.
type route struct {
	methods []string
	allow   string // the Allow header of a 405
	serve   func(*request) answer
}

// dispatch answers as Starlette's router does: 404, 405 with Allow, and 307 if there is only
// a trailing slash too many or too few.
func dispatch(routes map[string]route, r *request) answer {
	rt, ok := routes[r.URL.Path]
	if !ok {
		if other := strings.TrimSuffix(r.URL.Path, "/"); other != r.URL.Path {
			if _, ok := routes[other]; ok {
				return answer{status: 307, header: map[string]string{"Location": "http://" + r.Host + other}}
			}
		}
		return failure(404, "Not Found")
	}
	if !slices.Contains(rt.methods, r.Method) {
		a := failure(405, "Method Not Allowed")
		a.header = map[string]string{"Allow": rt.allow}
		return a
	}
	return rt.serve(r)
}

func failure(status int, detail string) answer {
	return answer{status: status, body: appendJSON(nil, &object{{"detail", detail}})}
}

func say200(fields ...member) answer {
	o := object(fields)
	return answer{status: 200, state: &o}
}
