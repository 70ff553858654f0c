// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"net/netip"
	"strings"
	"time"
)

// How a process ended, as ExecMainCode and Exec.Code have it: CLD_EXITED,
// CLD_KILLED and CLD_DUMPED of sigaction(2).
const (
	CodeExited = 1
	CodeKilled = 2
	CodeDumped = 3
)

// Unit has a unit's properties as reported by systemd over D-Bus. The field names are
// systemd's property names.
type Unit struct {
	Name             string
	LoadState        string // loaded, not-found, masked, bad-setting, error
	ActiveState      string // active, activating, inactive, failed, deactivating, reloading
	SubState         string // running, auto-restart, start-pre, …
	Result           string // success, exit-code, signal, timeout, oom-kill, start-limit-hit, …
	StatusText       string
	InvocationID     string // 32 hexadecimal digits
	ExecMainCode     int    // CLD_EXITED, CLD_KILLED, …
	ExecMainStatus   int
	MainPID          int
	ControlPID       int
	NRestarts        int
	User             string   // User= as configured, empty: root
	UID              *int     // whom its processes run as, nil: unknown
	Environment      []string // Environment=, KEY=VALUE
	EnvironmentFiles []string
	Unset            []string      // UnsetEnvironment=: NAME or NAME=VALUE, but for MarkVariable
	Marks            []string      // the assignments of MarkVariable in UnsetEnvironment=
	TimeoutStart     time.Duration // TimeoutStartUSec; 0: infinity
	ControlGroup     string
	MemoryLimits     []string // MemoryMax=, LimitAS= and LimitDATA= that are not infinity
	Job              bool     // a job is queued or running for it
	ConditionResult  bool
	NeedDaemonReload bool
	FragmentPath     string
	DropInPaths      []string
	// ExecStartPre lists the commands that have to succeed before the main
	// process starts, as systemd has read them.
	ExecStartPre []Exec
	// ExecStartPost lists those that have to succeed after it before the unit is
	// active.
	ExecStartPost []Exec
	// Conditions are those of the unit that did not hold at its last start, as
	// "ConditionPathExists=/usr/bin/x".
	Conditions []string
	// Order and conflict, as systemd has merged them, in unit names.
	After     []string
	Before    []string
	Conflicts []string
	// TriggeredBy lists the sockets, timers and paths that start the unit.
	TriggeredBy []string
	// Sandbox is what the unit hides from its processes, and forbids them.
	Sandbox Sandbox
	// Times are those of its last start.
	Times UnitTimes
	// SuccessExitStatus lists the exit statuses that systemd takes for success.
	SuccessExitStatus []int
	// SuccessSignals lists the signals of the same setting.
	SuccessSignals []int
	// Service is what else of a service can be misconfigured.
	Service Service
}

// Variables returns the variables of Environment=.
func (u Unit) Variables() map[string]string { return Variables(u.Environment) }

// RemoveUnset deletes the variables that UnsetEnvironment= names, which counts more than
// Environment= and the environment files.
func (u Unit) RemoveUnset(values map[string]string) {
	for _, unset := range u.Unset {
		name, value, only := strings.Cut(unset, "=")
		if !only || values[name] == value {
			delete(values, name)
		}
	}
}

// Variables reads assignments, NAME=VALUE. As in systemd, the last one of a name counts.
func Variables(assignments []string) map[string]string {
	values := map[string]string{}
	for _, a := range assignments {
		if name, value, ok := strings.Cut(a, "="); ok {
			values[name] = value
		}
	}
	return values
}

// MarkVariable names the mark that the generator leaves in an instance's unit.
const MarkVariable = "JUSTNEWS_MARK"

// Mark is the mark that a configuration gives an instance's unit.
type Mark struct {
	Mark    string   // "": not known
	DropIns []string // files of the generator that systemd has to have read
	After   bool     // the gate of a guarded unit is in ExecStartPost=
}

