// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/unitname"
)

// Port judges which process listens on an instance's port.
func Port(u facts.Unit, p facts.Port) []diag.Problem {
	up := u.MainPID > 0 && u.ActiveState != "inactive" && u.ActiveState != "failed" // also while it starts or stops
	switch {
	case !p.Known:
		return nil
	case len(p.UIDs) == 0 && up:
		return []diag.Problem{diag.New(diag.PortSilent, u.Name, "it is running, but does not listen on its port (yet)",
			diag.Fix{}.Looking(diag.LogOf(u.Name))).As(diag.Notice)}
	case len(p.UIDs) == 0, up && ownListener(u, p):
		return nil
	}
	return []diag.Problem{diag.Found(diag.PortTaken, fmt.Sprintf("port %d", p.Port), "another program listens on the port of "+u.Name,
		Holders(p), "no listener, or "+u.Name+" itself", freePort(p))}
}

// ownListener reports whether the unit itself listens: by its processes if they
// are visible, otherwise by its user.
func ownListener(u facts.Unit, p facts.Port) bool {
	if len(p.Processes) > 0 {
		return slices.ContainsFunc(p.Processes, func(q facts.Process) bool { return q.Unit == u.Name || q.PID == u.MainPID })
	}
	return u.UID == nil || !slices.ContainsFunc(p.UIDs, func(uid int) bool { return uid != *u.UID })
}

// Holders names the processes that listen on a port, as far as they are visible.
func Holders(p facts.Port) string {
	var names []string
	for _, q := range p.Processes {
		name := fmt.Sprintf("%s (PID %d)", diag.Clean(q.Name), q.PID)
		if q.Unit != "" {
			name += " of " + diag.Clean(q.Unit)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		names = lists.Map(p.UIDs, func(uid int) string { return fmt.Sprintf("a process of UID %d", uid) })
	}
	return strings.Join(names, ", ")
}

func freePort(p facts.Port) diag.Fix {
	if len(p.Processes) > 0 && unitname.Instance(p.Processes[0].Unit) != "" {
		return diag.Do(diag.Run("systemctl", "stop", "--", p.Processes[0].Unit), diag.Retry())
	}
	return diag.Advise("stop the program that listens there, or give the instance another port", diag.Retry()).Looking(listener(p.Port))
}

func listener(port int) diag.Command {
	return diag.Run("ss", "-ltnp", fmt.Sprintf("sport = :%d", port))
}

// NotOurs is the problem of a port that no unit of ours holds, so that nothing was
// stopped.
func NotOurs(instance string, p facts.Port) diag.Problem {
	return diag.Found(diag.PortTaken, fmt.Sprintf("port %d", p.Port), "no JustNews unit holds the port of "+instance+": nothing was stopped",
		Holders(p), "a free port", diag.Advise("stop it yourself").Looking(listener(p.Port)))
}

// NotStopped is the problem of a unit that holds a port and could not be stopped.
func NotStopped(unit, instance string, port int, seen string) diag.Problem {
	return diag.Found(diag.PortTaken, fmt.Sprintf("port %d", port), "cannot stop "+unit+", which holds the port of "+instance,
		diag.Clean(seen), "a free port", diag.Do(diag.Run("sudo", "systemctl", "stop", "--", unit)))
}
