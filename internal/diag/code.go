// SPDX-License-Identifier: Apache-2.0

package diag

// Code names one kind of problem for ever. Scripts, journal queries and the
// manual lean on it.
type Code string

// Configuration (exit status 78).
const (
	ConfigMissing     Code = "CONFIG-MISSING"     // no justnews.toml anywhere
	ConfigEmpty       Code = "CONFIG-EMPTY"       // no instance is configured
	ConfigUnreadable  Code = "CONFIG-UNREADABLE"  // cannot be opened or read, not a regular file, too large
	ConfigOwner       Code = "CONFIG-OWNER"       // not owned by root, or writable by others
	ConfigSyntax      Code = "CONFIG-SYNTAX"      // not TOML
	ConfigUnknownKey  Code = "CONFIG-UNKNOWN-KEY" // a key that nobody reads
	ConfigType        Code = "CONFIG-TYPE"        // a value of the wrong type
	ConfigValue       Code = "CONFIG-VALUE"       // a value out of range or of the wrong form
	ConfigString      Code = "CONFIG-STRING"      // a control character or invalid UTF-8 in a string
	ConfigReference   Code = "CONFIG-REFERENCE"   // a name that nothing defines
	ConfigConflict    Code = "CONFIG-CONFLICT"    // two settings that cannot both hold
	ConfigCycle       Code = "CONFIG-CYCLE"       // an ordering cycle
	ConfigMemory      Code = "CONFIG-MEMORY"      // limits above the GPU's memory
	InstanceUnknown   Code = "INSTANCE-UNKNOWN"   // the configuration lists no such instance
	ConfigEnvironment Code = "CONFIG-ENVIRONMENT" // an environment variable that does not parse
	TimeoutConflict   Code = "TIMEOUT-CONFLICT"   // GATE_TIMEOUT is beyond what systemd allows the unit
	MapUnreadable     Code = "MAP-UNREADABLE"     // AGENT_MODEL_MAP cannot be read
	MapInvalid        Code = "MAP-INVALID"        // AGENT_MODEL_MAP is not what either upstream layout allows
	MapMissing        Code = "MAP-MISSING"        // no map at the default path: the count is unchecked
	GeneratorTimeout  Code = "GENERATOR-TIMEOUT"  // the generator reached its own deadline
	GeneratorWrite    Code = "GENERATOR-WRITE"    // the generator cannot write its output
	UnitText          Code = "UNIT-TEXT"          // a value that no unit file can carry
	UnitStale         Code = "UNIT-STALE"         // a unit made from another configuration
	UnitUnmarked      Code = "UNIT-UNMARKED"      // a unit that the generator did not finish
	GateOff           Code = "GATE-OFF"           // justnews.gate=off on the kernel command line
	StatusOpens       Code = "STATUS-OPENS"       // the unit's SuccessExitStatus= would open the gate
)

// Orchestrator and models.
const (
	OrchestratorUnit        Code = "ORCHESTRATOR-UNIT"        // its unit is missing, masked or failed
	OrchestratorUnreachable Code = "ORCHESTRATOR-UNREACHABLE" // no answer until the deadline
	OrchestratorNonsense    Code = "ORCHESTRATOR-NONSENSE"    // an invalid answer
	OrchestratorNotReady    Code = "ORCHESTRATOR-NOT-READY"   // /ready says false until the deadline
	OrchestratorImpostor    Code = "ORCHESTRATOR-IMPOSTOR"    // another user listens on its port
	OrchestratorDryRun      Code = "ORCHESTRATOR-DRY-RUN"     // its unit loads nothing, on purpose
	OrchestratorSafeMode    Code = "ORCHESTRATOR-SAFE-MODE"   // safe_mode honoured: the preload is skipped
	OrchestratorRemote      Code = "ORCHESTRATOR-REMOTE"      // its URL is of another host
	ModelFailed             Code = "MODEL-FAILED"             // the orchestrator reports an error for a model
	ModelsTimeout           Code = "MODELS-TIMEOUT"           // still loading at the deadline
	ModelsIncomplete        Code = "MODELS-INCOMPLETE"        // a job ended with fewer models than the map lists, or none
	ModelsInconsistent      Code = "MODELS-INCONSISTENT"      // the answer contradicts itself or changes between looks
	PreloadRefused          Code = "PRELOAD-REFUSED"          // the trigger was refused
	PreloadTimeout          Code = "PRELOAD-TIMEOUT"          // nothing to load was started before the deadline
)

