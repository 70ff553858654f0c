// SPDX-License-Identifier: Apache-2.0

// Package need runs the generic probes of [probes.*]: a TCP port, an HTTP URL,
// a unit, a path. One call is one attempt with its own deadline; the gate waits
// and repeats.
package need

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"justnews/internal/config"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// tryTimeout bounds one attempt: long enough for a lost SYN and its
// retransmission (1 s), short enough for a dead host not to use up a gate's
// timeout unnoticed.
const tryTimeout = 3 * time.Second

// Units queries systemd about a unit.
type Units interface {
	Unit(ctx context.Context, name string, only ...string) (facts.Unit, error)
}

// Prober tries the probes of one configuration by name. A nil Units means that
// there is no systemd: then a unit probe cannot pass.
type Prober struct {
	Probes map[string]config.Probe
	Units  Units
}

// Try runs one probe once, within 3 s. It does not return an error: what went
// wrong is in Detail. An undefined probe does not pass.
func (p Prober) Try(ctx context.Context, name string) facts.Need {
	probe, ok := p.Probes[name]
	if !ok {
		return facts.Need{Detail: fmt.Sprintf("no probe is named %q", name)}
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	switch probe.Kind {
	case "tcp":
		return tcp(ctx, probe.Address)
	case "http":
		return get(ctx, probe.URL)
	case "unit":
		return p.unit(ctx, probe.Unit)
	case "path":
		return path(ctx, probe.Path)
	default:
		return facts.Need{Detail: fmt.Sprintf("no probe is of the kind %q", probe.Kind)}
	}
}

// tcp passes if a connection is accepted. Nothing is sent.
func tcp(ctx context.Context, address string) facts.Need {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return failed(ctx, address, err)
	}
	_ = conn.Close()
	return facts.Need{OK: true, Detail: "connected to " + address}
}

// failed is an attempt that ended with an error, or without an answer in its time.
func failed(ctx context.Context, where string, err error) facts.Need {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return facts.Need{Detail: where + " does not answer"}
	}
	return facts.Need{Detail: err.Error()}
}

// unit passes if the unit is active. With a stop job, or in a transitional
// state, it is not active.
func (p Prober) unit(ctx context.Context, name string) facts.Need {
	if p.Units == nil {
		return facts.Need{Detail: "systemd cannot be queried"}
	}
	u, err := p.Units.Unit(ctx, name)
	if err != nil {
		return facts.Need{Detail: err.Error()}
	}
	detail := fmt.Sprintf("%s is %s (%s)", name, u.ActiveState, u.SubState)
	if u.LoadState != "loaded" {
		detail = fmt.Sprintf("%s is %s, %s", name, u.LoadState, u.ActiveState)
	}
	return facts.Need{OK: u.ActiveState == "active", Detail: detail}
}

// path passes if the path exists, following links; a dangling link does not
// pass. A stat can hang on a dead NFS server.
func path(ctx context.Context, name string) facts.Need {
	need, err := safefile.Do(ctx, func() (facts.Need, error) {
		_, err := os.Stat(name)
		if err == nil {
			return facts.Need{OK: true, Detail: name + " exists"}, nil
		}
		if info, e := os.Lstat(name); e == nil && info.Mode()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
			return facts.Need{Detail: name + " is a dangling link"}, nil
		}
		return facts.Need{Detail: err.Error()}, nil
	})
	if err != nil {
		return facts.Need{Detail: name + ": no answer from its file system"}
	}
	return need
}

// maxBody is how much of an answer is read, in bytes; its content does not
// matter.
const maxBody = 64 << 10

// client never uses a proxy, never follows a redirect, and keeps no connection
// between attempts: an old one does not prove which server would answer now.
var client = &http.Client{
	Transport: &http.Transport{
		Proxy:                  nil,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxBody,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get passes if the answer to GET is 2xx. The deadline is ctx's, including the
// body.
func get(ctx context.Context, url string) facts.Need {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return facts.Need{Detail: err.Error()}
	}
	request.Header.Set("User-Agent", "justnews-gate")
	response, err := client.Do(request)
	if err != nil {
		return failed(ctx, url, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return facts.Need{Detail: fmt.Sprintf("%s answers %d", url, response.StatusCode)}
	}
	// A server that fails during its answer is not up.
	if _, err := io.CopyN(io.Discard, response.Body, maxBody); err != nil && !errors.Is(err, io.EOF) {
		return facts.Need{Detail: fmt.Sprintf("%s answers %d, then: %v", url, response.StatusCode, err)}
	}
	return facts.Need{OK: true, Detail: fmt.Sprintf("%s answers %d", url, response.StatusCode)}
}
