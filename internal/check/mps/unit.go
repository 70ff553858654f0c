// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Unit judges the control daemon's unit as Unit does, with one additional state: skipped.
// systemd reports the start of a unit whose condition is not met as "done", and leaves it
// inactive.
func Unit(u facts.Unit) check.Judgement {
	j := unit.Judge(u)
	if j.State == check.Idle && !u.ConditionResult && len(u.Conditions) > 0 {
		return check.Judgement{State: check.Failed, Reason: "systemd skipped it: " + diag.Clean(strings.Join(u.Conditions, ", ")) + " does not hold"}
	}
	return j
}

// UnitProblem is what keeps the unit from becoming active; j is its
// judgement.
func UnitProblem(u facts.Unit, j check.Judgement, w Wanted) diag.Problem {
	p := diag.Found(diag.MPSUnit, u.Name, "the unit of NVIDIA MPS cannot become active",
		j.Reason, "active", w.unitFix(u))
	if u.StatusText != "" {
		p.Seen += "; its status: " + diag.Clean(u.StatusText)
	}
	failed := u.NRestarts > 0 || strings.HasPrefix(u.SubState, "auto-restart")
	if !failed && (j.State == check.Pending || j.State == check.Unknown) {
		return late(p, "the unit of NVIDIA MPS did not become active in time")
	}
	if j.State == check.Failed && u.ActiveState == "inactive" && missesProgram(u) {
		p.Code, p.Message = diag.MPSMissing, "NVIDIA MPS is not installed: systemd skipped its unit"
		p.Fix = diag.Advise("install the version of NVIDIA MPS that matches the driver (Debian: nvidia-cuda-mps)", w.start()...)
	}
	return p
}

func missesProgram(u facts.Unit) bool {
	return slices.ContainsFunc(u.Conditions, func(c string) bool { return strings.HasSuffix(c, "/"+control) })
}

func (w Wanted) unitFix(u facts.Unit) diag.Fix {
	switch {
	case u.LoadState == "not-found":
		return diag.Advise(`install the unit, or name the right one in mps.unit ("" if it is not a unit of this host)`, append([]diag.Command{diag.Reload()}, w.start()...)...)
	case u.LoadState == "masked":
		return diag.Do(append([]diag.Command{check.Unmask(u)}, w.start()...)...)
	case u.LoadState != "loaded":
		return diag.Advise("fix the unit", append([]diag.Command{diag.Reload()}, w.start()...)...).Looking(diag.Run("systemd-analyze", "verify", "--", u.Name))
	case len(u.Conditions) > 0 && !u.ConditionResult:
		return diag.Advise("fix the unmet condition", w.start()...)
	default:
		return diag.Advise("fix the error in its log", w.start()...).Looking(diag.LogOf(u.Name))
	}
}

// NotStarted is the problem of a unit that a start did not make active. The caller is the
// user of a unit, or a person (manual).
func NotStarted(s facts.Start, u facts.Unit, w Wanted, caller string, manual bool) diag.Problem {
	switch {
	case unit.Denied(s.Refused):
		p := diag.Found(diag.MPSDenied, w.Unit, fmt.Sprintf("%s may not start it", caller),
			diag.Clean(strings.TrimPrefix(s.Refused, "org.freedesktop.DBus.Error.")+": "+s.Detail), "membership in the group justnews or justnews-operators, and the D-Bus service org.justnews.MPS1 of the package",
			diag.Do(append([]diag.Command{diag.Run("usermod", "-aG", "justnews", "--", caller)}, w.start()...)...))
		if manual { // agents' users are in the group justnews, and operators must not be
			p.Fix = diag.Do(diag.Run("sudo", "justnews-gate", "mps", "start"))
		}
		return p
	case strings.HasSuffix(s.Refused, ".UnitMasked"):
		u.LoadState = "masked"
		return UnitProblem(u, check.Judgement{State: check.Failed, Reason: "the unit is masked"}, w)
	case strings.HasSuffix(s.Refused, ".NoSuchUnit"):
		u.LoadState = "not-found"
		return UnitProblem(u, check.Judgement{State: check.Failed, Reason: "there is no such unit"}, w)
	case strings.HasSuffix(s.Refused, ".TransactionIsDestructive"):
		return diag.Found(diag.MPSUnit, w.Unit, "systemd does not start it: the host is shutting down, or a stop is queued",
			diag.Clean(s.Detail), "a start job", diag.Advise("wait for the jobs before it", w.start()...).Looking(diag.Run("systemctl", "list-jobs")))
	case s.Refused != "":
		return UnitProblem(u, check.Judgement{State: check.Failed, Reason: diag.Clean(s.Refused + ": " + s.Detail)}, w)
	}
	j := Unit(u)
	if s.Result != "" && s.Result != "done" {
		j.Reason = "its start job ended with " + diag.Quote(s.Result) + "; " + j.Reason
	}
	return UnitProblem(u, j, w)
}

