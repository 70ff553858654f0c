// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"justnews/internal/safefile"
)

// mode is what sudo wants of its files.
const mode = 0o440

// maxRule bounds what is read of a rule, in bytes: ours has a few hundred.
const maxRule = 1 << 20

// dropIns is sudo's directory, opened once: nothing below goes by its path
// again, so that nobody can put another directory in its place.
type dropIns struct {
	root *os.Root
	// fresh is the new file before it has its name. sudo skips names with a
	// dot, so that it never reads a half-written rule.
	fresh string
}

func openDropIns(prefix string) (*dropIns, error) {
	root, err := os.OpenRoot(prefix + Directory)
	if err != nil {
		return nil, err
	}
	err = rootsOwn(root)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &dropIns{root: root}, nil
}

// rootsOwn refuses a directory that others can write. The caller is root, or a
// test that owns its directory.
func rootsOwn(root *os.Root) error {
	info, err := safefile.Of(root)
	if err != nil {
		return err
	}
	if info.Trust(os.Geteuid()) != nil {
		return fmt.Errorf("%s can be written by others than root (%v)", Directory, info.Mode)
	}
	return nil
}

func (d *dropIns) close() { _ = d.root.Close() }

// read returns what is there now; exists is false for nothing.
func (d *dropIns) read() (before former, err error) {
	text, err := safefile.ReadIn(d.root, Name, maxRule, safefile.NoFollow)
	if errors.Is(err, fs.ErrNotExist) {
		return former{}, nil
	}
	return former{exists: true, text: string(text)}, err
}

// former is what a failed change puts back.
type former struct {
	exists bool
	text   string
}

// stage writes the new text beside its name and returns the path.
func (d *dropIns) stage(text string) (string, error) {
	d.fresh = "." + Name + "." + rand.Text()
	rule := safefile.New{Data: []byte(text), Mode: mode, Sync: true}
	if err := rule.Write(d.root, d.fresh); err != nil {
		return "", err
	}
	return path.Join(d.root.Name(), d.fresh), nil
}

func (d *dropIns) drop() { _ = d.root.Remove(d.fresh) }

// commit gives the staged file its name.
func (d *dropIns) commit() error {
	return errors.Join(d.root.Rename(d.fresh, Name), d.sync())
}

func (d *dropIns) remove() error {
	err := d.root.Remove(Name)
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
func (d *dropIns) sync() error { return safefile.SyncDir(d.root) }
