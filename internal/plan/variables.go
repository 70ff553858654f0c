// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"maps"
	"slices"
	"strconv"

	"justnews/internal/config"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// commonVariables are those of every instance, in the number that lets an
// administrator's drop-in of any name set a variable after it.
func (s *shared) commonVariables() DropIn {
	lines := slices.Concat([]unitfile.Line{
		unitfile.Assignment("GATE_TIMEOUT", timespan.Plain(s.Gate.Timeout)),
		unitfile.Assignment("REQUIRE_BUS", "1"),
		unitfile.Assignment("GPU_ORCHESTRATOR_URL", s.Orchestrator.URL),
		unitfile.Assignment("MCP_BUS_URL", s.Bus.URL),
	}, s.deviceOrder(), s.store, cacheVariables())
	return file(BaseDir, VariablesName, nil, lines)
}

// variables are those that an instance has of its own. The user's come last and
// so win over ours.
func (s *shared) variables(inst *config.Instance) DropIn {
	var lines []unitfile.Line
	if inst.Gate.Timeout != s.Gate.Timeout {
		lines = append(lines, unitfile.Assignment("GATE_TIMEOUT", timespan.Plain(inst.Gate.Timeout)))
	}
	if !inst.RequireBus {
		lines = append(lines, unitfile.Assignment("REQUIRE_BUS", "0"))
	}
	if visible := s.VisibleDevices(*inst); visible != "" {
		lines = append(lines, unitfile.Assignment("CUDA_VISIBLE_DEVICES", visible))
	}
	lines = s.mpsVariables(lines, inst)
	for _, name := range slices.Sorted(maps.Keys(inst.Environment)) {
		lines = append(lines, unitfile.Assignment(name, inst.Environment[name]))
	}
	return file(unitname.Of(inst.Name)+".d", "00-justnews-instance.conf", nil, lines)
}

// storeVariables: the HF_ and TRANSFORMERS_ switches make a download impossible
// where STRICT_MODEL_STORE= only forbids it.
func storeVariables(c *config.Config) []unitfile.Line {
	lines := []unitfile.Line{unitfile.Assignment("MODEL_STORE_ROOT", c.Models.Root)}
	if c.Models.BaseDir != "" {
		lines = append(lines, unitfile.Assignment("BASE_MODEL_DIR", c.Models.BaseDir))
	}
	if c.Models.Strict {
		lines = append(lines,
			unitfile.Assignment("STRICT_MODEL_STORE", "1"),
			unitfile.Assignment("HF_HUB_OFFLINE", "1"),
			unitfile.Assignment("TRANSFORMERS_OFFLINE", "1"))
	}
	return lines
}

// mpsVariables: a client needs the pipe directory only; the log directory is
// the daemon's.
func (s *shared) mpsVariables(lines []unitfile.Line, inst *config.Instance) []unitfile.Line {
	if !inst.MPS.Enabled {
		return lines
	}
	lines = append(lines, unitfile.Assignment("CUDA_MPS_PIPE_DIRECTORY", s.MPS.PipeDirectory))
	if limit := inst.MPS.Variable(); limit != "" {
		lines = append(lines, unitfile.Assignment("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", limit))
	}
	if inst.MPS.Threads > 0 {
		lines = append(lines, unitfile.Assignment("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", strconv.Itoa(inst.MPS.Threads)))
	}
	if inst.MPS.Partition != "" {
		lines = append(lines, unitfile.Assignment("CUDA_MPS_SM_PARTITION", inst.MPS.Partition))
	}
	if inst.MPS.Priority == config.PriorityBelow {
		lines = append(lines, unitfile.Assignment("CUDA_MPS_CLIENT_PRIORITY", "1"))
	}
	return lines
}

// deviceOrder makes CUDA count the GPUs as nvidia-smi does where the configuration
// has indexes. The daemon and its clients have to count in the same way.
func (s *shared) deviceOrder() []unitfile.Line {
	if !s.CountsByIndex() {
		return nil
	}
	return []unitfile.Line{unitfile.Assignment("CUDA_DEVICE_ORDER", "PCI_BUS_ID")}
}

// cacheVariables: the sandbox leaves an agent nothing else to write to, and the
// defaults of these libraries lie below HOME or /tmp, where PrivateTmp= would
// throw compiled kernels away at every restart. XDG_CACHE_HOME catches the
// libraries that have no variable of their own. The directory is that of
// CacheDirectory=justnews/%i in the template.
func cacheVariables() []unitfile.Line {
	return []unitfile.Line{
		unitfile.Verbatim("Environment", "CUDA_CACHE_PATH=/var/cache/justnews/%i/cuda"),
		unitfile.Verbatim("Environment", "TORCHINDUCTOR_CACHE_DIR=/var/cache/justnews/%i/inductor"),
		unitfile.Verbatim("Environment", "TRITON_CACHE_DIR=/var/cache/justnews/%i/triton"),
		unitfile.Verbatim("Environment", "XDG_CACHE_HOME=/var/cache/justnews/%i"),
	}
}
