// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"justnews/internal/facts"
	"justnews/internal/probe/orchestrator"
	"justnews/test/busy"
)

// brief is a look's deadline where the server is to miss it.
const brief = 60 * time.Millisecond

const ready = `{"all_ready":true,"in_progress":false,"summary":{"total":8,"done":8,"failed":0},"errors":[],"started_at":1795439945.5800002,"completed_at":1795439953.592958}`

// serve listens on loopback and hands each connection, its first request read,
// to answer.
func serve(t *testing.T, answer func(net.Conn, *http.Request)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err == nil {
					answer(conn, r)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// text answers with bytes as they are.
func text(s string) func(net.Conn, *http.Request) {
	return func(c net.Conn, _ *http.Request) { io.WriteString(c, s) }
}

func ok(body string) string { return response("200 OK", body) }

func response(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func client(t *testing.T, url string, options ...orchestrator.Option) orchestrator.Server {
	t.Helper()
	c, err := orchestrator.Open(orchestrator.JustNews, url, nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestClient_HangingServerEndsAtTheDeadline(t *testing.T) {
	drip := func(c net.Conn, s string) {
		for _, b := range []byte(s) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	hang := func(c net.Conn) { io.Copy(io.Discard, c) }
	for name, answer := range map[string]func(net.Conn, *http.Request){
		"before the headers": func(c net.Conn, _ *http.Request) { hang(c) },
		"dripping headers":   func(c net.Conn, _ *http.Request) { drip(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 4096)) },
		"in the headers":     func(c net.Conn, _ *http.Request) { io.WriteString(c, "HTTP/1.1 200 OK\r\n"); hang(c) },
		"in the body":        func(c net.Conn, _ *http.Request) { io.WriteString(c, ok(ready)[:150]); hang(c) },
		"dripping body": func(c net.Conn, _ *http.Request) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
			drip(c, strings.Repeat(" ", 9000))
		},
		"dripping 1xx": func(c net.Conn, _ *http.Request) {
			for range 100 {
				drip(c, "HTTP/1.1 102 Processing\r\n\r\n")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, mark := time.Now(), busy.Now()
			look := client(t, serve(t, answer), orchestrator.WithLookTimeout(brief)).Models(t.Context(), false)
			if look.Kind != facts.Refused || look.Detail != "no answer within 60 ms" {
				t.Errorf("kind %d, detail %q", look.Kind, look.Detail)
			}
			if took := mark.Less(time.Since(began)); took > 2*time.Second {
				t.Errorf("the look took %s", took)
			}
		})
	}
}

// The connection of such an answer is net/http's caller's, and no context ends a read of it.
func TestClient_SwitchedProtocolIsNotRead(t *testing.T) {
	url := serve(t, func(c net.Conn, _ *http.Request) {
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		io.Copy(io.Discard, c)
	})
	looked := make(chan facts.ModelsLook, 1)
	go func() { looked <- client(t, url).Models(t.Context(), false) }()
	select {
	case look := <-looked:
		if look.Kind != facts.Nonsense || !strings.Contains(look.Detail, "101 Switching Protocols") {
			t.Errorf("kind %d, detail %q", look.Kind, look.Detail)
		}
	case <-time.After(time.Minute):
		t.Error("the look does not end")
	}
}

func TestClient_ServerThatDoesNotAcceptIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0") // the kernel accepts, nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	h := client(t, "http://"+l.Addr().String(), orchestrator.WithLookTimeout(brief)).Health(t.Context())
	if h.Kind != facts.Refused || h.Detail != "no answer within 60 ms" || time.Since(began) < brief {
		t.Errorf("%+v", h.Answer)
	}
}

func TestClient_CancelledContextEndsTheLook(t *testing.T) {
	url := serve(t, func(c net.Conn, _ *http.Request) { io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	if r := client(t, url).Ready(ctx); r.Kind != facts.Refused || r.Detail != "the wait ended before an answer came" {
		t.Errorf("%+v", r.Answer)
	}
}

func TestClient_BodyIsLimitedToOneMebibyte(t *testing.T) {
	for name, header := range map[string]string{
		"until closed": "HTTP/1.1 200 OK\r\n\r\n",
		"an error":     "HTTP/1.1 500 Internal Server Error\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			url := serve(t, func(c net.Conn, _ *http.Request) {
				io.WriteString(c, header)
				block := []byte(strings.Repeat(" ", 64<<10))
				for {
					n, err := c.Write(block)
					if sent.Add(int64(n)); err != nil {
						return
					}
				}
			})
			look := client(t, url).Models(t.Context(), false)
			if look.Kind != facts.Nonsense || look.Detail != "the body is larger than 1048576 bytes" {
				t.Errorf("kind %d, detail %q", look.Kind, look.Detail)
			}
			if n := sent.Load(); n > 16<<20 {
				t.Errorf("%d bytes were taken from the server", n)
			}
		})
	}
}

func TestClient_ConnectionResetIsNotAnAnswer(t *testing.T) {
	reset := func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }
	for name, tc := range map[string]struct {
		before string
		detail string
	}{
		"before answering":            {"", "before answering"},
		"in the middle of the answer": {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "in the middle of the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(c net.Conn, _ *http.Request) {
				io.WriteString(c, tc.before)
				if tc.before != "" {
					time.Sleep(20 * time.Millisecond) // a reset overtakes what was sent just before
				}
				reset(c)
			})
			look := client(t, url).Models(t.Context(), true)
			if look.Kind != facts.Refused || !strings.HasPrefix(look.Detail, "reset the connection") || !strings.HasSuffix(look.Detail, tc.detail) {
				t.Errorf("kind %d, detail %q", look.Kind, look.Detail)
			}
		})
	}
}

