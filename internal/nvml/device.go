// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package nvml

import (
	"encoding/binary"
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
		{"uuid", []string{"nvmlDeviceGetUUID"}, get(&g.UUID, d.GetUUID, same)},
		{"pci", versions("nvmlDeviceGetPciInfo"), get(&g.PCI, d.GetPciInfo, func(v nvml.PciInfo) string {
			return fmt.Sprintf("%04x:%02x:%02x.0", v.Domain, v.Bus, v.Device)
		})},
		{"name", []string{"nvmlDeviceGetName"}, get(&g.Name, d.GetName, same)},
		{"architecture", []string{"nvmlDeviceGetArchitecture"}, get(&g.Architecture, d.GetArchitecture, architecture)},
		{"compute_capability", []string{"nvmlDeviceGetCudaComputeCapability"}, func() nvml.Return {
			major, minor, ret := d.GetCudaComputeCapability()
			return keep(ret, &g.ComputeCapability, fmt.Sprintf("%d.%d", major, minor))
		}},
		{"memory", []string{"nvmlDeviceGetMemoryInfo"}, get(&g.Memory, d.GetMemoryInfo, func(v nvml.Memory) *facts.GPUMemory {
			return &facts.GPUMemory{Total: v.Total, Free: v.Free, Used: v.Used}
		})},
		{"compute_mode", []string{"nvmlDeviceGetComputeMode"}, get(&g.ComputeMode, d.GetComputeMode, computeMode)},
		{"mig", []string{"nvmlDeviceGetMigMode"}, func() nvml.Return {
			current, pending, ret := d.GetMigMode()
			return keep(ret, &g.MIG, &facts.GPUMIG{Current: current == nvml.DEVICE_MIG_ENABLE, Pending: pending == nvml.DEVICE_MIG_ENABLE})
		}},
		{"persistence", []string{"nvmlDeviceGetPersistenceMode"}, get(&g.Persistence, d.GetPersistenceMode, func(v nvml.EnableState) *bool {
			return new(v == nvml.FEATURE_ENABLED)
		})},
		{"processes", versions("nvmlDeviceGetComputeRunningProcesses"), get(&g.Processes, d.GetComputeRunningProcesses, clients)},
		{"mps_processes", versions("nvmlDeviceGetMPSComputeRunningProcesses"), get(&g.MPSProcesses, d.GetMPSComputeRunningProcesses, clients)},
	}
}

// get makes a call that returns one value, and keeps what convert makes of that.
func get[V, T any](target *T, call func() (V, nvml.Return), convert func(V) T) func() nvml.Return {
	return func() nvml.Return {
		v, ret := call()
		return keep(ret, target, convert(v))
	}
}

func same(s string) string { return s }

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

// health queries the driver about faults of a GPU. Most cards support only some of the
// fields.
func health(d nvml.Device, g *facts.GPU) []question {
	return []question{
		{"recovery_action", []string{"nvmlDeviceGetFieldValues"}, func() nvml.Return {
			action, ret := fieldOf(d, nvml.FI_DEV_GET_GPU_RECOVERY_ACTION)
			return keep(ret, &g.RecoveryAction, recoveryAction(nvml.DeviceGpuRecoveryAction(action))) //nolint:gosec // an enumeration of NVIDIA's
		}},
		{"row_remap", []string{"nvmlDeviceGetRemappedRows"}, func() nvml.Return {
			_, _, pending, failed, ret := d.GetRemappedRows()
			return keep(ret, &g.RowRemap, &facts.GPURemap{Pending: pending, Failed: failed})
		}},
		{"fabric", []string{"nvmlDeviceGetGpuFabricInfo"}, func() nvml.Return {
			// The newer forms add counters and bandwidth; only this one is also
			// answered by the first drivers that have the state.
			v, ret := d.GetGpuFabricInfo()
			if ret == nvml.SUCCESS && v.State == nvml.GPU_FABRIC_STATE_NOT_SUPPORTED {
				return nvml.ERROR_NOT_SUPPORTED
			}
			return keep(ret, &g.Fabric, fabric(v))
		}},
	}
}

// fieldOf returns an unsigned field. A library that does not know the field
// reports so in the field's own result, not in that of the call.
func fieldOf(d nvml.Device, id uint32) (uint64, nvml.Return) {
	// A library that leaves the result alone has not answered.
	values := []nvml.FieldValue{{FieldId: id, NvmlReturn: uint32(nvml.ERROR_UNKNOWN)}}
	if ret := d.GetFieldValues(values); ret != nvml.SUCCESS {
		return 0, ret
	}
	v := values[0]
	if ret := nvml.Return(v.NvmlReturn); ret != nvml.SUCCESS { //nolint:gosec // an nvmlReturn_t
		return 0, ret
	}
	switch nvml.ValueType(v.ValueType) { //nolint:gosec // an nvmlValueType_t
	case nvml.VALUE_TYPE_UNSIGNED_INT, nvml.VALUE_TYPE_SIGNED_INT:
		return uint64(binary.NativeEndian.Uint32(v.Value[:])), nvml.SUCCESS
	case nvml.VALUE_TYPE_UNSIGNED_LONG, nvml.VALUE_TYPE_UNSIGNED_LONG_LONG, nvml.VALUE_TYPE_SIGNED_LONG_LONG:
		return binary.NativeEndian.Uint64(v.Value[:]), nvml.SUCCESS
	}
	return 0, nvml.ERROR_UNKNOWN
}

func fabric(v nvml.GpuFabricInfo) *facts.GPUFabric {
	f := &facts.GPUFabric{State: fabricState(v.State)}
	if v.State == nvml.GPU_FABRIC_STATE_COMPLETED {
		f.Status = name(nvml.Return(v.Status)) //nolint:gosec // an nvmlReturn_t
	}
	return f
}

func fabricState(state uint8) string {
	switch state {
	case nvml.GPU_FABRIC_STATE_NOT_STARTED:
		return "NOT_STARTED"
	case nvml.GPU_FABRIC_STATE_IN_PROGRESS:
		return "IN_PROGRESS"
	case nvml.GPU_FABRIC_STATE_COMPLETED:
		return facts.FabricCompleted
	}
	return fmt.Sprintf("fabric state %d", state)
}

var recoveryActions = map[nvml.DeviceGpuRecoveryAction]string{
	nvml.GPU_RECOVERY_ACTION_NONE:                facts.RecoveryNone,
	nvml.GPU_RECOVERY_ACTION_GPU_RESET:           "GPU_RESET",
	nvml.GPU_RECOVERY_ACTION_NODE_REBOOT:         "NODE_REBOOT",
	nvml.GPU_RECOVERY_ACTION_DRAIN_P2P:           "DRAIN_P2P",
	nvml.GPU_RECOVERY_ACTION_DRAIN_AND_RESET:     "DRAIN_AND_RESET",
	nvml.GPU_RECOVERY_ACTION_RECOVER_IMEX_DOMAIN: "RECOVER_IMEX_DOMAIN",
	nvml.GPU_RECOVERY_ACTION_BUS_RESET:           "BUS_RESET",
	nvml.GPU_RECOVERY_ACTION_SYSTEM_REBOOT:       "SYSTEM_REBOOT",
}

// recoveryAction names a recovery action; one newer than this program keeps its
// number.
func recoveryAction(a nvml.DeviceGpuRecoveryAction) string {
	if n, ok := recoveryActions[a]; ok {
		return n
	}
	return fmt.Sprintf("recovery action %d", int32(a))
}
