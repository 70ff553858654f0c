// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Control judges the second rung: the daemon's answer. A look at the same moment shows
// which other process interferes.
func Control(a facts.MPSAnswer, m facts.MPS, w Wanted) []diag.Problem {
	p := diag.Problem{Subject: w.PipeDirectory, Seen: diag.Clean(a.Detail), Expected: "an answer to get_default_active_thread_percentage", Fix: diag.Do(w.restart()...)}
	switch a.Kind {
	case facts.MPSAnswered:
		return nil
	case facts.MPSNoDaemon:
		// The look came before or after the end of the daemon.
		p.Code, p.Message, p.Fix = diag.MPSDead, "the control program finds no daemon", diag.Do(w.start()...)
	case facts.MPSHung:
		p.Code, p.Message = diag.MPSWedged, "the MPS control daemon does not answer"
		p.Fix = diag.Do(w.kill(m.Lock.PID)...)
	case facts.MPSCutOff:
		return []diag.Problem{late(p, "the time was up before the MPS control daemon answered")}
	case facts.MPSBusy, facts.MPSEmpty:
		return []diag.Problem{busy(a, m, w, p)}
	case facts.MPSNoTurn:
		return []diag.Problem{late(p, "timed out waiting for other gates to finish querying the MPS control daemon")}
	case facts.MPSDenied:
		p.Code, p.Message = diag.MPSUser, "the MPS control daemon refuses this user"
	case facts.MPSLibrary:
		p.Code, p.Message = diag.MPSLibrary, "the control program exits without a message: libcuda.so.1 is missing"
		p.Fix = diag.Advise("install the driver's libcuda", w.restart()...).Looking(diag.Run("ldconfig", "-p"))
	case facts.MPSProgramMissing, facts.MPSProgramDenied:
		return []diag.Problem{Program(a, w)}
	case facts.MPSNonsense:
		p.Code, p.Message = diag.MPSNonsense, "the MPS control daemon's answer is invalid"
	default: // not asked: nothing is proven
		p.Code, p.Message = diag.MPSWedged, "the MPS control daemon was not queried"
	}
	return []diag.Problem{p}
}

// late is the problem of a query that was not over in time, although nothing is known to
// hang. A restart would end the servers of all clients.
func late(p diag.Problem, message string) diag.Problem {
	p.Code, p.Message, p.Fix = diag.MPSTimeout, message, diag.Do(diag.Retry()).Looking(diag.Run("justnews-gate", "mps", "status"))
	return p
}

// Program is the problem of a control program that cannot be run.
func Program(a facts.MPSAnswer, w Wanted) diag.Problem {
	p := diag.Found(diag.MPSMissing, "/usr/bin/"+control, "NVIDIA MPS is not installed",
		diag.Clean(a.Detail), "an executable program",
		diag.Advise("install the version of NVIDIA MPS that matches the driver (Debian: nvidia-cuda-mps)", w.start()...))
	if a.Kind == facts.MPSProgramDenied {
		p.Message = "the MPS control program cannot be executed"
	}
	return p
}

// busy names the consoles that keep the daemon busy; an answer lost
// without one is a different problem.
func busy(a facts.MPSAnswer, m facts.MPS, w Wanted, p diag.Problem) diag.Problem {
	var consoles []string
	var fix []diag.Command
	for _, one := range m.Others {
		if !one.Daemon() && one.Parent != "justnews-gate" {
			consoles = append(consoles, process(one))
			if fix == nil {
				fix = []diag.Command{end("TERM", one.PID), diag.Retry()}
			}
		}
	}
	switch {
	case len(consoles) > 0:
		p.Code, p.Message = diag.MPSBusy, "an open console of "+control+" keeps the daemon busy"
		p.Seen, p.Expected = strings.Join(consoles, "; ")+"; "+p.Seen, "no console other than the gates'"
		p.Fix = diag.Do(fix...)
	case m.Connections > 0:
		p.Code, p.Message = diag.MPSBusy, "a console that this user cannot see keeps the daemon busy"
		p.Seen = fmt.Sprintf("%s to %s/control; %s", diag.Count(m.Connections, "connection"), w.PipeDirectory, p.Seen)
		p.Fix = diag.Advise("end it", diag.Retry()).Looking(diag.Run("pgrep", "-af", control))
	case a.Kind == facts.MPSEmpty:
		p.Code, p.Message = diag.MPSEmpty, "the MPS control daemon returned an empty response"
	default:
		p.Code, p.Message = diag.MPSBusy, "the MPS control daemon closes every connection without an answer"
		p.Fix = diag.Advise(fmt.Sprintf("exit other consoles of %s", control), w.restart()...)
	}
	return p
}

