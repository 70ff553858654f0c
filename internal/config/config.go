// SPDX-License-Identifier: Apache-2.0

// Package config reads /etc/justnews/justnews.toml and its drop-ins and turns
// them into a Config that is valid by construction, or into every problem that
// the files have, with file, line and column. It starts no process and uses no
// network, D-Bus or name service (the generator links it), and it never falls
// back to the defaults if a file is broken.
package config

import (
	"cmp"
	"time"

	"justnews/internal/lists"
	"justnews/internal/unitname"
)

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
	Watch        Watch        `toml:"watch"`
	Service      Service      `toml:"service"` // [service]: every instance's default
	Probes       map[string]Probe
	Instances    []Instance // sorted by name
	Guards       []Guard    // sorted by name
}

// schema is every key, in the order of the manual: the tables are next to the types
// that they fill, and each key is the toml tag of a field.
var schema = []field{
	{name: minVersion, kind: text, form: &formVersion, sample: `"0.9.0"`,
		doc: "the oldest version of this toolkit that supports this configuration; older ones report only that"},
	{name: "gate", kind: group, fields: gateFields, doc: "the gate of every instance; gate = { … } of an instance overrides keys"},
	{name: "orchestrator", kind: group, fields: orchestratorFields, doc: "the GPU Orchestrator"},
	{name: "bus", kind: group, fields: busFields, doc: "the MCP bus"},
	{name: "models", kind: group, fields: modelsFields, doc: "the Model Store"},
	{name: "mps", kind: group, fields: mpsFields, doc: "NVIDIA MPS"},
	{name: "gpu", kind: group, fields: gpuFields, doc: "the GPUs, by NVML"},
	{name: "watch", kind: group, fields: watchFields, doc: "justnews-watch.service, which keeps checking once the gates are open"},
	{name: "service", kind: group, fields: serviceFields,
		doc: "settings of every instance; service = { … } of an instance overrides keys"},
	{name: "probes", kind: named, form: &formProbe, fields: probeFields, sample: "mariadb", doc: "other prerequisites of instances"},
	{name: "instances", kind: named, form: &formInstance, fields: instanceFields, sample: "scout", doc: "one instance: justnews@NAME.service"},
	{name: "guards", kind: named, form: &formGuard, fields: guardFields, sample: "client", doc: "the gate of a unit outside JustNews"},
}

// Gate is [gate], and gate = { … } of an instance with the gaps filled.
type Gate struct {
	Timeout         time.Duration `toml:"timeout"`          // GATE_TIMEOUT, whole seconds, at least 1 s
	Scope           string        `toml:"scope"`            // "all" or "own"
	RefreshAttempts int           `toml:"refresh_attempts"` // at least 0
	FailFast        bool          `toml:"fail_fast"`
}

var gateFields = []field{
	{name: "timeout", kind: span, low: 1, high: maxSpan, def: "180s",
		doc: "GATE_TIMEOUT: the overall timeout of a gate run, in whole seconds (\"300\", \"300s\", \"5min\")"},
	{name: "scope", kind: text, words: []string{"all", "own"}, def: "all",
		doc: "\"all\": every model of the map must be ready; \"own\": only the models of this instance"},
	{name: "refresh_attempts", kind: integer, low: 0, high: 10, def: int64(1),
		doc: "how many times to POST {\"refresh\":true} after a failed or inconsistent job, per host and job"},
	{name: "fail_fast", kind: boolean, def: true,
		doc: "a reported model error ends the wait even if the job is still running"},
}

// Orchestrator is [orchestrator].
type Orchestrator struct {
	Kind          string `toml:"kind"`         // one of orchestratorKinds
	URL           string `toml:"url"`          // GPU_ORCHESTRATOR_URL: http://host:port, no trailing slash
	Instance      string `toml:"instance"`     // "": no instance of justnews@.service serves it
	Unit          string `toml:"unit"`         // the unit that serves it where no instance does, "": not a unit of this host
	APIKeyFile    string `toml:"api_key_file"` // "": none
	HonorSafeMode bool   `toml:"honor_safe_mode"`
}