// NVIDIA MPS.
const (
	MPSMissing     Code = "MPS-MISSING"     // NVIDIA MPS is not installed
	MPSUnit        Code = "MPS-UNIT"        // its unit is missing, masked, failed or skipped
	MPSDenied      Code = "MPS-DENIED"      // the caller may not start its unit
	MPSDeadlock    Code = "MPS-DEADLOCK"    // its unit waits for the instance that would start it
	MPSDead        Code = "MPS-DEAD"        // no control daemon lives
	MPSElsewhere   Code = "MPS-ELSEWHERE"   // a daemon lives, with another pipe directory
	MPSSplit       Code = "MPS-SPLIT"       // two daemons, or one whose directory was deleted
	MPSStray       Code = "MPS-STRAY"       // the daemon is not the unit's
	MPSDirectory   Code = "MPS-DIRECTORY"   // the pipe directory cannot be reached
	MPSUser        Code = "MPS-USER"        // the daemon is another user's
	MPSWedged      Code = "MPS-WEDGED"      // the daemon lives and does not answer
	MPSBusy        Code = "MPS-BUSY"        // another console keeps it busy
	MPSEmpty       Code = "MPS-EMPTY"       // it answers with nothing
	MPSNonsense    Code = "MPS-NONSENSE"    // it answers with something else
	MPSLibrary     Code = "MPS-LIBRARY"     // libcuda is missing
	MPSServer      Code = "MPS-SERVER"      // no server for the agents' user is active
	MPSLimit       Code = "MPS-LIMIT"       // a limit is not what the configuration states
	MPSEnvironment Code = "MPS-ENVIRONMENT" // the instance's unit keeps it from MPS
	MPSOpinion     Code = "MPS-OPINION"     // the orchestrator sees it otherwise
)

// GPU: what justnews-nvml met, and what is wrong with what it found.
const (
	GPUUnknown         Code = "GPU-UNKNOWN"         // the run ended before the answer, or nothing can ask
	GPUHelperMissing   Code = "GPU-HELPER-MISSING"  // justnews-nvml is not installed
	GPUHelperUnusable  Code = "GPU-HELPER-UNUSABLE" // it cannot be executed
	GPUHelperLoader    Code = "GPU-HELPER-LOADER"   // the dynamic loader refuses it
	GPUHelperSymbol    Code = "GPU-HELPER-SYMBOL"   // libnvidia-ml lacks a function that is needed
	GPUHelperCrashed   Code = "GPU-HELPER-CRASHED"  // a signal ended it
	GPUHelperHung      Code = "GPU-HELPER-HUNG"     // killed at its limit
	GPUHelperNonsense  Code = "GPU-HELPER-NONSENSE" // no answer that makes sense
	GPUHelperNoCgo     Code = "GPU-HELPER-NO-CGO"   // built without cgo
	GPULibraryMissing  Code = "GPU-LIBRARY-MISSING" // no libnvidia-ml.so.1
	GPUDriverNotLoaded Code = "GPU-DRIVER-NOT-LOADED"
	GPUDriverMismatch  Code = "GPU-DRIVER-MISMATCH" // library and kernel module of two versions
	GPUPermission      Code = "GPU-PERMISSION"      // the driver or its device nodes are closed to this user
	GPUFailed          Code = "GPU-FAILED"          // NVML answers with an error
	GPUNone            Code = "GPU-NONE"            // a driver, and no GPU
	GPUCount           Code = "GPU-COUNT"           // fewer than gpu.min_count
	GPUUVMMissing      Code = "GPU-UVM-MISSING"     // no /dev/nvidia-uvm, or none that opens
	GPUProhibited      Code = "GPU-PROHIBITED"      // compute mode PROHIBITED
	GPUShared          Code = "GPU-SHARED"          // compute mode DEFAULT, with MPS
	GPUExclusive       Code = "GPU-EXCLUSIVE"       // compute mode EXCLUSIVE_PROCESS, without MPS
	GPUMIG             Code = "GPU-MIG"             // cut into MIG instances, with MPS
	GPUPersistence     Code = "GPU-PERSISTENCE"     // persistence mode is off
	GPUMemoryLimit     Code = "GPU-MEMORY-LIMIT"    // limits above what a GPU has
	GPUMemoryFree      Code = "GPU-MEMORY-FREE"     // less is free than an instance may use
	GPUMPSClients      Code = "GPU-MPS-CLIENTS"     // as many MPS clients as MPS takes, or more
)

