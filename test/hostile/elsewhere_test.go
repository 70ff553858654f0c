// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/test/reference"
)

// eavesdropper is a listener that must not be contacted.
type eavesdropper struct {
	address string
	calls   atomic.Int64
}

func eavesdrop(t *testing.T) *eavesdropper {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	e := &eavesdropper{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.calls.Add(1)
			_ = c.Close()
		}
	}()
	return e
}

func (e *eavesdropper) heardNothing(t *testing.T) {
	t.Helper()
	if n := e.calls.Load(); n != 0 {
		t.Errorf("%d connections went elsewhere", n)
	}
}

// A URL with 0.0.0.0 reaches this host, but net/http's proxy rules do not treat it as a
// loopback address.
func TestElsewhere_ProxyVariablesAreIgnored(t *testing.T) {
	t.Parallel()
	e := eavesdrop(t)
	server := serve(t, nil)
	_, port, _ := net.SplitHostPort(server.Address())
	var env []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "SOCKS_PROXY"} {
		env = append(env, name+"=http://"+e.address, strings.ToLower(name)+"=http://"+e.address)
	}
	env = append(env, "NO_PROXY=", "no_proxy=")
	got := call{orchestrator: "http://0.0.0.0:" + port, timeout: short, env: env}.run(t)
	if got.status != int(diag.StatusReady) || server.Counters().Preloads != 1 {
		t.Errorf("status %d, %d POSTs\n%s", got.status, server.Counters().Preloads, got.stderr)
	}
	e.heardNothing(t)
}

func TestElsewhere_RedirectsAreNotFollowed(t *testing.T) {
	for _, spec := range []string{"redirect", "301", "redirect@/health", "redirect@/ready", "301@/models/status", "redirect@/models/preload"} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			e := eavesdrop(t)
			name, path, at := strings.Cut(spec, "@")
			told := name + "=http://" + e.address + "/health"
			if at {
				told += "@" + path
			}
			got := call{orchestrator: serve(t, nil, told).URL(), timeout: short}.run(t)
			if got.status != int(diag.StatusNonsense) {
				t.Errorf("status %d\n%s", got.status, got.stderr)
			}
			e.heardNothing(t)
		})
	}
}

func TestElsewhere_EveryLoopbackAddressIsLocal(t *testing.T) {
	for name, c := range map[string]struct{ listen, host string }{
		"localhost":           {"127.0.0.1:0", "localhost"},
		"LocalHost.":          {"127.0.0.1:0", "LocalHost."},
		"localhost over IPv6": {"[::1]:0", "localhost"},
		"IPv6":                {"[::1]:0", "[::1]"},
		"127.8.0.14":          {"127.8.0.14:0", "127.8.0.14"},
		"IPv4 within IPv6":    {"127.0.0.1:0", "[::ffff:127.0.0.1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", c.listen)
			if err != nil {
				t.Skipf("this machine has no %s", c.listen)
			}
			_ = l.Close()
			server := serve(t, func(o *reference.Options) { o.Address = c.listen })
			_, port, _ := net.SplitHostPort(server.Address())
			got := call{orchestrator: "http://" + c.host + ":" + port, timeout: short}.run(t)
			if got.status != int(diag.StatusReady) || got.has(diag.OrchestratorRemote) {
				t.Errorf("status %d\n%s", got.status, got.stderr)
			}
		})
	}
}

// A server is local by its address, not by how the URL is written: the Model Store is
// checked, and there is no warning, however this host is named.
func TestElsewhere_LocalOrchestratorIsLocalInEverySpelling(t *testing.T) {
	t.Parallel()
	server := serve(t, nil)
	_, port, _ := net.SplitHostPort(server.Address())
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "localhost.", "a.localhost", "[::ffff:127.0.0.1]"} {
		url := "http://" + host + ":" + port
		got := call{orchestrator: url, timeout: short}.run(t)
		if got.status != int(diag.StatusReady) || got.has(diag.OrchestratorRemote) || !strings.Contains(string(got.stderr), "store 16/16") {
			t.Errorf("%s: status %d\n%s", url, got.status, got.stderr)
		}
		status := call{orchestrator: url, timeout: short, args: []string{"status"}}.run(t)
		if status.status != int(diag.StatusReady) || strings.Contains(string(status.stderr), string(diag.OrchestratorRemote)) {
			t.Errorf("%s: status %d\n%s", url, status.status, status.stderr)
		}
	}
	// No host has an address for documentation (RFC 5737).
	if got := (call{orchestrator: "http://192.0.2.254:8014", timeout: short}).run(t); !got.has(diag.OrchestratorRemote) || got.status == 0 {
		t.Errorf("another host: status %d\n%s", got.status, got.stderr)
	}
}

