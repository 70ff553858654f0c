// SPDX-License-Identifier: Apache-2.0

package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCanonical_FollowsLinks(t *testing.T) {
	for p, want := range map[string]string{
		"/var/run/nvidia-mps": "/run/nvidia-mps", "/var/run": "/run", "/var/run/": "/run", "/var/lock/x": "/run/lock/x",
		"/run//nvidia-mps/": "/run/nvidia-mps", "/var/./run/x": "/run/x", "/var/running/x": "/var/running/x",
		"/srv/var/run/x": "/srv/var/run/x", "/": "/", "relative/../x": "x",
	} {
		if got := Canonical(p); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

func TestWithin_ComparesWholeNames(t *testing.T) {
	for _, c := range []struct {
		dir, path string
		want      bool
	}{
		{"/home", "/home", true}, {"/home", "/home/adra", true}, {"/home/", "/home/adra", true}, {"/", "/x", true},
		{"/home", "/homes", false}, {"/home/adra", "/home", false},
	} {
		if got := Within(c.dir, c.path); got != c.want {
			t.Errorf("%s in %s: %t", c.path, c.dir, got)
		}
	}
}

func TestCanonical_SameDirectoryFollowsLinks(t *testing.T) {
	root := t.TempDir()
	dir, link, file := filepath.Join(root, "dir"), filepath.Join(root, "link"), filepath.Join(root, "file")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Symlink("dir", link), os.WriteFile(file, nil, 0o644), os.Link(file, file+"2")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		one, other string
		want       bool
	}{
		{dir, link, true}, {link + "/", dir, true}, {dir, dir + "//", true},
		{dir, root, false}, {dir, filepath.Join(root, "absent"), false}, {file, file + "2", false},
		{"/var/run/absent", "/run/absent", true},
	} {
		if got := SameDirectory(t.Context(), c.one, c.other); got != c.want {
			t.Errorf("%s and %s: %t", c.one, c.other, got)
		}
	}
}

func TestLeads_FollowsLinksAsFarAsPossible(t *testing.T) {
	links := map[string]string{
		"/a": "/b", "/b/c": "../d/./e", "/d/e/f": "/absent/g", "/loop": "loop", "/up": "../../x", "/x/y": "z",
		"/inside": "/other/deep", "/through": "inside/../z",
	}
	files := map[string]bool{"/b": true, "/d": true, "/d/e": true, "/x": true, "/x/z": true,
		"/x/deep": true, "/other": true, "/other/deep": true, "/other/z": true}
	readlink := func(p string) (string, error) {
		target, link := links[p]
		switch {
		case link:
			return target, nil
		case files[p]:
			return "", &os.PathError{Op: "readlink", Path: p, Err: unix.EINVAL}
		case p == "/closed/x":
			return "", &os.PathError{Op: "readlink", Path: p, Err: unix.EACCES}
		}
		return "", &os.PathError{Op: "readlink", Path: p, Err: unix.ENOENT}
	}
	files["/closed"] = true
	for path, want := range map[string]string{
		"/a": "/b", "/a/c": "/d/e", "/a/c/f/h": "/absent/g/h", "/up/y/": "/x/z", "/none/x": "/none/x", "/": "/", "/closed/x/y": "/closed/x/y",
		"/x/deep/../z": "/x/z", "/through": "/other/z", "/inside/../z": "/other/z",
	} {
		if got := Leads(path, readlink); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]struct {
		at  string
		err error
	}{"/closed/x/y": {"/closed", unix.EACCES}, "/loop": {"/", unix.ELOOP}, "/a/c": {"/d/e", nil}, "/a/c/f": {"/", unix.ENOENT}} {
		if at, _, err := Follow(path, readlink); at != want.at || !errors.Is(err, want.err) {
			t.Errorf("%s: %s %v, want %s %v", path, at, err, want.at, want.err)
		}
	}
}
