// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package nvml

import (
	"fmt"
	"math"

	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"justnews/internal/facts"
)

// device queries everything about one GPU. What it does not answer is in
// Unanswered.
func (c collector) device(index int) facts.GPU {
	g := facts.GPU{Index: index, Unanswered: map[string]string{}}
	var d nvml.Device
	if !c.ask(g.Unanswered, "handle", []string{"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}, func() (ret nvml.Return) {
		d, ret = c.lib.DeviceGetHandleByIndex(index)
		return ret
	}) {
		return g
	}
	for _, q := range append(properties(d, &g), health(d, &g)...) {
		c.ask(g.Unanswered, q.field, q.symbols, q.call)
	}
	return g
}

// question is one fact of a device, and the functions that go-nvml may call
// for it, newest first.
type question struct {
	field   string
	symbols []string
	call    func() nvml.Return
}

func properties(d nvml.Device, g *facts.GPU) []question {
	return []question{
		{"uuid", []string{"nvmlDeviceGetUUID"}, func() nvml.Return {
			v, ret := d.GetUUID()
			return keep(ret, &g.UUID, v)
		}},
		{"pci", versions("nvmlDeviceGetPciInfo"), func() nvml.Return {
			v, ret := d.GetPciInfo()
			return keep(ret, &g.PCI, fmt.Sprintf("%04x:%02x:%02x.0", v.Domain, v.Bus, v.Device))
		}},
		{"name", []string{"nvmlDeviceGetName"}, func() nvml.Return {
			v, ret := d.GetName()
			return keep(ret, &g.Name, v)
		}},
		{"architecture", []string{"nvmlDeviceGetArchitecture"}, func() nvml.Return {
			v, ret := d.GetArchitecture()
			return keep(ret, &g.Architecture, architecture(v))
		}},
		{"compute_capability", []string{"nvmlDeviceGetCudaComputeCapability"}, func() nvml.Return {
			major, minor, ret := d.GetCudaComputeCapability()
			return keep(ret, &g.ComputeCapability, fmt.Sprintf("%d.%d", major, minor))
		}},
		{"memory", []string{"nvmlDeviceGetMemoryInfo"}, func() nvml.Return {
			v, ret := d.GetMemoryInfo()
			return keep(ret, &g.Memory, &facts.GPUMemory{Total: v.Total, Free: v.Free, Used: v.Used})
		}},
		{"compute_mode", []string{"nvmlDeviceGetComputeMode"}, func() nvml.Return {
			v, ret := d.GetComputeMode()
			return keep(ret, &g.ComputeMode, computeMode(v))
		}},
		{"mig", []string{"nvmlDeviceGetMigMode"}, func() nvml.Return {
			current, pending, ret := d.GetMigMode()
			return keep(ret, &g.MIG, &facts.GPUMIG{Current: current == nvml.DEVICE_MIG_ENABLE, Pending: pending == nvml.DEVICE_MIG_ENABLE})
		}},
		{"persistence", []string{"nvmlDeviceGetPersistenceMode"}, func() nvml.Return {
			v, ret := d.GetPersistenceMode()
			return keep(ret, &g.Persistence, new(v == nvml.FEATURE_ENABLED))
		}},
		{"processes", versions("nvmlDeviceGetComputeRunningProcesses"), func() nvml.Return {
			v, ret := d.GetComputeRunningProcesses()
			return keep(ret, &g.Processes, clients(v))
		}},
		{"mps_processes", versions("nvmlDeviceGetMPSComputeRunningProcesses"), func() nvml.Return {
			v, ret := d.GetMPSComputeRunningProcesses()
			return keep(ret, &g.MPSProcesses, clients(v))
		}},
	}
}

// versions are the names under which go-nvml calls a function that has three.
func versions(symbol string) []string { return []string{symbol + "_v3", symbol + "_v2", symbol} }

// clients copies a list of processes. NVML_VALUE_NOT_AVAILABLE is all ones.
func clients(list []nvml.ProcessInfo) *facts.GPUClients {
	out := make(facts.GPUClients, 0, len(list))
	for _, p := range list {
		client := facts.GPUClient{PID: int(p.Pid)}
		if used := p.UsedGpuMemory; used != math.MaxUint64 {
			client.Memory = &used
		}
		out = append(out, client)
	}
	return &out
}
