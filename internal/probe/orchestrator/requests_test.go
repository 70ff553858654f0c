// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/facts"
	"justnews/internal/probe/orchestrator"
)

func TestRequests_RefreshIsPostedWithoutAgents(t *testing.T) {
	var method, path, body, contentType string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		method, path, body, contentType = r.Method, r.URL.Path, string(b), r.Header.Get("Content-Type")
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"all_ready":false,"in_progress":true,"summary":{"total":0,"done":0,"failed":0},"started_at":5,"per_agent":{}}`)
	}))
	defer s.Close()
	look := client(t, s.URL).Preload(t.Context())
	if look.Kind != facts.Answered || !look.State.InProgress || *look.State.StartedAt != 5 {
		t.Errorf("%+v", look)
	}
	if method != "POST" || path != "/models/preload" || body != `{"refresh": true}` || contentType != "application/json" {
		t.Errorf("%s %s %s %s", method, path, contentType, body)
	}
}

// A server that takes the request and hangs up cannot know whether we would
// repeat it: a second POST would start a second worker upstream.
func TestRequests_PreloadIsSentAtMostOnce(t *testing.T) {
	var posts, connections atomic.Int64
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for {
					request, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if request.Method == http.MethodPost {
						posts.Add(1)
						return // no answer
					}
					io.WriteString(conn, ok(ready))
				}
			}()
		}
	}()
	c := client(t, "http://"+l.Addr().String())
	for range 3 {
		if look := c.Models(t.Context(), false); look.Kind != facts.Answered {
			t.Fatalf("%+v", look.Answer)
		}
	}
	if look := c.Preload(t.Context()); look.Kind != facts.Refused || look.Detail != "closed the connection before answering" {
		t.Errorf("%+v", look.Answer)
	}
	if posts.Load() != 1 || connections.Load() != 2 {
		t.Errorf("%d POSTs over %d connections, want 1 over 2", posts.Load(), connections.Load())
	}
}

func TestRequests_LooksReuseAConnectionAndFreshLooksDoNot(t *testing.T) {
	var mu sync.Mutex
	opened := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, ready) }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			opened++
			mu.Unlock()
		}
	}
	s.Start()
	defer s.Close()
	c := client(t, s.URL)
	count := func(fresh bool) int {
		mu.Lock()
		before := opened
		mu.Unlock()
		for range 5 {
			if look := c.Models(t.Context(), fresh); look.Kind != facts.Answered {
				t.Fatalf("%+v", look.Answer)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		return opened - before
	}
	if n := count(false); n != 1 {
		t.Errorf("5 looks opened %d connections", n)
	}
	if n := count(true); n != 5 {
		t.Errorf("5 fresh looks opened %d connections", n)
	}
}

func TestRequests_ClosedIdleConnectionIsReplaced(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, ready) }))
	defer s.Close()
	c := client(t, s.URL)
	for range 5 {
		if look := c.Models(t.Context(), false); look.Kind != facts.Answered {
			t.Fatalf("%+v", look.Answer)
		}
		s.CloseClientConnections()
	}
}

func TestRequests_OldAndNewPerAgentFormsAreRead(t *testing.T) {
	base := `{"all_ready":false,"in_progress":false,"summary":{"total":1,"done":1,"failed":0},"per_agent":`
	for body, want := range map[string]map[string]map[string]string{
		`{"scout":{"status":"success"},"critic":{"status":"error","error":"no"}}}`: {
			"scout": {"": "success"}, "critic": {"": "error"},
		},
		`{"scout":{"m":{"status":"ok","error":null,"duration_s":1.5,"variant":null}},"idle":{}}}`: {
			"scout": {"m": "ok"}, "idle": {},
		},
	} {
		look := client(t, serve(t, text(ok(base+body)))).Preload(t.Context())
		if look.Kind != facts.Answered {
			t.Fatalf("%+v", look.Answer)
		}
		if diff := cmp.Diff(want, look.State.PerAgent); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRequests_LongListsAreCutButCounted(t *testing.T) {
	entry := `{"agent":"` + strings.Repeat("ä", 300) + `","model":"m","error":"` + strings.Repeat("e", 9000) + `","extra":1}`
	body := strings.Replace(ready, `"errors":[]`, `"errors":[`+strings.Repeat(entry+",", 79)+entry+`]`, 1)
	look := client(t, serve(t, text(ok(body)))).Models(t.Context(), false)
	if look.Kind != facts.Answered || len(look.State.Errors) != 80 {
		t.Fatalf("%+v, %d errors", look.Answer, len(look.State.Errors))
	}
	if e := look.State.Errors[79]; len(e.Agent) > 260 || len(e.Error) > 4100 || !strings.HasSuffix(e.Agent, "ä…") {
		t.Errorf("agent of %d bytes, error of %d bytes", len(e.Agent), len(e.Error))
	}
}

func TestRequests_HealthReadyAndBusBodiesAreRead(t *testing.T) {
	for body, want := range map[string]facts.Health{
		`{"status":"ok","safe_mode":true}`:   {Answer: facts.Answer{Kind: facts.Answered}, SafeMode: true},
		`{"status":"ok"}`:                    {Answer: facts.Answer{Kind: facts.Answered}},
		`{"safe_mode":false}`:                {Answer: facts.Answer{Kind: facts.Nonsense}},
		`{"status":"ok","safe_mode":"no"}`:   {Answer: facts.Answer{Kind: facts.Nonsense}},
		`{"status":"ok","SAFE_MODE":true}`:   {Answer: facts.Answer{Kind: facts.Nonsense}},
		`{"status":"ok","safe_mode":false}x`: {Answer: facts.Answer{Kind: facts.Nonsense}},
	} {
		if got := client(t, serve(t, text(ok(body)))).Health(t.Context()); got.Kind != want.Kind || got.SafeMode != want.SafeMode {
			t.Errorf("/health %s: %+v", body, got)
		}
	}
	for bytes, want := range map[string]facts.Readiness{
		ok(`{"ready":true}`):   {Answer: facts.Answer{Kind: facts.Answered}, Ready: true},
		ok(`{"ready":false}`):  {Answer: facts.Answer{Kind: facts.Answered}},
		ok(`{"ready":"true"}`): {Answer: facts.Answer{Kind: facts.Nonsense}},
		ok(`{}`):               {Answer: facts.Answer{Kind: facts.Nonsense}},
		response("503 Service Unavailable", `{"ready":false}`): {Answer: facts.Answer{Kind: facts.ServerError}},
		response("404 Not Found", `{"detail":"Not Found"}`):    {Answer: facts.Answer{Kind: facts.NotServed}},
	} {
		if got := client(t, serve(t, text(bytes))).Ready(t.Context()); got.Kind != want.Kind || got.Ready != want.Ready {
			t.Errorf("/ready %q: %+v", bytes, got)
		}
	}
	for body, want := range map[string]facts.BusHealth{
		`{"status":"ok"}`: {Answer: facts.Answer{Kind: facts.Answered}, State: "ok"},
		`{"overall_status":"degraded","status":"ok"}`: {Answer: facts.Answer{Kind: facts.Answered}, State: "degraded"},
		`{"overall_status":null,"status":"ok"}`:       {Answer: facts.Answer{Kind: facts.Nonsense}},
		`{}`:                                          {Answer: facts.Answer{Kind: facts.Nonsense}},
	} {
		b, err := orchestrator.NewBus(serve(t, text(ok(body))))
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Health(t.Context()); got.Kind != want.Kind || got.Kind == facts.Answered && got.State != want.State {
			t.Errorf("bus /health %s: %+v", body, got)
		}
	}
}

func TestRequests_OnlyPlainHTTPURLsAreAccepted(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8014", "https://127.0.0.1:8014", "http://", "http://u:p@127.0.0.1:8014", "http://127.0.0.1:8014/x", "http://127.0.0.1:8014/?a", "unix:///run/x"} {
		if _, err := orchestrator.Open(orchestrator.JustNews, url, nil); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
	if _, err := orchestrator.Open(orchestrator.JustNews, "http://127.0.0.1:8014/", nil); err != nil {
		t.Error(err)
	}
}

func TestOpen_KnowsEveryKind(t *testing.T) {
	if s, err := orchestrator.Open("", "http://127.0.0.1:8014", nil); err == nil || s != nil {
		t.Errorf("a server of no kind: %v, %v", s, err)
	}
	s, err := orchestrator.Open(orchestrator.JustNews, "http://127.0.0.1:8014", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p := s.Protocol(); p.Ready == "" || p.Models == "" || p.Preload == "" {
		t.Errorf("a finding would have a gap: %+v", p)
	}
}