// Once a server has closed the connection, as many do with their answer, the kernel no longer
// knows whose socket it was.
func TestClient_ServerIsLookedUpBeforeItAnswers(t *testing.T) {
	var looks, before atomic.Int64
	url := serve(t, func(c net.Conn, _ *http.Request) {
		before.Store(looks.Load())
		io.WriteString(c, ok(ready))
	})
	look := func(netip.AddrPort, netip.AddrPort) facts.Server {
		looks.Add(1)
		return facts.Server{Accepted: true}
	}
	if m := client(t, url, orchestrator.WithServer(look)).Models(t.Context(), true); m.Kind != facts.Answered || before.Load() != 1 {
		t.Errorf("%+v, looked up %d times before the answer", m.Answer, before.Load())
	}
}

func TestClient_ClosedPortIsConnectionRefused(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "LocalHost.", "a.localhost"} {
		b, err := orchestrator.NewBus(fmt.Sprintf("http://%s:%d", host, port))
		if err != nil {
			t.Fatal(err)
		}
		if h := b.Health(t.Context()); h.Kind != facts.Refused || h.Detail != "connection refused" {
			t.Errorf("%s: %+v", host, h.Answer)
		}
	}
}

func TestClient_UnresolvedNameIsNoRefusedConnection(t *testing.T) {
	h := client(t, "http://no-such-host.invalid:8014").Health(t.Context())
	if h.Kind != facts.Refused || !h.NoHost || h.Detail != "cannot resolve no-such-host.invalid" {
		t.Errorf("%+v", h.Answer)
	}
}

func TestClient_LocalhostNeedsNoResolver(t *testing.T) {
	url := serve(t, text(ok(`{"status":"ok"}`)))
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	// The name exists in no hosts file: only the rule for localhost reaches it.
	h := client(t, "http://no-such-name.localhost:"+port).Health(t.Context())
	if h.Kind != facts.Answered || h.SafeMode {
		t.Errorf("%+v", h)
	}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		defer l.Close()
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"status":"ok"}`) }))
		h := client(t, fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)).Health(t.Context())
		if h.Kind != facts.Answered {
			t.Errorf("::1 is not tried: %+v", h)
		}
	}
}

// net/http reads the variables once, so that only a new process heeds them. Its rules do not
// treat 0.0.0.0 as a loopback address.
func TestClient_ProxyVariablesAreIgnored(t *testing.T) {
	const target = "JUSTNEWS_TEST_TARGET"
	if url := os.Getenv(target); url != "" {
		if look := client(t, url).Models(t.Context(), false); look.Kind != facts.Answered {
			t.Errorf("%+v", look.Answer)
		}
		return
	}
	var asked atomic.Int64
	proxy := serve(t, func(c net.Conn, _ *http.Request) {
		asked.Add(1)
		io.WriteString(c, ok(ready))
	})
	server := strings.Replace(serve(t, text(ok(ready))), "127.0.0.1", "0.0.0.0", 1)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), target+"="+server, "no_proxy=", "NO_PROXY=")
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"} {
		child.Env = append(child.Env, name+"="+proxy)
	}
	if out, err := child.CombinedOutput(); err != nil || asked.Load() != 0 {
		t.Errorf("%v, the proxy was asked %d times\n%s", err, asked.Load(), out)
	}
}

func TestClient_RedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Int64
	trap := serve(t, func(c net.Conn, _ *http.Request) {
		followed.Add(1)
		io.WriteString(c, ok(ready))
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := serve(t, text(fmt.Sprintf("HTTP/1.1 %d X\r\nLocation: %s/models/status\r\nContent-Length: 0\r\n\r\n", status, trap)))
		c := client(t, url)
		if look := c.Models(t.Context(), false); look.Kind != facts.Redirected || !strings.Contains(look.Detail, trap) {
			t.Errorf("%d: %+v", status, look.Answer)
		}
		if look := c.Preload(t.Context()); look.Kind != facts.Redirected {
			t.Errorf("%d to POST: %+v", status, look.Answer)
		}
	}
	if followed.Load() != 0 {
		t.Errorf("%d redirects were followed", followed.Load())
	}
}
