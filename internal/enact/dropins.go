// SPDX-License-Identifier: Apache-2.0

package enact

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"justnews/internal/sudoers"
)

// mode is what sudo wants of its files.
const mode = 0o440

// dropIns is sudo's directory, opened once: nothing below goes by its path
// again, so that nobody can put another directory in its place.
type dropIns struct {
	root *os.Root
	// fresh is the new file before it has its name. sudo skips names with a
	// dot, so that it never reads a half-written rule.
	fresh string
}

func openDropIns(prefix string) (*dropIns, error) {
	root, err := os.OpenRoot(prefix + sudoers.Directory)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil {
		err = rootsOwn(info)
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &dropIns{root: root}, nil
}

// rootsOwn refuses a directory that others can write. The caller is root, or a
// test that owns its directory.
func rootsOwn(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written by others than root (%v)", sudoers.Directory, info.Mode())
	}
	return nil
}

func (d *dropIns) close() { _ = d.root.Close() }

// read returns what is there now; exists is false for nothing.
func (d *dropIns) read() (before former, err error) {
	info, err := d.root.Lstat(sudoers.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return former{}, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", sudoers.Name)
	}
	if err != nil {
		return former{}, err
	}
	text, err := d.root.ReadFile(sudoers.Name)
	return former{exists: true, text: string(text)}, err
}

// former is what a failed change puts back.
type former struct {
	exists bool
	text   string
}

// stage writes the new text beside its name and returns the path.
func (d *dropIns) stage(text string) (string, error) {
	d.fresh = "." + sudoers.Name + "." + rand.Text()
	f, err := d.root.OpenFile(d.fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	// The mode again: what O_CREATE gives goes through the umask.
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		d.drop()
		return "", err
	}
	return path.Join(d.root.Name(), d.fresh), nil
}

func (d *dropIns) drop() { _ = d.root.Remove(d.fresh) }

// commit gives the staged file its name.
func (d *dropIns) commit() error {
	return errors.Join(d.root.Rename(d.fresh, sudoers.Name), d.sync())
}

func (d *dropIns) remove() error {
	err := d.root.Remove(sudoers.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, d.sync())
}

// restore puts back what was there.
func (d *dropIns) restore(before former) error {
	if !before.exists {
		return d.remove()
	}
	if _, err := d.stage(before.text); err != nil {
		return errors.Join(err, d.remove())
	}
	return d.commit()
}

// sync makes a rename outlive a loss of power.
func (d *dropIns) sync() error {
	dir, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