// Deadlock returns the problem of a unit that systemd would only start after
// the caller's own: a gate that starts it waits for itself. chain is the way,
// each before the next.
func Deadlock(chain []string, conflicts bool, w Wanted) *diag.Problem {
	if len(chain) == 0 {
		return nil
	}
	p := new(diag.Found(diag.MPSDeadlock, w.Unit, "it is ordered after the instance whose gate starts it",
		strings.Join(chain, " before "), w.Unit+" that is not ordered after "+chain[0],
		diag.Advise("remove that After= or Before=", diag.Reload()).Looking(diag.Run(append([]string{"systemctl", "cat", "--"}, chain...)...))))
	if conflicts {
		p.Message = "it conflicts with the instance whose gate starts it: starting it would stop this instance"
		p.Seen = "Conflicts= of " + strings.Join(chain, " and ")
		p.Expected = "units that can run together"
		p.Fix = diag.Advise("remove that Conflicts=", diag.Reload()).Looking(diag.Run(append([]string{"systemctl", "cat", "--"}, chain...)...))
	}
	return p
}

// Waits returns how last comes to wait for first: the units between them, each
// of which systemd starts before the next, nil where it does not. Only units
// that have a job hold another back.
func Waits(first, last string, units map[string]facts.Unit) []string {
	before := map[string]string{} // unit -> the next one towards last
	queue := []string{last}
	for seen := map[string]bool{last: true}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, earlier := range predecessors(at, first, units) {
			if seen[earlier] {
				continue
			}
			seen[earlier], before[earlier] = true, at
			if earlier == first {
				return trace(first, last, before)
			}
			if u, known := units[earlier]; known && u.Job {
				queue = append(queue, earlier)
			}
		}
	}
	return nil
}

// predecessors are the units that at is ordered after, by its own After= or by
// first's Before=.
func predecessors(at, first string, units map[string]facts.Unit) []string {
	all := slices.Clone(units[at].After)
	if slices.Contains(units[first].Before, at) {
		all = append(all, first)
	}
	return all
}

func trace(first, last string, before map[string]string) []string {
	chain := []string{first}
	for at := first; at != last; chain = append(chain, at) {
		at = before[at]
	}
	return chain
}

// NotAsked is the problem of a unit that systemd could not be asked to start.
func NotAsked(w Wanted, seen string) diag.Problem {
	return diag.Found(diag.MPSUnit, w.Unit, "cannot ask systemd to start it",
		diag.Clean(seen), "a start job", w.afterDBus())
}

// NotReported is the problem of a unit for which systemd did not report whether it is
// active.
func NotReported(w Wanted) diag.Problem {
	return diag.Found(diag.MPSTimeout, w.Unit, "systemd did not report whether it is active",
		"no answer before the deadline", "active", w.afterDBus())
}

func (w Wanted) afterDBus() diag.Fix {
	return diag.Do(append([]diag.Command{diag.Run("systemctl", "start", "dbus.socket")}, w.start()...)...)
}
