// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
	"justnews/internal/probe/store"
	"justnews/test/reference/hang"
	reference "justnews/test/reference/store"
)

// returns fails the test where f does not return long after its deadline.
func returns(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not return")
	}
}

// zip64 ends a sparse file with the directory of an archive that claims n entries.
func zip64(path string, size int64, n uint64) error {
	end := []byte("PK\x06\x06")
	end = binary.LittleEndian.AppendUint64(end, 44)
	end = append(end, make([]byte, 12)...)
	for _, v := range []uint64{n, n, 46, 4} { // entries here and in all, length and place of the directory
		end = binary.LittleEndian.AppendUint64(end, v)
	}
	end = append(end, "PK\x06\x07\x00\x00\x00\x00"...)
	end = binary.LittleEndian.AppendUint64(end, uint64(size))
	end = append(end, "\x01\x00\x00\x00PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00"...)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, first := f.WriteString("PK\x03\x04")
	_, last := f.WriteAt(end, size)
	return errors.Join(first, last, f.Close())
}

func sparse(path string, size int64) error {
	return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, size))
}

func TestLook_ReturnsForAnyContent(t *testing.T) {
	for name, plant := range map[string]func(s *reference.Store, dir, snapshot string) error{
		"refs/main is a FIFO": func(_ *reference.Store, dir, _ string) error {
			return unix.Mkfifo(filepath.Join(dir, "refs", "main"), 0o666)
		},
		"refs/main points to a device": func(_ *reference.Store, dir, _ string) error {
			return os.Symlink("/dev/zero", filepath.Join(dir, "refs", "main"))
		},
		"refs/main has 60 GB": func(_ *reference.Store, dir, _ string) error {
			return sparse(filepath.Join(dir, "refs", "main"), 60<<30)
		},
		"a zip64 of 243 GB claims 7.5e9 entries": func(_ *reference.Store, _, snapshot string) error {
			return zip64(filepath.Join(snapshot, "pytorch_model.bin"), 243e9, 7_500_000_000)
		},
		"weights of 60 GB": func(_ *reference.Store, _, snapshot string) error {
			return sparse(filepath.Join(snapshot, "more.safetensors"), 60<<30)
		},
		"an index of 60 GB": func(_ *reference.Store, _, snapshot string) error {
			return sparse(filepath.Join(snapshot, "model.safetensors.index.json"), 60<<30)
		},
		"a manifest of 1 GB": func(s *reference.Store, _, _ string) error {
			return sparse(filepath.Join(s.Root, scouts.Agent, "versions", "v1", "manifest.json"), 1<<30)
		},
		"the manifest is a FIFO": func(s *reference.Store, _, _ string) error {
			path := filepath.Join(s.Root, scouts.Agent, "versions", "v1", "manifest.json")
			return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o666))
		},
		"the seal points to a device": func(s *reference.Store, _, _ string) error {
			dir := filepath.Join(s.Root, scouts.Agent, "versions", "v1", ".justnews")
			return errors.Join(os.Mkdir(dir, 0o755), os.Symlink("/dev/zero", filepath.Join(dir, "manifest.json")))
		},
		"config.json points to a FIFO": func(_ *reference.Store, dir, snapshot string) error {
			fifo, config := filepath.Join(dir, "fifo"), filepath.Join(snapshot, "config.json")
			return errors.Join(unix.Mkfifo(fifo, 0o666), os.Remove(config), os.Symlink(fifo, config))
		},
		"a directory nested as deep as a path can be": func(_ *reference.Store, _, snapshot string) error {
			return os.MkdirAll(filepath.Join(snapshot, strings.Repeat("d/", (4000-len(snapshot))/2)), 0o755)
		},
		"a loop of links": func(_ *reference.Store, _, snapshot string) error {
			return errors.Join(os.Symlink("b", filepath.Join(snapshot, "a")), os.Symlink("a", filepath.Join(snapshot, "b")))
		},
		"a directory where weights are expected": func(_ *reference.Store, _, snapshot string) error {
			return os.Mkdir(filepath.Join(snapshot, "pytorch_model.bin"), 0o755)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := made(t)
			dir := s.Dir(scouts)
			_ = os.MkdirAll(filepath.Join(dir, "refs"), 0o755)
			_ = os.Remove(filepath.Join(dir, "refs", "main"))
			if err := plant(s, dir, s.Snapshot(scouts)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			returns(t, func() {
				at := store.Store{Root: s.Root}
				look := at.Look(ctx, []facts.StoreWant{want(scouts)})
				at.Prove(ctx, look.Trees, store.Proving{Names: true})
			})
		})
	}
}

