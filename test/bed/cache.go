// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cacheDir has the roots, the binaries under test and the scratch directories of running
// machines. It is created if it is missing.
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

// scratchName is the prefix of the directories below the cache directory that have one
// directory for each machine.
const scratchName = "machines"

// place is the right to run a machine; there are as many as machines may run at a time.
type place struct {
	lock      *os.File
	scratches string // the directory for the scratch directories of its machines
}

// mostPlaces limits the default: all machines share the kernel's limits for root, such as
// 128 inotify instances, of which each machine uses about eight.
const mostPlaces = 4

// places returns how many machines may run at a time on this host.
func places() (int, error) {
	text := os.Getenv("JUSTNEWS_TEST_MACHINES")
	if text == "" {
		return min(runtime.NumCPU(), mostPlaces), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("JUSTNEWS_TEST_MACHINES=%s is no number of machines", text)
	}
	return n, nil
}

// takePlace waits until a place is free and takes it.
func takePlace(ctx context.Context, cache string) (place, error) {
	n, err := places()
	if err != nil {
		return place{}, err
	}
	for {
		for i := range n {
			suffix := ""
			if i > 0 {
				suffix = "-" + strconv.Itoa(i)
			}
			lock, err := lockFile(filepath.Join(cache, "machine"+suffix+".lock"), unix.LOCK_NB)
			if err == nil {
				return place{lock, filepath.Join(cache, scratchName+suffix)}, nil
			}
			if !errors.Is(err, unix.EWOULDBLOCK) {
				return place{}, err
			}
		}
		select {
		case <-time.After(50 * time.Millisecond): // no system call waits for any of several locks
		case <-ctx.Done():
			return place{}, fmt.Errorf("cannot get a place for a machine: %w", ctx.Err())
		}
	}
}

// lockFile waits for the exclusive lock on a file and returns the file; closing it releases
// the lock, and so does the end of every process that has it open. With unix.LOCK_NB it
// fails instead of waiting.
func lockFile(path string, flags ...int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock: %w", err)
	}
	how := unix.LOCK_EX
	for _, flag := range flags {
		how |= flag
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
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
