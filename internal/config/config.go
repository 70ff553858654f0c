// SPDX-License-Identifier: Apache-2.0

// Package config reads /etc/justnews/justnews.toml and its drop-ins and turns
// them into a Config that is valid by construction, or into every problem that
// the files have, with file, line and column. It starts no process and uses no
// network, D-Bus or name service (the generator links it), and it never falls
// back to the defaults if a file is broken.
package config

import "time"

// Config is the effective configuration: every default applied, every value in
// range, every reference resolved. Only Load makes one.
type Config struct {
	// Files are the files that were read, in the order in which they were
	// merged, as paths on the running system (without --root's prefix). Empty
	// when there is no file at all.
	Files        []string
	Gate         Gate
	Orchestrator Orchestrator
	Bus          Bus
	Models       Models
	MPS          MPS
	GPU          GPU
	Service      Service // [service]: every instance's default
	Probes       map[string]Probe
	Instances    []Instance // sorted by name
}

// Gate is [gate], and gate = { … } of an instance with the gaps filled.
type Gate struct {
	Timeout         time.Duration // GATE_TIMEOUT, whole seconds, at least 1 s
	Scope           string        // "all" or "own"
	RefreshAttempts int           // at least 0
	FailFast        bool
}

// Orchestrator is [orchestrator].
type Orchestrator struct {
	URL           string // GPU_ORCHESTRATOR_URL: http://host:port, no trailing slash
	Instance      string // "": not a unit of this host
	HonorSafeMode bool
}

// Bus is [bus].
type Bus struct {
	URL      string // MCP_BUS_URL: http://host:port, no trailing slash
	Instance string // "": not a unit of this host
}

// Models is [models].
type Models struct {
	Root          string // MODEL_STORE_ROOT
	BaseDir       string // BASE_MODEL_DIR, "" where unset
	Map           string // path of AGENT_MODEL_MAP.json
	MapWritten    bool   // the configuration sets the map, so a missing one is an error
	Strict        bool   // STRICT_MODEL_STORE
	Verify        string // "off", "presence" or "manifest"
	VerifyPreload string // the same, for justnews-preload.service and preflight
	AcceptEmpty   bool
}

// MPS is [mps].
type MPS struct {
	Enabled       bool   // every instance's default
	Unit          string // "": not a unit of this host
	PipeDirectory string // CUDA_MPS_PIPE_DIRECTORY, at most 87 bytes
	LogDirectory  string // CUDA_MPS_LOG_DIRECTORY
	Require       string // "daemon", "control" or "server"
	MIG           bool   // MPS may serve a GPU that MIG partitions
	MaxClients    int    // maximum number of instances with MPS

	// DefaultMemory and DefaultThreads are the daemon's limits for every client
	// process; a client can only lower them.
	DefaultMemory  string // as InstanceMPS.Memory, "" where unset
	DefaultBytes   uint64
	DefaultThreads int // percent, 0: unset
}

// GPU is [gpu].
type GPU struct {
	MinCount int
	Patience time.Duration // for a driver or a device node that does not exist yet
	Memory   uint64        // bytes, 0: unknown
}

// Probe is one [probes.NAME].
type Probe struct {
	Name    string
	Kind    string // "tcp", "http", "unit" or "path"
	Address string // tcp: host:port
	URL     string // http
	Unit    string // unit
	Path    string // path
}

// Instance is one [instances.NAME], with every default of [gate], [mps] and
// [service] filled in.
type Instance struct {
	Name          string
	Port          int // 0: not stated
	Enabled       bool
	RequireBus    bool // after structure: never true for the bus or the orchestrator
	RequireModels bool // after structure: never true for the orchestrator
	After         []string
	Needs         []string // names of Probes
	Gate          Gate
	MPS           InstanceMPS
	Service       Service
	Environment   map[string]string
}

// InstanceMPS is mps = { … } of an instance.
type InstanceMPS struct {
	Enabled bool
	Memory  string // as CUDA_MPS_PINNED_DEVICE_MEM_LIMIT takes it after "0=", "" where unset
	Bytes   uint64 // the same in bytes
	Threads int    // CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, 0: unset
}

// Service is [service], and service = { … } of an instance with the gaps
// filled.
type Service struct {
	Exec             []string // {instance} is not replaced yet
	User             string
	Group            string
	WorkingDirectory string
	Restart          time.Duration // RestartSec=
	LimitNOFILE      int
	MemoryMax        string        // as systemd takes it, "" where unset
	StartGrace       time.Duration // TimeoutStartSec= is the gate's time-out plus this
	ProtectHome      string        // "yes", "read-only", "tmpfs" or "no"
	ReadOnlyPaths    []string
	ReadWritePaths   []string
}

// Instance returns the instance of that name.
func (c *Config) Instance(name string) (Instance, bool) {
	for _, i := range c.Instances {
		if i.Name == name {
			return i, true
		}
	}
	return Instance{}, false
}
