// SPDX-License-Identifier: Apache-2.0

// Package reference is an orchestrator and an MCP bus to try the gate against:
// the endpoints, the answers and the faults of the two upstream generations,
// recorded from the real servers, over real sockets. It really reads
// AGENT_MODEL_MAP.json and really reads every file of the models that it
// "loads", and it misbehaves on command (see Behaviours).
//
// It is for the tests and the demo and in no package. It computes nothing on a
// GPU and loads no model into memory.
package reference

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Generation is one of the two upstream servers. The zero value is New.
type Generation string

// The generations, as recorded.
const (
	Old Generation = "old" // JustNewsAgent 79d6c926, November 2025: the runbook's own system
	New Generation = "new" // JustNews b2f45340, January 2026: its successor
)

// Role is what the server simulates. The zero value is the orchestrator.
type Role int

// The roles.
const (
	Orchestrator Role = iota
	Bus
)

// Options are the options of a server. Durations of 0 mean JustNews' own
// figures.
type Options struct {
	Role       Role
	Generation Generation
	Address    string // host:port; empty: a free port on 127.0.0.1

	Root          string // MODEL_STORE_ROOT
	Map           string // empty: AGENT_MODEL_MAP.json below Root
	Strict        bool   // STRICT_MODEL_STORE
	SafeMode      bool   // SAFE_MODE; shown in /health, stops nothing
	DryRun        bool   // MODEL_STORE_DRY_RUN, DRY_RUN: every model is ok, nothing is read
	ShutdownToken string // SHUTDOWN_TOKEN; empty: anyone may POST /shutdown
	PipeDirectory string // CUDA_MPS_PIPE_DIRECTORY; empty: /tmp/nvidia-mps

	BusURL          string          // MCP_BUS_URL; empty: does not register, so its port opens at once
	Backoff         []time.Duration // waits between the tries to register
	RegisterTimeout time.Duration   // of one try
	ProbeTimeout    time.Duration   // of the bus, for each agent that it asks for its health

	LoadDelay   time.Duration // each model takes at least that long
	IdleTimeout time.Duration // a kept-alive connection is closed after; uvicorn: 5 s
	Misbehave   []string      // see Behaviours
	Script      []Step        // what to misbehave later

	Exit func(status int)                 // ends the process; nil: the server is gone for good
	Log  func(format string, args ...any) // nil: silent
}

// Upstream's figures, measured on the real servers.
const (
	uvicornIdle        = 5 * time.Second // uvicorn's --timeout-keep-alive
	newRegisterTimeout = 5 * time.Second // three tries and 1+2 s between them: closed for 3 to 19 s
	oldRegisterLimit   = 30 * time.Second
	busProbeTimeout    = time.Second
)

var newBackoff = []time.Duration{time.Second, 2 * time.Second}

// oldBackoff tries every 2 s until oldRegisterLimit has passed.
var oldBackoff = func() (waits []time.Duration) {
	for spent := time.Duration(0); spent < oldRegisterLimit; spent += 2 * time.Second {
		waits = append(waits, 2*time.Second)
	}
	return waits
}()

func (o Options) withDefaults() (Options, error) {
	o.Generation = cmp.Or(o.Generation, New)
	if o.Generation != Old && o.Generation != New {
		return o, fmt.Errorf("cannot play generation %q: there is %q and %q", o.Generation, Old, New)
	}
	o.Address = cmp.Or(o.Address, "127.0.0.1:0")
	o.Map = cmp.Or(o.Map, filepath.Join(o.Root, "AGENT_MODEL_MAP.json"))
	o.PipeDirectory = cmp.Or(o.PipeDirectory, "/tmp/nvidia-mps")
	o.IdleTimeout = cmp.Or(o.IdleTimeout, uvicornIdle)
	o.RegisterTimeout = cmp.Or(o.RegisterTimeout, newRegisterTimeout)
	o.ProbeTimeout = cmp.Or(o.ProbeTimeout, busProbeTimeout)
	if o.Backoff == nil {
		o.Backoff = newBackoff
		if o.Generation == Old {
			o.Backoff = oldBackoff
		}
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return o, nil
}

// FromEnvironment fills what upstream's servers read from their environment.
// getenv is os.Getenv, or a test's.
func FromEnvironment(role Role, getenv func(string) string) (Options, error) {
	o := Options{
		Role:          role,
		Root:          getenv("MODEL_STORE_ROOT"),
		Strict:        truthy(getenv("STRICT_MODEL_STORE")),
		SafeMode:      truthy(getenv("SAFE_MODE")),
		DryRun:        truthy(getenv("MODEL_STORE_DRY_RUN")) || truthy(getenv("DRY_RUN")),
		ShutdownToken: getenv("SHUTDOWN_TOKEN"),
		PipeDirectory: getenv("CUDA_MPS_PIPE_DIRECTORY"),
	}
	if list := getenv("REFERENCE_MISBEHAVE"); list != "" {
		o.Misbehave = strings.Fields(list)
	}
	host, name, port := "127.0.0.1", "GPU_ORCHESTRATOR_PORT", "8014"
	if role == Bus {
		host, name, port = cmp.Or(getenv("MCP_BUS_HOST"), "0.0.0.0"), "MCP_BUS_PORT", "8000"
	} else {
		o.BusURL = cmp.Or(getenv("MCP_BUS_URL"), "http://localhost:8000")
	}
	port = cmp.Or(getenv(name), port)
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return o, fmt.Errorf("cannot listen on %s=%q: not a port", name, port)
	}
	o.Address = host + ":" + port
	return o, nil
}

// truthy is upstream's _truthy_env.
func truthy(v string) bool {
	switch strings.ToLower(v) {
	case "1", "true", "yes", "on":
		return true
	}
	return false
}
