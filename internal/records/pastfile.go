// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"os"

	"justnews/internal/safefile"
)

// readOne reads a regular file with one name that belongs to uid.
func readOne(root *os.Root, name string, uid int) ([]byte, error) {
	f, err := safefile.OpenIn(root, name, safefile.NoFollow|safefile.OneName)
	if errors.Is(err, safefile.ErrNotRegular) {
		return nil, fmt.Errorf("%s is not a regular file with one name", name)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if err := f.Trust(uid); err != nil {
		return nil, fmt.Errorf("%s: %w, and its directory to %d", name, err, uid)
	}
	return f.All(maxSummary)
}
