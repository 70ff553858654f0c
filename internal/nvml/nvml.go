// SPDX-License-Identifier: Apache-2.0

//go:build cgo

// Package nvml queries the NVIDIA Management Library about this host's GPUs,
// through github.com/NVIDIA/go-nvml. It needs cgo, and a separate process with
// a time limit (cmd/justnews-nvml): a driver can hang, and calling a function
// that the library lacks kills the process. It judges nothing and changes
// nothing.
package nvml

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"justnews/internal/facts"
)

// library is what the driver's packages install.
const library = "libnvidia-ml.so.1"

// Collect opens the library of this host and returns what it reports.
func Collect() facts.NVML {
	found := From(nvml.New(nvml.WithLibraryPath(library)))
	if found.Outcome == name(nvml.ERROR_LIBRARY_NOT_FOUND) {
		// go-nvml does not report why, but a missing library and one that
		// cannot be loaded have different fixes.
		if err := dl.New(library, dl.RTLD_LAZY).Open(); err != nil {
			found.Detail = err.Error()
		}
	}
	return found
}

// From returns what a library reports. Errors are part of the answer.
func From(lib nvml.Interface) facts.NVML {
	c := collector{lib: lib, lookup: lib.Extensions().LookupSymbol}
	out := facts.NVML{Schema: facts.NVMLSchema, GPUs: []facts.GPU{}, Unanswered: map[string]string{}}
	ret := lib.Init()
	if ret == nvml.ERROR_LIBRARY_NOT_FOUND {
		out.Outcome = name(ret) // not loaded, so nothing must be called
		return out
	}
	// The only query that NVML answers without a driver: the library's version.
	c.ask(out.Unanswered, "library_version", []string{"nvmlSystemGetNVMLVersion"}, get(&out.LibraryVersion, lib.SystemGetNVMLVersion, same))
	if out.Outcome = name(ret); ret != nvml.SUCCESS {
		return out
	}
	// No Shutdown: the process ends anyway, and a hanging driver would hang
	// there, too.
	c.system(&out)
	c.devices(&out)
	return out
}

// collector calls a library, and only functions that the library has.
type collector struct {
	lib    nvml.Interface
	lookup func(symbol string) error
}

// ask makes one call, if the library has one of the required functions, and
// records why there is no answer. Functions are bound when first called: a
// missing one would end the process.
func (c collector) ask(unanswered map[string]string, field string, symbols []string, call func() nvml.Return) bool {
	if missing := c.missing(symbols); missing != "" {
		unanswered[field] = "the library has no " + missing
		return false
	}
	switch ret := call(); ret {
	case nvml.SUCCESS:
		return true
	case nvml.ERROR_NOT_SUPPORTED:
		unanswered[field] = "not supported"
	default:
		unanswered[field] = name(ret)
	}
	return false
}

// missing returns the first of the names if the library has none of them.
func (c collector) missing(symbols []string) string {
	for _, s := range symbols {
		if c.lookup(s) == nil {
			return ""
		}
	}
	return symbols[0]
}

func (c collector) system(out *facts.NVML) {
	c.ask(out.Unanswered, "driver_version", []string{"nvmlSystemGetDriverVersion"}, get(&out.DriverVersion, c.lib.SystemGetDriverVersion, same))
	c.ask(out.Unanswered, "cuda_version", []string{"nvmlSystemGetCudaDriverVersion"}, get(&out.CUDAVersion, c.lib.SystemGetCudaDriverVersion, func(v int) string {
		return fmt.Sprintf("%d.%d", v/1000, v%1000/10) // NVML_CUDA_DRIVER_VERSION_MAJOR, _MINOR
	}))
}

// devices lists the GPUs. If they cannot be counted, that is the outcome.
func (c collector) devices(out *facts.NVML) {
	count := 0
	var failed nvml.Return
	if !c.ask(out.Unanswered, "count", []string{"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}, func() nvml.Return {
		count, failed = c.lib.DeviceGetCount()
		return failed
	}) {
		out.Outcome, out.Detail = name(failed), "cannot count the GPUs: "+out.Unanswered["count"]
		if failed == nvml.SUCCESS { // never called
			out.Outcome = name(nvml.ERROR_FUNCTION_NOT_FOUND)
		}
		return
	}
	out.Count = &count
	for i := range count {
		out.GPUs = append(out.GPUs, c.device(i))
	}
}

// keep stores a value if the call that returned it succeeded.
func keep[T any](ret nvml.Return, target *T, value T) nvml.Return {
	if ret == nvml.SUCCESS {
		*target = value
	}
	return ret
}

