// Code generated from catalogue.toml by make generate; DO NOT EDIT.

// SPDX-License-Identifier: Apache-2.0

package diag

// The codes of all problems.
const (
	ConfigMissing           Code = "CONFIG-MISSING"           // there is no justnews.toml
	ConfigEmpty             Code = "CONFIG-EMPTY"             // no instance is configured
	ConfigUnreadable        Code = "CONFIG-UNREADABLE"        // a configuration file cannot be read
	ConfigOwner             Code = "CONFIG-OWNER"             // another user than root can write the configuration
	ConfigSyntax            Code = "CONFIG-SYNTAX"            // a configuration file is not TOML
	ConfigUnknownKey        Code = "CONFIG-UNKNOWN-KEY"       // a key that nobody reads
	ConfigType              Code = "CONFIG-TYPE"              // a value has the wrong type
	ConfigValue             Code = "CONFIG-VALUE"             // a value is out of range or of the wrong form
	ConfigString            Code = "CONFIG-STRING"            // a string holds a character that no unit file may carry
	ConfigReference         Code = "CONFIG-REFERENCE"         // a name that nothing defines
	ConfigConflict          Code = "CONFIG-CONFLICT"          // two settings contradict each other
	ConfigCycle             Code = "CONFIG-CYCLE"             // instances wait for each other
	ConfigMemory            Code = "CONFIG-MEMORY"            // the memory limits exceed the GPU
	InstanceUnknown         Code = "INSTANCE-UNKNOWN"         // the configuration lists no such instance
	ConfigEnvironment       Code = "CONFIG-ENVIRONMENT"       // an environment variable of the gate does not parse
	TimeoutConflict         Code = "TIMEOUT-CONFLICT"         // GATE_TIMEOUT is longer than systemd lets the gate run
	MapUnreadable           Code = "MAP-UNREADABLE"           // AGENT_MODEL_MAP cannot be read
	MapInvalid              Code = "MAP-INVALID"              // AGENT_MODEL_MAP is not a model map
	MapMissing              Code = "MAP-MISSING"              // no AGENT_MODEL_MAP at the default path
	GeneratorTimeout        Code = "GENERATOR-TIMEOUT"        // the generator reached its own time limit
	GeneratorWrite          Code = "GENERATOR-WRITE"          // the generator cannot write its drop-ins
	UnitText                Code = "UNIT-TEXT"                // a value cannot stand in a unit file
	UnitStale               Code = "UNIT-STALE"               // a unit is made from another configuration
	UnitUnmarked            Code = "UNIT-UNMARKED"            // a unit is not what the configuration asks for
	GateOff                 Code = "GATE-OFF"                 // the gate is switched off on the kernel command line
	StatusOpens             Code = "STATUS-OPENS"             // a refusal would count as success
	MPSMissing              Code = "MPS-MISSING"              // NVIDIA MPS is not installed
	MPSUnit                 Code = "MPS-UNIT"                 // the unit of NVIDIA MPS cannot become active
	MPSDenied               Code = "MPS-DENIED"               // the gate may not start NVIDIA MPS
	MPSDeadlock             Code = "MPS-DEADLOCK"             // the unit of MPS waits for the instance that starts it
	MPSDead                 Code = "MPS-DEAD"                 // no MPS control daemon lives
	MPSElsewhere            Code = "MPS-ELSEWHERE"            // an MPS daemon runs with another pipe directory
	MPSSplit                Code = "MPS-SPLIT"                // the MPS daemon has lost its pipe directory
	MPSStray                Code = "MPS-STRAY"                // the MPS control daemon is not the unit's
	MPSDirectory            Code = "MPS-DIRECTORY"            // the pipe directory of MPS cannot be reached
	MPSUser                 Code = "MPS-USER"                 // the MPS control daemon is another user's
	MPSWedged               Code = "MPS-WEDGED"               // the MPS control daemon does not answer
	MPSBusy                 Code = "MPS-BUSY"                 // another console keeps the MPS daemon busy
	MPSEmpty                Code = "MPS-EMPTY"                // the MPS control daemon answers with nothing
	MPSNonsense             Code = "MPS-NONSENSE"             // the MPS daemon answers with something else
	MPSLibrary              Code = "MPS-LIBRARY"              // NVIDIA MPS does not find libcuda
	MPSServer               Code = "MPS-SERVER"               // no MPS server is active for the user
	MPSLimit                Code = "MPS-LIMIT"                // an MPS limit is not what is configured
	MPSEnvironment          Code = "MPS-ENVIRONMENT"          // the instance's unit keeps it from MPS
	MPSOpinion              Code = "MPS-OPINION"              // the orchestrator sees MPS otherwise
	OrchestratorUnit        Code = "ORCHESTRATOR-UNIT"        // the orchestrator's unit cannot become ready
	OrchestratorUnreachable Code = "ORCHESTRATOR-UNREACHABLE" // the GPU Orchestrator did not answer
	OrchestratorNonsense    Code = "ORCHESTRATOR-NONSENSE"    // the orchestrator's answer is invalid
	OrchestratorNotReady    Code = "ORCHESTRATOR-NOT-READY"   // the orchestrator says that it is not ready
	OrchestratorImpostor    Code = "ORCHESTRATOR-IMPOSTOR"    // another process answers instead of the orchestrator
	OrchestratorDryRun      Code = "ORCHESTRATOR-DRY-RUN"     // the orchestrator loads nothing, on purpose
	OrchestratorSafeMode    Code = "ORCHESTRATOR-SAFE-MODE"   // safe mode: the models were not checked
	OrchestratorRemote      Code = "ORCHESTRATOR-REMOTE"      // the orchestrator's URL is not on this host
	ModelFailed             Code = "MODEL-FAILED"             // a model did not load
	ModelsTimeout           Code = "MODELS-TIMEOUT"           // the models were still loading at the deadline
	ModelsIncomplete        Code = "MODELS-INCOMPLETE"        // the orchestrator loaded fewer models than it should
	ModelsInconsistent      Code = "MODELS-INCONSISTENT"      // the orchestrator's account contradicts itself
	PreloadRefused          Code = "PRELOAD-REFUSED"          // the orchestrator refused to preload
	PreloadTimeout          Code = "PRELOAD-TIMEOUT"          // no preload had begun at the deadline
	StoreRoot               Code = "STORE-ROOT"               // the Model Store is not there
	StoreMount              Code = "STORE-MOUNT"              // the Model Store lies on a mount that is not active
	StoreAgent              Code = "STORE-AGENT"              // the Model Store has nothing for an agent
	StoreVersion            Code = "STORE-VERSION"            // an agent's current version is not there
	StoreStaged             Code = "STORE-STAGED"             // a version was copied only in part
	StoreSnapshot           Code = "STORE-SNAPSHOT"           // a model has no snapshot that could load
	StoreFile               Code = "STORE-FILE"               // a file of a model is missing
	StoreLink               Code = "STORE-LINK"               // a link in the Model Store leads nowhere
	StorePointer            Code = "STORE-POINTER"            // a git-lfs pointer stands for a file
	StoreEmpty              Code = "STORE-EMPTY"              // a file of a model has no bytes
	StoreAdapter            Code = "STORE-ADAPTER"            // an adapter is not in the Model Store
	StoreBase               Code = "STORE-BASE"               // an adapter has no base model
	StoreCorrupt            Code = "STORE-CORRUPT"            // a file of the Model Store is corrupt
	StoreRead               Code = "STORE-READ"               // the disk does not give a file's content
	StoreManifest           Code = "STORE-MANIFEST"           // a version has nothing to be compared with
	StoreUnverified         Code = "STORE-UNVERIFIED"         // it cannot be told whether a version is right
	StorePermission         Code = "STORE-PERMISSION"         // the orchestrator's user cannot read the Model Store
	StoreSpace              Code = "STORE-SPACE"              // there is no room for the next version
	StoreTimeout            Code = "STORE-TIMEOUT"            // the Model Store was still being hashed at the deadline
	StoreEnvironment        Code = "STORE-ENVIRONMENT"        // the orchestrator has another store, or may download
	MapName                 Code = "MAP-NAME"                 // AGENT_MODEL_MAP and the store differ in a name
	ModelDownload           Code = "MODEL-DOWNLOAD"           // the orchestrator tried to download a model
	ModelMemory             Code = "MODEL-MEMORY"             // memory ran out while a model was loaded
	OrchestratorKill        Code = "ORCHESTRATOR-KILL"        // the orchestrator was killed for memory
	GPUUnknown              Code = "GPU-UNKNOWN"              // the GPU could not be looked at
	GPUHelperMissing        Code = "GPU-HELPER-MISSING"       // the GPU helper is not installed
	GPUHelperUnusable       Code = "GPU-HELPER-UNUSABLE"      // the GPU helper cannot be executed
	GPUHelperLoader         Code = "GPU-HELPER-LOADER"        // the dynamic loader refuses the GPU helper
	GPUHelperSymbol         Code = "GPU-HELPER-SYMBOL"        // the driver's library lacks a needed function
	GPUHelperCrashed        Code = "GPU-HELPER-CRASHED"       // the GPU helper crashed
	GPUHelperHung           Code = "GPU-HELPER-HUNG"          // the GPU driver does not answer
	GPUHelperNonsense       Code = "GPU-HELPER-NONSENSE"      // the GPU helper's answer is invalid
	GPUHelperNoCgo          Code = "GPU-HELPER-NO-CGO"        // the GPU helper was built without cgo
	GPULibraryMissing       Code = "GPU-LIBRARY-MISSING"      // NVIDIA's management library is not there
	GPUDriverNotLoaded      Code = "GPU-DRIVER-NOT-LOADED"    // the NVIDIA driver is not loaded
	GPUDriverMismatch       Code = "GPU-DRIVER-MISMATCH"      // NVIDIA's library and kernel module differ
	GPUPermission           Code = "GPU-PERMISSION"           // the GPU's driver is closed to this user
	GPUFailed               Code = "GPU-FAILED"               // the NVIDIA driver answers with an error
	GPUNone                 Code = "GPU-NONE"                 // the driver finds no GPU
	GPUCount                Code = "GPU-COUNT"                // there are fewer GPUs than the configuration needs
	GPUUVMMissing           Code = "GPU-UVM-MISSING"          // /dev/nvidia-uvm is missing or of no use
	GPUProhibited           Code = "GPU-PROHIBITED"           // a GPU prohibits compute
	GPUShared               Code = "GPU-SHARED"               // a GPU takes programs that bypass MPS
	GPUExclusive            Code = "GPU-EXCLUSIVE"            // a GPU takes one process only, and MPS is off
	GPUMIG                  Code = "GPU-MIG"                  // a GPU is cut into MIG instances, and MPS is on
	GPUPersistence          Code = "GPU-PERSISTENCE"          // persistence mode is off
	GPUMemoryLimit          Code = "GPU-MEMORY-LIMIT"         // the memory limits are above what a GPU has
	GPUMemoryFree           Code = "GPU-MEMORY-FREE"          // less GPU memory is free than an instance may use
	GPUMPSClients           Code = "GPU-MPS-CLIENTS"          // MPS takes no more clients
	Unchecked               Code = "UNCHECKED"                // something could not be looked at
	UnitMissing             Code = "UNIT-MISSING"             // a unit of the packages cannot be used
	UnitDisabled            Code = "UNIT-DISABLED"            // a unit is not started at boot as justnews.toml says
	UnitShadowed            Code = "UNIT-SHADOWED"            // a unit file hides the one of the packages
	UnitOpened              Code = "UNIT-OPENED"              // a gate that did not pass counts as one that did
	DropInMasks             Code = "DROPIN-MASKS"             // a file hides a drop-in of the generator
	DropInLeftover          Code = "DROPIN-LEFTOVER"          // a drop-in from before is still there
	DropInBroken            Code = "DROPIN-BROKEN"            // systemd drops a part of a drop-in
	GateDouble              Code = "GATE-DOUBLE"              // an instance has two gates
	StartLimit              Code = "START-LIMIT"              // an instance has a start limit
	RestartLoop             Code = "RESTART-LOOP"             // an instance is started again and again
	GeneratorAbsent         Code = "GENERATOR-ABSENT"         // the generator has written nothing
	GeneratorStale          Code = "GENERATOR-STALE"          // what the generator wrote is not what it would write now
	EnvUnreadable           Code = "ENV-UNREADABLE"           // an environment file cannot be read
	EnvSyntax               Code = "ENV-SYNTAX"               // an environment file is lost to one of its readers
	EnvDiffers              Code = "ENV-DIFFERS"              // systemd and a shell read different values
	EnvInterpreter          Code = "ENV-INTERPRETER"          // the interpreter of an environment file is not there
	PortTaken               Code = "PORT-TAKEN"               // another program listens on the port of an instance
	PortSilent              Code = "PORT-SILENT"              // an instance runs and does not listen
	PortFreed               Code = "PORT-FREED"               // a unit was stopped to free its port
	DiskSpace               Code = "DISK-SPACE"               // little disk space is left
	LimitNOFILE             Code = "LIMIT-NOFILE"             // too few open files are allowed
	SwapNone                Code = "SWAP-NONE"                // there is no swap
	TmpNoexec               Code = "TMP-NOEXEC"               // /tmp is mounted noexec
	UserUnknown             Code = "USER-UNKNOWN"             // the user or group of an instance does not exist
	UserOther               Code = "USER-OTHER"               // an instance runs as another user than configured
	ServicePath             Code = "SERVICE-PATH"             // an instance's program or directory is out of its reach
	HomeHidden              Code = "HOME-HIDDEN"              // a path below a home is hidden from an instance
	CacheReadOnly           Code = "CACHE-READONLY"           // a cache of compiled kernels cannot be written
	DatabaseURL             Code = "DATABASE-URL"             // the address of a database is invalid
	DatabaseDown            Code = "DATABASE-DOWN"            // a database does not answer
	BusUnregistered         Code = "BUS-UNREGISTERED"         // the MCP bus does not know the orchestrator
	BusUnreachable          Code = "BUS-UNREACHABLE"          // the MCP bus did not answer
	BusNonsense             Code = "BUS-NONSENSE"             // the bus's answer is invalid
	BusUnit                 Code = "BUS-UNIT"                 // the bus's unit cannot become ready
	BusDegraded             Code = "BUS-DEGRADED"             // the bus says that it is degraded
	BusImpostor             Code = "BUS-IMPOSTOR"             // another process answers instead of the MCP bus
	ServerUnproven          Code = "SERVER-UNPROVEN"          // it could not be proven who answers
	NeedUnmet               Code = "NEED-UNMET"               // something that the instance needs is not there
	NoSystemd               Code = "NO-SYSTEMD"               // systemd cannot be asked
	NoLock                  Code = "NO-LOCK"                  // this run is not excluded from the services' gates
	RecordUnwritten         Code = "RECORD-UNWRITTEN"         // the summary could not be written
	Ungated                 Code = "UNGATED"                  // no gate stands before an instance
	UnitFailed              Code = "UNIT-FAILED"              // an instance has failed
	NeedReload              Code = "NEED-RELOAD"              // systemd has not read the latest files
	Interrupted             Code = "INTERRUPTED"              // the run was ended by a signal
	Hung                    Code = "HUNG"                     // something does not return
	Internal                Code = "INTERNAL"                 // internal error
	Usage                   Code = "USAGE"                    // the command line is wrong
	RecordBroken            Code = "RECORD-BROKEN"            // a file among the summaries is not what a run left
	RecordUnreadable        Code = "RECORD-UNREADABLE"        // summaries of units need root
	RecordMissing           Code = "RECORD-MISSING"           // there is nothing to draw
	MetricsUnwritten        Code = "METRICS-UNWRITTEN"        // the metrics of a run could not be written
	OperatorUser            Code = "OPERATOR-USER"            // no user that an exemption can be given to
	OperatorGroup           Code = "OPERATOR-GROUP"           // the group of the operators is missing
	OperatorRule            Code = "OPERATOR-RULE"            // polkit's rule for the operators is missing or replaced
	OperatorDenied          Code = "OPERATOR-DENIED"          // only root can give or take an exemption
	OperatorTool            Code = "OPERATOR-TOOL"            // a tool of this host is missing or failed
	SudoUnusable            Code = "SUDO-UNUSABLE"            // sudo cannot carry the rule
	SudoUnsafe              Code = "SUDO-UNSAFE"              // others than root could replace the program of the rule
	SudoForeign             Code = "SUDO-FOREIGN"             // the sudo drop-in is of another hand
	SudoRefused             Code = "SUDO-REFUSED"             // visudo finds an error in the configuration of sudo
	SudoIneffective         Code = "SUDO-INEFFECTIVE"         // sudo does not know the rule that was written
	SudoLeftover            Code = "SUDO-LEFTOVER"            // the sudo rule of the old helper is still there
	ImportNothing           Code = "IMPORT-NOTHING"           // nothing shows an instance of JustNews
	ImportUnreadable        Code = "IMPORT-UNREADABLE"        // a file of the old set-up cannot be read
	ImportLeftOut           Code = "IMPORT-LEFT-OUT"          // something of the old set-up was not taken over
	ImportConflict          Code = "IMPORT-CONFLICT"          // the old set-up contradicts itself, or the new gate
	ImportOvercommit        Code = "IMPORT-OVERCOMMIT"        // the MPS limits are more than the GPU has
)

