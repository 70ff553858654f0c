// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
	probe "justnews/internal/probe/orchestrator"
)

const (
	readyBody   = `{"all_ready":true,"in_progress":false,"summary":{"total":16,"done":16,"failed":0},"errors":[],"started_at":1795439865.5,"completed_at":1795439871.5}`
	otherBody   = `{"all_ready":true,"in_progress":false,"summary":{"total":16,"done":16,"failed":0},"errors":[],"started_at":1795439866.5,"completed_at":1795439871.5}`
	shortBody   = `{"all_ready":true,"in_progress":false,"summary":{"total":17,"done":17,"failed":0},"errors":[],"started_at":1795439865.5,"completed_at":1795439871.5}`
	freshBody   = `{"all_ready":true,"in_progress":false,"summary":{"total":0,"done":0,"failed":0},"errors":[],"started_at":null,"completed_at":null}`
	runningBody = `{"all_ready":false,"in_progress":true,"summary":{"total":16,"done":15,"failed":0},"errors":[],"started_at":1795439865.5,"completed_at":null}`
	errorBody   = `{"all_ready":true,"in_progress":false,"summary":{"total":16,"done":16,"failed":0},"errors":[{"agent":"scout","model":"bert","error":"no snapshot"}],"started_at":1795439865.5,"completed_at":1795439871.5}`
)

type connectionNumber struct{}

// workers is a server whose answers depend on the connection and on the number of looks, as
// with several processes behind one port.
func workers(t testing.TB, answer func(connection, look int) string) (url string, posts *atomic.Int64) {
	t.Helper()
	var connections, looks atomic.Int64
	posts = new(atomic.Int64)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			_, _ = fmt.Fprint(w, `{"status":"ok"}`)
		case "/ready":
			_, _ = fmt.Fprint(w, `{"ready":true}`)
		case "/models/preload":
			posts.Add(1)
			_, _ = fmt.Fprint(w, readyBody)
		default:
			connection, _ := r.Context().Value(connectionNumber{}).(int)
			body := answer(connection, int(looks.Add(1)))
			if body == "" {
				panic(http.ErrAbortHandler)
			}
			_, _ = fmt.Fprint(w, body)
		}
	}))
	server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connectionNumber{}, int(connections.Add(1)))
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, posts
}

// The kept connection is always answered with ready; other connections get something else.
func TestTwoLooks_FreshConnectionThatDiffersNeverOpens(t *testing.T) {
	for name, c := range map[string]struct {
		other string
		code  diag.Code
	}{
		"no job ever ran there":     {freshBody, diag.ModelsInconsistent},
		"another job":               {otherBody, diag.ModelsInconsistent},
		"another number of models":  {shortBody, diag.ModelsInconsistent},
		"an error is listed":        {errorBody, diag.ModelsInconsistent},
		"a job still runs":          {runningBody, ""},
		"no valid values":           {"<html>", diag.OrchestratorNonsense},
		"the connection is cut off": {"", diag.OrchestratorUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again(t, func() (broken []string) {
				url, posts := workers(t, func(connection, _ int) string {
					if connection == 1 {
						return readyBody
					}
					return c.other
				})
				got := call{orchestrator: url, timeout: short}.run(t)
				if got.status == int(diag.StatusReady) {
					t.Errorf("opened\n%s", got.stderr)
				}
				if posts.Load() > 1 {
					t.Errorf("%d POSTs", posts.Load())
				}
				if c.other == runningBody && posts.Load() > 0 {
					t.Error("a POST although a job runs in the other process")
				}
				if c.code != "" && !got.has(c.code) || len(got.explained()) > 0 {
					broken = append(broken, fmt.Sprintf("status %d, %v\n%s", got.status, got.explained(), got.stderr))
				}
				return broken
			})
		})
	}
}

// Ready for exactly that many looks, then something else forever: two are not
// enough, three are.
func TestTwoLooks_OnlyThreeReadyLooksInARowOpen(t *testing.T) {
	for n := range 5 {
		for name, after := range map[string]string{"running": runningBody, "another job": otherBody, "silent": ""} {
			if n == 0 && after == otherBody {
				continue // that is ready forever
			}
			t.Run(fmt.Sprintf("%d, then %s", n, name), func(t *testing.T) {
				t.Parallel()
				url, _ := workers(t, func(_, look int) string {
					if look <= n {
						return readyBody
					}
					return after
				})
				got := call{orchestrator: url, timeout: short}.run(t)
				opened := got.status == int(diag.StatusReady)
				// Another job that lasts is ready in the end, once it was seen three times.
				if want := n >= 3 || after == otherBody; opened != want {
					t.Errorf("opened: %v, want %v\n%s", opened, want, got.stderr)
				}
				if n > 0 && n < 3 && after == otherBody && got.summary.Models.Looks < n+1+3 {
					t.Errorf("opened after %d looks", got.summary.Models.Looks)
				}
			})
		}
	}
}

// The cost of the confirmation: one look over the kept connection, and the same with the two
// over separate connections.
func BenchmarkTheLooksBeforeOpening(b *testing.B) {
	url, _ := workers(b, func(_, _ int) string { return readyBody })
	client, err := probe.Open(probe.JustNews, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	look := func(fresh bool) {
		if l := client.Models(b.Context(), fresh); l.Kind != facts.Answered {
			b.Fatal(l.Detail)
		}
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			look(false)
		}
	})
	b.Run("one-and-two-that-confirm", func(b *testing.B) {
		for b.Loop() {
			look(false)
			look(true)
			look(true)
		}
	})
}

// The time of the whole program if everything is already ready.
func BenchmarkTheGateOfALoadedOrchestrator(b *testing.B) {
	url, _ := workers(b, func(_, _ int) string { return readyBody })
	for b.Loop() {
		if got := (call{orchestrator: url, timeout: short}).run(b); got.status != int(diag.StatusReady) {
			b.Fatal(strings.TrimSpace(string(got.stderr)))
		}
	}
}
