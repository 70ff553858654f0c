// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"justnews/internal/config"
	"justnews/internal/diag"
)

// A rejected configuration would end the benchmark.
func TestBench_ConfigurationIsValid(t *testing.T) {
	for _, n := range []int{17, 1000} {
		file := filepath.Join(t.TempDir(), "justnews.toml")
		if err := os.WriteFile(file, instances(n), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, problems := config.Load(config.Source{File: file, Owner: os.Getuid()})
		if errs := diag.Errors(problems); cfg == nil || len(errs) > 0 || len(cfg.Instances) != n {
			t.Errorf("%d instances: %v", n, errs)
		}
	}
}
