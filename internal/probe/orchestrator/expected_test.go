// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/facts"
	"justnews/internal/probe/orchestrator"
)

// router plays llama.cpp's router as Debian's 0.7.0 answers: a model of models is
// loaded on request, "bad" never.
type router struct {
	mu     sync.Mutex
	status map[string]string
	loads  []string
	keys   []string
	slow   chan struct{} // a request to load waits for it, nil: none does
}

func (s *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.keys = append(s.keys, r.Header.Get("Authorization"))
	s.mu.Unlock()
	switch r.URL.Path {
	case "/health":
		fmt.Fprint(w, `{"status":"ok"}`)
	case "/models":
		s.mu.Lock()
		defer s.mu.Unlock()
		var entries []string
		for _, name := range []string{"a", "bad", "b"} {
			entries = append(entries, fmt.Sprintf(`{"id":%q,"status":%s}`, name, s.status[name]))
		}
		fmt.Fprintf(w, `{"object":"list","data":[%s]}`, strings.Join(entries, ","))
	case "/models/load":
		if s.slow != nil {
			<-s.slow
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range []string{"a", "bad", "b"} {
			if strings.Contains(string(body), fmt.Sprintf("%q", name)) {
				s.loads = append(s.loads, name)
				s.status[name] = `{"value":"loaded"}`
				if name == "bad" {
					s.status[name] = `{"value":"unloaded","exit_code":1,"failed":true}`
				}
			}
		}
		fmt.Fprint(w, `{"success":true}`)
	default:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `{"error":"key %s"}`, r.Header.Get("Authorization"))
	}
}

func newRouter(t *testing.T) (*router, string) {
	t.Helper()
	s := &router{status: map[string]string{"a": `{"value":"loaded"}`, "bad": `{"value":"unloaded"}`, "b": `{"value":"unloaded"}`}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func open(t *testing.T, kind string, url string, expected []string, options ...orchestrator.Option) orchestrator.Server {
	t.Helper()
	c, err := orchestrator.Open(kind, url, expected, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestExpected_OnlyWhatIsMissingIsRequested(t *testing.T) {
	s, url := newRouter(t)
	c := open(t, "llamacpp", url, []string{"a", "b"})
	before := c.Models(t.Context(), false)
	want := facts.ModelsState{Total: 2, Done: 1, Missing: []string{"b"}}
	if diff := cmp.Diff(want, before.State); diff != "" || before.Kind != facts.Answered {
		t.Errorf("before: %v %s\n%s", before.Kind, before.Detail, diff)
	}
	if l := c.Preload(t.Context()); l.Kind != facts.Answered {
		t.Errorf("%+v", l)
	}
	if diff := cmp.Diff([]string{"b"}, s.loads); diff != "" {
		t.Error(diff)
	}
	want = facts.ModelsState{Total: 2, Done: 2, AllReady: true}
	if diff := cmp.Diff(want, c.Models(t.Context(), true).State); diff != "" {
		t.Error(diff)
	}
}

// Over a reused connection net/http may send a request twice.
func TestExpected_RequestToLoadHasItsOwnConnection(t *testing.T) {
	s, _ := newRouter(t)
	var looks, loads []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Method == http.MethodPost {
			loads = append(loads, r.RemoteAddr)
		} else {
			looks = append(looks, r.RemoteAddr)
		}
	}))
	t.Cleanup(server.Close)
	c := open(t, "llamacpp", server.URL, []string{"a", "b"})
	c.Models(t.Context(), false)
	c.Preload(t.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(loads) != 1 || len(looks) == 0 || slices.Contains(looks, loads[0]) {
		t.Errorf("looks over %q, the request over %q", looks, loads)
	}
}

func TestExpected_OtherNamesAreKeptIfOneIsNotListed(t *testing.T) {
	_, url := newRouter(t)
	for expected, want := range map[string][]string{"A": {"a", "b", "bad"}, "b": nil, "a": nil} {
		if got := open(t, "llamacpp", url, []string{expected}).Models(t.Context(), false).State.Others; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", expected, got, want)
		}
	}
}

func TestExpected_FailedLoadIsAnError(t *testing.T) {
	_, url := newRouter(t)
	c := open(t, "llamacpp", url, []string{"a", "bad"})
	if before := c.Models(t.Context(), false).State; before.Failed != 0 {
		t.Errorf("before it was requested: %+v", before)
	}
	c.Preload(t.Context())
	s := c.Models(t.Context(), false).State
	if s.Failed != 1 || len(s.Errors) != 1 || s.Errors[0].Model != "bad" || !strings.Contains(s.Errors[0].Error, "exit status 1") || s.AllReady || s.InProgress {
		t.Errorf("%+v", s)
	}
}

func TestExpected_LostAnswerIsNotARefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, `{"data":[]}`)
	}))
	t.Cleanup(server.Close)
	if l := open(t, "llamacpp", server.URL, []string{"m"}).Preload(t.Context()); l.Kind != facts.Refused || l.Detail != "closed the connection before answering" {
		t.Errorf("%+v", l.Answer)
	}
}

