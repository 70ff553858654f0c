// SPDX-License-Identifier: Apache-2.0

package report

import (
	"justnews/internal/check/gpu"
	"justnews/internal/facts"
)

// GPUs is what was found about the GPUs, for status and the summary. Unknown
// values are absent.
type GPUs struct {
	State   string `json:"state"`            // in a few words: what there is, or why it is unknown
	Driver  string `json:"driver,omitempty"` // version
	Library string `json:"library,omitempty"`
	Module  string `json:"module,omitempty"` // version of the loaded kernel module
	CUDA    string `json:"cuda,omitempty"`   // latest version that the driver supports
	Devices []GPU  `json:"devices"`
}

// GPU is one of them.
type GPU struct {
	Index             int     `json:"index"`
	UUID              string  `json:"uuid,omitempty"`
	PCI               string  `json:"pci,omitempty"` // bus address, as in the kernel's log
	Name              string  `json:"name,omitempty"`
	Architecture      string  `json:"architecture,omitempty"`
	ComputeCapability string  `json:"compute_capability,omitempty"`
	MemoryTotal       *uint64 `json:"memory_total,omitempty"` // bytes
	MemoryFree        *uint64 `json:"memory_free,omitempty"`
	ComputeMode       string  `json:"compute_mode,omitempty"`
	MIG               *bool   `json:"mig,omitempty"`
	Persistence       *bool   `json:"persistence,omitempty"`
	Processes         *int    `json:"processes,omitempty"`       // with a compute context
	MPSProcesses      *int    `json:"mps_processes,omitempty"`   // the same, through MPS
	RecoveryAction    string  `json:"recovery_action,omitempty"` // NONE, GPU_RESET, NODE_REBOOT, …
	RowsPending       *bool   `json:"rows_pending,omitempty"`    // a row of its memory is replaced at the next reset
	RowsFailed        *bool   `json:"rows_failed,omitempty"`     // a row could not be replaced
	Fabric            string  `json:"fabric,omitempty"`          // state of the registration with the NVSwitch fabric
	Xids              []int   `json:"xids,omitempty"`            // numbers of the Xids in the kernel's log
	Lost              string  `json:"lost,omitempty"`            // why it is unusable
	Unfit             string  `json:"unfit,omitempty"`           // the same, or why no program should be started on it
}

// GPUsOf returns the record of a look, nil for none, with cleaned strings.
func GPUsOf(l *facts.GPULook) *GPUs {
	if l == nil {
		return nil
	}
	out := &GPUs{State: Brief(gpu.Summary(*l)), Module: Brief(l.Module), Devices: []GPU{}}
	if l.NVML == nil {
		return out
	}
	out.Driver, out.Library, out.CUDA = Brief(l.NVML.DriverVersion), Brief(l.NVML.LibraryVersion), Brief(l.NVML.CUDAVersion)
	for _, g := range l.NVML.GPUs {
		d := gpuOf(g)
		d.Xids = gpu.XidsOf(*l, g)
		out.Devices = append(out.Devices, d)
	}
	return out
}

func gpuOf(g facts.GPU) GPU {
	out := GPU{
		Index: g.Index, UUID: Brief(g.UUID), Name: Brief(g.Name), Architecture: Brief(g.Architecture),
		ComputeCapability: Brief(g.ComputeCapability), ComputeMode: Brief(g.ComputeMode), Persistence: g.Persistence,
		Processes: count(g.Processes), MPSProcesses: count(g.MPSProcesses), Lost: Brief(gpu.Lost(g)),
		PCI: Brief(g.PCI), RecoveryAction: Brief(g.RecoveryAction), Unfit: Brief(gpu.Unfit(g)),
	}
	if g.RowRemap != nil {
		out.RowsPending, out.RowsFailed = &g.RowRemap.Pending, &g.RowRemap.Failed
	}
	if g.Fabric != nil {
		out.Fabric = Brief(g.Fabric.State)
	}
	if g.Memory != nil {
		out.MemoryTotal, out.MemoryFree = &g.Memory.Total, &g.Memory.Free
	}
	if g.MIG != nil {
		out.MIG = &g.MIG.Current
	}
	return out
}

func count(c *facts.GPUClients) *int {
	if c == nil {
		return nil
	}
	return new(len(*c))
}
