// SPDX-License-Identifier: Apache-2.0

// Package orchestrator queries the GPU Orchestrator and the MCP bus over HTTP
// and returns their answers as facts. A look does not return an error: what
// went wrong is part of the answer. It uses no proxy, follows no redirect,
// resolves only the name in the URL, has one deadline for the whole exchange,
// reads at most 1 MiB, and only accepts a strictly well-formed object. The
// package judges nothing and repeats nothing; its only POST is never sent
// twice.
package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// LookTimeout is how long one look may take, if its context does not end
// earlier. JustNews' servers answer in 1 to 5 ms; a bus that probes hanging
// agents, one second each, or a hanging nvidia-smi (3 s) can delay an answer.
const LookTimeout = 3 * time.Second

// maxBody is the largest body that is read, in bytes. JustNews' largest answer
// is below 4 KiB.
const maxBody = 1 << 20

// maxDepth is the deepest nesting that is read; five levels are needed.
const maxDepth = 16

// idleTimeout closes an unused connection before uvicorn does (after 5 s), so
// that no request races with that.
const idleTimeout = 4 * time.Second

// Bus queries one MCP bus. It is safe for concurrent use.
type Bus struct{ link }

// Option changes a Server or a Bus.
type Option func(*link)

// WithServer looks up the other end of every connection: look gets its address
// and ours.
func WithServer(look func(server, client netip.AddrPort) facts.Server) Option {
	return func(l *link) { l.server = look }
}

// WithProof discards every answer whose sender does not count: prove returns
// facts.Answered, or what the answer is instead and why. It has the context of the look, not
// the deadline of the one request.
func WithProof(prove func(ctx context.Context, from facts.Server) (kind facts.AnswerKind, why string)) Option {
	return func(l *link) { l.prove = prove }
}

// secret removes the API key from what a person reads; nil: there is none.
type secret func(string) string

func (s secret) from(text string) string {
	if s == nil {
		return text
	}
	return s(text)
}

// WithKey sends an API key with every request. It never appears in an answer.
func WithKey(key string) Option {
	return func(l *link) {
		l.key = key
		if key != "" { // some servers repeat it in their errors, and may escape it
			text, _ := json.Marshal(key) // a string can always be written
			inner := string(text[1 : len(text)-1])
			l.hide = strings.NewReplacer(key, "***", inner, "***", strings.ReplaceAll(inner, "/", `\/`), "***", url.QueryEscape(key), "***", url.PathEscape(key), "***").Replace
		}
	}
}

// NewBus returns a client of the MCP bus at base, which must have the form
// http://HOST:PORT. It opens no connection yet.
func NewBus(base string, options ...Option) (*Bus, error) {
	l, err := newLink(base, options)
	if err != nil {
		return nil, fmt.Errorf("cannot use %q as the bus's URL: %w", base, err)
	}
	return &Bus{l}, nil
}

type link struct {
	base  *url.URL
	look  time.Duration
	kept  *http.Transport // polls: one connection, kept alive
	fresh *http.Transport // a connection for each request
	key   string          // API key, "": none
	hide  secret
	// server looks up the other end of a connection; nil: not looked up.
	server func(server, client netip.AddrPort) facts.Server
	prove  func(context.Context, facts.Server) (facts.AnswerKind, string) // nil: every answer counts
}

func newLink(base string, options []Option) (link, error) {
	u, err := url.Parse(base)
	if err != nil {
		return link{}, err
	}
	if u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return link{}, fmt.Errorf("expected http://HOST:PORT")
	}
	l := link{base: &url.URL{Scheme: u.Scheme, Host: u.Host}, look: LookTimeout}
	for _, o := range options {
		o(&l)
	}
	l.kept, l.fresh = transport(l.server), transport(l.server)
	l.fresh.DisableKeepAlives = true
	return l, nil
}

