// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"justnews/test/bed"
)

// A host that needs a GPU and has no driver: every gate runs the helper inside
// the unit's own sandbox, as the unit's own user, and says what is missing. With
// a driver that answers, the same units start.
func TestGPU_RequiredButMissingStartsNothing(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: "[gpu]\nmin_count = 2\npatience = \"2s\"\n\n" + config("60s")})
		s.WaitJournal(unit(orchestrator), "GPU-", "exit status 71") // the agents wait behind it
		s.waitRefused(unit(orchestrator))
		s.noAgentStarted()

		fakeDriver(t, s)
		s.Must("systemd-tmpfiles", "--create", "fake-nvidia.conf")
		fixed := bed.Monotonic()
		s.Must("justnews-gate", "retry")
		s.everythingUp(fixed)
		s.WaitJournal(unit("scout"), "2 GPUs, driver 550.163.01, CUDA 12.4")
	})
}

// fakeDriver puts a libnvidia-ml.so.1 with two GPUs where the machine's loader
// looks for it, and files in place of the device nodes: what a gate has to find
// of a driver. There is no driver behind it.
func fakeDriver(t testing.TB, machine interface {
	WriteFile(name, content string, mode ...fs.FileMode)
},
) {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "gcc", "-print-multiarch").Output()
	if err != nil {
		t.Skip("needs gcc: neither the GPU helper nor a library for it can be built")
	}
	file := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	if text, err := exec.CommandContext(context.Background(), "gcc", "-w", "-shared", "-fPIC", "-o", file, "../nvml/testdata/fake.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, text)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	machine.WriteFile("/usr/lib/"+strings.TrimSpace(string(out))+"/libnvidia-ml.so.1", string(content), 0o755)
	machine.WriteFile("/usr/lib/tmpfiles.d/fake-nvidia.conf", "f /dev/nvidiactl 0666\nf /dev/nvidia-uvm 0666\n")
}
