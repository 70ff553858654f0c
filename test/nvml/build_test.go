// SPDX-License-Identifier: Apache-2.0

// Package nvml tests the GPU helper with real faults: justnews-nvml as released, with
// libraries that lack functions, hang, crash and refuse, and with NVIDIA's own library
// without a driver.
package nvml

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"justnews/internal/probe/gpu"
)

const repository = "../.."

// built is the helper as make builds it, once for all tests.
var built struct {
	sync.Once
	path, problem string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "justnews-nvml-")
	if err != nil {
		panic(err)
	}
	built.path = filepath.Join(dir, "justnews-nvml")
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// helper returns the helper as released; the test is skipped if it cannot be built.
func helper(t *testing.T) string {
	t.Helper()
	need(t, "gcc", "make")
	built.Do(func() {
		cmd := exec.CommandContext(context.Background(), "make", "-s", "-C", repository, "helper", "BUILD="+filepath.Dir(built.path))
		cmd.Env = withoutMake()
		if out, err := cmd.CombinedOutput(); err != nil {
			built.problem = err.Error() + "\n" + string(out)
		}
	})
	if built.problem != "" {
		t.Fatal("make helper: ", built.problem)
	}
	return built.path
}

// withoutMake is the environment without the variables of a make that runs these tests.
func withoutMake() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "MAKEFLAGS" || name == "MAKELEVEL" || name == "MFLAGS"
	})
}

func need(t *testing.T, tools ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: compiles C")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("there is no " + tool)
		}
	}
}

// compile runs gcc.
func compile(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "gcc", append([]string{"-w"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %q: %v\n%s", args, err, out)
	}
}

// over returns a probe whose helper uses a fake library, compiled with these definitions.
func over(t *testing.T, defines ...string) gpu.Prober {
	t.Helper()
	p := gpu.Prober{Helper: helper(t), Root: t.TempDir(), Limit: time.Minute}
	dir := t.TempDir()
	args := []string{"-shared", "-fPIC", "-o", filepath.Join(dir, "libnvidia-ml.so.1"), "testdata/fake.c"}
	for _, d := range defines {
		args = append(args, "-D"+d)
	}
	compile(t, args...)
	p.Env = []string{"LD_LIBRARY_PATH=" + dir}
	return p
}
