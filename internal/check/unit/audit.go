// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/check"
	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
)

// vendorDirs are where the packages put units; /lib is /usr/lib on every
// supported system.
var vendorDirs = []string{"/usr/lib/systemd/system", "/lib/systemd/system"}

// Present judges a unit of the packages that everything else depends on.
func Present(u facts.Unit) []diag.Problem {
	if u.LoadState == "loaded" {
		return append(shadowed(u), reloaded(u)...)
	}
	fix := diag.Advise("install the package justnews", diag.Reload())
	if u.LoadState == "masked" {
		fix = diag.Do(check.Unmask(u))
	}
	return []diag.Problem{diag.Found(diag.UnitMissing, u.Name, "a unit of the packages cannot be used",
		diag.Quote(u.LoadState), "loaded", fix)}
}

// shadowed finds a unit file that replaces the packaged one: upstream's template, of
// the same name, was in /etc.
func shadowed(u facts.Unit) []diag.Problem {
	if u.FragmentPath == "" || slices.Contains(vendorDirs, path.Dir(u.FragmentPath)) {
		return nil
	}
	return []diag.Problem{diag.Found(diag.UnitShadowed, u.FragmentPath, "this file replaces the packaged unit, including its sandbox and directories",
		diag.Clean(u.FragmentPath), vendorDirs[0]+"/"+templateOf(u.Name),
		diag.Advise("move the settings that you need to a drop-in", diag.Run("rm", "--", u.FragmentPath), diag.Reload()).Looking(diag.Run("systemctl", "edit", "--", templateOf(u.Name)))).As(diag.Warning)}
}

func templateOf(unit string) string {
	before, _, found := strings.Cut(unit, "@")
	if !found {
		return unit
	}
	return before + "@.service"
}

// Audit finds what in an instance's unit would open its gate, run it twice or restart
// it forever, whatever the gate itself does.
func Audit(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	if u.LoadState != "loaded" {
		return nil // Gated says so
	}
	return slices.Concat(shadowed(u), opened(u, files), doubled(u, files), startLimit(u, files), supervised(u, files), loops(u))
}

