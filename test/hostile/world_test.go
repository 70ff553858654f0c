// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"fmt"
	"sync"
	"time"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

// mapTotal is how many models the map of the virtual host lists.
const mapTotal = 8

// face is what one worker process of the orchestrator shows. Only an answer of the kind
// Answered has a state.
type face struct {
	name   string
	kind   facts.AnswerKind
	status int
	state  facts.ModelsState
	hang   bool // no answer until the look's own deadline
}

// orchestrator simulates a server in virtual time: it shows its faces in turn, one for each
// worker process behind the port, and records the requests.
type orchestrator struct {
	mu     sync.Mutex
	faces  []face                      // at least one
	onPost func(*orchestrator)         // the effect of a POST; nil: none
	onLook map[int]func(*orchestrator) // what happens right after that many looks

	incarnation int
	jobs        int // numbers started_at

	looks    []facts.ModelsLook // every answer to GET /models/status
	requests int
	posts    []post
	rush     int       // looks at one moment of virtual time
	moment   time.Time // of the last look
}

// post is a POST with the answer on which its sender decided.
type post struct {
	at          time.Time
	incarnation int
	before      facts.ModelsLook
}

// rushLimit is how many looks at the same time are a busy loop, which would never end in
// virtual time.
const rushLimit = 200

func newOrchestrator(faces ...face) *orchestrator { return &orchestrator{faces: faces} }

// after changes the server when d has passed.
func (o *orchestrator) after(d time.Duration, change func(*orchestrator)) {
	time.AfterFunc(d, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		change(o)
	})
}

// now is the face of the next answer.
func (o *orchestrator) now() face {
	return o.faces[o.requests%len(o.faces)]
}

// ask handles every request.
func (o *orchestrator) ask(ctx context.Context) (face, facts.Answer) {
	o.mu.Lock()
	f := o.now()
	o.requests++
	o.mu.Unlock()
	if f.hang {
		look, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		<-look.Done()
		return f, facts.Answer{Kind: facts.Refused, Detail: "no answer within 3 s"}
	}
	return f, facts.Answer{Kind: f.kind, Status: f.status, Detail: f.name}
}

// Health answers as far as the face has an answer at all.
func (o *orchestrator) Health(ctx context.Context) facts.Health {
	_, a := o.ask(ctx)
	return facts.Health{Answer: alive(a)}
}

// Ready answers as Health does.
func (o *orchestrator) Ready(ctx context.Context) facts.Readiness {
	_, a := o.ask(ctx)
	a = alive(a)
	return facts.Readiness{Answer: a, Ready: a.Kind == facts.Answered}
}

// alive is the answer of the endpoints that a preload does not affect.
func alive(a facts.Answer) facts.Answer {
	if a.Kind != facts.Refused {
		a.Kind, a.Status = facts.Answered, 200
	}
	return a
}

// Models shows the next face.
func (o *orchestrator) Models(ctx context.Context, _ bool) facts.ModelsLook {
	f, a := o.ask(ctx)
	look := facts.ModelsLook{Answer: a}
	if a.Kind == facts.Answered {
		look.State = f.state
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rush++; !time.Now().Equal(o.moment) {
		o.moment, o.rush = time.Now(), 0
	}
	if o.rush > rushLimit {
		panic(fmt.Sprintf("%d looks at one moment: the gate hammers", o.rush))
	}
	o.looks = append(o.looks, look)
	if change := o.onLook[len(o.looks)]; change != nil {
		change(o)
	}
	return look
}

// Preload is the POST of the only gate.
func (o *orchestrator) Preload(ctx context.Context) facts.ModelsLook {
	o.mu.Lock()
	seen := o.looks
	o.mu.Unlock()
	return o.preload(ctx, seen)
}

// preload records the POST, with what its gate saw before, and applies its effect.
func (o *orchestrator) preload(ctx context.Context, seen []facts.ModelsLook) facts.ModelsLook {
	o.mu.Lock()
	p := post{at: time.Now(), incarnation: o.incarnation}
	if len(seen) > 0 {
		p.before = seen[len(seen)-1]
	}
	o.posts = append(o.posts, p)
	if o.onPost != nil && o.now().kind == facts.Answered {
		o.onPost(o)
	}
	o.mu.Unlock()
	f, a := o.ask(ctx)
	look := facts.ModelsLook{Answer: a}
	if a.Kind == facts.Answered {
		look.State = f.state
	}
	return look
}

// restart turns it into another process, which knows of no job.
func (o *orchestrator) restart() {
	o.incarnation++
	o.faces = []face{fresh()}
}

// Unit is systemd's view of it.
func (o *orchestrator) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return facts.Unit{
		Name: name, LoadState: "loaded", ActiveState: "active", SubState: "running", Result: "success",
		InvocationID: fmt.Sprintf("%032d", o.incarnation),
	}, nil
}

// host is what the gates of one virtual machine share.
type host struct {
	server  *orchestrator
	lock    *lock
	memory  *memory
	booted  time.Time
	systemd bool
}

func newHost(o *orchestrator) *host {
	return &host{server: o, lock: newLock(), memory: &memory{}, booted: time.Now().Add(-time.Hour), systemd: true}
}

func (h *host) world() gate.World {
	w := gate.World{
		Orchestrator: h.server, Lock: &ticket{h.lock}, Memory: h.memory,
		Map: gate.ModelMap{Total: mapTotal}, Uptime: func() time.Duration { return time.Since(h.booted) },
	}
	if h.systemd {
		w.Units = h.server
	}
	return w
}

func scout(timeout time.Duration) requirement.Run {
	return requirement.Run{
		Instance: "scout", Unit: "justnews@scout.service",
		Timeout:       requirement.Timeout{Value: timeout, Origin: "test"},
		Orchestrator:  requirement.Service{URL: "http://127.0.0.1:8014", Unit: "justnews@gpu_orchestrator.service"},
		Models:        config.Models{Map: "/etc/justnews/AGENT_MODEL_MAP.json"},
		RequireModels: true, Preload: requirement.Preload{FailFast: true}, Gate: config.Gate{RefreshAttempts: 1},
	}
}

// witness is the orchestrator as one of several gates sees it.
type witness struct {
	*orchestrator
	seen []facts.ModelsLook
}

func (w *witness) Models(ctx context.Context, fresh bool) facts.ModelsLook {
	look := w.orchestrator.Models(ctx, fresh)
	w.seen = append(w.seen, look)
	return look
}

func (w *witness) Preload(ctx context.Context) facts.ModelsLook {
	return w.preload(ctx, w.seen)
}
