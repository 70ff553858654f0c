// Code generated from catalogue.toml by make generate; DO NOT EDIT.

// SPDX-License-Identifier: Apache-2.0

package diag

// The codes of all problems.
const (
	ConfigMissing           Code = "CONFIG-MISSING"           // there is no justnews.toml
	ConfigEmpty             Code = "CONFIG-EMPTY"             // no instance is configured
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
	MPSBusy                 Code = "MPS-BUSY"                 // another console is connected to the MPS daemon
	MPSEmpty                Code = "MPS-EMPTY"                // the MPS control daemon gave an empty answer
	MPSNonsense             Code = "MPS-NONSENSE"             // the MPS control daemon gave an invalid answer
	MPSLibrary              Code = "MPS-LIBRARY"              // NVIDIA MPS cannot find libcuda
	MPSServer               Code = "MPS-SERVER"               // no MPS server is active for the user
	MPSPartition            Code = "MPS-PARTITION"            // an instance does not fit the static partitions of MPS
	MPSLimit                Code = "MPS-LIMIT"                // an MPS limit differs from the configuration
	MPSEnvironment          Code = "MPS-ENVIRONMENT"          // the instance's unit cannot reach MPS
	MPSOpinion              Code = "MPS-OPINION"              // the orchestrator reports a different MPS state
	OrchestratorUnit        Code = "ORCHESTRATOR-UNIT"        // the orchestrator's unit cannot become ready
	OrchestratorUnreachable Code = "ORCHESTRATOR-UNREACHABLE" // the GPU Orchestrator did not answer
	OrchestratorNonsense    Code = "ORCHESTRATOR-NONSENSE"    // the orchestrator's answer is invalid
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
	OrchestratorKill        Code = "ORCHESTRATOR-KILL"        // the orchestrator was killed because memory ran out
	GPUUnknown              Code = "GPU-UNKNOWN"              // the GPU could not be checked
	GPUHelperMissing        Code = "GPU-HELPER-MISSING"       // the GPU helper is not installed
	GPUHelperUnusable       Code = "GPU-HELPER-UNUSABLE"      // the GPU helper cannot be executed
	GPUHelperLoader         Code = "GPU-HELPER-LOADER"        // the dynamic loader cannot load the GPU helper
	GPUHelperSymbol         Code = "GPU-HELPER-SYMBOL"        // the driver's library lacks a required function
	GPUHelperCrashed        Code = "GPU-HELPER-CRASHED"       // the GPU helper crashed
	GPUHelperHung           Code = "GPU-HELPER-HUNG"          // the GPU driver does not answer
	GPUHelperNonsense       Code = "GPU-HELPER-NONSENSE"      // the GPU helper's output is invalid
	GPUHelperNoCgo          Code = "GPU-HELPER-NO-CGO"        // the GPU helper was built without cgo
	GPULibraryMissing       Code = "GPU-LIBRARY-MISSING"      // NVIDIA's management library is missing
	GPUDriverNotLoaded      Code = "GPU-DRIVER-NOT-LOADED"    // the NVIDIA driver is not loaded
	GPUDriverMismatch       Code = "GPU-DRIVER-MISMATCH"      // NVIDIA's library and kernel module do not match
	GPUPermission           Code = "GPU-PERMISSION"           // the user has no access to the GPU
	GPUFailed               Code = "GPU-FAILED"               // the NVIDIA driver reports an error
	GPUNone                 Code = "GPU-NONE"                 // the driver finds no GPU
	GPUCount                Code = "GPU-COUNT"                // fewer GPUs than the configuration requires
	GPURecovery             Code = "GPU-RECOVERY"             // the driver wants a GPU to be recovered
	GPURemapFailed          Code = "GPU-REMAP-FAILED"         // a faulty row of GPU memory was not replaced
	GPURemapPending         Code = "GPU-REMAP-PENDING"        // a GPU's reset will replace a row of its memory
	GPUFabric               Code = "GPU-FABRIC"               // a GPU is not registered with the NVSwitch fabric
	GPUXid                  Code = "GPU-XID"                  // the driver logged an error of a GPU
	GPUNotListed            Code = "GPU-NOT-LISTED"           // an instance is given a GPU that does not exist
	GPUUVMMissing           Code = "GPU-UVM-MISSING"          // /dev/nvidia-uvm is missing or unusable
	GPUProhibited           Code = "GPU-PROHIBITED"           // a GPU's compute mode is PROHIBITED
	GPUShared               Code = "GPU-SHARED"               // programs can bypass MPS on a GPU
	GPUExclusive            Code = "GPU-EXCLUSIVE"            // a GPU accepts only one process, and MPS is disabled
	GPUMIG                  Code = "GPU-MIG"                  // MIG is enabled on a GPU, and MPS is enabled
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
	DropInMasks             Code = "DROPIN-MASKS"             // a file masks a drop-in of the generator
	DropInLeftover          Code = "DROPIN-LEFTOVER"          // an old drop-in is still in place
	DropInBroken            Code = "DROPIN-BROKEN"            // systemd ignores part of a drop-in
	GateDouble              Code = "GATE-DOUBLE"              // an instance has two gates
	StartLimit              Code = "START-LIMIT"              // an instance has a start limit
	RestartLoop             Code = "RESTART-LOOP"             // an instance is restarted repeatedly
	GeneratorAbsent         Code = "GENERATOR-ABSENT"         // the generator has not written anything
	GeneratorStale          Code = "GENERATOR-STALE"          // the generated files are out of date
	EnvUnreadable           Code = "ENV-UNREADABLE"           // an environment file cannot be read
	EnvSyntax               Code = "ENV-SYNTAX"               // systemd and shells read an environment file differently
	EnvDiffers              Code = "ENV-DIFFERS"              // a value differs between systemd and a shell
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
	BusNonsense             Code = "BUS-NONSENSE"             // the bus's answer is invalid
	BusUnit                 Code = "BUS-UNIT"                 // the bus's unit cannot become ready
	BusDegraded             Code = "BUS-DEGRADED"             // the bus reports that it is degraded
	BusImpostor             Code = "BUS-IMPOSTOR"             // another process answers instead of the MCP bus
	ServerUnproven          Code = "SERVER-UNPROVEN"          // it could not be verified which unit answers
	NeedUnmet               Code = "NEED-UNMET"               // something that the instance needs is unavailable
	NoSystemd               Code = "NO-SYSTEMD"               // systemd cannot be queried
	NoLock                  Code = "NO-LOCK"                  // the run does not share the lock of the services' gates
	RecordUnwritten         Code = "RECORD-UNWRITTEN"         // the summary could not be written
	Ungated                 Code = "UNGATED"                  // an instance has no gate
	GuardUnknown            Code = "GUARD-UNKNOWN"            // a unit has the line of a guard, and no guard
	GuardVolatile           Code = "GUARD-VOLATILE"           // the gate of a guarded unit depends on the generator
	GuardRestart            Code = "GUARD-RESTART"            // a guarded unit stays down after a refusal
	GuardWrite              Code = "GUARD-WRITE"              // the drop-in of a guard cannot be written or removed
	UnitFailed              Code = "UNIT-FAILED"              // an instance has failed
	NeedReload              Code = "NEED-RELOAD"              // files have changed since the last daemon-reload
	ReadinessLost           Code = "READINESS-LOST"           // what the open gates have proven no longer holds
	ReadinessRegained       Code = "READINESS-REGAINED"       // what the open gates have proven holds again
	Interrupted             Code = "INTERRUPTED"              // the run was interrupted by a signal
	Hung                    Code = "HUNG"                     // a system call does not return
	Internal                Code = "INTERNAL"                 // internal error
	Usage                   Code = "USAGE"                    // invalid command line
	RecordBroken            Code = "RECORD-BROKEN"            // a file among the summaries was not written by a run
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
	ImportUnreadable        Code = "IMPORT-UNREADABLE"        // a file of the old set-up cannot be read
	ImportLeftOut           Code = "IMPORT-LEFT-OUT"          // a setting of the old set-up was not imported
	ImportConflict          Code = "IMPORT-CONFLICT"          // the old set-up has conflicting settings
	ImportOvercommit        Code = "IMPORT-OVERCOMMIT"        // the MPS limits exceed the GPU's memory
)

