// SPDX-License-Identifier: Apache-2.0

package asuser

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const nobody = 65534

// closed is a file that only its owner, who runs the test, can read.
func closed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "secret")
	// Its parent is go test's, closed to others.
	open := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755))
	if err := errors.Join(open, os.WriteFile(name, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAsUser_HasThePermissionsOfTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	name := closed(t)
	var tried error
	if err := Do(nobody, []int{nobody}, func() { _, tried = os.ReadFile(name) }); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(tried, fs.ErrPermission) {
		t.Errorf("nobody read root's file: %v", tried)
	}
	// The rest of the process keeps its user.
	if _, err := os.ReadFile(name); err != nil {
		t.Error(err)
	}
}

func TestAsUser_HasThePermissionsOfTheGroups(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	name := closed(t)
	if err := errors.Join(os.Chown(name, 0, 4711), os.Chmod(name, 0o640)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		groups []int
		ok     bool
	}{{[]int{nobody, 4711}, true}, {[]int{4711}, true}, {[]int{nobody}, false}} {
		var tried error
		if err := Do(nobody, c.groups, func() { _, tried = os.ReadFile(name) }); err != nil {
			t.Fatal(err)
		}
		if (tried == nil) != c.ok {
			t.Errorf("groups %v: %v", c.groups, tried)
		}
	}
}

func TestAsUser_NeedsRoot(t *testing.T) {
	called := false
	if err := Do(os.Geteuid(), nil, func() { called = true }); err != nil || !called {
		t.Errorf("as oneself: %v, %v", called, err)
	}
	if os.Geteuid() == 0 {
		t.Skip("root can")
	}
	if err := Do(os.Geteuid()+1, nil, func() { t.Error("it was called") }); !errors.Is(err, ErrNotRoot) {
		t.Error(err)
	}
}
