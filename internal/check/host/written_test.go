// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestSandbox_ReadOnlyDirectoriesAreReported(t *testing.T) {
	unit := func(home string, writable ...string) facts.Unit {
		u := facts.Unit{Name: "justnews@scout.service"}
		u.Sandbox = facts.Sandbox{ProtectSystem: "strict", ProtectHome: home, PrivateTmp: true, Writable: writable}
		return u
	}
	fine := func(p string) facts.Reach { return facts.Reach{Path: p, At: p, User: "adra", Known: true, OK: true} }
	denied := func(p string) facts.Reach {
		return facts.Reach{Path: p, At: p, User: "adra", Known: true, Detail: "permission denied"}
	}
	missing := facts.Reach{Path: "/srv/news/log", At: "/srv/news", User: "adra", Known: true, OK: true}
	variable := func(name, value string) host.Path {
		if all := host.Written(map[string]string{name: value}); len(all) > 0 {
			return all[0]
		}
		t.Fatalf("%s=%s names no directory", name, value)
		return host.Path{}
	}
	granted := host.Granted([]string{"/srv/news/log"})[0]
	logs := host.InCheckout("/home/adra/JustNews", true)[1]
	for name, c := range map[string]struct {
		unit  facts.Unit
		path  host.Path
		reach facts.Reach
		says  string
	}{
		"a directory of logs":              {unit("yes"), variable("LOG_DIR", "/srv/log"), fine("/srv/log"), "LOG_DIR: /srv/log: ProtectSystem=strict"},
		"a granted one":                    {unit("yes", "/srv"), variable("LOG_DIR", "/srv/log"), fine("/srv/log"), ""},
		"one that the user could not use":  {unit("yes"), variable("TEMPLATE_DIR", "/srv/templates"), denied("/srv/templates"), ""},
		"one in a private /tmp":            {unit("yes"), variable("SCRATCH_DIR", "/tmp/x"), fine("/tmp/x"), ""},
		"the logs of a checkout in a home": {unit("read-only", "/home/adra/JustNews"), logs, fine("/home/adra/logs"), "/home/adra/logs: ProtectHome=read-only"},
		"no strict system, a home":         {facts.Unit{Name: "justnews@scout.service", Sandbox: facts.Sandbox{ProtectHome: "read-only"}}, logs, fine("/home/adra/logs"), "ProtectHome=read-only"},
		"an inaccessible one":              {facts.Unit{Name: "justnews@scout.service", Sandbox: facts.Sandbox{Inaccessible: []string{"/srv"}}}, variable("LOG_DIR", "/srv/log"), fine("/srv/log"), "InaccessiblePaths=/srv"},
		"a grant without its directory":    {unit("yes", "/srv/news/log"), granted, missing, "does not exist"},
		"a grant that the user cannot use": {unit("yes", "/srv/news/log"), granted, denied("/srv/news/log"), "permission denied"},
		"a grant of a file":                {unit("yes", "/srv/news/log"), granted, facts.Reach{Path: "/srv/news/log", At: "/srv/news/log", Known: true, Detail: "is not a directory"}, ""},
		"a variable's that is missing":     {unit("yes"), variable("LOG_DIR", "/srv/news/log"), missing, "LOG_DIR: /srv/news/log: ProtectSystem=strict"},
		"an existing grant":                {unit("yes", "/srv/news/log"), granted, fine("/srv/news/log"), ""},
		"a grant below a denied path":      {unit("yes", "/srv/news/log"), granted, denied("/srv"), "/srv: permission denied"},
		"below a hidden home":              {facts.Unit{Sandbox: facts.Sandbox{Inaccessible: []string{"/home"}}}, variable("LOG_DIR", "/home/adra/log"), fine("/home/adra/log"), ""},
		"a link to a hidden home": {facts.Unit{Sandbox: facts.Sandbox{Inaccessible: []string{"/home"}}}, variable("LOG_DIR", "/srv/log"),
			facts.Reach{Path: "/srv/log", At: "/srv/log", Leads: "/home/adra/log", Known: true, OK: true}, ""},
		"a grant that could not be tested": {unit("yes", "/srv/news/log"), granted, facts.Reach{}, ""},
	} {
		problems := host.Directory(c.unit, c.path, c.reach)
		if c.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Severity != diag.Warning || !strings.Contains(problems[0].Message+problems[0].Seen, c.says) {
			t.Errorf("%s: %+v", name, problems)
			continue
		}
		findings.Sound(t, problems[0])
	}
}

func TestWritten_ListsDirectoriesButThoseOfCompilers(t *testing.T) {
	var got []string
	for _, p := range host.Written(map[string]string{
		"LOG_DIR": "/srv/log", "LOG_LEVEL": "info", "TRITON_CACHE_DIR": "/srv/triton", "DATA_DIR": "data", "APP_DIR": "/srv/app",
	}) {
		got = append(got, p.What+"="+p.Path)
	}
	if want := []string{"APP_DIR=/srv/app", "LOG_DIR=/srv/log"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCheckouts_AreAbsoluteDirectories(t *testing.T) {
	for value, want := range map[string][]string{
		"/opt/x/": {"/opt/x", "/opt/x/JustNews"}, "": nil, "x": nil, "$HOME/x": nil, "/home/$USER": nil,
	} {
		if got := host.Checkouts(map[string]string{"SERVICE_DIR": value}); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}
