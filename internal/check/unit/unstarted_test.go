// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"strings"
	"testing"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

// What systemd could not set up has a status of systemd's own: the finding names
// what it is about, and the fix is about that.
func TestFailed_NamesTheSettingThatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		pre    bool // of the gate's process
		says   string
		fix    string
	}{
		"no program":           {203, false, "its program /opt/agent cannot be executed (203/EXEC)", "/opt/agent"},
		"no gate":              {203, true, "its program /usr/bin/justnews-gate cannot be executed (203/EXEC)", "/usr/bin/justnews-gate"},
		"no working directory": {200, false, "its working directory /srv/scout cannot be entered (200/CHDIR)", "create it"},
		"no user":              {217, true, "its user agents, or one of its groups, does not exist (217/USER)", "systemd-sysusers"},
		"no group":             {216, false, "does not exist (216/GROUP)", "systemd-sysusers"},
		"no room for caches":   {239, true, "its directory /var/cache/justnews/scout cannot be made (239/CACHE_DIRECTORY)", "df -i -- /var/cache/justnews"},
		"no sandbox":           {226, true, "its sandbox could not be set up (226/NAMESPACE)", "journalctl"},
		"something else":       {219, false, "its process could not be set up (status 219)", "journalctl"},
	} {
		u := unitIn("failed", "failed")
		u.Name, u.User, u.Result = "justnews@scout.service", "agents", "exit-code"
		u.Service.WorkingDirectory = "/srv/scout"
		u.Service.ExecStart = []facts.Exec{{Argv: []string{"/opt/agent", "scout"}}}
		u.ExecStartPre = []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", "scout"}}}
		if c.pre {
			u.ExecStartPre[0].Code, u.ExecStartPre[0].Status = 1, c.status
		} else {
			u.ExecMainCode, u.ExecMainStatus = 1, c.status
		}
		p := unit.Failure(u)
		if p == nil || p.Code != diag.UnitFailed || !strings.Contains(p.Message, c.says) || !strings.Contains(p.Fix.String(), c.fix) {
			t.Errorf("%s: %+v", name, p)
			continue
		}
		findings.Sound(t, *p)
	}
	u := unitIn("failed", "failed")
	u.ExecMainCode, u.ExecMainStatus = 1, 78
	if p := unit.Failure(u); p.Message != "the instance has failed" {
		t.Errorf("a status of its own: %+v", p)
	}
}
