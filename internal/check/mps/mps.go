// SPDX-License-Identifier: Apache-2.0

// Package mps judges NVIDIA MPS: the daemon, its unit, and what in an
// instance's unit prevents a program from using it. It mirrors
// internal/probe/mps.
package mps

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// Rung is how far MPS was verified. The zero value is
// the floor: nothing is verified.
type Rung int

// The rungs, as mps.require names them.
const (
	NoRung      Rung = iota
	RungDaemon       // a live daemon holds the lock of our pipe directory
	RungControl      // it answers on the control socket, and the answer parses
	RungServer       // a server for the agents' user is active
)

var rungNames = [...]string{NoRung: "none", RungDaemon: "daemon", RungControl: "control", RungServer: "server"}

// String returns the word of mps.require, "none" for the floor.
func (r Rung) String() string {
	if r < 0 || int(r) >= len(rungNames) {
		r = NoRung
	}
	return rungNames[r]
}

// MarshalText makes JSON contain the name instead of the number.
func (r Rung) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a name; an unknown one is NoRung.
func (r *Rung) UnmarshalText(name []byte) error {
	*r = rungNamed(string(name))
	return nil
}

func rungNamed(name string) Rung { return Rung(max(slices.Index(rungNames[:], name), int(NoRung))) }

// RungOf reads mps.require. An unknown word requires the highest rung.
func RungOf(require string) Rung {
	return cmp.Or(rungNamed(require), RungServer)
}

// control is the program's name; after an upgrade the kernel appends "(deleted)".
const control = "nvidia-cuda-mps-control"

// Daemon judges the first rung by a look. An error among the problems means
// that it was not reached.
func Daemon(m facts.MPS, w Wanted) []diag.Problem {
	switch {
	case m.Directory.Exists && !m.Directory.IsDir: // before: a file is closed to all as well
		return []diag.Problem{diag.Found(diag.MPSDirectory, w.PipeDirectory, "the pipe directory is not a directory",
			"a file", "a directory", diag.Do(append([]diag.Command{diag.Run("rm", "--", w.PipeDirectory)}, w.restart()...)...))}
	case m.Directory.Blocked != "":
		return []diag.Problem{blocked(m, w)}
	case !m.Lock.Held:
		return []diag.Problem{noDaemon(m, w)}
	}
	return byHolder(m, w)
}

// noDaemon judges a pipe directory whose lock is not held.
func noDaemon(m facts.MPS, w Wanted) diag.Problem {
	switch {
	case m.Lock.Err != "":
		return diag.Found(diag.MPSDirectory, w.PipeDirectory, "cannot determine whether an MPS control daemon is running",
			diag.Clean(m.Lock.Err), "a lock file that the user can open", diag.Do(w.restart()...).Looking(diag.Run("ls", "-l", "--", w.PipeDirectory)))
	case m.Listeners > 0 && !m.Directory.Exists && w.PrivateTmp && (safefile.Within("/tmp", w.PipeDirectory) || safefile.Within("/var/tmp", w.PipeDirectory)):
		return diag.Found(diag.MPSEnvironment, w.PipeDirectory, "the pipe directory was created after this unit's private /tmp (PrivateTmp=) and is missing there",
			"a daemon listens on "+w.PipeDirectory+"/control, which this process cannot see", "a daemon that was started before this unit",
			diag.Do(diag.Retry()))
	case m.Listeners > 0:
		return split(m, w, "a daemon listens on "+w.PipeDirectory+"/control, but its lock is not in the directory",
			"the pipe directory was deleted or replaced while its daemon was running, or is hidden from this process")
	case len(m.Elsewhere) > 0:
		return elsewhere(m, w)
	}
	seen := "no lock in " + w.PipeDirectory
	if w.OwnUnit && w.MainPID == 0 {
		return diag.Found(diag.MPSDead, w.PipeDirectory, "the MPS control daemon exited as soon as it was started",
			seen, "a daemon that keeps running", diag.Advise("fix the error in its log", w.start()...).Looking(diag.LogOf(w.Unit)))
	}
	switch {
	case !m.Directory.Exists:
		seen = w.PipeDirectory + " does not exist"
	case m.Lock.Exists:
		seen = w.PipeDirectory + "/control_lock is not locked"
	}
	if m.Socket {
		seen += "; the socket is stale"
	}
	return diag.Found(diag.MPSDead, w.PipeDirectory, "no MPS control daemon is running",
		seen, "a daemon that holds "+w.PipeDirectory+"/control_lock", diag.Do(w.start()...))
}