// Not every server shows that it loads: a look while the request has no answer yet says
// that a job is in progress.
func TestExpected_UnansweredRequestIsAJobInProgress(t *testing.T) {
	s, url := newRouter(t)
	s.slow = make(chan struct{})
	c := open(t, "llamacpp", url, []string{"b"})
	done := make(chan struct{})
	go func() { defer close(done); c.Preload(t.Context()) }()
	for !c.Models(t.Context(), false).State.InProgress {
		time.Sleep(time.Millisecond)
	}
	close(s.slow)
	<-done
	if state := c.Models(t.Context(), false).State; state.InProgress || !state.AllReady {
		t.Errorf("%+v", state)
	}
}

// A key is sent to the server, but is in no fact, even if the server repeats it.
func TestExpected_KeyIsSentAndNeverShown(t *testing.T) {
	s, url := newRouter(t)
	c := open(t, "llamacpp", url, []string{"a"}, orchestrator.WithKey("sekrit"))
	c.Models(t.Context(), false)
	a := c.(orchestrator.Canary).Canary(t.Context(), "a")
	if a.Kind != facts.ServerError || strings.Contains(a.Detail, "sekrit") || !strings.Contains(a.Detail, "***") {
		t.Errorf("%+v", a)
	}
	for _, key := range s.keys {
		if key != "Bearer sekrit" {
			t.Errorf("sent %q", key)
		}
	}
}