var catalog = []Entry{
	{
		Code: ConfigMissing, Area: "configuration", Status: StatusConfig, MessageID: "f2582aaaff755cea9b4aa14d06a4ce39",
		Title: "there is no justnews.toml",
		Cause: "Neither /etc/justnews nor /run/justnews nor /usr/lib/justnews holds a justnews.toml, so nothing says which instances there are.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "copy /usr/share/doc/justnews/examples/seventeen.toml to /etc/justnews/justnews.toml, and take out what this host does not run", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigEmpty, Area: "configuration", Status: StatusReady, MessageID: "6d0c6b1f6a5d4b0f9d3c2f7e51a8b94e",
		Title: "no instance is configured",
		Cause: "No file of the configuration has an [instances] table, as after the installation: nothing is gated and justnews.target starts nothing.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "copy /usr/share/doc/justnews/examples/seventeen.toml to /etc/justnews/justnews.toml, and take out what this host does not run", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigUnreadable, Area: "configuration", Status: StatusConfig, MessageID: "8e64a67c4c545c139b75b36b8ede20a3",
		Title: "a configuration file cannot be read",
		Cause: "It cannot be opened, is not a regular file, is larger than 1 MiB, or reading it failed.",
		Check: []Command{{"ls", "-l", "/etc/justnews"}, {"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "put a readable regular file there", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigOwner, Area: "configuration", Status: StatusConfig, MessageID: "04c55561f74e523da3b7b8fdea1b388d",
		Title: "another user than root can write the configuration",
		Cause: "A file or directory of the configuration does not belong to root, or its group or others may write to it. Who can write it decides what starts.",
		Check: []Command{{"sh", "-c", "ls -ld /etc/justnews /etc/justnews/*"}},
		Fix:   Fix{Commands: []Command{{"chown", "root:root", "FILE"}, {"chmod", "go-w", "FILE"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigSyntax, Area: "configuration", Status: StatusConfig, MessageID: "2fe12e44dcfc5382add128c8f39c6c8a",
		Title: "a configuration file is not TOML",
		Cause: "A quote, bracket or equals sign is missing, a key stands twice, or a value has no TOML form.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "correct the line that is named", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigUnknownKey, Area: "configuration", Status: StatusConfig, MessageID: "25d6de89893c561989020b5fd0389c26",
		Title: "a key that nobody reads",
		Cause: "The key is misspelt, or stands in the wrong table. It would have no effect, so it is refused rather than ignored.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "correct or remove the key", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigType, Area: "configuration", Status: StatusConfig, MessageID: "1c08ab9e23c056f8886a15b0aee560f1",
		Title: "a value has the wrong type",
		Cause: "For example a string where a number belongs, or one table where several are written.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "write the value in the type that is named", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigValue, Area: "configuration", Status: StatusConfig, MessageID: "a7b02611d2f5549985d1be1dd63e083f",
		Title: "a value is out of range or of the wrong form",
		Cause: "The value has the right type but means nothing here: a port above 65535, a time-out of 0, a relative path.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "write a value as expected", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigString, Area: "configuration", Status: StatusConfig, MessageID: "9b60ff8e8e3858c99bff6afa9fdd64c0",
		Title: "a string holds a character that no unit file may carry",
		Cause: "A control character (a line break included) or a byte that is not UTF-8. It could end the line in a unit file and begin another.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "remove the character", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigReference, Area: "configuration", Status: StatusConfig, MessageID: "4c9332fa8b7f5188b5469dfe9b42da6d",
		Title: "a name that nothing defines",
		Cause: "after, needs, [orchestrator] or [bus] name an instance or a probe that the configuration does not list.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "define the name or correct it", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigConflict, Area: "configuration", Status: StatusConfig, MessageID: "188c9c7027a25418bc881decff1f66f0",
		Title: "two settings contradict each other",
		Cause: "For example two instances on one port, the orchestrator's URL on a port other than its instance's, or MPS limits on an instance whose MPS is off.",
		Check: []Command{{"justnews-gate", "config", "show", "--origin"}},
		Fix:   Fix{Advice: "change one of the two", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigCycle, Area: "configuration", Status: StatusConfig, MessageID: "ce4a8c84af245c1f8789aa0a38d53fcd",
		Title: "instances wait for each other",
		Cause: "The ordering, implicit edges included (every instance starts after the orchestrator, its preload and, where required, the bus), goes in a circle; systemd would break it by dropping a start job.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "remove one after = [ … ] of the circle", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigMemory, Area: "configuration", Status: StatusConfig, MessageID: "21fb2b6b0d7158c2b950047af2d67236",
		Title: "the memory limits exceed the GPU",
		Cause: "The mps.memory limits of all instances together are above gpu.memory.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "lower a limit or state the GPU's true memory", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: InstanceUnknown, Area: "configuration", Status: StatusConfig, MessageID: "5ea9a06c31b257c89e2541a916e17b00",
		Title: "the configuration lists no such instance",
		Cause: "The unit was started by hand, is misspelt, or was removed from justnews.toml. An unlisted instance stays gated and is refused.",
		Check: []Command{{"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "add [instances.NAME] to /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ConfigEnvironment, Area: "configuration", Status: StatusConfig, MessageID: "722892eea6e2502ebd8c7811e5927c73",
		Title: "an environment variable of the gate does not parse",
		Cause: "GATE_TIMEOUT, REQUIRE_BUS or another variable was set in an environment file or a drop-in to something that has no meaning.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}, {"sh", "-c", "cat /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct the variable", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: TimeoutConflict, Area: "configuration", Status: StatusConfig, MessageID: "15fb4a6f4ede5a1bb9d09a8563b16942",
		Title: "GATE_TIMEOUT is longer than systemd lets the gate run",
		Cause: "TimeoutStartSec= of the unit is smaller than GATE_TIMEOUT plus 5 s, so systemd would end the gate first. The gate uses the smaller of the two.",
		Check: []Command{{"systemctl", "show", "-p", "TimeoutStartUSec", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "raise TimeoutStartSec= or lower GATE_TIMEOUT", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MapUnreadable, Area: "configuration", Status: StatusConfig, MessageID: "316a4728a48a59e28e33d944ff512bc6",
		Title: "AGENT_MODEL_MAP cannot be read",
		Cause: "The file that models.map names is missing, not a regular file, too large, or not readable by the user that the gate runs as.",
		Check: []Command{{"ls", "-l", "/etc/justnews/AGENT_MODEL_MAP.json"}},
		Fix:   Fix{Advice: "copy the map there (0644), or set models.map", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: MapInvalid, Area: "configuration", Status: StatusConfig, MessageID: "140343196c3c5ee48bb01300ed982927",
		Title: "AGENT_MODEL_MAP is not a model map",
		Cause: "It is no JSON, names a key twice, or an agent's models have a shape that no orchestrator accepts.",
		Check: []Command{{"python3", "-m", "json.tool", "/etc/justnews/AGENT_MODEL_MAP.json"}},
		Fix:   Fix{Advice: "correct the place that is named", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: MapMissing, Area: "configuration", Status: StatusConfig, MessageID: "fe3d27429988598fa4c2c8b426b4717b",
		Title: "no AGENT_MODEL_MAP at the default path",
		Cause: "Without the map the gate cannot know how many models there should be; it then only checks that there is at least one.",
		Check: []Command{{"ls", "-l", "/etc/justnews/AGENT_MODEL_MAP.json"}},
		Fix:   Fix{Advice: "set models.map = \"/path/to/AGENT_MODEL_MAP.json\" in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GeneratorTimeout, Area: "units and drop-ins", Status: StatusConfig, MessageID: "53b4582b9ba25ac685a20cf2d804f232",
		Title: "the generator reached its own time limit",
		Cause: "Reading the configuration took longer than 5 s: a hanging file system, or a machine under extreme load. Every instance is gated shut.",
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
		Title: "a value cannot stand in a unit file",
		Cause: "The value holds something that systemd would misread, so it is not written.",
		Check: []Command{{"justnews-gate", "config", "check"}},
		Fix:   Fix{Advice: "change the value", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitStale, Area: "units and drop-ins", Status: StatusConfig, MessageID: "6af0941e45efc2a23b5e1b3189ee8fbe",
		Title: "a unit is made from another configuration",
		Cause: "The configuration or the program changed since the last daemon-reload: systemd would start the instance with the settings from before. Once it is reloaded, the instance comes up.",
		Check: []Command{{"/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"}, {"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitUnmarked, Area: "units and drop-ins", Status: StatusConfig, MessageID: "6099087c55fdfff77d6ae131e2c36031",
		Title: "a unit is not what the configuration asks for",
		Cause: "The generator failed, was ended or is missing, so that the unit has neither the user nor the limits of justnews.toml; or a file of the same name hides one of its drop-ins; or systemd cannot be asked.",
		Check: []Command{{"journalctl", "-b", "-t", "justnews-generator"}, {"/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"}, {"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "put right what the generator says", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GateOff, Area: "units and drop-ins", Status: StatusReady, MessageID: "3c8b14b2745358d1acb4ff9c9aba6ace",
		Title: "the gate is switched off on the kernel command line",
		Cause: "justnews.gate=off was given at boot. Every gate passes unchecked until the next boot without it.",
		Check: []Command{{"cat", "/proc/cmdline"}},
		Fix:   Fix{Advice: "remove justnews.gate=off from the kernel command line and boot again"},
	},
	{
		Code: StatusOpens, Area: "units and drop-ins", Status: StatusInternal, MessageID: "1a27c62eb5a45dde8eae9d8804314aed",
		Title: "a refusal would count as success",
		Cause: "SuccessExitStatus= of the unit lists the exit status of this refusal, and systemd would start the service. The gate exits with another status instead, or is ended by a signal where every status is listed or systemd could not be asked.",
		Check: []Command{{"systemctl", "show", "-p", "SuccessExitStatus", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the status from SuccessExitStatus=", Look: []Command{{"systemctl", "edit", "justnews@INSTANCE.service"}}, Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSMissing, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "855a574bc2b146019b01bcac9b33d098",
		Title: "NVIDIA MPS is not installed",
		Cause: "There is no executable /usr/bin/nvidia-cuda-mps-control. The driver's compute package brings it (Debian: nvidia-cuda-mps).",
		Check: []Command{{"ls", "-l", "/usr/bin/nvidia-cuda-mps-control"}, {"systemctl", "status", "justnews-mps.service"}},
		Fix:   Fix{Advice: "install NVIDIA MPS of the driver's version", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSUnit, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "8dfee076d34749b889a5f673b1309904",
		Title: "the unit of NVIDIA MPS cannot become active",
		Cause: "It is missing, masked, failed, over its start limit, or was skipped because a condition did not hold. A skipped unit is no failure for systemd: its start job is \"done\", and nothing runs.",
		Check: []Command{{"systemctl", "status", "justnews-mps.service"}, {"journalctl", "-b", "-u", "justnews-mps.service"}},
		Fix:   Fix{Advice: "fix what its log names", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSDenied, Area: "NVIDIA MPS", Status: StatusPermission, MessageID: "42517a558a6a4609a513abdb5532979e",
		Title: "the gate may not start NVIDIA MPS",
		Cause: "The D-Bus service org.justnews.MPS1 starts justnews-mps.service for members of the groups justnews and justnews-operators, and for nobody else. Without that service, systemd asks polkit, which lets operators alone do it. Another unit in mps.unit is not started by the service.",
		Check: []Command{{"id", "USER"}, {"systemctl", "status", "justnews-mps-start.service"}, {"ls", "-l", "/usr/share/dbus-1/system.d/org.justnews.MPS1.conf"}},
		Fix:   Fix{Commands: []Command{{"usermod", "-aG", "justnews", "USER"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSDeadlock, Area: "NVIDIA MPS", Status: StatusConfig, MessageID: "3a33e76d98f64c0b820d2989f6865c9c",
		Title: "the unit of MPS waits for the instance that starts it",
		Cause: "By After=, Before= or Conflicts= of some drop-in. systemd would start the one only after the other, and the gate would wait for itself.",
		Check: []Command{{"systemctl", "show", "-p", "After,Before,Conflicts", "justnews-mps.service", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the ordering that is named", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSDead, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "7f57878e4d6441c68c8a065a08b71ca0",
		Title: "no MPS control daemon lives",
		Cause: "Nobody holds the lock in the pipe directory. The directory and its sockets outlive the daemon and prove nothing; a program that finds no daemon runs without MPS and without its limits.",
		Check: []Command{{"justnews-gate", "mps", "status"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "start", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSElsewhere, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "3815837f45cc44939e40ab4fb5f1cabe",
		Title: "an MPS daemon runs with another pipe directory",
		Cause: "Somebody started one by hand (nvidia-cuda-mps-control -d uses /tmp/nvidia-mps), or the environment of the instance and the configuration name two directories. A program finds only the daemon of its own CUDA_MPS_PIPE_DIRECTORY.",
		Check: []Command{{"justnews-gate", "mps", "status"}},
		Fix:   Fix{Advice: "or set mps.pipe_directory to the directory of the other daemon", Commands: []Command{{"sh", "-c", "echo quit | CUDA_MPS_PIPE_DIRECTORY=\"$1\" nvidia-cuda-mps-control", "sh", "DIRECTORY"}, {"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSSplit, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "1d419447183d4b27a2f4a0b88860baa9",
		Title: "the MPS daemon has lost its pipe directory",
		Cause: "The directory or its sockets were deleted under a live daemon (cleaning of /tmp does that), so that nobody finds it; a second daemon that was then started shares the GPU with it unseen.",
		Check: []Command{{"justnews-gate", "mps", "status"}},
		Fix:   Fix{Commands: []Command{{"pkill", "-KILL", "-f", "[n]vidia-cuda-mps-control"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSStray, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "4fac63404e29411e9d54e202bfbfcba3",
		Title: "the MPS control daemon is not the unit's",
		Cause: "Another process was first in the pipe directory: a daemon that somebody started by hand, or of another unit. The unit's own cannot start beside it (\"An instance of this daemon is already running\").",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"systemctl", "status", "PID"}},
		Fix:   Fix{Advice: "stop the daemon that is named", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSDirectory, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "74e974dfc45740b78534a3d61d117272",
		Title: "the pipe directory of MPS cannot be reached",
		Cause: "The directory or one above it has no search permission for the user, or is no directory. Sockets in it are open to all, so that 0755 is enough.",
		Check: []Command{{"namei", "-l", "/run/nvidia-mps"}},
		Fix:   Fix{Commands: []Command{{"chmod", "0755", "DIRECTORY"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSUser, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "4f4c6994eb674f0c8272e960da9816e8",
		Title: "the MPS control daemon is another user's",
		Cause: "A daemon serves clients of its own user, and root's one user at a time: clients of another user wait without a message.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"systemctl", "show", "-p", "User", "justnews-mps.service"}},
		Fix:   Fix{Advice: "give the daemon and all instances with MPS one service.user", Commands: []Command{{"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSWedged, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "9354967abbfa4f9fb0c50e36f133b118",
		Title: "the MPS control daemon does not answer",
		Cause: "It lives, but is stopped (state T) or hangs in the driver. A client would wait for ever.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"ps", "-o", "pid,stat,wchan:32,cmd", "-C", "nvidia-cuda-mps"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "kill", "-s", "SIGKILL", "justnews-mps.service"}, {"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSBusy, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "65923b33878840bf91360618c6c58278",
		Title: "another console keeps the MPS daemon busy",
		Cause: "The daemon talks to one console at a time, and breaks the others off. An open interactive nvidia-cuda-mps-control is enough.",
		Check: []Command{{"justnews-gate", "mps", "status"}, {"pgrep", "-af", "nvidia-cuda-mps-control"}},
		Fix:   Fix{Advice: "end the console that is named (quit it with ^D)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: MPSEmpty, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "3c387bd4cb3841a0863a441c66528961",
		Title: "the MPS control daemon answers with nothing",
		Cause: "The console ends with status 0 and prints nothing: the answer was lost to another console, or the daemon dropped the connection. That is no answer.",
		Check: []Command{{"sh", "-c", "echo get_default_active_thread_percentage | CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control"}},
		Fix:   Fix{Advice: "end other consoles of nvidia-cuda-mps-control", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSNonsense, Area: "NVIDIA MPS", Status: StatusNonsense, MessageID: "1982accf6428458b8d87b7ce34b30ea1",
		Title: "the MPS daemon answers with something else",
		Cause: "What it printed is not what the control daemons of drivers 535 to 580 print; a newer driver may have another command language.",
		Check: []Command{{"sh", "-c", "echo get_default_active_thread_percentage | CUDA_MPS_PIPE_DIRECTORY=/run/nvidia-mps nvidia-cuda-mps-control"}},
		Fix:   Fix{Advice: "install matching versions of the driver and MPS", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSLibrary, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "06d92c7ab6fb4b87a399bbdb53485e14",
		Title: "NVIDIA MPS does not find libcuda",
		Cause: "The control program of newer drivers (580) ends with status 244 and no word without libcuda.so.1.",
		Check: []Command{{"sh", "-c", "ldconfig -p | grep libcuda.so.1"}},
		Fix:   Fix{Advice: "install the driver's libcuda", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSServer, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "0aec04d1aff3460dbba5981e5e5a1dc2",
		Title: "no MPS server is active for the user",
		Cause: "The control daemon answers, but its server did not start or is in the state FAULT: no GPU, a driver and libraries of two versions, MIG, a compute mode that forbids it, or the server of another user.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews-mps.service"}, {"justnews-gate", "mps", "status"}},
		Fix:   Fix{Advice: "fix what the log of MPS names", Commands: []Command{{"systemctl", "reset-failed", "justnews-mps.service"}, {"systemctl", "restart", "justnews-mps.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MPSLimit, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "f8c574250b9b4ad3af7d321f41fe7e0a",
		Title: "an MPS limit is not what is configured",
		Cause: "An environment file or drop-in of the instance sets another limit, or the daemon did not take its default. Without its limit one instance can take the memory of all.",
		Check: []Command{{"justnews-gate", "config", "show", "--origin"}, {"systemctl", "show", "-p", "Environment", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove CUDA_MPS_PINNED_DEVICE_MEM_LIMIT and CUDA_MPS_ACTIVE_THREAD_PERCENTAGE from files and drop-ins and set mps.memory and mps.threads", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSEnvironment, Area: "NVIDIA MPS", Status: StatusGPU, MessageID: "e26dc975fc59489ba7df853a64c8bbd6",
		Title: "the instance's unit keeps it from MPS",
		Cause: "Its CUDA_MPS_PIPE_DIRECTORY is missing or another one, CUDA_VISIBLE_DEVICES renumbers the devices that the limits name, or its sandbox hides the pipe directory (PrivateTmp=) or the GPU (PrivateDevices=, DevicePolicy=). A program that cannot reach MPS does not fail: it runs without.",
		Check: []Command{{"systemctl", "show", "-p", "Environment,PrivateTmp,PrivateDevices,DevicePolicy,DeviceAllow,BindPaths", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the setting that is named", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: MPSOpinion, Area: "NVIDIA MPS", Status: StatusReady, MessageID: "0169e85166cc414aa940d5ed3d2dae66",
		Title: "the orchestrator sees MPS otherwise",
		Cause: "Its /gpu/info looks for a directory and a process name, which proves neither that MPS runs nor that it does not; newer servers answer 500 there, and only their /metrics has a value. What the gate has proven counts.",
		Check: []Command{{"curl", "-s", "http://127.0.0.1:8014/gpu/info"}, {"justnews-gate", "mps", "status"}},
		Fix:   Fix{Advice: "nothing to do where the status of MPS is good, else fix what it names"},
	},
	{
		Code: OrchestratorUnit, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "e5566a526bdc5b96b42bac3ea7ca7a89",
		Title: "the orchestrator's unit cannot become ready",
		Cause: "The unit is missing, masked or failed; waiting for it would be in vain.",
		Check: []Command{{"systemctl", "status", "justnews@gpu_orchestrator.service"}, {"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Advice: "fix what its own log names", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorUnreachable, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "75f4537181e551beb0fadc855a0bfa17",
		Title: "the GPU Orchestrator did not answer",
		Cause: "Nothing listens on its port, or it closes connections, or it answers errors only. It also keeps its port closed while it waits for the bus.",
		Check: []Command{{"systemctl", "status", "justnews@gpu_orchestrator.service"}, {"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorNonsense, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "aacf7c1e1f5b5071b178b61b0cdfa7a7",
		Title: "the orchestrator's answer is invalid",
		Cause: "Another program listens on its port, a proxy answers in its place, or its version is not one that this gate knows.",
		Check: []Command{{"justnews-gate", "status", "-v"}},
		Fix:   Fix{Advice: "make sure that the GPU Orchestrator serves that port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorNotReady, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "28c70e86579b5a0486bd6f289853c41e",
		Title: "the orchestrator says that it is not ready",
		Cause: "GET /ready answered false until the deadline: its start-up never finished.",
		Check: []Command{{"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorImpostor, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "5d268d5b2ac55d6983d22caa9833c89f",
		Title: "another process answers instead of the orchestrator",
		Cause: "Port 8014 needs no privilege: any process can listen there first. The socket that answered does not belong to the unit that orchestrator.instance names, be it another user's, another unit's or another host's.",
		Check: []Command{{"ss", "-ltnpe"}},
		Fix:   Fix{Advice: "stop the process that holds the port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorDryRun, Area: "orchestrator and models", Status: StatusFailed, MessageID: "a3a298ef6d1d5d32b8be22d41fbd6da1",
		Title: "the orchestrator loads nothing, on purpose",
		Cause: "DRY_RUN or MODEL_STORE_DRY_RUN is set for its unit, in a file of EnvironmentFile= or in the running process: it reports every model as loaded without loading it. Where the process belongs to another user, the preload vouches for it.",
		Check: []Command{{"systemctl", "cat", "justnews@gpu_orchestrator.service"}, {"sh", "-c", "grep DRY_RUN /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "remove the variable", Commands: []Command{{"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorSafeMode, Area: "orchestrator and models", Status: StatusReady, MessageID: "23649a98dd805f72a42dfffb81788904",
		Title: "safe mode: the models were not checked",
		Cause: "The orchestrator says safe_mode, and orchestrator.honor_safe_mode = true makes the gate skip the preload.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "end safe mode, or set honor_safe_mode = false", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: OrchestratorRemote, Area: "orchestrator and models", Status: StatusReady, MessageID: "cbdea7b386b153209eef9ddb78637c71",
		Title: "the orchestrator's URL is not on this host",
		Cause: "Requests leave this machine unencrypted, and nothing proves who answers.",
		Check: []Command{{"justnews-gate", "config", "show", "--origin"}},
		Fix:   Fix{Advice: "name its instance in orchestrator.instance if it runs on this host"},
	},
	{
		Code: ModelFailed, Area: "orchestrator and models", Status: StatusFailed, MessageID: "e1897ff112a554a18485b0bc33802d40",
		Title: "a model did not load",
		Cause: "The orchestrator reports an error for it: a missing snapshot, a wrong key or id in AGENT_MODEL_MAP, a permission, memory, or MPS.",
		Check: []Command{{"justnews-gate", "status"}, {"journalctl", "-u", "justnews@gpu_orchestrator.service", "-e"}},
		Fix:   Fix{Advice: "fix the model as the hint says", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelsTimeout, Area: "orchestrator and models", Status: StatusTimeout, MessageID: "67c56d45fcf452488a4f370b3a042fdc",
		Title: "the models were still loading at the deadline",
		Cause: "The preload goes on, only slower than GATE_TIMEOUT allows.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "raise gate.timeout in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ModelsIncomplete, Area: "orchestrator and models", Status: StatusFailed, MessageID: "4ec2201523e052a597de7f67b70fc190",
		Title: "the orchestrator loaded fewer models than it should",
		Cause: "Its job ended without errors but over fewer models than AGENT_MODEL_MAP lists, or over none: its own map is missing, empty or another one.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "give the orchestrator the same AGENT_MODEL_MAP.json", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelsInconsistent, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "231a2111ca3c5e4593685ae8dba4ec2a",
		Title: "the orchestrator's account contradicts itself",
		Cause: "Two preloads ran at once, or two worker processes answer with two states.",
		Check: []Command{{"justnews-gate", "status", "-v"}},
		Fix:   Fix{Advice: "run the orchestrator with one worker", Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: PreloadRefused, Area: "orchestrator and models", Status: StatusNonsense, MessageID: "626fb2e3e40b5a8186a9afe42b82531e",
		Title: "the orchestrator refused to preload",
		Cause: "POST /models/preload was answered with an error that has no state: another version, another program, or an authentication in between.",
		Check: []Command{{"justnews-gate", "preload", "--refresh", "-v"}},
		Fix:   Fix{Advice: "make sure that the GPU Orchestrator serves that port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: PreloadTimeout, Area: "orchestrator and models", Status: StatusTimeout, MessageID: "b3b75d1cd67a5c7faec4a42bfd18ceee",
		Title: "no preload had begun at the deadline",
		Cause: "The orchestrator answered, but its preload did not begin within GATE_TIMEOUT.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreRoot, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "005b827bbaeb3457b895ec4ed932cc47",
		Title: "the Model Store is not there",
		Cause: "MODEL_STORE_ROOT names a directory that does not exist, is no directory, or is hidden from the service by ProtectHome=.",
		Check: []Command{{"ls", "-ld", "/opt/justnews/models"}, {"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "copy the Model Store there or correct models.root", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: StoreMount, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "c5a1f7d20f5e4b0e9a3ce6b8417d2f96",
		Title: "the Model Store lies on a mount that is not active",
		Cause: "A mount unit or /etc/fstab names a mount on the way to the store or to its map, and it did not become active: its device or server is missing, or nothing mounts it (noauto).",
		Check: []Command{{"systemctl", "status", "*.mount"}, {"findmnt", "--fstab", "--verify"}, {"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "make its device or server available, or start the mount unit: the gates open by themselves"},
	},
	{
		Code: StoreAgent, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "8bf34940ab583d7c381d20b32ba10b19",
		Title: "the Model Store has nothing for an agent",
		Cause: "Its directory below MODEL_STORE_ROOT is missing: the store was copied without it, or the agent is new in AGENT_MODEL_MAP.",
		Check: []Command{{"ls", "/opt/justnews/models"}, {"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "copy the agent's directory into the store", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreVersion, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "72ff0b95891bd54a7898475b08978033",
		Title: "an agent's current version is not there",
		Cause: "The link current is missing or leads nowhere or out of the store, or the version that AGENT_MODEL_MAP names was never copied. A current that is a directory works, but cannot be replaced at once.",
		Check: []Command{{"ls", "-l", "/opt/justnews/models/AGENT", "/opt/justnews/models/AGENT/versions"}},
		Fix:   Fix{Advice: "point current at a whole version", Commands: []Command{{"ln", "-sfn", "versions/VERSION", "AGENT/current"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: StoreStaged, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "e6d459fcb1c8709266d68ab95f4fbee0",
		Title: "a version was copied only in part",
		Cause: "A copy or a download ended early: versions/VERSION.tmp was never finalized, or a blob is still called .incomplete.",
		Check: []Command{{"ls", "-l", "/opt/justnews/models/AGENT/versions"}},
		Fix:   Fix{Advice: "copy the version again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreSnapshot, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "baedd207e4163a6ef275d9a29205b369",
		Title: "a model has no snapshot that could load",
		Cause: "The directory models--ORG--NAME, its snapshots or the config.json in them are missing: the model was never copied into this version.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the snapshot there", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreFile, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "f8acd22041e9b13d1e865abb0344f54a",
		Title: "a file of a model is missing",
		Cause: "The index of its weights or the seal of its version lists a file that is not there, or a model has no weights at all.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the snapshot again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreLink, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "f1e9cfb3cc691027996526cae637595f",
		Title: "a link in the Model Store leads nowhere",
		Cause: "The Hugging Face cache keeps contents in blobs and links to them. Whoever copies the links without the blobs, or makes them absolute, breaks them; one that leads out of the store is not part of what is copied and verified.",
		Check: []Command{{"find", "/opt/justnews/models", "-xtype", "l"}},
		Fix:   Fix{Advice: "copy the model again with its blobs (rsync -a)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StorePointer, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "b30f40f602b7628a1bdff51f9adffc4b",
		Title: "a git-lfs pointer stands for a file",
		Cause: "The repository was cloned without git-lfs: a few lines of text stand where the weights belong.",
		Check: []Command{{"grep", "-rlI", "git-lfs.github.com/spec", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "fetch the content (git lfs pull) and copy the snapshot again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreEmpty, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "0c844f68544b4cef4d255b4ad0415d21",
		Title: "a file of a model has no bytes",
		Cause: "The disk was full, or a copy ended, before its content was written.",
		Check: []Command{{"find", "/opt/justnews/models", "-type", "f", "-empty"}, {"df", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "copy the snapshot again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreAdapter, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "5540e644f959894509d9c34f487f235e",
		Title: "an adapter is not in the Model Store",
		Cause: "adapter_model_store_path of AGENT_MODEL_MAP names a directory that is not there. Under STRICT the orchestrator does not load the model without it.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the adapter there", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreBase, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "00c4a32a9ec29ecbd0a391930ffce650",
		Title: "an adapter has no base model",
		Cause: "The base_ref of its entry is not defined in base_models, or the store does not hold that base model.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "define the base model or copy it into the store", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreCorrupt, Area: "Model Store", Status: StatusStoreCorrupt, MessageID: "bfd07c7a1d60837ff7385cd11678f287",
		Title: "a file of the Model Store is corrupt",
		Cause: "Its content is not the one that was manifested, or it does not parse: a copy that ended early, a failing disk, or an edit in place.",
		Check: []Command{{"justnews-gate", "models", "verify", "--deep", "AGENT"}},
		Fix:   Fix{Advice: "copy the version again from where it is whole", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreRead, Area: "Model Store", Status: StatusStoreCorrupt, MessageID: "ad76d72a32e283cd182aad4c3530bb1a",
		Title: "the disk does not give a file's content",
		Cause: "Reading failed, and not for a permission: a failing disk or a file system that went away.",
		Check: []Command{{"journalctl", "-k", "-e"}},
		Fix:   Fix{Advice: "fix the disk or copy the version to another one", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreManifest, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "a192eec8610ad540181cf795f286e7fe",
		Title: "a version has nothing to be compared with",
		Cause: "manifest.json is missing or has no checksum, and the version is not sealed. Whether it is whole cannot be known.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "if you trust the version as it is, seal it", Commands: []Command{{"justnews-gate", "models", "seal", "AGENT"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: StoreUnverified, Area: "Model Store", Status: StatusStoreIncomplete, MessageID: "f1a5c81e338e5efeb155d7ea8c4687cb",
		Title: "it cannot be told whether a version is right",
		Cause: "Upstream sums directories in the order in which the file system lists them; after a copy to another one the same files have another checksum, and too many orders are possible to try them all. This is not a sign of damage.",
		Check: []Command{{"justnews-gate", "models", "verify", "--deep", "AGENT"}},
		Fix:   Fix{Advice: "if you trust the version as it is, seal it", Commands: []Command{{"justnews-gate", "models", "seal", "AGENT"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: StorePermission, Area: "Model Store", Status: StatusPermission, MessageID: "82f7c0a0f322716e10ceb0de14d10f75",
		Title: "the orchestrator's user cannot read the Model Store",
		Cause: "A file is not readable, or a directory above it cannot be searched, for the user who loads the models.",
		Check: []Command{{"namei", "-l", "PATH"}, {"sudo", "-u", "justnews", "ls", "-l", "PATH"}},
		Fix:   Fix{Advice: "let the user in where the hint says", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: StoreSpace, Area: "Model Store", Status: StatusReady, MessageID: "ecfabe72adf322cb6f1ff2ba70fcce0d",
		Title: "there is no room for the next version",
		Cause: "Less is free on the Model Store's file system than its largest version takes, so that a new version cannot be copied beside the old one.",
		Check: []Command{{"df", "-h", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "remove versions that no current points at"},
	},
	{
		Code: StoreTimeout, Area: "Model Store", Status: StatusTimeout, MessageID: "315b55d5f7e879bbaf3fd22890c790b8",
		Title: "the Model Store was still being hashed at the deadline",
		Cause: "The store is larger than what can be read within GATE_TIMEOUT. What was hashed is remembered: the next run goes on from there.",
		Check: []Command{{"justnews-gate", "models", "verify"}},
		Fix:   Fix{Advice: "raise gate.timeout in /etc/justnews/justnews.toml or verify the store once: what was hashed is remembered", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: StoreEnvironment, Area: "Model Store", Status: StatusConfig, MessageID: "3f086f5fd09c3df60cdfc4378a621854",
		Title: "the orchestrator has another store, or may download",
		Cause: "models.strict is on, but the running orchestrator's environment lacks STRICT_MODEL_STORE, HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE, or has another MODEL_STORE_ROOT: a drop-in or an environment file overrules the generator, or the unit was not restarted since.",
		Check: []Command{{"systemctl", "show", "-p", "Environment", "justnews@gpu_orchestrator.service"}, {"sh", "-c", "grep -E 'STRICT|OFFLINE|MODEL_STORE' /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "remove what overrules it", Commands: []Command{{"systemctl", "daemon-reload"}, {"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: MapName, Area: "configuration", Status: StatusConfig, MessageID: "50cc8873c5e8cf24431ff69653096650",
		Title: "AGENT_MODEL_MAP and the store differ in a name",
		Cause: "The map lists an agent or a model that the store does not hold, while the store holds one of nearly the same name that the map does not list: a misspelt key or id.",
		Check: []Command{{"justnews-gate", "models", "verify"}, {"ls", "/opt/justnews/models"}},
		Fix:   Fix{Advice: "correct the name in AGENT_MODEL_MAP.json", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelDownload, Area: "orchestrator and models", Status: StatusStoreIncomplete, MessageID: "5b94a3ab6c4cb7782c6f7c8dcf9cc5d8",
		Title: "the orchestrator tried to download a model",
		Cause: "Under STRICT_MODEL_STORE nothing is downloaded; the model's files were not found in the store, so that the library asked the hub, in vain.",
		Check: []Command{{"justnews-gate", "models", "verify", "AGENT"}},
		Fix:   Fix{Advice: "copy the complete snapshot into the Model Store", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ModelMemory, Area: "orchestrator and models", Status: StatusFailed, MessageID: "9e34555656972032b9a0e6a01ef191fd",
		Title: "memory ran out while a model was loaded",
		Cause: "The machine, the unit's MemoryMax= or a resource limit left the orchestrator too little memory for the model.",
		Check: []Command{{"free", "-h"}, {"systemctl", "show", "-p", "MemoryMax", "-p", "MemoryPeak", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "free memory, add swap, raise service.memory_max or load fewer models", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: OrchestratorKill, Area: "orchestrator and models", Status: StatusUnavailable, MessageID: "372353fc010108858b4647aa9a7949ec",
		Title: "the orchestrator was killed for memory",
		Cause: "The kernel or systemd-oomd ended it while it loaded models: it needs more memory than the machine or its MemoryMax= has.",
		Check: []Command{{"journalctl", "-k", "-g", "out of memory", "-e"}, {"systemctl", "status", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "add swap, raise service.memory_max or load fewer models", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUUnknown, Area: "GPUs", Status: StatusGPU, MessageID: "21401aa13b34ed5f50e1c18a30642fa1",
		Title: "the GPU could not be looked at",
		Cause: "The run ended before the driver answered, or this program was put together without its GPU probe. Nothing is known to be wrong with the GPU.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "give the gate more time (gate.timeout)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperMissing, Area: "GPUs", Status: StatusGPU, MessageID: "a21eb8c12bc16df4e873be64741dca69",
		Title: "the GPU helper is not installed",
		Cause: "/usr/libexec/justnews/justnews-nvml, the one program here that loads NVIDIA's library, is not there. A build without a C compiler leaves it out.",
		Check: []Command{{"ls", "-l", "/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install the package justnews again (from source: make, with gcc)", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperUnusable, Area: "GPUs", Status: StatusGPU, MessageID: "dea6934fc1b196ebf1c9ba6c6fe8a1e6",
		Title: "the GPU helper cannot be executed",
		Cause: "It is not executable for this user, lies on a file system that is mounted noexec, was built for another machine, or its dynamic loader is missing (it needs glibc 2.34 or newer).",
		Check: []Command{{"ls", "-l", "/usr/libexec/justnews/justnews-nvml"}, {"file", "/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install the package justnews for this machine again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperLoader, Area: "GPUs", Status: StatusGPU, MessageID: "7c48230eac498b3ab6e9a455a43394b7",
		Title: "the dynamic loader refuses the GPU helper",
		Cause: "A library that it needs is missing or too old: glibc 2.34 or newer is needed.",
		Check: []Command{{"ldd", "/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install the package justnews for this distribution", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperSymbol, Area: "GPUs", Status: StatusGPU, MessageID: "2ae18b1ec7d0264c27c4e806fec034f5",
		Title: "the driver's library lacks a needed function",
		Cause: "libnvidia-ml.so.1 is older than every driver that is supported, or is another library of that name; or the helper was linked so that it binds all functions at its start, as some compilers do unless told -z lazy. A function that only one fact needs is never called where it is missing.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install a driver of a supported branch and reboot, or build the helper with make", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperCrashed, Area: "GPUs", Status: StatusGPU, MessageID: "b0c721cdc2925b762cb31997a47d36aa",
		Title: "the GPU helper crashed",
		Cause: "NVIDIA's library faulted while it was asked: library and kernel module do not fit, the driver is broken, or the GPU has failed.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "reboot, and if it comes again, install the driver anew", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperHung, Area: "GPUs", Status: StatusGPU, MessageID: "7ebb955182f24c2016596e9e60123a32",
		Title: "the GPU driver does not answer",
		Cause: "NVML did not return within the time limit. The driver hangs, often after a GPU has fallen off the bus (Xid 79), or it initialises its GPUs anew for every caller.",
		Check: []Command{{"timeout", "60", "nvidia-smi"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "if the kernel's log shows an Xid, reboot", Commands: []Command{{"systemctl", "enable", "--now", "nvidia-persistenced.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperNonsense, Area: "GPUs", Status: StatusGPU, MessageID: "c8c401df0ad17784b764832936cbc153",
		Title: "the GPU helper's answer is invalid",
		Cause: "Another program stands at its path, it is of another version than the gate, or it failed in a way that it does not know.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "install the package justnews again", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUHelperNoCgo, Area: "GPUs", Status: StatusGPU, MessageID: "bddf1bb6815998377e90750fdf55cc66",
		Title: "the GPU helper was built without cgo",
		Cause: "Only a build with a C compiler can load NVIDIA's library.",
		Check: []Command{{"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "build it with make on a machine that has gcc, or install the package", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPULibraryMissing, Area: "GPUs", Status: StatusGPU, MessageID: "b31fbbf9a18987c7aeb061019e259cef",
		Title: "NVIDIA's management library is not there",
		Cause: "libnvidia-ml.so.1 comes with the driver; it is not installed, or the dynamic loader does not find it.",
		Check: []Command{{"sh", "-c", "ldconfig -p | grep libnvidia-ml"}},
		Fix:   Fix{Advice: "install the driver's libraries (Debian: the package libnvidia-ml1)", Commands: []Command{{"ldconfig"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUDriverNotLoaded, Area: "GPUs", Status: StatusGPU, MessageID: "f703116f6f443c4d21ba022b33834ae4",
		Title: "the NVIDIA driver is not loaded",
		Cause: "The kernel module nvidia is not loaded, or its device nodes are missing. The gate waits a while for it, since a boot may load it late.",
		Check: []Command{{"sh", "-c", "lsmod | grep ^nvidia"}, {"cat", "/proc/driver/nvidia/version"}, {"sh", "-c", "ls -l /dev/nvidia*"}, {"journalctl", "-k", "-g", "NVRM|nvidia"}},
		Fix:   Fix{Advice: "if the module cannot be loaded, fix what the kernel's log names (often a kernel for which no module was built)", Commands: []Command{{"modprobe", "nvidia"}, {"nvidia-modprobe", "-c=0"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUDriverMismatch, Area: "GPUs", Status: StatusGPU, MessageID: "3cde06cb95ec186677a738ced9e0998d",
		Title: "NVIDIA's library and kernel module differ",
		Cause: "The driver was upgraded while the old module stayed loaded; every CUDA program fails until the module is loaded anew.",
		Check: []Command{{"cat", "/proc/driver/nvidia/version"}, {"/usr/libexec/justnews/justnews-nvml"}},
		Fix:   Fix{Advice: "reboot, or stop everything that uses the GPU and load the module anew", Commands: []Command{{"systemctl", "stop", "justnews.target"}, {"modprobe", "-r", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"}, {"modprobe", "nvidia"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUPermission, Area: "GPUs", Status: StatusGPU, MessageID: "37b2a45000c884e925cfd3e51b1336ce",
		Title: "the GPU's driver is closed to this user",
		Cause: "The device nodes /dev/nvidia* are not open to the service's user, or the unit's DevicePolicy= or PrivateDevices= shuts them out.",
		Check: []Command{{"sh", "-c", "ls -l /dev/nvidia*"}, {"systemctl", "show", "-p", "DevicePolicy,DeviceAllow,PrivateDevices,User", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "let the user in (the driver's NVreg_DeviceFileMode=, or the group of the nodes) and keep DeviceAllow=char-nvidia* rw in the unit", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUFailed, Area: "GPUs", Status: StatusGPU, MessageID: "9a75ae2afec47e291984911f471fdcc6",
		Title: "the NVIDIA driver answers with an error",
		Cause: "NVML's error is in the message: a GPU that is lost or needs a reset, a driver that is out of memory, or one that is broken.",
		Check: []Command{{"nvidia-smi"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "reboot where a reset of the GPU does not help", Commands: []Command{{"nvidia-smi", "--gpu-reset"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUNone, Area: "GPUs", Status: StatusGPU, MessageID: "55b6d56d61517b8a1cc745d241b2b31f",
		Title: "the driver finds no GPU",
		Cause: "The driver runs, but no GPU is bound to it: none is built in, it belongs to another driver (nouveau, vfio-pci), or it has fallen off the bus.",
		Check: []Command{{"lspci", "-nnk", "-d", "10de:"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "bind the GPU to the driver nvidia, or reboot", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GPUCount, Area: "GPUs", Status: StatusGPU, MessageID: "3e5cb975e271d7174a0ef061d1cb68e6",
		Title: "there are fewer GPUs than the configuration needs",
		Cause: "gpu.min_count is above what NVML counts: a GPU is missing, lost, or bound to another driver.",
		Check: []Command{{"nvidia-smi", "-L"}, {"lspci", "-nnk", "-d", "10de:"}, {"journalctl", "-k", "-g", "NVRM|Xid"}},
		Fix:   Fix{Advice: "bring the missing GPU back, or lower gpu.min_count in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUUVMMissing, Area: "GPUs", Status: StatusGPU, MessageID: "ce8904396c254c3877dd937eec377a5b",
		Title: "/dev/nvidia-uvm is missing or of no use",
		Cause: "No CUDA program starts without it: it is not there, or the module nvidia_uvm behind it is not loaded. The setuid nvidia-modprobe, which CUDA runs to make it, cannot do so under NoNewPrivileges=, which the units set.",
		Check: []Command{{"ls", "-l", "/dev/nvidia-uvm"}, {"sh", "-c", "lsmod | grep nvidia_uvm"}},
		Fix:   Fix{Advice: "for every boot, use nvidia-persistenced or the driver's udev rules", Commands: []Command{{"nvidia-modprobe", "-u", "-c=0"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUProhibited, Area: "GPUs", Status: StatusGPU, MessageID: "7dfbcda9642979bba003606c3628b99c",
		Title: "a GPU prohibits compute",
		Cause: "Its compute mode is PROHIBITED: no CUDA program can use it.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "COMPUTE"}},
		Fix:   Fix{Advice: "without MPS the mode is DEFAULT", Commands: []Command{{"nvidia-smi", "-i", "UUID", "-c", "EXCLUSIVE_PROCESS"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUShared, Area: "GPUs", Status: StatusReady, MessageID: "a385de741d27256261bfbea9a989184a",
		Title: "a GPU takes programs that bypass MPS",
		Cause: "Its compute mode is DEFAULT. A CUDA program that cannot reach MPS then runs without it, its limits silently ignored; under EXCLUSIVE_PROCESS it fails loudly instead. The gate recommends it and never sets it.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "COMPUTE"}},
		Fix:   Fix{Commands: []Command{{"nvidia-smi", "-i", "UUID", "-c", "EXCLUSIVE_PROCESS"}}},
	},
	{
		Code: GPUExclusive, Area: "GPUs", Status: StatusReady, MessageID: "2f33ccba134ef7ad6ff789116a2c3b45",
		Title: "a GPU takes one process only, and MPS is off",
		Cause: "Its compute mode is EXCLUSIVE_PROCESS, which is for MPS. Without it, the second CUDA program fails.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "COMPUTE"}},
		Fix:   Fix{Advice: "or switch on MPS in /etc/justnews/justnews.toml", Commands: []Command{{"nvidia-smi", "-i", "UUID", "-c", "DEFAULT"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUMIG, Area: "GPUs", Status: StatusGPU, MessageID: "ff2697fa881e9b3ad8c3e77aeff78fd4",
		Title: "a GPU is cut into MIG instances, and MPS is on",
		Cause: "The MPS daemon of this toolkit serves whole GPUs: with MIG it finds none, or one instance only.",
		Check: []Command{{"nvidia-smi", "-L"}, {"nvidia-smi", "-q", "-d", "MIG"}},
		Fix:   Fix{Advice: "reboot where the GPU cannot be reset, or switch off MPS in /etc/justnews/justnews.toml", Commands: []Command{{"nvidia-smi", "-i", "UUID", "-mig", "0"}, {"nvidia-smi", "--gpu-reset", "-i", "UUID"}, {"systemctl", "daemon-reload"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: GPUPersistence, Area: "GPUs", Status: StatusReady, MessageID: "81578953fca0a979121a4045eafe7bdb",
		Title: "persistence mode is off",
		Cause: "The driver gives a GPU up when its last user ends, and initialises it again for the next one: seconds for each start, and settings such as the compute mode are lost.",
		Check: []Command{{"nvidia-smi", "-q", "-d", "PERFORMANCE,COMPUTE"}, {"systemctl", "status", "nvidia-persistenced.service"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "enable", "--now", "nvidia-persistenced.service"}}},
	},
	{
		Code: GPUMemoryLimit, Area: "GPUs", Status: StatusGPU, MessageID: "b7e53d341598961aa97fe16836904a1f",
		Title: "the memory limits are above what a GPU has",
		Cause: "mps.memory of an instance, or of all together, is larger than the memory of the largest GPU.",
		Check: []Command{{"nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv"}, {"justnews-gate", "config", "show"}},
		Fix:   Fix{Advice: "lower mps.memory of some instances in /etc/justnews/justnews.toml", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: GPUMemoryFree, Area: "GPUs", Status: StatusReady, MessageID: "844eaa9fa4b47a106af12a0444842cbd",
		Title: "less GPU memory is free than an instance may use",
		Cause: "Something else holds it: a process of an earlier run that has not ended, a program outside of this toolkit, or the other instances.",
		Check: []Command{{"nvidia-smi", "--query-compute-apps=pid,used_memory,name", "--format=csv"}},
		Fix:   Fix{Advice: "end what holds the memory, or lower mps.memory of the instance in /etc/justnews/justnews.toml"},
	},
	{
		Code: GPUMPSClients, Area: "GPUs", Status: StatusGPU, MessageID: "3d8686a5a14608836702e27ceb0b15e0",
		Title: "MPS takes no more clients",
		Cause: "MPS serves 16 clients per GPU before Volta, 48 from Volta on, 60 with CUDA 13.1 and newer; the next one is refused (CUDA error 808).",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "let fewer instances use MPS, or fewer processes each, in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: Unchecked, Area: "host", Status: StatusReady, MessageID: "a397eca9195d25341ab2a45f8c665a56",
		Title: "something could not be looked at",
		Cause: "The run is not root, or a unit, and may not read a file or try as another user; or a file system did not answer. Nothing is known to be wrong with what was left out.",
		Check: []Command{{"sudo", "justnews-gate", "preflight"}},
		Fix:   Fix{Advice: "run it again as root"},
	},
	{
		Code: UnitMissing, Area: "units and drop-ins", Status: StatusFailed, MessageID: "249b74fd8932af0429e506cf685bd647",
		Title: "a unit of the packages cannot be used",
		Cause: "It is not installed, or it is masked.",
		Check: []Command{{"systemctl", "status", "justnews.target", "justnews-preload.service"}},
		Fix:   Fix{Advice: "install the package justnews, or unmask the unit", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitDisabled, Area: "units and drop-ins", Status: StatusReady, MessageID: "cdeca75217fa19c22bf9414feab6f841",
		Title: "a unit is not started at boot as justnews.toml says",
		Cause: "justnews.target was never enabled; or an instance was enabled or disabled by hand.",
		Check: []Command{{"systemctl", "is-enabled", "justnews.target"}, {"systemctl", "list-dependencies", "justnews.target"}},
		Fix:   Fix{Advice: "for an instance, set enabled in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "enable", "justnews.target"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitShadowed, Area: "units and drop-ins", Status: StatusReady, MessageID: "30852c7159a16ccb659501b7cf6bc95a",
		Title: "a unit file hides the one of the packages",
		Cause: "A template from before, upstream's for example, lies in /etc/systemd/system. Its sandbox, its directories and its own gates hold instead of ours.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "keep what you need in a drop-in, remove the file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitOpened, Area: "units and drop-ins", Status: StatusFailed, MessageID: "483fc1c2c475d3426475ce501697f468",
		Title: "a gate that did not pass counts as one that did",
		Cause: "SuccessExitStatus= lists a signal, or an exit status of systemd's own for a command that could not be run: a gate that is killed, or missing, then lets its instance start.",
		Check: []Command{{"systemctl", "show", "-p", "SuccessExitStatus", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "take the signals and the statuses from 200 to 243 out of SuccessExitStatus=", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DropInMasks, Area: "units and drop-ins", Status: StatusFailed, MessageID: "6d5acf00acce5b76ea415a95bab2057e",
		Title: "a file hides a drop-in of the generator",
		Cause: "systemd takes one drop-in of a name, and those in /etc and /run/systemd/system come before the generator's.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "rename or remove the file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DropInLeftover, Area: "units and drop-ins", Status: StatusReady, MessageID: "ec1a8938fbcc1ddf8380fc7c3098b701",
		Title: "a drop-in from before is still there",
		Cause: "The runbook had drop-ins written by hand for what justnews.toml says now. Two places that set the same thing end up differing.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "say it in /etc/justnews/justnews.toml, remove the drop-in", Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: DropInBroken, Area: "units and drop-ins", Status: StatusReady, MessageID: "dde54aab5f1d5a69c4e7cd7eb6f22d29",
		Title: "systemd drops a part of a drop-in",
		Cause: "A line that does not parse. Of some, such as a command with an open quote, systemd drops the whole rest of the file, and starts the unit without it.",
		Check: []Command{{"journalctl", "-b", "-t", "systemd"}, {"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "correct the line", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GateDouble, Area: "units and drop-ins", Status: StatusReady, MessageID: "1707e1f6a51e26fd628a2f3479af649e",
		Title: "an instance has two gates",
		Cause: "An ExecStartPre= from before, such as preflight.sh or wait_for_mcp.sh, still stands beside ours: it waits again, by rules of its own.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the other ExecStartPre= line", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: StartLimit, Area: "units and drop-ins", Status: StatusReady, MessageID: "fe5bab3ea20118e3fd9c0383d9418bf5",
		Title: "an instance has a start limit",
		Cause: "Refusals and restarts use a start limit up. Then systemd starts the instance no more, although the cause is gone; without one it heals by itself.",
		Check: []Command{{"systemctl", "show", "-p", "Restart,StartLimitBurst,StartLimitIntervalUSec,TimeoutStartUSec", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the drop-in that sets the limit", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: RestartLoop, Area: "units and drop-ins", Status: StatusFailed, MessageID: "cdb179e0bcc6e5ef954cc639ad1375dc",
		Title: "an instance is started again and again",
		Cause: "Its gate refuses, or its program ends, for a reason that does not go away by trying again.",
		Check: []Command{{"systemctl", "status", "justnews@INSTANCE.service"}, {"journalctl", "-b", "-u", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "stop it, fix what its log names", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: GeneratorAbsent, Area: "units and drop-ins", Status: StatusFailed, MessageID: "6bd5ef8488facb11978eb9b88810016a",
		Title: "the generator has written nothing",
		Cause: "It is not installed, masked in /etc/systemd/system-generators, or it died at the last reload. The packaged drop-in still gates every instance; nothing else of justnews.toml holds.",
		Check: []Command{{"ls", "-l", "/usr/lib/systemd/system-generators/justnews-generator", "/etc/systemd/system-generators"}},
		Fix:   Fix{Advice: "install the package justnews, or remove the mask", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: GeneratorStale, Area: "units and drop-ins", Status: StatusFailed, MessageID: "054c73d45bec58b0910e5f6786b4755f",
		Title: "what the generator wrote is not what it would write now",
		Cause: "The configuration, an environment file or the program changed since the last daemon-reload, or the generator failed then: systemd does not say so.",
		Check: []Command{{"/usr/lib/systemd/system-generators/justnews-generator", "--dry-run"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvUnreadable, Area: "environment files", Status: StatusConfig, MessageID: "becb6f3eab97b119a0d8d01e09881935",
		Title: "an environment file cannot be read",
		Cause: "It is no regular file, too large, or holds a NUL byte or bytes that are not UTF-8: systemd then takes nothing of it, and starts the unit all the same.",
		Check: []Command{{"sh", "-c", "grep -naP '[^ -~\\t]' /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct the file", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvSyntax, Area: "environment files", Status: StatusConfig, MessageID: "1ec6fdea95e22338092ec55408c99716",
		Title: "an environment file is lost to one of its readers",
		Cause: "systemd reads these files for the units, and the start scripts source them. A quote that nothing closes, a line without an equals sign, export, a blank outside quotes or an & mean something else to each.",
		Check: []Command{{"justnews-gate", "preflight"}},
		Fix:   Fix{Advice: "write NAME=value, in quotes where it has blanks", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvDiffers, Area: "environment files", Status: StatusReady, MessageID: "691ccc322e04537e7956a48498d6ed05",
		Title: "systemd and a shell read different values",
		Cause: "systemd expands nothing and knows no comment behind a value; a shell expands ${X:-y}, $X and ~ and drops the comment. The gate and the program then believe different things.",
		Check: []Command{{"systemctl", "show", "-p", "EnvironmentFiles", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "write the value out, in quotes", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: EnvInterpreter, Area: "environment files", Status: StatusConfig, MessageID: "a21bf8a53949b461e86213af0c6a1572",
		Title: "the interpreter of an environment file is not there",
		Cause: "PYTHON_BIN, CANONICAL_PYTHON_PATH, CANONICAL_ENV or CONDA_ENV name one that does not exist, or that the service's user cannot execute. Start scripts then take the system's python3, without the packages of the agents.",
		Check: []Command{{"sh", "-c", "grep -E \"^(PYTHON_BIN|CANONICAL_|CONDA_ENV)\" /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct PYTHON_BIN", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: PortTaken, Area: "host", Status: StatusFailed, MessageID: "d266ca8c54dbc7772df543f57cc73e50",
		Title: "another program listens on the port of an instance",
		Cause: "A program that was started by hand, another service, or an instance with the same port.",
		Check: []Command{{"ss", "-ltnp"}},
		Fix:   Fix{Advice: "end what is no unit of ours yourself", Commands: []Command{{"justnews-gate", "preflight", "--stop"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: PortSilent, Area: "host", Status: StatusReady, MessageID: "dda0954a77141c82ecd93326f65fea95",
		Title: "an instance runs and does not listen",
		Cause: "It has just started, it listens on another port than justnews.toml says, or it hangs.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "correct port in /etc/justnews/justnews.toml, or wait"},
	},
	{
		Code: PortFreed, Area: "host", Status: StatusReady, MessageID: "7aab435f7853fedcd48ddd700d44e61f",
		Title: "a unit was stopped to free its port",
		Cause: "A preflight was asked to, by its flag --stop.",
		Check: []Command{{"systemctl", "status", "justnews.target"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: DiskSpace, Area: "host", Status: StatusFailed, MessageID: "42834665b4c46a2fab7075fe906639ce",
		Title: "little disk space is left",
		Cause: "Models, caches of compiled kernels or logs have filled the file system.",
		Check: []Command{{"df", "-h", "/opt/justnews/models", "/var/cache/justnews", "/var/log/justnews"}},
		Fix:   Fix{Advice: "free space on the file system that is named"},
	},
	{
		Code: LimitNOFILE, Area: "host", Status: StatusReady, MessageID: "cfe57a0878b12c8cf70944fb81730978",
		Title: "too few open files are allowed",
		Cause: "A drop-in, justnews.toml or the kernel allows fewer than the 65536 that an agent may need.",
		Check: []Command{{"systemctl", "show", "-p", "LimitNOFILE", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "service.limit_nofile = 65536 in /etc/justnews/justnews.toml", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: SwapNone, Area: "host", Status: StatusReady, MessageID: "647c310d432f39ba39d223cd4dc3921f",
		Title: "there is no swap",
		Cause: "Nothing is wrong with that where the memory suffices. A warm-up that needs more for a moment is killed.",
		Check: []Command{{"swapon", "--show"}, {"free", "-h"}},
		Fix:   Fix{Advice: "add a swap file, or leave it"},
	},
	{
		Code: TmpNoexec, Area: "host", Status: StatusReady, MessageID: "7727758de7f322e902015637a8b56fdc",
		Title: "/tmp is mounted noexec",
		Cause: "Compilers of kernels and Python wheels load code from there.",
		Check: []Command{{"findmnt", "-no", "OPTIONS", "/tmp"}},
		Fix:   Fix{Commands: []Command{{"mount", "-o", "remount,exec", "/tmp"}}},
	},
	{
		Code: UserUnknown, Area: "users and paths", Status: StatusConfig, MessageID: "df3f973d7ebf4a198f894650ca4da493",
		Title: "the user or group of an instance does not exist",
		Cause: "The user was never made, or service.user is misspelt. systemd ends the start with 217/USER.",
		Check: []Command{{"getent", "passwd", "justnews"}, {"systemctl", "show", "-p", "User,Group", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "or correct service.user", Commands: []Command{{"systemd-sysusers", "justnews.conf"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: UserOther, Area: "users and paths", Status: StatusReady, MessageID: "a9807dd1f5964befb5f8e27f8295cd68",
		Title: "an instance runs as another user than configured",
		Cause: "A drop-in from before sets User=, root for example, or SERVICE_USER of the environment names another one. Files of one are then closed to the other.",
		Check: []Command{{"systemctl", "show", "-p", "User", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove User= there, or set service.user", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: ServicePath, Area: "users and paths", Status: StatusFailed, MessageID: "910569b09d6f173e085a60581c1385e8",
		Title: "an instance's program or directory is out of its reach",
		Cause: "service.exec or service.working_directory does not exist, or its user may not get there. systemd ends the start with 203/EXEC or 200/CHDIR, after the gate has passed.",
		Check: []Command{{"systemctl", "show", "-p", "ExecStart,WorkingDirectory,User", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "put it there or open the way to it", Look: []Command{{"namei", "-l", "PATH"}}, Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: HomeHidden, Area: "users and paths", Status: StatusFailed, MessageID: "bba661e3bdda431b9eb19e48b1523d2d",
		Title: "a path below a home is hidden from an instance",
		Cause: "The program, its directory or its interpreter lies below /home, /root or /run/user, which protect_home keeps from the unit.",
		Check: []Command{{"systemctl", "show", "-p", "ProtectHome", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "service.protect_home = \"read-only\" in /etc/justnews/justnews.toml, or move it", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: CacheReadOnly, Area: "users and paths", Status: StatusReady, MessageID: "cc855d8536bae24fb9d9986c4118c080",
		Title: "a cache of compiled kernels cannot be written",
		Cause: "CUDA_CACHE_PATH, TORCHINDUCTOR_CACHE_DIR, TRITON_CACHE_DIR or XDG_CACHE_HOME was set to where the unit's sandbox or its user cannot write: kernels are compiled anew at each start, or the program fails.",
		Check: []Command{{"systemctl", "show", "-p", "Environment,ReadWritePaths", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove the variable: the default lies below /var/cache/justnews", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DatabaseURL, Area: "bus and needs", Status: StatusConfig, MessageID: "2c67dd6831571378ade3376d795fd356",
		Title: "the address of a database is invalid",
		Cause: "The URL does not parse; often a password holds a character that has to be percent-encoded.",
		Check: []Command{{"sh", "-c", "grep -lE \"^(DATABASE_URL|JUSTNEWS_DB_URL|MARIADB_)\" /etc/justnews/*.env"}},
		Fix:   Fix{Advice: "correct it in /etc/justnews/*.env", Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: DatabaseDown, Area: "bus and needs", Status: StatusUnavailable, MessageID: "d0712401db2d48a0b80904ae8cf0e28e",
		Title: "a database does not answer",
		Cause: "Nothing listens where DATABASE_URL, JUSTNEWS_DB_URL or MARIADB_HOST says, or a firewall is between.",
		Check: []Command{{"systemctl", "status", "mariadb.service", "postgresql.service"}},
		Fix:   Fix{Advice: "start the database or correct the address", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: BusUnregistered, Area: "bus and needs", Status: StatusReady, MessageID: "890b17d4a874a287ec7a4dc325f0a305",
		Title: "the MCP bus does not know the orchestrator",
		Cause: "The orchestrator has to be up before the bus, gives up registering after a while, and never tries again. Agents that look for it on the bus do not find it.",
		Check: []Command{{"journalctl", "-b", "-u", "justnews@gpu_orchestrator.service"}},
		Fix:   Fix{Advice: "while the bus is up", Commands: []Command{{"systemctl", "reset-failed", "justnews@gpu_orchestrator.service"}, {"systemctl", "restart", "justnews@gpu_orchestrator.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: BusUnreachable, Area: "bus and needs", Status: StatusUnavailable, MessageID: "668672924d4f5e6e9085f8eaa4163e51",
		Title: "the MCP bus did not answer",
		Cause: "Nothing listens on its port, or it answers errors only.",
		Check: []Command{{"systemctl", "status", "justnews@mcp_bus.service"}, {"journalctl", "-u", "justnews@mcp_bus.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"systemctl", "reset-failed", "justnews@mcp_bus.service"}, {"systemctl", "restart", "justnews@mcp_bus.service"}, {"justnews-gate", "retry"}}},
	},
	{
		Code: BusNonsense, Area: "bus and needs", Status: StatusNonsense, MessageID: "5b4af49727c3594f82a5f396b5706381",
		Title: "the bus's answer is invalid",
		Cause: "Another program listens on its port, or a proxy answers in its place.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "make sure that the MCP bus serves that port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: BusUnit, Area: "bus and needs", Status: StatusUnavailable, MessageID: "bdd995a4f6f05a639c06dad58a956677",
		Title: "the bus's unit cannot become ready",
		Cause: "The unit is missing, masked or failed; waiting for it would be in vain.",
		Check: []Command{{"systemctl", "status", "justnews@mcp_bus.service"}, {"journalctl", "-u", "justnews@mcp_bus.service", "-e"}},
		Fix:   Fix{Advice: "fix what its own log names", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: BusDegraded, Area: "bus and needs", Status: StatusReady, MessageID: "24f8b2f042f55c13b96efec4560079f9",
		Title: "the bus says that it is degraded",
		Cause: "It answers, but some of its agents do not.",
		Check: []Command{{"justnews-gate", "status"}},
		Fix:   Fix{Advice: "look at the agents that the bus names"},
	},
	{
		Code: BusImpostor, Area: "bus and needs", Status: StatusNonsense, MessageID: "a0d37d0fb4a64bb28a2a2b1f2f6d8e51",
		Title: "another process answers instead of the MCP bus",
		Cause: "Its port needs no privilege: any process can listen there first. The socket that answered does not belong to the unit that bus.instance names.",
		Check: []Command{{"ss", "-ltnpe"}},
		Fix:   Fix{Advice: "stop the process that holds the port", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: ServerUnproven, Area: "this run", Status: StatusUnavailable, MessageID: "6b0c0d0a3c4e4f3a9d6f4f0d9a7f5c32",
		Title: "it could not be proven who answers",
		Cause: "An answer counts only if its socket belongs to the unit that the configuration names. Until the deadline systemd did not say what that unit is, or the kernel did not say whose socket it is.",
		Check: []Command{{"systemctl", "status", "dbus.service"}, {"ss", "-ltnpe"}},
		Fix:   Fix{Advice: "make D-Bus and the control groups below /sys/fs/cgroup accessible again"},
	},
	{
		Code: NeedUnmet, Area: "bus and needs", Status: StatusUnavailable, MessageID: "d00527adbd4b501384768af0992c6bb9",
		Title: "something that the instance needs is not there",
		Cause: "A probe of [probes] did not pass before the deadline.",
		Check: []Command{{"justnews-gate", "gate", "INSTANCE", "-v"}},
		Fix:   Fix{Advice: "start what the probe looks for", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: NoSystemd, Area: "host", Status: StatusReady, MessageID: "2d40618cfb3a58abba17d8a1e0a36029",
		Title: "systemd cannot be asked",
		Cause: "There is no system bus, or systemd does not answer on it. Unit states are left out of the judgement; everything else is checked.",
		Check: []Command{{"busctl", "status", "org.freedesktop.systemd1"}},
		Fix:   Fix{Advice: "nothing to do in a container without systemd", Commands: []Command{{"systemctl", "start", "dbus.socket"}}},
	},
	{
		Code: NoLock, Area: "host", Status: StatusReady, MessageID: "1b8e63b5319c5823a69bc6a3554e7b27",
		Title: "this run is not excluded from the services' gates",
		Cause: "The lock directory /run/justnews-gate is missing or closed to this user, so a gate of a service may trigger a preload at the same time.",
		Check: []Command{{"ls", "-ld", "/run/justnews-gate"}, {"id"}},
		Fix:   Fix{Advice: "or run as a member of the group justnews", Commands: []Command{{"systemd-tmpfiles", "--create", "justnews.conf"}}},
	},
	{
		Code: RecordUnwritten, Area: "host", Status: StatusReady, MessageID: "a291898f5820591db6915e342fbe831a",
		Title: "the summary could not be written",
		Cause: "The cache directory is full, read-only or not the caller's own. The verdict stands.",
		Check: []Command{{"df"}, {"ls", "-ld", "${XDG_CACHE_HOME:-$HOME/.cache}/justnews", "/var/cache/justnews"}},
		Fix:   Fix{Advice: "free or own the directory that is named"},
	},
	{
		Code: Ungated, Area: "units and drop-ins", Status: StatusFailed, MessageID: "643494c0336b5b629ae855100ef3df9f",
		Title: "no gate stands before an instance",
		Cause: "The drop-in 50-justnews-gate.conf is masked, or a drop-in with an empty ExecStartPre= removed its line, or the package is not installed.",
		Check: []Command{{"systemctl", "cat", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "remove what hides the drop-in", Look: []Command{{"systemctl", "revert", "justnews@INSTANCE.service"}}, Commands: []Command{{"systemctl", "daemon-reload"}}},
	},
	{
		Code: UnitFailed, Area: "units and drop-ins", Status: StatusFailed, MessageID: "c8d0f4f3b7e15a0f9f0e6b52a1c47d39",
		Title: "an instance has failed",
		Cause: "Its gate refused, its program ended with an error, or it was restarted too often; systemd does not start it again by itself.",
		Check: []Command{{"systemctl", "status", "justnews@INSTANCE.service"}, {"journalctl", "-b", "-u", "justnews@INSTANCE.service"}},
		Fix:   Fix{Advice: "fix what its log names", Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: NeedReload, Area: "units and drop-ins", Status: StatusFailed, MessageID: "53f260857e275aa09374860bddd77139",
		Title: "systemd has not read the latest files",
		Cause: "justnews.toml, a unit or a drop-in changed on disk since the last daemon-reload.",
		Check: []Command{{"systemctl", "show", "-p", "NeedDaemonReload", "justnews@INSTANCE.service"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "config", "check"}, {"systemctl", "daemon-reload"}}},
	},
	{
		Code: Interrupted, Area: "this run", Status: StatusTimeout, MessageID: "d334bcf636465af1b6e12af22a0f2373",
		Title: "the run was ended by a signal",
		Cause: "systemctl stop, a restart, a shutdown, or ^C came before the verdict.",
		Check: []Command{{"journalctl", "-u", "justnews@INSTANCE.service", "-e"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "retry"}}},
	},
	{
		Code: Hung, Area: "this run", Status: StatusTimeout, MessageID: "e220d41332484f5a8b304ed9efc3e067",
		Title: "something does not return",
		Cause: "The deadline, or a signal that asked the run to end, came and went while the kernel did not return from what the message names: a file system or a device does not answer. A watchdog ended the process.",
		Check: []Command{{"journalctl", "-k", "-b"}},
		Fix:   Fix{Advice: "repair or unmount what does not answer"},
	},
	{
		Code: Internal, Area: "this run", Status: StatusInternal, MessageID: "653f00042a595e5aaf5e8a57217df675",
		Title: "internal error",
		Cause: "A bug, or the machine failed in a way that was not foreseen. The gate stays shut.",
		Check: []Command{{"journalctl", "-u", "justnews@INSTANCE.service", "-e"}},
		Fix:   Fix{Advice: "report it, with the output of: justnews-gate -v --json"},
	},
	{
		Code: Usage, Area: "this run", Status: StatusUsage, MessageID: "99eb5e90486c58fdbb4b5c7a3194db9f",
		Title: "the command line is wrong",
		Cause: "A misspelt command or flag, or a missing argument.",
		Check: []Command{{"justnews-gate", "--help"}},
		Fix:   Fix{Advice: "correct the command line"},
	},
	{
		Code: RecordBroken, Area: "host", Status: StatusReady, MessageID: "e63996c0d936d097c7439cb5268207b8",
		Title: "a file among the summaries is not what a run left",
		Cause: "Something else was put there, the file is of another user or was changed by hand, or a newer version wrote it. It is named, and nothing in it is believed.",
		Check: []Command{{"sh", "-c", "ls -l /var/cache/justnews/*/preflight ~/.cache/justnews/preflight"}},
		Fix:   Fix{Advice: "find out who put it there, then remove it"},
	},
	{
		Code: RecordUnreadable, Area: "host", Status: StatusReady, MessageID: "4ae50c249d885ea7dc07e31c46dda679",
		Title: "summaries of units need root",
		Cause: "A unit's summaries belong to its user, and nobody else but root may read them.",
		Check: []Command{{"sh", "-c", "ls -ld /var/cache/justnews/*/preflight"}, {"id"}},
		Fix:   Fix{Commands: []Command{{"sudo", "justnews-gate", "history"}}},
	},
	{
		Code: RecordMissing, Area: "host", Status: StatusFailed, MessageID: "1b2b78dc8e88768e00e7d24cf95007e5",
		Title: "there is nothing to draw",
		Cause: "No run of this boot has left a summary that this user may read, and systemd cannot be asked, or knows of no start of an instance.",
		Check: []Command{{"justnews-gate", "history"}},
		Fix:   Fix{Advice: "or name the files with --run", Commands: []Command{{"sudo", "justnews-gate", "plot"}}},
	},
	{
		Code: MetricsUnwritten, Area: "this run", Status: StatusReady, MessageID: "f7f5a45e880d37e725c9137d4dc271fc",
		Title: "the metrics of a run could not be written",
		Cause: "The directory /run/justnews-gate/metrics is missing, full or closed to the user of the unit, so monitoring sees the run before. The verdict stands.",
		Check: []Command{{"ls", "-ld", "/run/justnews-gate", "/run/justnews-gate/metrics"}},
		Fix:   Fix{Commands: []Command{{"systemd-tmpfiles", "--create", "justnews.conf"}}},
	},
	{
		Code: OperatorUser, Area: "this run", Status: StatusUsage, MessageID: "e2b20b59a17e2f3992194a4b8ddfc31d",
		Title: "no user that an exemption can be given to",
		Cause: "The name is not one ordinary user's (sudo reads ALL, %group, #uid and lists as something else), there is no such user, it is root's, or agents run as it: an operator may do what an agent must not.",
		Check: []Command{{"getent", "passwd", "USER"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "nopasswd", "install", "--user", "USER"}}},
	},
	{
		Code: OperatorGroup, Area: "this run", Status: StatusConfig, MessageID: "7f48afcc12a2affa52da1f93d7a6e447",
		Title: "the group of the operators is missing",
		Cause: "systemd-sysusers has not made justnews-operators yet, or the group database cannot be asked.",
		Check: []Command{{"getent", "group", "justnews-operators"}},
		Fix:   Fix{Advice: "run the same again after this", Commands: []Command{{"systemd-sysusers", "justnews.conf"}}},
	},
	{
		Code: OperatorRule, Area: "this run", Status: StatusReady, MessageID: "73610b0f30b93d490b09614a13e396ce",
		Title: "polkit's rule for the operators is missing or replaced",
		Cause: "The polkit rule of the package is missing, or a file of the same name stands in for it.",
		Check: []Command{{"ls", "-l", "/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"}},
		Fix:   Fix{Advice: "install the package again, and polkit with it"},
	},
	{
		Code: OperatorDenied, Area: "this run", Status: StatusPermission, MessageID: "4ca9d2c579a4c0cd7007ae815bbf28f2",
		Title: "only root can give or take an exemption",
		Cause: "The command was run without privileges. --dry-run needs none.",
		Check: []Command{{"id", "-u"}},
		Fix:   Fix{Commands: []Command{{"sudo", "justnews-gate", "nopasswd", "install", "--user", "USER"}}},
	},
	{
		Code: OperatorTool, Area: "this run", Status: StatusUnavailable, MessageID: "eeef71a9e995a857ad139046a48fe007",
		Title: "a tool of this host is missing or failed",
		Cause: "gpasswd, usermod, visudo or sudo could not be run, ended with an error, or had no effect.",
		Check: []Command{{"ls", "-l", "/usr/bin/gpasswd", "/usr/sbin/usermod", "/usr/sbin/visudo"}},
		Fix:   Fix{Advice: "fix what the tool names, and run the same again"},
	},
	{
		Code: SudoUnusable, Area: "this run", Status: StatusConfig, MessageID: "5c77959031481089c962683e4d874712",
		Title: "sudo cannot carry the rule",
		Cause: "It is missing, has no visudo, is older than 1.9.10 (the first with regular expressions), or is another program of that name.",
		Check: []Command{{"sudo", "-V"}},
		Fix:   Fix{Commands: []Command{{"justnews-gate", "nopasswd", "install", "--user", "USER"}}},
	},
	{
		Code: SudoUnsafe, Area: "this run", Status: StatusPermission, MessageID: "1178febb700fd2821f76484e4e8ef117",
		Title: "others than root could replace the program of the rule",
		Cause: "The program or a directory above it belongs to another user or is writable by others. A rule for it would make them root.",
		Check: []Command{{"ls", "-ld", "/", "/usr", "/usr/bin", "/usr/bin/justnews-gate"}},
		Fix:   Fix{Advice: "run the same again after this", Commands: []Command{{"chown", "root:root", "PATH"}, {"chmod", "go-w", "PATH"}}},
	},
	{
		Code: SudoForeign, Area: "this run", Status: StatusConfig, MessageID: "9ea6e8aaaa4edceb6b6625d4e2b1d4ca",
		Title: "the sudo drop-in is of another hand",
		Cause: "/etc/sudoers.d/justnews-gate was written or edited by somebody else, or cannot be read. It is left alone.",
		Check: []Command{{"visudo", "-cf", "/etc/sudoers.d/justnews-gate"}},
		Fix:   Fix{Advice: "look at it, move it out of /etc/sudoers.d, and run the same again"},
	},
	{
		Code: SudoRefused, Area: "this run", Status: StatusConfig, MessageID: "f861a3e6ef6c2604385191def358719b",
		Title: "visudo finds an error in the configuration of sudo",
		Cause: "Either the configuration was broken before, and nothing was changed; or it would be with the new rule, and the former state was put back.",
		Check: []Command{{"visudo", "-c"}},
		Fix:   Fix{Advice: "fix what visudo names, and run the same again"},
	},
	{
		Code: SudoIneffective, Area: "this run", Status: StatusConfig, MessageID: "a48ccdfa8905373862c028c6b1e98f28",
		Title: "sudo does not know the rule that was written",
		Cause: "/etc/sudoers does not include /etc/sudoers.d, or takes its rules from elsewhere. The rule was taken away again.",
		Check: []Command{{"sudo", "-l", "-U", "USER"}},
		Fix:   Fix{Advice: "add the line @includedir /etc/sudoers.d at the end of /etc/sudoers (visudo), and run the same again"},
	},
	{
		Code: SudoLeftover, Area: "this run", Status: StatusReady, MessageID: "fa82a8bf07f0cb0cd3c1ef0aaf72d12a",
		Title: "the sudo rule of the old helper is still there",
		Cause: "setup_preflight_nopasswd.sh of upstream allowed a script with any arguments as any user: whoever can write the script or its directory is root.",
		Check: []Command{{"cat", "/etc/sudoers.d/justnews-preflight"}},
		Fix:   Fix{Commands: []Command{{"rm", "/etc/sudoers.d/justnews-preflight"}, {"visudo", "-c"}}},
	},
	{
		Code: ImportNothing, Area: "this run", Status: StatusConfig, MessageID: "84688d2d1bcc2efbe1bbc337ac2ccbc8",
		Title: "nothing shows an instance of JustNews",
		Cause: "config import looks for justnews@NAME.service, its drop-ins and links below /etc/systemd/system, and for /etc/justnews/NAME.env.",
		Check: []Command{{"sh", "-c", "ls -d /etc/systemd/system/*justnews* /etc/systemd/system/*/*justnews* /etc/justnews/*"}},
		Fix:   Fix{Advice: "write /etc/justnews/justnews.toml yourself: man 5 justnews.toml"},
	},
	{
		Code: ImportUnreadable, Area: "this run", Status: StatusReady, MessageID: "4d2f66421210726732512a4edc314c5a",
		Title: "a file of the old set-up cannot be read",
		Cause: "It is closed to the caller, too large, or not of the form that upstream's programs read. What it says is missing in the result.",
		Check: []Command{{"sudo", "justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "look at the file that is named, by hand"},
	},
	{
		Code: ImportLeftOut, Area: "this run", Status: StatusReady, MessageID: "1a9a1a3cb72de81d5cfd82137ad1a5f5",
		Title: "something of the old set-up was not taken over",
		Cause: "justnews.toml has no place for it, it never had the effect that it seems to have, or its value means nothing.",
		Check: []Command{{"justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "do what the problem names, or leave it"},
	},
	{
		Code: ImportConflict, Area: "this run", Status: StatusReady, MessageID: "dfa5ebbf252bc3c8ade53a0f5b7be24a",
		Title: "the old set-up contradicts itself, or the new gate",
		Cause: "Two places say different things, or the old gate did something that the new one does not do unasked.",
		Check: []Command{{"justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "decide for one of the two, and run the same again"},
	},
	{
		Code: ImportOvercommit, Area: "this run", Status: StatusReady, MessageID: "958d23792f755518276bf2545ec74c07",
		Title: "the MPS limits are more than the GPU has",
		Cause: "Upstream's allocations sum up to more than its own available_memory_gb. The limits are taken over, the GPU's memory is not stated.",
		Check: []Command{{"justnews-gate", "config", "import"}},
		Fix:   Fix{Advice: "lower a limit, then state gpu.memory in /etc/justnews/justnews.toml"},
	},
}