// elsewhere names the daemons that run in other directories, and both lines
// that fix it.
func elsewhere(m facts.MPS, w Wanted) diag.Problem {
	var seen []string
	for _, dir := range m.Elsewhere {
		text := dir
		at := slices.IndexFunc(m.Others, func(p facts.MPSProcess) bool { return p.Daemon() && p.PipeDirectory == dir })
		if at >= 0 {
			text += " (" + process(m.Others[at]) + ")"
		}
		seen = append(seen, text)
	}
	if ours := slices.IndexFunc(m.Others, w.isUnits); ours >= 0 {
		return diag.Found(diag.MPSEnvironment, w.PipeDirectory, "the instance would look for MPS in a pipe directory other than that of "+w.Unit,
			diag.Clean(strings.Join(seen, ", ")), "CUDA_MPS_PIPE_DIRECTORY="+diag.Clean(m.Others[ours].PipeDirectory),
			diag.Advise("remove CUDA_MPS_PIPE_DIRECTORY from /etc/justnews/*.env and the instance's drop-ins", diag.Reload()))
	}
	other := m.Elsewhere[0]
	return diag.Found(diag.MPSElsewhere, w.PipeDirectory, "an MPS control daemon is running with a different pipe directory",
		"daemons in "+diag.Clean(strings.Join(seen, ", ")), fmt.Sprintf("one in %s; to use the other one, write pipe_directory = %q under [mps] in /etc/justnews/justnews.toml, then: systemctl daemon-reload",
			w.PipeDirectory, diag.Clean(other)),
		diag.Do(append([]diag.Command{quit(other)}, w.start()...)...))
}

// isUnits reports whether a process is the daemon of the configured unit.
func (w Wanted) isUnits(p facts.MPSProcess) bool {
	return p.Daemon() && w.Unit != "" && (p.Unit == w.Unit || w.MainPID > 0 && p.PID == w.MainPID)
}

func blocked(m facts.MPS, w Wanted) diag.Problem {
	p := diag.Found(diag.MPSDirectory, w.PipeDirectory, "the pipe directory is not accessible",
		"no search permission on "+m.Directory.Blocked, "mode 0755 on every directory of the path",
		diag.Do(diag.Run("chmod", "0755", "--", m.Directory.Blocked), diag.Retry()))
	if m.Directory.Exists && m.Directory.Blocked == w.PipeDirectory {
		p.Seen += fmt.Sprintf(" (mode %#o, UID %d)", m.Directory.Mode, m.Directory.UID)
	}
	return p
}

func split(m facts.MPS, w Wanted, seen, message string) diag.Problem {
	return diag.Found(diag.MPSSplit, w.PipeDirectory, message,
		seen, "one daemon, and its sockets where clients look for them", diag.Do(append(endAll(m, w), w.restart()...)...))
}

// endAll ends every daemon of the pipe directory: those that can be seen by
// their numbers.
func endAll(m facts.MPS, w Wanted) []diag.Command {
	var pids []string
	if m.Lock.PID > 0 {
		pids = append(pids, strconv.Itoa(m.Lock.PID))
	}
	for _, p := range m.Others {
		if p.Daemon() && p.PipeDirectory == w.PipeDirectory {
			pids = append(pids, strconv.Itoa(p.PID))
		}
	}
	if len(pids) < max(m.Listeners, 1) { // the [n] keeps the shell that runs this alive
		return []diag.Command{end("KILL", 0)}
	}
	return []diag.Command{append(diag.Run("kill", "-KILL"), pids...)}
}

func holder(m facts.MPS) string {
	if m.Daemon != nil {
		return process(*m.Daemon)
	}
	if m.Lock.PID > 0 {
		return fmt.Sprintf("PID %d", m.Lock.PID)
	}
	return "a process of another PID namespace"
}

