// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

func TestMetrics_EachRunAndInstanceHasItsOwnMetrics(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	dir := filepath.Join(t.TempDir(), "metrics")
	for _, c := range []struct{ run, instance string }{{"gate", "scout"}, {"gate", "memory"}, {"preload", ""}, {"mps wait", ""}, {"gate", "scout"}} {
		if err := WriteMetrics(dir, c.run, c.instance, []byte(c.run+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	onlyFiles(t, dir, "justnews_gate_memory.prom", "justnews_gate_scout.prom", "justnews_mps_wait.prom", "justnews_preload.prom")
	for path, want := range map[string]fs.FileMode{dir: 0o775, filepath.Join(dir, "justnews_preload.prom"): 0o664} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; everybody has to read it", path, info.Mode(), err)
		}
	}
}

func TestMetrics_ConcurrentWritersLeaveOneCompleteFile(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			if err := WriteMetrics(dir, "gate", "scout", []byte(fmt.Sprintf("writer %2d\n", n))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	onlyFiles(t, dir, "justnews_gate_scout.prom")
	if text := read(t, filepath.Join(dir, "justnews_gate_scout.prom")); len(text) != len("writer  0\n") {
		t.Errorf("%q", text)
	}
}

func TestMetrics_LinksAreNotFollowed(t *testing.T) {
	base := t.TempDir()
	victim := filepath.Join(base, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(base, "real"), 0o755), os.Symlink("real", filepath.Join(base, "link"))); err != nil {
		t.Fatal(err)
	}
	if err := WriteMetrics(filepath.Join(base, "link"), "gate", "scout", nil); err == nil {
		t.Error("written through a link")
	}
	if err := WriteMetrics(filepath.Join(base, "real"), "gate", "../../victim", nil); err == nil {
		t.Error("written elsewhere")
	}
	if err := WriteMetrics(filepath.Join(base, "no/metrics"), "gate", "scout", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is no such place: %v", err)
	}
	if err := os.Symlink(victim, filepath.Join(base, "real/justnews_gate_scout.prom")); err != nil {
		t.Fatal(err)
	}
	if err := WriteMetrics(filepath.Join(base, "real"), "gate", "scout", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if read(t, victim) != "precious" || read(t, filepath.Join(base, "real/justnews_gate_scout.prom")) != "new" {
		t.Error("the link was followed")
	}
}

func TestSweepMetrics_RemovesUnlistedInstances(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ run, instance string }{{"gate", "scout"}, {"gate", "retired"}, {"preload", ""}, {"preflight", ""}} {
		if err := WriteMetrics(dir, c.run, c.instance, []byte("x\n")); err != nil {
			t.Fatal(err)
		}
	}
	planted := filepath.Join(dir, "justnews_gate_a.prom")
	err := errors.Join(os.WriteFile(filepath.Join(dir, "node_gate_retired.prom"), nil, 0o600), os.MkdirAll(filepath.Join(planted, "x"), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	if err := SweepMetrics(dir, []string{"scout", "memory"}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(planted); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, dir, "justnews_gate_scout.prom", "justnews_preflight.prom", "justnews_preload.prom", "node_gate_retired.prom")
}
