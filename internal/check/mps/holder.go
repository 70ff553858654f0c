// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"path"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func byHolder(m facts.MPS, w Wanted) []diag.Problem {
	switch {
	case m.Listeners > 1:
		return []diag.Problem{split(m, w, fmt.Sprintf("%d daemons listen on %s/control", m.Listeners, w.PipeDirectory),
			"a second daemon runs in the pipe directory of the first")}
	case !m.Socket && m.Listeners == 0: // it takes its lock first, and may be about to
		return []diag.Problem{diag.Found(diag.MPSDead, w.PipeDirectory, "the MPS control daemon does not listen",
			holder(m)+" holds the lock, and there is no control socket", "a daemon that listens on "+w.PipeDirectory+"/control", diag.Do(w.restart()...))}
	case !m.Socket:
		return []diag.Problem{split(m, w, "no control socket in "+w.PipeDirectory+", although "+holder(m)+" holds the lock",
			"the control socket was deleted while the daemon was running")}
	case m.Daemon != nil && m.Daemon.Exe != "" && path.Base(strings.TrimSuffix(m.Daemon.Exe, " (deleted)")) != control:
		return []diag.Problem{diag.Found(diag.MPSStray, w.PipeDirectory, "another program holds the lock of the MPS control daemon",
			fmt.Sprintf("PID %d, %s", m.Daemon.PID, diag.Clean(m.Daemon.Exe)), control,
			diag.Do(append([]diag.Command{end("TERM", m.Daemon.PID)}, w.restart()...)...))}
	case !w.OwnUnit && w.MainPID > 0 && m.Lock.PID != w.MainPID && w.Silent: // systemd may have started it again
		p := NotReported(w)
		p.Seen = fmt.Sprintf("no answer; %s holds the lock, the unit's main process was PID %d", holder(m), w.MainPID)
		return []diag.Problem{p}
	case w.OwnUnit && w.MainPID == 0, w.MainPID > 0 && m.Lock.PID != w.MainPID:
		return []diag.Problem{stray(m, w)}
	case m.Daemon != nil && (m.Daemon.State == "T" || m.Daemon.State == "t"):
		return []diag.Problem{diag.Found(diag.MPSWedged, w.PipeDirectory, "the MPS control daemon is stopped",
			holder(m)+", state "+m.Daemon.State+" (stopped)", "a running daemon", diag.Do(w.kill(m.Daemon.PID)...))}
	}
	return append(user(m, w), exposed(m, w)...)
}

// exposed warns of what may later cut off the clients of a daemon that works.
func exposed(m facts.MPS, w Wanted) []diag.Problem {
	var problems []diag.Problem
	if m.Err != "" {
		problems = append(problems, diag.Found(diag.MPSSplit, w.PipeDirectory, "could not check whether another MPS control daemon is running",
			diag.Clean(m.Err), "a readable /proc", diag.Advise("mount /proc, with its net/unix, for this unit (ProcSubset=all)", diag.Retry())).As(diag.Warning))
	}
	if m.Directory.Mode&0o002 != 0 {
		problems = append(problems, diag.Found(diag.MPSDirectory, w.PipeDirectory, "the pipe directory is world-writable: any user can replace the daemon's sockets",
			fmt.Sprintf("mode %#o, UID %d", m.Directory.Mode, m.Directory.UID), "mode 0755",
			diag.Do(diag.Run("chmod", "0755", "--", w.PipeDirectory))).As(diag.Warning))
	}
	if len(m.Elsewhere) > 0 {
		other := elsewhere(m, w)
		other.Severity, other.Message = diag.Warning, "another MPS control daemon is running with a different pipe directory"
		other.Expected = "no daemon other than that in " + w.PipeDirectory
		other.Fix = diag.Do(quit(m.Elsewhere[0]))
		problems = append(problems, other)
	}
	if m.Daemon != nil && strings.HasSuffix(m.Daemon.Exe, " (deleted)") {
		problems = append(problems, diag.Found(diag.MPSStray, w.PipeDirectory, "the program of the MPS control daemon was replaced after its start",
			diag.Clean(m.Daemon.Exe), "the installed one", diag.Do(w.restart()...)).As(diag.Warning))
	}
	return problems
}

func stray(m facts.MPS, w Wanted) diag.Problem {
	first := end("TERM", m.Lock.PID)
	if m.Daemon != nil && strings.HasSuffix(m.Daemon.Unit, ".service") && !strings.HasPrefix(m.Daemon.Unit, "user@") && m.Daemon.Unit != w.Unit {
		first = diag.Run("systemctl", "stop", "--", m.Daemon.Unit)
	}
	p := diag.Found(diag.MPSStray, w.PipeDirectory, "the MPS control daemon does not belong to "+w.Unit,
		holder(m), fmt.Sprintf("PID %d, the main process of %s", w.MainPID, w.Unit), diag.Do(append([]diag.Command{first}, w.restart()...)...))
	if w.MainPID == 0 {
		p.Expected = "the main process of " + w.Unit + ", which has ended: only one daemon can have the directory"
	}
	return p
}

// user compares the daemon's user with the agents'. If ProtectProc= hides the process,
// the owner of its socket counts.
func user(m facts.MPS, w Wanted) []diag.Problem {
	if w.UID == nil { // by hand, where the user of the configuration does not exist
		return []diag.Problem{diag.Found(diag.MPSUser, w.PipeDirectory, "could not check the user of the MPS control daemon: the agents' user is unknown",
			fmt.Sprintf("daemon of UID %d", runsAs(m)), "a user named by service.user",
			diag.Advise("create that user, or correct service.user in /etc/justnews/justnews.toml", diag.Retry()).Looking(diag.Run("getent", "passwd"))).As(diag.Warning)}
	}
	owner := runsAs(m)
	if owner == *w.UID {
		return nil
	}
	p := diag.Found(diag.MPSUser, w.PipeDirectory, "the MPS control daemon runs as a different user than the agents",
		fmt.Sprintf("daemon of UID %d", owner), fmt.Sprintf("UID %d", *w.UID),
		diag.Advise(fmt.Sprintf("give %s the User= of the instances", w.name()), append([]diag.Command{diag.Reload()}, w.restart()...)...))
	if owner == 0 {
		// It serves them one user at a time.
		p.Severity = diag.Warning
		p.Message = "the MPS control daemon runs as root: it serves one user at a time, and others wait without a message"
	}
	return []diag.Problem{p}
}

func runsAs(m facts.MPS) int {
	if m.Daemon != nil && m.Daemon.UID >= 0 {
		return m.Daemon.UID
	}
	return m.SocketUID
}