var catalog = []Entry{
	{
		Code: ConfigMissing, Area: "configuration", Status: StatusConfig, MessageID: "f2582aaaff755cea9b4aa14d06a4ce39",
		Title: "there is no justnews.toml",
		Cause: "There is no justnews.toml in /etc/justnews, /run/justnews or /usr/lib/justnews, so no instance is defined.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "copy /usr/share/doc/justnews/examples/seventeen.toml to /etc/justnews/justnews.toml, and remove what this host does not run", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigEmpty, Area: "configuration", Status: StatusReady, MessageID: "6d0c6b1f6a5d4b0f9d3c2f7e51a8b94e",
		Title: "no instance is configured",
		Cause: "No configuration file has an [instances] table, as right after installation: nothing is gated, and justnews.target starts nothing.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "copy /usr/share/doc/justnews/examples/seventeen.toml to /etc/justnews/justnews.toml, and remove what this host does not run", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigUnreadable, Area: "configuration", Status: StatusConfig, MessageID: "8e64a67c4c545c139b75b36b8ede20a3",
		Title: "a configuration file cannot be read",
		Cause: "It cannot be opened, is not a regular file, is larger than 1 MiB, or could not be read completely.",
		Check: []Command{{"ls", "-l", "/etc/justnews"}, {"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "replace it with a readable regular file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigOwner, Area: "configuration", Status: StatusConfig, MessageID: "04c55561f74e523da3b7b8fdea1b388d",
		Title: "the configuration is writable by a user other than root",
		Cause: "A file or directory of the configuration is not owned by root, or is writable by its group or others. Whoever can write it decides what is started.",
		Check: []Command{{"sh", "-c", "ls -ld /etc/justnews /etc/justnews/*"}},
		Fix:   Fix{Commands: []Command{{"chown", "root:root", "FILE"}, {"chmod", "go-w", "FILE"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigVersion, Area: "configuration", Status: StatusConfig, MessageID: "e121dd057c4142e79a1ed293cf246c7a",
		Title: "the configuration needs a later version of this program",
		Cause: "A file sets min_version to a version after that of this program. Nothing else of the configuration was judged: it may have keys that this program does not know.",
		Check: []Command{{"justnews-gate", "--version"}},
		Fix:   Fix{Advice: "install that version or a later one on this host", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigSyntax, Area: "configuration", Status: StatusConfig, MessageID: "2fe12e44dcfc5382add128c8f39c6c8a",
		Title: "a configuration file is not valid TOML",
		Cause: "A quote, bracket or equals sign is missing, a key is defined twice, or a value is not a TOML value.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "correct the reported line", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigUnknownKey, Area: "configuration", Status: StatusConfig, MessageID: "25d6de89893c561989020b5fd0389c26",
		Title: "unknown key",
		Cause: "The key is misspelt or is in the wrong table. It would have no effect, so it is rejected rather than ignored.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "correct or remove the key", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigType, Area: "configuration", Status: StatusConfig, MessageID: "1c08ab9e23c056f8886a15b0aee560f1",
		Title: "a value has the wrong type",
		Cause: "For example, a string is given instead of a number, or a single table instead of an array of tables.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "write the value in the expected type", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigValue, Area: "configuration", Status: StatusConfig, MessageID: "a7b02611d2f5549985d1be1dd63e083f",
		Title: "a value is out of range or malformed",
		Cause: "The value has the right type but is not allowed: a port above 65535, a time-out of 0, a relative path.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "write an allowed value", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigString, Area: "configuration", Status: StatusConfig, MessageID: "9b60ff8e8e3858c99bff6afa9fdd64c0",
		Title: "a string contains a character that is not allowed",
		Cause: "It contains a control character, such as a line break, or invalid UTF-8. In a unit file it could end the line and start another setting.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "remove the character", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigReference, Area: "configuration", Status: StatusConfig, MessageID: "4c9332fa8b7f5188b5469dfe9b42da6d",
		Title: "reference to an undefined name",
		Cause: "after, needs, [orchestrator] or [bus] refers to an instance or a probe that the configuration does not define.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "define the name or correct it", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigConflict, Area: "configuration", Status: StatusConfig, MessageID: "188c9c7027a25418bc881decff1f66f0",
		Title: "two settings contradict each other",
		Cause: "For example, two instances use one port, the port in the orchestrator's URL differs from that of its instance, or MPS limits are set for an instance with MPS disabled.",
		Check: []Command{{"justnews-gate", "config", "show", "--origin"}},
		Fix:   Fix{Advice: "change one of the two", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigCycle, Area: "configuration", Status: StatusConfig, MessageID: "ce4a8c84af245c1f8789aa0a38d53fcd",
		Title: "ordering cycle between instances",
		Cause: "The ordering has a cycle. It includes implicit dependencies: every instance starts after the orchestrator, its preload and, where required, the bus. systemd would break the cycle by dropping a start job.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "remove one after = [ … ] of the cycle", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigMemory, Area: "configuration", Status: StatusConfig, MessageID: "21fb2b6b0d7158c2b950047af2d67236",
		Title: "the memory limits exceed the GPU",
		Cause: "The sum of mps.memory of all instances exceeds gpu.memory.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "lower a limit, or set gpu.memory to the memory that the GPU really has", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: InstanceUnknown, Area: "configuration", Status: StatusConfig, MessageID: "5ea9a06c31b257c89e2541a916e17b00",
		Title: "the instance is not in the configuration",
		Cause: "The unit was started by hand, its name is misspelt, or the instance was removed from justnews.toml. An instance that is not listed is refused.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "add [instances.NAME] to /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigEnvironment, Area: "configuration", Status: StatusConfig, MessageID: "722892eea6e2502ebd8c7811e5927c73",
		Title: "an environment variable of the gate is invalid",
		Cause: "An environment file or a drop-in sets GATE_TIMEOUT, REQUIRE_BUS or another variable to an invalid value.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}, {"sh", "-c", "cat /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct the variable", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: TimeoutConflict, Area: "configuration", Status: StatusConfig, MessageID: "15fb4a6f4ede5a1bb9d09a8563b16942",
		Title: "GATE_TIMEOUT exceeds TimeoutStartSec=",
		Cause: "TimeoutStartSec= of the unit is less than GATE_TIMEOUT plus 5 s, so systemd would terminate the gate before its deadline. The gate uses the shorter of the two.",
		Check: []Command{{"systemctl", "show", "-p", "TimeoutStartUSec", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "raise TimeoutStartSec= or lower GATE_TIMEOUT", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MapUnreadable, Area: "configuration", Status: StatusConfig, MessageID: "316a4728a48a59e28e33d944ff512bc6",
		Title: "AGENT_MODEL_MAP cannot be read",
		Cause: "The file named by models.map is missing, not a regular file, too large, or not readable by the user that the gate runs as.",
		Check: []Command{{"ls", "-l", "/etc/justnews/AGENT_MODEL_MAP.json"}},
		Fix:   Fix{Advice: "copy the map there (0644), or set models.map", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: MapInvalid, Area: "configuration", Status: StatusConfig, MessageID: "140343196c3c5ee48bb01300ed982927",
		Title: "AGENT_MODEL_MAP is invalid",
		Cause: "It is not JSON, has duplicate keys, or lists an agent's models in a form that no orchestrator accepts.",
		Check: []Command{{"python3", "-m", "json.tool", "/etc/justnews/AGENT_MODEL_MAP.json"}},
		Fix:   Fix{Advice: "correct the reported place", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: MapMissing, Area: "configuration", Status: StatusConfig, MessageID: "fe3d27429988598fa4c2c8b426b4717b",
		Title: "no AGENT_MODEL_MAP at the default path",
		Cause: "Without the map, the gate does not know how many models to expect, and only checks that there is at least one.",
		Check: []Command{{"ls", "-l", "/etc/justnews/AGENT_MODEL_MAP.json"}},
		Fix:   Fix{Advice: "set models.map = \"/path/to/AGENT_MODEL_MAP.json\" in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GeneratorTimeout, Area: "units and drop-ins", Status: StatusConfig, MessageID: "53b4582b9ba25ac685a20cf2d804f232",
		Title: "the generator reached its own time limit",
		Cause: "Reading the configuration took longer than 5 s, because a file system hangs or the machine is overloaded. The gates of all instances stay shut.",
		Check: []Command{{"journalctl", "-b", "-t", "justnews-generator"}},
		Fix:   Fix{Advice: "fix the file system below /etc/justnews", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GeneratorWrite, Area: "units and drop-ins", Status: StatusConfig, MessageID: "2fa96c2766705d2d9a36828b28b51a67",
		Title: "the generator cannot write its drop-ins",
		Cause: "/run is full or read-only. The packaged base drop-in still gates every instance.",
		Check: []Command{{"df", "/run"}, {"journalctl", "-b", "-t", "justnews-generator"}},
		Fix:   Fix{Advice: "free space below /run", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitText, Area: "units and drop-ins", Status: StatusConfig, MessageID: "573c5764beea51cbb6b94d7534b2985d",
		Title: "a value cannot be written to a unit file",
		Cause: "systemd would misinterpret the value, so it is not written.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "change the value", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitStale, Area: "units and drop-ins", Status: StatusConfig, MessageID: "6af0941e45efc2a23b5e1b3189ee8fbe",
		Title: "a unit was generated from an older configuration",
		Cause: "The configuration or the program has changed since the last daemon-reload, so systemd would start the instance with outdated settings. The instance starts after a reload.",
		Check: []Command{{"/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"}, {"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitUnmarked, Area: "units and drop-ins", Status: StatusConfig, MessageID: "6099087c55fdfff77d6ae131e2c36031",
		Title: "a unit lacks the generated settings",
		Cause: "The generator failed, was killed or is missing, so the unit has neither the user nor the limits of justnews.toml; or a file of the same name masks one of its drop-ins; or systemd cannot be queried.",
		Check: []Command{{"journalctl", "-b", "-t", "justnews-generator"}, {"/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"}, {"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "fix the cause that the generator reports", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GateOff, Area: "units and drop-ins", Status: StatusReady, MessageID: "3c8b14b2745358d1acb4ff9c9aba6ace",
		Title: "gates are disabled on the kernel command line",
		Cause: "The system was booted with justnews.gate=off. Every gate passes without any check until the next boot without it.",
		Check: []Command{{"cat", "/proc/cmdline"}},
		Fix:   Fix{Advice: "remove justnews.gate=off from the kernel command line and reboot"},
	},
	{
		Code: StatusOpens, Area: "units and drop-ins", Status: StatusInternal, MessageID: "1a27c62eb5a45dde8eae9d8804314aed",
		Title: "systemd would treat a refusal as success",
		Cause: "SuccessExitStatus= of the unit lists the exit status of this refusal, so systemd would start the service. The gate exits with another status instead, or terminates by a signal if every status is listed or systemd cannot be queried.",
		Check: []Command{{"systemctl", "show", "-p", "SuccessExitStatus", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the status from SuccessExitStatus=", Look: []Command{{"systemctl", "edit", "justnews@INSTANCE.service"}}, Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSMissing, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "855a574bc2b146019b01bcac9b33d098",
		Title: "NVIDIA MPS is not installed",
		Cause: "There is no executable /usr/bin/nvidia-cuda-mps-control. It is part of the driver's compute package (Debian: nvidia-cuda-mps).",
		Check: []Command{{"ls", "-l", "/usr/bin/nvidia-cuda-mps-control"}, {"systemctl", "status", "justnews-mps.service"}},
		Fix:   Fix{Advice: "install the version of NVIDIA MPS that matches the driver", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSUnit, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "8dfee076d34749b889a5f673b1309904",
		Title: "the NVIDIA MPS unit cannot become active",
		Cause: "It is missing, masked, failed, has hit its start limit, or was skipped because a condition was not met. systemd does not treat a skipped unit as a failure: its start job is \"done\", but nothing runs.",
		Check: []Command{{"systemctl", "status", "justnews-mps.service"}, {"journalctl", "-b", "-u", "justnews-mps.service"}},
		Fix:   Fix{Advice: "fix the cause named in its log", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSDenied, Area: "NVIDIA MPS", Status: StatusPermission, MessageID: "42517a558a6a4609a513abdb5532979e",
		Title: "the gate is not allowed to start NVIDIA MPS",
		Cause: "The D-Bus service org.justnews.MPS1 starts justnews-mps.service for members of the groups justnews and justnews-operators only. Without that service, systemd asks polkit, which allows operators only. The service does not start any other unit named by mps.unit.",
		Check: []Command{{"id", "USER"}, {"systemctl", "status", "justnews-mps-start.service"}, {"ls", "-l", "/usr/share/dbus-1/system.d/org.justnews.MPS1.conf"}},
		Fix:   Fix{Commands: []Command{{"usermod", "-aG", "justnews", "USER"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSDeadlock, Area: "NVIDIA MPS", Status: StatusConfig, MessageID: "3a33e76d98f64c0b820d2989f6865c9c",
		Title: "the MPS unit waits for the instance that starts it",
		Cause: "After=, Before= or Conflicts= in a drop-in orders one after the other, so the gate would wait for itself.",
		Check: []Command{{"systemctl", "show", "-p", "After,Before,Conflicts", "justnews-mps.service", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the reported ordering", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSDead, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "7f57878e4d6441c68c8a065a08b71ca0",
		Title: "no MPS control daemon is running",
		Cause: "No process holds the lock in the pipe directory. The directory and its sockets remain after the daemon has exited and prove nothing. A program that finds no daemon runs without MPS and its limits.",
		Check: []Command{{"justnews-gate", "mps", "status"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "start", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSElsewhere, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "3815837f45cc44939e40ab4fb5f1cabe",
		Title: "an MPS daemon runs with another pipe directory",
		Cause: "A daemon was started by hand (nvidia-cuda-mps-control -d uses /tmp/nvidia-mps), or the instance's environment and the configuration name different directories. A program only finds the daemon of its own CUDA_MPS_PIPE_DIRECTORY.",
		Check: []Command{{"justnews-gate", "mps", "status"}},
		Fix:   Fix{Advice: "or set mps.pipe_directory to the directory of the other daemon", Commands: []Command{{"sh", "-c", "echo quit | CUDA_MPS_PIPE_DIRECTORY=\"$1\" nvidia-cuda-mps-control", "sh", "DIRECTORY"}, {"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSSplit, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "1d419447183d4b27a2f4a0b88860baa9",
		Title: "the MPS daemon has lost its pipe directory",
		Cause: "The directory or its sockets were deleted while the daemon was running, for example by a cleanup of /tmp. Programs no longer find the daemon, and a second daemon started since then shares the GPU with it unnoticed.",
		Check: []Command{{"justnews-gate", "mps", "status"}},
		Fix:   Fix{Commands: []Command{{"pkill", "-KILL", "-f", "[n]vidia-cuda-mps-control"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSStray, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "4fac63404e29411e9d54e202bfbfcba3",
		Title: "the running MPS daemon does not belong to the unit",
		Cause: "A daemon that was started by hand or by another unit already uses the pipe directory. The unit's own daemon cannot start while that one runs (\"An instance of this daemon is already running\").",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"systemctl", "status", "PID"}},
		Fix:   Fix{Advice: "stop the reported daemon", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSDirectory, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "74e974dfc45740b78534a3d61d117272",
		Title: "the MPS pipe directory is not accessible",
		Cause: "The user lacks search permission on the directory or one of its parents, or it is not a directory. The sockets in it are open to everyone, so mode 0755 is sufficient.",
		Check: []Command{{"namei", "-l", "/run/nvidia-mps"}},
		Fix:   Fix{Commands: []Command{{"chmod", "0755", "DIRECTORY"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSUser, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "4f4c6994eb674f0c8272e960da9816e8",
		Title: "the MPS control daemon belongs to another user",
		Cause: "A daemon serves clients of its own user; root's daemon serves one user at a time. Clients of another user wait without any message.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"systemctl", "show", "-p", "User", "justnews-mps.service"}},
		Fix:   Fix{Advice: "use the same service.user for the daemon and all instances with MPS", Commands: []Command{{"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSWedged, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "9354967abbfa4f9fb0c50e36f133b118",
		Title: "the MPS control daemon does not answer",
		Cause: "It is running, but is stopped (state T) or hangs in the driver. A client would wait forever.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"ps", "-o", "pid,stat,wchan:32,cmd", "-C", "nvidia-cuda-mps"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "kill", "-s", "SIGKILL", "justnews-mps.service"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSBusy, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "65923b33878840bf91360618c6c58278",
		Title: "another console is connected to the MPS daemon",
		Cause: "The daemon serves one console at a time and disconnects the others. One open interactive nvidia-cuda-mps-control is enough.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"pgrep", "-af", "nvidia-cuda-mps-control"}},
		Fix:   Fix{Advice: "exit the reported console with ^D", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: MPSEmpty, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "3c387bd4cb3841a0863a441c66528961",
		Title: "the MPS control daemon gave an empty answer",
		Cause: "The console exited with status 0 and printed nothing: the answer went to another console, or the daemon dropped the connection.",
		Check: []Command{{"sh", "-c", "echo get_default_active_thread_percentage | CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control"}},
		Fix:   Fix{Advice: "exit other nvidia-cuda-mps-control consoles", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSNonsense, Area: "NVIDIA MPS", Status: StatusNonsense, MessageID: "1982accf6428458b8d87b7ce34b30ea1",
		Title: "the MPS control daemon gave an invalid answer",
		Cause: "The output is not what the control daemons of drivers 535 to 580 print. A newer driver may use different commands.",
		Check: []Command{{"sh", "-c", "echo get_default_active_thread_percentage | CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control"}},
		Fix:   Fix{Advice: "install matching versions of the driver and MPS", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSLibrary, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "06d92c7ab6fb4b87a399bbdb53485e14",
		Title: "NVIDIA MPS cannot find libcuda",
		Cause: "Without libcuda.so.1, the control program of newer drivers (580) exits with status 244 and no message.",
		Check: []Command{{"sh", "-c", "ldconfig -p | grep libcuda.so.1"}},
		Fix:   Fix{Advice: "install the driver's libcuda", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSServer, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "0aec04d1aff3460dbba5981e5e5a1dc2",
		Title: "no MPS server is active for the user",
		Cause: "The control daemon answers, but its server did not start or is in state FAULT: no GPU, mismatched driver and library versions, MIG, a compute mode that forbids it, or another user's server.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews-mps.service"}, {"justnews-gate", "mps", "status"}},
		Fix:   Fix{Advice: "fix the cause named in the MPS log", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSPartition, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "e3627212c48847ef803d683ba3ce0576",
		Title: "an instance does not fit the static partitions of MPS",
		Cause: "The control daemon was started with -S (CUDA 13.1 and later): it divides GPUs into static partitions, each client has to name one in CUDA_MPS_SM_PARTITION, and percentages of threads are ignored. Or an instance names a partition of a daemon without them.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"systemctl", "cat", "justnews-mps.service"}},
		Fix:   Fix{Advice: "set mps.partition of the instance, or start the daemon without -S", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSLimit, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "f8c574250b9b4ad3af7d321f41fe7e0a",
		Title: "an MPS limit differs from the configuration",
		Cause: "An environment file or a drop-in sets another limit for the instance, or the daemon did not accept its default. Without a limit, one instance can use all of the GPU's memory.",
		Check: []Command{{"justnews-gate", "config", "show", "--origin"}, {"systemctl", "show", "-p", "Environment", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove CUDA_MPS_PINNED_DEVICE_MEM_LIMIT and CUDA_MPS_ACTIVE_THREAD_PERCENTAGE from files and drop-ins, and set mps.memory and mps.threads instead", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSEnvironment, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "e26dc975fc59489ba7df853a64c8bbd6",
		Title: "the instance's unit cannot reach MPS",
		Cause: "CUDA_MPS_PIPE_DIRECTORY is unset or names another directory, CUDA_VISIBLE_DEVICES renumbers the devices that the limits refer to, or the sandbox hides the pipe directory (PrivateTmp=) or the GPU (PrivateDevices=, DevicePolicy=). A program that cannot reach MPS does not fail: it runs without it.",
		Check: []Command{{"systemctl", "show", "-p", "Environment,PrivateTmp,PrivateDevices,DevicePolicy,DeviceAllow,BindPaths", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the reported setting", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSOpinion, Area: "NVIDIA MPS", Status: StatusReady, MessageID: "0169e85166cc414aa940d5ed3d2dae66",
		Title: "the orchestrator reports a different MPS state",
		Cause: "Its /gpu/info looks for a directory and a process name, which proves neither that MPS runs nor that it does not. Newer servers answer 500 there, and only their /metrics has a value. The gate relies on its own checks.",
		Check: []Command{{"curl", "-s", "http://127.0.0.1:8014/gpu/info"}, {"justnews-gate", "mps", "status"}},
		Fix:   Fix{Advice: "ignore this if justnews-gate mps status is good, otherwise fix what it reports"},
	},
	{
		Code: OrchestratorUnit, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "e5566a526bdc5b96b42bac3ea7ca7a89",
		Title: "the orchestrator's unit cannot become ready",
		Cause: "The unit is missing, masked or failed, so waiting for it is pointless.",
		Check: []Command{{"systemctl", "status", "justnews@gpu_orchestrator.service"}, {"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Advice: "fix the cause named in its log", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorUnreachable, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "75f4537181e551beb0fadc855a0bfa17",
		Title: "the GPU Orchestrator did not answer",
		Cause: "Nothing listens on its port, or it closes connections or answers with errors only. It also keeps its port closed while it waits for the bus.",
		Check: []Command{{"systemctl", "status", "justnews@gpu_orchestrator.service"}, {"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorNonsense, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "aacf7c1e1f5b5071b178b61b0cdfa7a7",
		Title: "the orchestrator's answer is invalid",
		Cause: "Another program listens on its port, a proxy answers for it, or the gate does not know its version.",
		Check: []Command{{"justnews-gate", "status", "-v"}},
		Fix:   Fix{Advice: "make sure that the GPU Orchestrator listens on that port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorNotReady, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "28c70e86579b5a0486bd6f289853c41e",
		Title: "the orchestrator reports that it is not ready",
		Cause: "GET /ready returned false until the deadline: its start-up did not finish.",
		Check: []Command{{"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorImpostor, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "5d268d5b2ac55d6983d22caa9833c89f",
		Title: "another process answers instead of the orchestrator",
		Cause: "Port 8014 is unprivileged, so any process can listen on it first. The socket that answered does not belong to the unit named by orchestrator.instance, but to another user, unit or host.",
		Check: []Command{{"ss", "-ltnpe"}},
		Fix:   Fix{Advice: "stop the process that uses the port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorDryRun, Area: "orchestrator and models", Status: StatusFailed, MessageID: "a3a298ef6d1d5d32b8be22d41fbd6da1",
		Title: "the orchestrator runs in dry-run mode",
		Cause: "DRY_RUN or MODEL_STORE_DRY_RUN is set for its unit, in an EnvironmentFile= or in the running process, so it reports every model as loaded without loading it. If the process belongs to another user, the gate relies on the check of the preload.",
		Check: []Command{{"systemctl", "cat", "justnews@gpu_orchestrator.service"}, {"sh", "-c", "grep DRY_RUN /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "remove the variable", Commands: []Command{{"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorSafeMode, Area: "orchestrator and models", Status: StatusReady, MessageID: "23649a98dd805f72a42dfffb81788904",
		Title: "safe mode: the models were not checked",
		Cause: "The orchestrator reports safe_mode, and orchestrator.honor_safe_mode = true makes the gate skip the preload.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "leave safe mode, or set honor_safe_mode = false", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: OrchestratorRemote, Area: "orchestrator and models", Status: StatusReady, MessageID: "cbdea7b386b153209eef9ddb78637c71",
		Title: "the orchestrator's URL is on another host",
		Cause: "Requests leave this host unencrypted, and the identity of the server cannot be verified.",
		Check: []Command{{"justnews-gate", "config", "show", "--origin"}},
		Fix:   Fix{Advice: "if it runs on this host, name its instance in orchestrator.instance"},
	},
	{
		Code: ModelFailed, Area: "orchestrator and models", Status: StatusFailed, MessageID: "e1897ff112a554a18485b0bc33802d40",
		Title: "a model failed to load",
		Cause: "The orchestrator reports an error for it: a missing snapshot, a wrong key or id in AGENT_MODEL_MAP, insufficient permissions or memory, or MPS.",
		Check: []Command{{"justnews-gate", "status"}, {"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Advice: "fix the model as the hint says", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelCanary, Area: "orchestrator and models", Status: StatusFailed, MessageID: "97d2e1e1282640f08f777826fc7cd20f",
		Title: "a loaded model does not answer",
		Cause: "The server lists the model, but answers a request for one token with an error, or not at all: its engine hangs, or the model was loaded for another task. Only asked where models.canary is true.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "fix the error in the server's log, and restart the server", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelsOnCPU, Area: "orchestrator and models", Status: StatusFailed, MessageID: "08eb7fbb587c419cb14eeb8ce5392ffb",
		Title: "the models are not in GPU memory",
		Cause: "models.device is \"gpu\", and no process of the server's unit holds GPU memory, or the server reports a model that is not in it completely: a server that finds no usable GPU loads its models into the memory of the host, and seems healthy.",
		Check: []Command{{"nvidia-smi"}, {"justnews-gate", "status"}},
		Fix:   Fix{Advice: "find out in the server's log why it does not use the GPU, and restart it", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelsTimeout, Area: "orchestrator and models", Status: StatusTimeout, MessageID: "67c56d45fcf452488a4f370b3a042fdc",
		Title: "the models were still loading at the deadline",
		Cause: "The preload makes progress, but takes longer than GATE_TIMEOUT.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "raise gate.timeout in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ModelsIncomplete, Area: "orchestrator and models", Status: StatusFailed, MessageID: "4ec2201523e052a597de7f67b70fc190",
		Title: "the orchestrator loaded fewer models than expected",
		Cause: "Its job ended without errors, but loaded fewer models than AGENT_MODEL_MAP lists, or none: its own map is missing, empty or a different one.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "give the orchestrator the same AGENT_MODEL_MAP.json", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: PreloadEmpty, Area: "orchestrator and models", Status: StatusFailed, MessageID: "9a74c40b8a02d754e3b6878181624b5f",
		Title: "the orchestrator's preload loads no models",
		Cause: "The orchestrator answers the request to load its models with a job that is finished already and had nothing to load. Releases of JustNewsAgent from commit 92cb588 (24 September 2025) on do so, whatever the map lists; others may have found no map. A warning where models.accept_empty lets the gates open.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "run a release of the orchestrator that loads models, or set models.accept_empty = true", Commands: []Command{{"systemctl", "daemon-reload"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: ModelsInconsistent, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "231a2111ca3c5e4593685ae8dba4ec2a",
		Title: "the orchestrator's status is inconsistent",
		Cause: "Two preloads ran at once, or two worker processes with separate state answer in turn.",
		Check: []Command{{"justnews-gate", "status", "-v"}},
		Fix:   Fix{Advice: "run the orchestrator with one worker", Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: PreloadRefused, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "626fb2e3e40b5a8186a9afe42b82531e",
		Title: "the orchestrator rejected the preload request",
		Cause: "POST /models/preload returned an error without a state: another version, another program, or a proxy that requires authentication.",
		Check: []Command{{"justnews-gate", "preload", "--refresh", "-v"}},
		Fix:   Fix{Advice: "make sure that the GPU Orchestrator listens on that port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: PreloadTimeout, Area: "orchestrator and models", Status: StatusTimeout, MessageID: "b3b75d1cd67a5c7faec4a42bfd18ceee",
		Title: "no preload had started at the deadline",
		Cause: "The orchestrator answered, but its preload did not start within GATE_TIMEOUT.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreRoot, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "005b827bbaeb3457b895ec4ed932cc47",
		Title: "the Model Store does not exist",
		Cause: "MODEL_STORE_ROOT names a path that does not exist, is not a directory, or is hidden from the service by ProtectHome=.",
		Check: []Command{{"ls", "-ld", "/opt/justnews/models"}, {"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "copy the Model Store there, or correct models.root", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: StoreMount, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "c5a1f7d20f5e4b0e9a3ce6b8417d2f96",
		Title: "the Model Store is on a mount that is not active",
		Cause: "A mount unit or /etc/fstab defines a mount on the path of the store or its map that is not active: its device or server is missing, or nothing mounts it (noauto).",
		Check: []Command{{"systemctl", "status", "*.mount"}, {"findmnt", "--fstab", "--verify"}, {"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "make its device or server available, or start the mount unit, and the gates open without a restart"},
	},
	{
		Code: StoreAgent, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "8bf34940ab583d7c381d20b32ba10b19",
		Title: "the Model Store has no directory for an agent",
		Cause: "The agent's directory below MODEL_STORE_ROOT is missing: it was not copied with the store, or the agent is new in AGENT_MODEL_MAP.",
		Check: []Command{{"ls", "/opt/justnews/models"}, {"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "copy the agent's directory into the store", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreVersion, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "72ff0b95891bd54a7898475b08978033",
		Title: "an agent's current version is missing",
		Cause: "The link current is missing, dangling or points outside the store, or the version named in AGENT_MODEL_MAP was never copied. A directory called current works, but cannot be replaced atomically.",
		Check: []Command{{"ls", "-l", "/opt/justnews/models/AGENT", "/opt/justnews/models/AGENT/versions"}},
		Fix:   Fix{Advice: "point current at a complete version", Commands: []Command{{"ln", "-sfn", "versions/VERSION", "AGENT/current"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: StoreStaged, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "e6d459fcb1c8709266d68ab95f4fbee0",
		Title: "a version was copied incompletely",
		Cause: "A copy or a download was interrupted: versions/VERSION.tmp was never renamed, or a blob is still named .incomplete.",
		Check: []Command{{"ls", "-l", "/opt/justnews/models/AGENT/versions"}},
		Fix:   Fix{Advice: "copy the version again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreSnapshot, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "baedd207e4163a6ef275d9a29205b369",
		Title: "a model has no usable snapshot",
		Cause: "The directory models--ORG--NAME, its snapshots or their config.json are missing: the model was never copied into this version.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the snapshot there", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreFile, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "f8acd22041e9b13d1e865abb0344f54a",
		Title: "a file of a model is missing",
		Cause: "A file that a loader opens does not exist: weights, a part of them that an index or the numbers of the other parts call for, a module that modules.json or model_index.json lists, the vocabulary of the tokenizer; or a file that the seal of the version lists.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the snapshot again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreLink, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "f1e9cfb3cc691027996526cae637595f",
		Title: "a link in the Model Store is dangling",
		Cause: "The Hugging Face cache stores contents in blobs and links to them. Copying the links without the blobs, or making them absolute, breaks them. A link that points outside the store is not copied or verified with it.",
		Check: []Command{{"find", "/opt/justnews/models", "-xtype", "l"}},
		Fix:   Fix{Advice: "copy the model again with its blobs (rsync -a)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StorePointer, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "b30f40f602b7628a1bdff51f9adffc4b",
		Title: "a file is only a git-lfs pointer",
		Cause: "The repository was cloned without git-lfs, so the file holds a few lines of text instead of the weights.",
		Check: []Command{{"grep", "-rlI", "git-lfs.github.com/spec", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "fetch the content (git lfs pull) and copy the snapshot again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreEmpty, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "0c844f68544b4cef4d255b4ad0415d21",
		Title: "a file of a model is empty",
		Cause: "The disk was full, or a copy was interrupted before the content was written.",
		Check: []Command{{"find", "/opt/justnews/models", "-type", "f", "-empty"}, {"df", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "copy the snapshot again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreAdapter, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "5540e644f959894509d9c34f487f235e",
		Title: "an adapter is not in the Model Store",
		Cause: "adapter_model_store_path in AGENT_MODEL_MAP names a directory that does not exist. With STRICT, the orchestrator does not load the model without it.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the adapter there", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreBase, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "00c4a32a9ec29ecbd0a391930ffce650",
		Title: "an adapter has no base model",
		Cause: "base_ref of its entry is not defined in base_models, or the base model is missing from the store.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "define the base model or copy it into the store", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreCorrupt, Area: "Model Store", Status: StatusStoreCorrupt, MessageID: "bfd07c7a1d60837ff7385cd11678f287",
		Title: "a file of the Model Store is corrupt",
		Cause: "Its content differs from the manifest or cannot be parsed: an interrupted copy, a failing disk, or an edit in place.",
		Check: []Command{{"justnews-gate", "models", "verify", "--deep", "AGENT"}},
		Fix:   Fix{Advice: "copy the version again from an intact source", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreRead, Area: "Model Store", Status: StatusStoreCorrupt, MessageID: "ad76d72a32e283cd182aad4c3530bb1a",
		Title: "part of the Model Store cannot be read",
		Cause: "Reading failed, and not for lack of permission: the disk is failing, or a file system has become unavailable.",
		Check: []Command{{"journalctl", "-k", "-e"}},
		Fix:   Fix{Advice: "repair the disk, or copy the version to another one", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreManifest, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "a192eec8610ad540181cf795f286e7fe",
		Title: "a version has no checksums to verify against",
		Cause: "manifest.json is missing or has no checksum, and the version is not sealed, so its integrity cannot be verified.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "if you trust the version as it is, seal it", Commands: []Command{{"justnews-gate", "models", "seal", "AGENT"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: StoreUnverified, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "f1a5c81e338e5efeb155d7ea8c4687cb",
		Title: "a version could not be verified",
		Cause: "JustNews computes the checksum of a directory in the order in which the file system lists it. After a copy to another file system the checksum differs, and there are too many possible orders to try. This is not a sign of damage.",
		Check: []Command{{"justnews-gate", "models", "verify", "--deep", "AGENT"}},
		Fix:   Fix{Advice: "if you trust the version as it is, seal it", Commands: []Command{{"justnews-gate", "models", "seal", "AGENT"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: StorePermission, Area: "Model Store", Status: StatusPermission, MessageID: "82f7c0a0f322716e10ceb0de14d10f75",
		Title: "the orchestrator's user cannot read the Model Store",
		Cause: "The user that loads the models lacks read permission on a file, or search permission on a directory above it.",
		Check: []Command{{"namei", "-l", "PATH"}, {"sudo", "-u", "justnews", "ls", "-l", "PATH"}},
		Fix:   Fix{Advice: "grant the user access as the hint says", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreSpace, Area: "Model Store", Status: StatusReady, MessageID: "ecfabe72adf322cb6f1ff2ba70fcce0d",
		Title: "there is not enough space for another version",
		Cause: "The Model Store's file system has less free space than its largest version takes, so a new version cannot be copied next to the current one.",
		Check: []Command{{"df", "-h", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "remove versions that no current link points to"},
	},
	{
		Code: StoreTimeout, Area: "Model Store", Status: StatusTimeout, MessageID: "315b55d5f7e879bbaf3fd22890c790b8",
		Title: "the Model Store was still being hashed at the deadline",
		Cause: "The store is too large to be read within GATE_TIMEOUT. Hashes are remembered, and the next run continues from there.",
		Check: []Command{{"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "raise gate.timeout in /etc/justnews/justnews.toml, or run models verify once to hash the whole store", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: StoreEnvironment, Area: "Model Store", Status: StatusConfig, MessageID: "3f086f5fd09c3df60cdfc4378a621854",
		Title: "the orchestrator uses another store, or may download",
		Cause: "models.strict is on, but the running orchestrator's environment lacks STRICT_MODEL_STORE, HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE, or has another MODEL_STORE_ROOT: a drop-in or an environment file overrides the generator, or the unit has not been restarted since.",
		Check: []Command{{"systemctl", "show", "-p", "Environment", "justnews@gpu_orchestrator.service"}, {"sh", "-c", "grep -E 'STRICT|OFFLINE|MODEL_STORE' /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "remove the override", Commands: []Command{{"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MapName, Area: "configuration", Status: StatusConfig, MessageID: "50cc8873c5e8cf24431ff69653096650",
		Title: "a name differs between AGENT_MODEL_MAP and the store",
		Cause: "The map lists an agent or a model that the store does not have, but the store has one with a similar name that the map does not list: a key or id is probably misspelt.",
		Check: []Command{{"justnews-gate", "models", "verify"}, {"ls", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "correct the name in AGENT_MODEL_MAP.json", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelDownload, Area: "orchestrator and models", Status: StatusStoreIncomplete, MessageID: "5b94a3ab6c4cb7782c6f7c8dcf9cc5d8",
		Title: "the orchestrator tried to download a model",
		Cause: "The model's files were not found in the store, so the library tried to download them. STRICT_MODEL_STORE does not allow downloads.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the complete snapshot into the Model Store", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelMemory, Area: "orchestrator and models", Status: StatusFailed, MessageID: "9e34555656972032b9a0e6a01ef191fd",
		Title: "out of memory while a model was loading",
		Cause: "The machine, the unit's MemoryMax= or a resource limit left the orchestrator too little memory for the model.",
		Check: []Command{{"free", "-h"}, {"systemctl", "show", "-p", "MemoryMax", "-p", "MemoryPeak", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "free memory, add swap, raise service.memory_max or load fewer models", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorKill, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "372353fc010108858b4647aa9a7949ec",
		Title: "the orchestrator was killed because memory ran out",
		Cause: "The kernel or systemd-oomd killed it while it was loading models: it needs more memory than the machine has or MemoryMax= allows.",
		Check: []Command{{"journalctl", "-k", "-g", "out of memory", "-e"}, {"systemctl", "status", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "add swap, raise service.memory_max or load fewer models", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUUnknown, Area: "GPUs", Status: StatusGPU, MessageID: "21401aa13b34ed5f50e1c18a30642fa1",
		Title: "the GPU could not be checked",
		Cause: "The run ended before the driver answered, or this program was built without its GPU probe. This does not mean that the GPU has a problem.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "give the gate more time (gate.timeout)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperMissing, Area: "GPUs", Status: StatusGPU, MessageID: "a21eb8c12bc16df4e873be64741dca69",
		Title: "the GPU helper is not installed",
		Cause: "/usr/libexec/justnews/justnews-nvml, the program that loads NVIDIA's library, does not exist. A distribution's own build has it in the package justnews-nvidia; it is left out when building without a C compiler.",
		Check: []Command{{"ls", "-l", "/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "reinstall the package that has it, justnews-nvidia or justnews (from source: make, with gcc)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperUnusable, Area: "GPUs", Status: StatusGPU, MessageID: "dea6934fc1b196ebf1c9ba6c6fe8a1e6",
		Title: "the GPU helper cannot be executed",
		Cause: "It is not executable by this user, is on a file system mounted noexec, was built for another architecture, or its dynamic loader is missing (glibc 2.34 or later is required).",
		Check: []Command{{"ls", "-l", "/usr/libexec/justnews/justnews-nvml"}, {"file", "/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "reinstall the package justnews for this architecture", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperLoader, Area: "GPUs", Status: StatusGPU, MessageID: "7c48230eac498b3ab6e9a455a43394b7",
		Title: "the dynamic loader cannot load the GPU helper",
		Cause: "A library that it needs is missing or too old: glibc 2.34 or later is required.",
		Check: []Command{{"ldd", "/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install the package justnews for this distribution", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperSymbol, Area: "GPUs", Status: StatusGPU, MessageID: "2ae18b1ec7d0264c27c4e806fec034f5",
		Title: "the driver's library lacks a required function",
		Cause: "libnvidia-ml.so.1 is older than every supported driver, or is another library with the same name; or the helper was linked to bind all functions at start-up, the default of some compilers without -z lazy. A function that is only needed for one fact is never called if it is missing.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install a driver of a supported branch and reboot, or build the helper with make", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperCrashed, Area: "GPUs", Status: StatusGPU, MessageID: "b0c721cdc2925b762cb31997a47d36aa",
		Title: "the GPU helper crashed",
		Cause: "NVIDIA's library crashed: library and kernel module do not match, the driver is broken, or the GPU has failed.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "reboot, and if it happens again, reinstall the driver", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperHung, Area: "GPUs", Status: StatusGPU, MessageID: "7ebb955182f24c2016596e9e60123a32",
		Title: "the GPU driver does not answer",
		Cause: "NVML did not return within the time limit. The driver hangs, often after a GPU has fallen off the bus (Xid 79), or it reinitialises its GPUs for every caller.",
		Check: []Command{{"timeout", "60", "nvidia-smi"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "if the kernel log shows an Xid, reboot", Commands: []Command{{"systemctl", "enable", "--now", "nvidia-persistenced.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperNonsense, Area: "GPUs", Status: StatusGPU, MessageID: "c8c401df0ad17784b764832936cbc153",
		Title: "the GPU helper's output is invalid",
		Cause: "Another program is installed at its path, its version differs from the gate's, or it failed in an unknown way.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "reinstall the package justnews", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperNoCgo, Area: "GPUs", Status: StatusGPU, MessageID: "bddf1bb6815998377e90750fdf55cc66",
		Title: "the GPU helper was built without cgo",
		Cause: "Only a build with a C compiler can load NVIDIA's library.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "build it with make on a machine with gcc, or install the package", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPULibraryMissing, Area: "GPUs", Status: StatusGPU, MessageID: "b31fbbf9a18987c7aeb061019e259cef",
		Title: "NVIDIA's management library is missing",
		Cause: "libnvidia-ml.so.1, which is part of the driver, is not installed, or the dynamic loader does not find it.",
		Check: []Command{{"sh", "-c", "ldconfig -p | grep libnvidia-ml"}},
		Fix:   Fix{Advice: "install the driver's libraries (Debian: the package libnvidia-ml1)", Commands: []Command{{"ldconfig"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUDriverNotLoaded, Area: "GPUs", Status: StatusGPU, MessageID: "f703116f6f443c4d21ba022b33834ae4",
		Title: "the NVIDIA driver is not loaded",
		Cause: "The kernel module nvidia is not loaded, or its device nodes are missing. The gate waits for it for a while, since it may be loaded late during boot.",
		Check: []Command{{"sh", "-c", "lsmod | grep ^nvidia"}, {"cat", "/proc/driver/nvidia/version"}, {"sh", "-c", "ls -l /dev/nvidia*"}, {"journalctl", "-k", "-g", "NVRM|nvidia"}},
		Fix:   Fix{Advice: "if the module cannot be loaded, fix the cause named in the kernel log (often a kernel for which no module was built)", Commands: []Command{{"modprobe", "nvidia"}, {"nvidia-modprobe", "-c=0"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUDriverMismatch, Area: "GPUs", Status: StatusGPU, MessageID: "3cde06cb95ec186677a738ced9e0998d",
		Title: "NVIDIA's library and kernel module do not match",
		Cause: "The driver was upgraded while the old module stayed loaded. Every CUDA program fails until the module is reloaded.",
		Check: []Command{{"cat", "/proc/driver/nvidia/version"}, {"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "reboot, or stop everything that uses the GPU and reload the module", Commands: []Command{{"systemctl", "stop", "justnews.target"}, {"modprobe", "-r", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"}, {"modprobe", "nvidia"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUPermission, Area: "GPUs", Status: StatusGPU, MessageID: "37b2a45000c884e925cfd3e51b1336ce",
		Title: "the user has no access to the GPU",
		Cause: "The device nodes /dev/nvidia* are not accessible to the service's user, or DevicePolicy= or PrivateDevices= of the unit blocks them.",
		Check: []Command{{"sh", "-c", "ls -l /dev/nvidia*"}, {"systemctl", "show", "-p", "DevicePolicy,DeviceAllow,PrivateDevices,User", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "grant the user access (the driver's NVreg_DeviceFileMode=, or the group of the nodes), and keep DeviceAllow=char-nvidia* rw in the unit", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUFailed, Area: "GPUs", Status: StatusGPU, MessageID: "9a75ae2afec47e291984911f471fdcc6",
		Title: "the NVIDIA driver reports an error",
		Cause: "The message contains NVML's error: a GPU is lost or needs a reset, or the driver is out of memory or broken.",
		Check: []Command{{"nvidia-smi"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "if a reset of the GPU does not help, reboot", Commands: []Command{{"nvidia-smi", "--gpu-reset"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUNone, Area: "GPUs", Status: StatusGPU, MessageID: "55b6d56d61517b8a1cc745d241b2b31f",
		Title: "the driver finds no GPU",
		Cause: "The driver is loaded, but no GPU is bound to it: none is installed, it is bound to another driver (nouveau, vfio-pci), or it has fallen off the bus.",
		Check: []Command{{"lspci", "-nnk", "-d", "10de:"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "bind the GPU to the nvidia driver, or reboot", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUCount, Area: "GPUs", Status: StatusGPU, MessageID: "3e5cb975e271d7174a0ef061d1cb68e6",
		Title: "fewer GPUs than the configuration requires",
		Cause: "gpu.min_count exceeds the number of GPUs that NVML reports: a GPU is missing, lost, or bound to another driver.",
		Check: []Command{{"nvidia-smi", "-L"}, {"lspci", "-nnk", "-d", "10de:"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "restore the missing GPU, or lower gpu.min_count in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPURecovery, Area: "GPUs", Status: StatusGPU, MessageID: "36d8ba093f0946be968cef0c66e94c82",
		Title: "the driver wants a GPU to be recovered",
		Cause: "The driver met a fault of the GPU and reports by NVML's recovery action what has to be done: GPU_RESET, BUS_RESET, NODE_REBOOT and SYSTEM_REBOOT before the GPU is used again, DRAIN_AND_RESET, DRAIN_P2P and RECOVER_IMEX_DOMAIN when it is convenient, which is a warning. The kernel's log has the Xid before it. Where another GPU can be used, the finding is a warning.",
		Check: []Command{{"nvidia-smi", "-q"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "stop the programs that use the GPU, then reset it, or reboot", Commands: []Command{{"systemctl", "stop", "justnews.target"}, {"nvidia-smi", "--gpu-reset", "-i", "UUID"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPURemapFailed, Area: "GPUs", Status: StatusGPU, MessageID: "65dbf5fe3e0949acbf76487f24812885",
		Title: "a faulty row of GPU memory was not replaced",
		Cause: "The GPU replaces faulty rows of its memory by spare ones, and none was left for a row, or the replacement failed. The fault remains. NVIDIA replaces such a GPU if its field diagnostic confirms it. Where another GPU can be used, the finding is a warning.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "ROW_REMAPPER"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "reset the GPU, and have it replaced if the failure remains", Commands: []Command{{"systemctl", "stop", "justnews.target"}, {"nvidia-smi", "--gpu-reset", "-i", "UUID"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPURemapPending, Area: "GPUs", Status: StatusReady, MessageID: "0e1a3e029c364e9fbb06d7fc4b013f76",
		Title: "a GPU's reset will replace a row of its memory",
		Cause: "The GPU had an uncorrectable memory error and no longer uses the row. Programs that were not affected can go on, and new ones can start; the row is replaced by a spare one when the GPU is reset.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "ROW_REMAPPER"}},
		Fix:   Fix{Advice: "reset the GPU when no program uses it, or reboot", Commands: []Command{{"systemctl", "stop", "justnews.target"}, {"nvidia-smi", "--gpu-reset", "-i", "UUID"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUFabric, Area: "GPUs", Status: StatusGPU, MessageID: "194e6353acf54b59bfe0a12b9f4a6be6",
		Title: "a GPU is not registered with the NVSwitch fabric",
		Cause: "On a host with NVSwitch, nvidia-fabricmanager registers each GPU after it has started. Until then every CUDA program fails with error 802. A gate waits for it up to gpu.patience. A GPU whose registration failed works, but not together with others through NVLink, which is a warning.",
		Check: []Command{{"systemctl", "status", "nvidia-fabricmanager.service"}, {"nvidia-smi", "-q"}},
		Fix:   Fix{Advice: "if it runs, read its log: its version has to be that of the driver", Commands: []Command{{"systemctl", "enable", "--now", "nvidia-fabricmanager.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUXid, Area: "GPUs", Status: StatusGPU, MessageID: "fb3cb5cae2b94518bbfa3e888d15f235",
		Title: "the driver logged an error of a GPU",
		Cause: "The kernel's log has an Xid since the driver was loaded after which, by NVIDIA's Xid catalogue, the GPU has to be reset: 46, 48, 62, 64, 79 (fallen off the bus), 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158, or a 154 that says so. After 74, 94 and 144 to 150 a reset is recommended, which is a warning, as is every Xid while another GPU can be used. A notice: the driver reports that nothing is left to recover. Only root may read the log on most hosts; for others it is never a finding.",
		Check: []Command{{"journalctl", "-k", "-g", "NVRM|Xid"}, {"nvidia-smi", "-q"}},
		Fix:   Fix{Advice: "a driver that reports no recovery action cannot tell that a GPU was reset since, so the finding remains until the reboot", Commands: []Command{{"systemctl", "reboot"}}},
	},
	{
		Code: GPUNotListed, Area: "GPUs", Status: StatusGPU, MessageID: "0ce3b4596baa4acbb1b2d01c35307354",
		Title: "an instance is given a GPU that does not exist",
		Cause: "The instance's gpus names a GPU that the driver does not list: a typing error, a GPU that was replaced, or one that is missing. CUDA stops at the first name that it does not know, so the programs would see fewer GPUs, or none.",
		Check: []Command{{"nvidia-smi", "-L"}, {"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "correct gpus of the instance in /etc/justnews/justnews.toml, or restore the GPU", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUUVMMissing, Area: "GPUs", Status: StatusGPU, MessageID: "ce8904396c254c3877dd937eec377a5b",
		Title: "/dev/nvidia-uvm is missing or unusable",
		Cause: "No CUDA program starts without it, and it does not exist or its module nvidia_uvm is not loaded. CUDA runs the setuid program nvidia-modprobe to create it, which is not possible with NoNewPrivileges=, as set in the units.",
		Check: []Command{{"ls", "-l", "/dev/nvidia-uvm"}, {"sh", "-c", "lsmod | grep nvidia_uvm"}},
		Fix:   Fix{Advice: "for a permanent fix, use nvidia-persistenced or the driver's udev rules", Commands: []Command{{"nvidia-modprobe", "-u", "-c=0"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUProhibited, Area: "GPUs", Status: StatusGPU, MessageID: "7dfbcda9642979bba003606c3628b99c",
		Title: "a GPU's compute mode is PROHIBITED",
		Cause: "No CUDA program can use a GPU in this mode.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "COMPUTE"}},
		Fix:   Fix{Advice: "without MPS, use the mode DEFAULT", Commands: []Command{{"nvidia-smi", "-i", "UUID", "-c", "EXCLUSIVE_PROCESS"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUShared, Area: "GPUs", Status: StatusReady, MessageID: "a385de741d27256261bfbea9a989184a",
		Title: "programs can bypass MPS on a GPU",
		Cause: "Its compute mode is DEFAULT, so a CUDA program that cannot reach MPS runs without it, and its limits are silently ignored. In mode EXCLUSIVE_PROCESS it fails with an error instead. The gate recommends that mode and never sets it.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "COMPUTE"}},
		Fix:   Fix{Commands: []Command{{"nvidia-smi", "-i", "UUID", "-c", "EXCLUSIVE_PROCESS"}}},
	},
	{
		Code: GPUExclusive, Area: "GPUs", Status: StatusReady, MessageID: "2f33ccba134ef7ad6ff789116a2c3b45",
		Title: "a GPU accepts only one process, and MPS is disabled",
		Cause: "Its compute mode is EXCLUSIVE_PROCESS, which is meant for MPS. Without MPS, the second CUDA program fails.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "COMPUTE"}},
		Fix:   Fix{Advice: "or enable MPS in /etc/justnews/justnews.toml", Commands: []Command{{"nvidia-smi", "-i", "UUID", "-c", "DEFAULT"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUMIG, Area: "GPUs", Status: StatusGPU, MessageID: "ff2697fa881e9b3ad8c3e77aeff78fd4",
		Title: "MIG is enabled on a GPU, and MPS is enabled",
		Cause: "The MPS daemon of this toolkit serves whole GPUs. With MIG it finds none, or only one MIG instance.",
		Check: []Command{{"nvidia-smi", "-L"}, {"nvidia-smi", "-q", "-d", "MIG"}},
		Fix:   Fix{Advice: "set mps.mig = true in /etc/justnews/justnews.toml if MPS is to serve MIG instances, or mps.enabled = false, or disable MIG once nobody uses its instances, which destroys them", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUPersistence, Area: "GPUs", Status: StatusReady, MessageID: "81578953fca0a979121a4045eafe7bdb",
		Title: "persistence mode is off",
		Cause: "The driver releases a GPU when its last user exits and initialises it again for the next one. This takes seconds for each start, and settings such as the compute mode are lost.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "PERFORMANCE,COMPUTE"}, {"systemctl", "status", "nvidia-persistenced.service"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "enable", "--now", "nvidia-persistenced.service"}}},
	},
	{
		Code: GPUMemoryLimit, Area: "GPUs", Status: StatusGPU, MessageID: "b7e53d341598961aa97fe16836904a1f",
		Title: "the memory limits exceed a GPU's memory",
		Cause: "mps.memory of an instance, or the sum of all instances, is larger than the memory of the largest GPU.",
		Check: []Command{{"nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv"}, {"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "lower mps.memory of some instances in /etc/justnews/justnews.toml", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUMemoryFree, Area: "GPUs", Status: StatusReady, MessageID: "844eaa9fa4b47a106af12a0444842cbd",
		Title: "less GPU memory is free than an instance may use",
		Cause: "Something else uses it: a process of an earlier run that has not exited, a program outside this toolkit, or the other instances.",
		Check: []Command{{"nvidia-smi", "--query-compute-apps=pid,used_memory,name", "--format=csv"}},
		Fix:   Fix{Advice: "stop what uses the memory, or lower mps.memory of the instance in /etc/justnews/justnews.toml"},
	},
	{
		Code: GPUMPSClients, Area: "GPUs", Status: StatusGPU, MessageID: "3d8686a5a14608836702e27ceb0b15e0",
		Title: "too many MPS clients",
		Cause: "MPS supports 16 clients per GPU before Volta, 48 since Volta, and 60 with CUDA 13.1 or later. Any further client is rejected (CUDA error 808).",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "use MPS for fewer instances, or fewer processes per instance, in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: Unchecked, Area: "host", Status: StatusReady, MessageID: "a397eca9195d25341ab2a45f8c665a56",
		Title: "something could not be checked",
		Cause: "The run is not root or a unit, and may not read a file or act as another user; or a file system did not answer. This does not mean that what was skipped has a problem.",
		Check: []Command{{"sudo", "justnews-gate", "preflight"}},
		Fix:   Fix{Advice: "run it again as root"},
	},
	{
		Code: UnitMissing, Area: "units and drop-ins", Status: StatusFailed, MessageID: "249b74fd8932af0429e506cf685bd647",
		Title: "a packaged unit cannot be used",
		Cause: "The unit is not installed or is masked.",
		Check: []Command{{"systemctl", "status", "justnews.target", "justnews-preload.service"}},
		Fix:   Fix{Advice: "install the package justnews, or unmask the unit", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitDisabled, Area: "units and drop-ins", Status: StatusReady, MessageID: "cdeca75217fa19c22bf9414feab6f841",
		Title: "a unit's enablement differs from justnews.toml",
		Cause: "justnews.target was never enabled, or an instance was enabled or disabled by hand.",
		Check: []Command{{"systemctl", "is-enabled", "justnews.target"}, {"systemctl", "list-dependencies", "justnews.target"}},
		Fix:   Fix{Advice: "for an instance, set enabled in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "enable", "justnews.target"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitShadowed, Area: "units and drop-ins", Status: StatusReady, MessageID: "30852c7159a16ccb659501b7cf6bc95a",
		Title: "a unit file overrides the packaged one",
		Cause: "An older template, such as the one that comes with JustNews, is in /etc/systemd/system. Its sandbox, directories and gates apply instead of the packaged ones.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "move the settings that you need to a drop-in, and remove the file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitOpened, Area: "units and drop-ins", Status: StatusFailed, MessageID: "483fc1c2c475d3426475ce501697f468",
		Title: "systemd would treat a failed gate as passed",
		Cause: "SuccessExitStatus= lists a signal, or an exit status that systemd itself uses for a command that could not be run. A gate that is killed or missing would then let its instance start.",
		Check: []Command{{"systemctl", "show", "-p", "SuccessExitStatus", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove signals and statuses from 200 to 243 from SuccessExitStatus=", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitRival, Area: "units and drop-ins", Status: StatusFailed, MessageID: "9cde94d18b3da78ebe14585d0637a396",
		Title: "another unit or job starts or replaces instances",
		Cause: "A unit, a timer, a cron job or a script of theirs enables or starts instances of justnews@.service, copies another template to /etc/systemd/system, or runs a program of JustNews without a gate: upstream's justnews-cold-start.timer does so 45 s after a boot. It undoes the configuration. An error where it is enabled, a warning where what it starts still passes the gates, and a notice where it is disabled.",
		Check: []Command{{"systemctl", "list-timers", "--all"}},
		Fix:   Fix{Advice: "disable it", Commands: []Command{{"systemctl", "disable", "--now", "--", "UNIT"}}},
	},
	{
		Code: DropInMasks, Area: "units and drop-ins", Status: StatusFailed, MessageID: "6d5acf00acce5b76ea415a95bab2057e",
		Title: "a file masks a drop-in of the generator",
		Cause: "systemd reads only one drop-in of each name, and files in /etc and /run/systemd/system take precedence over the generator's.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "rename or remove the file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DropInLeftover, Area: "units and drop-ins", Status: StatusReady, MessageID: "ec1a8938fbcc1ddf8380fc7c3098b701",
		Title: "an old drop-in is still in place",
		Cause: "The runbook used hand-written drop-ins for settings that are now in justnews.toml. The two places will eventually differ.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "move the setting to /etc/justnews/justnews.toml, and remove the drop-in", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: DropInBroken, Area: "units and drop-ins", Status: StatusReady, MessageID: "dde54aab5f1d5a69c4e7cd7eb6f22d29",
		Title: "systemd ignores part of a drop-in",
		Cause: "A line cannot be parsed. For some errors, such as an unbalanced quote in a command, systemd ignores the rest of the file and starts the unit without it.",
		Check: []Command{{"journalctl", "-b", "-t", "systemd"}, {"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "correct the line", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GateDouble, Area: "units and drop-ins", Status: StatusReady, MessageID: "1707e1f6a51e26fd628a2f3479af649e",
		Title: "an instance has two gates",
		Cause: "An old ExecStartPre=, such as preflight.sh or wait_for_mcp.sh, is still in place in addition to the gate. It waits a second time, by its own rules.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the other ExecStartPre= line", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: StartLimit, Area: "units and drop-ins", Status: StatusReady, MessageID: "fe5bab3ea20118e3fd9c0383d9418bf5",
		Title: "an instance has a start limit",
		Cause: "Refusals and restarts count towards a start limit. Once it is hit, systemd no longer starts the instance, even after the cause is gone. Without a limit the instance recovers by itself.",
		Check: []Command{{"systemctl", "show", "-p", "Restart,StartLimitBurst,StartLimitIntervalUSec,TimeoutStartUSec", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the drop-in that sets the limit", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: RestartLoop, Area: "units and drop-ins", Status: StatusFailed, MessageID: "cdb179e0bcc6e5ef954cc639ad1375dc",
		Title: "an instance is restarted repeatedly",
		Cause: "Its gate refuses, or its program exits, for a reason that a restart does not fix.",
		Check: []Command{{"systemctl", "status", "justnews@INSTANCE.service"}, {"journalctl", "-b", "-u", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "stop it, and fix the cause named in its log", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GeneratorAbsent, Area: "units and drop-ins", Status: StatusFailed, MessageID: "6bd5ef8488facb11978eb9b88810016a",
		Title: "the generator has not written anything",
		Cause: "It is not installed, is masked in /etc/systemd/system-generators, or crashed at the last reload. The packaged drop-in still gates every instance, but no other setting of justnews.toml applies.",
		Check: []Command{{"ls", "-l", "/usr/lib/systemd/system-generators/justnews-generator", "/etc/systemd/system-generators"}},
		Fix:   Fix{Advice: "install the package justnews, or remove the mask", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GeneratorStale, Area: "units and drop-ins", Status: StatusFailed, MessageID: "054c73d45bec58b0910e5f6786b4755f",
		Title: "the generated files are out of date",
		Cause: "The configuration, an environment file or the program has changed since the last daemon-reload, or the generator failed then, which systemd does not report.",
		Check: []Command{{"/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvUnreadable, Area: "environment files", Status: StatusConfig, MessageID: "becb6f3eab97b119a0d8d01e09881935",
		Title: "an environment file cannot be read",
		Cause: "It is not a regular file, is too large, or contains a NUL byte or invalid UTF-8. systemd then ignores the whole file, but still starts the unit.",
		Check: []Command{{"sh", "-c", "grep -naP '[^ -~\\t]' /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct the file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvSyntax, Area: "environment files", Status: StatusConfig, MessageID: "1ec6fdea95e22338092ec55408c99716",
		Title: "systemd and shells read an environment file differently",
		Cause: "systemd reads these files for the units, and the start scripts source them in a shell. The two interpret an unclosed quote, a line without an equals sign, export, an unquoted space or & differently.",
		Check: []Command{{"justnews-gate", "preflight"}},
		Fix:   Fix{Advice: "write NAME=value, quoted if it contains spaces", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvDiffers, Area: "environment files", Status: StatusReady, MessageID: "691ccc322e04537e7956a48498d6ed05",
		Title: "a value differs between systemd and a shell",
		Cause: "systemd expands nothing and has no comments after a value; a shell expands ${X:-y}, $X and ~ and removes the comment. The gate and the program then use different values.",
		Check: []Command{{"systemctl", "show", "-p", "EnvironmentFiles", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "write the literal value, in quotes", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvInterpreter, Area: "environment files", Status: StatusConfig, MessageID: "a21bf8a53949b461e86213af0c6a1572",
		Title: "the interpreter in an environment file does not exist",
		Cause: "PYTHON_BIN, CANONICAL_PYTHON_PATH, CANONICAL_ENV or CONDA_ENV names an interpreter that does not exist or that the service's user cannot execute. The start scripts then use the system's python3, which lacks the agents' packages.",
		Check: []Command{{"sh", "-c", "grep -E \"^(PYTHON_BIN|CANONICAL_|CONDA_ENV)\" /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct PYTHON_BIN", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: PortTaken, Area: "host", Status: StatusFailed, MessageID: "d266ca8c54dbc7772df543f57cc73e50",
		Title: "another program uses the port of an instance",
		Cause: "A program was started by hand, or another service or instance uses the same port.",
		Check: []Command{{"ss", "-ltnp"}},
		Fix:   Fix{Advice: "stop the program, if it is not one of the toolkit's units", Commands: []Command{{"justnews-gate", "preflight", "--stop"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: PortSilent, Area: "host", Status: StatusReady, MessageID: "dda0954a77141c82ecd93326f65fea95",
		Title: "an instance is running but not listening",
		Cause: "It has just started, listens on a port other than the one in justnews.toml, or hangs.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "wait, or correct port in /etc/justnews/justnews.toml"},
	},
	{
		Code: PortFreed, Area: "host", Status: StatusReady, MessageID: "7aab435f7853fedcd48ddd700d44e61f",
		Title: "a unit was stopped to free its port",
		Cause: "preflight was run with --stop.",
		Check: []Command{{"systemctl", "status", "justnews.target"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: DiskSpace, Area: "host", Status: StatusFailed, MessageID: "42834665b4c46a2fab7075fe906639ce",
		Title: "the disk is almost full",
		Cause: "Models, caches of compiled kernels or logs have filled the file system.",
		Check: []Command{{"df", "-h", "/opt/justnews/models", "/var/cache/justnews", "/var/log/justnews"}},
		Fix:   Fix{Advice: "free space on the reported file system"},
	},
	{
		Code: LimitNOFILE, Area: "host", Status: StatusReady, MessageID: "cfe57a0878b12c8cf70944fb81730978",
		Title: "the limit on open files is too low",
		Cause: "A drop-in, justnews.toml or the kernel allows fewer than the 65536 open files that an agent may need.",
		Check: []Command{{"systemctl", "show", "-p", "LimitNOFILE", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "set service.limit_nofile = 65536 in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: SwapNone, Area: "host", Status: StatusReady, MessageID: "647c310d432f39ba39d223cd4dc3921f",
		Title: "there is no swap",
		Cause: "This is not a problem if there is enough memory. A warm-up that temporarily needs more is killed.",
		Check: []Command{{"swapon", "--show"}, {"free", "-h"}},
		Fix:   Fix{Advice: "add swap, or ignore this"},
	},
	{
		Code: TmpNoexec, Area: "host", Status: StatusReady, MessageID: "7727758de7f322e902015637a8b56fdc",
		Title: "/tmp is mounted noexec",
		Cause: "Kernel compilers and Python wheels load code from there.",
		Check: []Command{{"findmnt", "-no", "OPTIONS", "/tmp"}},
		Fix:   Fix{Commands: []Command{{"mount", "-o", "remount,exec", "/tmp"}}},
	},
	{
		Code: UserUnknown, Area: "users and paths", Status: StatusConfig, MessageID: "df3f973d7ebf4a198f894650ca4da493",
		Title: "the user or group of an instance does not exist",
		Cause: "The user was never created, or service.user is misspelt. systemd fails the start with 217/USER.",
		Check: []Command{{"getent", "passwd", "justnews"}, {"systemctl", "show", "-p", "User,Group", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "or correct service.user", Commands: []Command{{"systemd-sysusers", "justnews.conf"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: UserOther, Area: "users and paths", Status: StatusReady, MessageID: "a9807dd1f5964befb5f8e27f8295cd68",
		Title: "an instance runs as a different user than configured",
		Cause: "An old drop-in sets User=, for example to root, or SERVICE_USER in the environment names another user. The two may not be able to read each other's files.",
		Check: []Command{{"systemctl", "show", "-p", "User", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove that User=, or set service.user", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ServicePath, Area: "users and paths", Status: StatusFailed, MessageID: "910569b09d6f173e085a60581c1385e8",
		Title: "an instance's program or directory is not accessible",
		Cause: "service.exec or service.working_directory does not exist, or is not accessible to the instance's user. systemd fails the start with 203/EXEC or 200/CHDIR after the gate has passed.",
		Check: []Command{{"systemctl", "show", "-p", "ExecStart,WorkingDirectory,User", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "create it, or grant the user access", Look: []Command{{"namei", "-l", "PATH"}}, Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: HomeHidden, Area: "users and paths", Status: StatusFailed, MessageID: "bba661e3bdda431b9eb19e48b1523d2d",
		Title: "protect_home hides a path that an instance needs",
		Cause: "The program, its working directory or its interpreter is below /home, /root or /run/user, which protect_home hides from the unit.",
		Check: []Command{{"systemctl", "show", "-p", "ProtectHome", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "set service.protect_home = \"read-only\" in /etc/justnews/justnews.toml, or move it", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: IPCRemoved, Area: "users and paths", Status: StatusReady, MessageID: "131feae7fb044b3e9ab001140a983862",
		Title: "logind removes an instance's shared memory at logout",
		Cause: "RemoveIPC= of logind.conf(5) is on, and the service's user is not a system user. When the last session of that user ends, whether of a login, of cron or of su, everything of that user in /dev/shm is removed, and programs that use it fail.",
		Check: []Command{{"loginctl", "user-status", "USER"}, {"systemd-analyze", "cat-config", "systemd/logind.conf"}},
		Fix:   Fix{Advice: "or set RemoveIPC=no in /etc/systemd/logind.conf, or run the instances as a system user", Commands: []Command{{"loginctl", "enable-linger", "USER"}}},
	},
	{
		Code: CacheReadOnly, Area: "users and paths", Status: StatusReady, MessageID: "cc855d8536bae24fb9d9986c4118c080",
		Title: "a kernel cache is not writable",
		Cause: "CUDA_CACHE_PATH, TORCHINDUCTOR_CACHE_DIR, TRITON_CACHE_DIR or XDG_CACHE_HOME names a directory that the unit's sandbox or user cannot write to. Kernels are recompiled at each start, or the program fails.",
		Check: []Command{{"systemctl", "show", "-p", "Environment,ReadWritePaths", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the variable, since the default is below /var/cache/justnews", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DirectoryReadOnly, Area: "users and paths", Status: StatusReady, MessageID: "3a516bd743744b81835cdb10b4d2a5da",
		Title: "an instance cannot write to a directory that it uses",
		Cause: "A variable, a checkout of JustNews or service.read_write_paths names a directory that the unit's sandbox leaves read-only, that does not exist when the instance starts, or that its user cannot write to. The agent fails, or loses what it would store.",
		Check: []Command{{"systemctl", "show", "-p", "ReadWritePaths,ProtectHome,ProtectSystem", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "add the directory to service.read_write_paths in /etc/justnews/justnews.toml, and create it", Look: []Command{{"namei", "-l", "PATH"}}, Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DatabaseURL, Area: "bus and needs", Status: StatusConfig, MessageID: "2c67dd6831571378ade3376d795fd356",
		Title: "a database URL is invalid",
		Cause: "The URL cannot be parsed. Often the password contains a character that must be percent-encoded.",
		Check: []Command{{"sh", "-c", "grep -lE \"^(DATABASE_URL|JUSTNEWS_DB_URL|MARIADB_)\" /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct it in /etc/justnews/*.env", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DatabaseDown, Area: "bus and needs", Status: StatusUnavailable, MessageID: "d0712401db2d48a0b80904ae8cf0e28e",
		Title: "a database does not answer",
		Cause: "Nothing listens at the address in DATABASE_URL, JUSTNEWS_DB_URL or MARIADB_HOST, or a firewall blocks it.",
		Check: []Command{{"systemctl", "status", "mariadb.service", "postgresql.service"}},
		Fix:   Fix{Advice: "start the database, or correct the address", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: BusUnregistered, Area: "bus and needs", Status: StatusReady, MessageID: "890b17d4a874a287ec7a4dc325f0a305",
		Title: "the orchestrator is not registered with the MCP bus",
		Cause: "The orchestrator has to be up before the bus, gives up registering after a while, and never retries. Agents cannot find it through the bus.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "run these while the bus is up", Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: VLLMDown, Area: "orchestrator and models", Status: StatusReady, MessageID: "52bbf0846fb3cddc44472c4a214d64f1",
		Title: "the vLLM server of some agents is not running",
		Cause: "The map has vllm_agents, and the orchestrator reports that its vLLM server is not running. A preload does not cover it, so no gate waits for it: those agents answer with errors.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "enable and repair vLLM, or remove vllm_agents from the map"},
	},
	{
		Code: BusUnreachable, Area: "bus and needs", Status: StatusUnavailable, MessageID: "668672924d4f5e6e9085f8eaa4163e51",
		Title: "the MCP bus did not answer",
		Cause: "Nothing listens on its port, or it answers with errors only.",
		Check: []Command{{"systemctl", "status", "justnews@mcp_bus.service"}, {"journalctl", "-u", "justnews@mcp_bus.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "reset-failed", "justnews@mcp_bus.service"}, {"systemctl", "restart", "justnews@mcp_bus.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: BusNonsense, Area: "bus and needs", Status: StatusNonsense, MessageID: "5b4af49727c3594f82a5f396b5706381",
		Title: "the bus's answer is invalid",
		Cause: "Another program listens on its port, or a proxy answers for it.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "make sure that the MCP bus listens on that port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: BusUnit, Area: "bus and needs", Status: StatusUnavailable, MessageID: "bdd995a4f6f05a639c06dad58a956677",
		Title: "the bus's unit cannot become ready",
		Cause: "The unit is missing, masked or failed, so waiting for it is pointless.",
		Check: []Command{{"systemctl", "status", "justnews@mcp_bus.service"}, {"journalctl", "-u", "justnews@mcp_bus.service", "-e"}},
		Fix:   Fix{Advice: "fix the cause named in its log", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: BusDegraded, Area: "bus and needs", Status: StatusReady, MessageID: "24f8b2f042f55c13b96efec4560079f9",
		Title: "the bus reports that it is degraded",
		Cause: "The bus answers, but some of its agents do not.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "check the agents that the bus reports"},
	},
	{
		Code: BusImpostor, Area: "bus and needs", Status: StatusNonsense, MessageID: "a0d37d0fb4a64bb28a2a2b1f2f6d8e51",
		Title: "another process answers instead of the MCP bus",
		Cause: "Its port is unprivileged, so any process can listen on it first. The socket that answered does not belong to the unit named by bus.instance.",
		Check: []Command{{"ss", "-ltnpe"}},
		Fix:   Fix{Advice: "stop the process that uses the port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ServerUnproven, Area: "this run", Status: StatusUnavailable, MessageID: "6b0c0d0a3c4e4f3a9d6f4f0d9a7f5c32",
		Title: "it could not be verified which unit answers",
		Cause: "An answer counts only if its socket belongs to the unit that the configuration names. systemd did not say what that unit is, or the kernel did not say whose socket it is, before the deadline.",
		Check: []Command{{"systemctl", "status", "dbus.service"}, {"ss", "-ltnpe"}},
		Fix:   Fix{Advice: "make D-Bus and the control groups below /sys/fs/cgroup accessible again"},
	},
	{
		Code: NeedUnmet, Area: "bus and needs", Status: StatusUnavailable, MessageID: "d00527adbd4b501384768af0992c6bb9",
		Title: "something that the instance needs is unavailable",
		Cause: "A probe of [probes] did not succeed before the deadline.",
		Check: []Command{{"justnews-gate", "gate", "INSTANCE", "-v"}},
		Fix:   Fix{Advice: "start what the probe checks", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: NoSystemd, Area: "host", Status: StatusReady, MessageID: "2d40618cfb3a58abba17d8a1e0a36029",
		Title: "systemd cannot be queried",
		Cause: "There is no system bus, or systemd does not answer on it. Unit states are not checked; everything else is.",
		Check: []Command{{"busctl", "status", "org.freedesktop.systemd1"}},
		Fix:   Fix{Advice: "in a container without systemd, ignore this", Commands: []Command{{"systemctl", "start", "dbus.socket"}}},
	},
	{
		Code: NoLock, Area: "host", Status: StatusReady, MessageID: "1b8e63b5319c5823a69bc6a3554e7b27",
		Title: "the run does not share the lock of the services' gates",
		Cause: "The lock directory /run/justnews-gate is missing or not accessible to this user, so a service's gate may trigger a preload at the same time.",
		Check: []Command{{"ls", "-ld", "/run/justnews-gate"}, {"id"}},
		Fix:   Fix{Advice: "or run it as a member of the group justnews", Commands: []Command{{"systemd-tmpfiles", "--create", "justnews.conf"}}},
	},
	{
		Code: RecordUnwritten, Area: "host", Status: StatusReady, MessageID: "a291898f5820591db6915e342fbe831a",
		Title: "the summary could not be written",
		Cause: "The cache directory is full, read-only or owned by another user. The verdict is not affected.",
		Check: []Command{{"df"}, {"ls", "-ld", "${XDG_CACHE_HOME:-$HOME/.cache}/justnews", "/var/cache/justnews"}},
		Fix:   Fix{Advice: "free space in the reported directory, or correct its owner"},
	},
	{
		Code: Ungated, Area: "units and drop-ins", Status: StatusFailed, MessageID: "643494c0336b5b629ae855100ef3df9f",
		Title: "an instance has no gate",
		Cause: "The drop-in 50-justnews-gate.conf is masked, a drop-in with an empty ExecStartPre= resets its line, or the package is not installed.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove what masks or resets the drop-in", Look: []Command{{"systemctl", "revert", "justnews@INSTANCE.service"}}, Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GuardUnknown, Area: "units and drop-ins", Status: StatusConfig, MessageID: "3f31d7ea08ed46d193f90fc5bb3af877",
		Title: "a unit has the line of a guard, and no guard",
		Cause: "The unit has a drop-in 50-justnews-guard.conf, and the configuration has no [guards] table with this unit, or one that is in the other place: before the start or after it. A unit is guarded by its own name, not by an alias.",
		Check: []Command{{"systemctl", "cat", "UNIT"}, {"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "add the table, or uninstall the guard", Commands: []Command{{"justnews-gate", "guard", "uninstall", "UNIT"}}},
	},
	{
		Code: GuardVolatile, Area: "units and drop-ins", Status: StatusReady, MessageID: "2b210229d53143a899763748791c7217",
		Title: "the gate of a guarded unit depends on the generator",
		Cause: "Only the generator's drop-in has the line of this guard: where the generator is missing or fails, or the configuration is broken, the unit starts without its gate.",
		Check: []Command{{"systemctl", "cat", "UNIT"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "guard", "install", "UNIT"}}},
	},
	{
		Code: GuardRestart, Area: "units and drop-ins", Status: StatusReady, MessageID: "2d5de809b71248a39ef3bdbeb056b4c0",
		Title: "a guarded unit stays down after a refusal",
		Cause: "The unit has Restart=no, so that systemd does not try it again once the cause is gone.",
		Check: []Command{{"systemctl", "show", "-p", "Restart", "UNIT"}},
		Fix:   Fix{Advice: "set Restart=on-failure in a drop-in, or start the unit once the cause is gone", Look: []Command{{"systemctl", "edit", "UNIT"}}, Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GuardWrite, Area: "this run", Status: StatusPermission, MessageID: "49c1ac1aeb994467bfcf294f6962f80e",
		Title: "the drop-in of a guard cannot be written or removed",
		Cause: "Only root can change /etc/systemd/system; or the file is not one that guard install wrote.",
		Check: []Command{{"ls", "-l", "/etc/systemd/system"}},
		Fix:   Fix{Advice: "run it as root, and move a file of the same name away"},
	},
	{
		Code: UnitFailed, Area: "units and drop-ins", Status: StatusFailed, MessageID: "c8d0f4f3b7e15a0f9f0e6b52a1c47d39",
		Title: "an instance has failed",
		Cause: "Its gate refused, its program exited with an error, or it was restarted too often. systemd does not start it again by itself.",
		Check: []Command{{"systemctl", "status", "justnews@INSTANCE.service"}, {"journalctl", "-b", "-u", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "fix the cause named in its log", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: NeedReload, Area: "units and drop-ins", Status: StatusFailed, MessageID: "53f260857e275aa09374860bddd77139",
		Title: "files have changed since the last daemon-reload",
		Cause: "justnews.toml, a unit or a drop-in has changed on disk.",
		Check: []Command{{"systemctl", "show", "-p", "NeedDaemonReload", "justnews@INSTANCE.service"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ReadinessLost, Area: "this run", Status: StatusUnavailable, MessageID: "26f9b78069e44b6b97f40a813cf4baf3",
		Title: "what the open gates have proven no longer holds",
		Cause: "While instances are up, justnews-watch.service found several times in a row that the models are not loaded, that the bus does not answer, or that MPS or a GPU does not work. The findings below name which. Nothing was stopped or restarted.",
		Check: []Command{{"justnews-gate", "status"}, {"journalctl", "-b", "-u", "justnews-watch.service"}},
		Fix:   Fix{Advice: "fix the cause that status names", Look: []Command{{"justnews-gate", "status"}}},
	},
	{
		Code: ReadinessRegained, Area: "this run", Status: StatusReady, MessageID: "f8f2801c504c405a89af1ae698ab6c57",
		Title: "what the open gates have proven holds again",
		Cause: "A look of justnews-watch.service was good after it had reported READINESS-LOST. Nothing needs to be done.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews-watch.service"}},
		Fix:   Fix{Advice: "nothing needs to be done"},
	},
	{
		Code: Interrupted, Area: "this run", Status: StatusTimeout, MessageID: "d334bcf636465af1b6e12af22a0f2373",
		Title: "the run was interrupted by a signal",
		Cause: "systemctl stop, a restart, a shutdown or ^C ended it before the verdict.",
		Check: []Command{{"journalctl", "-u", "justnews@INSTANCE.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: Hung, Area: "this run", Status: StatusTimeout, MessageID: "e220d41332484f5a8b304ed9efc3e067",
		Title: "a system call does not return",
		Cause: "The deadline or a signal was not acted upon because the kernel did not return from what the message names: a file system or a device does not respond. A watchdog ended the process.",
		Check: []Command{{"journalctl", "-k", "-b"}},
		Fix:   Fix{Advice: "repair or unmount what does not respond"},
	},
	{
		Code: Internal, Area: "this run", Status: StatusInternal, MessageID: "653f00042a595e5aaf5e8a57217df675",
		Title: "internal error",
		Cause: "A bug, or an unexpected failure of the machine. The gate stays shut.",
		Check: []Command{{"journalctl", "-u", "justnews@INSTANCE.service", "-e"}},
		Fix:   Fix{Advice: "report it, with the output of: justnews-gate -v --json"},
	},
	{
		Code: Usage, Area: "this run", Status: StatusUsage, MessageID: "99eb5e90486c58fdbb4b5c7a3194db9f",
		Title: "invalid command line",
		Cause: "A misspelt command or flag, or a missing argument.",
		Check: []Command{{"justnews-gate", "--help"}},
		Fix:   Fix{Advice: "correct the command line"},
	},
	{
		Code: RecordBroken, Area: "host", Status: StatusReady, MessageID: "e63996c0d936d097c7439cb5268207b8",
		Title: "a file among the summaries was not written by a run",
		Cause: "It was put there by something else, belongs to another user, was edited by hand, or was written by a newer version. It is reported and otherwise ignored.",
		Check: []Command{{"sh", "-c", "ls -l /var/cache/justnews/*/preflight ~/.cache/justnews/preflight"}},
		Fix:   Fix{Advice: "find out where it came from, and remove it"},
	},
	{
		Code: RecordUnreadable, Area: "host", Status: StatusReady, MessageID: "4ae50c249d885ea7dc07e31c46dda679",
		Title: "only root can read the summaries of units",
		Cause: "A unit's summaries belong to its user and are readable by that user and root only.",
		Check: []Command{{"sh", "-c", "ls -ld /var/cache/justnews/*/preflight"}, {"id"}},
		Fix:   Fix{Commands: []Command{{"sudo", "justnews-gate", "history"}}},
	},
	{
		Code: RecordMissing, Area: "host", Status: StatusFailed, MessageID: "1b2b78dc8e88768e00e7d24cf95007e5",
		Title: "there is nothing to draw",
		Cause: "No run of this boot has left a summary that this user may read, and systemd cannot be queried or knows of no start of an instance.",
		Check: []Command{{"justnews-gate", "history"}},
		Fix:   Fix{Advice: "or name the files with --run", Commands: []Command{{"sudo", "justnews-gate", "plot"}}},
	},
	{
		Code: MetricsUnwritten, Area: "this run", Status: StatusReady, MessageID: "f7f5a45e880d37e725c9137d4dc271fc",
		Title: "the metrics of a run could not be written",
		Cause: "The directory /run/justnews-gate/metrics is missing, full or not writable by the unit's user, so monitoring shows the previous run. The verdict is not affected.",
		Check: []Command{{"ls", "-ld", "/run/justnews-gate", "/run/justnews-gate/metrics"}},
		Fix:   Fix{Commands: []Command{{"systemd-tmpfiles", "--create", "justnews.conf"}}},
	},
	{
		Code: OperatorUser, Area: "this run", Status: StatusUsage, MessageID: "e2b20b59a17e2f3992194a4b8ddfc31d",
		Title: "the user cannot be made an operator",
		Cause: "The name is not that of one ordinary user (sudo gives ALL, %group, #uid and lists another meaning), the user does not exist, is root, or is one that agents run as: operators may do what agents must not.",
		Check: []Command{{"getent", "passwd", "USER"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "nopasswd", "install", "--user", "USER"}}},
	},
	{
		Code: OperatorGroup, Area: "this run", Status: StatusConfig, MessageID: "7f48afcc12a2affa52da1f93d7a6e447",
		Title: "the operators' group is missing",
		Cause: "systemd-sysusers has not created justnews-operators yet, or the group database is unavailable.",
		Check: []Command{{"getent", "group", "justnews-operators"}},
		Fix:   Fix{Advice: "then run the command again", Commands: []Command{{"systemd-sysusers", "justnews.conf"}}},
	},
	{
		Code: OperatorRule, Area: "this run", Status: StatusReady, MessageID: "73610b0f30b93d490b09614a13e396ce",
		Title: "the polkit rule for operators is missing or overridden",
		Cause: "The polkit rule of the package is missing, or a file of the same name overrides it.",
		Check: []Command{{"ls", "-l", "/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"}},
		Fix:   Fix{Advice: "reinstall the package, and install polkit"},
	},
	{
		Code: OperatorDenied, Area: "this run", Status: StatusPermission, MessageID: "4ca9d2c579a4c0cd7007ae815bbf28f2",
		Title: "only root can grant or revoke operator rights",
		Cause: "The command was run without root privileges. --dry-run does not need them.",
		Check: []Command{{"id", "-u"}},
		Fix:   Fix{Commands: []Command{{"sudo", "justnews-gate", "nopasswd", "install", "--user", "USER"}}},
	},
	{
		Code: OperatorTool, Area: "this run", Status: StatusUnavailable, MessageID: "eeef71a9e995a857ad139046a48fe007",
		Title: "a tool of this host is missing or failed",
		Cause: "gpasswd, usermod, visudo or sudo could not be run, exited with an error, or had no effect.",
		Check: []Command{{"ls", "-l", "/usr/bin/gpasswd", "/usr/sbin/usermod", "/usr/sbin/visudo"}},
		Fix:   Fix{Advice: "fix what the tool reports, and run the command again"},
	},
	{
		Code: SudoUnusable, Area: "this run", Status: StatusConfig, MessageID: "5c77959031481089c962683e4d874712",
		Title: "this sudo does not support the rule",
		Cause: "sudo or visudo is missing, sudo is older than 1.9.10 (the first version with regular expressions), or the program is not sudo.",
		Check: []Command{{"sudo", "-V"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "nopasswd", "install", "--user", "USER"}}},
	},
	{
		Code: SudoUnsafe, Area: "this run", Status: StatusPermission, MessageID: "1178febb700fd2821f76484e4e8ef117",
		Title: "a user other than root could replace the program",
		Cause: "The program or a directory above it is owned by another user or writable by others, who could use the rule to become root.",
		Check: []Command{{"ls", "-ld", "/", "/usr", "/usr/bin", "/usr/bin/justnews-gate"}},
		Fix:   Fix{Advice: "then run the command again", Commands: []Command{{"chown", "root:root", "PATH"}, {"chmod", "go-w", "PATH"}}},
	},
	{
		Code: SudoForeign, Area: "this run", Status: StatusConfig, MessageID: "9ea6e8aaaa4edceb6b6625d4e2b1d4ca",
		Title: "the sudo drop-in was not written by justnews-gate",
		Cause: "/etc/sudoers.d/justnews-gate was written or edited by somebody else, or cannot be read. It is not changed.",
		Check: []Command{{"visudo", "-cf", "/etc/sudoers.d/justnews-gate"}},
		Fix:   Fix{Advice: "review it, move it out of /etc/sudoers.d, and run the command again"},
	},
	{
		Code: SudoRefused, Area: "this run", Status: StatusConfig, MessageID: "f861a3e6ef6c2604385191def358719b",
		Title: "visudo reports an error in the sudo configuration",
		Cause: "Either the configuration was already broken, and nothing was changed; or the new rule would have broken it, and the previous state was restored.",
		Check: []Command{{"visudo", "-c"}},
		Fix:   Fix{Advice: "fix what visudo reports, and run the command again"},
	},
	{
		Code: SudoIneffective, Area: "this run", Status: StatusConfig, MessageID: "a48ccdfa8905373862c028c6b1e98f28",
		Title: "sudo does not apply the rule",
		Cause: "/etc/sudoers does not include /etc/sudoers.d, or sudo reads its rules from elsewhere. The rule was removed again.",
		Check: []Command{{"sudo", "-l", "-U", "USER"}},
		Fix:   Fix{Advice: "add the line @includedir /etc/sudoers.d to the end of /etc/sudoers (visudo), and run the command again"},
	},
	{
		Code: SudoLeftover, Area: "this run", Status: StatusReady, MessageID: "fa82a8bf07f0cb0cd3c1ef0aaf72d12a",
		Title: "the old helper's sudo rule is still in place",
		Cause: "setup_preflight_nopasswd.sh of JustNews allowed running a script with any arguments as any user, so anyone who can write to the script or its directory can become root.",
		Check: []Command{{"cat", "/etc/sudoers.d/justnews-preflight"}},
		Fix:   Fix{Commands: []Command{{"rm", "/etc/sudoers.d/justnews-preflight"}, {"visudo", "-c"}}},
	},
	{
		Code: ImportNothing, Area: "this run", Status: StatusConfig, MessageID: "84688d2d1bcc2efbe1bbc337ac2ccbc8",
		Title: "no JustNews instance was found",
		Cause: "config import looks for justnews@NAME.service, its drop-ins and links below /etc/systemd/system, and for /etc/justnews/NAME.env.",
		Check: []Command{{"sh", "-c", "ls -d /etc/systemd/system/*justnews* /etc/systemd/system/*/*justnews* /etc/justnews/*"}},
		Fix:   Fix{Advice: "write /etc/justnews/justnews.toml yourself (man 5 justnews.toml)"},
	},
	{
		Code: ImportUnreadable, Area: "this run", Status: StatusReady, MessageID: "4d2f66421210726732512a4edc314c5a",
		Title: "a file of the old set-up cannot be read",
		Cause: "It is not readable by the caller, is too large, or does not have the format that JustNews' programs read. Its settings are missing in the result.",
		Check: []Command{{"sudo", "justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "check the reported file by hand"},
	},
	{
		Code: ImportLeftOut, Area: "this run", Status: StatusReady, MessageID: "1a9a1a3cb72de81d5cfd82137ad1a5f5",
		Title: "a setting of the old set-up was not imported",
		Cause: "justnews.toml has no equivalent, the setting never had the effect that it seems to have, or its value is invalid.",
		Check: []Command{{"justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "apply it by hand as the message says, or drop it"},
	},
	{
		Code: ImportConflict, Area: "this run", Status: StatusReady, MessageID: "dfa5ebbf252bc3c8ade53a0f5b7be24a",
		Title: "the old set-up has conflicting settings",
		Cause: "Two places set different values, or the old gate did something that the new one does not do by default.",
		Check: []Command{{"justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "decide which one to keep, and run the command again"},
	},
	{
		Code: ImportOvercommit, Area: "this run", Status: StatusReady, MessageID: "958d23792f755518276bf2545ec74c07",
		Title: "the MPS limits exceed the GPU's memory",
		Cause: "The sum of the allocations of JustNews exceeds its own available_memory_gb. The limits are imported, but not the GPU's memory.",
		Check: []Command{{"justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "lower a limit, then set gpu.memory in /etc/justnews/justnews.toml"},
	},
}
