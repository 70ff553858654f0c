// SPDX-License-Identifier: Apache-2.0

package unit_test

import (
	"testing"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// A template cannot be stopped, and its instances may run without being enabled.
func TestRivals_FixesOfEachKindWork(t *testing.T) {
	for _, c := range []struct {
		rival facts.Rival
		want  string
	}{
		{facts.Rival{Unit: "a.service", Also: []string{"a.timer"}}, "systemctl disable --now -- a.service a.timer"},
		{facts.Rival{Unit: "a@.service"}, "systemctl disable -- a@.service; systemctl stop -- 'a@*.service'"},
		{
			facts.Rival{Unit: "a@.service", Also: []string{"a@x.service", "b.timer"}},
			"systemctl disable --now -- b.timer; systemctl disable -- a@.service; systemctl stop -- 'a@*.service'",
		},
		{facts.Rival{Path: "/etc/cron.d/news"}, "remove the lines that do so from \"/etc/cron.d/news\", then: justnews-gate preflight"},
	} {
		if got := unit.Retire(c.rival).String(); got != c.want {
			t.Errorf("%+v: %s", c.rival, got)
		}
	}
}

func TestRivals_SeverityDependsOnTheEffect(t *testing.T) {
	for want, r := range map[diag.Severity]facts.Rival{
		diag.Error:   {Unit: "a.service", Active: true},
		diag.Warning: {Unit: "a.service", Active: true, Gated: true},
		diag.Notice:  {Unit: "a.service"},
	} {
		if p := unit.Rivals([]facts.Rival{r})[0]; p.Severity != want {
			t.Errorf("%+v: %v", r, p)
		}
	}
}