// Each part of the store on a file system that never answers.
func TestLook_HangingFileSystemIsGivenUp(t *testing.T) {
	for how, what := range map[hang.How]string{hang.Deaf: "never reads", hang.Mute: "reads and never answers"} {
		for name, where := range map[string]func(*reference.Store) string{
			"the store":     func(s *reference.Store) string { return s.Root },
			"the snapshot":  func(s *reference.Store) string { return s.Snapshot(scouts) },
			"the reference": func(s *reference.Store) string { return filepath.Join(s.Dir(scouts), "refs") },
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				s := made(t)
				tree := store.Store{Root: s.Root}.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees[0]
				_ = os.MkdirAll(where(s), 0o755)
				unmount, err := hang.Mount(where(s), how)
				if err != nil {
					t.Skip(err)
				}
				defer unmount()
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				returns(t, func() {
					at := store.Store{Root: s.Root}
					at.Look(ctx, []facts.StoreWant{want(scouts)})
					if p := at.Prove(ctx, []facts.StoreTree{tree}, store.Proving{})[0]; p.Verdict != facts.OutOfTime {
						t.Errorf("%+v", p)
					}
					if p, err := at.Seal(ctx, tree, store.Proving{}); err != nil || p.Verdict != facts.OutOfTime {
						t.Errorf("%+v %v", p, err)
					}
				})
			})
		}
	}
}

func TestLook_EndsWithItsContext(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 100,000 files")
	}
	s := made(t)
	for i := range 100_000 {
		if err := os.WriteFile(filepath.Join(s.Snapshot(scouts), fmt.Sprint(i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	look := store.Store{Root: s.Root}.Look(ctx, []facts.StoreWant{want(scouts)})
	t.Logf("20 ms became %v", time.Since(began))
	if ctx.Err() == nil {
		t.Skip("this machine is faster than its deadline")
	}
	for _, m := range look.Models {
		if len(m.Faults) == 0 && m.Files > 100_000 {
			t.Errorf("it looked at %d files", m.Files)
		}
	}
}

// gitName is how git names a content.
func gitName(text string) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text)))
}

func TestSeal_ChecksumInTheNameMustMatch(t *testing.T) {
	const text = "the content of a blob"
	sum := "0000000000000000000000000000000000000000000000000000000000000000"
	for name, c := range map[string]struct {
		blob  string
		whole bool
	}{
		"a SHA-256 of another content":  {blob: sum},
		"the git name of other content": {blob: sum[:40]},
		"its git name":                  {blob: gitName(text), whole: true},
		"no digest at all":              {blob: "weights", whole: true},
	} {
		for _, manifested := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, manifest %v", name, manifested), func(t *testing.T) {
				s := made(t)
				blobs := filepath.Join(s.Dir(scouts), "blobs")
				_ = os.Mkdir(blobs, 0o755)
				if err := os.WriteFile(filepath.Join(blobs, c.blob), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				manifest := filepath.Join(s.Root, scouts.Agent, "versions", "v1", "manifest.json")
				if err := os.Remove(manifest); err != nil {
					t.Fatal(err)
				}
				if manifested {
					sum, err := reference.Checksum(filepath.Dir(manifest))
					if err != nil {
						t.Fatal(err)
					}
					text := fmt.Sprintf(`{"version": "v1", "checksum": %q}`, sum)
					if err := os.WriteFile(manifest, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				at := store.Store{Root: s.Root}
				tree := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees[0]
				p, err := at.Seal(t.Context(), tree, store.Proving{})
				if err != nil {
					t.Fatal(err)
				}
				_, sealed := os.Lstat(filepath.Join(tree.Path, ".justnews", "manifest.json"))
				if (p.Verdict == facts.Whole) != c.whole || (sealed == nil) != c.whole {
					t.Errorf("seal: %+v, %v", p, sealed)
				}
				if c.whole {
					return
				}
				if p.Verdict != facts.Differs || len(p.Flaws) == 0 || p.Flaws[0].Kind != facts.FlawContent {
					t.Errorf("seal: %+v", p)
				}
				p = at.Prove(t.Context(), []facts.StoreTree{tree}, store.Proving{Names: true})[0]
				if p.Verdict != facts.Differs || len(p.Flaws) != 1 {
					t.Errorf("verify: %+v", p)
				}
			})
		}
	}
}

