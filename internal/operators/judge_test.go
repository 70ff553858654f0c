// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"justnews/internal/diag"
)

// good is a host on which adra can get every permission.
func good() Facts {
	return Facts{
		Root: true, User: Entry{Name: "adra", Found: true, UID: 1000, GID: 1000},
		Group:  Entry{Name: "justnews-operators", Found: true, GID: 990},
		Agents: Entry{Name: "justnews", Found: true, GID: 980, Members: []string{"scout"}}, Services: []Entry{{Name: "justnews", Found: true, UID: 980}},
		Gpasswd: "/usr/bin/gpasswd", Usermod: "/usr/sbin/usermod", Rules: []string{"/usr/share/polkit-1/rules.d/50-justnews.rules"},
		Sudo:    Sudo{Path: "/usr/bin/sudo", Visudo: "/usr/sbin/visudo", Version: "1.9.13p3"},
		DropIn:  TextFile{Path: DropIn},
		OldRule: TextFile{Path: "/etc/sudoers.d/justnews-preflight"},
		Program: []PathOwner{{Path: Program, Mode: 0o755}, {Path: "/usr/bin", Mode: fs.ModeDir | 0o755}, {Path: "/usr", Mode: fs.ModeDir | 0o755}, {Path: "/", Mode: fs.ModeDir | 0o755}},
	}
}

func all() Request { return Request{User: "adra", Install: true, Sudoers: true} }

func ruleFile(t *testing.T, users ...string) TextFile {
	t.Helper()
	text, err := render(users)
	if err != nil {
		t.Fatal(err)
	}
	return TextFile{Path: DropIn, Exists: true, Text: text}
}

// did returns the steps as words: run gpasswd …, write, remove, none.
func did(steps []Step) string {
	var words []string
	for _, s := range steps {
		if s.Why == "" {
			words = append(words, "without a reason:")
		}
		switch s.Kind {
		case Run:
			words = append(words, strings.Join(s.Command, " "))
		case Write:
			users, err := Users(s.Text)
			words = append(words, "write "+strings.Join(users, "+"))
			if s.For != "" && !slices.Contains(users, s.For) {
				words = append(words, "for "+s.For+"?")
			}
			if err != nil {
				words = append(words, err.Error())
			}
		case Remove:
			words = append(words, "remove "+s.Path)
		case None:
			words = append(words, "none")
		}
	}
	return strings.Join(words, "; ")
}

func TestSteps_AreThoseThatAreMissing(t *testing.T) {
	const join, leave = "/usr/bin/gpasswd --add adra justnews-operators", "/usr/bin/gpasswd --delete adra justnews-operators"
	member := func(f *Facts) { f.Member, f.Group.Members = true, []string{"adra"} }
	for name, c := range map[string]struct {
		req    Request
		change func(*Facts)
		want   string
	}{
		"all":                       {all(), nil, join + "; write adra"},
		"the group only":            {Request{User: "adra", Install: true}, nil, join},
		"by usermod":                {Request{User: "adra", Install: true}, func(f *Facts) { f.Gpasswd = "" }, "/usr/sbin/usermod --append --groups justnews-operators adra"},
		"again":                     {all(), func(f *Facts) { member(f); f.DropIn = ruleFile(t, "adra") }, "none; none"},
		"in addition to another":    {all(), func(f *Facts) { f.DropIn = ruleFile(t, "site") }, join + "; write adra+site"},
		"the group without sudo":    {Request{User: "adra", Install: true}, func(f *Facts) { f.Sudo = Sudo{} }, join},
		"revoked":                   {Request{User: "adra"}, func(f *Facts) { member(f); f.DropIn = ruleFile(t, "adra") }, leave + "; remove " + DropIn},
		"revoked from one of two":   {Request{User: "adra"}, func(f *Facts) { member(f); f.DropIn = ruleFile(t, "adra", "site") }, leave + "; write site"},
		"revoked twice":             {Request{User: "adra"}, nil, "none; none"},
		"revoked from no user":      {Request{User: "adra"}, func(f *Facts) { f.User = Entry{Name: "adra"}; f.DropIn = ruleFile(t, "adra") }, "none; remove " + DropIn},
		"revoked without sudo":      {Request{User: "adra"}, func(f *Facts) { f.Sudo = Sudo{}; f.DropIn = ruleFile(t, "adra") }, "none; remove " + DropIn},
		"revoked without the group": {Request{User: "adra"}, func(f *Facts) { f.Group = Entry{} }, "none; none"},
		"planned by a user":         {Request{User: "adra", Install: true, DryRun: true}, func(f *Facts) { f.Root = false }, join},
	} {
		f := good()
		if c.change != nil {
			c.change(&f)
		}
		steps, problems := Plan(c.req, f)
		if got := did(steps); got != c.want || len(problems) > 0 {
			t.Errorf("%s: %s, want %s; %v", name, got, c.want, problems)
		}
	}
}

