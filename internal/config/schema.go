// SPDX-License-Identifier: Apache-2.0

package config

// kind is how a value is written in TOML.
type kind uint8

const (
	boolean   kind = iota // true, false
	integer               // low to high
	span                  // a time span: a string or an integer of seconds, low to high in seconds
	text                  // a string with a form
	list                  // an array of strings with a form
	variables             // a table whose keys and values are strings (environment)
	group                 // a table with fields of its own
	named                 // a table of groups, each under a name that the operator chose
)

// field is one key of the configuration. This table is the one source of
// unknown-key detection, types, ranges, defaults, config show, the JSON Schema,
// the commented file and the manual's list.
type field struct {
	name      string
	kind      kind
	low, high int64    // integer, span
	words     []string // text: the allowed values
	form      *form    // text, and each element of a list; the name of a named group
	def       any      // string, int64, bool, []string; nil: unset
	sample    string   // what the commented file shows if that is not the default, as TOML
	doc       string
	fields    []field // group, named
}

// maxSpan bounds every time span, in seconds: one day. The slowest preload
// takes minutes, so a longer value is probably in milliseconds ("300000") or
// has the wrong unit, and would delay the host for days.
const maxSpan = 24 * 60 * 60

var gateFields = []field{
	{name: "timeout", kind: span, low: 1, high: maxSpan, def: "180s",
		doc: "GATE_TIMEOUT: the time-out of a whole gate run, in whole seconds (\"300\", \"300s\", \"5min\")"},
	{name: "scope", kind: text, words: []string{"all", "own"}, def: "all",
		doc: "\"all\": every model of the map must be ready; \"own\": only the models of this instance"},
	{name: "refresh_attempts", kind: integer, low: 0, high: 10, def: int64(1),
		doc: "how often to POST {\"refresh\":true} after a failed or inconsistent job, per host and job"},
	{name: "fail_fast", kind: boolean, def: true,
		doc: "a reported model error ends the wait even if the job is still running"},
}

// DefaultExec is service.exec where nothing is written: the command of the
// packaged template, which has %i for {instance}.
var DefaultExec = []string{"/usr/local/bin/justnews-start-agent.sh", "{instance}"}

var serviceFields = []field{
	{name: "exec", kind: list, form: &formExec, def: DefaultExec,
		doc: "ExecStart=, word by word; {instance} is the instance's name"},
	{name: "user", kind: text, form: &formUser, def: "justnews", doc: "User="},
	{name: "group", kind: text, form: &formUser, def: "justnews", doc: "Group="},
	{name: "working_directory", kind: text, form: &formPath, def: "/", doc: "WorkingDirectory="},
	{name: "restart_sec", kind: span, low: 1, high: maxSpan, def: "3s", doc: "RestartSec="},
	{name: "limit_nofile", kind: integer, low: 1, high: 1073741816, def: int64(65536),
		doc: "LimitNOFILE=, at most the largest fs.nr_open"},
	{name: "memory_max", kind: text, form: &formMemoryMax, def: "", sample: `"8G"`,
		doc: "MemoryMax=: bytes with K, M, G or T, a percentage or \"infinity\"; \"\": no limit"},
	{name: "start_grace", kind: span, low: 1, high: maxSpan, def: "60s",
		doc: "TimeoutStartSec= is the gate's time-out plus this"},
	{name: "protect_home", kind: text, words: []string{"yes", "read-only", "tmpfs", "no"}, def: "yes", doc: "ProtectHome="},
	{name: "read_only_paths", kind: list, form: &formPath, def: []string{}, doc: "ReadOnlyPaths="},
	{name: "read_write_paths", kind: list, form: &formPath, def: []string{}, doc: "ReadWritePaths="},
}

var instanceFields = []field{
	{name: "port", kind: integer, low: 1, high: 65535, sample: "8002", doc: "the TCP port that the instance listens on"},
	{name: "enabled", kind: boolean, def: true, doc: "false: gated, but not wanted by justnews.target"},
	{name: "require_bus", kind: boolean, def: true,
		doc: "REQUIRE_BUS: wait for the MCP bus; the bus and the orchestrator never do"},
	{name: "require_models", kind: boolean, def: true,
		doc: "wait for the models; the orchestrator never does"},
	{name: "after", kind: list, form: &formInstance, def: []string{}, sample: `["memory"]`,
		doc: "After= and Wants= on these instances"},
	{name: "needs", kind: list, form: &formProbe, def: []string{}, sample: `["mariadb"]`,
		doc: "the [probes] that must succeed before the instance starts"},
	{name: "gate", kind: group, fields: gateFields, sample: `{ timeout = "300s" }`, doc: "any key of [gate], for this instance"},
	{name: "mps", kind: group, fields: instanceMPSFields, sample: `{ enabled = true, memory = "4G", threads = 25 }`,
		doc: "NVIDIA MPS for this instance"},
	{name: "service", kind: group, fields: serviceFields, sample: `{ memory_max = "16G" }`,
		doc: "any key of [service], for this instance"},
	{name: "environment", kind: variables, form: &formVariable, sample: `{ LOG_LEVEL = "INFO" }`,
		doc: "Environment=; no secrets, they belong in /etc/justnews/NAME.env"},
}

var instanceMPSFields = []field{
	{name: "enabled", kind: boolean, doc: "the default is mps.enabled"},
	{name: "memory", kind: text, form: &formMPSMemory, def: "", sample: `"4G"`,
		doc: "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT of device 0, with G or M"},
	{name: "threads", kind: integer, low: 1, high: 100, sample: "25", doc: "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"},
}

