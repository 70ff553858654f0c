// SPDX-License-Identifier: Apache-2.0

package simulate

// The faults of the disk.
const (
	whole = iota
	full  // nothing can be written
	eio   // nothing can be read or written
	late  // writes succeed but are reported as failed
)
