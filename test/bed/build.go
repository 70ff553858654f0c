// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// repository returns the directory of go.mod above the test, whatever package
// the test is in.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("cannot find go.mod above the test's directory")
		}
		dir = filepath.Dir(dir)
	}
}

var built = struct {
	sync.Mutex
	done map[string]bool
}{done: map[string]bool{}}

// compiler tells whether cgo can be used.
func compiler() bool {
	_, err := exec.LookPath("gcc")
	return err == nil
}

// build builds main packages as they are released, static and stripped (with
// cgo: lazily bound), once for each test process. The caller holds the machine
// lock: no other process writes there.
func build(repo, dir string, packages []string, cgo bool) error {
	built.Lock()
	defer built.Unlock()
	var missing []string
	for _, p := range packages {
		if !built.done[p] {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot build the binaries under test: %w", err)
	}
	// The go command that runs the test, and not whichever PATH has in a sudo shell.
	goCommand := filepath.Join(runtime.GOROOT(), "bin", "go") //nolint:staticcheck // go test sets GOROOT
	if _, err := os.Stat(goCommand); err != nil {
		goCommand = "go"
	}
	ldflags, env := "-s -w", "CGO_ENABLED=0"
	if cgo {
		ldflags, env = ldflags+" -extldflags=-Wl,-z,lazy", "CGO_ENABLED=1"
	}
	cmd := exec.Command(goCommand, append([]string{"build", "-trimpath", "-ldflags", ldflags, "-o", dir + "/"}, missing...)...)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", strings.Join(missing, " "), err, out)
	}
	for _, p := range missing {
		built.done[p] = true
	}
	return nil
}
