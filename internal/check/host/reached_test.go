// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestReached_PathIsHiddenOrOutOfReach(t *testing.T) {
	at := func(p, leads string) facts.Reach {
		return facts.Reach{Path: p, At: p, Leads: leads, User: "justnews", Known: true, OK: true}
	}
	missing := facts.Reach{Path: "/opt/x", At: "/opt/x", User: "justnews", Known: true, Detail: host.Absent}
	for name, c := range map[string]struct {
		sandbox facts.Sandbox
		reach   facts.Reach
		code    diag.Code // "": no finding
		says    string
	}{
		"reached":                         {facts.Sandbox{}, at("/opt/x", ""), "", ""},
		"not known":                       {facts.Sandbox{}, facts.Reach{Path: "/opt/x"}, "", ""},
		"missing":                         {facts.Sandbox{}, missing, diag.ServicePath, "service.exec: /opt/x does not exist"},
		"a home":                          {facts.Sandbox{ProtectHome: "yes"}, at("/home/x/run", ""), diag.HomeHidden, "hidden by ProtectHome="},
		"a link to a home":                {facts.Sandbox{ProtectHome: "yes"}, at("/opt/x", "/home/x/run"), diag.HomeHidden, "/opt/x, which leads to /home/x/run, ProtectHome=yes"},
		"/tmp":                            {facts.Sandbox{PrivateTmp: true}, at("/tmp/x", "/tmp/x"), diag.ServicePath, "/tmp/x, PrivateTmp=yes of justnews@scout.service"},
		"its own root directory":          {facts.Sandbox{RootDirectory: "/srv/root"}, missing, "", ""},
		"missing, and its home is hidden": {facts.Sandbox{ProtectHome: "yes"}, missing, diag.ServicePath, "does not exist"},
	} {
		u := facts.Unit{Name: "justnews@scout.service", Sandbox: c.sandbox}
		p := host.Reached(u, host.Path{What: "service.exec", Path: c.reach.Path, Want: facts.Run, Code: diag.ServicePath}, c.reach)
		if c.code == "" {
			if len(p) > 0 {
				t.Errorf("%s: %+v", name, p)
			}
			continue
		}
		if len(p) != 1 || p[0].Code != c.code || !strings.Contains(p[0].Message+"\n"+p[0].Seen, c.says) {
			t.Errorf("%s: %+v, want %s %s", name, p, c.code, c.says)
			continue
		}
		findings.Sound(t, p[0])
	}
}

