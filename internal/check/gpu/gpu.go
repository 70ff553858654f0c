// SPDX-License-Identifier: Apache-2.0

// Package gpu judges one look at the GPUs. It mirrors internal/probe/gpu.
package gpu

import (
	"cmp"
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
	return diag.AtWorst(problems, mildest(l.Kind))
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

// MayCome returns what is missing but may still appear, "" for nothing: at boot the
// driver, udev and the fabric manager can be later than a gate.
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

const (
	helper    = "/usr/libexec/justnews/justnews-nvml"
	library   = "libnvidia-ml.so.1"
	reinstall = "reinstall the package that has it, justnews-nvidia or justnews (from source: make, with gcc)"
)

type failure struct {
	code     diag.Code
	message  string
	expected string
	fix      diag.Fix
}

func kernelLog() diag.Command { return diag.Run("journalctl", "-k", "-g", "NVRM|Xid") }

var faults = map[facts.GPUKind]failure{
	facts.GPUUnknown:     {diag.GPUUnknown, "the GPU could not be queried", "an answer from the driver before the deadline", diag.Advise("raise gate.timeout in /etc/justnews/justnews.toml", diag.Reload()).Looking(diag.Run(helper))},
	facts.HelperMissing:  {diag.GPUHelperMissing, "the GPU helper is not installed", "justnews-nvml at that path", diag.Advise(reinstall, diag.Retry())},
	facts.HelperUnusable: {diag.GPUHelperUnusable, "the GPU helper cannot be executed", "a program for this machine, executable by this user", diag.Advise(reinstall, diag.Retry())},
	facts.HelperLoader:   {diag.GPUHelperLoader, "the dynamic loader cannot load the GPU helper", "a helper that starts: glibc 2.34 or newer", diag.Advise(reinstall, diag.Retry()).Looking(diag.Run("ldd", helper))},
	facts.HelperSymbol:   {diag.GPUHelperSymbol, "the driver's library lacks a function that the GPU helper needs", library + " of a supported driver, and a helper that is linked with -z lazy", diag.Advise("install a driver of a supported branch and reboot, or reinstall the package justnews", diag.Retry())},
	facts.HelperCrashed:  {diag.GPUHelperCrashed, "the GPU helper crashed in the driver's library", "an answer", diag.Advise("reboot, or reinstall the driver", diag.Retry()).Looking(kernelLog())},
	facts.HelperHung:     {diag.GPUHelperHung, "the GPU driver did not answer in time", "an answer within seconds", diag.Advise("wait if the machine is busy, and reboot if persistence mode alone does not help", diag.Run("systemctl", "enable", "--now", "nvidia-persistenced.service"), diag.Retry()).Looking(kernelLog())},
	facts.HelperNonsense: {diag.GPUHelperNonsense, "the GPU helper's answer is invalid", "one JSON object of justnews-nvml, schema 1", diag.Advise(reinstall, diag.Retry())},
	facts.HelperNoCgo:    {diag.GPUHelperNoCgo, "the GPU helper was built without cgo", "a build that can load " + library, diag.Advise(reinstall, diag.Retry())},
	facts.LibraryMissing: {diag.GPULibraryMissing, "NVIDIA's management library cannot be loaded", library + ", which comes with the driver", diag.Advise("install the driver's libraries (Debian: the package libnvidia-ml1)", diag.Run("ldconfig"), diag.Retry())},
	facts.DriverMismatch: {diag.GPUDriverMismatch, "NVIDIA's library and kernel module have different versions", "one version", diag.Advise("reboot, or reload the module", diag.Run("systemctl", "stop", "justnews.target"), diag.Run("modprobe", "-r", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"), diag.Run("modprobe", "nvidia"), diag.Retry())},
	facts.DriverDenied:   {diag.GPUPermission, "the NVIDIA driver denies access to this user", "/dev/nvidia* accessible to the service's user", diag.Advise("grant the user access, and keep DeviceAllow=char-nvidia* rw in the unit", diag.Reload()).Looking(diag.Run("find", "/dev", "-maxdepth", "1", "-name", "nvidia*", "-ls"))},
	facts.GPUFailed:      {diag.GPUFailed, "the NVIDIA driver answers with an error", "SUCCESS", diag.Advise("reset the GPU, or reboot", diag.Retry()).Looking(kernelLog())},
	facts.GPUNone:        {diag.GPUNone, "the NVIDIA driver finds no GPU", "at least one", diag.Advise("bind it to nvidia, or reboot", diag.Retry()).Looking(diag.Run("lspci", "-nnk", "-d", "10de:"))},
}

// fault is the problem of a look that found no GPU: an error unless changed.
func fault(l facts.GPULook) diag.Problem {
	f, known := faults[l.Kind]
	if l.Kind == facts.DriverNotLoaded {
		f, known = driverNotLoaded(l), true
	}
	if !known { // a kind without a row, or an answer without facts
		f = faults[facts.HelperNonsense]
	}
	return diag.Found(f.code, faultSubject(l), f.message,
		seen(l), f.expected, f.fix)
}

// driverNotLoaded sorts the one error that NVML has for three things.
func driverNotLoaded(l facts.GPULook) failure {
	switch {
	case l.Control.State == facts.NodeDenied:
		return faults[facts.DriverDenied]
	case l.Module != "" && l.Control.State == facts.NodeMissing:
		return failure{
			diag.GPUDriverNotLoaded, "the NVIDIA driver is loaded, but its device nodes are missing",
			"/dev/nvidiactl and /dev/nvidia0", diag.Do(diag.Run("nvidia-modprobe", "-c=0"), diag.Retry()),
		}
	default:
		return failure{
			diag.GPUDriverNotLoaded, "the NVIDIA driver is not loaded",
			"the kernel module nvidia", diag.Do(diag.Run("modprobe", "nvidia"), diag.Run("nvidia-modprobe", "-c=0"), diag.Retry()),
		}
	}
}

func faultSubject(l facts.GPULook) string {
	switch l.Kind {
	case facts.LibraryMissing:
		return library
	case facts.DriverNotLoaded, facts.DriverDenied, facts.DriverMismatch, facts.GPUFailed, facts.GPUNone:
		return "nvidia driver"
	}
	return diag.Clean(cmp.Or(l.Helper, helper))
}

// seen is the evidence: what the helper said, the versions, the nodes.
func seen(l facts.GPULook) string {
	var parts []string
	add := func(label, value string) {
		if value != "" {
			parts = append(parts, label+diag.Clean(value))
		}
	}
	if l.NVML != nil && l.NVML.Outcome != facts.NVMLNoCgo {
		add("NVML: ", l.NVML.Outcome)
	}
	add("", l.Detail)
	if l.NVML != nil {
		add("library ", l.NVML.LibraryVersion)
		if add("kernel module ", l.Module); l.Module == "" && l.Kind == facts.DriverNotLoaded {
			add("kernel module ", "not loaded")
		}
		add("", l.Control.Detail)
	}
	return cmp.Or(joined(parts), "nothing")
}
