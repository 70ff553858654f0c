// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

func TestSandbox_TargetOfALinkMayBeHidden(t *testing.T) {
	link := filepath.Join(t.TempDir(), "models")
	if err := os.Symlink("/srv/disk/models", link); err != nil {
		t.Fatal(err)
	}
	own := facts.Unit{Name: "justnews@scout.service", Sandbox: facts.Sandbox{Inaccessible: []string{"/srv"}}}
	problems := []diag.Problem{{Code: diag.StoreRoot, Subject: link}}
	Sandboxed(problems, &own, requirement.Run{})
	if p := problems[0]; !strings.Contains(p.Message, "hidden by InaccessiblePaths=") || !strings.Contains(p.Seen, "which leads to /srv/disk/models") {
		t.Errorf("%s: %s", p.Message, p.Seen)
	}
}

func TestSandbox_HiddenPathIsNotReportedAsMissing(t *testing.T) {
	w := requirement.Run{Needs: []config.Probe{
		{Name: "mount", Kind: "path", Path: "/var/tmp/ready"}, {Name: "db", Kind: "tcp", Address: "10.0.0.7:3306"},
		{Name: "api", Kind: "http", URL: "http://10.0.0.7:80/health"}, {Name: "cache", Kind: "unit", Unit: "redis.service"},
	}}
	own := facts.Unit{Name: "justnews@scout.service", Sandbox: facts.Sandbox{
		PrivateTmp: true, PrivateDevices: true, ProtectHome: "yes", Inaccessible: []string{"/srv"}, Emptied: []string{"/etc/justnews"},
		IPDeny: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, OnlyFamilies: true, Families: []string{"AF_INET", "AF_UNIX"},
	}}
	for name, c := range map[string]struct {
		problem diag.Problem
		says    string // "": as it was
		fix     string
	}{
		"the store below /var/tmp":    {diag.Problem{Code: diag.StoreRoot, Subject: "/var/tmp/models"}, "hidden by PrivateTmp= of the unit", "service.read_only_paths"},
		"the store below a home":      {diag.Problem{Code: diag.StorePermission, Subject: "/home"}, "hidden by ProtectHome= of the unit", "protect_home"},
		"an inaccessible store":       {diag.Problem{Code: diag.StorePermission, Subject: "/srv"}, "hidden by InaccessiblePaths= of the unit", "systemctl cat"},
		"a missing store":             {diag.Problem{Code: diag.StoreRoot, Subject: "/opt/models"}, "", ""},
		"the map":                     {diag.Problem{Code: diag.MapUnreadable, Position: &diag.Position{File: "/etc/justnews/map.json"}}, "hidden by TemporaryFileSystem= of the unit", "BindReadOnlyPaths="},
		"the default map":             {diag.Problem{Code: diag.MapMissing, Position: &diag.Position{File: "/etc/justnews/map.json"}}, "hidden by TemporaryFileSystem=", ""},
		"the pipe directory":          {diag.Problem{Code: diag.MPSDirectory, Subject: "/tmp/nvidia-mps"}, "hidden by PrivateTmp=", ""},
		"the GPU":                     {diag.Problem{Code: diag.GPUPermission, Subject: "/dev/nvidia0"}, "the GPU is hidden by PrivateDevices=", ""},
		"a path that is needed":       {diag.Problem{Code: diag.NeedUnmet, Subject: "mount"}, "hidden by PrivateTmp=", ""},
		"a server that is needed":     {diag.Problem{Code: diag.NeedUnmet, Subject: "db"}, "IPAddressDeny= of the unit forbids it to connect", "IPAddressAllow="},
		"a URL that is needed":        {diag.Problem{Code: diag.NeedUnmet, Subject: "api"}, "IPAddressDeny= of the unit", ""},
		"a unit that is needed":       {diag.Problem{Code: diag.NeedUnmet, Subject: "cache"}, "", ""},
		"the orchestrator":            {diag.Problem{Code: diag.OrchestratorUnreachable, Subject: "http://[::1]:8014"}, "RestrictAddressFamilies= of the unit", "systemctl cat"},
		"an orchestrator that is off": {diag.Problem{Code: diag.OrchestratorUnreachable, Subject: "http://127.0.0.1:8014"}, "", ""},
		"the bus":                     {diag.Problem{Code: diag.BusUnreachable, Subject: "http://10.1.2.3:8000"}, "IPAddressDeny= of the unit", ""},
	} {
		t.Run(name, func(t *testing.T) {
			problems := []diag.Problem{c.problem}
			problems[0].Message = "as it was"
			Sandboxed(problems, &own, w)
			p := problems[0]
			if says := cmp.Or(c.says, "as it was"); !strings.Contains(p.Message, says) || p.Code != c.problem.Code {
				t.Errorf("%q, want %q", p.Message, says)
			}
			if !strings.Contains(p.Fix.String(), c.fix) {
				t.Errorf("%q, want %q", p.Fix.String(), c.fix)
			}
			problems[0].Message = "as it was"
			if Sandboxed(problems, nil, w); problems[0].Message != "as it was" {
				t.Error("a run by hand has no sandbox")
			}
		})
	}
}
