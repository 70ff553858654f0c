// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"justnews/packaging/contents"
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

// build builds programs as they are released, once for each test process, in a
// directory whose lock the caller holds.
func build(repo, dir string, items []contents.Item) error {
	built.Lock()
	defer built.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot build the binaries under test: %w", err)
	}
	release := contents.Release{Arch: runtime.GOARCH}
	for _, cgo := range []bool{false, true} {
		missing := slices.DeleteFunc(contents.Builds(items, cgo), func(p string) bool { return built.done[p] })
		if err := release.Build(repo, dir, cgo, missing...); err != nil {
			return err
		}
		for _, p := range missing {
			built.done[p] = true
		}
	}
	return nil
}
