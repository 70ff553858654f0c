// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"slices"
	"time"
)

// MPS is one look at NVIDIA MPS without querying the daemon: what the file
// system, /proc and the kernel's socket table show. It needs no privileges, and
// leaves no line in the daemon's log.
type MPS struct {
	Directory Directory
	Lock      MPSLock
	// Daemon is the process that holds the lock, nil if there is none or the
	// process is not visible (ProtectProc=, another PID namespace).
	Daemon *MPSProcess
	// Socket reports whether the control socket has a name in the pipe directory;
	// Listeners counts the sockets that listen under that name in the kernel's
	// table, which also has those whose name was deleted.
	Socket    bool
	SocketUID int // its owner, the daemon's user; only valid with Socket
	Listeners int
	// Connections counts the consoles connected to the control socket.
	Connections int
	// Elsewhere lists the pipe directories of all other control daemons that
	// listen on this host, sorted.
	Elsewhere []string
	// Others are the other processes of nvidia-cuda-mps-control that the caller
	// can see, daemons and consoles.
	Others []MPSProcess
	// Err is why the look failed, "" if it did not.
	Err string
}

// Directory is a directory as the caller sees it.
type Directory struct {
	Exists bool
	IsDir  bool
	Mode   uint32 // permission bits
	UID    int
	// Blocked is the first directory of the path, including the last, that the
	// caller cannot search.
	Blocked string
}

// MPSLock is control_lock in the pipe directory: the daemon holds a record lock
// on it while it is running, and the kernel releases the lock with the process.
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
	// PipeDirectory is its CUDA_MPS_PIPE_DIRECTORY, NVIDIA's default if unset,
	// "" if the caller may not read its environment.
	PipeDirectory string
}

// Daemon reports whether the process was started as a daemon (-d, -f) and not as
// a console.
func (p MPSProcess) Daemon() bool {
	return slices.Contains(p.Args, "-d") || slices.Contains(p.Args, "-f")
}

// Static reports whether a daemon was started with static partitions.
func (p MPSProcess) Static() bool {
	return slices.Contains(p.Args, "-S") || slices.Contains(p.Args, "--static-partitioning")
}

// MPSAnswerKind is how one query of the control daemon ended. The zero value is
// no answer.
type MPSAnswerKind int

// How a query can end. The exit status decides little: it is 0 for an empty
// answer and for an unknown command (measured with 535 and 550).
const (
	MPSNotAsked       MPSAnswerKind = iota
	MPSAnswered                     // the daemon answered, and the answer could be parsed
	MPSBusy                         // another console was faster: "Cannot send command…", or status 1 and no output
	MPSEmpty                        // status 0 and no output
	MPSNoDaemon                     // "Cannot find MPS control daemon process"
	MPSHung                         // no answer in time
	MPSCutOff                       // no answer, and not known to be the daemon's fault: its caller had little time left, or one of the two was slow
	MPSNoTurn                       // the lock around all queries was not released in time
	MPSDenied                       // "Not enough privilege"
	MPSLibrary                      // status 244 and no output: libcuda.so.1 is missing (580)
	MPSProgramMissing               // there is no nvidia-cuda-mps-control
	MPSProgramDenied                // it cannot be executed
	MPSNonsense                     // anything else
)

// MPSAnswer is one query: the lines before the proof of the round trip, and
// that proof, the default active thread percentage.
type MPSAnswer struct {
	Kind       MPSAnswerKind
	Lines      []string
	Percentage float64 // above 0, at most 100
	Detail     string  // evidence for a person
}

// MPSServer is one nvidia-cuda-mps-server.
type MPSServer struct {
	PID   int
	UID   int    // -1: unknown
	State string // ACTIVE, INITIALIZING, FAULT; "" if the daemon has no such query (535)
	Alive bool   // its process exists
	Err   string // why State is unknown
}

// Start is the result of an attempt to start a unit over D-Bus.
type Start struct {
	// Refused is the name of StartUnit's D-Bus error, "" if a job was created.
	Refused string
	Detail  string
	// Result is that of the job (done, failed, canceled, timeout, dependency,
	// …), "" if the wait ended first.
	Result  string
	Elapsed time.Duration
}

// MPSOpinion is the orchestrator's view of MPS.
type MPSOpinion struct {
	Known   bool
	Enabled bool
	Source  string // where it was found
}
