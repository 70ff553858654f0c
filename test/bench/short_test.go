// SPDX-License-Identifier: Apache-2.0

// Package bench has the programs that 'make bench' runs.
package bench

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The programs of make bench, each as short as possible: a benchmark that is never run stops
// working, while its figures stay in the documents.
func TestBench_EachRunsInAShortForm(t *testing.T) {
	for name, args := range map[string]string{
		"the packages": "test -run ^$ -bench . -benchtime 1x ./internal/...",
		"generator":    "run ./test/bench/generator -runs 2",
		"gate":         "run ./test/bench/gate -flips 1 -waits 1s",
		"nvml":         "run ./test/bench/nvml",
		"store":        "run ./test/bench/store -size 16 -rounds 1 -files 200",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("gcc"); name == "nvml" && err != nil {
				t.Skip("there is no C compiler (gcc)")
			}
			if name == "store" && os.Geteuid() != 0 {
				t.Skip("only root's hashes are cached")
			}
			cmd := exec.CommandContext(t.Context(), "go", strings.Fields(args)...)
			cmd.Dir = "../.."
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("go %s: %v\n%s", args, err, output[max(0, len(output)-3000):])
			}
		})
	}
}
