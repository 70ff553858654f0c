// SPDX-License-Identifier: Apache-2.0

package need

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"justnews/internal/config"
	"justnews/internal/facts"
)

func try(t *testing.T, p config.Probe) facts.Need {
	t.Helper()
	return Prober{Probes: map[string]config.Probe{"x": p}}.Try(t.Context(), "x")
}

func want(t *testing.T, got facts.Need, ok bool, detail string) {
	t.Helper()
	if got.OK != ok || !strings.Contains(got.Detail, detail) {
		t.Errorf("got %+v, want OK %v and %q", got, ok, detail)
	}
}

func TestNeed_TCPProbePassesIfThePortListens(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := server.Addr().String()
	want(t, try(t, config.Probe{Kind: "tcp", Address: address}), true, "connected to "+address)
	_ = server.Close()
	want(t, try(t, config.Probe{Kind: "tcp", Address: address}), false, "connection refused")
}

func TestNeed_HTTPProbePassesOnlyOn2xx(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &status); err != nil {
			t.Error(err)
		}
		if status/100 == 3 {
			w.Header().Set("Location", "/200")
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	for status, ok := range map[int]bool{200: true, 204: true, 299: true, 301: false, 307: false, 404: false, 500: false, 503: false} {
		got := try(t, config.Probe{Kind: "http", URL: fmt.Sprintf("%s/%d", server.URL, status)})
		want(t, got, ok, fmt.Sprintf("answers %d", status))
	}
}

func TestNeed_HTTPProbeUsesNoProxy(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	// Not loopback by name, which Go's own rule would exempt from the proxy.
	got := try(t, config.Probe{Kind: "http", URL: "http://justnews.invalid/"})
	if got.OK || asked.Load() != 0 {
		t.Errorf("%+v, the proxy was asked %d times", got, asked.Load())
	}
}

func TestNeed_TruncatedAnswerDoesNotPass(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	want(t, try(t, config.Probe{Kind: "http", URL: server.URL}), false, "then: unexpected EOF")
}

func TestNeed_AnswerIsReadUpToTheLimit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 4096)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	want(t, try(t, config.Probe{Kind: "http", URL: server.URL}), true, "answers 200")
}

func TestNeed_SilentServerEndsAtTheDeadline(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }() // the kernel accepts, nobody ever answers
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	p := Prober{Probes: map[string]config.Probe{"x": {Kind: "http", URL: "http://" + server.Addr().String()}}}
	want(t, p.Try(ctx, "x"), false, "does not answer")
}

// units answers with one unit or one error, for every name.
type units struct {
	unit facts.Unit
	err  error
}

func (u units) Unit(ctx context.Context, _ string, _ ...string) (facts.Unit, error) {
	if _, ok := ctx.Deadline(); !ok {
		return facts.Unit{}, errors.New("asked without a deadline")
	}
	return u.unit, u.err
}

func TestNeed_UnitProbePassesIfTheUnitIsActive(t *testing.T) {
	for _, tt := range []struct {
		units  Units
		ok     bool
		detail string
	}{
		{units{unit: facts.Unit{LoadState: "loaded", ActiveState: "active", SubState: "running"}}, true, "a.service is active (running)"},
		{units{unit: facts.Unit{LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart"}}, false, "activating (auto-restart)"},
		{units{unit: facts.Unit{LoadState: "loaded", ActiveState: "reloading"}}, false, "reloading"},
		{units{unit: facts.Unit{LoadState: "not-found", ActiveState: "inactive"}}, false, "a.service is not-found"},
		{units{unit: facts.Unit{LoadState: "masked", ActiveState: "inactive"}}, false, "masked"},
		{units{}, false, ""},
		{units{err: errors.New("no bus")}, false, "no bus"},
		{nil, false, "systemd cannot be queried"},
	} {
		p := Prober{Probes: map[string]config.Probe{"x": {Kind: "unit", Unit: "a.service"}}, Units: tt.units}
		want(t, p.Try(t.Context(), "x"), tt.ok, tt.detail)
	}
}

func TestNeed_PathProbeFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("file"), nil, 0o600),
		os.Symlink("file", at("link")),
		os.Symlink("none", at("dangling")),
		os.Symlink("loop", at("loop")),
	); err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{"": true, "file": true, "link": true, "dangling": false, "none": false, "loop": false, "file/x": false} {
		got := try(t, config.Probe{Kind: "path", Path: at(name)})
		want(t, got, ok, "")
	}
	want(t, try(t, config.Probe{Kind: "path", Path: at("dangling")}), false, "a dangling link")
}

func TestNeed_UndefinedProbeDoesNotPass(t *testing.T) {
	want(t, Prober{}.Try(t.Context(), "mariadb"), false, `no probe is named "mariadb"`)
	want(t, try(t, config.Probe{Kind: "ping"}), false, `kind "ping"`)
	want(t, try(t, config.Probe{}), false, "kind")
}

func TestNeed_CancelledProbeDoesNotPass(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := Prober{Probes: map[string]config.Probe{"t": {Kind: "tcp", Address: "127.0.0.1:1"}}}
	want(t, p.Try(ctx, "t"), false, "cancel")
}