// The key is removed from what is shown, wherever a server repeats it, and only there: it may
// be a part of a model's name.
func TestExpected_KeyIsRemovedOnlyFromWhatIsShown(t *testing.T) {
	const key = `a/b"c+=`
	for name, answer := range map[string]string{
		"a redirect":          "HTTP/1.1 302 Found\r\nLocation: http://login/?key=" + key + "\r\nContent-Length: 0\r\n\r\n",
		"an escaped redirect": "HTTP/1.1 302 Found\r\nLocation: http://login/?key=a%2Fb%22c%2B%3D\r\nContent-Length: 0\r\n\r\n",
		"an encoding":         "HTTP/1.1 200 OK\r\nContent-Encoding: " + key + "\r\nContent-Length: 1\r\n\r\nx",
		"no header":           "HTTP/1.1 200 OK\r\n" + key + "\r\n\r\n",
		"no trailer":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + key + "\r\n\r\n",
		"JSON":                response("403 Forbidden", `{"error":"a/b\"c+="}`),
		"JSON of PHP":         response("403 Forbidden", `{"error":"a\/b\"c+="}`),
		"where it is cut":     response("403 Forbidden", strings.Repeat("x", 157)+key),
	} {
		a := open(t, "openai", serve(t, text(answer)), []string{"m"}, orchestrator.WithKey(key)).Models(t.Context(), true).Answer
		if a.Kind == facts.Answered || strings.Contains(a.Detail, "a/b") || strings.Contains(a.Detail, `b\"c`) || strings.Contains(a.Detail, "%2F") || !strings.Contains(a.Detail, "***") && name != "where it is cut" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	llama := ok(`{"object":"list","data":[{"id":"llama3"}]}`)
	if s := open(t, "openai", serve(t, text(llama)), []string{"llama3"}, orchestrator.WithKey("llama")).Models(t.Context(), true).State; !s.AllReady {
		t.Errorf("%+v", s)
	}
}

// The zeros have the shape that the model describes, in every data type.
func TestTriton_CanaryHasTheShapeOfTheModelsInputs(t *testing.T) {
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/models/m/versions/2":
			fmt.Fprint(w, `{"name":"m","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]},{"name":"s","datatype":"BYTES","shape":[1]},{"name":"f","datatype":"BOOL","shape":[]}]}`)
		case "/v2/models/m/versions/2/infer":
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			fmt.Fprint(w, `{"outputs":[]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	c := open(t, "triton", server.URL, []string{"m:2"})
	if a := c.(orchestrator.Canary).Canary(t.Context(), "m:2"); a.Kind != facts.Answered {
		t.Errorf("%+v", a)
	}
	want := `{"inputs":[{"data":[0,0],"datatype":"FP32","name":"x","shape":[1,2]},{"data":[""],"datatype":"BYTES","name":"s","shape":[1]},{"data":[false],"datatype":"BOOL","name":"f","shape":[]}]}`
	if sent != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
}

// An answer whose form differs from the documented one is invalid, although its status is
// 200.
func TestExpected_AnswerOfAnotherFormIsNone(t *testing.T) {
	for _, c := range []struct {
		kind   string
		answer string
		want   facts.AnswerKind
	}{
		{"openai", `{"choices":[{"text":"a"}]}`, facts.Answered},
		{"openai", `{"choices":[{"text":"a"}],"error":null}`, facts.Answered},
		{"openai", `{"choices":[{"text":"a"}],"error":{"message":"the engine died"}}`, facts.Nonsense},
		{"openai", `{"choices":[null]}`, facts.Nonsense},
		{"openai", `{"choices":[]}`, facts.Nonsense},
		{"triton", `[{"name":"m","version":"1","state":"READY"}]`, facts.Answered},
		{"triton", `{"models":[{"name":"m","version":"1","state":"READY"}]}`, facts.Nonsense},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.answer) }))
		t.Cleanup(server.Close)
		s := open(t, c.kind, server.URL, []string{"m"})
		got := s.Models(t.Context(), true).Answer
		if c.kind == "openai" {
			got = s.(orchestrator.Canary).Canary(t.Context(), "m")
		}
		if got.Kind != c.want {
			t.Errorf("%s: %s: %+v, want %d", c.kind, c.answer, got, c.want)
		}
	}
}

// A model may claim any number of inputs: only all of them together are bounded.
func TestTriton_CanaryIsBoundedOverAllInputs(t *testing.T) {
	one := `{"name":"x","datatype":"FP32","shape":[1048576]}`
	for inputs, want := range map[int]facts.AnswerKind{4: facts.Answered, 5: facts.Nonsense, 10_000: facts.Nonsense} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				fmt.Fprintf(w, `{"name":"m","inputs":[%s]}`, strings.TrimSuffix(strings.Repeat(one+",", inputs), ","))
				return
			}
			_, _ = io.Copy(io.Discard, r.Body) // a server that answers before resets the connection
			fmt.Fprint(w, `{"outputs":[]}`)
		}))
		t.Cleanup(server.Close)
		if a := open(t, "triton", server.URL, []string{"m"}).(orchestrator.Canary).Canary(t.Context(), "m"); a.Kind != want {
			t.Errorf("%d inputs: %+v, want %d", inputs, a, want)
		}
	}
}

// What a list says may rest on an earlier answer: that the server is not loading, that its
// engine lives, what it listed before. Over separate connections another process may have
// given that.
func TestProof_EveryAnswerIsProven(t *testing.T) {
	answers := map[string]string{
		"/health": `{"status":"ok"}`, "/models": `{"data":[{"id":"m"}]}`, "/v1/models": `{"data":[{"id":"m"}]}`, "/api/version": `{"version":"1"}`,
		"/api/ps": `{"models":[{"name":"m","size":1,"size_vram":1,"expires_at":"2300-01-01T00:00:00Z"}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Path]) }))
	t.Cleanup(server.Close)
	for kind, requests := range map[string]uint64{"llamacpp": 2, "ollama": 2, "vllm": 2, "openai": 1} {
		for foreign := range requests + 1 {
			var connections, proofs atomic.Uint64
			look := func(netip.AddrPort, netip.AddrPort) facts.Server {
				return facts.Server{Group: connections.Add(1), Accepted: true}
			}
			prove := func(_ context.Context, s facts.Server) (facts.AnswerKind, string) {
				if proofs.Add(1); s.Group == foreign {
					return facts.Foreign, "another process answers"
				}
				return facts.Answered, ""
			}
			s, err := orchestrator.Open(kind, server.URL, []string{"m"}, orchestrator.WithServer(look), orchestrator.WithProof(prove))
			if err != nil {
				t.Fatal(err)
			}
			got := s.Models(t.Context(), true)
			s.Close()
			want := facts.Answered
			if foreign > 0 {
				want = facts.Foreign
			}
			if got.Kind != want || got.State.AllReady != (foreign == 0) || proofs.Load() == 0 {
				t.Errorf("%s, answer %d is another's: %+v", kind, foreign, got)
			}
		}
	}
}

