// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"justnews/internal/facts"
)

// lay puts a file below the root of a test.
func lay(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestNode_VersionOfTheKernelModuleIsFound(t *testing.T) {
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr  8 12:41:17 UTC 2025\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n": "550.163.01",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs-builder@U22)  Tue Sep 23\nGCC version: 11\n":             "580.95.05",
		"NVRM version: NVIDIA UNIX aarch64 Kernel Module  535.261.03  Fri Jun 13\n":                                                                       "535.261.03",
		"something else 1.2.3 entirely\n": "",
		"":                                "",
	} {
		root := t.TempDir()
		lay(t, root, "/proc/driver/nvidia/version", text)
		if got := (Prober{Root: root}).module(); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := (Prober{Root: t.TempDir()}).module(); got != "" {
		t.Errorf("without a module: %q", got)
	}
}

func TestNode_OpenMissingAndDeniedAreDistinguished(t *testing.T) {
	p := Prober{Root: t.TempDir()}
	lay(t, p.Root, "/dev/nvidiactl", "")
	if got := p.node(t.Context(), "/dev/nvidiactl"); got.State != facts.NodeOpens {
		t.Errorf("%+v", got)
	}
	if got := p.node(t.Context(), "/dev/nvidia-uvm"); got.State != facts.NodeMissing || !strings.Contains(got.Detail, "nvidia-uvm") {
		t.Errorf("%+v", got)
	}
	for err, want := range map[error]facts.NodeState{
		&fs.PathError{Op: "open", Path: "/dev/nvidia-uvm", Err: syscall.EACCES}: facts.NodeDenied,
		&fs.PathError{Op: "open", Path: "/dev/nvidia-uvm", Err: syscall.EPERM}:  facts.NodeDenied,
		&fs.PathError{Op: "open", Path: "/dev/nvidia-uvm", Err: syscall.ENXIO}:  facts.NodeUnknown,
	} {
		if got := nodeOf(err); got.State != want || got.Detail == "" {
			t.Errorf("%v: %+v", err, got)
		}
	}
}
