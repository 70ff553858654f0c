// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package nvml

import (
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
	return s, d
}

func TestNVML_EveryFactOfAnA100(t *testing.T) {
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

// TestNVML_FunctionThatIsMissingIsNeverCalled takes away one function after the
// other; each call of one that is missing would be the end of the process.
func TestNVML_FunctionThatIsMissingIsNeverCalled(t *testing.T) {
	for symbol, field := range map[string]string{
		"nvmlDeviceGetMigMode": "mig", "nvmlDeviceGetUUID": "uuid", "nvmlDeviceGetName": "name",
		"nvmlDeviceGetMemoryInfo": "memory", "nvmlDeviceGetComputeMode": "compute_mode",
		"nvmlDeviceGetPersistenceMode": "persistence", "nvmlDeviceGetArchitecture": "architecture",
		"nvmlDeviceGetCudaComputeCapability":      "compute_capability",
		"nvmlDeviceGetComputeRunningProcesses":    "processes",
		"nvmlDeviceGetMPSComputeRunningProcesses": "mps_processes",
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
		}
		left := 9
		if field == "handle" {
			left = 0
		}
		if n := len(calls) - len(slices.DeleteFunc(slices.Clone(calls), func(n int) bool { return n == 1 })); n != left {
			t.Errorf("%s: %d functions were called, want %d", symbol, n, left)
		}
	}
}

func TestNVML_LibraryThatIsNotThereIsAskedNothing(t *testing.T) {
	s, _ := one()
	s.InitFunc = func() nvml.Return { return nvml.ERROR_LIBRARY_NOT_FOUND }
	got := From(s)
	if got.Outcome != "ERROR_LIBRARY_NOT_FOUND" || len(s.SystemGetNVMLVersionCalls()) > 0 || got.GPUs == nil {
		t.Errorf("%+v", got)
	}
}

func TestNVML_DriverThatRefusesIsAskedForTheLibraryOnly(t *testing.T) {
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
