// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// python is upstream's definition, written by its rules: os.walk, files sorted,
// manifest.json left out wherever it stands, the relative path before the
// bytes.
const python = `
import hashlib, os, sys
from pathlib import Path
top = Path(sys.argv[1])
h = hashlib.sha256()
for root, _, files in os.walk(top):
    for name in sorted(files):
        if name != "manifest.json":
            path = Path(root) / name
            h.update(str(path.relative_to(top)).encode("utf-8"))
            h.update(path.read_bytes())
print(h.hexdigest())
`

func pythonSum(t testing.TB, version string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3 to compare with")
	}
	out, err := exec.CommandContext(t.Context(), "python3", "-c", python, version).Output()
	return strings.TrimSpace(string(out)), err
}

func mustWalk(t testing.TB, version string) *Tree {
	t.Helper()
	tree, err := Walk(t.Context(), version)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func natural(t testing.TB, version string) string {
	t.Helper()
	r := Engine{}.Run(t.Context(), []Job{mustWalk(t, version).Job(version)})[0]
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return r.Sum.String()
}

// grow makes a random tree with everything that upstream's walk treats specially.
func grow(t testing.TB, dir string, r *rand.Rand, depth int) {
	t.Helper()
	names := []string{"a", "B", "ü", "模型", "a b", "z.json", ManifestName, "-x", "~"}
	for i := range r.IntN(6) {
		name := fmt.Sprint(names[r.IntN(len(names))], i)
		if r.IntN(4) == 0 {
			name = ManifestName
		}
		write(t, filepath.Join(dir, name), noise(r.IntN(3*smallStream)))
	}
	for i := range r.IntN(4) {
		sub := filepath.Join(dir, fmt.Sprintf("%s.d%d", names[r.IntN(6)], i))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if depth > 0 {
			grow(t, sub, r, depth-1)
		}
		if r.IntN(3) == 0 {
			_ = os.Symlink(filepath.Base(sub), sub+".link") // a link to a directory
		}
	}
	write(t, filepath.Join(dir, "target"), noise(100))
	_ = os.Symlink("target", filepath.Join(dir, "link"))
}

func TestTree_DigestMatchesUpstream(t *testing.T) {
	for seed := range uint64(12) {
		version := t.TempDir()
		grow(t, version, rand.New(rand.NewPCG(seed, 1)), 3)
		want, err := pythonSum(t, version)
		if err != nil {
			t.Fatal(err)
		}
		if got := natural(t, version); got != want {
			t.Errorf("seed %d: %s, upstream %s", seed, got, want)
		}
	}
}

func TestTree_UnsummableEntryIsAFlaw(t *testing.T) {
	for name, c := range map[string]struct {
		make func(dir string) error
		want error
	}{
		"dangling link": {func(dir string) error { return os.Symlink("nowhere", dir+"/x") }, ErrDangling},
		"loop":          {func(dir string) error { return os.Symlink("x", dir+"/x") }, ErrDangling},
		"FIFO":          {func(dir string) error { return unix.Mkfifo(dir+"/x", 0o644) }, ErrSpecial},
		"not UTF-8":     {func(dir string) error { return os.WriteFile(dir+"/\xff", nil, 0o644) }, ErrName},
	} {
		dir := t.TempDir()
		if err := c.make(dir); err != nil {
			t.Fatal(err)
		}
		tree := mustWalk(t, dir)
		if len(tree.Flaws) != 1 || !errors.Is(tree.Flaws[0].Err, c.want) {
			t.Errorf("%s: %+v", name, tree.Flaws)
		}
		if name == "FIFO" {
			continue // JustNews waits for a writer forever
		}
		if sum, err := pythonSum(t, dir); err == nil {
			t.Errorf("%s: upstream sums it to %s", name, sum)
		}
	}
}

// ordered makes a version of n directories with a file each and returns the
// checksum that a file system would have given that lists them as permuted.
func ordered(t testing.TB, n, size int, permuted func([]*Branch) []*Branch) (string, Sum) {
	t.Helper()
	version := t.TempDir()
	write(t, filepath.Join(version, "config.json"), []byte("{}"))
	for i := range n {
		write(t, filepath.Join(version, fmt.Sprintf("d%d", i), "f"), noise(size+i))
	}
	r := Engine{}.Run(t.Context(), []Job{mustWalk(t, version).job(version, permuted)})[0]
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return version, r.Sum
}

// shuffled is an order that no file system produces on purpose.
func shuffled(b []*Branch) []*Branch {
	slices.SortFunc(b, func(x, y *Branch) int {
		return strings.Compare(scramble(x.name), scramble(y.name))
	})
	return b
}

func scramble(s string) string { return Sum(sha256.Sum256([]byte(s + "salt"))).String() }

func TestTree_OtherDirectoryOrderIsNotCorruption(t *testing.T) {
	version, want := ordered(t, 5, 1000, shuffled)
	p := Engine{}.Prove(t.Context(), version, mustWalk(t, version), want, DefaultEffort(5000))
	if p.Verdict != Matches || p.Orders != 120 {
		t.Errorf("%+v", p)
	}
	if p.Reorder == (natural(t, version) == want.String()) {
		t.Errorf("reorder %v", p.Reorder)
	}
}

func TestTree_ChangedByteIsCorruptInEveryOrder(t *testing.T) {
	version, want := ordered(t, 4, 1000, shuffled)
	write(t, filepath.Join(version, "d2", "f"), noise(999))
	p := Engine{}.Prove(t.Context(), version, mustWalk(t, version), want, DefaultEffort(4000))
	if p.Verdict != Differs || p.Tried != 24 {
		t.Errorf("%+v", p)
	}
}

func TestTree_SingleDirectoryHasOneOrder(t *testing.T) {
	version, want := ordered(t, 1, 1000, shuffled)
	write(t, filepath.Join(version, "d0", "f"), noise(999))
	p := Engine{}.Prove(t.Context(), version, mustWalk(t, version), want, 0)
	if p.Verdict != Differs || p.Tried != 1 {
		t.Errorf("%+v", p)
	}
}

func TestTree_EmptyDirectoriesAndManifestsAddNoOrders(t *testing.T) {
	version, want := ordered(t, 1, 10, shuffled)
	for _, name := range []string{"empty", "void"} {
		if err := os.Mkdir(filepath.Join(version, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(version, ".justnews", ManifestName), []byte("{}"))
	p := Engine{}.Prove(t.Context(), version, mustWalk(t, version), want, 0)
	if p.Verdict != Matches || p.Orders != 1 {
		t.Errorf("%+v", p)
	}
}

func TestTree_TooManyOrdersAreUnproven(t *testing.T) {
	version, want := ordered(t, 12, 3000, shuffled)
	if p := (Engine{}).Prove(t.Context(), version, mustWalk(t, version), want, DefaultEffort(0)); p.Verdict != Unproven || p.Tried < 2 {
		t.Errorf("a shuffled order: %+v", p)
	}
	version, want = ordered(t, 12, 3000, func(b []*Branch) []*Branch {
		slices.SortFunc(b, func(x, y *Branch) int { return strings.Compare(y.name, x.name) })
		return b
	})
	if p := (Engine{}).Prove(t.Context(), version, mustWalk(t, version), want, DefaultEffort(0)); p.Verdict != Matches {
		t.Errorf("a sorted order: %+v", p)
	}
}

func TestTree_VerdictIsCachedAndUnprovenIsRetried(t *testing.T) {
	places := t.TempDir()
	version, want := ordered(t, 12, 3000, shuffled)
	for _, l := range mustWalk(t, version).Leaves() {
		age(t, filepath.Join(version, l.Rel))
	}
	prove := func(want Sum, effort Effort) Proof {
		return Engine{Cache: cacheIn(t, places)}.Prove(t.Context(), version, mustWalk(t, version), want, effort)
	}
	if p := prove(want, 1<<20); p.Cached || p.Verdict != Unproven {
		t.Errorf("first: %+v", p)
	}
	if p := prove(want, 1<<20); !p.Cached || p.Verdict != Unproven {
		t.Errorf("again: %+v", p)
	}
	if p := prove(want, 8<<20); p.Verdict != Unproven || p.Tried < 2 {
		t.Errorf("with more effort: %+v", p)
	}
	good, _ := Parse(natural(t, version))
	if p := prove(good, 0); p.Verdict != Matches {
		t.Errorf("another checksum: %+v", p)
	}
	if p := prove(good, 0); !p.Cached || p.Verdict != Matches {
		t.Errorf("another checksum, again: %+v", p)
	}
	write(t, filepath.Join(version, "d3", "f"), noise(17))
	if p := prove(good, 0); p.Cached || p.Verdict == Matches {
		t.Errorf("after a change: %+v", p)
	}
}
