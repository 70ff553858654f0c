// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"justnews/internal/diag"
)

// maxFile bounds a configuration file, in bytes. Ten thousand instances need
// about as much.
const maxFile = 1 << 20

// maxLinks is the kernel's own limit (path_resolution(7)).
const maxLinks = 40

// resolve returns the path to open. Below a Root links are followed here, as
// chroot(2) would: an absolute one starts again at Root, and none leads out.
func (s Source) resolve(name string) (string, error) {
	if s.Root == "" {
		return name, nil
	}
	todo, done := strings.Split(name, "/"), "/"
	for links := 0; len(todo) > 0; {
		step := todo[0]
		todo = todo[1:]
		next := path.Join(done, step)
		if step == "" || step == "." || step == ".." {
			done = next
			continue
		}
		target, err := os.Readlink(s.Root + next)
		if err != nil {
			done = next // no link, or nothing at all: opening it will tell
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
		}
		if path.IsAbs(target) {
			done = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return s.Root + done, nil
}

// readFile reads one file, or says why it may or can not be read. What is
// examined is the open file, not its name: a link that root made to a file of
// root is as good as the file.
func readFile(src Source, name string) (string, *diag.Problem) {
	at := name
	if src.File == "" {
		resolved, err := src.resolve(name)
		if err != nil {
			return "", new(unreadable(name, "cannot be opened", err))
		}
		at = resolved
	}
	// O_NONBLOCK: a fifo must not hold a generator, and with it the boot.
	fd, err := openRetry(at, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOCTTY)
	if err != nil {
		return "", openProblem(src, name, at, err)
	}
	defer syscall.Close(fd)
	return readOpen(src, name, fd)
}

func openRetry(name string, flags int) (int, error) {
	for {
		fd, err := syscall.Open(name, flags, 0)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

func openProblem(src Source, name, at string, err error) *diag.Problem {
	info, statErr := os.Lstat(at)
	switch {
	case src.File != "" && os.IsNotExist(err) && statErr != nil:
		return new(missing(src))
	case os.IsNotExist(err) && present(src, name):
		return new(unreadable(name, "is a link to nothing", nil))
	case errors.Is(err, syscall.ENXIO) && statErr == nil:
		return new(unreadable(name, "is "+describe(info.Mode())+", not a regular file", nil))
	}
	return new(unreadable(name, "cannot be opened", err))
}

func readOpen(src Source, name string, fd int) (string, *diag.Problem) {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return "", new(unreadable(name, "cannot be examined", err))
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return "", new(unreadable(name, "is "+describeRaw(st.Mode)+", not a regular file", nil))
	}
	if problem := ownerOf(src, name, st.Uid, st.Mode); problem != nil {
		return "", problem
	}
	if st.Size > maxFile {
		return "", new(unreadable(name, tooLarge(st.Size), nil))
	}
	text, err := readAll(fd, int(st.Size))
	if err != nil {
		return "", new(unreadable(name, "cannot be read", err))
	}
	if len(text) > maxFile {
		return "", new(unreadable(name, tooLarge(int64(len(text))), nil))
	}
	return string(text), nil
}

func tooLarge(size int64) string {
	return fmt.Sprintf("is too large: %d bytes, the limit is %d", size, maxFile)
}

// readAll reads to the end, or just beyond maxFile where the file has grown.
func readAll(fd, size int) ([]byte, error) {
	buf := make([]byte, size+1)
	n := 0
	for {
		if n == len(buf) {
			if n > maxFile {
				return buf, nil
			}
			buf = append(buf, make([]byte, len(buf))...)
		}
		got, err := syscall.Read(fd, buf[n:])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case got <= 0:
			return buf[:n], nil
		default:
			n += got
		}
	}
}

func describeRaw(mode uint32) string {
	switch mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		return "a directory"
	case syscall.S_IFIFO:
		return "a fifo"
	case syscall.S_IFSOCK:
		return "a socket"
	case syscall.S_IFCHR, syscall.S_IFBLK:
		return "a device"
	}
	return "a special file"
}

func describe(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a fifo"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

func ownerProblem(src Source, name string, info os.FileInfo) *diag.Problem {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return new(unreadable(name, "has no owner that can be examined", nil))
	}
	return ownerOf(src, name, st.Uid, st.Mode)
}

// ownerOf refuses what somebody other than root could have written: who writes
// the configuration writes ExecStart= of every agent.
func ownerOf(src Source, name string, uid, mode uint32) *diag.Problem {
	shown := src.shown(name)
	if !src.mayOwn(uid) {
		return &diag.Problem{
			Code:     diag.ConfigOwner,
			Position: &diag.Position{File: name},
			Message:  "is owned by uid " + strconv.FormatUint(uint64(uid), 10) + " and is not believed",
			Seen:     "uid " + strconv.FormatUint(uint64(uid), 10),
			Expected: "owned by root",
			Fix:      diag.Do(diag.Run("chown", "root:root", "--", shown), diag.Reload()),
		}
	}
	if mode&0o022 != 0 {
		return &diag.Problem{
			Code:     diag.ConfigOwner,
			Position: &diag.Position{File: name},
			Message:  fmt.Sprintf("is writable by group or others (mode %04o) and is not believed", mode&0o7777),
			Seen:     fmt.Sprintf("mode %04o", mode&0o7777),
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