// Service has additional properties of a service for preflight.
type Service struct {
	FileState        string // UnitFileState: enabled, enabled-runtime, disabled, static, masked, …
	ExecStart        []Exec
	Type             string // exec, notify, oneshot, …
	RemainAfterExit  bool
	Restart          string        // no, on-failure, always, …
	RestartPrevent   []int         // the exit statuses of RestartPreventExitStatus=
	StartLimit       time.Duration // StartLimitIntervalUSec, 0: none
	StartBurst       int           // StartLimitBurst, 0: no limit
	LimitNOFILE      uint64        // the soft one, which is what a program gets
	WorkingDirectory string
	Group            string // Group= as configured, empty: the primary one of User=
	DynamicUser      bool   // systemd makes User= if it does not exist
}

// Exec is one command of a unit.
type Exec struct {
	Argv          []string
	IgnoreFailure bool // the "-" before its path
	// Code and Status are how the last run of it ended, CLD_EXITED and the exit
	// status, or CLD_KILLED and the signal; 0 where none did.
	Code   int
	Status int
}

// Sandbox is what a unit hides from its processes, and forbids them. Paths are
// clean, and without the prefixes of their settings.
type Sandbox struct {
	ProtectHome    string // yes, no, read-only, tmpfs
	ProtectSystem  string // no, yes, full, strict
	PrivateTmp     bool
	PrivateDevices bool
	PrivateNetwork bool
	NetworkPath    string   // NetworkNamespacePath=
	DevicePolicy   string   // auto, closed, strict
	DeviceAllow    []string // "char-nvidia* rw"
	Inaccessible   []string // InaccessiblePaths=
	Emptied        []string // TemporaryFileSystem=
	ReadOnly       []string // ReadOnlyPaths= and BindReadOnlyPaths=
	Writable       []string // ReadWritePaths=, BindPaths= and the unit's own directories
	RootDirectory  string   // "": the host's
	RootImage      string
	// Bound lists where BindPaths=, BindReadOnlyPaths= and the unit's own
	// directories put something in the processes' view.
	Bound []string
	// Source has where on the host BindPaths= and BindReadOnlyPaths= take each of theirs.
	Source map[string]string
	// Families lists the address families of RestrictAddressFamilies=: the only
	// ones that are allowed, or those that are not. Neither: all are allowed.
	Families     []string
	OnlyFamilies bool
	IPAllow      []netip.Prefix // IPAddressAllow=, which wins
	IPDeny       []netip.Prefix // IPAddressDeny=
}

// UnitTimes are moments of a unit's last start on the kernel's monotonic clock,
// 0: that never happened.
type UnitTimes struct {
	InactiveExit  time.Duration // its start began
	ExecMainStart time.Duration // its main process was started
	ActiveEnter   time.Duration
	InactiveEnter time.Duration
	StateChange   time.Duration // ActiveState or SubState changed
}

// EnvFile is one file of /etc/justnews/*.env, as systemd reads it for
// EnvironmentFile= and as a shell that sources it in the start scripts does.
// The values are secrets: they are compared, and never printed.
type EnvFile struct {
	Path   string
	Denied bool   // this user may not read it
	Err    string // why it could not be read, "": it was read
	Lost   string // why systemd ignores the whole file: a NUL byte, invalid UTF-8

	Systemd []EnvVar
	Mark    bool  // the file begins with a byte order mark
	Bare    []int // lines that systemd drops: no equals sign, or nothing before it
	Open    int   // line of an unclosed quote, 0: none

	Shell      []EnvVar
	Commands   []int  // lines in which a shell would run a command
	ShellError string // why a shell rejects the file, "": it does not
	ErrorLine  int
}

// EnvVar is one assignment.
type EnvVar struct {
	Name, Value string
	Line        int
	// Why is what only a shell understands in the text: "expands ${X}".
	Why string
}

// Environment is the environment of a unit's process.
type Environment struct {
	Values map[string]string
	// Exact is true if it was read from the process itself. Otherwise it is
	// that of the unit, and a missing variable may be in a file that could not
	// be read.
	Exact bool
	// Others are those of the other processes of the unit's control group, as
	// far as they could be read: a start script that does not use exec may give
	// its program another environment.
	Others []map[string]string
}
