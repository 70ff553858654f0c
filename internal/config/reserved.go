// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// instead returns what to use instead of a reserved variable.
type instead struct{ why, fix string }

// reservedVariable reports whether an instance's environment must not set a
// name: the generator sets it from another key, or systemd sets it and a false
// value would mislead the gate.
func reservedVariable(name string) (instead, bool) {
	if key := keys[name]; key != "" {
		return instead{"the drop-in sets it from " + key, "set " + key + " instead"}, true
	}
	if strings.HasPrefix(name, "CUDA_MPS_") {
		return instead{"MPS is configured by the mps tables", "remove it"}, true
	}
	switch name {
	case "NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "MANAGERPID", "WATCHDOG_PID", "WATCHDOG_USEC",
		"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY", "STATE_DIRECTORY",
		"CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "DBUS_SYSTEM_BUS_ADDRESS",
		"SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS", "MONITOR_SERVICE_RESULT":
		return instead{"systemd sets it", "remove it"}, true
	}
	if strings.HasPrefix(name, "SYSTEMD_") {
		return instead{"it is reserved for systemd", "remove it"}, true
	}
	return instead{}, false
}

// keys are those that set the variables of the runbook.
var keys = map[string]string{
	"GATE_TIMEOUT": "gate.timeout", "REQUIRE_BUS": "require_bus", "GPU_ORCHESTRATOR_URL": "orchestrator.url", "MCP_BUS_URL": "bus.url",
	"MODEL_STORE_ROOT": "models.root", "BASE_MODEL_DIR": "models.base_dir", "AGENT_MODEL_MAP": "models.map",
	"STRICT_MODEL_STORE": "models.strict", "HF_HUB_OFFLINE": "models.strict", "TRANSFORMERS_OFFLINE": "models.strict",
	"CUDA_MPS_PIPE_DIRECTORY": "mps.pipe_directory", "CUDA_MPS_LOG_DIRECTORY": "mps.log_directory",
	"CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": "mps.memory", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "mps.threads",
}
