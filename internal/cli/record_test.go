// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A gate that waited has read an older configuration than the one that took its
// instance away.
func TestMetrics_AreSweptByTheCurrentConfiguration(t *testing.T) {
	dir := t.TempDir()
	metrics := filepath.Join(dir, "metrics")
	path := filepath.Join(dir, "justnews.toml")
	a := &app{Machine: Machine{MetricsDir: metrics}, Globals: Globals{ConfigFile: place(path)}}
	err := errors.Join(
		os.Mkdir(metrics, 0o700),
		os.WriteFile(filepath.Join(metrics, "justnews_gate_scout.prom"), nil, 0o600),
		os.WriteFile(filepath.Join(metrics, "justnews_gate_retired.prom"), nil, 0o600),
		os.WriteFile(path, []byte("[instances.scout\n"), 0o600),
		a.sweepMetrics(),
	)
	left := func() int {
		names, _ := filepath.Glob(filepath.Join(metrics, "*"))
		return len(names)
	}
	if err != nil || left() != 2 {
		t.Fatalf("a configuration that cannot be read removes nothing: %v, %d left", err, left())
	}
	err = errors.Join(
		os.WriteFile(path, []byte("[orchestrator]\ninstance = \"\"\n[bus]\ninstance = \"\"\n[instances.scout]\nport = 8002\n"), 0o600),
		a.sweepMetrics(),
	)
	if _, gone := os.Stat(filepath.Join(metrics, "justnews_gate_retired.prom")); err != nil || gone == nil || left() != 1 {
		t.Errorf("%v, %d left", err, left())
	}
}
