// SPDX-License-Identifier: Apache-2.0

// Package hostile tries to fool the gate: with made-up and recorded sequences of answers in
// virtual time, and with every way in which the reference orchestrator can misbehave,
// against the real program over real sockets. The results of the latter are in
// docs/hostile.md.
package hostile

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"justnews/test/reference"
	"justnews/test/reference/store"
)

var update = flag.Bool("update", false, "write docs/hostile.md")

// Shared by all rows and never changed.
var (
	program string            // justnews-gate, built from this tree
	models  *store.Store      // 16 models and their map
	goodBus *reference.Server // an MCP bus that behaves
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "justnews-hostile")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp changes no verdict
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer goodBus.Close()
	// Most rows only wait: for a timeout of a few seconds.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func prepare(dir string) error {
	program = filepath.Join(dir, "justnews-gate")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "justnews/cmd/justnews-gate")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build justnews-gate: %w\n%s", err, out)
	}
	var err error
	if models, err = store.Make(filepath.Join(dir, "models")); err != nil {
		return err
	}
	goodBus, err = reference.Start(reference.Options{Role: reference.Bus})
	return err
}
