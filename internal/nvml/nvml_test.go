// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package nvml

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxa100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/gpus"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/server"

	"justnews/internal/facts"
)

// one is a machine with one A100 that answers everything.
func one() (*server.Server, *server.Device) {
	s := dgxa100.NewWithGPUs(gpus.A100_SXM4_40GB)
	d := s.Devices[0].(*server.Device)
	d.GetComputeModeFunc = func() (nvml.ComputeMode, nvml.Return) { return nvml.COMPUTEMODE_EXCLUSIVE_PROCESS, nvml.SUCCESS }
	d.GetPersistenceModeFunc = func() (nvml.EnableState, nvml.Return) { return nvml.FEATURE_ENABLED, nvml.SUCCESS }
	list := []nvml.ProcessInfo{{Pid: 7, UsedGpuMemory: 5}, {Pid: 8, UsedGpuMemory: ^uint64(0)}}
	d.GetComputeRunningProcessesFunc = func() ([]nvml.ProcessInfo, nvml.Return) { return list, nvml.SUCCESS }
	d.GetMPSComputeRunningProcessesFunc = func() ([]nvml.ProcessInfo, nvml.Return) { return nil, nvml.SUCCESS }
	d.GetPciInfoFunc = func() (nvml.PciInfo, nvml.Return) { return nvml.PciInfo{Domain: 1, Bus: 0xcb}, nvml.SUCCESS }
	d.GetFieldValuesFunc = recovers(nvml.GPU_RECOVERY_ACTION_NONE)
	d.GetRemappedRowsFunc = func() (int, int, bool, bool, nvml.Return) { return 0, 2, true, false, nvml.SUCCESS }
	d.GetGpuFabricInfoFunc = func() (nvml.GpuFabricInfo, nvml.Return) {
		return nvml.GpuFabricInfo{State: nvml.GPU_FABRIC_STATE_COMPLETED}, nvml.SUCCESS
	}
	return s, d
}

// recovers answers as the driver does for the recovery action, the one field that
// is asked for.
func recovers(action nvml.DeviceGpuRecoveryAction) func([]nvml.FieldValue) nvml.Return {
	return func(values []nvml.FieldValue) nvml.Return {
		for i := range values {
			if values[i].FieldId != nvml.FI_DEV_GET_GPU_RECOVERY_ACTION {
				return nvml.ERROR_INVALID_ARGUMENT
			}
			values[i].NvmlReturn, values[i].ValueType = uint32(nvml.SUCCESS), uint32(nvml.VALUE_TYPE_UNSIGNED_INT)
			values[i].Value = [8]byte{0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa} // only the first four count
			binary.NativeEndian.PutUint32(values[i].Value[:], uint32(action))
		}
		return nvml.SUCCESS
	}
}

