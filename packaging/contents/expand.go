// SPDX-License-Identifier: Apache-2.0

package contents

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Maker generates a file from the sources in a repository.
type Maker func(repository string) ([]byte, error)

// Item is one file or directory on the host. A program has Build, everything
// else but a directory has Content.
type Item struct {
	Dest    string // absolute, without a slash at the end
	Mode    fs.FileMode
	Kind    Kind
	Group   string
	Build   string
	Cgo     bool
	Content []byte
}

// For returns what of the list is for a format ("deb", "rpm"), or what is for
// all of them ("").
func For(list []File, format string) []File {
	var out []File
	for _, f := range list {
		if f.Only == "" || f.Only == format {
			out = append(out, f)
		}
	}
	return out
}

// Programs returns what of the list is built.
func Programs(list []File) []File {
	return slices.DeleteFunc(slices.Clone(list), func(f File) bool { return f.Build == "" })
}

// Builds returns the main packages of items, those that need cgo or the others.
func Builds(items []Item, cgo bool) []string {
	var all []string
	for _, i := range items {
		if i.Build != "" && i.Cgo == cgo {
			all = append(all, i.Build)
		}
	}
	return all
}

// nvidia is what only hosts with NVIDIA's driver need.
var nvidia = []string{
	libexec + "justnews-nvml",
	path.Clean(libexec),
	units + "justnews-mps.service",
	units + "justnews-mps-start.service",
	"/usr/share/dbus-1/system.d/org.justnews.MPS1.conf",
	"/usr/share/dbus-1/system-services/org.justnews.MPS1.service",
	"/usr/share/man/man8/justnews-nvml.8.gz",
}

// Split divides items between the two packages of the distributions' own builds:
// justnews-nvidia depends on software that is not free, justnews does not. nfpm's
// packages have both.
func Split(items []Item) map[string][]Item {
	out := map[string][]Item{}
	for _, i := range items {
		name := "justnews"
		if slices.Contains(nvidia, i.Dest) {
			name = "justnews-nvidia"
		}
		out[name] = append(out[name], i)
	}
	return out
}

// Expand reads and makes what a list names. A pattern that matches nothing is
// an error, unless it is optional.
func Expand(repository string, list []File) ([]Item, error) {
	var items []Item
	for _, f := range list {
		found, err := f.expand(repository)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && !f.Optional {
			return nil, fmt.Errorf("cannot install %s%s: the repository has none", f.Source, f.Build)
		}
		items = append(items, found...)
	}
	return items, nil
}

func (f File) expand(repository string) ([]Item, error) {
	switch {
	case f.Build != "":
		if _, err := os.Stat(filepath.Join(repository, f.Build)); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		item := f.item(path.Base(f.Build), nil)
		item.Build, item.Cgo = f.Build, f.Cgo
		return []Item{item}, nil
	case f.Make != nil:
		text, err := f.Make(repository)
		if err != nil {
			return nil, fmt.Errorf("cannot make %s: %w", f.Dest, err)
		}
		return []Item{f.item(path.Base(f.Dest), text)}, nil
	case f.Source != "":
		return f.read(repository)
	default:
		return []Item{f.item("", nil)}, nil
	}
}

func (f File) read(repository string) ([]Item, error) {
	found, err := filepath.Glob(filepath.Join(repository, f.Source))
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, name := range found {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		items = append(items, f.item(filepath.Base(name), text))
	}
	return items, nil
}

// item puts one name and its text in its place.
func (f File) item(name string, text []byte) Item {
	dest := f.Dest
	if strings.HasSuffix(dest, "/") && f.Kind != Dir && f.Kind != Ghost {
		dest += name
	}
	if f.Gzip {
		dest, text = dest+".gz", compress(text)
	}
	return Item{Dest: path.Clean(dest), Mode: f.Mode, Kind: f.Kind, Group: cmp.Or(f.Group, "root"), Content: text}
}

// compress is gzip without a name and a time: the same text is the same bytes.
func compress(text []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything, and the level is one that exists
	}
	return b.Bytes()
}
