// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Canonical returns a path as every host resolves it: without redundant slashes,
// and below /run where it goes through the links that are kept for old programs.
// Paths are compared in this form. It reads nothing.
func Canonical(p string) string {
	p = filepath.Clean(p)
	for _, link := range [][2]string{{"/var/run", "/run"}, {"/var/lock", "/run/lock"}} {
		if rest, ok := strings.CutPrefix(p, link[0]); ok && (rest == "" || rest[0] == '/') {
			return link[1] + rest
		}
	}
	return p
}

// Within reports whether a path is a directory or below it, judging by its text.
func Within(dir, p string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// SameDirectory reports whether two paths lead to one directory, also through
// links. If that is not known when ctx ends, they do not.
func SameDirectory(ctx context.Context, one, other string) bool {
	if Canonical(one) == Canonical(other) {
		return true
	}
	same, err := Do(ctx, func() (bool, error) {
		a, err := Stat(one)
		if err != nil {
			return false, err
		}
		b, err := Stat(other)
		return a.Mode.IsDir() && a.Same(b), err
	})
	return err == nil && same
}

// maxLinks is how many links a path may lead through, as in the kernel.
const maxLinks = 40

// Follow returns how far an absolute path leads through links: to the path at,
// which has none, and what is left of it, whose first component cannot be looked at
// because of err. Readlink is os.Readlink, or one below another root.
func Follow(path string, readlink func(string) (string, error)) (at, left string, err error) {
	at = "/"
	todo := strings.Split(path, "/")
	for links := 0; len(todo) > 0; {
		next := filepath.Join(at, todo[0])
		target, err := readlink(next)
		switch {
		case next == at, next == filepath.Dir(at), errors.Is(err, unix.EINVAL): // not a link
			at, todo = next, todo[1:]
			continue
		case err != nil:
			return at, filepath.Join(todo...), err
		}
		if links++; links > maxLinks {
			return at, filepath.Join(todo...), unix.ELOOP
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		todo = append(strings.Split(target, "/"), todo[1:]...)
	}
	return at, "", nil
}

// Leads returns where a path leads through links, as far as they can be followed.
func Leads(path string, readlink func(string) (string, error)) string {
	at, left, _ := Follow(path, readlink)
	return filepath.Join(at, left)
}
