// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// A build without a result has failed.
func TestArchitectures_NoneIsAnError(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CC", "")
	if got, err := architectures(""); err == nil || !strings.Contains(err.Error(), "C compiler") {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := architectures("arm64"); err != nil || len(got) != 1 {
		t.Errorf("the named one: %q, %v", got, err)
	}
}