// A name under .invalid never resolves; however long the resolver takes, the deadline is
// kept.
func TestElsewhere_UnresolvableNameIsReported(t *testing.T) {
	t.Parallel()
	got := call{orchestrator: "http://gpu.invalid:8014", timeout: short}.run(t)
	if got.status != int(diag.StatusUnavailable) || !got.has(diag.OrchestratorUnreachable) || got.own > short+lateness {
		t.Errorf("status %d after %v\n%s", got.status, got.took, got.stderr)
	}
}

func TestElsewhere_HostileEnvironmentIsAConfigurationError(t *testing.T) {
	for _, variable := range []string{
		"GATE_TIMEOUT=abc", "GATE_TIMEOUT=-1", "GATE_TIMEOUT=0", "GATE_TIMEOUT=1e9", "GATE_TIMEOUT=99999999999999999999",
		"GATE_TIMEOUT=5;reboot", "GATE_TIMEOUT=NaN", "GATE_TIMEOUT=infinity", "GATE_TIMEOUT= ",
		"REQUIRE_BUS=maybe", "REQUIRE_BUS=-1", "REQUIRE_BUS=2", "STRICT_MODEL_STORE=perhaps",
		"GPU_ORCHESTRATOR_URL=ftp://127.0.0.1:8014", "GPU_ORCHESTRATOR_URL=https://127.0.0.1:8014", "GPU_ORCHESTRATOR_URL=127.0.0.1:8014",
		"GPU_ORCHESTRATOR_URL=http://", "GPU_ORCHESTRATOR_URL=http://user:secret@127.0.0.1:8014", "GPU_ORCHESTRATOR_URL=http://127.0.0.1:8014/x",
		"GPU_ORCHESTRATOR_URL=http://127.0.0.1:8014?x", "GPU_ORCHESTRATOR_URL=http://127.0.0.1:8014#x", "GPU_ORCHESTRATOR_URL=http://127.0.0.1:99999",
		"GPU_ORCHESTRATOR_URL=http://127.0.0.1:0", "GPU_ORCHESTRATOR_URL=http://127.0.0.1:", "GPU_ORCHESTRATOR_URL=http://127.0.0.1\x1b[2J:8014",
		"GPU_ORCHESTRATOR_URL=http://:8014", "GPU_ORCHESTRATOR_URL=unix:///run/x", "MCP_BUS_URL=file:///etc/passwd", "MCP_BUS_URL=gopher://127.0.0.1",
		"MODEL_STORE_ROOT=models", "MODEL_STORE_ROOT=../models",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			server := serve(t, nil)
			got := call{orchestrator: server.URL(), timeout: short, env: []string{variable}}.run(t)
			if got.status != int(diag.StatusConfig) || !got.has(diag.ConfigEnvironment) {
				t.Errorf("status %d\n%s", got.status, got.stderr)
			}
			if n := server.Counters().Requests; n != 0 {
				t.Errorf("%d requests", n)
			}
			if got.own > time.Second || raw(got.stderr) >= 0 || strings.Contains(string(got.stderr), "secret") {
				t.Errorf("after %v: %q", got.took, got.stderr)
			}
		})
	}
}

// Whatever systemd substitutes for %i is a name and never a flag.
func TestElsewhere_NoInstanceNameOpensAGate(t *testing.T) {
	server := serve(t, nil)
	for _, name := range []string{
		"--help", "--version", "-h", "-v", "", "--", "-", "../x", "scout;x", "scout/../scout", "Scout", "scout ", " scout", "scout\n",
		"--gate-only", "--json", "--timeout=1", "--no-require-bus", "@", "%i", "scout\x1b[2J", "sc\u00f6ut", strings.Repeat("a", 64), "nobody", "preflight", "explain",
	} {
		for _, args := range [][]string{{"--gate-only", name}, {"--gate-only=" + name}, {"--gate-only", name, "--help"}, {"--gate-only", name, "--version"}} {
			got := call{orchestrator: server.URL(), timeout: short, args: args}.run(t)
			if got.status != int(diag.StatusConfig) && got.status != int(diag.StatusUsage) {
				t.Errorf("%q: status %d\n%s%s", args, got.status, got.stdout, got.stderr)
			}
			if raw(got.stderr) >= 0 || len(got.stderr) == 0 || strings.HasPrefix(string(got.stdout), "Usage") {
				t.Errorf("%q: %q %q", args, got.stdout, got.stderr)
			}
		}
	}
	if n := server.Counters().Requests; n != 0 {
		t.Errorf("%d requests", n)
	}
}
