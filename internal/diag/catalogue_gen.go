// Code generated from catalogue.toml by make generate; DO NOT EDIT.

// SPDX-License-Identifier: Apache-2.0

package diag

// The codes of all problems.
const (
	ConfigMissing           Code = "CONFIG-MISSING"           // there is no justnews.toml
	ConfigEmpty             Code = "CONFIG-EMPTY"             // no instance is configured
	ConfigIgnored           Code = "CONFIG-IGNORED"           // files among the drop-ins of justnews.toml are not read
	ConfigUnreadable        Code = "CONFIG-UNREADABLE"        // a configuration file cannot be read
	ConfigOwner             Code = "CONFIG-OWNER"             // the configuration is writable by a user other than root
	ConfigVersion           Code = "CONFIG-VERSION"           // the configuration needs a later version of this program
	ConfigSyntax            Code = "CONFIG-SYNTAX"            // a configuration file is not valid TOML
	ConfigUnknownKey        Code = "CONFIG-UNKNOWN-KEY"       // unknown key
	ConfigType              Code = "CONFIG-TYPE"              // a value has the wrong type
	ConfigValue             Code = "CONFIG-VALUE"             // a value is out of range or malformed
	ConfigString            Code = "CONFIG-STRING"            // a string contains a character that is not allowed
	ConfigReference         Code = "CONFIG-REFERENCE"         // reference to an undefined name
	ConfigConflict          Code = "CONFIG-CONFLICT"          // two settings contradict each other
	ConfigCycle             Code = "CONFIG-CYCLE"             // ordering cycle between instances
	ConfigMemory            Code = "CONFIG-MEMORY"            // the memory limits exceed the GPU
	InstanceUnknown         Code = "INSTANCE-UNKNOWN"         // the instance is not in the configuration
	ConfigEnvironment       Code = "CONFIG-ENVIRONMENT"       // an environment variable of the gate is invalid
	TimeoutConflict         Code = "TIMEOUT-CONFLICT"         // GATE_TIMEOUT exceeds TimeoutStartSec=
	MapUnreadable           Code = "MAP-UNREADABLE"           // AGENT_MODEL_MAP cannot be read
	MapInvalid              Code = "MAP-INVALID"              // AGENT_MODEL_MAP is invalid
	MapMissing              Code = "MAP-MISSING"              // no AGENT_MODEL_MAP at the default path
	GeneratorTimeout        Code = "GENERATOR-TIMEOUT"        // the generator reached its own time limit
	GeneratorWrite          Code = "GENERATOR-WRITE"          // the generator cannot write its drop-ins
	UnitText                Code = "UNIT-TEXT"                // a value cannot be written to a unit file
	UnitStale               Code = "UNIT-STALE"               // a unit was generated from an older configuration
	UnitUnmarked            Code = "UNIT-UNMARKED"            // a unit lacks the generated settings
	GateOff                 Code = "GATE-OFF"                 // gates are disabled on the kernel command line
	StatusOpens             Code = "STATUS-OPENS"             // systemd would treat a refusal as success
	MPSMissing              Code = "MPS-MISSING"              // NVIDIA MPS is not installed
	MPSUnit                 Code = "MPS-UNIT"                 // the NVIDIA MPS unit cannot become active
	MPSDenied               Code = "MPS-DENIED"               // the gate is not allowed to start NVIDIA MPS
	MPSDeadlock             Code = "MPS-DEADLOCK"             // the MPS unit waits for the instance that starts it
	MPSDead                 Code = "MPS-DEAD"                 // no MPS control daemon is running
	MPSElsewhere            Code = "MPS-ELSEWHERE"            // an MPS daemon runs with another pipe directory
	MPSSplit                Code = "MPS-SPLIT"                // the MPS daemon has lost its pipe directory
	MPSStray                Code = "MPS-STRAY"                // the running MPS daemon does not belong to the unit
	MPSDirectory            Code = "MPS-DIRECTORY"            // the MPS pipe directory is not accessible
	MPSUser                 Code = "MPS-USER"                 // the MPS control daemon belongs to another user
	MPSWedged               Code = "MPS-WEDGED"               // the MPS control daemon does not answer
	MPSTimeout              Code = "MPS-TIMEOUT"              // NVIDIA MPS was not verified in time
	MPSBusy                 Code = "MPS-BUSY"                 // another console is connected to the MPS daemon
	MPSEmpty                Code = "MPS-EMPTY"                // the MPS control daemon returned an empty response
	MPSNonsense             Code = "MPS-NONSENSE"             // the MPS control daemon returned an invalid response
	MPSLibrary              Code = "MPS-LIBRARY"              // NVIDIA MPS cannot find libcuda
	MPSServer               Code = "MPS-SERVER"               // no MPS server is active for the user
	MPSPartition            Code = "MPS-PARTITION"            // an instance does not match the static partitions of MPS
	MPSLimit                Code = "MPS-LIMIT"                // an MPS limit differs from the configuration
	MPSEnvironment          Code = "MPS-ENVIRONMENT"          // the instance's unit cannot reach MPS
	MPSOpinion              Code = "MPS-OPINION"              // the orchestrator reports a different MPS state
	OrchestratorUnit        Code = "ORCHESTRATOR-UNIT"        // the orchestrator's unit cannot become ready
	OrchestratorUnreachable Code = "ORCHESTRATOR-UNREACHABLE" // the GPU Orchestrator did not answer
	OrchestratorNonsense    Code = "ORCHESTRATOR-NONSENSE"    // the orchestrator's response is invalid
	OrchestratorNotReady    Code = "ORCHESTRATOR-NOT-READY"   // the orchestrator reports that it is not ready
	OrchestratorImpostor    Code = "ORCHESTRATOR-IMPOSTOR"    // another process answers instead of the orchestrator
	OrchestratorDryRun      Code = "ORCHESTRATOR-DRY-RUN"     // the orchestrator runs in dry-run mode
	OrchestratorSafeMode    Code = "ORCHESTRATOR-SAFE-MODE"   // safe mode: the models were not checked
	OrchestratorRemote      Code = "ORCHESTRATOR-REMOTE"      // the orchestrator's URL is on another host
	ModelFailed             Code = "MODEL-FAILED"             // a model failed to load
	ModelCanary             Code = "MODEL-CANARY"             // a loaded model does not answer
	ModelsOnCPU             Code = "MODELS-ON-CPU"            // the models are not in GPU memory
	ModelsTimeout           Code = "MODELS-TIMEOUT"           // the models were still loading at the deadline
	ModelsIncomplete        Code = "MODELS-INCOMPLETE"        // the orchestrator loaded fewer models than expected
	PreloadEmpty            Code = "PRELOAD-EMPTY"            // the orchestrator's preload loads no models
	ModelsInconsistent      Code = "MODELS-INCONSISTENT"      // the orchestrator's status is inconsistent
	PreloadRefused          Code = "PRELOAD-REFUSED"          // the orchestrator rejected the preload request
	PreloadTimeout          Code = "PRELOAD-TIMEOUT"          // no preload had started at the deadline
	StoreRoot               Code = "STORE-ROOT"               // the Model Store does not exist
	StoreMount              Code = "STORE-MOUNT"              // the Model Store is on a mount that is not active
	StoreAgent              Code = "STORE-AGENT"              // the Model Store has no directory for an agent
	StoreVersion            Code = "STORE-VERSION"            // an agent's current version is missing
	StoreStaged             Code = "STORE-STAGED"             // a version was copied incompletely
	StoreSnapshot           Code = "STORE-SNAPSHOT"           // a model has no usable snapshot
	StoreFile               Code = "STORE-FILE"               // a file of a model is missing
	StoreLink               Code = "STORE-LINK"               // a link in the Model Store is dangling
	StorePointer            Code = "STORE-POINTER"            // a file is only a git-lfs pointer
	StoreEmpty              Code = "STORE-EMPTY"              // a file of a model is empty
	StoreAdapter            Code = "STORE-ADAPTER"            // an adapter is not in the Model Store
	StoreBase               Code = "STORE-BASE"               // an adapter has no base model
	StoreCorrupt            Code = "STORE-CORRUPT"            // a file of the Model Store is corrupt
	StoreRead               Code = "STORE-READ"               // part of the Model Store cannot be read
	StoreManifest           Code = "STORE-MANIFEST"           // a version has no checksums to verify against
	StoreUnverified         Code = "STORE-UNVERIFIED"         // a version could not be verified
	StorePermission         Code = "STORE-PERMISSION"         // the orchestrator's user cannot read the Model Store
	StoreSpace              Code = "STORE-SPACE"              // there is not enough space for another version
	StoreTimeout            Code = "STORE-TIMEOUT"            // the Model Store was still being hashed at the deadline
	StoreEnvironment        Code = "STORE-ENVIRONMENT"        // the orchestrator uses another store, or may download
	MapName                 Code = "MAP-NAME"                 // a name differs between AGENT_MODEL_MAP and the store
	ModelDownload           Code = "MODEL-DOWNLOAD"           // the orchestrator tried to download a model
	ModelMemory             Code = "MODEL-MEMORY"             // out of memory while a model was loading
	OrchestratorKill        Code = "ORCHESTRATOR-KILL"        // the orchestrator ran out of memory and was killed
	GPUUnknown              Code = "GPU-UNKNOWN"              // the GPU could not be checked
	GPUHelperMissing        Code = "GPU-HELPER-MISSING"       // the GPU helper is not installed
	GPUHelperUnusable       Code = "GPU-HELPER-UNUSABLE"      // the GPU helper cannot be executed
	GPUHelperLoader         Code = "GPU-HELPER-LOADER"        // the dynamic loader cannot load the GPU helper
	GPUHelperSymbol         Code = "GPU-HELPER-SYMBOL"        // the driver's library lacks a required function
	GPUHelperCrashed        Code = "GPU-HELPER-CRASHED"       // the GPU helper crashed
	GPUHelperHung           Code = "GPU-HELPER-HUNG"          // the GPU driver did not answer in time
	GPUHelperNonsense       Code = "GPU-HELPER-NONSENSE"      // the GPU helper's output is invalid
	GPUHelperNoCgo          Code = "GPU-HELPER-NO-CGO"        // the GPU helper was built without cgo
	GPULibraryMissing       Code = "GPU-LIBRARY-MISSING"      // NVIDIA's management library is missing
	GPUDriverNotLoaded      Code = "GPU-DRIVER-NOT-LOADED"    // the NVIDIA driver is not loaded
	GPUDriverMismatch       Code = "GPU-DRIVER-MISMATCH"      // NVIDIA's library and kernel module do not match
	GPUPermission           Code = "GPU-PERMISSION"           // the user has no access to the GPU
	GPUFailed               Code = "GPU-FAILED"               // the NVIDIA driver reports an error
	GPUNone                 Code = "GPU-NONE"                 // the driver finds no GPU
	GPUCount                Code = "GPU-COUNT"                // fewer GPUs than the configuration requires
	GPURecovery             Code = "GPU-RECOVERY"             // a GPU needs recovery
	GPURemapFailed          Code = "GPU-REMAP-FAILED"         // a faulty row of GPU memory could not be remapped
	GPURemapPending         Code = "GPU-REMAP-PENDING"        // a GPU has to be reset to remap a row of its memory
	GPUFabric               Code = "GPU-FABRIC"               // a GPU is not registered with the NVSwitch fabric
	GPUXid                  Code = "GPU-XID"                  // the driver logged a GPU error
	GPUNotListed            Code = "GPU-NOT-LISTED"           // an instance refers to a GPU that does not exist
	GPUUVMMissing           Code = "GPU-UVM-MISSING"          // /dev/nvidia-uvm is missing or unusable
	GPUProhibited           Code = "GPU-PROHIBITED"           // a GPU's compute mode is PROHIBITED
	GPUShared               Code = "GPU-SHARED"               // programs can bypass MPS on a GPU
	GPUExclusive            Code = "GPU-EXCLUSIVE"            // a GPU accepts only one process, and MPS is disabled
	GPUMIG                  Code = "GPU-MIG"                  // MIG and MPS are both enabled
	GPUPersistence          Code = "GPU-PERSISTENCE"          // persistence mode is off
	GPUMemoryLimit          Code = "GPU-MEMORY-LIMIT"         // the memory limits exceed a GPU's memory
	GPUMemoryFree           Code = "GPU-MEMORY-FREE"          // less GPU memory is free than an instance may use
	GPUMPSClients           Code = "GPU-MPS-CLIENTS"          // too many MPS clients
	Unchecked               Code = "UNCHECKED"                // something could not be checked
	UnitMissing             Code = "UNIT-MISSING"             // a packaged unit cannot be used
	UnitDisabled            Code = "UNIT-DISABLED"            // a unit's enablement differs from justnews.toml
	UnitShadowed            Code = "UNIT-SHADOWED"            // a unit file overrides the packaged one
	UnitOpened              Code = "UNIT-OPENED"              // systemd would treat a failed gate as passed
	UnitRival               Code = "UNIT-RIVAL"               // another unit or job starts or replaces instances
	DropInMasks             Code = "DROPIN-MASKS"             // a file masks one of the generator's drop-ins
	DropInLeftover          Code = "DROPIN-LEFTOVER"          // an old drop-in is still in place
	DropInBroken            Code = "DROPIN-BROKEN"            // systemd ignores part of a drop-in
	GateDouble              Code = "GATE-DOUBLE"              // an instance has two gates
	StartLimit              Code = "START-LIMIT"              // an instance has a start limit
	UnitSupervision         Code = "UNIT-SUPERVISION"         // a drop-in changes how systemd supervises an instance
	RestartLoop             Code = "RESTART-LOOP"             // an instance is restarted repeatedly
	GeneratorAbsent         Code = "GENERATOR-ABSENT"         // the generator has written nothing
	GeneratorStale          Code = "GENERATOR-STALE"          // the generated files are out of date
	EnvUnreadable           Code = "ENV-UNREADABLE"           // an environment file cannot be read
	EnvSyntax               Code = "ENV-SYNTAX"               // systemd and shells read an environment file differently
	EnvDiffers              Code = "ENV-DIFFERS"              // a value differs between systemd and a shell
	EnvUnused               Code = "ENV-UNUSED"               // no unit reads an environment file
	EnvInterpreter          Code = "ENV-INTERPRETER"          // the interpreter in an environment file does not exist
	PortTaken               Code = "PORT-TAKEN"               // another program uses the port of an instance
	PortSilent              Code = "PORT-SILENT"              // an instance is running but not listening
	PortFreed               Code = "PORT-FREED"               // a unit was stopped to free its port
	DiskSpace               Code = "DISK-SPACE"               // the disk is almost full
	LimitNOFILE             Code = "LIMIT-NOFILE"             // the limit on open files is too low
	SwapNone                Code = "SWAP-NONE"                // there is no swap
	TmpNoexec               Code = "TMP-NOEXEC"               // /tmp is mounted noexec
	UserUnknown             Code = "USER-UNKNOWN"             // the user or group of an instance does not exist
	UserOther               Code = "USER-OTHER"               // an instance runs as a different user than configured
	ServicePath             Code = "SERVICE-PATH"             // an instance's program or directory is not accessible
	HomeHidden              Code = "HOME-HIDDEN"              // protect_home hides a path that an instance needs
	IPCRemoved              Code = "IPC-REMOVED"              // logind removes an instance's shared memory at logout
	CacheReadOnly           Code = "CACHE-READONLY"           // a kernel cache is not writable
	DirectoryReadOnly       Code = "DIRECTORY-READONLY"       // an instance cannot write to a directory that it uses
	DatabaseURL             Code = "DATABASE-URL"             // a database URL is invalid
	DatabaseDown            Code = "DATABASE-DOWN"            // a database does not answer
	BusUnregistered         Code = "BUS-UNREGISTERED"         // the orchestrator is not registered with the MCP bus
	VLLMDown                Code = "VLLM-DOWN"                // the vLLM server of some agents is not running
	BusUnreachable          Code = "BUS-UNREACHABLE"          // the MCP bus did not answer
	BusNonsense             Code = "BUS-NONSENSE"             // the bus's response is invalid
	BusUnit                 Code = "BUS-UNIT"                 // the bus's unit cannot become ready
	BusDegraded             Code = "BUS-DEGRADED"             // the bus reports that it is degraded
	BusImpostor             Code = "BUS-IMPOSTOR"             // another process answers instead of the MCP bus
	ServerUnproven          Code = "SERVER-UNPROVEN"          // the unit that answers could not be verified
	NeedUnmet               Code = "NEED-UNMET"               // a need of the instance is not met
	NoSystemd               Code = "NO-SYSTEMD"               // systemd cannot be queried
	NoLock                  Code = "NO-LOCK"                  // the run does not share the services' lock
	RecordUnwritten         Code = "RECORD-UNWRITTEN"         // the summary could not be written
	Ungated                 Code = "UNGATED"                  // an instance has no gate
	GuardUnknown            Code = "GUARD-UNKNOWN"            // a unit has the drop-in of a guard that does not exist
	GuardVolatile           Code = "GUARD-VOLATILE"           // the gate of a guarded unit depends on the generator
	GuardRestart            Code = "GUARD-RESTART"            // a guarded unit stays down after a refusal
	GuardWrite              Code = "GUARD-WRITE"              // a guard's drop-in cannot be written or removed
	UnitStarting            Code = "UNIT-STARTING"            // a unit was still starting at the deadline
	UnitFailed              Code = "UNIT-FAILED"              // an instance has failed
	UnitDenied              Code = "UNIT-DENIED"              // the user is not allowed to manage the unit
	NeedReload              Code = "NEED-RELOAD"              // files have changed since the last daemon-reload
	ReadinessLost           Code = "READINESS-LOST"           // the host is no longer ready
	ReadinessRegained       Code = "READINESS-REGAINED"       // the host is ready again
	Interrupted             Code = "INTERRUPTED"              // the run was interrupted by a signal
	Hung                    Code = "HUNG"                     // a system call does not return
	Internal                Code = "INTERNAL"                 // internal error
	Usage                   Code = "USAGE"                    // invalid command line
	RecordBroken            Code = "RECORD-BROKEN"            // a file among the summaries is not a valid summary
	RecordUnreadable        Code = "RECORD-UNREADABLE"        // only root can read the summaries of units
	RecordMissing           Code = "RECORD-MISSING"           // there is nothing to draw
	MetricsUnwritten        Code = "METRICS-UNWRITTEN"        // the metrics of a run could not be written
	OperatorUser            Code = "OPERATOR-USER"            // the user cannot be made an operator
	OperatorGroup           Code = "OPERATOR-GROUP"           // the operators' group is missing
	OperatorRule            Code = "OPERATOR-RULE"            // the polkit rule for operators is missing or overridden
	OperatorDenied          Code = "OPERATOR-DENIED"          // only root can grant or revoke operator rights
	OperatorTool            Code = "OPERATOR-TOOL"            // a tool of this host is missing or failed
	SudoUnusable            Code = "SUDO-UNUSABLE"            // this sudo does not support the rule
	SudoUnsafe              Code = "SUDO-UNSAFE"              // a user other than root could replace the program
	SudoForeign             Code = "SUDO-FOREIGN"             // the sudo drop-in was not written by justnews-gate
	SudoRefused             Code = "SUDO-REFUSED"             // visudo reports an error in the sudo configuration
	SudoIneffective         Code = "SUDO-INEFFECTIVE"         // sudo does not apply the rule
	SudoLeftover            Code = "SUDO-LEFTOVER"            // the old helper's sudo rule is still in place
	ImportNothing           Code = "IMPORT-NOTHING"           // no JustNews instance was found
	ImportUnreadable        Code = "IMPORT-UNREADABLE"        // a file of the old setup cannot be read
	ImportLeftOut           Code = "IMPORT-LEFT-OUT"          // a setting of the old setup was not imported
	ImportConflict          Code = "IMPORT-CONFLICT"          // the old setup has conflicting settings
	ImportOvercommit        Code = "IMPORT-OVERCOMMIT"        // the MPS limits exceed the GPU's memory
)

