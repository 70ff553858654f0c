// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"justnews/internal/facts"
)

func TestUnsealed_ReadOnlyFileSystemNeedsNoSudo(t *testing.T) {
	for _, err := range []error{unix.EROFS, unix.ENOSPC} {
		p := unsealed("scout", facts.StoreTree{Path: "/store/scout/versions/v1"}, fmt.Errorf("cannot write the seal: %w", err))
		if fix := p.Fix.String(); strings.Contains(fix, "sudo") || !strings.Contains(fix, "read-only") {
			t.Errorf("%v: %s", err, fix)
		}
	}
}