// ServedBy returns the unit that serves the orchestrator, "" if that is not a unit of
// this host.
func (o Orchestrator) ServedBy() string {
	return cmp.Or(o.Unit, unitname.Of(o.Instance))
}

// KindJustNews is JustNews' own GPU Orchestrator, which has a map of its models. The
// configuration names the models of all other kinds.
const KindJustNews = "justnews"

var orchestratorKinds = []string{KindJustNews, "llamacpp", "ollama", "openai", "triton", "vllm"}

var orchestratorFields = []field{
	{name: "kind", kind: text, words: orchestratorKinds, def: KindJustNews,
		doc: "the kind of server that loads the models; all except \"justnews\" need url, models.expected, and instance or unit"},
	{name: "url", kind: text, form: &formServerURL, def: "http://127.0.0.1:8014", doc: "GPU_ORCHESTRATOR_URL"},
	{name: "instance", kind: text, form: &formInstanceOrNone, def: "gpu_orchestrator",
		doc: "the instance that runs it; \"\": not a unit of this host"},
	{name: "unit", kind: text, form: &formServiceOrNone, def: "",
		doc: "the unit that runs it, instead of an instance; \"\": not a unit of this host"},
	{name: "api_key_file", kind: text, form: &formKeyFile, def: "",
		doc: "a file that contains the API key, which is sent with every request; only root should be able to read it; ORCHESTRATOR_API_KEY in an environment file takes precedence"},
	{name: "honor_safe_mode", kind: boolean, def: false,
		doc: "true: {\"safe_mode\":true} from /health skips the preload, with a warning"},
}

// Bus is [bus].
type Bus struct {
	URL      string `toml:"url"`      // MCP_BUS_URL: http://host:port, no trailing slash
	Instance string `toml:"instance"` // "": not a unit of this host
}

var busFields = []field{
	{name: "url", kind: text, form: &formServerURL, def: "http://127.0.0.1:8000", doc: "MCP_BUS_URL"},
	{name: "instance", kind: text, form: &formInstanceOrNone, def: "mcp_bus",
		doc: "the instance that runs it; \"\": not a unit of this host"},
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

	Expected []string `toml:"expected"` // names of the models, as the server lists them; of JustNews none
	Canary   bool     `toml:"canary"`
	Device   string   `toml:"device"` // "any" or "gpu"
}

// HasMap reports whether a map lists the models, and with them what the Model Store has
// to hold.
func (m Models) HasMap() bool { return len(m.Expected) == 0 }

var verifyWords = []string{"off", "presence", "manifest"}

var modelsFields = []field{
	{name: "root", kind: text, form: &formPath, def: "/opt/justnews/models", doc: "MODEL_STORE_ROOT"},
	{name: "base_dir", kind: text, form: &formPathOrNone, def: "", sample: `"/opt/justnews/base_models"`, doc: "BASE_MODEL_DIR"},
	{name: "map", kind: text, form: &formPath, def: "/etc/justnews/AGENT_MODEL_MAP.json",
		doc: "AGENT_MODEL_MAP; a file set here must exist"},
	{name: "strict", kind: boolean, def: true, doc: "STRICT_MODEL_STORE, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE: no downloads"},
	{name: "verify", kind: text, words: verifyWords, def: "presence", doc: "how each agent's gate checks the store"},
	{name: "verify_preload", kind: text, words: verifyWords, def: "manifest",
		doc: "the same for justnews-preload.service, before it triggers, and for preflight"},
	{name: "accept_empty", kind: boolean, def: false, doc: "true: a preload over zero models counts as ready"},
	{name: "expected", kind: list, form: &formModel, def: []string{},
		doc: "the models that must be loaded, by the names under which the server lists them; for the kind \"justnews\" the map lists them"},
	{name: "canary", kind: boolean, def: false,
		doc: "true: each expected model must also answer a minimal request; always true for the kind \"openai\", which has no other proof"},
	{name: "device", kind: text, words: []string{"any", "gpu"}, def: "any",
		doc: "\"gpu\": processes of the server's unit must hold GPU memory, and Ollama's models must be entirely in it"},
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
	// Devices are the GPUs that the daemon serves, nil: every GPU.
	Devices []string `toml:"devices"`

	// DefaultMemory and DefaultThreads are the daemon's limits for every client
	// process; a client can only lower them.
	DefaultMemory  Memory `toml:"default_memory"`  // "" where unset
	DefaultThreads int    `toml:"default_threads"` // percent, 0: unset
}

