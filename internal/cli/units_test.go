// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"justnews/internal/config"
	"justnews/internal/digest"
	"justnews/internal/hostlock"
	"justnews/internal/plan"
	"justnews/internal/records"
)

const unitsDir = "../../units"

// unitLines are the lines of a file below units/, with single spaces.
func unitLines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(unitsDir, name))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestUnits_HaveThePathsAndModesOfThePrograms(t *testing.T) {
	heal := ""
	for _, d := range plan.Build(&config.Config{}, plan.Machine{}).DropIns {
		if d.Dir == plan.HealTarget+".d" {
			heal = plan.GeneratorDir + "/" + d.Dir + "/" + d.Name
		}
	}
	preloadLog := DigestDir + "/" + digest.PreloadLog
	for _, want := range []struct{ file, line string }{
		{"justnews-heal.path", "PathExists=" + heal},
		{"justnews-heal.path", "Unit=" + plan.HealTarget},
		{"justnews-renew.path", "PathExists=" + hostlock.SharedDir + "/" + renewRequest + ".json"},
		{"justnews-preload.service", "StandardOutput=append:" + preloadLog},
		{"tmpfiles.d/justnews.conf", "f " + preloadLog + " 0644 root root -"},
		{"tmpfiles.d/justnews.conf", "d " + DigestDir + " 0755 root root -"},
		{"tmpfiles.d/justnews.conf", "d " + hostlock.SharedDir + " 3771 root justnews -"},
		{"tmpfiles.d/justnews.conf", "d " + records.MetricsDir + " 3775 root justnews -"},
		{"run-justnews-gate.mount", "Where=" + hostlock.SharedDir},
		{"run-justnews-gate.mount", "Options=mode=3771,gid=justnews,size=16M,nr_inodes=4k,nosuid,nodev,noexec"},
		{"local-fs.target.d/50-justnews.conf", `Wants=run-justnews\x2dgate.mount`},
		{"sysusers.d/justnews.conf", "g justnews-operators -"},
		{"system-preset/80-justnews.preset", "disable justnews*"},
	} {
		if !slices.Contains(unitLines(t, want.file), want.line) {
			t.Errorf("%s lacks %q", want.file, want.line)
		}
	}
}

// What keeps a gate shut, and what lets a host heal without an operator.
func TestUnits_RetryForeverAndEndByASignal(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(unitsDir, "*.service"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		lines := unitLines(t, name)
		if name == "justnews@.service" {
			lines = append(lines, unitLines(t, plan.BaseDir+"/"+plan.BaseName)...)
		}
		environment := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.HasPrefix(line, "EnvironmentFile=") })
		optional := []string{"EnvironmentFile=-/etc/justnews/global.env", "EnvironmentFile=-/etc/justnews/%i.env"}
		if len(environment) > 0 && !slices.Equal(environment, optional[:len(environment)]) {
			t.Errorf("%s reads %q: the files are optional, and the instance's comes last", name, environment)
		}
		gated := slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "ExecStart=/usr/bin/justnews-gate ") || line == plan.Gate
		})
		wanted := []string{"StartLimitIntervalSec=0"}
		if gated && len(environment) > 0 { // which could have a crash end with exit status 2
			wanted = append(wanted, "Environment=GOTRACEBACK=crash")
		}
		wanted = append(wanted, wantedOf[name]...)
		for _, line := range wanted {
			if !slices.Contains(lines, line) {
				t.Errorf("%s lacks %q", name, line)
			}
		}
	}
}

var wantedOf = map[string][]string{
	"justnews@.service":          {"Restart=on-failure", "NotifyAccess=exec", "WantedBy=justnews.target", "PartOf=justnews.target"},
	"justnews-preload.service":   {"Restart=on-failure", "NotifyAccess=exec", "RemainAfterExit=yes", "PartOf=justnews.target"},
	"justnews-mps.service":       {"Restart=always", "NotifyAccess=exec", "ExecStartPost=/usr/bin/justnews-gate mps wait"},
	"justnews-preflight.service": {"SuccessExitStatus=2", "NotifyAccess=exec"},
	"justnews-watch.service":     {"Restart=on-failure", "NotifyAccess=main", "WantedBy=multi-user.target"},
}
