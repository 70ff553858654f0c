// SPDX-License-Identifier: Apache-2.0

// Package unit judges units of the service manager: their states, the gate
// before them, the mark of the configuration and the files that override them.
// It mirrors internal/probe/systemd and internal/probe/unitfiles.
package unit

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"justnews/internal/check"
	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// Failure returns the problem of an instance whose unit has failed, nil for
// any other state.
func Failure(u facts.Unit) *diag.Problem {
	j := Judge(u)
	if u.LoadState != "loaded" || j.State != check.Failed {
		return nil
	}
	return new(WithSetup(diag.Found(diag.UnitFailed, u.Name, "the instance has failed",
		j.Reason, "active", fixOf(u)), u))
}

// Ended returns a unit that has failed as it is after its last try, also between two.
func Ended(u facts.Unit) facts.Unit {
	if WordOf(u, true) == Failed {
		u.ActiveState, u.SubState = "failed", "failed"
	}
	return u
}

// Judge judges a unit that something else needs. Failed means that waiting is
// pointless; Idle that nothing is under way to start it. A unit between two
// automatic restarts, or with a job, is Pending whatever its last result.
func Judge(u facts.Unit) check.Judgement {
	switch u.LoadState {
	case "loaded":
	case "":
		return check.Judgement{Reason: "systemd did not report its state"}
	case "not-found":
		return check.Judgement{State: check.Failed, Reason: "there is no such unit"}
	default: // masked, bad-setting, error, …
		return check.Judgement{State: check.Failed, Reason: "the unit is " + diag.Quote(u.LoadState)}
	}
	switch {
	case u.ActiveState == "active" || u.ActiveState == "reloading" || u.ActiveState == "refreshing":
		return check.Judgement{State: check.Ready, Reason: u.ActiveState}
	case u.ActiveState == "failed" && !u.Job && !strings.Contains(u.SubState, "auto-restart"): // failed-before-auto-restart, too
		return check.Judgement{State: check.Failed, Reason: FailureText(u)}
	case u.ActiveState == "inactive" && !u.Job && !strings.Contains(u.SubState, "auto-restart"):
		return check.Judgement{State: check.Idle, Reason: "inactive, and no job is queued for it"}
	case u.ActiveState == "":
		return check.Judgement{Reason: "systemd did not report its state"}
	default:
		return check.Judgement{State: check.Pending, Reason: fmt.Sprintf("%s (%s)", diag.Clean(u.ActiveState), diag.Clean(u.SubState))}
	}
}

// FailureText names a unit's result as systemctl status does.
func FailureText(u facts.Unit) string {
	s := "failed (Result: " + diag.Clean(u.Result) + ")"
	switch {
	case u.ExecMainCode == facts.CodeExited && u.ExecMainStatus != 0:
		s += fmt.Sprintf(", its main process exited with status %d", u.ExecMainStatus)
	case (u.ExecMainCode == facts.CodeKilled || u.ExecMainCode == facts.CodeDumped) && u.ExecMainStatus != 0:
		s += fmt.Sprintf(", its main process was killed by signal %d", u.ExecMainStatus)
	}
	return s
}

// Problems reports a unit that cannot become ready, and warns about one that is not being
// started: it may be started later, and its server may run outside it.
func Problems(u facts.Unit, code diag.Code, what string) []diag.Problem {
	switch j := Judge(u); j.State {
	case check.Failed:
		return []diag.Problem{WithSetup(diag.Found(code, u.Name, what+" cannot become ready",
			j.Reason, "a loaded unit that is active", fixOf(u)), u)}
	case check.Idle:
		return []diag.Problem{diag.Found(code, u.Name, what+" is not started",
			j.Reason, "active", diag.Do(diag.Retry())).As(diag.Warning)}
	default:
		return nil
	}
}

func fixOf(u facts.Unit) diag.Fix {
	switch {
	case u.LoadState == "not-found":
		return diag.Advise("install the unit, or name the right instance in justnews.toml (\"\" if it runs on another host)", diag.Reload())
	case u.LoadState == "masked":
		return diag.Do(check.Unmask(u), diag.Retry())
	case u.LoadState != "loaded":
		return diag.Advise("fix the unit", diag.Reload()).Looking(diag.Run("systemd-analyze", "verify", "--", u.Name))
	case u.Result == "oom-kill":
		return diag.Advise("free memory, add swap or raise memory_max", diag.Retry()).Looking(diag.LogOf(u.Name))
	default:
		return diag.Advise("fix the error in its log", diag.Retry()).Looking(diag.LogOf(u.Name))
	}
}