// The Model Store.
const (
	StoreRoot        Code = "STORE-ROOT"        // MODEL_STORE_ROOT is no directory
	StoreMount       Code = "STORE-MOUNT"       // what it is mounted from is not mounted
	StoreAgent       Code = "STORE-AGENT"       // no directory for an agent of the map
	StoreVersion     Code = "STORE-VERSION"     // current, or the version that the map names, leads to none
	StoreStaged      Code = "STORE-STAGED"      // a version that was half copied
	StoreSnapshot    Code = "STORE-SNAPSHOT"    // no snapshot of a model, or none that could load
	StoreFile        Code = "STORE-FILE"        // a file of a model is missing
	StoreLink        Code = "STORE-LINK"        // a link leads nowhere or out of the store
	StorePointer     Code = "STORE-POINTER"     // a git-lfs pointer instead of the content
	StoreEmpty       Code = "STORE-EMPTY"       // a file without a byte
	StoreAdapter     Code = "STORE-ADAPTER"     // an adapter's directory is missing
	StoreBase        Code = "STORE-BASE"        // an adapter's base model is missing
	StoreCorrupt     Code = "STORE-CORRUPT"     // the content is not what was manifested, or does not parse
	StoreRead        Code = "STORE-READ"        // the disk does not give a file's content
	StoreManifest    Code = "STORE-MANIFEST"    // nothing to compare a version with
	StoreUnverified  Code = "STORE-UNVERIFIED"  // it cannot be told whether a version is right
	StorePermission  Code = "STORE-PERMISSION"  // the service's user cannot read the store
	StoreSpace       Code = "STORE-SPACE"       // no room for the next version
	StoreTimeout     Code = "STORE-TIMEOUT"     // still hashing at the deadline
	StoreEnvironment Code = "STORE-ENVIRONMENT" // the orchestrator runs with another store, or may download
	MapName          Code = "MAP-NAME"          // the map names an agent or model otherwise than the store
	ModelDownload    Code = "MODEL-DOWNLOAD"    // the orchestrator tried to download although it must not
	ModelMemory      Code = "MODEL-MEMORY"      // memory ran out while a model was loaded
	OrchestratorKill Code = "ORCHESTRATOR-KILL" // the orchestrator was killed for memory
)

// Bus, needs, host.
const (
	BusUnreachable  Code = "BUS-UNREACHABLE"
	BusNonsense     Code = "BUS-NONSENSE"
	BusUnit         Code = "BUS-UNIT"
	BusDegraded     Code = "BUS-DEGRADED"
	BusImpostor     Code = "BUS-IMPOSTOR"     // another unit or user answers in its place
	ServerUnproven  Code = "SERVER-UNPROVEN"  // whose answer it is cannot be told
	NeedUnmet       Code = "NEED-UNMET"       // a probe did not pass before the deadline
	NoSystemd       Code = "NO-SYSTEMD"       // D-Bus or systemd cannot be asked
	NoLock          Code = "NO-LOCK"          // no lock that is shared with the services
	RecordUnwritten Code = "RECORD-UNWRITTEN" // the summary could not be written
	Ungated         Code = "UNGATED"          // no gate stands before an instance
	UnitFailed      Code = "UNIT-FAILED"      // an instance's unit is in the state failed
	NeedReload      Code = "NEED-RELOAD"      // systemd has not read the latest files
	Interrupted     Code = "INTERRUPTED"      // SIGTERM or SIGINT ended the run
	Hung            Code = "HUNG"             // something did not return by the deadline
	Internal        Code = "INTERNAL"
	Usage           Code = "USAGE"
)

// Records: what runs leave behind.
const (
	RecordBroken     Code = "RECORD-BROKEN"     // a file among the summaries that no run left
	RecordUnreadable Code = "RECORD-UNREADABLE" // summaries that are closed to the caller
	RecordMissing    Code = "RECORD-MISSING"    // nothing to draw
	MetricsUnwritten Code = "METRICS-UNWRITTEN" // the metrics of a run could not be written
)