// A canary may take several requests: Triton is first asked for the model's inputs.
func TestProof_EveryAnswerToACanaryIsProven(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name":"m","inputs":[{"name":"x","datatype":"FP32","shape":[1]}],"outputs":[],"choices":[{"text":"a"}],"response":"a","content":"a","tokens_predicted":1,"data":[{"id":"m"}]}`)
	}))
	t.Cleanup(server.Close)
	for kind, requests := range map[string]uint64{"triton": 2, "vllm": 1, "openai": 1} {
		for foreign := range requests + 1 {
			var connections atomic.Uint64
			look := func(netip.AddrPort, netip.AddrPort) facts.Server {
				return facts.Server{Group: connections.Add(1), Accepted: true}
			}
			prove := func(_ context.Context, s facts.Server) (facts.AnswerKind, string) {
				if s.Group == foreign {
					return facts.Foreign, "another process answers"
				}
				return facts.Answered, ""
			}
			s, err := orchestrator.Open(kind, server.URL, []string{"m"}, orchestrator.WithServer(look), orchestrator.WithProof(prove))
			if err != nil {
				t.Fatal(err)
			}
			a := s.(orchestrator.Canary).Canary(t.Context(), "m")
			s.Close()
			if (a.Kind == facts.Answered) != (foreign == 0) || foreign == 0 && connections.Load() != requests {
				t.Errorf("%s, answer %d is another's: %+v after %d connections", kind, foreign, a, connections.Load())
			}
		}
	}
}

// No answer to any request of any kind of server counts if another process gave it.
func TestProof_AnotherProcessSaysNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":"ok","safe_mode":true,"ready":true,"all_ready":true,"in_progress":false,"total":1,"done":1,"failed":0,"agents":["a"],"version":"1"}`)
	}))
	t.Cleanup(server.Close)
	for _, why := range []facts.AnswerKind{facts.Foreign, facts.Unattributed, facts.NoAnswer} {
		proof := orchestrator.WithProof(func(context.Context, facts.Server) (facts.AnswerKind, string) { return why, "why" })
		for _, kind := range []string{orchestrator.JustNews, "llamacpp", "ollama", "openai", "triton", "vllm"} {
			s, err := orchestrator.Open(kind, server.URL, []string{"m"}, proof)
			if err != nil {
				t.Fatal(err)
			}
			h, r, m, p := s.Health(t.Context()), s.Ready(t.Context()), s.Models(t.Context(), true), s.Preload(t.Context())
			if h.SafeMode || r.Ready || m.State.AllReady || p.State.AllReady {
				t.Errorf("%s: %+v %+v %+v %+v", kind, h, r, m, p)
			}
			all := []facts.Answer{h.Answer, r.Answer, m.Answer, p.Answer}
			if c, able := s.(orchestrator.Canary); able {
				all = append(all, c.Canary(t.Context(), "m"))
			}
			for n, a := range all {
				if a.Kind == facts.Answered || kind == orchestrator.JustNews && (a.Kind != why || a.Detail != "why") {
					t.Errorf("%s, request %d: %+v, want %v", kind, n, a, why)
				}
			}
			s.Close()
		}
		b, err := orchestrator.NewBus(server.URL, proof)
		if err != nil {
			t.Fatal(err)
		}
		if h, agents := b.Health(t.Context()), b.Agents(t.Context()); h.Kind != why || h.State != "" || agents.Kind != why || len(agents.Agents) > 0 {
			t.Errorf("bus: %+v, %+v", h, agents)
		}
		b.Close()
	}
}
