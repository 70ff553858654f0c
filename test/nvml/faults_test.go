// SPDX-License-Identifier: Apache-2.0

package nvml

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"justnews/internal/facts"
	"justnews/internal/probe/gpu"
)

func TestFaults_EachLibraryFaultHasItsOwnKind(t *testing.T) {
	for name, c := range map[string]struct {
		defines []string
		kind    facts.GPUKind
		detail  string
	}{
		"it answers":                     {nil, facts.GPUAnswered, ""},
		"it finds no GPU":                {[]string{"COUNT=0"}, facts.GPUNone, ""},
		"it lacks nvmlInit":              {[]string{"NO_INIT"}, facts.HelperSymbol, "undefined symbol: nvmlInit"},
		"it cannot count":                {[]string{"NO_COUNT"}, facts.GPUFailed, "the library has no nvmlDeviceGetCount_v2"},
		"it faults":                      {[]string{"INIT=return *(volatile int *)8"}, facts.HelperCrashed, "SIGSEGV"},
		"it aborts":                      {[]string{"INIT=abort()"}, facts.HelperCrashed, "SIGABRT"},
		"it is killed":                   {[]string{"INIT=return kill(getpid(),9)"}, facts.HelperCrashed, "killed by signal 9"},
		"it ends the process":            {[]string{"INIT=_exit(3)"}, facts.HelperNonsense, "exit status 3"},
		"it ends the process in silence": {[]string{"INIT=_exit(0)"}, facts.HelperNonsense, "unexpected end"},
		"it writes before the object":    {[]string{`INIT=return puts("NVRM: hello"),fflush(stdout),0`}, facts.HelperNonsense, "is invalid"},
		"the driver is not loaded":       {[]string{"INIT=return 9"}, facts.DriverNotLoaded, ""},
		"library and module differ":      {[]string{"INIT=return 18"}, facts.DriverMismatch, ""},
		"the driver refuses this user":   {[]string{"INIT=return 4"}, facts.DriverDenied, ""},
		"the driver knows no GPU":        {[]string{"INIT=return 28"}, facts.GPUNone, ""},
		"a GPU is lost":                  {[]string{"INIT=return 15"}, facts.GPUFailed, ""},
		"an error without a name":        {[]string{"INIT=return 4242"}, facts.GPUFailed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			look := over(t, c.defines...).Look(t.Context())
			if look.Kind != c.kind || !strings.Contains(look.Detail, c.detail) {
				t.Errorf("%+v", look)
			}
			if c.kind >= facts.DriverNotLoaded && look.NVML.LibraryVersion != "12.550.163.01" {
				t.Errorf("the library's version is lost: %+v", look.NVML)
			}
		})
	}
}

func TestFaults_HangingLibraryIsKilledWithItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	p := over(t, "INIT=for(;;)pause()", fmt.Sprintf("CHILD=%q", file))
	p.Limit = 2 * time.Second
	look := p.Look(t.Context())
	if look.Kind != facts.HelperHung || !strings.Contains(look.Detail, "within 2s") {
		t.Errorf("%+v", look)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if outlives(t, pid) {
		t.Errorf("process %d is left behind", pid)
	}
}

// outlives reports whether a process still exists after a time in which a killed one has
// certainly ended.
func outlives(t *testing.T, pid int) bool {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	return err != nil || n == 0
}

