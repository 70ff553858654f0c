// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"justnews/test/reference/store"
)

// patience is how long a test waits for an expected event. It measures nothing.
const patience = 10 * time.Second

// whole is the model store that all tests read but never write.
var whole *store.Store

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "justnews-reference")
	if err == nil {
		whole, err = store.Make(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// start starts an unregistered orchestrator and waits until it listens.
func start(t *testing.T, change func(*Options), misbehave ...string) *Server {
	t.Helper()
	o := Options{Root: whole.Root, Strict: true, Misbehave: misbehave}
	if change != nil {
		change(&o)
	}
	s := launch(t, o)
	open(t, s)
	return s
}

func launch(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Open(ctx); err != nil {
		t.Fatal("the port stays closed:", err)
	}
}

// reply is what a client received, or why it received nothing.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// client never follows redirects, uses no proxy and decompresses nothing.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{
		Transport:     tr,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a request over a new connection.
func ask(t *testing.T, s *Server, method, path string, body ...string) reply {
	t.Helper()
	return askBy(t, client(t), s, method, path, body...)
}

func askBy(t *testing.T, c *http.Client, s *Server, method, path string, body ...string) reply {
	t.Helper()
	var content io.Reader
	if body != nil {
		content = strings.NewReader(body[0])
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, content)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(data), err}
}

func status(t *testing.T, s *Server) reply { t.Helper(); return ask(t, s, "GET", statusPath) }

func trigger(t *testing.T, s *Server, body string) reply {
	t.Helper()
	return ask(t, s, "POST", preloadPath, body)
}

// until polls until ok returns true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("timed out waiting for", what)
}

// loaded triggers a preload and waits for its end.
func loaded(t *testing.T, s *Server) {
	t.Helper()
	trigger(t, s, `{"refresh": true}`)
	until(t, "the end of the job", func() bool { return s.present().idle() })
}

// present is the first engine of the current life.
func (s *Server) present() *engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.app.(*orchestrator).engines[0]
}

func (e *engine) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.running && e.completed != nil
}

func (e *engine) counts() (total, done, failed int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total, e.done, e.failed
}
