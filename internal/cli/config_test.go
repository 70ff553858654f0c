// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"io/fs"
	"testing"

	"justnews/internal/modelmap"
)

func TestConfig_MapUnreadableForAnOperatorIsNoFinding(t *testing.T) {
	denied := modelmap.File{Err: &fs.PathError{Op: "open", Path: "m", Err: fs.ErrPermission}}
	for what, c := range map[string]struct {
		file modelmap.File
		euid int
		want bool
	}{
		"an operator": {denied, 1000, true}, "root": {denied, 0, false},
		"another error": {modelmap.File{Err: errors.New("too large")}, 1000, false}, "none": {modelmap.File{}, 1000, false},
	} {
		if got := unreadableToUs(c.file, c.euid); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
