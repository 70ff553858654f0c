// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

const gib = 1 << 30

func TestSpace_EachFileSystemIsJudgedOnceByItsBounds(t *testing.T) {
	on := func(path string, device, free, inodes uint64) facts.Space {
		return facts.Space{Path: path, At: "/at" + path, Device: device, Free: free, Inodes: inodes}
	}
	failed := on("/gone", 1, 0, 0)
	failed.Err = "no such device"
	other := on("/other", 2, 0, 0)
	other.Err = "x"
	many := on("/btrfs", 3, 20*gib, 0)
	many.NoInodes = true
	for name, c := range map[string]struct {
		all  []facts.Space
		want []string
	}{
		"enough":                    {[]facts.Space{on("/a", 1, 10*gib, 10_000)}, nil},
		"little":                    {[]facts.Space{on("/a", 1, 10*gib-1, 10_000)}, []string{"warning little space is left for /a"}},
		"a gibibyte":                {[]facts.Space{on("/a", 1, gib, 10_000)}, []string{"warning little space is left for /a"}},
		"almost nothing":            {[]facts.Space{on("/a", 1, gib-1, 10_000)}, []string{"error little space is left for /a"}},
		"few inodes":                {[]facts.Space{on("/a", 1, 10*gib, 9_999)}, []string{"warning few free inodes are left for /a"}},
		"inodes without a number":   {[]facts.Space{many}, nil},
		"two paths on one":          {[]facts.Space{on("/a", 1, 0, 1), on("/b", 1, 0, 1)}, []string{"error little space is left for /a, /b"}},
		"two file systems":          {[]facts.Space{on("/a", 1, 0, 1), on("/b", 2, 0, 1)}, []string{"error little space is left for /a", "error little space is left for /b"}},
		"one that did not answer":   {[]facts.Space{failed}, nil},
		"one of two did not answer": {[]facts.Space{failed, on("/a", 1, 0, 1), other}, []string{"error little space is left for /a"}},
	} {
		var got []string
		for _, p := range host.Space(c.all) {
			findings.Sound(t, p)
			got = append(got, p.Severity.String()+" "+p.Message)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLimits_OfTheHost(t *testing.T) {
	for name, c := range map[string]struct {
		l    facts.Limits
		want []diag.Code
	}{
		"nothing is known":   {facts.Limits{}, nil},
		"as many as needed":  {facts.Limits{OpenMax: 65536}, nil},
		"one file too few":   {facts.Limits{OpenMax: 65535}, []diag.Code{diag.LimitNOFILE}},
		"no swap":            {facts.Limits{SwapKnown: true}, []diag.Code{diag.SwapNone}},
		"swap":               {facts.Limits{SwapKnown: true, Swap: 1}, nil},
		"nothing runs there": {facts.Limits{TmpNoexec: true}, []diag.Code{diag.TmpNoexec}},
	} {
		var got []diag.Code
		for _, p := range host.Limits(c.l) {
			findings.Sound(t, p)
			got = append(got, p.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestNamedPath_DescribesTheProblem(t *testing.T) {
	const start = "/usr/local/bin/justnews-start-agent.sh"
	path := host.Path{What: "service.exec", Path: start, Want: facts.Run, Code: diag.ServicePath}
	elsewhere := path
	elsewhere.Path = "/opt/x"
	for name, c := range map[string]struct {
		p        host.Path
		r        facts.Reach
		message  string // "": nothing is wrong
		seen     string
		has, not string // in the fix
	}{
		"not known":            {path, facts.Reach{OK: false}, "", "", "", ""},
		"reached":              {path, facts.Reach{Known: true, OK: true}, "", "", "", ""},
		"missing":              {path, facts.Reach{Known: true, At: start, Detail: host.Absent}, "service.exec: " + start + " does not exist", "", "adapt the example", "namei"},
		"missing elsewhere":    {elsewhere, facts.Reach{Known: true, At: "/opt/x", Detail: host.Absent, User: "scout"}, "service.exec: /opt/x does not exist", "", "namei", "example"},
		"a directory":          {path, facts.Reach{Known: true, At: start, Detail: "is a directory", User: "scout"}, "service.exec: " + start + " is a directory", "", "namei", "example"},
		"not executable":       {path, facts.Reach{Known: true, At: start, Detail: "mode 0644", User: "scout"}, "service.exec: " + start + ": mode 0644", "", "namei", "example"},
		"its parent missing":   {elsewhere, facts.Reach{Known: true, At: "/opt", Detail: host.Absent}, "service.exec: /opt/x does not exist", "/opt: does not exist", "namei", "example"},
		"its parent is a file": {elsewhere, facts.Reach{Known: true, At: "/opt", Detail: "is a file", User: "scout"}, "service.exec: scout cannot run /opt/x", "/opt: is a file", "namei", "example"},
	} {
		problems := host.NamedPath(c.p, []string{"scout"}, c.r)
		if (len(problems) == 0) != (c.message == "") {
			t.Errorf("%s: %+v", name, problems)
		}
		for _, p := range problems {
			findings.Sound(t, p)
			if p.Severity != diag.Warning || p.Message != c.message || p.Seen != c.seen || !strings.Contains(p.Fix.String(), c.has) || strings.Contains(p.Fix.String(), c.not) {
				t.Errorf("%s: %q, %q: %s", name, p.Message, p.Seen, p.Fix)
			}
		}
	}
}

func TestNamedAccount_NamesThreeInstancesAndCountsMore(t *testing.T) {
	missing := facts.Account{User: "nosuch", Err: "no such user"}
	for want, names := range map[string][]string{"a": {"a"}, "a, b, c": {"a", "b", "c"}, "4 instances": {"a", "b", "c", "d"}} {
		if p := host.NamedAccount(names, missing); len(p) != 1 || p[0].Subject != want || p[0].Severity != diag.Warning {
			t.Errorf("%+v, want one of %q", p, want)
		}
		if p := host.NamedAccount(names, facts.Account{User: "justnews"}); len(p) > 0 {
			t.Errorf("a user that exists: %+v", p)
		}
	}
}

func TestNoInstance_IsAboutAConfigurationThatListsNothing(t *testing.T) {
	for _, p := range host.NoInstance(&config.Config{Instances: []config.Instance{{Name: "scout"}}}) {
		t.Errorf("%v", p)
	}
	p := host.NoInstance(&config.Config{Files: []string{"/a.toml", "/b.toml"}})
	if len(p) != 1 || p[0].Code != diag.ConfigEmpty || p[0].Severity != diag.Warning || p[0].Subject != "/a.toml, /b.toml" {
		t.Errorf("%+v", p)
	}
}

func TestCredentials_AreOfTheServiceAndTheModelServer(t *testing.T) {
	service := config.Service{Credentials: []string{"a:/etc/a"}, EncryptedCredentials: []string{"b:/etc/b"}}
	for key, want := range map[string][]string{"": {"/etc/a", "/etc/b"}, "/etc/key": {"/etc/key", "/etc/a", "/etc/b"}} {
		var got []string
		for _, p := range host.Credentials(service, config.Orchestrator{APIKeyFile: key}) {
			got = append(got, p.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}

func TestPaths_AbsoluteOnesOfAUnit(t *testing.T) {
	unit := func(directory string, programs ...[]string) facts.Unit {
		u := facts.Unit{Service: facts.Service{WorkingDirectory: directory}}
		for _, argv := range programs {
			u.Service.ExecStart = append(u.Service.ExecStart, facts.Exec{Argv: argv})
		}
		return u
	}
	for want, u := range map[string]facts.Unit{
		"":           unit("", nil, []string{"python"}),
		"/bin/a /b":  unit("/b", []string{"/bin/a", "/x"}),
		"/bin/a":     unit("/", []string{"/bin/a"}),
		"/c /d /srv": unit("/srv", []string{"/c"}, []string{"/d"}),
		"/e":         unit("~", []string{"/e"}),
	} {
		var got []string
		for _, p := range host.Paths(u) {
			got = append(got, p.Path)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNamedInterpreters_EnvironmentIsIgnoredNextToAPath(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"none":                    {nil, ""},
		"a command":               {map[string]string{"PYTHON_BIN": "python3", "CONDA_ENV": "news"}, "PYTHON_BIN"},
		"a path":                  {map[string]string{"PYTHON_BIN": "/usr/bin/python3", "CONDA_ENV": "news"}, ""},
		"a canonical path":        {map[string]string{"CANONICAL_PYTHON_PATH": "/usr/bin/python3", "CONDA_ENV": "news"}, ""},
		"an environment":          {map[string]string{"CONDA_ENV": "news"}, "CONDA_ENV"},
		"a canonical environment": {map[string]string{"CANONICAL_ENV": "news"}, "CANONICAL_ENV"},
		"one that is expanded":    {map[string]string{"CONDA_ENV": "$X"}, ""},
	} {
		var got []string
		for _, n := range host.NamedInterpreters(c.env, nil) {
			got = append(got, n.What)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPort_NamesTheProcessThatHoldsIt(t *testing.T) {
	for name, c := range map[string]struct {
		uids      []int
		processes []facts.Process
		seen, fix string
	}{
		"an instance": {[]int{990}, []facts.Process{{PID: 8, Name: "python", Unit: "justnews@critic.service"}},
			"python (PID 8) of justnews@critic.service", "systemctl stop -- justnews@critic.service; justnews-gate retry"},
		"another unit": {[]int{990}, []facts.Process{{PID: 8, Name: "nginx", Unit: "nginx.service"}}, "nginx (PID 8) of nginx.service", "stop the program that listens there"},
		"no unit":      {[]int{990}, []facts.Process{{PID: 8, Name: "nc"}, {PID: 9, Name: "nc"}}, "nc (PID 8), nc (PID 9)", "ss -ltnp 'sport = :8002'"},
		"invisible":    {[]int{0, 990}, nil, "a process of UID 0, a process of UID 990", "stop the program that listens there"},
	} {
		held := facts.Port{Port: 8002, UIDs: c.uids, Known: true, Processes: c.processes}
		p := host.Port(facts.Unit{Name: "justnews@scout.service"}, held)
		if len(p) != 1 || p[0].Seen != c.seen || !strings.Contains(p[0].Fix.String(), c.fix) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestPort_IsTheUnitsOwnOrTaken(t *testing.T) {
	uid := 990
	unit := func(active string, pid int, user *int) facts.Unit {
		return facts.Unit{Name: "justnews@scout.service", ActiveState: active, MainPID: pid, UID: user}
	}
	held := func(of string, pid int) facts.Port {
		return facts.Port{Port: 8002, UIDs: []int{990}, Known: true, Processes: []facts.Process{{PID: pid, Name: "python", Unit: of}}}
	}
	up, down := unit("active", 7, &uid), unit("failed", 7, &uid)
	for name, c := range map[string]struct {
		u    facts.Unit
		p    facts.Port
		want diag.Code
	}{
		"not known":                    {up, facts.Port{Port: 8002}, ""},
		"silent":                       {up, facts.Port{Port: 8002, Known: true}, diag.PortSilent},
		"free":                         {down, facts.Port{Port: 8002, Known: true}, ""},
		"free, and it has no process":  {unit("active", 0, &uid), facts.Port{Port: 8002, Known: true}, ""},
		"its own":                      {up, held("justnews@scout.service", 8), ""},
		"its main process":             {up, held("", 7), ""},
		"its own, and it starts":       {unit("activating", 7, &uid), held("justnews@scout.service", 8), ""},
		"its own, and it stops":        {unit("deactivating", 7, &uid), held("justnews@scout.service", 7), ""},
		"another unit's":               {up, held("x.service", 8), diag.PortTaken},
		"its own, and it is down":      {down, held("justnews@scout.service", 8), diag.PortTaken},
		"another user's":               {up, facts.Port{Port: 8002, UIDs: []int{1000}, Known: true}, diag.PortTaken},
		"a hidden process of its user": {up, facts.Port{Port: 8002, UIDs: []int{990}, Known: true}, ""},
	} {
		var got diag.Code
		for _, p := range host.Port(c.u, c.p) {
			findings.Sound(t, p)
			got = p.Code
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
