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
	Gate         Gate         `toml:"gate"`
	Orchestrator Orchestrator `toml:"orchestrator"`
	Bus          Bus          `toml:"bus"`
	Models       Models       `toml:"models"`
	MPS          MPS          `toml:"mps"`
	GPU          GPU          `toml:"gpu"`
	Service      Service      `toml:"service"` // [service]: every instance's default
	Probes       map[string]Probe
	Instances    []Instance // sorted by name
}

// Gate is [gate], and gate = { … } of an instance with the gaps filled.
type Gate struct {
	Timeout         time.Duration `toml:"timeout"`          // GATE_TIMEOUT, whole seconds, at least 1 s
	Scope           string        `toml:"scope"`            // "all" or "own"
	RefreshAttempts int           `toml:"refresh_attempts"` // at least 0
	FailFast        bool          `toml:"fail_fast"`
}

// Orchestrator is [orchestrator].
type Orchestrator struct {
	URL           string `toml:"url"`      // GPU_ORCHESTRATOR_URL: http://host:port, no trailing slash
	Instance      string `toml:"instance"` // "": not a unit of this host
	HonorSafeMode bool   `toml:"honor_safe_mode"`
}

// Bus is [bus].
type Bus struct {
	URL      string `toml:"url"`      // MCP_BUS_URL: http://host:port, no trailing slash
	Instance string `toml:"instance"` // "": not a unit of this host
}

// Models is [models].
type Models struct {
	Root          string `toml:"root"`     // MODEL_STORE_ROOT
	BaseDir       string `toml:"base_dir"` // BASE_MODEL_DIR, "" where unset
	Map           string `toml:"map"`      // path of AGENT_MODEL_MAP.json
	MapWritten    bool   // the configuration sets the map, so a missing one is an error
	Strict        bool   `toml:"strict"`         // STRICT_MODEL_STORE
	Verify        string `toml:"verify"`         // "off", "presence" or "manifest"
	VerifyPreload string `toml:"verify_preload"` // the same, for justnews-preload.service and preflight
	AcceptEmpty   bool   `toml:"accept_empty"`
}

// MPS is [mps].
type MPS struct {
	Enabled       bool   `toml:"enabled"`        // every instance's default
	Unit          string `toml:"unit"`           // "": not a unit of this host
	PipeDirectory string `toml:"pipe_directory"` // CUDA_MPS_PIPE_DIRECTORY, at most 87 bytes
	LogDirectory  string `toml:"log_directory"`  // CUDA_MPS_LOG_DIRECTORY
	Require       string `toml:"require"`        // "daemon", "control" or "server"
	MIG           bool   `toml:"mig"`            // MPS may serve a GPU that MIG partitions
	MaxClients    int    `toml:"max_clients"`    // maximum number of instances with MPS

	// DefaultMemory and DefaultThreads are the daemon's limits for every client
	// process; a client can only lower them.
	DefaultMemory  string `toml:"default_memory"` // as InstanceMPS.Memory, "" where unset
	DefaultBytes   uint64
	DefaultThreads int `toml:"default_threads"` // percent, 0: unset
}

// GPU is [gpu].
type GPU struct {
	MinCount int           `toml:"min_count"`
	Patience time.Duration `toml:"patience"` // for a driver or a device node that does not exist yet
	Memory   uint64        `toml:"memory"`   // bytes, 0: unknown
}

// Probe is one [probes.NAME].
type Probe struct {
	Name    string
	Kind    string `toml:"kind"`    // "tcp", "http", "unit" or "path"
	Address string `toml:"address"` // tcp: host:port
	URL     string `toml:"url"`     // http
	Unit    string `toml:"unit"`    // unit
	Path    string `toml:"path"`    // path
}

// Instance is one [instances.NAME], with every default of [gate], [mps] and
// [service] filled in.
type Instance struct {
	Name          string
	Port          int               `toml:"port"` // 0: not stated
	Enabled       bool              `toml:"enabled"`
	RequireBus    bool              `toml:"require_bus"`    // after structure: never true for the bus or the orchestrator
	RequireModels bool              `toml:"require_models"` // after structure: never true for the orchestrator
	After         []string          `toml:"after"`
	Needs         []string          `toml:"needs"` // names of Probes
	Gate          Gate              `toml:"gate"`
	MPS           InstanceMPS       `toml:"mps"`
	Service       Service           `toml:"service"`
	Environment   map[string]string `toml:"environment"`
}

// InstanceMPS is mps = { … } of an instance.
type InstanceMPS struct {
	Enabled bool   `toml:"enabled"`
	Memory  string `toml:"memory"` // as CUDA_MPS_PINNED_DEVICE_MEM_LIMIT takes it after "0=", "" where unset
	Bytes   uint64 // the same in bytes
	Threads int    `toml:"threads"` // CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, 0: unset
}

// Service is [service], and service = { … } of an instance with the gaps
// filled.
type Service struct {
	Exec             []string      `toml:"exec"` // {instance} is not replaced yet
	User             string        `toml:"user"`
	Group            string        `toml:"group"`
	WorkingDirectory string        `toml:"working_directory"`
	Restart          time.Duration `toml:"restart_sec"` // RestartSec=
	LimitNOFILE      int           `toml:"limit_nofile"`
	MemoryMax        string        `toml:"memory_max"`   // as systemd takes it, "" where unset
	StartGrace       time.Duration `toml:"start_grace"`  // TimeoutStartSec= is the gate's time-out plus this
	ProtectHome      string        `toml:"protect_home"` // "yes", "read-only", "tmpfs" or "no"
	ReadOnlyPaths    []string      `toml:"read_only_paths"`
	ReadWritePaths   []string      `toml:"read_write_paths"`
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
