// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"fmt"
	"path/filepath"
	"testing"
)

// versions makes n versions of one large file each, of size bytes together.
func versions(b *testing.B, n, size int) []Job {
	b.Helper()
	dir := b.TempDir()
	var all []Job
	for i := range n {
		version := filepath.Join(dir, fmt.Sprint(i))
		write(b, filepath.Join(version, "model.safetensors"), noise(size/n))
		write(b, filepath.Join(version, "config.json"), []byte("{}"))
		all = append(all, mustWalk(b, version).Job(version))
	}
	return all
}

// BenchmarkWarm hashes 256 MiB out of the page cache.
func BenchmarkWarm(b *testing.B) {
	const size = 256 << 20
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("versions=%d", n), func(b *testing.B) {
			all := versions(b, n, size)
			b.SetBytes(size)
			for b.Loop() {
				for _, r := range (Engine{}).Run(b.Context(), all) {
					if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
		})
	}
}

// BenchmarkUnchanged looks 20,000 remembered files up again.
func BenchmarkUnchanged(b *testing.B) {
	dir, places := b.TempDir(), b.TempDir()
	version := filepath.Join(dir, "v1")
	for i := range 20_000 {
		write(b, filepath.Join(version, fmt.Sprint(i%100), fmt.Sprint(i)), []byte{byte(i)})
	}
	tree := mustWalk(b, version)
	age(b, filepath.Join(version, "99", "19999"))
	want := Engine{Cache: cacheIn(b, places)}.Run(b.Context(), []Job{tree.Job(version)})[0].Sum
	Engine{Cache: cacheIn(b, places)}.Prove(b.Context(), version, tree, want, 0)
	for b.Loop() {
		p := Engine{Cache: cacheIn(b, places)}.Prove(b.Context(), version, mustWalk(b, version), want, 0)
		if !p.Cached || p.Verdict != Matches {
			b.Fatalf("%+v", p)
		}
	}
}
