// SPDX-License-Identifier: Apache-2.0

package facts

import "time"

// MPS is one look at NVIDIA MPS in which no daemon is asked anything: what the
// file system, /proc and the kernel's list of sockets say. None of it needs a
// privilege, and none of it leaves a line in the daemon's log.
type MPS struct {
	PipeDirectory string
	Directory     Directory
	Lock          MPSLock
	// Daemon is the process that holds the lock, nil where nobody does or the
	// process cannot be seen (ProtectProc=, another PID namespace).
	Daemon *MPSProcess
	// Socket reports whether the control socket has a name in the pipe directory;
	// Listeners counts the sockets that listen under that name in the kernel's
	// table, which also has those whose name was deleted.
	Socket    bool
	SocketUID int // its owner, the daemon's user; means something only with Socket
	Listeners int
	// Connections counts consoles that are connected to the control socket.
	Connections int
	// Elsewhere lists the pipe directories of all other control daemons that
	// listen on this host, sorted.
	Elsewhere []string
	// Others are the other processes of nvidia-cuda-mps-control that the caller
	// can see, daemons and consoles.
	Others []MPSProcess
	// Err is why nothing could be looked at, "" where everything could.
	Err string
}

// Directory is what a directory looks like to the caller.
type Directory struct {
	Exists bool
	IsDir  bool
	Mode   uint32 // permission bits
	UID    int
	// Blocked is the first directory on the way, the last included, that the
	// caller may not search.
	Blocked string
}

// MPSLock is control_lock in the pipe directory: the daemon holds a record lock
// on it for as long as it lives, and the kernel drops the lock with the process.
type MPSLock struct {
	Exists bool
	Held   bool
	PID    int // 0: held from another PID namespace
	Err    string
}

// MPSProcess is a process of nvidia-cuda-mps-control.
type MPSProcess struct {
	PID    int
	UID    int
	State  string // one letter as in proc(5): S, T (stopped), …
	Exe    string
	Args   []string
	Parent string // command name of the parent process
	Unit   string // systemd's, from the control group
	// PipeDirectory is its CUDA_MPS_PIPE_DIRECTORY, NVIDIA's default where it is
	// not set, "" where the caller may not read its environment.
	PipeDirectory string
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
	Kind       MPSAnswerKind
	Lines      []string
	Percentage float64 // above 0, at most 100
	Detail     string  // evidence for a person
	Elapsed    time.Duration
}

// MPSServer is one nvidia-cuda-mps-server.
type MPSServer struct {
	PID   int
	UID   int    // -1: unknown
	State string // ACTIVE, INITIALIZING, FAULT; "" where the daemon has no such query (535)
	Alive bool   // its process exists
	Err   string // why State is not known
}

// Start is how an attempt to start a unit over D-Bus went.
type Start struct {
	// Refused is the name of the D-Bus error that StartUnit was answered with,
	// "" where a job was made.
	Refused string
	Detail  string
	// Result is that of the job (done, failed, canceled, timeout, dependency,
	// …), "" where the wait ended first.
	Result  string
	Elapsed time.Duration
}

// MPSOpinion is what the orchestrator thinks of MPS.
type MPSOpinion struct {
	Known   bool
	Enabled bool
	Source  string // where it says so
	Detail  string // of an answer that says nothing
}