// ActiveServer returns the server that serves the agents' user, nil where none
// is active. If the daemon does not report its state (535), it has to be running.
// The user of one that ProtectProc= hides is the daemon's, unless that is root.
func ActiveServer(servers []facts.MPSServer, m facts.MPS, w Wanted) *facts.MPSServer {
	for i, s := range servers {
		if w.uses(s, m) && s.Err == "" && (s.State == "ACTIVE" || s.State == "" && s.Alive) {
			return &servers[i]
		}
	}
	return nil
}

func (w Wanted) uses(s facts.MPSServer, m facts.MPS) bool {
	return w.UID == nil || s.UID == *w.UID || s.UID < 0 && runsAs(m) == *w.UID
}

// Initializing reports whether the server of the agents' user is being initialized,
// which takes the driver seconds for each GPU.
func Initializing(servers []facts.MPSServer, m facts.MPS, w Wanted) bool {
	return slices.ContainsFunc(servers, func(s facts.MPSServer) bool { return w.uses(s, m) && s.State == "INITIALIZING" })
}

// Servers judges the third rung.
func Servers(servers []facts.MPSServer, list facts.MPSAnswer, m facts.MPS, w Wanted) []diag.Problem {
	if list.Kind != facts.MPSAnswered {
		return Control(list, m, w)
	}
	if ActiveServer(servers, m, w) != nil {
		return nil
	}
	p := diag.Found(diag.MPSServer, w.PipeDirectory, "no MPS server is active",
		"the daemon lists no server", "a server in the state ACTIVE",
		diag.Advise("fix the error in the daemon's log", w.restart()...).Looking(diag.LogOf(w.name())))
	if w.UID != nil {
		p.Expected = fmt.Sprintf("a server of UID %d in the state ACTIVE", *w.UID)
	}
	var seen []string
	for _, s := range servers {
		text := fmt.Sprintf("server %d of UID %d is %s", s.PID, s.UID, diag.Clean(s.State))
		if s.UID < 0 {
			text = fmt.Sprintf("server %d, of an unknown user, is %s", s.PID, diag.Clean(s.State))
		}
		switch {
		case s.Err != "":
			text = fmt.Sprintf("server %d: %s", s.PID, diag.Clean(s.Err))
		case s.State == "":
			text = fmt.Sprintf("server %d is not running", s.PID)
		}
		seen = append(seen, text)
	}
	if len(seen) > 0 {
		p.Seen = strings.Join(seen, "; ")
	}
	if Initializing(servers, m, w) {
		p = late(p, "the MPS server is still being initialized")
	}
	return []diag.Problem{p}
}

// Opinion compares the MPS state reported by the orchestrator with the verified one,
// nil if they agree or it reports none. It decides nothing: an empty directory is
// enough for its "enabled", and a daemon in another directory than its own
// environment names is none for it.
func Opinion(o facts.MPSOpinion, reached Rung, url string) *diag.Problem {
	if !o.Known || o.Enabled == (reached > NoRung) {
		return nil
	}
	p := new(diag.Found(diag.MPSOpinion, url, "the orchestrator reports that MPS is enabled, but this could not be verified",
		fmt.Sprintf("%s is %t", diag.Clean(o.Source), o.Enabled), "the verified state: "+reached.String(),
		diag.Advise("fix the problem that mps status reports").Looking(diag.Run("justnews-gate", "mps", "status"))).As(diag.Warning))
	if !o.Enabled {
		p.Message = "the orchestrator reports that MPS is not enabled, but it was verified to be"
		p.Fix = diag.Advise("give the orchestrator's unit the CUDA_MPS_PIPE_DIRECTORY of the daemon (mps = { enabled = true } for its instance)", diag.Reload())
	}
	return p
}