var mpsFields = []field{
	{name: "enabled", kind: boolean, def: false, doc: "the default for every instance"},
	{name: "unit", kind: text, form: &formServiceOrNone, def: "justnews-mps.service",
		doc: "the unit of the control daemon; \"\": not a unit of this host"},
	{name: "pipe_directory", kind: text, form: &formPipe, def: "/run/nvidia-mps", doc: "CUDA_MPS_PIPE_DIRECTORY, at most 87 bytes"},
	{name: "log_directory", kind: text, form: &formPath, def: "/var/log/nvidia-mps", doc: "CUDA_MPS_LOG_DIRECTORY"},
	{name: "require", kind: text, words: []string{"daemon", "control", "server"}, def: "control",
		doc: "how far MPS is verified"},
	{name: "mig", kind: boolean, def: false, doc: "true: MPS may serve MIG instances, selected by the daemon's CUDA_VISIBLE_DEVICES"},
	{name: "max_clients", kind: integer, low: 1, high: 1024, def: int64(48),
		doc: "maximum number of instances with MPS, as the GPU supports: 16 before Volta, 48 since Volta, 60 with CUDA 13.1"},
	{name: "devices", kind: list, form: &formGPU, def: []string{}, sample: `["0", "1"]`,
		doc: "the GPUs that the daemon serves, by index or UUID; []: every GPU"},
	{name: "default_memory", kind: memory, form: &formMPSMemory, def: "", sample: `"8G"`,
		doc: "the daemon's default memory limit for each client process, on the first GPU, or { GPU = limit, ... }; \"\": none"},
	{name: "default_threads", kind: integer, low: 1, high: 100, sample: "50",
		doc: "the daemon's default percentage of threads for each client process"},
}

// GPU is [gpu].
type GPU struct {
	MinCount int           `toml:"min_count"`
	Patience time.Duration `toml:"patience"` // for a driver or a device node that does not exist yet
	Memory   uint64        `toml:"memory"`   // bytes, 0: unknown
}

var gpuFields = []field{
	{name: "min_count", kind: integer, low: 0, high: 1024, def: int64(0),
		doc: "minimum number of GPUs; 0: findings are only fatal for instances with MPS"},
	{name: "patience", kind: span, low: 0, high: maxSpan, def: "60s",
		doc: "how long a gate waits for a driver or a device node that does not exist yet"},
	{name: "memory", kind: text, form: &formGPUMemory, def: "", sample: `"24G"`,
		doc: "the maximum sum of the memory limits of all instances on one GPU; bytes with K, M, G or T"},
}

// Watch is [watch].
type Watch struct {
	Interval time.Duration `toml:"interval"` // between the beginnings of two looks
	Failures int           `toml:"failures"` // bad looks in a row, at least 1
}

