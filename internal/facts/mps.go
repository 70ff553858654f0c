// SPDX-License-Identifier: Apache-2.0

package facts

import "time"

// MPS is one look at NVIDIA MPS in which no daemon is asked anything: what the
// file system, /proc and the kernel's list of sockets say. None of it needs a
// privilege, and none of it leaves a line in the daemon's log.
type MPS struct {
	PipeDirectory string    `json:"pipe_directory"`
	Directory     Directory `json:"directory"`
	Lock          MPSLock   `json:"lock"`
	// Daemon is the process that holds the lock, nil where nobody does or the
	// process cannot be seen (ProtectProc=, another PID namespace).
	Daemon *MPSProcess `json:"daemon,omitempty"`
	// Socket reports whether the control socket has a name in the pipe directory;
	// Listeners counts the sockets that listen under that name in the kernel's
	// table, which also has those whose name was deleted.
	Socket    bool `json:"socket"`
	SocketUID int  `json:"socket_uid"` // its owner, the daemon's user; means something only with Socket
	Listeners int  `json:"listeners"`
	// Connections counts consoles that are connected to the control socket.
	Connections int `json:"connections"`
	// Elsewhere lists the pipe directories of all other control daemons that
	// listen on this host, sorted.
	Elsewhere []string `json:"elsewhere,omitempty"`
	// Others are the other processes of nvidia-cuda-mps-control that the caller
	// can see, daemons and consoles.
	Others []MPSProcess `json:"others,omitempty"`
	// Err is why nothing could be looked at, "" where everything could.
	Err string `json:"error,omitempty"`
}

// Directory is what a directory looks like to the caller.
type Directory struct {
	Exists bool   `json:"exists"`
	IsDir  bool   `json:"is_dir"`
	Mode   uint32 `json:"mode"` // permission bits
	UID    int    `json:"uid"`
	// Blocked is the first directory on the way, the last included, that the
	// caller may not search.
	Blocked string `json:"blocked,omitempty"`
}

// MPSLock is control_lock in the pipe directory: the daemon holds a record lock
// on it for as long as it lives, and the kernel drops the lock with the process.
type MPSLock struct {
	Exists bool   `json:"exists"`
	Held   bool   `json:"held"`
	PID    int    `json:"pid,omitempty"` // 0: held from another PID namespace
	Err    string `json:"error,omitempty"`
}

// MPSProcess is a process of nvidia-cuda-mps-control.
type MPSProcess struct {
	PID    int      `json:"pid"`
	UID    int      `json:"uid"`
	State  string   `json:"state"` // one letter as in proc(5): S, T (stopped), …
	Exe    string   `json:"exe,omitempty"`
	Args   []string `json:"args,omitempty"`
	Parent string   `json:"parent,omitempty"` // command name of the parent process
	Unit   string   `json:"unit,omitempty"`   // systemd's, from the control group
	// PipeDirectory is its CUDA_MPS_PIPE_DIRECTORY, NVIDIA's default where it is
	// not set, "" where the caller may not read its environment.
	PipeDirectory string `json:"pipe_directory,omitempty"`
}

// Daemon reports whether the process was started as a daemon (-d, -f) and not as
// a console.
func (p MPSProcess) Daemon() bool {
	for _, a := range p.Args {
		if len(a) > 1 && a[0] == '-' && (a == "-d" || a == "-f") {
			return true
		}
	}
	return false
}

// MPSAnswerKind says how one query of the control daemon ended. The zero value
// is no answer.
type MPSAnswerKind int

// How a query can end. The exit status decides little: it is 0 for an empty
// answer and for an unknown command (measured with 535 and 550).
const (
	MPSNotAsked       MPSAnswerKind = iota
	MPSAnswered                     // the daemon answered, and the answer could be parsed
	MPSBusy                         // another console was faster: "Cannot send command…", or status 1 and nothing
	MPSEmpty                        // status 0 and nothing
	MPSNoDaemon                     // "Cannot find MPS control daemon process"
	MPSHung                         // no answer in time
	MPSNoTurn                       // the lock around all queries did not come free in time
	MPSDenied                       // "Not enough privilege"
	MPSLibrary                      // status 244 and nothing: libcuda.so.1 is missing (580)
	MPSProgramMissing               // there is no nvidia-cuda-mps-control
	MPSProgramDenied                // it cannot be executed
	MPSNonsense                     // anything else
)

// MPSAnswer is one query: the lines that came before the proof of the round
// trip, and that proof, the default active thread percentage.
type MPSAnswer struct {
	Kind       MPSAnswerKind `json:"kind"`
	Lines      []string      `json:"lines,omitempty"`
	Percentage float64       `json:"percentage,omitempty"` // above 0, at most 100
	Detail     string        `json:"detail,omitempty"`     // evidence for a person
	Elapsed    time.Duration `json:"elapsed,omitempty"`
}

// MPSServer is one nvidia-cuda-mps-server.
type MPSServer struct {
	PID   int    `json:"pid"`
	UID   int    `json:"uid"`             // -1: unknown
	State string `json:"state"`           // ACTIVE, INITIALIZING, FAULT; "" where the daemon has no such query (535)
	Alive bool   `json:"alive"`           // its process exists
	Err   string `json:"error,omitempty"` // why State is not known
}

// Start is how an attempt to start a unit over D-Bus went.
type Start struct {
	// Refused is the name of the D-Bus error that StartUnit was answered with,
	// "" where a job was made.
	Refused string `json:"refused,omitempty"`
	Detail  string `json:"detail,omitempty"`
	// Result is that of the job (done, failed, canceled, timeout, dependency,
	// …), "" where the wait ended first.
	Result  string        `json:"result,omitempty"`
	Elapsed time.Duration `json:"elapsed,omitempty"`
}

// MPSOpinion is what the orchestrator thinks of MPS.
type MPSOpinion struct {
	Known   bool   `json:"known"`
	Enabled bool   `json:"enabled"`
	Source  string `json:"source,omitempty"` // where it says so
	Detail  string `json:"detail,omitempty"` // of an answer that says nothing
}
