// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// gatedUnit is an instance whose gate passed, with changes.
func gatedUnit(change ...func(*facts.Unit)) facts.Unit {
	u := unitIn("active", "running")
	u.Name = "justnews@scout.service"
	u.ExecStartPre = []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", "scout"}, Code: facts.CodeExited}}
	for _, f := range change {
		f(&u)
	}
	return u
}

// of is the one problem with that code.
func of(t *testing.T, problems []diag.Problem, code diag.Code) *diag.Problem {
	t.Helper()
	var found *diag.Problem
	for i, p := range problems {
		if p.Code == code {
			if found != nil {
				t.Errorf("two of %s", code)
			}
			found = &problems[i]
		}
	}
	return found
}

// Every status from 200 to 243 is systemd's own (systemd.exec(5)).
func TestOpened_StatusesOfSystemdOpenAGate(t *testing.T) {
	for status, want := range map[int]bool{199: false, 200: true, 243: true, 244: false} {
		u := gatedUnit(func(u *facts.Unit) { u.SuccessExitStatus = []int{status} })
		if p := of(t, unit.Opened(u, nil, true), diag.UnitOpened); (p != nil) != want {
			t.Errorf("%d: %+v", status, p)
		}
	}
}

// Before a gate's first instruction the runtime exits with 2, unless GOTRACEBACK is crash.
func TestOpened_StatusOfTheRuntimeOpensAGate(t *testing.T) {
	for variable, want := range map[string]bool{"GOTRACEBACK=crash": false, "GOTRACEBACK=all": true, "": true} {
		u := gatedUnit(func(u *facts.Unit) { u.SuccessExitStatus, u.Environment = []int{2}, []string{variable} })
		for _, problems := range [][]diag.Problem{unit.Audit(u, nil), unit.Guarded(u)} {
			if p := of(t, problems, diag.UnitOpened); (p != nil) != want {
				t.Errorf("%q: %+v", variable, p)
			}
		}
	}
}

func TestAudit_RestartLoop(t *testing.T) {
	for _, c := range []struct {
		restarts int
		active   string
		code     int
		status   int
		want     bool
		says     bool // how its program ended
	}{
		{3, "activating", facts.CodeExited, 1, true, true},
		{2, "activating", facts.CodeExited, 1, false, false},
		{3, "active", facts.CodeExited, 1, false, false},
		{2, "active", facts.CodeExited, 1, false, false},
		{9, "activating", facts.CodeExited, 0, true, false},
		{9, "activating", 0, 1, true, false},
	} {
		u := gatedUnit(func(u *facts.Unit) {
			u.NRestarts, u.ActiveState, u.ExecMainCode, u.ExecMainStatus = c.restarts, c.active, c.code, c.status
		})
		p := of(t, unit.Audit(u, nil), diag.RestartLoop)
		if (p != nil) != c.want || p != nil && strings.Contains(p.Seen, "its program ended") != c.says {
			t.Errorf("%+v: %+v", c, p)
		}
	}
}

func TestOpenFiles_NamesTheFileThatCounts(t *testing.T) {
	file := func(path string, keys ...string) facts.UnitFile {
		return facts.UnitFile{Path: path, Keys: keys}
	}
	const key, a, b, same, own = "LimitNOFILE", "/etc/x.d/10-a.conf", "/etc/x.d/20-b.conf", "/run/x.d/20-b.conf", "/etc/systemd/system/justnews@.service"
	for name, c := range map[string]struct {
		files []facts.UnitFile
		want  string // "": none
	}{
		"none":                      {nil, ""},
		"one":                       {[]facts.UnitFile{file(a, key)}, a},
		"the last of two":           {[]facts.UnitFile{file(b, key), file(a, key)}, b},
		"of two with the same name": {[]facts.UnitFile{file(b, key), file(same, key)}, same},
		"another key in the last":   {[]facts.UnitFile{file(a, key), file(b, "LimitNPROC")}, a},
		"the unit's own file":       {[]facts.UnitFile{file(own, key)}, own},
		"a file of another unit":    {[]facts.UnitFile{file("/etc/y.d/30-c.conf", key)}, ""},
	} {
		u := gatedUnit(func(u *facts.Unit) {
			u.Service.LimitNOFILE, u.DropInPaths, u.FragmentPath = 1024, []string{a, b, same}, own
		})
		p := of(t, unit.OpenFiles(u, c.files), diag.LimitNOFILE)
		want := "LimitNOFILE=1024"
		if c.want != "" {
			want += ", set in " + c.want
		}
		if p == nil || p.Seen != want {
			t.Errorf("%s: %+v, want %q", name, p, want)
		}
	}
	for _, u := range []facts.Unit{
		gatedUnit(),
		gatedUnit(func(u *facts.Unit) { u.Service.LimitNOFILE = 65536 }),
		gatedUnit(func(u *facts.Unit) { u.LoadState, u.Service.LimitNOFILE = "not-found", 1024 }),
	} {
		if got := unit.OpenFiles(u, nil); len(got) > 0 {
			t.Errorf("%+v: %+v", u, got)
		}
	}
}

