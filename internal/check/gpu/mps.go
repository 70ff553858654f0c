// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"cmp"
	"fmt"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
	"justnews/internal/version"
)

// underMPS judges whether the GPUs are suitable for MPS as configured.
func underMPS(l facts.GPULook, w requirement.GPU) []diag.Problem {
	if !w.MPS {
		return exclusiveWithout(l.NVML.GPUs, w)
	}
	var problems []diag.Problem
	cut := 0
	for _, g := range l.NVML.GPUs {
		if g.MIG != nil && g.MIG.Current {
			cut++
		}
	}
	for _, g := range l.NVML.GPUs {
		if !w.MIG {
			problems = append(problems, migWith(g, cut < len(l.NVML.GPUs))...)
		}
		if g.ComputeMode == "DEFAULT" {
			problems = append(problems, diag.Found(diag.GPUShared, subject(g), "in compute mode DEFAULT, a program that cannot reach MPS silently runs without its limits; in EXCLUSIVE_PROCESS it fails",
				"DEFAULT", "EXCLUSIVE_PROCESS", diag.Do(setMode(g, "EXCLUSIVE_PROCESS"))).As(diag.Notice))
		}
		problems = append(problems, clientsOf(g, l.NVML.CUDAVersion)...)
	}
	problems = append(problems, clientsConfigured(l.NVML, w)...)
	return append(problems, memoryLimits(l.NVML.GPUs, w)...)
}

// exclusiveWithout warns of the mode meant for MPS if no instance uses MPS.
func exclusiveWithout(gpus []facts.GPU, w requirement.GPU) []diag.Problem {
	var problems []diag.Problem
	for _, g := range gpus {
		if w.Clients == 0 && g.ComputeMode == "EXCLUSIVE_PROCESS" {
			problems = append(problems, diag.Found(diag.GPUExclusive, subject(g), "this GPU accepts one process at a time, and no instance uses MPS",
				"EXCLUSIVE_PROCESS", "DEFAULT, or MPS", diag.Do(setMode(g, "DEFAULT"))).As(diag.Warning))
		}
	}
	return problems
}

// migWith judges MIG under MPS: fatal where no whole GPU is left for it. The fix
// has no command: disabling MIG destroys the instances of other users of the GPU.
func migWith(g facts.GPU, others bool) []diag.Problem {
	if g.MIG == nil || !g.MIG.Current && !g.MIG.Pending {
		return nil
	}
	p := diag.Found(diag.GPUMIG, subject(g), "MIG is enabled on this GPU, but MPS is configured to serve whole GPUs",
		migWords(*g.MIG), "MIG disabled",
		diag.Advise("set mps.mig = true in /etc/justnews/justnews.toml if MPS should serve MIG instances, set mps.enabled = false, or disable MIG while its instances are unused (nvidia-smi(1), -mig), which destroys them",
			diag.Reload()).Looking(diag.Run("nvidia-smi", "-L")))
	if !g.MIG.Current {
		p.Message = "MIG will be enabled on this GPU after its next reset, but MPS is configured to serve whole GPUs"
	}
	if others || !g.MIG.Current {
		p.Severity = diag.Warning
	}
	return []diag.Problem{p}
}

func migWords(m facts.GPUMIG) string {
	word := map[bool]string{true: "enabled", false: "disabled"}
	if m.Current == m.Pending {
		return "MIG " + word[m.Current]
	}
	return "MIG " + word[m.Current] + ", after a reset " + word[m.Pending]
}

// MPS's clients per GPU (NVIDIA's MPS guide, "Limitations").
const (
	clientsBeforeVolta = 16
	clientsVolta       = 48
	clientsCUDA131     = 60
)

// clientCap returns how many clients MPS supports on a GPU, 0 if that is not
// known.
func clientCap(g facts.GPU, cuda string) int {
	capability, known := version.Parse(g.ComputeCapability)
	driver, _ := version.Parse(cuda)
	switch {
	case !known:
		return 0
	case capability[0] < 7:
		return clientsBeforeVolta
	case driver.Compare(version.Number{13, 1}) >= 0:
		return clientsCUDA131
	}
	return clientsVolta
}

