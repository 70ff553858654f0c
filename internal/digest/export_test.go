// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"

	"justnews/internal/safefile"
)

// Prove compares a version with the checksum of its manifest.
func (e Engine) Prove(ctx context.Context, version string, t *Tree, want Sum, effort Effort) Proof {
	if p, ok := e.Recall(t, want, effort); ok {
		return p
	}
	return e.Conclude(ctx, version, t, want, effort, e.Run(ctx, []Job{t.Job(version)})[0])
}

// Stat returns the identity of the file that a path leads to, links followed,
// and whether it is a regular file.
func Stat(path string) (Identity, bool, error) {
	info, err := safefile.Stat(path)
	if err != nil {
		return Identity{}, false, err
	}
	return Of(info), info.Mode.IsRegular(), nil
}