func TestPresent_ShadowedUnitNamesThePackagedFile(t *testing.T) {
	for name, want := range map[string]string{
		"justnews@scout.service": "/usr/lib/systemd/system/justnews@.service",
		"justnews.target":        "/usr/lib/systemd/system/justnews.target",
	} {
		u := gatedUnit(func(u *facts.Unit) { u.Name, u.FragmentPath = name, "/etc/systemd/system/x" })
		if p := of(t, unit.Present(u), diag.UnitShadowed); p == nil || p.Expected != want {
			t.Errorf("%s: %+v, want %s", name, p, want)
		}
	}
}

func TestGenerated_CountsWhatIsOutdated(t *testing.T) {
	for seen, outdated := range map[string][]string{"": nil, "/b": {"/b"}, "/a, and 1 more": {"/a", "/b"}} {
		p := of(t, unit.Generated(facts.Generated{There: true, Outdated: outdated}), diag.GeneratorStale)
		if (p == nil) != (seen == "") || p != nil && p.Seen != seen {
			t.Errorf("%q: %+v, want %q", outdated, p, seen)
		}
	}
	p := of(t, unit.Generated(facts.Generated{Outdated: []string{"/a"}}), diag.GeneratorAbsent)
	if p == nil || !strings.Contains(p.Fix.Advice, "reinstall the package") {
		t.Errorf("a generator that wrote nothing: %+v", p)
	}
}