var probeFields = []field{
	{name: "kind", kind: text, words: []string{"tcp", "http", "unit", "path"}, sample: `"tcp"`, doc: "what to check"},
	{name: "address", kind: text, form: &formAddress, sample: `"127.0.0.1:3306"`, doc: "tcp: host:port that must accept a connection"},
	{name: "url", kind: text, form: &formProbeURL, doc: "http: must answer with a status from 200 to 299"},
	{name: "unit", kind: text, form: &formUnit, doc: "unit: must be active; with its suffix (\"mariadb.service\")"},
	{name: "path", kind: text, form: &formPath, doc: "path: must exist"},
}

// schema is every key, in the order of the manual.
var schema = []field{
	{name: "gate", kind: group, fields: gateFields, doc: "the gate of every instance; gate = { … } of an instance overrides keys"},
	{name: "orchestrator", kind: group, doc: "the GPU Orchestrator", fields: []field{
		{name: "url", kind: text, form: &formServerURL, def: "http://127.0.0.1:8014", doc: "GPU_ORCHESTRATOR_URL"},
		{name: "instance", kind: text, form: &formInstanceOrNone, def: "gpu_orchestrator",
			doc: "the instance that serves it; \"\": not a unit of this host"},
		{name: "honor_safe_mode", kind: boolean, def: false,
			doc: "true: {\"safe_mode\":true} from /health skips the preload, with a warning"},
	}},
	{name: "bus", kind: group, doc: "the MCP bus", fields: []field{
		{name: "url", kind: text, form: &formServerURL, def: "http://127.0.0.1:8000", doc: "MCP_BUS_URL"},
		{name: "instance", kind: text, form: &formInstanceOrNone, def: "mcp_bus",
			doc: "the instance that serves it; \"\": not a unit of this host"},
	}},
	{name: "models", kind: group, doc: "the Model Store", fields: []field{
		{name: "root", kind: text, form: &formPath, def: "/opt/justnews/models", doc: "MODEL_STORE_ROOT"},
		{name: "base_dir", kind: text, form: &formPathOrNone, def: "", sample: `"/opt/justnews/base_models"`, doc: "BASE_MODEL_DIR"},
		{name: "map", kind: text, form: &formPath, def: "/etc/justnews/AGENT_MODEL_MAP.json",
			doc: "AGENT_MODEL_MAP; a file that is set here must exist"},
		{name: "strict", kind: boolean, def: true, doc: "STRICT_MODEL_STORE, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE: no downloads"},
		{name: "verify", kind: text, words: verifyWords, def: "presence", doc: "how each agent's gate checks the store"},
		{name: "verify_preload", kind: text, words: verifyWords, def: "manifest",
			doc: "the same for justnews-preload.service, before it triggers, and for preflight"},
		{name: "accept_empty", kind: boolean, def: false, doc: "true: a preload over zero models counts as ready"},
	}},
	{name: "mps", kind: group, doc: "NVIDIA MPS", fields: []field{
		{name: "enabled", kind: boolean, def: false, doc: "the default for every instance"},
		{name: "unit", kind: text, form: &formServiceOrNone, def: "justnews-mps.service",
			doc: "the unit of the control daemon; \"\": not a unit of this host"},
		{name: "pipe_directory", kind: text, form: &formPipe, def: "/run/nvidia-mps", doc: "CUDA_MPS_PIPE_DIRECTORY, at most 87 bytes"},
		{name: "log_directory", kind: text, form: &formPath, def: "/var/log/nvidia-mps", doc: "CUDA_MPS_LOG_DIRECTORY"},
		{name: "require", kind: text, words: []string{"daemon", "control", "server"}, def: "control",
			doc: "how far MPS is verified"},
		{name: "mig", kind: boolean, def: false, doc: "true: MPS may serve MIG instances, which the daemon's CUDA_VISIBLE_DEVICES selects"},
		{name: "max_clients", kind: integer, low: 1, high: 1024, def: int64(48),
			doc: "maximum number of instances with MPS, as the GPU supports: 16 before Volta, 48 since Volta, 60 with CUDA 13.1"},
		{name: "default_memory", kind: text, form: &formMPSMemory, def: "", sample: `"8G"`,
			doc: "the daemon's default memory limit for each client process, on device 0; \"\": none"},
		{name: "default_threads", kind: integer, low: 1, high: 100, sample: "50",
			doc: "the daemon's default percentage of threads for each client process"},
	}},
	{name: "gpu", kind: group, doc: "the GPUs, by NVML", fields: []field{
		{name: "min_count", kind: integer, low: 0, high: 1024, def: int64(0),
			doc: "minimum number of GPUs; 0: findings are only fatal for instances with MPS"},
		{name: "patience", kind: span, low: 0, high: maxSpan, def: "60s",
			doc: "how long a gate waits for a driver or a device node that does not exist yet"},
		{name: "memory", kind: text, form: &formGPUMemory, def: "", sample: `"24G"`,
			doc: "the sum of the memory limits of all instances must not exceed this; bytes with K, M, G or T"},
	}},
	{name: "service", kind: group, fields: serviceFields,
		doc: "settings of every instance; service = { … } of an instance overrides keys"},
	{name: "probes", kind: named, form: &formProbe, fields: probeFields, sample: "mariadb", doc: "anything else that an instance needs"},
	{name: "instances", kind: named, form: &formInstance, fields: instanceFields, sample: "scout", doc: "one instance: justnews@NAME.service"},
}

var verifyWords = []string{"off", "presence", "manifest"}

// find returns the field of that name, nil if there is none. The tables are
// short: a scan is faster than a map that has to be built at every start.
func find(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	return names
}
