// SPDX-License-Identifier: Apache-2.0

package mps_test

import (
	"strings"
	"testing"

	"justnews/internal/check/mps"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestPrivateTmp_DaemonInAPrivateTmpIsUnreachable(t *testing.T) {
	for name, c := range map[string]struct {
		sandbox facts.Sandbox
		dir     string
		says    string // "": its clients see it
	}{
		"in its private /tmp":   {facts.Sandbox{PrivateTmp: true}, "/tmp/nvidia-mps", "PrivateTmp= of the unit"},
		"in the /tmp of all":    {facts.Sandbox{}, "/tmp/nvidia-mps", ""},
		"bound in":              {facts.Sandbox{PrivateTmp: true, Bound: []string{"/tmp/nvidia-mps"}}, "/tmp/nvidia-mps", ""},
		"below /run":            {facts.Sandbox{PrivateTmp: true}, "/run/nvidia-mps", ""},
		"in an empty directory": {facts.Sandbox{Emptied: []string{"/srv"}}, "/srv/mps", "TemporaryFileSystem= of the unit"},
	} {
		p := mps.OutOfReach(facts.Unit{Name: "justnews-mps.service", Sandbox: c.sandbox}, mps.Wanted{MPS: config.MPS{PipeDirectory: c.dir}})
		if (p != nil) != (c.says != "") {
			t.Errorf("%s: %v", name, p)
			continue
		}
		if p != nil {
			if findings.Sound(t, *p); p.Code != diag.MPSEnvironment || !strings.Contains(p.Message, c.says) || !strings.Contains(p.Fix.Advice, "global.env") {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
}
