// SPDX-License-Identifier: Apache-2.0

package diag

import "strings"

// areas are what a full validation groups its findings by, each with the codes
// that begin so. The first that fits counts.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var areas = []struct {
	name     string
	prefixes []string
}{
	{"configuration", []string{"CONFIG-", "INSTANCE-", "TIMEOUT-", "MAP-"}},
	{"environment files", []string{"ENV-"}},
	{"units and drop-ins", []string{"UNGATED", "GATE-", "GENERATOR-", "UNIT-", "DROPIN-", "NEED-RELOAD", "STATUS-OPENS", "START-", "RESTART-"}},
	{"users and paths", []string{"USER-", "SERVICE-PATH", "HOME-", "CACHE-"}},
	{"host", []string{"PORT-", "DISK-", "LIMIT-", "SWAP-", "TMP-", "NO-", "UNCHECKED", "RECORD-"}},
	{"GPUs", []string{"GPU-"}},
	{"NVIDIA MPS", []string{"MPS-"}},
	{"Model Store", []string{"STORE-"}},
	{"orchestrator and models", []string{"ORCHESTRATOR-", "MODEL", "PRELOAD-"}},
	{"bus and needs", []string{"BUS-", "NEED-", "DATABASE-"}},
}

// other is the area of what belongs nowhere else: a bug, a signal.
const other = "this run"

// Area returns what a code is about, in the words of a heading.
func (c Code) Area() string {
	for _, a := range areas {
		for _, prefix := range a.prefixes {
			if strings.HasPrefix(string(c), prefix) {
				return a.name
			}
		}
	}
	return other
}
