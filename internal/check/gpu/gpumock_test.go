// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package gpu_test

import (
	"slices"
	"testing"

	"justnews/internal/check/gpu"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/nvml"
	"justnews/internal/requirement"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxa100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh200"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/server"
)

// complete gives the mocks default answers.
func complete(devices []gonvml.Device, mode gonvml.ComputeMode) {
	for _, d := range devices {
		m := d.(*server.Device)
		m.GetComputeModeFunc = func() (gonvml.ComputeMode, gonvml.Return) { return mode, gonvml.SUCCESS }
		m.GetPersistenceModeFunc = func() (gonvml.EnableState, gonvml.Return) { return gonvml.FEATURE_ENABLED, gonvml.SUCCESS }
		m.GetComputeRunningProcessesFunc = func() ([]gonvml.ProcessInfo, gonvml.Return) { return nil, gonvml.SUCCESS }
		m.GetMPSComputeRunningProcessesFunc = func() ([]gonvml.ProcessInfo, gonvml.Return) { return nil, gonvml.SUCCESS }
		m.GetFieldValuesFunc = func([]gonvml.FieldValue) gonvml.Return { return gonvml.ERROR_NOT_SUPPORTED }
		m.GetRemappedRowsFunc = func() (int, int, bool, bool, gonvml.Return) { return 0, 0, false, false, gonvml.SUCCESS }
		m.GetGpuFabricInfoFunc = func() (gonvml.GpuFabricInfo, gonvml.Return) {
			return gonvml.GpuFabricInfo{State: gonvml.GPU_FABRIC_STATE_COMPLETED}, gonvml.SUCCESS
		}
		m.MemoryInfo.Free = m.MemoryInfo.Total
	}
}

// seen is a look whose NVML is a mock of the library.
func seen(lib gonvml.Interface) facts.GPULook {
	found := nvml.From(lib)
	return facts.GPULook{
		Kind: facts.GPUAnswered, NVML: &found,
		Control: facts.DeviceNode{State: facts.NodeOpens}, UVM: facts.DeviceNode{State: facts.NodeOpens},
	}
}

func TestGPU_DGXWithA100sIsJudged(t *testing.T) {
	machine := dgxa100.New()
	complete(machine.Devices, gonvml.COMPUTEMODE_EXCLUSIVE_PROCESS)
	w := requirement.GPU{Needed: true, MPS: true, MinCount: 8, Limit: 40 << 30, Limits: 40 << 30, Clients: 1, Starting: true}
	if got := gpu.Judge(seen(machine), w); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	w.Limit, w.MinCount = 41<<30, 9
	if got := codes(gpu.Judge(seen(machine), w)); !slices.Equal(got, []string{"error GPU-COUNT", "error GPU-MEMORY-LIMIT"}) {
		t.Error(got)
	}
	w = requirement.GPU{Needed: true, MPS: true}
	for _, d := range machine.Devices {
		_, _ = d.SetMigMode(gonvml.DEVICE_MIG_ENABLE)
	}
	got := codes(gpu.Judge(seen(machine), w))
	if len(got) != 8 || got[0] != "error GPU-MIG" {
		t.Error(got)
	}
}

func TestGPU_DGXWithH200sIsJudged(t *testing.T) {
	machine := dgxh200.New()
	complete(machine.Devices, gonvml.COMPUTEMODE_PROHIBITED)
	if got := codes(gpu.Judge(seen(machine), requirement.GPU{Needed: true, MinCount: 1})); len(got) != 8 || got[0] != "error GPU-PROHIBITED" {
		t.Error(got)
	}
	complete(machine.Devices, gonvml.COMPUTEMODE_DEFAULT)
	w := requirement.GPU{Needed: true, MPS: true, MinCount: 8, Limit: 140 << 30, Limits: 140 << 30, Clients: 48}
	got := codes(gpu.Judge(seen(machine), w))
	if slices.ContainsFunc(got, func(s string) bool { return s != "notice GPU-SHARED" }) || len(got) != 8 {
		t.Error(got)
	}
}

func TestGPU_DGXWithoutFabricManagerIsAwaitedThenRefused(t *testing.T) {
	machine := dgxh200.New()
	complete(machine.Devices, gonvml.COMPUTEMODE_DEFAULT)
	w := requirement.GPU{Needed: true, MinCount: 8}
	if l := seen(machine); gpu.MayCome(l) != "" || len(diag.Errors(gpu.Judge(l, w))) > 0 {
		t.Errorf("a complete fabric: %q, %v", gpu.MayCome(l), codes(gpu.Judge(l, w)))
	}
	machine.Devices[7].(*server.Device).GetGpuFabricInfoFunc = func() (gonvml.GpuFabricInfo, gonvml.Return) {
		return gonvml.GpuFabricInfo{State: gonvml.GPU_FABRIC_STATE_IN_PROGRESS}, gonvml.SUCCESS
	}
	l := seen(machine)
	if got := codes(gpu.Judge(l, w)); gpu.MayCome(l) == "" || !slices.Equal(got, []string{"error GPU-FABRIC"}) {
		t.Errorf("%q, %v", gpu.MayCome(l), got)
	}
}
