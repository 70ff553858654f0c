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
		return []diag.Problem{{
			Code: diag.MPSDead, Subject: w.PipeDirectory, Message: "the MPS control daemon does not listen",
			Seen: holder(m) + " holds the lock, and there is no control socket", Expected: "a daemon that listens on " + w.PipeDirectory + "/control", Fix: diag.Do(w.restart()...),
		}}
	case !m.Socket:
		return []diag.Problem{split(m, w, "no control socket in "+w.PipeDirectory+", although "+holder(m)+" holds the lock",
			"the control socket was deleted while the daemon was running")}
	case m.Daemon != nil && m.Daemon.Exe != "" && path.Base(strings.TrimSuffix(m.Daemon.Exe, " (deleted)")) != control:
		return []diag.Problem{{
			Code: diag.MPSStray, Subject: w.PipeDirectory, Message: "another program holds the lock of the MPS control daemon",
			Seen: fmt.Sprintf("PID %d, %s", m.Daemon.PID, diag.Clean(m.Daemon.Exe)), Expected: control,
			Fix: diag.Do(append([]diag.Command{end("TERM", m.Daemon.PID)}, w.restart()...)...),
		}}
	case w.OwnUnit && w.MainPID == 0, w.MainPID > 0 && m.Lock.PID != w.MainPID:
		return []diag.Problem{stray(m, w)}
	case m.Daemon != nil && (m.Daemon.State == "T" || m.Daemon.State == "t"):
		return []diag.Problem{{
			Code: diag.MPSWedged, Subject: w.PipeDirectory, Message: "the MPS control daemon is stopped",
			Seen: holder(m) + ", state " + m.Daemon.State + " (stopped)", Expected: "a running daemon",
			Fix: diag.Do(w.kill(m.Daemon.PID)...),
		}}
	}
	return append(user(m, w), exposed(m, w)...)
}

// exposed warns of what may later cut off the clients of a daemon that works.
func exposed(m facts.MPS, w Wanted) []diag.Problem {
	var problems []diag.Problem
	if m.Err != "" {
		problems = append(problems, diag.Problem{
			Code: diag.MPSSplit, Severity: diag.Warning, Subject: w.PipeDirectory, Message: "could not check whether another MPS control daemon is running",
			Seen: diag.Clean(m.Err), Expected: "a readable /proc", Fix: diag.Advise("mount /proc, with its net/unix, for this unit (ProcSubset=all)", diag.Retry()),
		})
	}
	if m.Directory.Mode&0o002 != 0 {
		problems = append(problems, diag.Problem{
			Code: diag.MPSDirectory, Severity: diag.Warning, Subject: w.PipeDirectory, Message: "the pipe directory is world-writable: any user can replace the daemon's sockets",
			Seen: fmt.Sprintf("mode %#o, user id %d", m.Directory.Mode, m.Directory.UID), Expected: "mode 0755", Fix: diag.Do(diag.Run("chmod", "0755", "--", w.PipeDirectory)),
		})
	}
	if len(m.Elsewhere) > 0 {
		other := elsewhere(m, w)
		other.Severity, other.Message = diag.Warning, "another MPS control daemon is running with a different pipe directory"
		other.Expected = "no daemon other than that in " + w.PipeDirectory
		other.Fix = diag.Do(quit(m.Elsewhere[0]))
		problems = append(problems, other)
	}
	if m.Daemon != nil && strings.HasSuffix(m.Daemon.Exe, " (deleted)") {
		problems = append(problems, diag.Problem{
			Code: diag.MPSStray, Severity: diag.Warning, Subject: w.PipeDirectory,
			Message: "the program of the MPS control daemon was replaced after its start",
			Seen:    diag.Clean(m.Daemon.Exe), Expected: "the installed one", Fix: diag.Do(w.restart()...),
		})
	}
	return problems
}

func stray(m facts.MPS, w Wanted) diag.Problem {
	first := end("TERM", m.Lock.PID)
	if m.Daemon != nil && strings.HasSuffix(m.Daemon.Unit, ".service") && !strings.HasPrefix(m.Daemon.Unit, "user@") && m.Daemon.Unit != w.Unit {
		first = diag.Run("systemctl", "stop", "--", m.Daemon.Unit)
	}
	p := diag.Problem{
		Code: diag.MPSStray, Subject: w.PipeDirectory, Message: "the MPS control daemon does not belong to " + w.Unit,
		Seen: holder(m), Expected: fmt.Sprintf("PID %d, the main process of %s", w.MainPID, w.Unit), Fix: diag.Do(append([]diag.Command{first}, w.restart()...)...),
	}
	if w.MainPID == 0 {
		p.Expected = "the main process of " + w.Unit + ", which has ended: only one daemon can have the directory"
	}
	return p
}

// user compares the daemon's user with the agents'. If ProtectProc= hides the process,
// the owner of its socket counts.
func user(m facts.MPS, w Wanted) []diag.Problem {
	if w.UID == nil { // by hand, where the user of the configuration does not exist
		return []diag.Problem{{
			Code: diag.MPSUser, Severity: diag.Warning, Subject: w.PipeDirectory, Message: "could not check the user of the MPS control daemon: the agents' user is unknown",
			Seen: fmt.Sprintf("daemon of user id %d", runsAs(m)), Expected: "a user named by service.user",
			Fix: diag.Advise("create that user, or correct service.user in /etc/justnews/justnews.toml", diag.Retry()).Looking(diag.Run("getent", "passwd")),
		}}
	}
	owner := runsAs(m)
	if owner == *w.UID {
		return nil
	}
	p := diag.Problem{
		Code: diag.MPSUser, Subject: w.PipeDirectory, Message: "the MPS control daemon runs as a different user than the agents",
		Seen: fmt.Sprintf("daemon of user id %d", owner), Expected: fmt.Sprintf("user id %d", *w.UID),
		Fix: diag.Advise(fmt.Sprintf("give %s the User= of the instances", w.name()), append([]diag.Command{diag.Reload()}, w.restart()...)...),
	}
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