func process(p facts.MPSProcess) string {
	s := fmt.Sprintf("PID %d", p.PID)
	if p.UID >= 0 {
		s += fmt.Sprintf(", UID %d", p.UID)
	}
	if p.Unit != "" {
		s += ", of " + diag.Clean(p.Unit)
	}
	return s
}

// Unseen is the problem of a daemon of which nothing but its lock can be
// seen, if the lock is the only evidence.
func Unseen(m facts.MPS, w Wanted) *diag.Problem {
	if m.Daemon != nil && m.Daemon.Exe != "" {
		return nil
	}
	return new(diag.Found(diag.MPSUser, w.PipeDirectory, "could not check which process holds the lock of the MPS control daemon",
		holder(m)+", hidden from this user", "a process of "+control+" that is visible to this user",
		diag.Advise("run the daemon as the instances' user, or write require = \"control\" under [mps] in /etc/justnews/justnews.toml", diag.Reload())))
}

// Hopeless reports whether waiting cannot help. A daemon that is not running yet may
// start, and a busy one may become free.
func Hopeless(reached Rung, problems []diag.Problem, w Wanted) bool {
	if w.OwnUnit && w.MainPID == 0 {
		return true
	}
	for _, p := range diag.Errors(problems) {
		switch p.Code {
		case diag.MPSDead, diag.MPSTimeout, diag.MPSWedged: // it may be continued, and systemd may answer later
		case diag.MPSUser, diag.MPSMissing, diag.MPSLibrary, diag.MPSLimit, diag.MPSPartition:
			return true
		default:
			if reached == NoRung {
				return true
			}
		}
	}
	return false
}

// Wanted is what MPS has to be.
type Wanted struct {
	config.MPS

	Unused     bool // nothing uses it
	UnitActive bool // systemd says that it is active, or starting its proof
	MainPID    int  // of the unit, 0 where it is not known
	Silent     bool // systemd did not answer: MainPID may be outdated
	OwnUnit    bool // this process is a part of the unit: without a MainPID its daemon has ended
	UID        *int // whom the agents run as, nil: not known
	PrivateTmp bool // this process has a /tmp of its own
}

func (w Wanted) name() string {
	return cmp.Or(w.Unit, "the MPS control daemon")
}

// start starts MPS again: if it is not a unit of this host, with the runbook's line
// does.
func (w Wanted) start() []diag.Command {
	switch {
	case w.Unit == "":
		return []diag.Command{diag.Run("env", "CUDA_MPS_PIPE_DIRECTORY="+w.PipeDirectory, control, "-d"), diag.Retry()}
	case w.Unused: // a retry starts it for those that use it
		return []diag.Command{diag.Run("justnews-gate", "mps", "start")}
	}
	return []diag.Command{diag.Retry()}
}

func (w Wanted) restart() []diag.Command {
	if w.Unit == "" {
		return append([]diag.Command{quit(w.PipeDirectory)}, w.start()...)
	}
	return diag.Restart(w.Unit)
}

func (w Wanted) kill(pid int) []diag.Command {
	if w.Unit == "" || !w.UnitActive {
		return append([]diag.Command{end("KILL", pid)}, w.start()...)
	}
	return append([]diag.Command{diag.Run("systemctl", "kill", "-s", "SIGKILL", "--", w.Unit)}, w.restart()...)
}

// quit ends the daemon of a pipe directory as described in its manual.
func quit(dir string) diag.Command {
	return diag.Run("sh", "-c", `echo quit | CUDA_MPS_PIPE_DIRECTORY="$1" `+control, "sh", dir)
}

// end ends a process by its number. The number of one in another PID namespace
// is not known, and 0 would be the group of the shell that runs this; the [n]
// keeps that shell alive.
func end(signal string, pid int) diag.Command {
	if pid > 0 {
		return diag.Run("kill", "-"+signal, strconv.Itoa(pid))
	}
	return diag.Run("pkill", "-"+signal, "-f", "[n]vidia-cuda-mps-control")
}