// name returns NVML's name of a result, without its prefix. It does not call
// nvmlErrorString, which a library may lack, too.
func name(ret nvml.Return) string {
	if n, ok := returns[ret]; ok {
		return n
	}
	return fmt.Sprintf("ERROR_%d", int(ret))
}

var returns = map[nvml.Return]string{
	nvml.SUCCESS:                       "SUCCESS",
	nvml.ERROR_UNINITIALIZED:           "ERROR_UNINITIALIZED",
	nvml.ERROR_INVALID_ARGUMENT:        "ERROR_INVALID_ARGUMENT",
	nvml.ERROR_NOT_SUPPORTED:           "ERROR_NOT_SUPPORTED",
	nvml.ERROR_NO_PERMISSION:           "ERROR_NO_PERMISSION",
	nvml.ERROR_NOT_FOUND:               "ERROR_NOT_FOUND",
	nvml.ERROR_INSUFFICIENT_SIZE:       "ERROR_INSUFFICIENT_SIZE",
	nvml.ERROR_INSUFFICIENT_POWER:      "ERROR_INSUFFICIENT_POWER",
	nvml.ERROR_DRIVER_NOT_LOADED:       "ERROR_DRIVER_NOT_LOADED",
	nvml.ERROR_TIMEOUT:                 "ERROR_TIMEOUT",
	nvml.ERROR_IRQ_ISSUE:               "ERROR_IRQ_ISSUE",
	nvml.ERROR_LIBRARY_NOT_FOUND:       "ERROR_LIBRARY_NOT_FOUND",
	nvml.ERROR_FUNCTION_NOT_FOUND:      "ERROR_FUNCTION_NOT_FOUND",
	nvml.ERROR_CORRUPTED_INFOROM:       "ERROR_CORRUPTED_INFOROM",
	nvml.ERROR_GPU_IS_LOST:             "ERROR_GPU_IS_LOST",
	nvml.ERROR_RESET_REQUIRED:          "ERROR_RESET_REQUIRED",
	nvml.ERROR_OPERATING_SYSTEM:        "ERROR_OPERATING_SYSTEM",
	nvml.ERROR_LIB_RM_VERSION_MISMATCH: "ERROR_LIB_RM_VERSION_MISMATCH",
	nvml.ERROR_IN_USE:                  "ERROR_IN_USE",
	nvml.ERROR_MEMORY:                  "ERROR_MEMORY",
	nvml.ERROR_NO_DATA:                 "ERROR_NO_DATA",
	nvml.ERROR_INSUFFICIENT_RESOURCES:  "ERROR_INSUFFICIENT_RESOURCES",
	nvml.ERROR_NOT_READY:               "ERROR_NOT_READY",
	nvml.ERROR_GPU_NOT_FOUND:           "ERROR_GPU_NOT_FOUND",
	nvml.ERROR_INVALID_STATE:           "ERROR_INVALID_STATE",
	nvml.ERROR_UNKNOWN:                 "ERROR_UNKNOWN",
}

var architectures = map[nvml.DeviceArchitecture]string{
	nvml.DEVICE_ARCH_KEPLER: "Kepler", nvml.DEVICE_ARCH_MAXWELL: "Maxwell", nvml.DEVICE_ARCH_PASCAL: "Pascal",
	nvml.DEVICE_ARCH_VOLTA: "Volta", nvml.DEVICE_ARCH_TURING: "Turing", nvml.DEVICE_ARCH_AMPERE: "Ampere",
	nvml.DEVICE_ARCH_ADA: "Ada", nvml.DEVICE_ARCH_HOPPER: "Hopper", nvml.DEVICE_ARCH_BLACKWELL: "Blackwell",
	nvml.DEVICE_ARCH_RUBIN: "Rubin",
}

// architecture returns the name of a generation; one newer than this program
// keeps its number.
func architecture(a nvml.DeviceArchitecture) string {
	if n, ok := architectures[a]; ok {
		return n
	}
	return fmt.Sprintf("architecture %d", uint32(a))
}

// computeMode is the value for nvidia-smi -c.
func computeMode(m nvml.ComputeMode) string {
	switch m {
	case nvml.COMPUTEMODE_DEFAULT:
		return "DEFAULT"
	case nvml.COMPUTEMODE_EXCLUSIVE_THREAD:
		return "EXCLUSIVE_THREAD"
	case nvml.COMPUTEMODE_PROHIBITED:
		return "PROHIBITED"
	case nvml.COMPUTEMODE_EXCLUSIVE_PROCESS:
		return "EXCLUSIVE_PROCESS"
	}
	return fmt.Sprintf("compute mode %d", int32(m))
}
