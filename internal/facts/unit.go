// SPDX-License-Identifier: Apache-2.0

package facts

import "time"

// How a process ended, as ExecMainCode and Exec.Code have it: CLD_EXITED,
// CLD_KILLED and CLD_DUMPED of sigaction(2).
const (
	CodeExited = 1
	CodeKilled = 2
	CodeDumped = 3
)

// Unit is what systemd says of one unit over D-Bus. The field names are
// systemd's property names.
type Unit struct {
	Name             string        `json:"name"`
	LoadState        string        `json:"load_state"`   // loaded, not-found, masked, bad-setting, error
	ActiveState      string        `json:"active_state"` // active, activating, inactive, failed, deactivating, reloading
	SubState         string        `json:"sub_state"`    // running, auto-restart, start-pre, …
	Result           string        `json:"result"`       // success, exit-code, signal, timeout, oom-kill, start-limit-hit, …
	StatusText       string        `json:"status_text,omitempty"`
	InvocationID     string        `json:"invocation_id,omitempty"`  // 32 hexadecimal digits
	ExecMainCode     int           `json:"exec_main_code,omitempty"` // CLD_EXITED, CLD_KILLED, …
	ExecMainStatus   int           `json:"exec_main_status,omitempty"`
	MainPID          int           `json:"main_pid,omitempty"`
	ControlPID       int           `json:"control_pid,omitempty"`
	NRestarts        int           `json:"n_restarts,omitempty"`
	User             string        `json:"user,omitempty"` // User= as configured, empty: root
	UID              *int          `json:"uid,omitempty"`  // whom its processes run as, nil: unknown
	Environment      []string      `json:"-"`              // Environment=, KEY=VALUE
	EnvironmentFiles []string      `json:"environment_files,omitempty"`
	Marks            []string      `json:"-"`                       // the assignments of MarkVariable in UnsetEnvironment=
	TimeoutStart     time.Duration `json:"timeout_start,omitempty"` // TimeoutStartUSec; 0: infinity
	ControlGroup     string        `json:"control_group,omitempty"`
	MemoryLimits     []string      `json:"memory_limits,omitempty"` // MemoryMax=, LimitAS= and LimitDATA= that are not infinity
	Job              bool          `json:"job"`                     // a job is queued or running for it
	ConditionResult  bool          `json:"condition_result"`
	NeedDaemonReload bool          `json:"need_daemon_reload"`
	FragmentPath     string        `json:"fragment_path,omitempty"`
	DropInPaths      []string      `json:"drop_in_paths,omitempty"`
	// ExecStartPre lists the commands that have to succeed before the main
	// process starts, as systemd has read them.
	ExecStartPre []Exec `json:"exec_start_pre,omitempty"`
	// Conditions are those of the unit that did not hold at its last start, as
	// "ConditionPathExists=/usr/bin/x".
	Conditions []string `json:"conditions,omitempty"`
	// Order and conflict, as systemd has merged them, in unit names.
	After     []string `json:"-"`
	Before    []string `json:"-"`
	Conflicts []string `json:"-"`
	// TriggeredBy lists the sockets, timers and paths that start the unit.
	TriggeredBy []string `json:"-"`
	// Sandbox is what of the unit's sandbox decides whether it can use a GPU.
	Sandbox Sandbox `json:"-"`
	// Times are those of its last start.
	Times UnitTimes `json:"-"`
	// SuccessExitStatus lists the exit statuses that systemd takes for success.
	SuccessExitStatus []int `json:"success_exit_status,omitempty"`
	// SuccessSignals lists the signals of the same setting.
	SuccessSignals []int `json:"-"`
	// Service is what else of a service can be misconfigured.
	Service Service `json:"-"`
}

// MarkVariable names the mark that the generator leaves in an instance's unit.
const MarkVariable = "JUSTNEWS_MARK"

// Mark is what a configuration makes of an instance's unit.
type Mark struct {
	Mark    string   // "": not known
	DropIns []string // files of the generator that systemd has to have read
}

// Service is what preflight has to know of a service besides.
type Service struct {
	FileState        string // UnitFileState: enabled, enabled-runtime, disabled, static, masked, …
	ExecStart        []Exec
	Restart          string        // no, on-failure, always, …
	RestartDelay     time.Duration // RestartUSec
	StartLimit       time.Duration // StartLimitIntervalUSec, 0: none
	StartBurst       int           // StartLimitBurst, 0: no limit
	LimitNOFILE      uint64        // the soft one, which is what a program gets
	WorkingDirectory string
	ProtectHome      string   // yes, no, read-only, tmpfs
	ProtectSystem    string   // no, yes, full, strict
	Writable         []string // ReadWritePaths=, BindPaths= and the unit's own directories
	Readable         []string // BindReadOnlyPaths=: sources that are bound in
}

// Exec is one command of a unit.
type Exec struct {
	Argv          []string `json:"argv"`
	IgnoreFailure bool     `json:"ignore_failure,omitempty"` // the "-" before its path
	// Code and Status are how the last run of it ended, CLD_EXITED and the exit
	// status, or CLD_KILLED and the signal; 0 where none did.
	Code   int `json:"-"`
	Status int `json:"-"`
}

// Listener is who listens on a TCP port, as /proc/net shows it.
type Listener struct {
	Port int   `json:"port"`
	UIDs []int `json:"uids,omitempty"` // owners of the listening sockets, sorted, no duplicates
}

// Sandbox is what a unit's processes see of devices and of /tmp.
type Sandbox struct {
	PrivateTmp     bool
	PrivateDevices bool
	DevicePolicy   string   // auto, closed, strict
	DeviceAllow    []string // "char-nvidia* rw"
	BindPaths      []string // sources
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