func transport(server func(server, client netip.AddrPort) facts.Server) *http.Transport {
	return &http.Transport{
		Proxy: nil, // whatever http_proxy is set to
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil || server == nil {
				return c, err
			}
			return newWire(c, server), nil
		},
		DisableCompression:     true, // a compression bomb of 1 MiB stays 1 MiB
		MaxIdleConns:           1,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Close closes connections that wait for the next look.
func (l *link) Close() {
	l.kept.CloseIdleConnections()
	l.fresh.CloseIdleConnections()
}

// Health asks GET /health of the bus.
func (b *Bus) Health(ctx context.Context) facts.BusHealth {
	h := facts.BusHealth{}
	h.Answer = b.get(ctx, "/health", false).read(func(f fields) {
		state, found := optional(f, "overall_status", strictjson.Value.Text)
		if !found { // older buses
			state = f.text("status")
		}
		h.State = diag.Clip(state, maxName)
	})
	return h
}

// get makes a request, within the look's own deadline.
func (l *link) get(ctx context.Context, path string, fresh bool) reply {
	way := l.kept
	if fresh {
		way = l.fresh
	}
	own, cancel := context.WithTimeoutCause(ctx, l.look, slow{l.look})
	defer cancel()
	return l.proven(ctx, l.exchange(own, way, http.MethodGet, path, nil))
}

// Agents asks the bus for its registered agents, GET /agents. The old bus
// answers with an object of names and addresses, a newer one with such an
// object, or a list of names, below "agents".
func (b *Bus) Agents(ctx context.Context) facts.Registration {
	found := facts.Registration{}
	found.Answer = b.get(ctx, "/agents", false).read(func(f fields) {
		below, nested, err := f.Optional("agents")
		f.fail(err)
		switch {
		case !nested, below.IsText(): // an agent of this name
		case below.IsNull():
			return
		case below.IsList():
			for _, v := range as(f, below, nil, strictjson.Value.List) {
				found.Agents = append(found.Agents, as(f, v, nil, strictjson.Value.Text))
			}
			return
		default:
			f = f.object("agents")
		}
		for _, m := range f.Members() {
			found.Agents = append(found.Agents, m.Key)
		}
	})
	return found
}

// wire is a connection with the facts about the socket at its other end.
type wire struct {
	net.Conn
	look           func(server, client netip.AddrPort) facts.Server
	server, client netip.AddrPort
	found          facts.Server
}

// newWire looks it up as soon as the connection is established: a server may
// close it with its answer, and the kernel then no longer knows the socket.
func newWire(c net.Conn, look func(server, client netip.AddrPort) facts.Server) *wire {
	w := &wire{Conn: c, look: look, server: addrPort(c.RemoteAddr()), client: addrPort(c.LocalAddr())}
	w.found = look(w.server, w.client)
	return w
}

// end returns the facts about the other end. The control group is that of the
// listening socket, the owner that of the process that accepted the connection,
// which must have happened once there is an answer.
func (w *wire) end() facts.Server {
	if w == nil {
		return facts.Server{}
	}
	if !w.found.Accepted {
		now := w.look(w.server, w.client)
		if now.Accepted {
			w.found.UID, w.found.Accepted = now.UID, true
		}
		if w.found.Group == 0 {
			w.found.Group = now.Group
		}
	}
	return w.found
}

func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// dial connects to addr. The name localhost is 127.0.0.1, then ::1, without a
// resolver: RFC 6761 does not allow using one, and a changed /etc/hosts must
// not send a gate's requests elsewhere. All other names are resolved as they
// are in the URL.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isLocalhost(host) {
		return d.DialContext(ctx, network, addr)
	}
	conn, first := d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if first == nil {
		return conn, nil
	}
	if conn, err := d.DialContext(ctx, "tcp6", net.JoinHostPort("::1", port)); err == nil {
		return conn, nil
	}
	return nil, first
}

func isLocalhost(host string) bool {
	h := strings.ToLower(strings.TrimSuffix(host, "."))
	return h == "localhost" || strings.HasSuffix(h, ".localhost")
}

// Addresses returns the addresses to which requests to a host are sent.
func Addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if isLocalhost(host) {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}