// Without file descriptors nothing is known of any file.
func TestProve_WithoutFileDescriptorsIsNeitherWholeNorCorrupt(t *testing.T) {
	s := made(t)
	at := store.Store{Root: s.Root}
	trees := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	used := descriptors(t)
	for spare := range 12 {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: uint64(used + spare), Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		p := at.Prove(t.Context(), trees, store.Proving{Names: true})[0]
		sealed, sealErr := at.Seal(t.Context(), trees[0], store.Proving{})
		look := at.Look(t.Context(), []facts.StoreWant{want(scouts)})
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d spare: %s %s", spare, p.Verdict, p.Reason)
		if p.Verdict == facts.Differs || sealed.Verdict == facts.Differs {
			t.Errorf("%d spare: called corrupt: %+v, %+v %v", spare, p, sealed, sealErr)
		}
		for _, m := range look.Models {
			for _, f := range m.Faults {
				if f.Kind != facts.Unreadable {
					t.Errorf("%d spare: %+v", spare, f)
				}
			}
		}
		_ = os.RemoveAll(filepath.Join(trees[0].Path, ".justnews"))
	}
}

// descriptors opens files until every number below the highest that is in use is
// taken, and returns how many are.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	highest := 0
	for _, e := range open {
		var n int
		_, _ = fmt.Sscan(e.Name(), &n)
		highest = max(highest, n)
	}
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		if n := int(f.Fd()); n > highest {
			return n + 1
		}
	}
}

// If the system cannot describe an entry, it is unknown whether it is valid.
func TestProve_UnreadableEntryIsUnchecked(t *testing.T) {
	s := made(t)
	long := filepath.Join(s.Snapshot(scouts), "link")
	// The system refuses to follow a target of this length: neither missing nor wrong.
	if err := os.Symlink(strings.Repeat("n", 300), long); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(long); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	at := store.Store{Root: s.Root}
	trees := at.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees
	p := at.Prove(t.Context(), trees, store.Proving{})[0]
	if p.Verdict != facts.Unchecked || !slices.ContainsFunc(p.Flaws, func(f facts.ProofFlaw) bool { return f.Kind == facts.FlawRead }) {
		t.Errorf("%+v", p)
	}
	if p, err := at.Seal(t.Context(), trees[0], store.Proving{}); err != nil || p.Verdict != facts.Unchecked {
		t.Errorf("%+v %v", p, err)
	}
}