func TestSteps_AreNoneIfThereIsAnObstacle(t *testing.T) {
	program := func(i int, o PathOwner) func(*Facts) {
		return func(f *Facts) { o.Path = f.Program[i].Path; f.Program[i] = o }
	}
	for name, c := range map[string]struct {
		change func(*Facts)
		code   diag.Code
	}{
		"not root":                   {func(f *Facts) { f.Root = false }, diag.OperatorDenied},
		"no such user":               {func(f *Facts) { f.User.Found = false }, diag.OperatorUser},
		"root":                       {func(f *Facts) { f.User.UID = 0 }, diag.OperatorUser},
		"no user database":           {func(f *Facts) { f.User = Entry{Name: "adra", Why: "down"} }, diag.OperatorUser},
		"no group":                   {func(f *Facts) { f.Group.Found = false }, diag.OperatorGroup},
		"no group database":          {func(f *Facts) { f.Group.Why = "down" }, diag.OperatorGroup},
		"no tool":                    {func(f *Facts) { f.Gpasswd, f.Usermod = "", "" }, diag.OperatorTool},
		"no sudo":                    {func(f *Facts) { f.Sudo = Sudo{} }, diag.SudoUnusable},
		"no visudo":                  {func(f *Facts) { f.Sudo.Visudo = "" }, diag.SudoUnusable},
		"sudo too old":               {func(f *Facts) { f.Sudo.Version = "1.9.9" }, diag.SudoUnusable},
		"sudo much too old":          {func(f *Facts) { f.Sudo.Version = "1.8.31p2" }, diag.SudoUnusable},
		"sudo-rs":                    {func(f *Facts) { f.Sudo.Version, f.Sudo.Said = "", "sudo-rs 0.2.8" }, diag.SudoUnusable},
		"a version of another form":  {func(f *Facts) { f.Sudo.Version, f.Sudo.Said = "1.9", "Sudo version 1.9" }, diag.SudoUnusable},
		"a version of no form":       {func(f *Facts) { f.Sudo.Version, f.Sudo.Said = "1.9x.13", "Sudo version 1.9x.13" }, diag.SudoUnusable},
		"program missing":            {program(0, PathOwner{Why: "no such file"}), diag.SudoUnsafe},
		"program of another user":    {program(0, PathOwner{Mode: 0o755, UID: 1000}), diag.SudoUnsafe},
		"program writable":           {program(0, PathOwner{Mode: 0o775}), diag.SudoUnsafe},
		"program writable by others": {program(0, PathOwner{Mode: 0o757}), diag.SudoUnsafe},
		"program writable, sticky":   {program(0, PathOwner{Mode: fs.ModeSticky | 0o777}), diag.SudoUnsafe},
		"program a link":             {program(0, PathOwner{Mode: fs.ModeSymlink | 0o777}), diag.SudoUnsafe},
		"directory writable":         {program(1, PathOwner{Mode: fs.ModeDir | 0o777}), diag.SudoUnsafe},
		"directory of another user":  {program(2, PathOwner{Mode: fs.ModeDir | 0o755, UID: 1000}), diag.SudoUnsafe},
		"directory a link":           {program(1, PathOwner{Mode: fs.ModeSymlink | 0o777}), diag.SudoUnsafe},
		"a foreign drop-in":          {func(f *Facts) { f.DropIn.Exists, f.DropIn.Text = true, "adra ALL=(ALL) NOPASSWD: ALL\n" }, diag.SudoForeign},
		"drop-in empty":              {func(f *Facts) { f.DropIn.Exists = true }, diag.SudoForeign},
		"drop-in unreadable":         {func(f *Facts) { f.DropIn.Exists, f.DropIn.Why = true, "not a regular file" }, diag.SudoForeign},
	} {
		f := good()
		c.change(&f)
		steps, problems := Plan(all(), f)
		errs := diag.Errors(problems)
		if len(steps) > 0 || len(errs) != 1 || errs[0].Code != c.code || errs[0].Fix.String() == "" || errs[0].Seen == "" || errs[0].Expected == "" {
			t.Errorf("%s: %s; %+v", name, did(steps), problems)
		}
	}
}