func TestNVML_HealthIsOnlyWhatTheDriverReports(t *testing.T) {
	type device = server.Device
	field := func(result nvml.Return, kind nvml.ValueType, value uint64) func([]nvml.FieldValue) nvml.Return {
		return func(values []nvml.FieldValue) nvml.Return {
			values[0].NvmlReturn, values[0].ValueType = uint32(result), uint32(kind)
			binary.NativeEndian.PutUint64(values[0].Value[:], value)
			return nvml.SUCCESS
		}
	}
	fabricOf := func(state uint8, status nvml.Return) func() (nvml.GpuFabricInfo, nvml.Return) {
		return func() (nvml.GpuFabricInfo, nvml.Return) {
			return nvml.GpuFabricInfo{State: state, Status: uint32(status)}, nvml.SUCCESS
		}
	}
	for name, c := range map[string]struct {
		change     func(*device)
		field, why string // not answered
		action     string
		fabric     *facts.GPUFabric
	}{
		"healthy":           {change: func(*device) {}, action: "NONE"},
		"reset":             {change: func(d *device) { d.GetFieldValuesFunc = recovers(nvml.GPU_RECOVERY_ACTION_GPU_RESET) }, action: "GPU_RESET"},
		"reboot":            {change: func(d *device) { d.GetFieldValuesFunc = recovers(nvml.GPU_RECOVERY_ACTION_NODE_REBOOT) }, action: "NODE_REBOOT"},
		"drain and reset":   {change: func(d *device) { d.GetFieldValuesFunc = recovers(nvml.GPU_RECOVERY_ACTION_DRAIN_AND_RESET) }, action: "DRAIN_AND_RESET"},
		"an unknown action": {change: func(d *device) { d.GetFieldValuesFunc = recovers(99) }, action: "recovery action 99"},
		"a wide value":      {change: func(d *device) { d.GetFieldValuesFunc = field(nvml.SUCCESS, nvml.VALUE_TYPE_UNSIGNED_LONG_LONG, 1) }, action: "GPU_RESET"},
		"a field that the driver does not know": {
			change: func(d *device) { d.GetFieldValuesFunc = field(nvml.ERROR_NOT_SUPPORTED, 0, 1) }, field: "recovery_action", why: "not supported",
		},
		"a field that is not filled in": {
			change: func(d *device) { d.GetFieldValuesFunc = func([]nvml.FieldValue) nvml.Return { return nvml.SUCCESS } },
			field:  "recovery_action", why: "ERROR_UNKNOWN",
		},
		"a field that is no number": {
			change: func(d *device) { d.GetFieldValuesFunc = field(nvml.SUCCESS, nvml.VALUE_TYPE_DOUBLE, 1) }, field: "recovery_action", why: "ERROR_UNKNOWN",
		},
		"a call that fails": {
			change: func(d *device) {
				d.GetFieldValuesFunc = func([]nvml.FieldValue) nvml.Return { return nvml.ERROR_GPU_IS_LOST }
			}, field: "recovery_action", why: "ERROR_GPU_IS_LOST",
		},
		"no row remapping": {
			change: func(d *device) {
				d.GetRemappedRowsFunc = func() (int, int, bool, bool, nvml.Return) { return 0, 0, true, true, nvml.ERROR_NOT_SUPPORTED }
			}, field: "row_remap", why: "not supported", action: "NONE",
		},
		"no fabric": {
			change: func(d *device) { d.GetGpuFabricInfoFunc = fabricOf(nvml.GPU_FABRIC_STATE_NOT_SUPPORTED, 0) },
			field:  "fabric", why: "not supported", action: "NONE",
		},
		"a fabric in progress": {
			change: func(d *device) {
				d.GetGpuFabricInfoFunc = fabricOf(nvml.GPU_FABRIC_STATE_IN_PROGRESS, nvml.ERROR_UNKNOWN)
			},
			action: "NONE", fabric: &facts.GPUFabric{State: "IN_PROGRESS"},
		},
		"a fabric that failed": {
			change: func(d *device) {
				d.GetGpuFabricInfoFunc = fabricOf(nvml.GPU_FABRIC_STATE_COMPLETED, nvml.ERROR_UNKNOWN)
			},
			action: "NONE", fabric: &facts.GPUFabric{State: "COMPLETED", Status: "ERROR_UNKNOWN"},
		},
		"an unknown fabric state": {
			change: func(d *device) { d.GetGpuFabricInfoFunc = fabricOf(77, 0) },
			action: "NONE", fabric: &facts.GPUFabric{State: "fabric state 77"},
		},
	} {
		s, d := one()
		c.change(d)
		g := From(s).GPUs[0]
		if g.RecoveryAction != c.action || g.Unanswered[c.field] != c.why || c.field == "" && len(g.Unanswered) > 0 {
			t.Errorf("%s: %q, %v", name, g.RecoveryAction, g.Unanswered)
		}
		if c.field == "row_remap" && g.RowRemap != nil || c.field == "fabric" && g.Fabric != nil {
			t.Errorf("%s: %+v %+v", name, g.RowRemap, g.Fabric)
		}
		if c.fabric != nil && *g.Fabric != *c.fabric {
			t.Errorf("%s: %+v", name, g.Fabric)
		}
	}
}

func TestNVML_AllFactsOfAnA100(t *testing.T) {
	s, d := one()
	d.MemoryInfo.Free = 3
	got := From(s)
	if got.Outcome != facts.NVMLSuccess || got.DriverVersion != "550.54.15" || got.LibraryVersion != "12.550.54.15" || got.CUDAVersion != "12.4" || len(got.Unanswered) > 0 {
		t.Errorf("%+v", got)
	}
	g := got.GPUs[0]
	if len(got.GPUs) != 1 || *got.Count != 1 || len(g.Unanswered) > 0 {
		t.Fatalf("%+v", got)
	}
	if g.PCI != "0001:cb:00.0" || g.RecoveryAction != facts.RecoveryNone || *g.RowRemap != (facts.GPURemap{Pending: true}) ||
		*g.Fabric != (facts.GPUFabric{State: facts.FabricCompleted, Status: facts.NVMLSuccess}) {
		t.Errorf("%+v %+v %+v", g, g.RowRemap, g.Fabric)
	}
	if g.UUID != d.UUID || g.Architecture != "Ampere" || g.ComputeCapability != "8.0" || g.ComputeMode != "EXCLUSIVE_PROCESS" || !*g.Persistence {
		t.Errorf("%+v", g)
	}
	if g.Memory.Total != 40<<30 || g.Memory.Free != 3 || g.MIG.Current || g.MIG.Pending {
		t.Errorf("%+v %+v", g.Memory, g.MIG)
	}
	if p := *g.Processes; len(p) != 2 || *p[0].Memory != 5 || p[1].Memory != nil || p[1].PID != 8 || len(*g.MPSProcesses) != 0 {
		t.Errorf("%+v %+v", g.Processes, g.MPSProcesses)
	}
}