// A read error does not prove that the content is wrong, or that it is right.
func TestInspect_ReadErrorIsNeitherWholeNorCorrupt(t *testing.T) {
	const text = "the content of a blob"
	for _, sealed := range []bool{false, true} {
		for name, at := range map[string]func(*reference.Store) string{
			"weights":      func(s *reference.Store) string { return filepath.Join(s.Snapshot(scouts), "model.safetensors") },
			"a small file": func(s *reference.Store) string { return filepath.Join(s.Snapshot(scouts), "config.json") },
			"a blob":       func(s *reference.Store) string { return filepath.Join(s.Dir(scouts), "blobs", gitName(text)) },
			"the manifest": func(s *reference.Store) string {
				return filepath.Join(s.Root, scouts.Agent, "versions", "v1", "manifest.json")
			},
			"the seal": func(s *reference.Store) string {
				return filepath.Join(s.Root, scouts.Agent, "versions", "v1", ".justnews", "manifest.json")
			},
			"the reference": func(s *reference.Store) string { return filepath.Join(s.Dir(scouts), "refs", "main") },
		} {
			if name == "the seal" && !sealed {
				continue
			}
			t.Run(fmt.Sprintf("%s, sealed %v", name, sealed), func(t *testing.T) {
				s := made(t)
				for path, text := range map[string]string{
					filepath.Join(s.Dir(scouts), "blobs", gitName(text)): text,
					filepath.Join(s.Dir(scouts), "refs", "main"):         "0123abcd",
				} {
					if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
						t.Fatal(err)
					}
				}
				version := filepath.Join(s.Root, scouts.Agent, "versions", "v1")
				sum, err := reference.Checksum(version)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(version, "manifest.json"), fmt.Appendf(nil, `{"version": "v1", "checksum": %q}`, sum), 0o644); err != nil {
					t.Fatal(err)
				}
				looker := store.Store{Root: s.Root}
				trees := looker.Look(t.Context(), []facts.StoreWant{want(scouts)}).Trees
				if p, err := looker.Seal(t.Context(), trees[0], store.Proving{}); err != nil || p.Verdict != facts.Whole {
					t.Fatalf("%+v %v", p, err)
				}
				if !sealed {
					if err := os.RemoveAll(filepath.Join(version, ".justnews")); err != nil {
						t.Fatal(err)
					}
				}
				unmount, err := hang.Mount(at(s), hang.Failing)
				if err != nil {
					t.Skip(err)
				}
				defer unmount()
				for how, p := range map[string]store.Proving{"verify": {Names: true}, "deep": {Deep: true}} {
					proof := looker.Prove(t.Context(), trees, p)[0]
					t.Logf("%s: %s %q %+v", how, proof.Verdict, proof.Reason, proof.Flaws)
					if proof.Verdict != facts.Unchecked || proof.Reason == "" && len(proof.Flaws) == 0 {
						t.Errorf("%s: %s %q %+v", how, proof.Verdict, proof.Reason, proof.Flaws)
					}
				}
				if name == "the seal" {
					return // it is replaced
				}
				if p, err := looker.Seal(t.Context(), trees[0], store.Proving{}); p.Verdict == facts.Whole || p.Verdict == facts.Differs {
					t.Errorf("seal: %+v %v", p, err)
				}
			})
		}
	}
}

// A directory that an I/O error hides is not called missing.
func TestLook_DirectoryOfALostFileSystemIsUnreadable(t *testing.T) {
	for name, at := range map[string]func(s *reference.Store) string{
		"the store":   func(s *reference.Store) string { return s.Root },
		"an agent":    func(s *reference.Store) string { return filepath.Join(s.Root, scouts.Agent) },
		"its version": func(s *reference.Store) string { return filepath.Join(s.Root, scouts.Agent, "versions", "v1") },
	} {
		t.Run(name, func(t *testing.T) {
			s := made(t)
			unmount, err := hang.Mount(at(s), hang.Gone)
			if err != nil {
				t.Skip(err)
			}
			defer unmount()
			look := store.Store{Root: s.Root}.Look(t.Context(), []facts.StoreWant{want(scouts)})
			fault := look.Fault
			if len(look.Trees) > 0 {
				fault = look.Trees[0].Fault
			}
			if fault == nil || fault.Kind != facts.Unreadable || !strings.Contains(fault.Detail, "not connected") {
				t.Errorf("%+v", fault)
			}
		})
	}
}
