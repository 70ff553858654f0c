// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// dialect has the requests to one kind of model server, and parses its answers. Each kind has
// its own file.
type dialect interface {
	protocol() facts.Protocol
	// health is 200 once the server serves requests.
	health(ctx context.Context, l *link) facts.Answer
	// list returns the server's report on its models, by name. An expected model that it
	// does not name is not loaded.
	list(ctx context.Context, l *link, fresh bool) (map[string]model, facts.Answer)
	// load asks for one model. It is only called if the protocol says that the server
	// loads on request.
	load(ctx context.Context, l *link, name string) reply
	// canary asks for the smallest answer that the model can give.
	canary(ctx context.Context, l *link, name string) facts.Answer
}

// model is the state of one model. The zero value is not loaded.
type model struct {
	loaded, loading bool
	failed          string // the server's reason why it could not be loaded
	cpu             bool   // at least a part of it is not in the memory of a GPU
}

// listing is a server's report on its models, by name.
type listing map[string]model

// add adds one entry. Of several with the same name each has to be loaded: versions of
// a model, or an answer that contradicts itself.
func (l listing) add(name string, m model) {
	if other, twice := l[name]; twice {
		m = model{
			loaded: other.loaded && m.loaded, loading: other.loading || m.loading, failed: cmp.Or(other.failed, m.failed), cpu: other.cpu || m.cpu,
		}
	}
	l[name] = m
}

// expecting is a Server of the models that the configuration expects: the server is
// asked for its models, and its answer is compared with the expected names.
type expecting struct {
	link
	dialect
	expected []string

	mu      sync.Mutex
	asking  int               // requests to load that have no answer yet: not every server shows them
	refused map[string]string // by model: how the server answered the last request to load it
}

func (e *expecting) Protocol() facts.Protocol { return e.protocol() }

// Health asks whether the server serves requests.
func (e *expecting) Health(ctx context.Context) facts.Health {
	return facts.Health{Answer: e.health(ctx, &e.link)}
}

// Ready is Health: none of these servers has a separate answer for its readiness.
func (e *expecting) Ready(ctx context.Context) facts.Readiness {
	a := e.health(ctx, &e.link)
	return facts.Readiness{Answer: a, Ready: a.Kind == facts.Answered}
}

// Models asks for the server's models and compares them with the expected ones.
func (e *expecting) Models(ctx context.Context, fresh bool) facts.ModelsLook {
	listed, a := e.list(ctx, &e.link, fresh)
	if a.Kind != facts.Answered {
		return facts.ModelsLook{Answer: a}
	}
	return facts.ModelsLook{Answer: a, State: e.state(listed)}
}

// state converts listed to the state of a preload. A server that does not load on request is
// assumed to be still loading what it does not list.
func (e *expecting) state(listed map[string]model) facts.ModelsState {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := facts.ModelsState{Total: len(e.expected), InProgress: e.asking > 0 || !e.protocol().Loads}
	for _, name := range e.expected {
		m := listed[name]
		switch {
		case m.loaded:
			s.Done++
			delete(e.refused, name)
			if m.cpu {
				s.OnCPU = append(s.OnCPU, name)
			}
			continue
		case m.loading:
			s.InProgress = true
		case e.asking > 0:
		case m.failed != "" || e.refused[name] != "":
			s.Failed++
			s.Errors = append(s.Errors, facts.ModelError{Model: name, Error: diag.Clip(e.hide.from(cmp.Or(m.failed, e.refused[name])), maxError)})
		}
		s.Missing = append(s.Missing, name)
	}
	unlisted := func(name string) bool { _, has := listed[name]; return !has }
	if slices.ContainsFunc(s.Missing, unlisted) {
		s.Others = slices.DeleteFunc(slices.Sorted(maps.Keys(listed)), func(name string) bool { return slices.Contains(e.expected, name) })
	}
	s.AllReady = s.Done == s.Total && s.Total > 0
	s.InProgress = s.InProgress && !s.AllReady
	return s
}

// Preload asks for each model that is not loaded, one after the other: all of these
// servers answer when the model is loaded, or queue the request.
func (e *expecting) Preload(ctx context.Context) facts.ModelsLook {
	e.ask(1)
	defer e.ask(-1)
	listed, a := e.list(ctx, &e.link, true)
	if a.Kind != facts.Answered {
		return facts.ModelsLook{Answer: a}
	}
	for _, name := range e.expected {
		if m := listed[name]; m.loaded || m.loading {
			continue
		}
		answer := e.load(ctx, &e.link, name).alive()
		e.note(name, answer)
		if answer.Kind != facts.Answered && answer.Kind != facts.ServerError {
			return facts.ModelsLook{Answer: answer}
		}
	}
	return facts.ModelsLook{Answer: a, State: e.state(listed)}
}

func (e *expecting) ask(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asking += n
}

// note keeps why a model was not loaded, which not every server reports later.
func (e *expecting) note(name string, a facts.Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.refused, name)
	if a.Kind == facts.ServerError {
		if e.refused == nil {
			e.refused = map[string]string{}
		}
		e.refused[name] = a.Detail
	}
}

// Canary asks a model for the smallest answer that it can give.
func (e *expecting) Canary(ctx context.Context, name string) facts.Answer {
	return e.canary(ctx, &e.link, name)
}

// post sends an object until ctx ends, over a separate connection. Like every POST of this
// package it is sent at most once.
func (l *link) post(ctx context.Context, path string, body any) reply {
	text, err := json.Marshal(body)
	if err != nil {
		return reply{failed: &facts.Answer{Kind: facts.Nonsense, Detail: diag.Clean(err.Error())}}
	}
	return l.proven(ctx, l.exchange(ctx, l.fresh, http.MethodPost, path, bytes.NewReader(text)))
}

// alive is the answer of an endpoint that is judged by its status alone.
func (r reply) alive() facts.Answer {
	if a, ok := r.refusal(); ok {
		return a
	}
	return r.byStatus()
}

type object map[string]any

// completions are the endpoints of OpenAI's API that answer with something of the
// model's own, with the smallest request to each, in the order in which they are tried.
var completions = []struct {
	path, answer string
	body         object
}{
	{"/v1/completions", "choices", object{"prompt": "a", "max_tokens": 1}},
	{"/v1/chat/completions", "choices", object{"messages": []object{{"role": "user", "content": "a"}}, "max_tokens": 1}},
	{"/v1/embeddings", "data", object{"input": "a"}},
}

type completes struct{}

// canary requests one token, or one embedding, through OpenAI's API. If the server lacks the
// endpoint, or the model does not support the task, the next one is tried. The first other
// answer counts.
func (completes) canary(ctx context.Context, l *link, name string) facts.Answer {
	var first *facts.Answer
	for _, c := range completions {
		body := maps.Clone(c.body)
		body["model"] = name
		a := l.post(ctx, c.path, body).read(func(f fields) {
			items := 0
			for range f.list(c.answer) {
				items++
			}
			if items == 0 {
				f.fail(fmt.Errorf("%s is empty", c.answer))
			}
			if e, found, err := f.Optional("error"); err != nil || found && !e.IsNull() {
				f.fail(errors.New("an error, besides " + c.answer))
			}
		})
		if first == nil || a.Kind == facts.Answered {
			first = &a
		}
		if !slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity, http.StatusNotImplemented}, a.Status) {
			return *first
		}
	}
	return *first
}
