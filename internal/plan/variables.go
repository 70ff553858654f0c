// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"maps"
	"slices"
	"strconv"

	"justnews/internal/config"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
)

// cacheRoot is where CacheDirectory=justnews/%i of the template lies.
const cacheRoot = "/var/cache/justnews/"

// variables is 00-justnews-instance.conf: the number lets an administrator's
// drop-in of any name set a variable after it. The user's own variables come
// last and so win over ours.
func (s *shared) variables(inst *config.Instance) DropIn {
	lines := make([]unitfile.Line, 0, 16+len(inst.Environment))
	lines = append(lines,
		unitfile.Assignment("GATE_TIMEOUT", timespan.Plain(inst.Gate.Timeout)),
		unitfile.Assignment("REQUIRE_BUS", bit(inst.RequireBus)),
		unitfile.Assignment("GPU_ORCHESTRATOR_URL", s.Orchestrator.URL),
		unitfile.Assignment("MCP_BUS_URL", s.Bus.URL))
	lines = append(lines, s.store...)
	lines = s.mpsVariables(lines, inst)
	lines = cacheVariables(lines, inst.Name)
	for _, name := range slices.Sorted(maps.Keys(inst.Environment)) {
		lines = append(lines, unitfile.Assignment(name, inst.Environment[name]))
	}
	return file(InstanceUnit(inst.Name)+".d", "00-justnews-instance.conf", unitfile.Section{Name: "Service", Lines: lines})
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
	if inst.MPS.Memory != "" {
		lines = append(lines, unitfile.Assignment("CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "0="+inst.MPS.Memory))
	}
	if inst.MPS.Threads > 0 {
		lines = append(lines, unitfile.Assignment("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", strconv.Itoa(inst.MPS.Threads)))
	}
	return lines
}

// cacheVariables: the sandbox leaves an agent nothing else to write to, and the
// defaults of these libraries lie below HOME or /tmp, where PrivateTmp= would
// throw compiled kernels away at every restart. XDG_CACHE_HOME catches the
// libraries that have no variable of their own.
func cacheVariables(lines []unitfile.Line, instance string) []unitfile.Line {
	dir := cacheRoot + instance
	return append(lines,
		unitfile.Assignment("CUDA_CACHE_PATH", dir+"/cuda"),
		unitfile.Assignment("TORCHINDUCTOR_CACHE_DIR", dir+"/inductor"),
		unitfile.Assignment("TRITON_CACHE_DIR", dir+"/triton"),
		unitfile.Assignment("XDG_CACHE_HOME", dir))
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