func TestSteps_WarningsDoNotPreventThem(t *testing.T) {
	for name, c := range map[string]struct {
		req    Request
		change func(*Facts)
		code   diag.Code
	}{
		"no polkit rule": {all(), func(f *Facts) { f.Rules = nil }, diag.OperatorRule},
		"replaced rule": {all(), func(f *Facts) {
			f.Rules = slices.Insert(f.Rules, 0, "/etc/polkit-1/rules.d/50-justnews.rules")
		}, diag.OperatorRule},
		"the old helper's":    {all(), func(f *Facts) { f.OldRule.Exists = true }, diag.SudoLeftover},
		"planned, unreadable": {Request{User: "adra", Install: true, Sudoers: true, DryRun: true}, func(f *Facts) { f.DropIn.Why = "permission denied" }, diag.SudoForeign},
	} {
		f := good()
		c.change(&f)
		steps, problems := Plan(c.req, f)
		if len(steps) != 2 || len(problems) != 1 || problems[0].Code != c.code || problems[0].Severity != diag.Warning || problems[0].Fix.String() == "" {
			t.Errorf("%s: %s; %+v", name, did(steps), problems)
		}
	}
}

func TestSteps_UseSudoFromItsFirstVersionWithExpressions(t *testing.T) {
	for _, version := range []string{"1.9.10", "1.9.13p3", "1.9.16p2", "1.10.0", "2.0.0"} {
		f := good()
		f.Sudo.Version = version
		if _, problems := Plan(all(), f); len(problems) > 0 {
			t.Errorf("%s: %v", version, problems)
		}
	}
}

func TestSteps_RefuseAUserThatSudoersCannotName(t *testing.T) {
	r := all()
	r.User = "adra, ALL"
	if steps, problems := Plan(r, good()); len(steps) > 0 || len(problems) != 1 || problems[0].Code != diag.OperatorUser {
		t.Errorf("%s; %v", did(steps), problems)
	}
}

func TestSteps_MakeNoAgentAnOperator(t *testing.T) {
	for name, c := range map[string]struct {
		user   string
		change func(*Facts)
	}{
		"the agents' user":        {"justnews", func(f *Facts) { f.User = Entry{Name: "justnews", Found: true, UID: 980, GID: 980} }},
		"another name of its UID": {"adra", func(f *Facts) { f.User.UID = 980 }},
		"the user of one instance": {"adra", func(f *Facts) {
			f.Services = append(f.Services, Entry{Name: "adra", Found: true, UID: 1000})
		}},
		"an instance's UID": {"adra", func(f *Facts) {
			f.Services = append(f.Services, Entry{Name: "1000", Found: true, UID: 1000})
		}},
		"a member of the group":    {"scout", func(f *Facts) { f.User.Name = "scout" }},
		"its own group":            {"adra", func(f *Facts) { f.User.GID = 980 }},
		"a database that is down":  {"adra", func(f *Facts) { f.Services[0].Why = "down" }},
		"a group database that is": {"adra", func(f *Facts) { f.Agents = Entry{Name: "justnews", Why: "down"} }},
	} {
		f := good()
		c.change(&f)
		for _, sudoers := range []bool{false, true} {
			steps, problems := Plan(Request{User: c.user, Install: true, Sudoers: sudoers}, f)
			if len(steps) > 0 || len(diag.Errors(problems)) != 1 {
				t.Errorf("%s: %s; %+v", name, did(steps), problems)
			}
			if steps, problems := Plan(Request{User: c.user}, f); len(diag.Errors(problems)) > 0 || len(steps) == 0 {
				t.Errorf("%s: what it has cannot be taken away: %+v", name, problems)
			}
		}
	}
}
