// SPDX-License-Identifier: Apache-2.0

//go:build !cgo

// Package nvml queries the NVIDIA Management Library about this host's GPUs.
// This is the build without cgo, which cannot load a library and reports that.
package nvml

import "justnews/internal/facts"

// Collect reports that this build cannot query the library.
func Collect() facts.NVML {
	return facts.NVML{
		Schema: facts.NVMLSchema, Outcome: facts.NVMLNoCgo, GPUs: []facts.GPU{},
		Detail: "built without cgo, so no library can be loaded",
	}
}
