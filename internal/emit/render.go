// SPDX-License-Identifier: Apache-2.0

// Package emit writes a plan as files below the generator's directory, or as
// text, and reports problems where a generator can log them. It renders and
// checks everything before it writes anything, and first writes the drop-in
// that keeps every gate shut. It does not read the configuration and never
// exits.
package emit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"justnews/internal/diag"
	"justnews/internal/kernelcmdline"
	"justnews/internal/plan"
	"justnews/internal/unitname"
)

// File is one thing to write: a regular file, or a link where Link is set. Dir
// is "" for the top of the output directory.
type File struct {
	Dir, Name string
	Text      []byte
	Link      string
}

// Path returns the file's path below the output directory.
func (f File) Path() string {
	if f.Dir == "" {
		return f.Name
	}
	return f.Dir + "/" + f.Name
}

// templatePath is where the packages install the template. For a link in a
// .wants directory only the name matters; its target just has to exist.
const (
	unitDir      = "/usr/lib/systemd/system/"
	templatePath = unitDir + unitname.Template
)

// Render returns the files of a plan, the fail-closed base first. If there are
// problems, no file must be written.
func Render(p *plan.Plan) ([]File, []diag.Problem) {
	files := make([]File, 0, len(p.DropIns)+len(p.Wanted)+2)
	buf := make([]byte, 0, 1024*(len(p.DropIns)+4)) // about 900 bytes each
	var problems []diag.Problem
	add := func(d *plan.DropIn) {
		start := len(buf)
		var err error
		if buf, err = d.Append(buf); err == nil {
			err = d.Verify(buf[start:])
		}
		if err != nil {
			problems = append(problems, diag.New(diag.UnitText, d.Dir+"/"+d.Name, err.Error(), diag.Advise("change the value in /etc/justnews/justnews.toml")))
			return
		}
		files = append(files, File{Dir: d.Dir, Name: d.Name, Text: buf[start:len(buf):len(buf)]})
	}
	add(&p.Base)
	if p.GateOff {
		files = append(files, File{Name: kernelcmdline.Marker, Text: []byte(kernelcmdline.GateKey + "=" + kernelcmdline.GateOffValue + " is on the kernel command line\n")})
	}
	for i := range p.DropIns {
		add(&p.DropIns[i])
	}
	for _, unit := range p.Wanted {
		target := templatePath
		if unit == plan.HealUnit {
			target = unitDir + unit
		}
		files = append(files, File{Dir: unitname.Target + ".wants", Name: unit, Link: target})
	}
	return files, problems
}

// Write writes files below dir, in order. The first file is renamed into place:
// it masks the packaged base, so an empty file (on a full /run) would be an
// open gate. On error Write stops and removes what it wrote, except for the
// first file: an instance's drop-ins must not stay with the base of another
// plan.
//
// Every step is one system call on an open directory, with names that were
// checked for slashes, and no link below dir is followed. os.Root does the
// same, but opens every directory twice and registers every file with the
// poller, which adds a fifth to the time spent in the kernel.
func Write(dir string, files []File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot write drop-ins: %w", err)
	}
	top, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot write drop-ins: %w", &os.PathError{Op: "open", Path: dir, Err: err})
	}
	defer func() { _ = unix.Close(top) }()
	w := writer{top: top, old: -1}
	defer w.leave()
	for i, f := range files {
		if err := w.put(f, i == 0); err != nil {
			for _, done := range slices.Backward(files[min(i, 1):i]) {
				w.remove(done)
			}
			return fmt.Errorf("cannot write %s: %w", f.Path(), err)
		}
	}
	return nil
}

// writer remembers the directory of the last file.
type writer struct {
	top int
	dir string // of the last file
	old int    // dir, open, if it existed before; else -1
}

var errName = errors.New("not a plain file name")

func (w *writer) put(f File, atomic bool) error {
	if !plain(f.Name) || f.Dir != "" && !plain(f.Dir) {
		return errName
	}
	at, name, err := w.locate(f)
	switch {
	case err != nil:
		return err
	case f.Link != "":
		return link(at, name, f.Link)
	case atomic:
		return replace(at, name, f.Text)
	default:
		return write(at, name, f.Text)
	}
}

func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// locate creates the directory of a file and returns where to write it. A
// directory that was just created cannot be a link, so DIR/NAME can be used. An
// existing one is opened without following links.
func (w *writer) locate(f File) (at int, name string, err error) {
	if f.Dir == "" {
		return w.top, f.Name, nil
	}
	if w.dir != f.Dir {
		w.leave()
		err := unix.Mkdirat(w.top, f.Dir, 0o755)
		if err == unix.EEXIST {
			w.old, err = unix.Openat(w.top, f.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			return -1, "", os.NewSyscallError("mkdirat", err)
		}
		w.dir = f.Dir
	}
	if w.old >= 0 {
		return w.old, f.Name, nil
	}
	return w.top, f.Dir + "/" + f.Name, nil
}

func (w *writer) remove(f File) {
	if at, name, err := w.locate(f); err == nil {
		_ = unix.Unlinkat(at, name, 0)
	}
}

func (w *writer) leave() {
	if w.old >= 0 {
		_ = unix.Close(w.old)
	}
	w.dir, w.old = "", -1
}

func link(at int, name, target string) error {
	err := unix.Symlinkat(target, at, name)
	if err == unix.EEXIST {
		if err = unix.Unlinkat(at, name, 0); err == nil {
			err = unix.Symlinkat(target, at, name)
		}
	}
	return os.NewSyscallError("symlinkat", err)
}

// replace writes a temporary file and renames it; systemd reads only names in .conf.
func replace(at int, name string, text []byte) error {
	temporary := name + ".new"
	if err := write(at, temporary, text); err != nil {
		return err
	}
	return os.NewSyscallError("renameat", unix.Renameat(at, temporary, at, name))
}

func write(at int, name string, text []byte) error {
	fd, err := unix.Openat(at, name, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return os.NewSyscallError("openat", err)
	}
	err = writeAll(fd, text)
	if closed := unix.Close(fd); err == nil {
		err = os.NewSyscallError("close", closed)
	}
	if err != nil {
		_ = unix.Unlinkat(at, name, 0)
	}
	return err
}

func writeAll(fd int, text []byte) error {
	for len(text) > 0 {
		n, err := unix.Write(fd, text)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return os.NewSyscallError("write", err)
		case n == 0:
			return unix.EIO
		}
		text = text[n:]
	}
	return nil
}

// Print writes what Write would, each file under a line "# path", a link as
// "# path -> target".
func Print(w io.Writer, dir string, files []File) error {
	out := bufio.NewWriter(w)
	for i, f := range files {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString("# " + filepath.Join(dir, f.Path()))
		if f.Link != "" {
			out.WriteString(" -> " + f.Link)
		}
		out.WriteByte('\n')
		out.Write(f.Text)
	}
	return out.Flush()
}