// TestNVML_MissingFunctionIsNeverCalled takes away one function after the
// other; each call of one that is missing would be the end of the process.
func TestNVML_MissingFunctionIsNeverCalled(t *testing.T) {
	for symbol, field := range map[string]string{
		"nvmlDeviceGetMigMode": "mig", "nvmlDeviceGetUUID": "uuid", "nvmlDeviceGetName": "name",
		"nvmlDeviceGetMemoryInfo": "memory", "nvmlDeviceGetComputeMode": "compute_mode",
		"nvmlDeviceGetPersistenceMode": "persistence", "nvmlDeviceGetArchitecture": "architecture",
		"nvmlDeviceGetCudaComputeCapability":      "compute_capability",
		"nvmlDeviceGetComputeRunningProcesses":    "processes",
		"nvmlDeviceGetMPSComputeRunningProcesses": "mps_processes",
		"nvmlDeviceGetPciInfo":                    "pci",
		"nvmlDeviceGetFieldValues":                "recovery_action",
		"nvmlDeviceGetRemappedRows":               "row_remap",
		"nvmlDeviceGetGpuFabricInfo":              "fabric",
		"nvmlDeviceGetHandleByIndex":              "handle",
	} {
		s, d := one()
		s.LookupSymbolFunc = func(name string) error {
			if strings.HasPrefix(name, symbol) {
				return errors.New("undefined symbol")
			}
			return nil
		}
		got := From(s)
		if got.Outcome != facts.NVMLSuccess || len(got.GPUs) != 1 || !strings.Contains(got.GPUs[0].Unanswered[field], symbol) {
			t.Errorf("%s: %+v", symbol, got)
		}
		calls := []int{
			len(d.GetMigModeCalls()), len(d.GetUUIDCalls()), len(d.GetNameCalls()), len(d.GetMemoryInfoCalls()), len(d.GetComputeModeCalls()),
			len(d.GetPersistenceModeCalls()), len(d.GetArchitectureCalls()), len(d.GetCudaComputeCapabilityCalls()),
			len(d.GetComputeRunningProcessesCalls()), len(d.GetMPSComputeRunningProcessesCalls()),
			len(d.GetPciInfoCalls()), len(d.GetFieldValuesCalls()), len(d.GetRemappedRowsCalls()), len(d.GetGpuFabricInfoCalls()),
		}
		left := 13
		if field == "handle" {
			left = 0
		}
		if n := len(calls) - len(slices.DeleteFunc(slices.Clone(calls), func(n int) bool { return n == 1 })); n != left {
			t.Errorf("%s: %d functions were called, want %d", symbol, n, left)
		}
	}
}

func TestNVML_MissingLibraryIsNotCalled(t *testing.T) {
	s, _ := one()
	s.InitFunc = func() nvml.Return { return nvml.ERROR_LIBRARY_NOT_FOUND }
	got := From(s)
	if got.Outcome != "ERROR_LIBRARY_NOT_FOUND" || len(s.SystemGetNVMLVersionCalls()) > 0 || got.GPUs == nil {
		t.Errorf("%+v", got)
	}
}

func TestNVML_FailedInitOnlyReportsTheLibraryVersion(t *testing.T) {
	s, _ := one()
	s.InitFunc = func() nvml.Return { return nvml.ERROR_LIB_RM_VERSION_MISMATCH }
	got := From(s)
	if got.Outcome != "ERROR_LIB_RM_VERSION_MISMATCH" || got.LibraryVersion != "12.550.54.15" || len(s.DeviceGetCountCalls()) > 0 || got.Count != nil {
		t.Errorf("%+v", got)
	}
}

func TestNVML_EveryResultHasAName(t *testing.T) {
	for ret, want := range map[nvml.Return]string{nvml.SUCCESS: "SUCCESS", nvml.ERROR_UNKNOWN: "ERROR_UNKNOWN", 4242: "ERROR_4242"} {
		if got := name(ret); got != want {
			t.Errorf("%d: %s", ret, got)
		}
	}
	if architecture(nvml.DEVICE_ARCH_HOPPER) != "Hopper" || architecture(77) != "architecture 77" || computeMode(9) != "compute mode 9" {
		t.Error("names")
	}
}
