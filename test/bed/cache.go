// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cacheDir is where the roots, the binaries under test and the scratch
// directories of running machines live. It is made where it is missing.
func cacheDir() (string, error) {
	dir := os.Getenv("JUSTNEWS_TEST_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir() // XDG_CACHE_HOME, else ~/.cache
		if err != nil {
			return "", fmt.Errorf("cannot find a cache directory (set JUSTNEWS_TEST_CACHE): %w", err)
		}
		dir = filepath.Join(base, "justnews-test")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// lockFile waits for the exclusive lock on a file and returns it; closing the
// file gives the lock back, and so does the end of every process that has it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return f, nil
}