// GateRefused is the message of a unit that its gate keeps down: what it was refused
// by is a finding of its own.
const GateRefused = "its gate refuses it"

// KeptDown is Failure, and for a unit that its gate keeps down the refusal.
func KeptDown(u facts.Unit) *diag.Problem {
	code, text := Refusal(u)
	if code == "" || !LastRefused(u) {
		return Failure(u)
	}
	return &diag.Problem{Code: diag.UnitFailed, Subject: u.Name, Message: GateRefused, Seen: diag.Clean(text), Fix: diag.Do(diag.Retry())}
}

// NotUp is the problem of a unit that was started and is not up.
func NotUp(name string, u facts.Unit) diag.Problem {
	if p := KeptDown(Ended(u)); p != nil {
		if p.Message == GateRefused {
			p.Fix = diag.Advise("do what its gate advises", diag.Retry()).Looking(diag.LogOf(name))
		}
		return *p
	}
	j := Judge(u)
	p := diag.Found(diag.UnitFailed, name, "it is not up",
		j.Reason, "active", diag.Fix{}.Looking(diag.LogOf(name)))
	if WordOf(u, true).Pending() {
		p.Code, p.Message = diag.UnitStarting, "it is not up yet"
		if u.StatusText != "" {
			p.Seen += "; its status: " + diag.Clean(u.StatusText)
		}
		p.Fix = diag.Advise("wait, or fix what its status says").Looking(diag.Run("justnews-gate", "status"))
	}
	return p
}

// NoSystemd is what is not done or not known because there is no systemd to ask:
// nothing may be wrong with that, as in a container.
func NoSystemd(severity diag.Severity, subject, so string) diag.Problem {
	return diag.New(diag.NoSystemd, subject, "systemd is not available on this machine, so "+so,
		diag.Advise("nothing to do in a container without systemd", startDBus())).As(severity)
}

// SystemdSilent is the warning of a question that systemd did not answer.
func SystemdSilent(subject, so, why string) diag.Problem {
	return diag.Found(diag.NoSystemd, subject, "systemd is running but cannot be queried, so "+so,
		diag.Clean(why), "", diag.Do(startDBus())).As(diag.Warning)
}

// NotDone returns the problem of a request that systemd did not carry out: of a caller that
// polkit did not authorize, or with err of a systemd that did not answer. It is nil if neither
// is the case. The verb is what was requested, such as "start".
func NotDone(unit, verb string, s facts.Start, err error) *diag.Problem {
	var p diag.Problem
	switch {
	case err != nil:
		p = diag.Found(diag.NoSystemd, unit, "cannot "+verb+" it, since systemd cannot be queried", diag.Clean(err.Error()), "", diag.Do(startDBus(), diag.Retry()))
	case Denied(s.Refused):
		p = diag.Found(diag.UnitDenied, unit, "this user is not allowed to "+verb+" it",
			diag.Clean(s.Detail), "root, or a user authorized by polkit to manage the units", diag.Do(diag.Run("sudo", "justnews-gate", "retry")))
	case s.Refused != "":
		p = diag.Found(diag.UnitFailed, unit, "systemd does not "+verb+" it", diag.Clean(s.Detail), "", diag.Do(diag.Retry()).Looking(diag.Run("systemctl", "status", "--", unit), diag.Run("systemctl", "list-jobs")))
	default:
		return nil
	}
	return &p
}

// Denied reports whether the name of a D-Bus error means that polkit denied a request, or that
// there is no polkit.
func Denied(name string) bool {
	return strings.HasSuffix(name, ".InteractiveAuthorizationRequired") || strings.HasSuffix(name, ".AccessDenied") ||
		strings.HasSuffix(name, ".AuthFailed") || strings.HasPrefix(name, "org.freedesktop.PolicyKit1.Error")
}

// NotServed is the problem of a service that cannot get its name on D-Bus.
func NotServed(why string) diag.Problem {
	return diag.Found(diag.NoSystemd, "", "cannot serve on D-Bus",
		diag.Clean(why), "the system bus, and root's right to own the name", diag.Do(startDBus()))
}

func startDBus() diag.Command { return diag.Run("systemctl", "start", "dbus.socket") }

// StatusUnknown is the warning that the unit may treat a refusal's exit status as success.
func StatusUnknown(unit string, status diag.Status) diag.Problem {
	return diag.Found(diag.StatusOpens, unit, fmt.Sprintf("systemd did not report whether SuccessExitStatus= lists %d: a signal ends the process instead", status),
		"", "an answer over D-Bus",
		diag.Advise("make D-Bus work again; the start remains refused", diag.Run("systemctl", "status", "dbus.socket"))).As(diag.Warning)
}