func TestGatedBy_MarkIsComparedWhereItIsKnown(t *testing.T) {
	want := facts.Mark{Mark: "m", DropIns: []string{"/run/50.conf"}}
	whole := gatedUnit(func(u *facts.Unit) { u.Marks, u.DropInPaths = []string{"m"}, want.DropIns })
	for name, c := range map[string]struct {
		u    facts.Unit
		want facts.Mark
		says string // "": no problem
	}{
		"the wanted one":    {whole, want, ""},
		"no mark is known":  {gatedUnit(), facts.Mark{}, ""},
		"another mark":      {gatedUnit(func(u *facts.Unit) { u.Marks = []string{"n"} }), want, "warning UNIT-STALE"},
		"no mark":           {gatedUnit(func(u *facts.Unit) { u.DropInPaths = want.DropIns }), want, "error UNIT-UNMARKED"},
		"a hidden drop-in":  {gatedUnit(func(u *facts.Unit) { u.Marks = []string{"m"} }), want, "error UNIT-UNMARKED"},
		"no gate":           {gatedUnit(func(u *facts.Unit) { u.ExecStartPre = nil }), want, "error UNGATED"},
		"no unit":           {gatedUnit(func(u *facts.Unit) { u.LoadState = "not-found" }), want, "warning UNGATED"},
		"a unit not loaded": {gatedUnit(func(u *facts.Unit) { u.LoadState = "masked" }), want, "warning UNGATED"},
	} {
		var got []string
		for _, p := range unit.GatedBy(c.u, c.want) {
			got = append(got, p.Severity.String()+" "+string(p.Code))
		}
		if strings.Join(got, ", ") != c.says {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
	p := unit.Marked(gatedUnit(func(u *facts.Unit) { u.DropInPaths = want.DropIns }), want)
	if len(p) != 1 || p[0].Seen != "no mark" {
		t.Errorf("%+v", p)
	}
}

func TestGated_MissingUnitBelongsToThePackageOrAGuard(t *testing.T) {
	for name, want := range map[string]string{"justnews@scout.service": "install the package justnews", "llama.service": "correct the guard's unit"} {
		p := of(t, unit.Gated(gatedUnit(func(u *facts.Unit) { u.Name, u.LoadState = name, "not-found" }), false), diag.Ungated)
		if p == nil || !strings.Contains(p.Fix.String(), want) {
			t.Errorf("%s: %+v, want %q", name, p, want)
		}
	}
}

// How a unit ended is in the evidence, and the fix follows from it.
func TestProblems_EvidenceAndFixFollowTheFailure(t *testing.T) {
	failed := func(change func(*facts.Unit)) facts.Unit {
		return gatedUnit(func(u *facts.Unit) { u.ActiveState, u.SubState, u.Result = "failed", "failed", "exit-code" }, change)
	}
	ended := func(code int, status int) facts.Unit {
		return failed(func(u *facts.Unit) { u.ExecMainCode, u.ExecMainStatus = code, status })
	}
	for name, c := range map[string]struct {
		u        facts.Unit
		has, not string
	}{
		"missing":                   {failed(func(u *facts.Unit) { u.LoadState = "not-found" }), "name the right instance", "unmask"},
		"masked":                    {failed(func(u *facts.Unit) { u.LoadState = "masked" }), "unmask", "verify"},
		"a bad setting":             {failed(func(u *facts.Unit) { u.LoadState = "bad-setting" }), "systemd-analyze verify", "unmask"},
		"out of memory":             {failed(func(u *facts.Unit) { u.Result = "oom-kill" }), "raise memory_max", "its log"},
		"anything else":             {failed(func(*facts.Unit) {}), "its log", "memory_max"},
		"exited":                    {ended(facts.CodeExited, 3), "exited with status 3", "killed"},
		"exited well":               {ended(facts.CodeExited, 0), "exit-code", "its main process"},
		"killed":                    {ended(facts.CodeKilled, 9), "killed by signal 9", "status 9"},
		"dumped":                    {ended(facts.CodeDumped, 6), "killed by signal 6", "status 6"},
		"not killed":                {ended(facts.CodeKilled, 0), "exit-code", "its main process"},
		"not known how":             {ended(0, 5), "exit-code", "its main process"},
		"the gate was not executed": {failed(func(u *facts.Unit) { u.ExecStartPre[0].Status = 200 }), "cannot be entered", "its log"},
		"the gate exited with 199":  {failed(func(u *facts.Unit) { u.ExecStartPre[0].Status = 199 }), "cannot become ready|", "cannot be entered"},
		"the gate was killed":       {failed(func(u *facts.Unit) { u.ExecStartPre[0].Code, u.ExecStartPre[0].Status = facts.CodeKilled, 203 }), "cannot become ready|", "cannot be executed"},
		"a program without a name": {failed(func(u *facts.Unit) {
			u.Service.ExecStart, u.ExecMainCode, u.ExecMainStatus = []facts.Exec{{}}, facts.CodeExited, 203
		}), "of ExecStart=", "zzz"},
	} {
		p := of(t, unit.Problems(c.u, diag.UnitFailed, "it"), diag.UnitFailed)
		if p == nil {
			t.Errorf("%s: no problem", name)
			continue
		}
		said := strings.Join([]string{p.Message, p.Seen, p.Fix.String()}, "|")
		if !strings.Contains(said, c.has) || strings.Contains(said, c.not) {
			t.Errorf("%s: %q, want %q and not %q", name, said, c.has, c.not)
		}
	}
}

func TestKeptDown_OnlyAUnitThatItsGateKeepsDown(t *testing.T) {
	text := unit.StatusOfRefusal(diag.Problem{Code: diag.StoreRoot, Message: "m"})
	refused := func(active, sub, status string) facts.Unit {
		return gatedUnit(func(u *facts.Unit) {
			u.ActiveState, u.SubState, u.StatusText, u.Result = active, sub, status, "exit-code"
		})
	}
	for name, c := range map[string]struct {
		u    facts.Unit
		want string // "": nothing
	}{
		"refused": {refused("failed", "failed", text), unit.GateRefused},
		"refused, and a restart is queued": {gatedUnit(func(u *facts.Unit) {
			u.ActiveState, u.SubState, u.StatusText, u.Job = "activating", "auto-restart-queued", text, true
		}), unit.GateRefused},
		"refused, and up since":  {refused("active", "running", text), ""},
		"failed without a word":  {refused("failed", "failed", ""), "failed"},
		"a code that is no code": {refused("failed", "failed", "refused: NO-SUCH: x"), "failed"},
	} {
		p := unit.KeptDown(c.u)
		if (p == nil) != (c.want == "") || p != nil && !strings.Contains(p.Message+p.Seen, c.want) || p != nil && c.want == "failed" && p.Message == unit.GateRefused {
			t.Errorf("%s: %+v, want %q", name, p, c.want)
		}
	}
	if p := unit.NotUp("x", refused("failed", "failed", "")); p.Message == "it is not up" {
		t.Errorf("%+v", p)
	}
	if p := unit.NotUp("x", refused("activating", "auto-restart", text)); p.Message != unit.GateRefused || !strings.Contains(p.Seen, string(diag.StoreRoot)) || !strings.Contains(p.Fix.String(), "journalctl") {
		t.Errorf("%+v", p)
	}
	if p := unit.NotUp("x", refused("activating", "auto-restart", "")); p.Message != "the instance has failed" || p.Fix.Empty() {
		t.Errorf("%+v", p)
	}
	if p := unit.NotUp("x", refused("active", "running", "")); p.Code != diag.UnitFailed || p.Message != "it is not up" {
		t.Errorf("%+v", p)
	}
	if p := unit.NotUp("x", refused("activating", "start-pre", "waiting: 3 of 9 models")); p.Code != diag.UnitStarting || !strings.Contains(p.Seen, "3 of 9 models") {
		t.Errorf("%+v", p)
	}
}

func TestNotDone_SaysWhoDidNot(t *testing.T) {
	for name, c := range map[string]struct {
		refused string
		err     error
		code    diag.Code // "": nothing
		says    string
	}{
		"done":               {"", nil, "", ""},
		"no answer":          {"", errors.New("connection refused"), diag.NoSystemd, "cannot start it, since systemd cannot be queried|connection refused"},
		"interaction needed": {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", nil, diag.UnitDenied, "not allowed to start it|d"},
		"access denied":      {"org.freedesktop.DBus.Error.AccessDenied", nil, diag.UnitDenied, "not allowed to start it|d"},
		"no identity":        {"org.freedesktop.DBus.Error.AuthFailed", nil, diag.UnitDenied, "not allowed to start it|d"},
		"polkit failed":      {"org.freedesktop.PolicyKit1.Error.Failed", nil, diag.UnitDenied, "not allowed to start it|d"},
		"another job":        {"org.freedesktop.systemd1.TransactionIsDestructive", nil, diag.UnitFailed, "systemd does not start it|d"},
	} {
		p := unit.NotDone("a.service", "start", facts.Start{Refused: c.refused, Detail: "d"}, c.err)
		switch {
		case p == nil && c.code == "":
		case p == nil, p.Code != c.code, p.Subject != "a.service", !strings.Contains(p.Message+"|"+p.Seen, c.says):
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRefusedBefore_NamesOnlyItsStatus(t *testing.T) {
	all := diag.Statuses()
	i := slices.IndexFunc(all, func(s diag.StatusMeaning) bool { return s.Status == diag.StatusGPU })
	u := gatedUnit(func(u *facts.Unit) { u.ExecStartPre[0].Status = int(diag.StatusGPU) })
	if got, want := unit.RefusedBefore(u).Seen, fmt.Sprintf("exit status %d: %s", diag.StatusGPU, all[i].Meaning); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAudit_ListedStatusesOfTheGate(t *testing.T) {
	for want, statuses := range map[string][]int{
		"": nil, "SuccessExitStatus=[69 71]": {69, 71, 3}, "SuccessExitStatus=[78]": {78, int(diag.StatusInterrupted)},
	} {
		p := of(t, unit.Audit(gatedUnit(func(u *facts.Unit) { u.SuccessExitStatus = statuses }), nil), diag.StatusOpens)
		if (p == nil) != (want == "") || p != nil && p.Seen != want {
			t.Errorf("%v: %+v, want %q", statuses, p, want)
		}
	}
	for _, harmless := range [][]int{{3}, {int(diag.StatusInterrupted)}} {
		if p := of(t, unit.Audit(gatedUnit(func(u *facts.Unit) { u.SuccessExitStatus = harmless }), nil), diag.StatusOpens); p != nil {
			t.Errorf("%v: %+v", harmless, p)
		}
	}
}

func TestAudit_SecondGate(t *testing.T) {
	second := facts.Exec{Argv: []string{"/bin/sh", "-c", "/opt/justnews/wait_for_mcp.sh"}}
	other := facts.Exec{Argv: []string{"/usr/bin/mkdir", "-p", "/run/x"}}
	for name, c := range map[string]struct {
		change func(*facts.Unit)
		want   bool
	}{
		"one gate":              {func(*facts.Unit) {}, false},
		"a second one":          {func(u *facts.Unit) { u.ExecStartPre = append(u.ExecStartPre, second) }, true},
		"another command":       {func(u *facts.Unit) { u.ExecStartPre = append(u.ExecStartPre, other) }, false},
		"no gate but the other": {func(u *facts.Unit) { u.ExecStartPre = []facts.Exec{second} }, false},
		"no unit":               {func(u *facts.Unit) { u.ExecStartPre, u.LoadState = append(u.ExecStartPre, second), "not-found" }, false},
	} {
		p := of(t, unit.Audit(gatedUnit(c.change), nil), diag.GateDouble)
		if (p != nil) != c.want || p != nil && !strings.HasPrefix(p.Seen, "ExecStartPre=/bin/sh") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAudit_StartLimitNeedsATimeAndACount(t *testing.T) {
	for name, c := range map[string]struct {
		interval time.Duration
		burst    int
		want     bool
	}{"none": {0, 0, false}, "both": {time.Minute, 5, true}, "no count": {time.Minute, 0, false}, "no time": {0, 5, false}} {
		p := of(t, unit.Audit(gatedUnit(func(u *facts.Unit) { u.Service.StartLimit, u.Service.StartBurst = c.interval, c.burst }), nil), diag.StartLimit)
		if (p != nil) != c.want {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAudit_RestartLoopReportsHowTheGateEnded(t *testing.T) {
	for status, want := range map[int]string{0: "", 71: "; its gate exited with 71"} {
		u := gatedUnit(func(u *facts.Unit) {
			u.NRestarts, u.ActiveState, u.SubState = 3, "activating", "auto-restart"
			u.ExecStartPre[0].Status = status
		})
		p := of(t, unit.Audit(u, nil), diag.RestartLoop)
		if p == nil || !strings.HasSuffix(p.Seen, "activating (auto-restart)"+want) {
			t.Errorf("%d: %+v", status, p)
		}
	}
}

func TestPresent_UnitThatCannotBeUsedIsNamed(t *testing.T) {
	for state, want := range map[string]string{"not-found": "install the package justnews", "masked": "systemctl unmask -- justnews@scout.service"} {
		p := of(t, unit.Present(gatedUnit(func(u *facts.Unit) { u.LoadState = state })), diag.UnitMissing)
		if p == nil || !strings.HasPrefix(p.Fix.String(), want) {
			t.Errorf("%s: %+v", state, p)
		}
	}
	for path, want := range map[string]bool{"": false, "/usr/lib/systemd/system/justnews@.service": false, "/lib/systemd/system/justnews@.service": false, "/etc/systemd/system/justnews@.service": true} {
		p := unit.Present(gatedUnit(func(u *facts.Unit) { u.FragmentPath = path }))
		if (len(p) > 0) != want {
			t.Errorf("%q: %v", path, p)
		}
	}
}

func TestEnabled_StartsAtBootIfEnabledInTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		unit, load, file string
		want             bool
		fix              string // "": as it should be
	}{
		"enabled":                     {"justnews.target", "loaded", "enabled", true, ""},
		"enabled until the next boot": {"justnews.target", "loaded", "enabled-runtime", true, ""},
		"not enabled, and not wanted": {"justnews.target", "loaded", "disabled", false, ""},
		"not enabled":                 {"justnews.target", "loaded", "disabled", true, "systemctl enable -- justnews.target"},
		"an instance that is not":     {"justnews@scout.service", "loaded", "disabled", true, "systemctl daemon-reload"},
		"enabled, and not wanted":     {"justnews@scout.service", "loaded", "enabled", false, "systemctl disable -- justnews@scout.service"},
		"a state that is not known":   {"justnews.target", "loaded", "", true, ""},
		"no unit":                     {"justnews.target", "not-found", "disabled", true, ""},
	} {
		u := facts.Unit{Name: c.unit, LoadState: c.load, Service: facts.Service{FileState: c.file}}
		p := of(t, unit.Enabled(u, c.want), diag.UnitDisabled)
		if (p == nil) != (c.fix == "") || p != nil && !strings.Contains(p.Fix.String(), c.fix) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRunsAs_NamesAnotherUser(t *testing.T) {
	news := facts.Account{User: "news", UID: 990}
	unknown := facts.Account{User: "news", Err: "no such user"}
	for name, c := range map[string]struct {
		user    string
		load    string
		want    facts.Account
		told    string
		subject string // "": no finding
	}{
		"as configured":                  {"news", "loaded", news, "", ""},
		"by its number":                  {"990", "loaded", news, "", ""},
		"root, where none is set":        {"", "loaded", facts.Account{User: "root"}, "", ""},
		"another user":                   {"root", "loaded", news, "", "justnews@scout.service"},
		"none is set":                    {"", "loaded", news, "", "justnews@scout.service"},
		"number 0 of an unknown account": {"0", "loaded", unknown, "", "justnews@scout.service"},
		"no unit":                        {"root", "not-found", news, "", ""},
		"the environment agrees":         {"news", "loaded", news, "news", ""},
		"the environment differs":        {"news", "loaded", news, "adra", "SERVICE_USER"},
	} {
		u := gatedUnit(func(u *facts.Unit) { u.User, u.LoadState = c.user, c.load })
		p := unit.RunsAs(u, c.want, nil, map[string]string{"SERVICE_USER": c.told})
		if (len(p) == 0) != (c.subject == "") || len(p) > 0 && (len(p) != 1 || p[0].Subject != c.subject || p[0].Code != diag.UserOther) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAudit_SupervisionOfAnInstance(t *testing.T) {
	for want, change := range map[string]func(*facts.Service){
		"":                                 func(*facts.Service) {},
		"Restart=no":                       func(s *facts.Service) { s.Restart = "no" },
		"RestartPreventExitStatus=[78]":    func(s *facts.Service) { s.RestartPrevent = []int{3, 78} },
		"Type=oneshot":                     func(s *facts.Service) { s.Type = "oneshot" },
		"RemainAfterExit=yes":              func(s *facts.Service) { s.RemainAfterExit = true },
		"Type=oneshot RemainAfterExit=yes": func(s *facts.Service) { s.Type, s.RemainAfterExit = "oneshot", true },
	} {
		var seen []string
		for _, p := range unit.Audit(gatedUnit(func(u *facts.Unit) { u.Service.Restart, u.Service.Type = "on-failure", "exec"; change(&u.Service) }), nil) {
			if p.Code == diag.UnitSupervision {
				seen = append(seen, p.Seen)
			}
		}
		if got := strings.Join(seen, " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Status 2 is that of a Go program which fails before its first instruction, unless
// GOTRACEBACK=crash turns it into a signal.
func TestAudit_StatusOfAGateThatCannotBegin(t *testing.T) {
	for what, c := range map[string]struct {
		statuses []int
		crash    bool
		want     string
	}{
		"it aborts":                    {[]int{2}, true, ""},
		"it does not":                  {[]int{2}, false, "no signal, and neither 2 nor a status from 200 to 243"},
		"it aborts, and systemd's own": {[]int{203}, true, "no signal, and no status from 200 to 243"},
		"another status":               {[]int{3}, false, ""},
	} {
		p := of(t, unit.Audit(gatedUnit(func(u *facts.Unit) {
			if u.SuccessExitStatus, u.Environment = c.statuses, nil; c.crash {
				u.Environment = []string{"GOTRACEBACK=crash"}
			}
		}), nil), diag.UnitOpened)
		if (p != nil) != (c.want != "") || p != nil && p.Expected != c.want {
			t.Errorf("%s: %+v", what, p)
		}
	}
}
