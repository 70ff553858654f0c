// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// gatedUnit is an instance whose gate passed, with what is changed about it.
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
		if p := of(t, unit.Opened(u, nil), diag.UnitOpened); (p != nil) != want {
			t.Errorf("%d: %+v", status, p)
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
	file := func(path, have string) facts.Generated {
		return facts.Generated{Path: path, Want: "x", Have: have, Wanted: true, There: true}
	}
	denied := file("/c", "y")
	denied.Denied = true
	for name, c := range map[string]struct {
		files []facts.Generated
		seen  string // "": nothing is outdated
	}{
		"up to date":    {[]facts.Generated{file("/a", "x"), file("/b", "x")}, ""},
		"one":           {[]facts.Generated{file("/a", "x"), file("/b", "y")}, "/b"},
		"two":           {[]facts.Generated{file("/a", "y"), file("/b", "y")}, "/a, and 1 more"},
		"one unread":    {[]facts.Generated{file("/a", "x"), denied}, ""},
		"one too many":  {[]facts.Generated{file("/a", "x"), {Path: "/d", There: true}}, "/d"},
		"one is absent": {[]facts.Generated{file("/a", "x"), {Path: "/d", Wanted: true}}, "/d"},
	} {
		p := of(t, unit.Generated(c.files), diag.GeneratorStale)
		if (p == nil) != (c.seen == "") || p != nil && p.Seen != c.seen {
			t.Errorf("%s: %+v, want %q", name, p, c.seen)
		}
	}
	if of(t, unit.Generated([]facts.Generated{{Path: "/a", Want: "x", Wanted: true}}), diag.GeneratorAbsent) == nil {
		t.Error("a generator that wrote nothing is not reported")
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

func TestGated_MissingUnitIsOfThePackageOrOfAGuard(t *testing.T) {
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
		"refused":                {refused("failed", "failed", text), unit.GateRefused},
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
	if p := unit.NotUp("x", refused("active", "running", "")); p.Message != "it is not up" {
		t.Errorf("%+v", p)
	}
}

func TestRefusedBefore_NamesItsStatusAlone(t *testing.T) {
	all := diag.Statuses()
	i := slices.IndexFunc(all, func(s diag.StatusMeaning) bool { return s.Status == diag.StatusGPU })
	u := gatedUnit(func(u *facts.Unit) { u.ExecStartPre[0].Status = int(diag.StatusGPU) })
	if got, want := unit.RefusedBefore(u).Seen, fmt.Sprintf("exit status %d: %s", diag.StatusGPU, all[i].Meaning); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