// StatusListed is the warning of a refusal whose exit status the unit takes for a
// success.
func StatusListed(unit string, status diag.Status, successes []int, instead string) diag.Problem {
	return diag.Found(diag.StatusOpens, unit, fmt.Sprintf("SuccessExitStatus= lists %d, which would open the gate: %s", status, instead),
		fmt.Sprintf("SuccessExitStatus=%v", successes), "no exit status of justnews-gate",
		diag.Advise(fmt.Sprintf("remove %d from SuccessExitStatus=", status), diag.Run("systemctl", "edit", "--", unit), diag.Reload())).As(diag.Warning)
}

// unstarted is why systemd could not execute a unit's command. It then ends the process
// itself, with one of its own statuses from 200 up (systemd.exec(5), Process Exit Codes).
type unstarted struct {
	text string // "its program /p cannot be executed (203/EXEC)"
	fix  diag.Fix
}

// unstartedBy reports what kept a unit's last command from being executed; ok is
// false where nothing did.
func unstartedBy(u facts.Unit) (unstarted, bool) {
	if u.ExecMainCode == facts.CodeExited && u.ExecMainStatus >= firstOfSystemd {
		return setupFailed(u, u.ExecMainStatus, u.Service.ExecStart), true
	}
	for _, e := range u.ExecStartPre {
		if e.Code == facts.CodeExited && e.Status >= firstOfSystemd {
			return setupFailed(u, e.Status, []facts.Exec{e}), true
		}
	}
	return unstarted{}, false
}

// WithSetup names what kept the process of a unit from being set up, and its fix.
func WithSetup(p diag.Problem, u facts.Unit) diag.Problem {
	if why, ok := unstartedBy(u); ok {
		p.Message += ": " + why.text
		p.Fix = why.fix
	}
	return p
}

const firstOfSystemd = 200

// setups are systemd's names for its statuses, and what each is about.
var setups = map[int]struct{ name, what string }{
	200: {"CHDIR", ""}, 203: {"EXEC", ""}, 216: {"GROUP", ""}, 217: {"USER", ""},
	226: {"NAMESPACE", "its sandbox"}, 209: {"STDOUT", "its standard output"},
	233: {"RUNTIME_DIRECTORY", "/run"}, 238: {"STATE_DIRECTORY", "/var/lib"}, 239: {"CACHE_DIRECTORY", "/var/cache"}, 240: {"LOGS_DIRECTORY", "/var/log"},
}

func setupFailed(u facts.Unit, status int, commands []facts.Exec) unstarted {
	s := setups[status]
	named := fmt.Sprintf(" (status %d)", status)
	if s.name != "" {
		named = fmt.Sprintf(" (%d/%s)", status, s.name)
	}
	then := []diag.Command{diag.Retry()}
	switch status {
	case 203:
		program := programOf(commands)
		return unstarted{
			"its program " + diag.Clean(program) + " cannot be executed" + named,
			host.PathFix(host.Path{What: "service.exec", Path: program}, facts.Reach{User: u.User, Detail: host.Absent, At: program}, then),
		}
	case 200:
		dir := u.Service.WorkingDirectory
		return unstarted{
			"its working directory " + diag.Clean(dir) + " cannot be entered" + named,
			diag.Advise("create it, or correct service.working_directory in /etc/justnews/justnews.toml", then...).Looking(diag.Namei(dir)),
		}
	case 216, 217:
		return unstarted{
			"its user " + diag.Clean(u.User) + ", or one of its groups, does not exist" + named,
			diag.Advise("create them, or correct service.user and service.group in /etc/justnews/justnews.toml, or User= and Group= of a drop-in", append([]diag.Command{diag.Run("systemd-sysusers", "justnews.conf")}, then...)...).Looking(diag.CatUnit(u.Name)),
		}
	case 233, 238, 239, 240:
		dir := path.Join(s.what, "justnews", unitname.Instance(u.Name))
		return unstarted{
			"its directory " + dir + " cannot be made" + named,
			diag.Advise("free space there, or let root write to it", then...).Looking(diag.Run("df", "-h", "--", path.Dir(dir)), diag.Run("df", "-i", "--", path.Dir(dir))),
		}
	}
	return unstarted{
		cmp.Or(s.what, "its process") + " could not be set up" + named,
		diag.Advise("fix the error in its log", then...).Looking(diag.LogOf(u.Name)),
	}
}

func programOf(commands []facts.Exec) string {
	if len(commands) == 0 || len(commands[0].Argv) == 0 {
		return "of ExecStart="
	}
	return commands[0].Argv[0]
}