var watchFields = []field{
	{name: "interval", kind: span, low: 5, high: 5 * 60, def: "30s", doc: "the time between two checks"},
	{name: "failures", kind: integer, low: 1, high: 1000, def: int64(3), doc: "how many consecutive checks must fail before it reports the loss"},
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

var probeFields = []field{
	{name: "kind", kind: text, words: []string{"tcp", "http", "unit", "path"}, sample: `"tcp"`, doc: "what to check"},
	{name: "address", kind: text, form: &formAddress, sample: `"127.0.0.1:3306"`, doc: "tcp: host:port that must accept a connection"},
	{name: "url", kind: text, form: &formProbeURL, doc: "http: must answer with a status from 200 to 299"},
	{name: "unit", kind: text, form: &formUnit, doc: "unit: must be active; with its suffix (\"mariadb.service\")"},
	{name: "path", kind: text, form: &formPath, doc: "path: must exist"},
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
	GPUs          []string          `toml:"gpus"`  // that its programs see, nil: every GPU
	Gate          Gate              `toml:"gate"`
	MPS           InstanceMPS       `toml:"mps"`
	Service       Service           `toml:"service"`
	Environment   map[string]string `toml:"environment"`
}

var instanceFields = []field{
	{name: "port", kind: integer, low: 1, high: 65535, sample: "8002", doc: "the TCP port on which the instance listens"},
	{name: "enabled", kind: boolean, def: true, doc: "false: gated, but not wanted by justnews.target"},
	{name: "require_bus", kind: boolean, def: true,
		doc: "REQUIRE_BUS: wait for the MCP bus; the bus and the orchestrator never do"},
	{name: "require_models", kind: boolean, def: true,
		doc: "wait for the models; the orchestrator never does"},
	{name: "after", kind: list, form: &formInstance, def: []string{}, sample: `["memory"]`,
		doc: "After= and Wants= on these instances"},
	{name: "needs", kind: list, form: &formProbe, def: []string{}, sample: `["mariadb"]`,
		doc: "the [probes] that must succeed before the instance starts"},
	{name: "gpus", kind: list, form: &formGPU, def: []string{}, sample: `["0"]`,
		doc: "CUDA_VISIBLE_DEVICES: the GPUs that the instance sees, by index or UUID; []: every GPU"},
	{name: "gate", kind: group, fields: gateFields, sample: `{ timeout = "300s" }`, doc: "any key of [gate], for this instance"},
	{name: "mps", kind: group, fields: instanceMPSFields, sample: `{ enabled = true, memory = "4G", threads = 25 }`,
		doc: "NVIDIA MPS for this instance"},
	{name: "service", kind: group, fields: serviceFields, sample: `{ memory_max = "16G" }`,
		doc: "any key of [service], for this instance"},
	{name: "environment", kind: variables, form: &formVariable, sample: `{ LOG_LEVEL = "INFO" }`,
		doc: "Environment=; no secrets, they belong in service.credentials or /etc/justnews/NAME.env"},
}

// InstanceMPS is mps = { … } of an instance.
type InstanceMPS struct {
	Enabled  bool   `toml:"enabled"`
	Memory   Memory `toml:"memory"`   // "" where unset
	Threads  int    `toml:"threads"`  // CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, 0: unset
	Priority string `toml:"priority"` // "normal" or "below-normal"
	// Partition is CUDA_MPS_SM_PARTITION, "" where unset.
	Partition string   `toml:"partition"`
	Seen      []string // GPUs that its programs see: gpus, or mps.devices; nil: every GPU
}

// PriorityBelow is the priority that has to be stated: CUDA_MPS_CLIENT_PRIORITY=1.
const PriorityBelow = "below-normal"

var instanceMPSFields = []field{
	{name: "enabled", kind: boolean, doc: "the default is mps.enabled"},
	{name: "memory", kind: memory, form: &formMPSMemory, def: "", sample: `"4G"`,
		doc: "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT of the first GPU, with G or M, or { GPU = limit, ... }"},
	{name: "threads", kind: integer, low: 1, high: 100, sample: "25", doc: "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"},
	{name: "priority", kind: text, words: []string{"normal", PriorityBelow}, def: "normal",
		doc: "CUDA_MPS_CLIENT_PRIORITY: a hint to the driver about whose work comes first"},
	{name: "partition", kind: text, form: &formPartition, def: "", sample: `"GPU-5a5c3a3c-1111-2222-3333-444455556666/Dx4A"`,
		doc: "CUDA_MPS_SM_PARTITION: the static partition, if the daemon was started with -S; \"\": none"},
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
	StartGrace       time.Duration `toml:"start_grace"`  // TimeoutStartSec= is the gate's timeout plus this
	ProtectHome      string        `toml:"protect_home"` // "yes", "read-only", "tmpfs" or "no"
	ReadOnlyPaths    []string      `toml:"read_only_paths"`
	ReadWritePaths   []string      `toml:"read_write_paths"`
	// NAME:PATH, as LoadCredential= and LoadCredentialEncrypted= take them.
	Credentials          []string `toml:"credentials"`
	EncryptedCredentials []string `toml:"encrypted_credentials"`
}

// DefaultExec is service.exec where nothing is written: the command of the
// packaged template, which has %i for {instance}.
var DefaultExec = []string{"/usr/local/bin/justnews-start-agent.sh", "{instance}"}

var serviceFields = []field{
	{name: "exec", kind: list, form: &formExec, def: DefaultExec,
		doc: "ExecStart=, as a list of arguments; {instance} is the instance's name"},
	{name: "user", kind: text, form: &formUser, def: "justnews", doc: "User="},
	{name: "group", kind: text, form: &formUser, def: "justnews", doc: "Group="},
	{name: "working_directory", kind: text, form: &formPath, def: "/", doc: "WorkingDirectory="},
	{name: "restart_sec", kind: span, low: 1, high: maxSpan, def: "3s", doc: "RestartSec="},
	{name: "limit_nofile", kind: integer, low: 1, high: 1073741816, def: int64(65536),
		doc: "LimitNOFILE=, at most the largest fs.nr_open"},
	{name: "memory_max", kind: text, form: &formMemoryMax, def: "", sample: `"8G"`,
		doc: "MemoryMax=: bytes with K, M, G or T, a percentage or \"infinity\"; \"\": no limit"},
	{name: "start_grace", kind: span, low: 1, high: maxSpan, def: "60s",
		doc: "TimeoutStartSec= is the gate's timeout plus this"},
	{name: "protect_home", kind: text, words: []string{"yes", "read-only", "tmpfs", "no"}, def: "yes", doc: "ProtectHome="},
	{name: "read_only_paths", kind: list, form: &formPath, def: []string{}, doc: "ReadOnlyPaths="},
	{name: "read_write_paths", kind: list, form: &formPath, def: []string{}, doc: "ReadWritePaths="},
	{name: "credentials", kind: list, form: &formCredential, def: []string{}, sample: `["database:/etc/justnews/credentials/database"]`,
		doc: "LoadCredential=: secrets, each NAME:PATH; an agent reads $CREDENTIALS_DIRECTORY/NAME"},
	{name: "encrypted_credentials", kind: list, form: &formCredential, def: []string{}, sample: `["token:/etc/credstore.encrypted/token"]`,
		doc: "LoadCredentialEncrypted=: the same, encrypted with systemd-creds encrypt --name=NAME"},
}

// Instance returns the instance of that name.
func (c *Config) Instance(name string) (Instance, bool) {
	return lists.Find(c.Instances, func(i Instance) bool { return i.Name == name })
}

// InstanceNames are the names of all instances, in the order of the configuration.
func (c *Config) InstanceNames() []string {
	return lists.Map(c.Instances, func(i Instance) string { return i.Name })
}

// MPSInstances are the names of the instances with MPS, whether they are enabled or not.
func (c *Config) MPSInstances() []string {
	with := lists.Filter(c.Instances, func(i Instance) bool { return i.MPS.Enabled })
	return lists.Map(with, func(i Instance) string { return i.Name })
}

// UsesMPS reports whether an instance or a guarded unit needs NVIDIA MPS.
func (c *Config) UsesMPS() bool {
	return len(c.MPSInstances()) > 0 || c.AnyGuard(func(g Guard) bool { return g.RequireMPS })
}
