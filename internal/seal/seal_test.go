// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"justnews/internal/safefile"
)

var one = Manifest{
	Version: "v1", Upstream: "abc",
	Files: []File{{"b/c", 2, strings.Repeat("1", 64)}, {"a", 1, strings.Repeat("0", 64)}},
	Links: []Link{{"z", "b/c"}},
}

func TestSeal_IsSortedValidAndReadBack(t *testing.T) {
	version := t.TempDir()
	if _, err := Read(version); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	text, err := one.Text()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second replaces the first
		if err := Write(version, text); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(version)
	if err != nil || string(got) != string(text) {
		t.Errorf("%s %v", got, err)
	}
	schema, err := jsonschema.NewCompiler().Compile("seal.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	m, err := Parse(text)
	want := one
	want.Schema, want.Algorithm = 1, "sha256"
	want.Files = []File{one.Files[1], one.Files[0]}
	if diff := cmp.Diff(want, m); diff != "" || err != nil {
		t.Error(diff, err)
	}
	entries, err := os.ReadDir(filepath.Join(version, Dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
}

func TestSeal_FailedWriteLeavesNothingBehind(t *testing.T) {
	version := t.TempDir()
	if err := os.MkdirAll(filepath.Join(version, Rel), 0o755); err != nil { // a directory in its place
		t.Fatal(err)
	}
	if err := Write(version, []byte("{}")); err == nil || !strings.HasPrefix(err.Error(), "cannot write the seal: ") {
		t.Errorf("%v", err)
	}
	entries, _ := os.ReadDir(filepath.Join(version, Dir))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestSeal_PlantedLinkIsRefused(t *testing.T) {
	version, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(version, Dir)); err != nil {
		t.Fatal(err)
	}
	if err := Write(version, []byte("{}")); err == nil {
		t.Error("written elsewhere")
	}
}

// The owner of a version may have put something of root's there. Only what root made for the
// seal is given to that user.
func TestSeal_WhatRootDidNotMakeStaysRoots(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	for what, plant := range map[string]func(path string) error{
		"a file":      func(path string) error { return os.WriteFile(path, []byte("secret"), 0o600) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		version := t.TempDir()
		path := filepath.Join(version, Dir)
		if err := errors.Join(os.Chown(version, 4242, 4242), plant(path)); err != nil {
			t.Fatal(err)
		}
		_ = Write(version, []byte("x"))
		if info, err := safefile.Lstat(path); err != nil || info.UID != 0 {
			t.Errorf("%s: %+v, %v", what, info, err)
		}
	}
	version := t.TempDir()
	err := errors.Join(os.Chown(version, 4242, 4242), Write(version, []byte("x")))
	for _, name := range []string{Dir, Rel} {
		if info, e := safefile.Lstat(filepath.Join(version, name)); err != nil || e != nil || info.UID != 4242 || info.GID != 4242 {
			t.Errorf("%s: %+v, %v, %v", name, info, err, e)
		}
	}
}

func TestParse_RefusesInvalidSeals(t *testing.T) {
	zeros := strings.Repeat("0", 64)
	for text, want := range map[string]string{
		"":                                  "not a seal",
		"[]":                                "not a seal",
		`{"schema":2,"algorithm":"sha256"}`: "schema 2",
		`{"schema":1,"algorithm":"md5"}`:    `"md5"`,
		`{"schema":1,"algorithm":"sha256","files":[{"path":"../x","sha256":"` + zeros + `"}]}`:                                    `"../x"`,
		`{"schema":1,"algorithm":"sha256","files":[{"path":"/x","sha256":"` + zeros + `"}]}`:                                      `"/x"`,
		`{"schema":1,"algorithm":"sha256","files":[{"path":"x","sha256":"00"}]}`:                                                  `"x"`,
		`{"schema":1,"algorithm":"sha256","files":[{"path":"x","sha256":"` + zeros + `"},{"path":"x","sha256":"` + zeros + `"}]}`: `"x"`,
		`{"schema":1,"algorithm":"sha256","links":[{"path":"x","target":""}]}`:                                                    `"x"`,
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
