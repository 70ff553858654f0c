// SPDX-License-Identifier: Apache-2.0

package nvml

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// newestGlibc is what RHEL 9 and Ubuntu 22.04 have: 2.34 and 2.35.
const newestGlibc = 34

func TestHelper_IsBoundLazilyAndNeedsNoNewGlibc(t *testing.T) {
	for _, wrong := range complaints(t, helper(t)) {
		t.Error(wrong)
	}
}

func TestHelper_IsLeftOutWithoutACompiler(t *testing.T) {
	need(t, "make")
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "make", "-s", "-C", repository, "helper", "CC=no-such-compiler", "BUILD="+dir)
	cmd.Env = withoutMake()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "justnews-nvml is skipped: there is no C compiler (no-such-compiler)") {
		t.Errorf("%v, %q", err, out)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v", left)
	}
}

// complaints returns what is wrong with how a program is linked.
func complaints(t *testing.T, file string) []string {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var wrong []string
	for _, flag := range []struct {
		tag  elf.DynTag
		bit  uint64
		name string
	}{
		{elf.DT_BIND_NOW, 0, "DT_BIND_NOW"},
		{elf.DT_FLAGS, uint64(elf.DF_BIND_NOW), "DF_BIND_NOW"},
		{elf.DT_FLAGS_1, uint64(elf.DF_1_NOW), "DF_1_NOW"},
	} {
		values, err := f.DynValue(flag.tag)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if flag.bit == 0 || v&flag.bit != 0 {
				wrong = append(wrong, "the dynamic section has "+flag.name)
			}
		}
	}
	return append(wrong, newer(t, f)...)
}

// newer returns the symbols that need a glibc after 2.34.
func newer(t *testing.T, f *elf.File) []string {
	t.Helper()
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	found := 0
	for _, need := range needs {
		for _, v := range need.Needs {
			minor, ok := strings.CutPrefix(v.Dep, "GLIBC_2.")
			if !ok {
				continue
			}
			found++
			minor, _, _ = strings.Cut(minor, ".")
			if n, err := strconv.Atoi(minor); err != nil || n > newestGlibc {
				wrong = append(wrong, fmt.Sprintf("%s needs %s", need.Name, v.Dep))
			}
		}
	}
	if found == 0 {
		t.Fatal("it needs no glibc at all: this is not the cgo build")
	}
	return wrong
}

func TestHelper_CheckFindsEagerBinding(t *testing.T) {
	need(t, "gcc")
	dir := t.TempDir()
	source, program := filepath.Join(dir, "x.c"), filepath.Join(dir, "x")
	if err := os.WriteFile(source, []byte("#include <stdio.h>\nint main(void) { return puts(\"\"); }"), 0o644); err != nil {
		t.Fatal(err)
	}
	compile(t, "-Wl,-z,now", "-o", program, source)
	if got := strings.Join(complaints(t, program), ", "); !strings.Contains(got, "DF_1_NOW") {
		t.Errorf("complaints: %q", got)
	}
	compile(t, "-Wl,-z,lazy", "-o", program, source)
	if got := complaints(t, program); len(got) > 0 {
		t.Errorf("complaints: %q", got)
	}
}
