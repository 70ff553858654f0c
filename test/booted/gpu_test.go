// SPDX-License-Identifier: Apache-2.0

package booted

import (
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
func TestAHostThatNeedsAGPUStartsNothingWithoutOne(t *testing.T) {
	library := fakeLibrary(t)
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{config: "[gpu]\nmin_count = 2\n\n" + config("60s")})
		s.WaitJournal(unit("scout"), "GPU-", "exit status 71")
		s.WaitUnit(unit("scout"), "failed")
		s.WaitUnit(unit(orchestrator), "failed")
		s.noAgentStarted()

		s.WriteFile(library.to, library.content, 0o755)
		s.Must("sh", "-c", "touch /dev/nvidiactl /dev/nvidia-uvm && chmod 666 /dev/nvidiactl /dev/nvidia-uvm")
		mended := bed.Monotonic()
		s.Systemctl("reset-failed", "justnews*")
		s.Systemctl("start", target)
		s.everythingUp(mended)
		s.WaitJournal(unit("scout"), "2 GPUs, driver 550.163.01, CUDA 12.4")
	})
}

type fake struct{ to, content string }

// fakeLibrary compiles a libnvidia-ml.so.1 with two GPUs, and says where the
// machine's loader looks for it.
func fakeLibrary(t *testing.T) fake {
	t.Helper()
	bed.Need(t)
	out, err := exec.CommandContext(t.Context(), "gcc", "-print-multiarch").Output()
	if err != nil {
		t.Skip("needs gcc: neither the helper nor a library for it can be built")
	}
	file := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	if text, err := exec.CommandContext(t.Context(), "gcc", "-w", "-shared", "-fPIC", "-o", file, "../nvml/testdata/fake.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, text)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fake{"/usr/lib/" + strings.TrimSpace(string(out)) + "/libnvidia-ml.so.1", string(content)}
}
