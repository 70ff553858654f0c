// SPDX-License-Identifier: Apache-2.0

package facts

// NVMLSchema is the version of the JSON that justnews-nvml prints. It grows
// when a field changes its meaning or goes away; a new field leaves it alone.
const NVMLSchema = 1

// Outcomes of justnews-nvml that NVML itself has no name for. Every other one
// is the name of an nvmlReturn_t: SUCCESS, ERROR_DRIVER_NOT_LOADED, …
const (
	NVMLSuccess = "SUCCESS"
	NVMLNoCgo   = "NO_CGO" // this build of the helper cannot load a library
)

// NVML is what justnews-nvml prints: one object, whatever went wrong. A fact
// that could not be had is absent and has its reason in Unanswered, under the
// name of its JSON field: "not supported", the name of NVML's error, or which
// function the library lacks. Nothing is ever a zero for want of an answer.
type NVML struct {
	Schema  int    `json:"schema"`
	Program string `json:"program"` // version of the helper
	Outcome string `json:"outcome"` // of nvmlInit and nvmlDeviceGetCount
	Detail  string `json:"detail,omitempty"`

	DriverVersion  string `json:"driver_version,omitempty"`  // 550.54.15
	LibraryVersion string `json:"library_version,omitempty"` // 12.550.54.15
	CUDAVersion    string `json:"cuda_version,omitempty"`    // what the driver can run at most: 12.4
	// Count is what the driver says; GPUs may be fewer only where one is lost.
	Count      *int              `json:"count,omitempty"`
	GPUs       []GPU             `json:"gpus"`
	Unanswered map[string]string `json:"unanswered,omitempty"`
}

// GPU is one device. MIG instances are not listed apart.
type GPU struct {
	Index             int         `json:"index"` // NVML's: by PCI bus; CUDA may number otherwise
	UUID              string      `json:"uuid,omitempty"`
	Name              string      `json:"name,omitempty"`
	Architecture      string      `json:"architecture,omitempty"`       // Hopper
	ComputeCapability string      `json:"compute_capability,omitempty"` // 9.0
	Memory            *GPUMemory  `json:"memory,omitempty"`
	ComputeMode       string      `json:"compute_mode,omitempty"` // DEFAULT, EXCLUSIVE_PROCESS, EXCLUSIVE_THREAD, PROHIBITED
	MIG               *GPUMIG     `json:"mig,omitempty"`
	Persistence       *bool       `json:"persistence,omitempty"`
	Processes         *GPUClients `json:"processes,omitempty"`     // with a compute context
	MPSProcesses      *GPUClients `json:"mps_processes,omitempty"` // the same, through MPS
	// Unanswered says why a field above is absent.
	Unanswered map[string]string `json:"unanswered,omitempty"`
}

// GPUMemory is in bytes. Used includes what the driver keeps for itself.
type GPUMemory struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"`
	Used  uint64 `json:"used"`
}

// GPUMIG says whether a device is cut into instances, now and after a reset.
type GPUMIG struct {
	Current bool `json:"current"`
	Pending bool `json:"pending"`
}

// GPUClients are the processes on one device. A type of its own, so that "none"
// and "not known" differ.
type GPUClients []GPUClient

// GPUClient is one process. Memory is nil where the driver does not say, as it
// does not to another user or in a container.
type GPUClient struct {
	PID    int     `json:"pid"`
	Memory *uint64 `json:"used_memory,omitempty"` // bytes
}

// GPUKind says how one look at the GPUs ended. The zero value is no answer.
type GPUKind int

// How a look can end. From HelperMissing to HelperNoCgo the helper is at
// fault, below that what it found.
const (
	GPUUnknown      GPUKind = iota // nothing was asked, or the run ended before the answer
	HelperMissing                  // justnews-nvml is not there
	HelperUnusable                 // it cannot be executed
	HelperLoader                   // the dynamic loader refused it (127)
	HelperSymbol                   // libnvidia-ml lacks a function that it cannot do without
	HelperCrashed                  // a signal ended it
	HelperHung                     // killed at the limit
	HelperNonsense                 // it ended without an answer that makes sense
	HelperNoCgo                    // built without cgo
	LibraryMissing                 // no libnvidia-ml.so.1
	DriverNotLoaded                // the library finds no driver
	DriverMismatch                 // library and kernel module are of two versions
	DriverDenied                   // the driver does not let this user in
	GPUFailed                      // NVML answered with any other error
	GPUNone                        // a driver, and no GPU
	GPUAnswered                    // at least one GPU
)

// GPULook is one look at the GPUs of this host: NVML, the kernel module and
// the device nodes.
type GPULook struct {
	Kind   GPUKind
	Detail string // evidence for a person
	Helper string // path of justnews-nvml
	NVML   *NVML  // nil where the helper gave no answer
	// Module is the version of the loaded kernel module, "" where none is
	// loaded (or /proc/driver/nvidia is hidden).
	Module  string
	Control DeviceNode // /dev/nvidiactl
	UVM     DeviceNode // /dev/nvidia-uvm, without which no CUDA program starts
}

// NodeState says what is known of a device node. The zero value is nothing.
type NodeState int

// What is known of a device node.
const (
	NodeUnknown NodeState = iota
	NodeMissing
	NodeDenied // it is there, and this user cannot open it
	NodeOpens
)

// DeviceNode is one file below /dev.
type DeviceNode struct {
	State  NodeState
	Detail string
}
