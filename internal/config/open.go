// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"syscall"

	"justnews/internal/diag"
	"justnews/internal/safefile"
)

// maxFile bounds a configuration file, in bytes. Ten thousand instances need
// about that much.
const maxFile = 1 << 20

// resolve returns the path to open. Below a Root, links are resolved as chroot(2)
// would: an absolute link starts at Root, and no link leads out of it.
func (s Source) resolve(name string) (string, error) {
	if s.Root == "" {
		return name, nil
	}
	at, left, err := safefile.Follow(name, func(p string) (string, error) { return os.Readlink(s.Root + p) })
	if errors.Is(err, syscall.ELOOP) {
		return "", &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
	}
	return s.Root + path.Join(at, left), nil // what does not exist shows when it is opened
}

// readFile reads one file, or reports why it must not or cannot be read. It
// examines the open file, not its name: a link that root made to a file owned
// by root is fine.
func readFile(src Source, name string) (string, *diag.Problem) {
	at := name
	if src.File == "" {
		resolved, err := src.resolve(name)
		if err != nil {
			return "", new(unreadable(name, "cannot be opened", err))
		}
		at = resolved
	}
	f, err := safefile.Open(at, 0)
	if err != nil {
		return "", openProblem(src, name, at, err)
	}
	defer func() { _ = f.Close() }()
	if problem := ownerOf(src, name, f.Info); problem != nil {
		return "", problem
	}
	text, err := f.All(maxFile)
	switch {
	case errors.Is(err, safefile.ErrTooLarge):
		return "", new(unreadable(name, tooLarge(f.Size), nil))
	case err != nil:
		return "", new(unreadable(name, "cannot be read", err))
	}
	return string(text), nil
}

func openProblem(src Source, name, at string, err error) *diag.Problem {
	_, statErr := os.Lstat(at)
	switch {
	case src.File != "" && os.IsNotExist(err) && statErr != nil:
		return new(missing(src))
	case os.IsNotExist(err) && present(src, name):
		return new(unreadable(name, "is a dangling link", nil))
	case errors.Is(err, safefile.ErrNotRegular):
		why, _ := errors.AsType[*fs.PathError](err)
		return new(unreadable(name, why.Err.Error(), nil))
	}
	return new(unreadable(name, "cannot be opened", err))
}

func tooLarge(size int64) string {
	return fmt.Sprintf("is too large: %d bytes, the limit is %d", size, maxFile)
}

// ownerOf rejects what a user other than root could have written: whoever can
// write the configuration can set ExecStart= of every agent.
func ownerOf(src Source, name string, info safefile.Info) *diag.Problem {
	uid := strconv.Itoa(info.UID)
	shown := src.shown(name)
	if !src.mayOwn(info.UID) {
		return &diag.Problem{
			Code:     diag.ConfigOwner,
			Position: &diag.Position{File: name},
			Message:  "is owned by uid " + uid + " and is not trusted",
			Seen:     "uid " + uid,
			Expected: "owned by root",
			Fix:      diag.Do(diag.Run("chown", "root:root", "--", shown), diag.Reload()),
		}
	}
	if info.Mode&0o022 != 0 {
		return &diag.Problem{
			Code:     diag.ConfigOwner,
			Position: &diag.Position{File: name},
			Message:  fmt.Sprintf("is writable by group or others (mode %04o) and is not trusted", safefile.Bits(info.Mode)),
			Seen:     fmt.Sprintf("mode %04o", safefile.Bits(info.Mode)),
			Expected: "writable by its owner only",
			Fix:      diag.Do(diag.Run("chmod", "go-w", "--", shown), diag.Reload()),
		}
	}
	return nil
}

// shown is the path to type into a shell.
func (s Source) shown(name string) string {
	if s.File != "" {
		return name
	}
	return s.Root + name
}
