// SPDX-License-Identifier: Apache-2.0

package facts

// NVMLSchema is the version of the JSON that justnews-nvml prints. It is
// incremented when a field changes its meaning or is removed, not for a new
// field.
const NVMLSchema = 1

// Outcomes of justnews-nvml without a name in NVML. Every other one is the name
// of an nvmlReturn_t: SUCCESS, ERROR_DRIVER_NOT_LOADED, …
const (
	NVMLSuccess = "SUCCESS"
	NVMLNoCgo   = "NO_CGO" // this build of the helper cannot load a library
)

// NVML is what justnews-nvml prints: one object, even after an error. An
// unknown fact is absent and has its reason in Unanswered, under the name of
// its JSON field: "not supported", the name of NVML's error, or the function
// that the library lacks. A field is never zero because there was no answer.
type NVML struct {
	Schema  int    `json:"schema"`
	Program string `json:"program"` // version of the helper
	Outcome string `json:"outcome"` // of nvmlInit and nvmlDeviceGetCount
	Detail  string `json:"detail,omitempty"`

	DriverVersion  string `json:"driver_version,omitempty"`  // 550.54.15
	LibraryVersion string `json:"library_version,omitempty"` // 12.550.54.15
	CUDAVersion    string `json:"cuda_version,omitempty"`    // latest version that the driver supports: 12.4
	// Count is what the driver reports; there are fewer GPUs only if one is
	// lost.
	Count      *int              `json:"count,omitempty"`
	GPUs       []GPU             `json:"gpus"`
	Unanswered map[string]string `json:"unanswered,omitempty"`
}

// GPU is one device. MIG instances are not listed separately.
type GPU struct {
	Index             int         `json:"index"` // NVML's: by PCI bus; CUDA may number differently
	UUID              string      `json:"uuid,omitempty"`
	PCI               string      `json:"pci,omitempty"` // bus address as the kernel writes it: 0000:65:00.0
	Name              string      `json:"name,omitempty"`
	Architecture      string      `json:"architecture,omitempty"`       // Hopper
	ComputeCapability string      `json:"compute_capability,omitempty"` // 9.0
	Memory            *GPUMemory  `json:"memory,omitempty"`
	ComputeMode       string      `json:"compute_mode,omitempty"` // DEFAULT, EXCLUSIVE_PROCESS, EXCLUSIVE_THREAD, PROHIBITED
	MIG               *GPUMIG     `json:"mig,omitempty"`
	Persistence       *bool       `json:"persistence,omitempty"`
	Processes         *GPUClients `json:"processes,omitempty"`     // with a compute context
	MPSProcesses      *GPUClients `json:"mps_processes,omitempty"` // the same, through MPS
	// RecoveryAction is what has to be done before the GPU is used again:
	// the name of an nvmlDeviceGpuRecoveryAction_t without its prefix, RecoveryNone
	// for nothing.
	RecoveryAction string     `json:"recovery_action,omitempty"`
	RowRemap       *GPURemap  `json:"row_remap,omitempty"`
	Fabric         *GPUFabric `json:"fabric,omitempty"` // nil also where there is no NVSwitch
	// Unanswered is why a field above is absent.
	Unanswered map[string]string `json:"unanswered,omitempty"`
}

// GPUMemory is in bytes. Used includes the driver's own memory.
type GPUMemory struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"`
	Used  uint64 `json:"used"`
}

// GPUMIG reports whether MIG is enabled, now and after a reset.
type GPUMIG struct {
	Current bool `json:"current"`
	Pending bool `json:"pending"`
}

// RecoveryNone is the recovery action of a healthy GPU.
const RecoveryNone = "NONE"

// GPURemap reports on the rows of a GPU's memory that spare rows replace.
type GPURemap struct {
	Pending bool `json:"pending"` // a row will be replaced at the next reset
	Failed  bool `json:"failed"`  // a row could not be replaced
}

// GPUFabric is the registration of a GPU with the NVSwitch fabric, which the
// fabric manager completes.
type GPUFabric struct {
	State  string `json:"state"`            // NOT_STARTED, IN_PROGRESS, COMPLETED
	Status string `json:"status,omitempty"` // of a completed one: the name of an nvmlReturn_t
}

// FabricCompleted is the state of a GPU whose registration has ended.
const FabricCompleted = "COMPLETED"

// GPUClients are the processes on one device. A separate type, to distinguish
// none from unknown.
type GPUClients []GPUClient

// GPUClient is one process. Memory is nil if the driver does not report it, as
// for another user or in a container.
type GPUClient struct {
	PID    int     `json:"pid"`
	Memory *uint64 `json:"used_memory,omitempty"` // bytes
}

// GPUKind is how one look at the GPUs ended. The zero value is no answer.
type GPUKind int

// How a look can end. From HelperMissing to HelperNoCgo the helper failed; the
// others are its findings.
const (
	GPUUnknown      GPUKind = iota // not queried, or the run ended before the answer
	HelperMissing                  // justnews-nvml does not exist
	HelperUnusable                 // it cannot be executed
	HelperLoader                   // the dynamic loader could not load it (127)
	HelperSymbol                   // libnvidia-ml lacks a required function
	HelperCrashed                  // a signal ended it
	HelperHung                     // killed at the limit
	HelperNonsense                 // it ended without a valid answer
	HelperNoCgo                    // built without cgo
	LibraryMissing                 // no libnvidia-ml.so.1
	DriverNotLoaded                // the library finds no driver
	DriverMismatch                 // library and kernel module have different versions
	DriverDenied                   // the driver denies this user access
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
	NVML   *NVML  // nil if the helper gave no answer
	// Module is the version of the loaded kernel module, "" if none is loaded
	// (or /proc/driver/nvidia is hidden).
	Module  string
	Control DeviceNode // /dev/nvidiactl
	UVM     DeviceNode // /dev/nvidia-uvm, without which no CUDA program starts
	// Xids are the driver's error messages in the kernel's log since the driver was
	// loaded, as far back as the log reaches; nil: the log cannot be read.
	Xids *Xids
}

// Xids is a list with one element for each GPU and number, in the order of the last
// message. A separate type, to distinguish none from unknown.
type Xids []Xid

// Xid is an error that the driver logged for a GPU (NVIDIA, "Xid Errors").
type Xid struct {
	PCI     string // bus address without the function: 0000:65:00
	Code    int
	Count   int
	Message string // of the last one
	Seconds int64  // from the boot of the kernel to the last one
}

// NodeState is the state of a device node. The zero value is unknown.
type NodeState int

// The states of a device node.
const (
	NodeUnknown NodeState = iota
	NodeMissing
	NodeDenied // it exists, and this user cannot open it
	NodeOpens
)

// DeviceNode is one file below /dev.
type DeviceNode struct {
	State  NodeState
	Detail string
}