func clientsOf(g facts.GPU, cuda string) []diag.Problem {
	most := clientCap(g, cuda)
	if most == 0 || g.MPSProcesses == nil || len(*g.MPSProcesses) < most {
		return nil
	}
	return []diag.Problem{diag.Found(diag.GPUMPSClients, subject(g), "MPS has reached its maximum number of clients on this GPU",
		diag.Count(len(*g.MPSProcesses), "client"), fmt.Sprintf("fewer than %d", most),
		diag.Advise("stop clients that are not needed", diag.Retry()).Looking(diag.Run("justnews-gate", "status")))}
}

// clientsConfigured compares the configuration with the GPU that takes the
// fewest. It is a warning: not every instance runs at once.
func clientsConfigured(n *facts.NVML, w requirement.GPU) []diag.Problem {
	least, of := 0, facts.GPU{}
	for _, g := range n.GPUs {
		if most := clientCap(g, n.CUDAVersion); most > 0 && (least == 0 || most < least) {
			least, of = most, g
		}
	}
	if least == 0 || w.Clients <= least {
		return nil
	}
	return []diag.Problem{diag.Found(diag.GPUMPSClients, subject(of), "more instances are configured to use MPS than it can serve",
		fmt.Sprintf("%d instances", w.Clients), fmt.Sprintf("at most %d clients", least),
		diag.Advise("set mps = { enabled = false } for some instances in /etc/justnews/justnews.toml", diag.Reload())).As(diag.Warning)}
}

// memoryLimits compares mps.memory with the GPUs' memory. The limit is for CUDA's
// device 0, and CUDA may number the GPUs differently from NVML, so only a limit above
// the largest of them is certainly wrong.
func memoryLimits(gpus []facts.GPU, w requirement.GPU) []diag.Problem {
	if w.Limits == 0 && w.Limit == 0 {
		return nil
	}
	var total, free uint64
	why := ""
	for _, g := range gpus {
		if g.Memory == nil {
			why = cmp.Or(g.Unanswered["memory"], "no answer")
			continue
		}
		total, free = max(total, g.Memory.Total), max(free, g.Memory.Free)
	}
	switch {
	case total == 0:
		return []diag.Problem{diag.New(diag.GPUMemoryLimit, "mps.memory", "the memory limits cannot be compared with the GPU's memory: "+diag.Clean(cmp.Or(why, "the driver reports 0 bytes")),
			diag.Advise("no action is needed if the GPU shares the machine's memory")).As(diag.Notice)}
	case w.Limit > total:
		return []diag.Problem{limitProblem("an instance may use more memory than any GPU has", diag.Error, w.Limit, total)}
	case w.Limits > total:
		return append(freeMemory(w, free),
			limitProblem("the instances together may use more memory than a GPU has", diag.Warning, w.Limits, total))
	}
	return freeMemory(w, free)
}

func limitProblem(message string, severity diag.Severity, limit, total uint64) diag.Problem {
	return diag.Found(diag.GPUMemoryLimit, "mps.memory", message,
		"limit "+check.Size(limit), "at most "+check.Size(total),
		diag.Advise("lower mps.memory in /etc/justnews/justnews.toml", diag.Run("justnews-gate", "config", "check"), diag.Reload())).As(severity)
}

// freeMemory is only asked before a start: on a host that runs, the instances
// themselves hold the memory.
func freeMemory(w requirement.GPU, free uint64) []diag.Problem {
	if !w.Starting || w.Limit <= free {
		return nil
	}
	return []diag.Problem{diag.Found(diag.GPUMemoryFree, "mps.memory", "less GPU memory is free than the instance may use",
		check.Size(free)+" free", check.Size(w.Limit),
		diag.Advise("stop the processes that hold it").Looking(diag.Run("nvidia-smi", "--query-compute-apps=pid,used_memory,name", "--format=csv"))).As(diag.Warning)}
}
