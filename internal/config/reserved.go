// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// instead returns what to use instead of a reserved variable.
type instead struct{ why, fix string }

// reservedVariable reports whether an instance's environment must not set a
// name: the generator sets it from another key, or systemd sets it and a false
// value would mislead the gate.
func reservedVariable(name string) (instead, bool) {
	if key := keyOf(name); key != "" {
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

// keyOf returns the key that sets a variable of the runbook.
func keyOf(variable string) string {
	switch variable {
	case "GATE_TIMEOUT":
		return "gate.timeout"
	case "REQUIRE_BUS":
		return "require_bus"
	case "GPU_ORCHESTRATOR_URL":
		return "orchestrator.url"
	case "MCP_BUS_URL":
		return "bus.url"
	case "MODEL_STORE_ROOT":
		return "models.root"
	case "BASE_MODEL_DIR":
		return "models.base_dir"
	case "AGENT_MODEL_MAP":
		return "models.map"
	case "STRICT_MODEL_STORE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE":
		return "models.strict"
	case "CUDA_MPS_PIPE_DIRECTORY":
		return "mps.pipe_directory"
	case "CUDA_MPS_LOG_DIRECTORY":
		return "mps.log_directory"
	case "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT":
		return "mps.memory"
	case "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE":
		return "mps.threads"
	}
	return ""
}
