// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"justnews/test/bench/measure"
	"justnews/test/reference"
	"justnews/test/reference/store"
)

// host is an orchestrator and a bus, and the files that a gate needs.
type host struct {
	dir          string // everything lies below it
	gate         string // path of the binary
	config       string
	env          []string
	orchestrator *reference.Server
	bus          *reference.Server
}

func newHost(ctx context.Context, dir, gate string) (*host, error) {
	h := &host{dir: dir, gate: gate, config: filepath.Join(dir, "justnews.toml")}
	var err error
	if gate == "" {
		if h.gate, err = measure.Build(ctx, filepath.Join(dir, "justnews-gate"), "./cmd/justnews-gate"); err != nil {
			return nil, err
		}
	}
	models := filepath.Join(dir, "models")
	if _, err := store.Make(models); err != nil {
		return nil, err
	}
	if h.orchestrator, err = reference.Start(reference.Options{Root: models, Strict: true}); err != nil {
		return nil, err
	}
	if h.bus, err = reference.Start(reference.Options{Role: reference.Bus}); err != nil {
		return nil, err
	}
	for i := range instances {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint("cache", i)), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "run"), 0o700); err != nil {
		return nil, err
	}
	h.env = environment(dir)
	return h, os.WriteFile(h.config, h.toml(models), 0o600)
}

func (h *host) close() {
	h.orchestrator.Close()
	h.bus.Close()
}

// environment is the caller's without variables that affect the gate.
func environment(dir string) []string {
	env := []string{"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run")}
	for _, name := range []string{"PATH", "HOME"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	return env
}

func (h *host) toml(models string) []byte {
	var b strings.Builder
	// As in a unit, the user is one that /etc/passwd has: for another the gate runs getent.
	if me, err := user.Current(); err == nil {
		fmt.Fprintf(&b, "[service]\nuser = %q\n", me.Username)
	}
	fmt.Fprintf(&b, "[gate]\ntimeout = \"600s\"\n[orchestrator]\nurl = %q\ninstance = \"\"\n[bus]\nurl = %q\ninstance = \"\"\n", h.orchestrator.URL(), h.bus.URL())
	fmt.Fprintf(&b, "[models]\nroot = %q\nmap = %q\n", models, filepath.Join(models, "AGENT_MODEL_MAP.json"))
	for i := range instances {
		fmt.Fprintf(&b, "[instances.agent_%d]\n", i)
	}
	return []byte(b.String())
}

// status is the URL that a person would query.
func (h *host) status() string { return h.orchestrator.URL() + "/models/status" }

// hold restarts the orchestrator, with a last model that is not ready before release.
func (h *host) hold(ctx context.Context) error {
	if err := h.orchestrator.Misbehave("hold"); err != nil {
		return err
	}
	h.orchestrator.Restart(0)
	return h.orchestrator.Open(ctx)
}

// load requests the models, as a gate would.
func (h *host) load(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.orchestrator.URL()+"/models/preload", strings.NewReader(`{"refresh":true}`))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// loading waits until the job has begun that follows the first jobs.
func (h *host) loading(ctx context.Context, jobs int) error {
	for h.orchestrator.Counters().Jobs <= jobs {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// flip makes the orchestrator ready and returns when it was (monotonic clock).
func (h *host) flip(ctx context.Context) (int64, error) {
	before := len(h.orchestrator.Counters().FlipsNS)
	h.orchestrator.Release()
	for {
		if flips := h.orchestrator.Counters().FlipsNS; len(flips) > before {
			return flips[len(flips)-1], nil
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// anyPhase waits until a random phase of the polling.
func anyPhase(least time.Duration) time.Duration {
	return least + rand.N(time.Second)
}