func TestFaults_AnswerHasEveryFact(t *testing.T) {
	used, on := uint64(1<<30), true
	two := 2
	device := func(i int) facts.GPU {
		return facts.GPU{
			Index: i, UUID: fmt.Sprintf("GPU-0000000%d-1234-5678-9abc-def012345678", i+1), Name: fmt.Sprintf("Fake %d", i+1),
			Architecture: "Ada", ComputeCapability: "8.9", Memory: &facts.GPUMemory{Total: 24 << 30, Free: 20 << 30, Used: 4 << 30},
			ComputeMode: "EXCLUSIVE_PROCESS", MIG: &facts.GPUMIG{}, Persistence: &on,
			PCI: fmt.Sprintf("0000:%02x:00.0", 0x65+i), RecoveryAction: facts.RecoveryNone, RowRemap: &facts.GPURemap{},
			Fabric:    &facts.GPUFabric{State: facts.FabricCompleted, Status: facts.NVMLSuccess},
			Processes: &facts.GPUClients{}, MPSProcesses: &facts.GPUClients{{PID: 4711, Memory: &used}, {PID: 4712}},
		}
	}
	want := &facts.NVML{
		Schema: facts.NVMLSchema, Outcome: facts.NVMLSuccess, DriverVersion: "550.163.01", LibraryVersion: "12.550.163.01",
		CUDAVersion: "12.4", Count: &two, GPUs: []facts.GPU{device(0), device(1)},
	}
	got := over(t).Look(t.Context()).NVML
	want.Program = got.Program
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaults_MissingFunctionCostsOneFact(t *testing.T) {
	look := over(t, "OLD").Look(t.Context())
	if look.Kind != facts.GPUAnswered {
		t.Fatalf("%+v", look)
	}
	want := map[string]string{
		"architecture":  "the library has no nvmlDeviceGetArchitecture",
		"mig":           "the library has no nvmlDeviceGetMigMode",
		"mps_processes": "the library has no nvmlDeviceGetMPSComputeRunningProcesses_v3",
		"row_remap":     "the library has no nvmlDeviceGetRemappedRows",
		"fabric":        "the library has no nvmlDeviceGetGpuFabricInfo",
	}
	g := look.NVML.GPUs[0]
	if diff := cmp.Diff(want, g.Unanswered); diff != "" {
		t.Error(diff)
	}
	if g.MIG != nil || g.MPSProcesses != nil || g.Architecture != "" || g.Memory == nil {
		t.Errorf("%+v", g)
	}
}

func TestFaults_UnsupportedFactIsNotZero(t *testing.T) {
	look := over(t, "OPTIONAL=return NOT_SUPPORTED").Look(t.Context())
	if look.Kind != facts.GPUAnswered {
		t.Fatalf("%+v", look)
	}
	g := look.NVML.GPUs[1]
	for _, field := range []string{"memory", "compute_mode", "mig", "persistence", "processes", "mps_processes", "recovery_action", "row_remap", "fabric"} {
		if g.Unanswered[field] != "not supported" {
			t.Errorf("%s: %q", field, g.Unanswered[field])
		}
	}
	if g.Memory != nil || g.ComputeMode != "" || g.MIG != nil || g.Persistence != nil || g.Processes != nil || g.MPSProcesses != nil ||
		g.RecoveryAction != "" || g.RowRemap != nil || g.Fabric != nil {
		t.Errorf("%+v", g)
	}
}

func TestFaults_DriverFaultReportsAreKept(t *testing.T) {
	g := over(t, "ACTION=1", "PENDING=1", "FABRIC=2").Look(t.Context()).NVML.GPUs[0]
	if g.RecoveryAction != "GPU_RESET" || !g.RowRemap.Pending || g.RowRemap.Failed || *g.Fabric != (facts.GPUFabric{State: "IN_PROGRESS"}) {
		t.Errorf("%q %+v %+v", g.RecoveryAction, g.RowRemap, g.Fabric)
	}
	g = over(t, "ACTION=1", "FIELD=NOT_SUPPORTED", "FABRIC=0").Look(t.Context()).NVML.GPUs[0]
	if g.RecoveryAction != "" || g.Fabric != nil || g.Unanswered["recovery_action"] != "not supported" || g.Unanswered["fabric"] != "not supported" {
		t.Errorf("%q %+v %v", g.RecoveryAction, g.Fabric, g.Unanswered)
	}
}

func TestFaults_LostGPUIsListedWithItsError(t *testing.T) {
	look := over(t, "HANDLE=return i?15:0").Look(t.Context())
	if look.Kind != facts.GPUAnswered || look.NVML.GPUs[1].Unanswered["handle"] != "ERROR_GPU_IS_LOST" || look.NVML.GPUs[0].UUID == "" {
		t.Errorf("%+v", look.NVML)
	}
}

func TestFaults_MissingLibraryIsReported(t *testing.T) {
	dir := t.TempDir()
	p := gpu.Prober{Helper: helper(t), Root: t.TempDir(), Env: []string{"LD_LIBRARY_PATH=" + dir}}
	if err := os.WriteFile(filepath.Join(dir, "libnvidia-ml.so.1"), []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	look := p.Look(t.Context())
	if look.Kind != facts.LibraryMissing || !strings.Contains(look.Detail, "libnvidia-ml.so.1") {
		t.Errorf("%+v", look)
	}
}

func TestFaults_LoaderErrorHasItsOwnKind(t *testing.T) {
	need(t, "gcc")
	dir := t.TempDir()
	library, program := filepath.Join(dir, "libgone.so"), filepath.Join(dir, "program")
	source := filepath.Join(dir, "x.c")
	if err := os.WriteFile(source, []byte("int here(void); int main(void) { return here(); }"), 0o644); err != nil {
		t.Fatal(err)
	}
	compile(t, "-shared", "-fPIC", "-Dmain=here", "-Wl,-soname,libgone.so", "-o", library, source)
	compile(t, "-o", program, source, library)
	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	look := gpu.Prober{Helper: program, Root: dir}.Look(t.Context())
	if look.Kind != facts.HelperLoader || !strings.Contains(look.Detail, "error while loading shared libraries: libgone.so") {
		t.Errorf("%+v", look)
	}
}
