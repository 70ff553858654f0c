// SPDX-License-Identifier: Apache-2.0

package emit_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"justnews/internal/config"
	"justnews/internal/emit"
	"justnews/internal/plan"
	"justnews/internal/unitname"
)

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWrite_NoNameEscapesTheOutputDirectory(t *testing.T) {
	for _, f := range []emit.File{
		{Dir: "..", Name: "x"}, {Dir: "a/b", Name: "x"}, {Name: "../x"}, {Name: ""}, {Name: ".."}, {Dir: "d", Name: "a/b", Link: "/x"},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		if err := emit.Write(dir, []emit.File{f}); err == nil {
			t.Errorf("%q was written", f.Path())
		}
		if tree := readTree(t, dir); len(tree) > 0 {
			t.Errorf("%q left %v", f.Path(), tree)
		}
	}
}

func TestWrite_PlantedLinkIsNotFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "x"), filepath.Join(dir, "x")); err != nil {
		t.Fatal(err)
	}
	first := emit.File{Dir: "base", Name: "base.conf", Text: []byte("x")}
	for _, f := range []emit.File{{Dir: "d", Name: "x", Text: []byte("x")}, {Name: "x", Text: []byte("x")}} {
		if err := emit.Write(dir, []emit.File{first, f}); err == nil {
			t.Errorf("%s was written through a link", f.Path())
		}
	}
	if tree := readTree(t, elsewhere); len(tree) > 0 {
		t.Errorf("written elsewhere: %v", tree)
	}
}

func TestWrite_FullFileSystemLeavesNoIncompleteBase(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root to mount a small tmpfs")
	}
	for _, room := range []int{0, 1} { // pages; with one, the first write takes a part of the text
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk,mode=755", 4+4*room)); err != nil {
			t.Skipf("cannot mount a tmpfs: %v", err)
		}
		t.Cleanup(func() { syscall.Unmount(dir, 0) })
		if err := os.WriteFile(filepath.Join(dir, "full"), make([]byte, 4096), 0o644); err != nil {
			t.Skipf("cannot fill it: %v", err)
		}
		text := []byte("[Service]\n" + strings.Repeat("#\n", 4096*room))
		if err := emit.Write(dir, []emit.File{{Dir: plan.BaseDir, Name: plan.BaseName, Text: text}}); err == nil {
			t.Errorf("no error on a file system with %d pages", room)
		}
		if tree := readTree(t, dir); len(tree) != 1 {
			t.Errorf("%d pages: an incomplete base would mask the packaged one: %v", room, slices.Collect(maps.Keys(tree)))
		}
	}
}

// manyInstances is a host of n instances, half of them with MPS.
func manyInstances(n int) *config.Config {
	c := &config.Config{
		Files:        []string{"/etc/justnews/justnews.toml"},
		Gate:         config.Gate{Timeout: plan.DefaultGateTimeout},
		Orchestrator: config.Orchestrator{URL: "http://127.0.0.1:8014", Instance: "agent_0"},
		Bus:          config.Bus{URL: "http://127.0.0.1:8000", Instance: "agent_1"},
		Models:       config.Models{Root: "/opt/justnews/models", Strict: true},
		MPS:          config.MPS{Unit: unitname.MPS, PipeDirectory: "/run/nvidia-mps", LogDirectory: "/var/log/nvidia-mps"},
		Service: config.Service{
			Exec: config.DefaultExec, User: "justnews", Group: "justnews",
			WorkingDirectory: "/", Restart: plan.DefaultRestart, LimitNOFILE: 65536, StartGrace: plan.DefaultStartGrace, ProtectHome: "yes",
		},
	}
	for i := range n {
		c.Instances = append(c.Instances, config.Instance{
			Name: fmt.Sprintf("agent_%d", i), Enabled: true, RequireBus: i > 1, RequireModels: i > 0, Gate: c.Gate,
			MPS:         config.InstanceMPS{Enabled: i%2 == 0},
			Service:     c.Service,
			Environment: map[string]string{"LOG_LEVEL": "INFO"},
		})
	}
	return c
}

// memory is a directory on a tmpfs, as the generator's is.
func memory(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "justnews-bench-") //nolint:usetesting // TempDir is on a disk
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func BenchmarkRenderAndWrite(b *testing.B) {
	for _, n := range []int{17, 1000} {
		cfg := manyInstances(n)
		b.Run(fmt.Sprintf("render-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, problems := emit.Render(plan.Build(cfg, plan.Machine{})); len(problems) > 0 {
					b.Fatal(problems)
				}
			}
		})
		files, _ := emit.Render(plan.Build(cfg, plan.Machine{}))
		b.Run(fmt.Sprintf("write-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			dir := filepath.Join(memory(b), "out")
			for b.Loop() {
				b.StopTimer()
				if err := os.RemoveAll(dir); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if err := emit.Write(dir, files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