func TestGateFiles_ThatTheUserCannotReadAreOpened(t *testing.T) {
	cfg := &config.Config{Files: []string{"/etc/justnews/justnews.toml"}}
	cfg.Models.Map = "/etc/justnews/map.json"
	listed := *cfg
	listed.Models.Expected = []string{"llama3.2"} // in place of the map
	for _, c := range []struct {
		cfg    *config.Config
		models bool
		want   int
	}{{cfg, true, 2}, {cfg, false, 1}, {&listed, true, 1}} {
		if got := host.GateFiles(c.cfg, config.Instance{RequireModels: c.models}); len(got) != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	for name, c := range map[string]struct {
		reach facts.Reach
		fix   string // "": no finding
	}{
		"readable":           {facts.Reach{Known: true, OK: true}, ""},
		"the file":           {facts.Reach{At: "/etc/justnews/map.json", Known: true, Detail: "permission denied"}, "chmod a+r -- /etc/justnews/map.json; justnews-gate retry"},
		"its directory":      {facts.Reach{At: "/etc/justnews", Known: true, Detail: "permission denied"}, "chmod a+x -- /etc/justnews; justnews-gate retry"},
		"missing":            {facts.Reach{Known: true, Detail: host.Absent}, ""},
		"denied to this run": {facts.Reach{Detail: "permission denied"}, ""},
	} {
		p := host.Unreadable(facts.Unit{Name: "justnews@scout.service"}, host.Path{What: "the model map", Path: cfg.Models.Map, Want: facts.Read, Code: diag.MapUnreadable}, c.reach)
		if len(p) != min(1, len(c.fix)) || len(p) > 0 && p[0].Fix.String() != c.fix {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestCache_OneThatCannotBeWrittenIsReported(t *testing.T) {
	strict := facts.Sandbox{ProtectSystem: "strict", PrivateTmp: true}
	ok := facts.Reach{Known: true, OK: true}
	denied := facts.Reach{At: "/srv", User: "justnews", Known: true, Detail: "permission denied"}
	absent := facts.Reach{At: "/var/cache/justnews", Known: true, Detail: "permission denied"}
	own := []string{"/var/cache/justnews/scout"}
	for name, c := range map[string]struct {
		sandbox  facts.Sandbox
		writable []string
		dir      string
		reach    facts.Reach
		want     string // the end of the evidence, "": no finding
	}{
		"writable":                        {facts.Sandbox{}, nil, "/srv/cache", ok, ""},
		"a relative path":                 {facts.Sandbox{}, nil, "cache", ok, "cache: not an absolute path"},
		"a private /tmp":                  {strict, nil, "/tmp/cache", ok, ""},
		"its own root directory":          {facts.Sandbox{RootImage: "/x.raw"}, nil, "/srv/cache", denied, ""},
		"a hidden home":                   {facts.Sandbox{ProtectHome: "yes"}, nil, "/home/x/cache", ok, "/home/x/cache: ProtectHome=yes"},
		"read-only":                       {strict, nil, "/srv/cache", ok, "/srv/cache: ProtectSystem=strict leaves it read-only"},
		"its own, before the first start": {strict, own, own[0] + "/cuda", absent, ""},
		"its own, not its user's":         {strict, own, own[0] + "/cuda", facts.Reach{At: own[0], Known: true, Detail: "permission denied"}, own[0] + ": permission denied"},
		"not its user's":                  {facts.Sandbox{}, nil, "/srv/cache", denied, "/srv/cache: /srv: permission denied"},
		"not known":                       {facts.Sandbox{}, nil, "/srv/cache", facts.Reach{}, ""},
	} {
		u := facts.Unit{Name: "justnews@scout.service", Sandbox: c.sandbox}
		u.Sandbox.Writable = c.writable
		p := host.Cache(u, "CUDA_CACHE_PATH", c.dir, c.reach)
		if c.want == "" {
			if len(p) > 0 {
				t.Errorf("%s: %+v", name, p)
			}
			continue
		}
		if len(p) != 1 || p[0].Severity != diag.Warning || !strings.HasSuffix(p[0].Seen, c.want) {
			t.Errorf("%s: %+v, want %s", name, p, c.want)
			continue
		}
		findings.Sound(t, p[0])
	}
}

// What a unit cannot see is neither missing nor down.
func TestSandboxed_SettingOfTheUnitIsTheCause(t *testing.T) {
	for name, c := range map[string]struct {
		sandbox         facts.Sandbox
		at              host.Place
		seen            string
		message, covers string // "": as it was
		fix             string
	}{
		"neither": {facts.Sandbox{ProtectHome: "yes", PrivateNetwork: true}, host.PlaceOf(config.Probe{Name: "x", Kind: "unit"}), "s", "", "", "as it was"},
		"a path":  {facts.Sandbox{ProtectHome: "yes"}, host.Place{What: "the map", Path: "/srv/map"}, "s", "", "", "as it was"},
		"a hidden path": {facts.Sandbox{ProtectHome: "yes"}, host.PlaceOf(config.Probe{Name: "x", Kind: "path", Path: "/home/x"}), "",
			`the path of the probe "x" is hidden by ProtectHome= of the unit`, "/home/x, ProtectHome=yes of a.service", "service.protect_home"},
		"a hidden link": {facts.Sandbox{ProtectHome: "yes"}, host.Place{What: "it", Path: "/srv/x", Leads: "/root/x"}, "it does not exist",
			"it is hidden by ProtectHome= of the unit", "/srv/x, which leads to /root/x, ProtectHome=yes of a.service; it does not exist", "service.protect_home"},
		"no link": {facts.Sandbox{PrivateTmp: true}, host.Place{What: "it", Path: "/var/tmp/x", Leads: "/var/tmp/x"}, "PrivateTmp=yes",
			"it is hidden by PrivateTmp= of the unit", "/var/tmp/x, PrivateTmp=yes of a.service", `add "/var/tmp/x" to service.read_only_paths`},
		"an inaccessible path": {facts.Sandbox{Inaccessible: []string{"/srv"}}, host.Place{What: "it", Path: "/srv/x"}, "",
			"it is hidden by InaccessiblePaths= of the unit", "/srv/x, InaccessiblePaths=/srv of a.service", "remove the path from InaccessiblePaths="},
		"an empty directory": {facts.Sandbox{Emptied: []string{"/srv"}}, host.Place{What: "it", Path: "/srv/x"}, "",
			"it is hidden by TemporaryFileSystem= of the unit", "/srv/x, TemporaryFileSystem=/srv of a.service", "or show the path to the unit with BindReadOnlyPaths="},
		"a server": {facts.Sandbox{}, host.PlaceOf(config.Probe{Name: "x", Kind: "tcp", Address: "127.0.0.1:1"}), "s", "", "", "as it was"},
		"a server out of reach": {facts.Sandbox{PrivateNetwork: true}, host.PlaceOf(config.Probe{Name: "x", Kind: "tcp", Address: "127.0.0.1:1"}), "refused",
			`PrivateNetwork= of the unit forbids it to connect to the server of the probe "x"`, "PrivateNetwork=yes of a.service; refused", "remove PrivateNetwork= from the drop-in that sets it"},
		"a denied address": {facts.Sandbox{IPDeny: denyAny}, host.PlaceOf(config.Probe{Name: "x", Kind: "http", URL: "http://127.0.0.1:1"}), "",
			`IPAddressDeny= of the unit forbids it to connect to the server of the probe "x"`, "IPAddressDeny=any of a.service", "or allow the address with IPAddressAllow="},
	} {
		p := []diag.Problem{{Message: "m", Seen: c.seen, Expected: "e", Fix: diag.Advise("as it was")}}
		host.Sandboxed(p, facts.Unit{Name: "a.service", Sandbox: c.sandbox}, func(diag.Problem) host.Place { return c.at })
		want := diag.Problem{Message: c.message, Seen: c.covers, Expected: "a path that the unit can see"}
		switch {
		case c.message == "":
			want = diag.Problem{Message: "m", Seen: c.seen, Expected: "e"}
		case c.at.Path == "":
			want.Expected = "a unit that may connect to " + c.at.Server
		}
		if p[0].Message != want.Message || p[0].Seen != want.Seen || p[0].Expected != want.Expected || !strings.Contains(p[0].Fix.String(), c.fix) {
			t.Errorf("%s: %+v\nwant %+v", name, p[0], want)
		}
		if strings.Contains(c.fix, "PrivateNetwork") && strings.Contains(p[0].Fix.String(), "BindReadOnlyPaths") {
			t.Errorf("%s: a server is no path: %s", name, p[0].Fix)
		}
	}
}
