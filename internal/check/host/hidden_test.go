// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestEnvironment_VariableWithAHiddenPathIsReported(t *testing.T) {
	hidden := facts.Unit{Name: "justnews@scout.service", Sandbox: facts.Sandbox{ProtectHome: "yes"}}
	for name, c := range map[string]struct {
		env      map[string]string
		unit     facts.Unit
		severity diag.Severity
		says     string
	}{
		"the checkout": {env: map[string]string{"SERVICE_DIR": "/home/adra/JustNews"}, unit: hidden, severity: diag.Error, says: "SERVICE_DIR=/home/adra/JustNews"},
		"another directory": {
			env: map[string]string{"CRAWL4AI_MODEL_CACHE_DIR": "/root/.crawl4ai", "LOG_DIR": "/var/log"}, unit: hidden, severity: diag.Warning, says: "CRAWL4AI_MODEL_CACHE_DIR=/root/.crawl4ai; ProtectHome=yes",
		},
		"nothing below a home": {env: map[string]string{"LOG_DIR": "/var/log/justnews", "PATH": "/home/x/bin:/usr/bin", "HOME": "/home/x"}, unit: hidden},
		"a home that is seen":  {env: map[string]string{"SERVICE_DIR": "/home/adra"}, unit: facts.Unit{Name: "justnews@scout.service", Sandbox: facts.Sandbox{ProtectHome: "read-only"}}},
	} {
		problems := host.HiddenVariables(c.unit, c.env)
		if c.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Code != diag.HomeHidden || problems[0].Severity != c.severity || !strings.Contains(problems[0].Seen, c.says) {
			t.Errorf("%s: %+v", name, problems)
			continue
		}
		findings.Sound(t, problems[0])
	}
}

func TestEnvironment_HiddenCacheIsReported(t *testing.T) {
	u := facts.Unit{Name: "justnews@scout.service"}
	own := map[string]string{"XDG_CACHE_HOME": "/var/cache/justnews/scout"}
	for name, c := range map[string]struct {
		env     map[string]string
		present []int // of envfile.Caches
		says    string
	}{
		"models and browsers": {env: own, present: []int{0, 2}, says: "/home/adra/.cache/huggingface, /home/adra/.cache/ms-playwright; XDG_CACHE_HOME=/var/cache/justnews/scout"},
		"one that a variable leads to": {
			env: map[string]string{"XDG_CACHE_HOME": "/var/cache/justnews/scout", "HF_HUB_CACHE": "/srv/hub"}, present: []int{0, 1}, says: "/home/adra/.cache/torch; ",
		},
		"nothing was downloaded":   {env: own},
		"the user's own directory": {env: map[string]string{"XDG_CACHE_HOME": "/home/adra/.cache/"}, present: []int{0}},
		"no directory of its own":  {present: []int{0}},
	} {
		var present []envfile.Cache
		for _, n := range c.present {
			present = append(present, envfile.Caches[n])
		}
		problems := host.HiddenCaches(u, c.env, "/home/adra", present)
		if c.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Severity != diag.Warning || !strings.HasPrefix(problems[0].Seen, c.says) {
			t.Errorf("%s: %+v", name, problems)
			continue
		}
		findings.Sound(t, problems[0])
	}
}

func TestSource_DeepestBindMountCounts(t *testing.T) {
	s := facts.Sandbox{Source: map[string]string{"/srv": "/mnt/srv", "/srv/models": "/data/models", "/srv/mod": "/other"}}
	for path, want := range map[string]string{
		"/srv/models/a": "/data/models/a", "/srv/models": "/data/models", "/srv/model": "/mnt/srv/model",
		"/srv/mod/x": "/other/x", "/srv": "/mnt/srv", "/opt/models": "/opt/models",
	} {
		if got := host.Source(s, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestAccount_MissingUserIsAnErrorAndADynamicOneAWarning(t *testing.T) {
	missing := facts.Account{User: "nosuch", Group: "nosuch", Err: "unknown user nosuch"}
	for what, c := range map[string]struct {
		account facts.Account
		dynamic bool
		want    diag.Severity
		says    string // "": nothing
	}{
		"exists":           {account: facts.Account{User: "justnews"}},
		"exists, dynamic":  {account: facts.Account{User: "justnews"}, dynamic: true},
		"missing":          {account: missing, want: diag.Error, says: "unknown user nosuch"},
		"missing, dynamic": {account: missing, dynamic: true, want: diag.Warning, says: "DynamicUser=yes, User=nosuch"},
	} {
		u := facts.Unit{Name: "justnews@scout.service"}
		u.Service.DynamicUser = c.dynamic
		problems := host.Account(u, c.account)
		if len(problems) != 0 != (c.says != "") {
			t.Errorf("%s: %+v", what, problems)
			continue
		}
		for _, p := range problems {
			if p.Code != diag.UserUnknown || p.Severity != c.want || p.Seen != c.says {
				t.Errorf("%s: %+v", what, p)
			}
		}
	}
}
