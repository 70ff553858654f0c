// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestCovered_LinkToAHiddenPathIsNotDangling(t *testing.T) {
	own := facts.Unit{Name: "justnews@gpu_orchestrator.service", Sandbox: facts.Sandbox{PrivateTmp: true, ProtectHome: "tmpfs"}}
	for name, c := range map[string]struct {
		fault facts.StoreFault
		says  string // "": nothing hides it
	}{
		"a link to /var/tmp":    {facts.StoreFault{Kind: facts.Dangling, Path: root + "/m.safetensors", Target: "/var/tmp/blobs/1", Leads: "/var/tmp/blobs/1"}, "m.safetensors is hidden by PrivateTmp="},
		"a relative link":       {facts.StoreFault{Kind: facts.Dangling, Path: root + "/m", Target: "../../../tmp/m", Leads: "/tmp/m"}, "/m is hidden by PrivateTmp="},
		"a link to a home":      {facts.StoreFault{Kind: facts.Dangling, Path: root + "/m", Target: "/home/adra/m", Leads: "/home/adra/m"}, "hidden by ProtectHome="},
		"a directory above it":  {facts.StoreFault{Kind: facts.Absent, Path: root + "/m", Leads: "/var/tmp/store/m"}, "hidden by PrivateTmp="},
		"a link that is denied": {facts.StoreFault{Kind: facts.Unreadable, Path: root + "/m", Leads: "/home/adra/m"}, "hidden by ProtectHome="},
		"a link within":         {facts.StoreFault{Kind: facts.Dangling, Path: root + "/m", Target: "../blobs/1"}, ""},
		"what is really absent": {facts.StoreFault{Kind: facts.Absent, Path: root + "/config.json"}, ""},
		"what is corrupt":       {facts.StoreFault{Kind: facts.BadContent, Path: "/tmp/config.json"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			look, want := whole(t)
			look.Models[0].Faults = []facts.StoreFault{c.fault}
			byHand := Judge(look, want)
			want.Unit = &own
			got := Judge(look, want)
			if len(got) != 1 || got[0].Code != byHand[0].Code || !strings.Contains(got[0].Message, c.says) {
				t.Errorf("%+v, want %q", got, c.says)
			}
			if c.says == "" && got[0].Message != byHand[0].Message {
				t.Errorf("%q, want %q", got[0].Message, byHand[0].Message)
			}
		})
	}
	for kind, code := range map[facts.FaultKind]diag.Code{facts.Dangling: diag.StoreVersion, facts.Unreadable: diag.StoreRead} {
		look, want := whole(t)
		want.Unit = &own
		look.Trees[0].Fault = &facts.StoreFault{Kind: kind, Path: root + "/scout/current", Target: "/tmp/v1", Leads: "/tmp/v1"}
		got := diag.Errors(Judge(look, want))
		if len(got) == 0 || got[0].Code != code || !strings.Contains(got[0].Message, "hidden by PrivateTmp=") {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}
