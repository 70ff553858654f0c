// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

package nvml

import (
	"testing"

	"justnews/internal/facts"
)

func TestNVML_BuildWithoutCgoReportsIt(t *testing.T) {
	if got := Collect(); got.Schema != facts.NVMLSchema || got.Outcome != facts.NVMLNoCgo || got.Detail == "" || got.GPUs == nil {
		t.Errorf("%+v", got)
	}
}

func TestNVML_CollectorWithGoNVMLMocks(t *testing.T) {
	t.Skip("built without cgo: the race detector's run has it")
}