// Who may operate JustNews without a password.
const (
	OperatorUser    Code = "OPERATOR-USER"    // not a user that an exemption can be given to
	OperatorGroup   Code = "OPERATOR-GROUP"   // the group is missing
	OperatorRule    Code = "OPERATOR-RULE"    // polkit's rule is missing or replaced
	OperatorDenied  Code = "OPERATOR-DENIED"  // the caller is not root
	OperatorTool    Code = "OPERATOR-TOOL"    // a tool is missing or failed
	SudoUnusable    Code = "SUDO-UNUSABLE"    // no sudo, or one that cannot carry the rule
	SudoUnsafe      Code = "SUDO-UNSAFE"      // the program could be replaced
	SudoForeign     Code = "SUDO-FOREIGN"     // the drop-in is of another hand
	SudoRefused     Code = "SUDO-REFUSED"     // visudo refuses it, or what was there before
	SudoIneffective Code = "SUDO-INEFFECTIVE" // sudo does not know the rule
	SudoLeftover    Code = "SUDO-LEFTOVER"    // the old helper's rule
)

// A host that was set up by hand.
const (
	ImportNothing    Code = "IMPORT-NOTHING"    // no instance is to be seen
	ImportUnreadable Code = "IMPORT-UNREADABLE" // a file cannot be read
	ImportLeftOut    Code = "IMPORT-LEFT-OUT"   // something is not taken over
	ImportConflict   Code = "IMPORT-CONFLICT"   // two places, or old and new, disagree
	ImportOvercommit Code = "IMPORT-OVERCOMMIT" // limits above the GPU's memory
)

// Preflight: what stands around the gates. Only the full validation looks at
// these.
const (
	Unchecked       Code = "UNCHECKED"        // this run could not look
	UnitMissing     Code = "UNIT-MISSING"     // a unit of the packages is not there
	UnitDisabled    Code = "UNIT-DISABLED"    // nothing starts it at boot, or what should not
	UnitShadowed    Code = "UNIT-SHADOWED"    // another file of the same name hides ours
	UnitOpened      Code = "UNIT-OPENED"      // what may end the gate counts as its success
	DropInMasks     Code = "DROPIN-MASKS"     // a file hides a drop-in of ours
	DropInLeftover  Code = "DROPIN-LEFTOVER"  // a drop-in from before, for what justnews.toml says now
	DropInBroken    Code = "DROPIN-BROKEN"    // systemd drops a part of it
	GateDouble      Code = "GATE-DOUBLE"      // another gate stands beside ours
	StartLimit      Code = "START-LIMIT"      // a start limit
	RestartLoop     Code = "RESTART-LOOP"     // it fails and is started again, without an end
	GeneratorAbsent Code = "GENERATOR-ABSENT" // the generator has written nothing
	GeneratorStale  Code = "GENERATOR-STALE"  // what it wrote is not what it would write now
	EnvUnreadable   Code = "ENV-UNREADABLE"   // an environment file that nobody can read
	EnvSyntax       Code = "ENV-SYNTAX"       // a line that one of its two readers drops or cannot read
	EnvDiffers      Code = "ENV-DIFFERS"      // a value that systemd and a shell read differently
	EnvInterpreter  Code = "ENV-INTERPRETER"  // the interpreter that it names is not there
	PortTaken       Code = "PORT-TAKEN"       // somebody else listens on an instance's port
	PortSilent      Code = "PORT-SILENT"      // an instance runs and does not listen
	PortFreed       Code = "PORT-FREED"       // --stop stopped its unit
	DiskSpace       Code = "DISK-SPACE"       // less than 10 GiB
	LimitNOFILE     Code = "LIMIT-NOFILE"     // fewer than 65536 open files
	SwapNone        Code = "SWAP-NONE"        // no swap
	TmpNoexec       Code = "TMP-NOEXEC"       // nothing in /tmp can be executed
	UserUnknown     Code = "USER-UNKNOWN"     // User= or Group= does not exist
	UserOther       Code = "USER-OTHER"       // an instance runs as another user than the configuration says
	ServicePath     Code = "SERVICE-PATH"     // its command or directory is out of its user's reach
	HomeHidden      Code = "HOME-HIDDEN"      // the same, because of protect_home
	CacheReadOnly   Code = "CACHE-READONLY"   // a cache of compiled kernels that cannot be written
	DatabaseURL     Code = "DATABASE-URL"     // an address that makes no sense
	DatabaseDown    Code = "DATABASE-DOWN"    // nobody answers there
	BusUnregistered Code = "BUS-UNREGISTERED" // the bus does not know the orchestrator
)