// opened finds what SuccessExitStatus= would treat as success of a gate that failed. The
// gate itself avoids the exit statuses; it cannot avoid a signal that ends it, or systemd's
// own statuses for a gate that could not be started.
func opened(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	problems := Opened(u, files, u.Variables()["GOTRACEBACK"] == "crash")
	statuses := lists.Filter(u.SuccessExitStatus, func(n int) bool {
		return isStatusOfGate(n) && n != int(diag.StatusInterrupted) // which is that of a run by hand
	})
	if len(statuses) > 0 {
		problems = append(problems, diag.Found(diag.StatusOpens, u.Name, "SuccessExitStatus= lists exit statuses of the gate, which has to use other statuses",
			fmt.Sprintf("SuccessExitStatus=%v%s", statuses, setIn(u, files, "SuccessExitStatus")), "no exit status of justnews-gate",
			diag.Advise("remove them from SuccessExitStatus=", diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning))
	}
	return problems
}

// Opened finds what ends a gate as a success that the gate can do nothing about: a
// signal, which every process of the agents' user can send, and systemd's own
// statuses. Aborts: if the gate lacks memory or threads before its first instruction,
// GOTRACEBACK=crash turns that into a signal; otherwise it is status 2.
func Opened(u facts.Unit, files []facts.UnitFile, aborts bool) []diag.Problem {
	opens := func(n int) bool { return n >= 200 && n <= 243 || n == 2 && !aborts } // EXIT_CHDIR … of systemd.exec(5)
	if len(u.SuccessSignals) == 0 && !slices.ContainsFunc(u.SuccessExitStatus, opens) {
		return nil
	}
	expected := "no signal, and no status from 200 to 243"
	if !aborts {
		expected = "no signal, and neither 2 nor a status from 200 to 243"
	}
	return []diag.Problem{diag.Found(diag.UnitOpened, u.Name, "SuccessExitStatus= opens the gate if a signal terminates it or it cannot be started",
		fmt.Sprintf("SuccessExitStatus=%v, signals %v%s", u.SuccessExitStatus, u.SuccessSignals, setIn(u, files, "SuccessExitStatus")), expected,
		diag.Advise("remove them from SuccessExitStatus=", diag.Reload()).Looking(diag.CatUnit(u.Name)))}
}

// otherGates are the manual gates of older setups.
var otherGates = []string{"preflight.sh", "justnews-preflight-check.sh", "wait_for_mcp", "orchestrator-ready.sh", "justnews-gate"}

// doubled finds a second gate: it waits again, by its own rules, and
// both have to fit into one TimeoutStartSec= each.
func doubled(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	var others []facts.Exec
	for _, e := range u.ExecStartPre {
		line := strings.Join(e.Argv, " ")
		if !isGate(e, u.Name) && slices.ContainsFunc(otherGates, func(g string) bool { return strings.Contains(line, g) }) {
			others = append(others, e)
		}
	}
	if len(others) == 0 || !slices.ContainsFunc(u.ExecStartPre, func(e facts.Exec) bool { return isGate(e, u.Name) }) {
		return nil // ungated is another problem
	}
	return []diag.Problem{diag.Found(diag.GateDouble, u.Name, "the unit runs another gate besides justnews-gate",
		"ExecStartPre="+commandLines(others)+setIn(u, files, "ExecStartPre"), "one gate",
		diag.Advise("remove its ExecStartPre= line", diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning)}
}

// startLimit finds a start limit: once refusals or restarts by hand exhaust it, the
// instance stays down after the cause is gone.
func startLimit(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	s := u.Service
	if s.StartLimit == 0 || s.StartBurst == 0 {
		return nil
	}
	return []diag.Problem{diag.Found(diag.StartLimit, u.Name, "a start limit can keep this instance down after the cause is fixed",
		fmt.Sprintf("StartLimitIntervalSec=%s, StartLimitBurst=%d%s", check.Span(s.StartLimit), s.StartBurst,
			setIn(u, files, "StartLimitIntervalSec", "StartLimitBurst", "StartLimitInterval")), "StartLimitIntervalSec=0",
		diag.Advise("remove the start limit", diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning)}
}

// supervised finds what keeps an instance down after a refusal, or makes its state one that
// says nothing about its program.
func supervised(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	var problems []diag.Problem
	add := func(message, seen, expected string, keys ...string) {
		problems = append(problems, diag.Found(diag.UnitSupervision, u.Name, message, seen+setIn(u, files, keys...), expected,
			diag.Advise("remove the setting", diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning))
	}
	if setting := endsWithRefusal(u); setting != "" {
		add("systemd does not try this instance again after a refusal", setting, "Restart=on-failure", "Restart", "RestartPreventExitStatus")
	}
	if u.Service.Type == "oneshot" {
		add("the instance never becomes active, and systemd ends it after TimeoutStartSec=", "Type=oneshot", "Type=exec", "Type")
	}
	if u.Service.RemainAfterExit {
		add("the unit stays active after its program has ended", "RemainAfterExit=yes", "RemainAfterExit=no", "RemainAfterExit")
	}
	return problems
}

// loop is the number of restarts from which an instance that is not up counts as one
// that never comes up.
const loop = 3

// loops finds an instance that systemd starts again and again.
func loops(u facts.Unit) []diag.Problem {
	if u.NRestarts < loop || u.ActiveState != "activating" {
		return nil
	}
	seen := fmt.Sprintf("%s, Restart=%s, %s (%s)", diag.Count(u.NRestarts, "restart"), diag.Clean(u.Service.Restart), diag.Clean(u.ActiveState), diag.Clean(u.SubState))
	if status := RefusedBy(u); status != 0 {
		seen += fmt.Sprintf("; its gate exited with %d", status)
	}
	if u.ExecMainCode != 0 && u.ExecMainStatus != 0 {
		seen += fmt.Sprintf("; its program ended with %d", u.ExecMainStatus)
	}
	return []diag.Problem{diag.Found(diag.RestartLoop, u.Name, "it keeps failing, and systemd keeps restarting it",
		seen, "active", diag.Advise("fix the error in its log", diag.Run("systemctl", "stop", "--", u.Name), diag.Retry()).Looking(diag.LogOf(u.Name)))}
}

// setIn returns the last of an administrator's files that sets one of the keys.
func setIn(u facts.Unit, files []facts.UnitFile, keys ...string) string {
	at := ""
	for _, f := range files {
		if !slices.Contains(u.DropInPaths, f.Path) && f.Path != u.FragmentPath {
			continue
		}
		if slices.ContainsFunc(f.Keys, func(key string) bool { return slices.Contains(keys, key) }) && path.Base(f.Path) >= path.Base(at) {
			at = f.Path
		}
	}
	if at == "" {
		return ""
	}
	return ", set in " + diag.Clean(at)
}

// Enabled judges whether a unit is started at boot if and only if it should be.
func Enabled(u facts.Unit, want bool) []diag.Problem {
	if u.LoadState != "loaded" {
		return nil
	}
	is := strings.HasPrefix(u.Service.FileState, "enabled")
	p := diag.Problem{
		Code: diag.UnitDisabled, Severity: diag.Warning, Subject: u.Name, Seen: diag.Quote(u.Service.FileState),
	}
	switch {
	case is == want, u.Service.FileState == "":
		return nil
	case want && strings.Contains(u.Name, "@"):
		p.Message, p.Expected = "justnews.target does not start this instance, although justnews.toml says that it is enabled", "enabled"
		p.Fix = diag.Do(diag.Reload())
	case want:
		p.Message, p.Expected = "nothing starts it at boot", "enabled"
		p.Fix = diag.Do(diag.Run("systemctl", "enable", "--", u.Name))
	default:
		p.Message, p.Expected = "it is started at boot, although justnews.toml says that it is not enabled", "disabled"
		p.Fix = diag.Do(diag.Run("systemctl", "disable", "--", u.Name))
	}
	return []diag.Problem{p}
}

// OpenFiles judges LimitNOFILE= of an instance's unit.
func OpenFiles(u facts.Unit, files []facts.UnitFile) []diag.Problem {
	if u.LoadState != "loaded" || u.Service.LimitNOFILE == 0 || u.Service.LimitNOFILE >= host.EnoughFiles {
		return nil
	}
	return []diag.Problem{diag.Found(diag.LimitNOFILE, u.Name, "its limit of open files is lower than an agent needs",
		fmt.Sprintf("LimitNOFILE=%d%s", u.Service.LimitNOFILE, setIn(u, files, "LimitNOFILE")), fmt.Sprintf("%d or more", host.EnoughFiles),
		diag.Advise(fmt.Sprintf("set service.limit_nofile = %d in /etc/justnews/justnews.toml, and no LimitNOFILE= of your own", host.EnoughFiles), diag.Reload())).As(diag.Warning)}
}

// RunsAs compares the user that a unit runs as with the configuration, and with the
// environment files that the start scripts read.
func RunsAs(u facts.Unit, want facts.Account, files []facts.UnitFile, env map[string]string) []diag.Problem {
	var problems []diag.Problem
	is := cmp.Or(u.User, "root")
	// Not by the UID of its process, which may be from before a reload.
	same := is == want.User || want.Err == "" && is == strconv.Itoa(want.UID)
	if u.LoadState == "loaded" && !same {
		problems = append(problems, diag.Found(diag.UserOther, u.Name, "it runs as a different user than justnews.toml specifies",
			"User="+diag.Clean(is)+setIn(u, files, "User"), "User="+want.User,
			diag.Advise("remove User= there, or set service.user", diag.Reload()).Looking(diag.CatUnit(u.Name))).As(diag.Warning))
	}
	if told := env["SERVICE_USER"]; told != "" && told != want.User {
		problems = append(problems, diag.Found(diag.UserOther, "SERVICE_USER", "the environment names a different user than justnews.toml",
			"SERVICE_USER="+diag.Clean(told), "SERVICE_USER="+want.User, diag.Advise("correct or remove SERVICE_USER in /etc/justnews/*.env")).As(diag.Warning))
	}
	return problems
}