var kinds = []kind{
	{ConfigMissing, "configuration", StatusConfig, "f2582aaaff755cea9b4aa14d06a4ce39"},
	{ConfigEmpty, "configuration", StatusReady, "6d0c6b1f6a5d4b0f9d3c2f7e51a8b94e"},
	{ConfigIgnored, "configuration", StatusReady, "01c5b67dcd2a41bf8256ea7b1bddc011"},
	{ConfigUnreadable, "configuration", StatusConfig, "8e64a67c4c545c139b75b36b8ede20a3"},
	{ConfigOwner, "configuration", StatusConfig, "04c55561f74e523da3b7b8fdea1b388d"},
	{ConfigVersion, "configuration", StatusConfig, "e121dd057c4142e79a1ed293cf246c7a"},
	{ConfigSyntax, "configuration", StatusConfig, "2fe12e44dcfc5382add128c8f39c6c8a"},
	{ConfigUnknownKey, "configuration", StatusConfig, "25d6de89893c561989020b5fd0389c26"},
	{ConfigType, "configuration", StatusConfig, "1c08ab9e23c056f8886a15b0aee560f1"},
	{ConfigValue, "configuration", StatusConfig, "a7b02611d2f5549985d1be1dd63e083f"},
	{ConfigString, "configuration", StatusConfig, "9b60ff8e8e3858c99bff6afa9fdd64c0"},
	{ConfigReference, "configuration", StatusConfig, "4c9332fa8b7f5188b5469dfe9b42da6d"},
	{ConfigConflict, "configuration", StatusConfig, "188c9c7027a25418bc881decff1f66f0"},
	{ConfigCycle, "configuration", StatusConfig, "ce4a8c84af245c1f8789aa0a38d53fcd"},
	{ConfigMemory, "configuration", StatusConfig, "21fb2b6b0d7158c2b950047af2d67236"},
	{InstanceUnknown, "configuration", StatusConfig, "5ea9a06c31b257c89e2541a916e17b00"},
	{ConfigEnvironment, "configuration", StatusConfig, "722892eea6e2502ebd8c7811e5927c73"},
	{TimeoutConflict, "configuration", StatusConfig, "15fb4a6f4ede5a1bb9d09a8563b16942"},
	{MapUnreadable, "configuration", StatusConfig, "316a4728a48a59e28e33d944ff512bc6"},
	{MapInvalid, "configuration", StatusConfig, "140343196c3c5ee48bb01300ed982927"},
	{MapMissing, "configuration", StatusConfig, "fe3d27429988598fa4c2c8b426b4717b"},
	{GeneratorTimeout, "units and drop-ins", StatusConfig, "53b4582b9ba25ac685a20cf2d804f232"},
	{GeneratorWrite, "units and drop-ins", StatusConfig, "2fa96c2766705d2d9a36828b28b51a67"},
	{UnitText, "units and drop-ins", StatusConfig, "573c5764beea51cbb6b94d7534b2985d"},
	{UnitStale, "units and drop-ins", StatusConfig, "6af0941e45efc2a23b5e1b3189ee8fbe"},
	{UnitUnmarked, "units and drop-ins", StatusConfig, "6099087c55fdfff77d6ae131e2c36031"},
	{GateOff, "units and drop-ins", StatusReady, "3c8b14b2745358d1acb4ff9c9aba6ace"},
	{StatusOpens, "units and drop-ins", StatusInternal, "1a27c62eb5a45dde8eae9d8804314aed"},
	{MPSMissing, "NVIDIA MPS", StatusGPU, "855a574bc2b146019b01bcac9b33d098"},
	{MPSUnit, "NVIDIA MPS", StatusGPU, "8dfee076d34749b889a5f673b1309904"},
	{MPSDenied, "NVIDIA MPS", StatusPermission, "42517a558a6a4609a513abdb5532979e"},
	{MPSDeadlock, "NVIDIA MPS", StatusConfig, "3a33e76d98f64c0b820d2989f6865c9c"},
	{MPSDead, "NVIDIA MPS", StatusGPU, "7f57878e4d6441c68c8a065a08b71ca0"},
	{MPSElsewhere, "NVIDIA MPS", StatusGPU, "3815837f45cc44939e40ab4fb5f1cabe"},
	{MPSSplit, "NVIDIA MPS", StatusGPU, "1d419447183d4b27a2f4a0b88860baa9"},
	{MPSStray, "NVIDIA MPS", StatusGPU, "4fac63404e29411e9d54e202bfbfcba3"},
	{MPSDirectory, "NVIDIA MPS", StatusGPU, "74e974dfc45740b78534a3d61d117272"},
	{MPSUser, "NVIDIA MPS", StatusGPU, "4f4c6994eb674f0c8272e960da9816e8"},
	{MPSWedged, "NVIDIA MPS", StatusGPU, "9354967abbfa4f9fb0c50e36f133b118"},
	{MPSTimeout, "NVIDIA MPS", StatusGPU, "743491d1bcd1406ebd4fac65d4e6fee6"},
	{MPSBusy, "NVIDIA MPS", StatusGPU, "65923b33878840bf91360618c6c58278"},
	{MPSEmpty, "NVIDIA MPS", StatusGPU, "3c387bd4cb3841a0863a441c66528961"},
	{MPSNonsense, "NVIDIA MPS", StatusNonsense, "1982accf6428458b8d87b7ce34b30ea1"},
	{MPSLibrary, "NVIDIA MPS", StatusGPU, "06d92c7ab6fb4b87a399bbdb53485e14"},
	{MPSServer, "NVIDIA MPS", StatusGPU, "0aec04d1aff3460dbba5981e5e5a1dc2"},
	{MPSPartition, "NVIDIA MPS", StatusGPU, "e3627212c48847ef803d683ba3ce0576"},
	{MPSLimit, "NVIDIA MPS", StatusGPU, "f8c574250b9b4ad3af7d321f41fe7e0a"},
	{MPSEnvironment, "NVIDIA MPS", StatusGPU, "e26dc975fc59489ba7df853a64c8bbd6"},
	{MPSOpinion, "NVIDIA MPS", StatusReady, "0169e85166cc414aa940d5ed3d2dae66"},
	{OrchestratorUnit, "orchestrator and models", StatusUnavailable, "e5566a526bdc5b96b42bac3ea7ca7a89"},
	{OrchestratorUnreachable, "orchestrator and models", StatusUnavailable, "75f4537181e551beb0fadc855a0bfa17"},
	{OrchestratorNonsense, "orchestrator and models", StatusNonsense, "aacf7c1e1f5b5071b178b61b0cdfa7a7"},
	{OrchestratorNotReady, "orchestrator and models", StatusUnavailable, "28c70e86579b5a0486bd6f289853c41e"},
	{OrchestratorImpostor, "orchestrator and models", StatusNonsense, "5d268d5b2ac55d6983d22caa9833c89f"},
	{OrchestratorDryRun, "orchestrator and models", StatusFailed, "a3a298ef6d1d5d32b8be22d41fbd6da1"},
	{OrchestratorSafeMode, "orchestrator and models", StatusReady, "23649a98dd805f72a42dfffb81788904"},
	{OrchestratorRemote, "orchestrator and models", StatusReady, "cbdea7b386b153209eef9ddb78637c71"},
	{ModelFailed, "orchestrator and models", StatusFailed, "e1897ff112a554a18485b0bc33802d40"},
	{ModelCanary, "orchestrator and models", StatusFailed, "97d2e1e1282640f08f777826fc7cd20f"},
	{ModelsOnCPU, "orchestrator and models", StatusFailed, "08eb7fbb587c419cb14eeb8ce5392ffb"},
	{ModelsTimeout, "orchestrator and models", StatusTimeout, "67c56d45fcf452488a4f370b3a042fdc"},
	{ModelsIncomplete, "orchestrator and models", StatusFailed, "4ec2201523e052a597de7f67b70fc190"},
	{PreloadEmpty, "orchestrator and models", StatusFailed, "9a74c40b8a02d754e3b6878181624b5f"},
	{ModelsInconsistent, "orchestrator and models", StatusNonsense, "231a2111ca3c5e4593685ae8dba4ec2a"},
	{PreloadRefused, "orchestrator and models", StatusNonsense, "626fb2e3e40b5a8186a9afe42b82531e"},
	{PreloadTimeout, "orchestrator and models", StatusTimeout, "b3b75d1cd67a5c7faec4a42bfd18ceee"},
	{StoreRoot, "Model Store", StatusStoreIncomplete, "005b827bbaeb3457b895ec4ed932cc47"},
	{StoreMount, "Model Store", StatusStoreIncomplete, "c5a1f7d20f5e4b0e9a3ce6b8417d2f96"},
	{StoreAgent, "Model Store", StatusStoreIncomplete, "8bf34940ab583d7c381d20b32ba10b19"},
	{StoreVersion, "Model Store", StatusStoreIncomplete, "72ff0b95891bd54a7898475b08978033"},
	{StoreStaged, "Model Store", StatusStoreIncomplete, "e6d459fcb1c8709266d68ab95f4fbee0"},
	{StoreSnapshot, "Model Store", StatusStoreIncomplete, "baedd207e4163a6ef275d9a29205b369"},
	{StoreFile, "Model Store", StatusStoreIncomplete, "f8acd22041e9b13d1e865abb0344f54a"},
	{StoreLink, "Model Store", StatusStoreIncomplete, "f1e9cfb3cc691027996526cae637595f"},
	{StorePointer, "Model Store", StatusStoreIncomplete, "b30f40f602b7628a1bdff51f9adffc4b"},
	{StoreEmpty, "Model Store", StatusStoreIncomplete, "0c844f68544b4cef4d255b4ad0415d21"},
	{StoreAdapter, "Model Store", StatusStoreIncomplete, "5540e644f959894509d9c34f487f235e"},
	{StoreBase, "Model Store", StatusStoreIncomplete, "00c4a32a9ec29ecbd0a391930ffce650"},
	{StoreCorrupt, "Model Store", StatusStoreCorrupt, "bfd07c7a1d60837ff7385cd11678f287"},
	{StoreRead, "Model Store", StatusStoreCorrupt, "ad76d72a32e283cd182aad4c3530bb1a"},
	{StoreManifest, "Model Store", StatusStoreIncomplete, "a192eec8610ad540181cf795f286e7fe"},
	{StoreUnverified, "Model Store", StatusStoreIncomplete, "f1a5c81e338e5efeb155d7ea8c4687cb"},
	{StorePermission, "Model Store", StatusPermission, "82f7c0a0f322716e10ceb0de14d10f75"},
	{StoreSpace, "Model Store", StatusReady, "ecfabe72adf322cb6f1ff2ba70fcce0d"},
	{StoreTimeout, "Model Store", StatusTimeout, "315b55d5f7e879bbaf3fd22890c790b8"},
	{StoreEnvironment, "Model Store", StatusConfig, "3f086f5fd09c3df60cdfc4378a621854"},
	{MapName, "configuration", StatusConfig, "50cc8873c5e8cf24431ff69653096650"},
	{ModelDownload, "orchestrator and models", StatusStoreIncomplete, "5b94a3ab6c4cb7782c6f7c8dcf9cc5d8"},
	{ModelMemory, "orchestrator and models", StatusFailed, "9e34555656972032b9a0e6a01ef191fd"},
	{OrchestratorKill, "orchestrator and models", StatusUnavailable, "372353fc010108858b4647aa9a7949ec"},
	{GPUUnknown, "GPUs", StatusGPU, "21401aa13b34ed5f50e1c18a30642fa1"},
	{GPUHelperMissing, "GPUs", StatusGPU, "a21eb8c12bc16df4e873be64741dca69"},
	{GPUHelperUnusable, "GPUs", StatusGPU, "dea6934fc1b196ebf1c9ba6c6fe8a1e6"},
	{GPUHelperLoader, "GPUs", StatusGPU, "7c48230eac498b3ab6e9a455a43394b7"},
	{GPUHelperSymbol, "GPUs", StatusGPU, "2ae18b1ec7d0264c27c4e806fec034f5"},
	{GPUHelperCrashed, "GPUs", StatusGPU, "b0c721cdc2925b762cb31997a47d36aa"},
	{GPUHelperHung, "GPUs", StatusGPU, "7ebb955182f24c2016596e9e60123a32"},
	{GPUHelperNonsense, "GPUs", StatusGPU, "c8c401df0ad17784b764832936cbc153"},
	{GPUHelperNoCgo, "GPUs", StatusGPU, "bddf1bb6815998377e90750fdf55cc66"},
	{GPULibraryMissing, "GPUs", StatusGPU, "b31fbbf9a18987c7aeb061019e259cef"},
	{GPUDriverNotLoaded, "GPUs", StatusGPU, "f703116f6f443c4d21ba022b33834ae4"},
	{GPUDriverMismatch, "GPUs", StatusGPU, "3cde06cb95ec186677a738ced9e0998d"},
	{GPUPermission, "GPUs", StatusGPU, "37b2a45000c884e925cfd3e51b1336ce"},
	{GPUFailed, "GPUs", StatusGPU, "9a75ae2afec47e291984911f471fdcc6"},
	{GPUNone, "GPUs", StatusGPU, "55b6d56d61517b8a1cc745d241b2b31f"},
	{GPUCount, "GPUs", StatusGPU, "3e5cb975e271d7174a0ef061d1cb68e6"},
	{GPURecovery, "GPUs", StatusGPU, "36d8ba093f0946be968cef0c66e94c82"},
	{GPURemapFailed, "GPUs", StatusGPU, "65dbf5fe3e0949acbf76487f24812885"},
	{GPURemapPending, "GPUs", StatusReady, "0e1a3e029c364e9fbb06d7fc4b013f76"},
	{GPUFabric, "GPUs", StatusGPU, "194e6353acf54b59bfe0a12b9f4a6be6"},
	{GPUXid, "GPUs", StatusGPU, "fb3cb5cae2b94518bbfa3e888d15f235"},
	{GPUNotListed, "GPUs", StatusGPU, "0ce3b4596baa4acbb1b2d01c35307354"},
	{GPUUVMMissing, "GPUs", StatusGPU, "ce8904396c254c3877dd937eec377a5b"},
	{GPUProhibited, "GPUs", StatusGPU, "7dfbcda9642979bba003606c3628b99c"},
	{GPUShared, "GPUs", StatusReady, "a385de741d27256261bfbea9a989184a"},
	{GPUExclusive, "GPUs", StatusReady, "2f33ccba134ef7ad6ff789116a2c3b45"},
	{GPUMIG, "GPUs", StatusGPU, "ff2697fa881e9b3ad8c3e77aeff78fd4"},
	{GPUPersistence, "GPUs", StatusReady, "81578953fca0a979121a4045eafe7bdb"},
	{GPUMemoryLimit, "GPUs", StatusGPU, "b7e53d341598961aa97fe16836904a1f"},
	{GPUMemoryFree, "GPUs", StatusReady, "844eaa9fa4b47a106af12a0444842cbd"},
	{GPUMPSClients, "GPUs", StatusGPU, "3d8686a5a14608836702e27ceb0b15e0"},
	{Unchecked, "host", StatusReady, "a397eca9195d25341ab2a45f8c665a56"},
	{UnitMissing, "units and drop-ins", StatusFailed, "249b74fd8932af0429e506cf685bd647"},
	{UnitDisabled, "units and drop-ins", StatusReady, "cdeca75217fa19c22bf9414feab6f841"},
	{UnitShadowed, "units and drop-ins", StatusReady, "30852c7159a16ccb659501b7cf6bc95a"},
	{UnitOpened, "units and drop-ins", StatusFailed, "483fc1c2c475d3426475ce501697f468"},
	{UnitRival, "units and drop-ins", StatusFailed, "9cde94d18b3da78ebe14585d0637a396"},
	{DropInMasks, "units and drop-ins", StatusFailed, "6d5acf00acce5b76ea415a95bab2057e"},
	{DropInLeftover, "units and drop-ins", StatusReady, "ec1a8938fbcc1ddf8380fc7c3098b701"},
	{DropInBroken, "units and drop-ins", StatusReady, "dde54aab5f1d5a69c4e7cd7eb6f22d29"},
	{GateDouble, "units and drop-ins", StatusReady, "1707e1f6a51e26fd628a2f3479af649e"},
	{StartLimit, "units and drop-ins", StatusReady, "fe5bab3ea20118e3fd9c0383d9418bf5"},
	{UnitSupervision, "units and drop-ins", StatusReady, "b4e30fdf3b6c40c9834760dc24466465"},
	{RestartLoop, "units and drop-ins", StatusFailed, "cdb179e0bcc6e5ef954cc639ad1375dc"},
	{GeneratorAbsent, "units and drop-ins", StatusFailed, "6bd5ef8488facb11978eb9b88810016a"},
	{GeneratorStale, "units and drop-ins", StatusFailed, "054c73d45bec58b0910e5f6786b4755f"},
	{EnvUnreadable, "environment files", StatusConfig, "becb6f3eab97b119a0d8d01e09881935"},
	{EnvSyntax, "environment files", StatusConfig, "1ec6fdea95e22338092ec55408c99716"},
	{EnvDiffers, "environment files", StatusReady, "691ccc322e04537e7956a48498d6ed05"},
	{EnvUnused, "environment files", StatusReady, "b4f862db8e1843fbb2a1870f3e95ae8b"},
	{EnvInterpreter, "environment files", StatusConfig, "a21bf8a53949b461e86213af0c6a1572"},
	{PortTaken, "host", StatusFailed, "d266ca8c54dbc7772df543f57cc73e50"},
	{PortSilent, "host", StatusReady, "dda0954a77141c82ecd93326f65fea95"},
	{PortFreed, "host", StatusReady, "7aab435f7853fedcd48ddd700d44e61f"},
	{DiskSpace, "host", StatusFailed, "42834665b4c46a2fab7075fe906639ce"},
	{LimitNOFILE, "host", StatusReady, "cfe57a0878b12c8cf70944fb81730978"},
	{SwapNone, "host", StatusReady, "647c310d432f39ba39d223cd4dc3921f"},
	{TmpNoexec, "host", StatusReady, "7727758de7f322e902015637a8b56fdc"},
	{UserUnknown, "users and paths", StatusConfig, "df3f973d7ebf4a198f894650ca4da493"},
	{UserOther, "users and paths", StatusReady, "a9807dd1f5964befb5f8e27f8295cd68"},
	{ServicePath, "users and paths", StatusFailed, "910569b09d6f173e085a60581c1385e8"},
	{HomeHidden, "users and paths", StatusFailed, "bba661e3bdda431b9eb19e48b1523d2d"},
	{IPCRemoved, "users and paths", StatusReady, "131feae7fb044b3e9ab001140a983862"},
	{CacheReadOnly, "users and paths", StatusReady, "cc855d8536bae24fb9d9986c4118c080"},
	{DirectoryReadOnly, "users and paths", StatusReady, "3a516bd743744b81835cdb10b4d2a5da"},
	{DatabaseURL, "bus and needs", StatusConfig, "2c67dd6831571378ade3376d795fd356"},
	{DatabaseDown, "bus and needs", StatusUnavailable, "d0712401db2d48a0b80904ae8cf0e28e"},
	{BusUnregistered, "bus and needs", StatusReady, "890b17d4a874a287ec7a4dc325f0a305"},
	{VLLMDown, "orchestrator and models", StatusReady, "52bbf0846fb3cddc44472c4a214d64f1"},
	{BusUnreachable, "bus and needs", StatusUnavailable, "668672924d4f5e6e9085f8eaa4163e51"},
	{BusNonsense, "bus and needs", StatusNonsense, "5b4af49727c3594f82a5f396b5706381"},
	{BusUnit, "bus and needs", StatusUnavailable, "bdd995a4f6f05a639c06dad58a956677"},
	{BusDegraded, "bus and needs", StatusReady, "24f8b2f042f55c13b96efec4560079f9"},
	{BusImpostor, "bus and needs", StatusNonsense, "a0d37d0fb4a64bb28a2a2b1f2f6d8e51"},
	{ServerUnproven, "this run", StatusUnavailable, "6b0c0d0a3c4e4f3a9d6f4f0d9a7f5c32"},
	{NeedUnmet, "bus and needs", StatusUnavailable, "d00527adbd4b501384768af0992c6bb9"},
	{NoSystemd, "host", StatusReady, "2d40618cfb3a58abba17d8a1e0a36029"},
	{NoLock, "host", StatusReady, "1b8e63b5319c5823a69bc6a3554e7b27"},
	{RecordUnwritten, "host", StatusReady, "a291898f5820591db6915e342fbe831a"},
	{Ungated, "units and drop-ins", StatusFailed, "643494c0336b5b629ae855100ef3df9f"},
	{GuardUnknown, "units and drop-ins", StatusConfig, "3f31d7ea08ed46d193f90fc5bb3af877"},
	{GuardVolatile, "units and drop-ins", StatusReady, "2b210229d53143a899763748791c7217"},
	{GuardRestart, "units and drop-ins", StatusReady, "2d5de809b71248a39ef3bdbeb056b4c0"},
	{GuardWrite, "this run", StatusPermission, "49c1ac1aeb994467bfcf294f6962f80e"},
	{UnitStarting, "units and drop-ins", StatusTimeout, "d34278700c4e43b48749642fa979f88e"},
	{UnitFailed, "units and drop-ins", StatusFailed, "c8d0f4f3b7e15a0f9f0e6b52a1c47d39"},
	{UnitDenied, "units and drop-ins", StatusPermission, "eda5b718f63c46198ac83a11fba7030c"},
	{NeedReload, "units and drop-ins", StatusFailed, "53f260857e275aa09374860bddd77139"},
	{ReadinessLost, "this run", StatusUnavailable, "26f9b78069e44b6b97f40a813cf4baf3"},
	{ReadinessRegained, "this run", StatusReady, "f8f2801c504c405a89af1ae698ab6c57"},
	{Interrupted, "this run", StatusTimeout, "d334bcf636465af1b6e12af22a0f2373"},
	{Hung, "this run", StatusTimeout, "e220d41332484f5a8b304ed9efc3e067"},
	{Internal, "this run", StatusInternal, "653f00042a595e5aaf5e8a57217df675"},
	{Usage, "this run", StatusUsage, "99eb5e90486c58fdbb4b5c7a3194db9f"},
	{RecordBroken, "host", StatusReady, "e63996c0d936d097c7439cb5268207b8"},
	{RecordUnreadable, "host", StatusReady, "4ae50c249d885ea7dc07e31c46dda679"},
	{RecordMissing, "host", StatusFailed, "1b2b78dc8e88768e00e7d24cf95007e5"},
	{MetricsUnwritten, "this run", StatusReady, "f7f5a45e880d37e725c9137d4dc271fc"},
	{OperatorUser, "this run", StatusUsage, "e2b20b59a17e2f3992194a4b8ddfc31d"},
	{OperatorGroup, "this run", StatusConfig, "7f48afcc12a2affa52da1f93d7a6e447"},
	{OperatorRule, "this run", StatusReady, "73610b0f30b93d490b09614a13e396ce"},
	{OperatorDenied, "this run", StatusPermission, "4ca9d2c579a4c0cd7007ae815bbf28f2"},
	{OperatorTool, "this run", StatusUnavailable, "eeef71a9e995a857ad139046a48fe007"},
	{SudoUnusable, "this run", StatusConfig, "5c77959031481089c962683e4d874712"},
	{SudoUnsafe, "this run", StatusPermission, "1178febb700fd2821f76484e4e8ef117"},
	{SudoForeign, "this run", StatusConfig, "9ea6e8aaaa4edceb6b6625d4e2b1d4ca"},
	{SudoRefused, "this run", StatusConfig, "f861a3e6ef6c2604385191def358719b"},
	{SudoIneffective, "this run", StatusConfig, "a48ccdfa8905373862c028c6b1e98f28"},
	{SudoLeftover, "this run", StatusReady, "fa82a8bf07f0cb0cd3c1ef0aaf72d12a"},
	{ImportNothing, "this run", StatusConfig, "84688d2d1bcc2efbe1bbc337ac2ccbc8"},
	{ImportUnreadable, "this run", StatusReady, "4d2f66421210726732512a4edc314c5a"},
	{ImportLeftOut, "this run", StatusReady, "1a9a1a3cb72de81d5cfd82137ad1a5f5"},
	{ImportConflict, "this run", StatusReady, "dfa5ebbf252bc3c8ade53a0f5b7be24a"},
	{ImportOvercommit, "this run", StatusReady, "958d23792f755518276bf2545ec74c07"},
}
