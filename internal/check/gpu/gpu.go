// SPDX-License-Identifier: Apache-2.0

// Package gpu judges one look at the GPUs. It mirrors internal/probe/gpu.
package gpu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// Judge judges one look. No problem at all means that the GPUs are as required,
// or that nothing was.
func Judge(l facts.GPULook, w requirement.GPU) []diag.Problem {
	var problems []diag.Problem
	if l.Kind != facts.GPUAnswered || l.NVML == nil {
		problems = []diag.Problem{fault(l)}
	} else {
		problems = append(devices(l, w), underMPS(l, w)...)
	}
	problems = append(problems, xids(l, w)...)
	if w.Needed {
		return problems
	}
	for i := range problems {
		problems[i].Severity = max(problems[i].Severity, mildest(l.Kind))
	}
	return problems
}

// mildest is how bad a finding may be on a host that needs no GPU: most of
// those have none.
func mildest(k facts.GPUKind) diag.Severity {
	switch k {
	case facts.GPUUnknown, facts.HelperMissing, facts.HelperNoCgo, facts.LibraryMissing, facts.DriverNotLoaded, facts.GPUNone:
		return diag.Notice
	default:
		return diag.Warning
	}
}

// MayCome returns what is missing and may yet appear by itself, "" for nothing:
// at a boot the driver, udev behind it and the fabric manager can be later than a
// gate. Everything else stays what it is.
func MayCome(l facts.GPULook) string {
	switch {
	case l.Kind == facts.DriverNotLoaded && l.Control.State != facts.NodeDenied:
		return Summary(l)
	case l.Kind != facts.GPUAnswered || l.NVML == nil:
		return ""
	case l.UVM.State == facts.NodeMissing || l.UVM.State == facts.NodeUnknown:
		return "/dev/nvidia-uvm cannot be opened yet"
	case slices.ContainsFunc(l.NVML.GPUs, registers):
		return "the NVSwitch fabric is not ready yet"
	}
	return ""
}

// Summary is a look in a few words, for a person.
func Summary(l facts.GPULook) string {
	if l.Kind != facts.GPUAnswered || l.NVML == nil {
		return fault(l).Message
	}
	n, all := usable(l.NVML.GPUs), len(l.NVML.GPUs)
	s := diag.Count(all, "GPU")
	if n < all {
		s += fmt.Sprintf(" (%d usable)", n)
	}
	if l.NVML.DriverVersion != "" {
		s += ", driver " + diag.Clean(l.NVML.DriverVersion)
	}
	if l.NVML.CUDAVersion != "" {
		s += ", CUDA " + diag.Clean(l.NVML.CUDAVersion)
	}
	return s
}

// Lost returns why a GPU that NVML lists is unusable, "" if it is usable.
func Lost(g facts.GPU) string {
	if why := g.Unanswered["handle"]; why != "" {
		return why
	}
	for _, why := range g.Unanswered {
		if why == "ERROR_GPU_IS_LOST" || why == "ERROR_RESET_REQUIRED" {
			return why
		}
	}
	return ""
}

func usable(gpus []facts.GPU) int {
	n := 0
	for _, g := range gpus {
		if Unfit(g) == "" {
			n++
		}
	}
	return n
}

// id is what nvidia-smi -i takes: the UUID, or the index of a GPU whose
// UUID is not one. It goes into a command that a person pastes.
func id(g facts.GPU) string {
	rest, ok := strings.CutPrefix(g.UUID, "GPU-")
	if ok && rest != "" && strings.Trim(rest, "0123456789abcdefABCDEF-") == "" {
		return g.UUID
	}
	return strconv.Itoa(g.Index)
}

func subject(g facts.GPU) string {
	s := "gpu " + strconv.Itoa(g.Index)
	if g.Name != "" {
		s += " (" + diag.Clean(g.Name) + ")"
	}
	return s
}
