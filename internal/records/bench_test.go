// SPDX-License-Identifier: Apache-2.0

package records

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkFind is what history and plot read on a host with 18 units that have
// run as often as summaries are kept.
func BenchmarkFind(b *testing.B) {
	base := b.TempDir()
	text := bytes.Repeat([]byte(" "), 3000)
	for unit := range 18 {
		dir := filepath.Join(base, fmt.Sprintf("unit_%d", unit), "preflight")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		for n := range keep {
			name := "summary_" + noon.Add(time.Duration(n)*time.Minute).UTC().Format(stamp) + fmt.Sprintf("_unit_%d.json", unit)
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		if past, unusable := Find(base, Dirs{}); len(past) != 18*keep || len(unusable) != 0 {
			b.Fatal(len(past), unusable)
		}
	}
}

// BenchmarkWriteMetrics is a gate's cost of them.
func BenchmarkWriteMetrics(b *testing.B) {
	dir := b.TempDir()
	text := bytes.Repeat([]byte("x"), 5000)
	for b.Loop() {
		if err := WriteMetrics(dir, "gate", "scout", text); err != nil {
			b.Fatal(err)
		}
	}
}
