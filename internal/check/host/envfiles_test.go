// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

func TestEnvironment_WindowsLineEndsAreReportedOncePerFile(t *testing.T) {
	f := facts.EnvFile{Path: "/etc/justnews/global.env"}
	for n, name := range []string{"A", "B", "C"} {
		f.Systemd = append(f.Systemd, facts.EnvVar{Name: name, Value: "1", Line: n + 1})
		f.Shell = append(f.Shell, facts.EnvVar{Name: name, Value: "1\r", Line: n + 1, Why: "keeps the carriage return"})
	}
	problems := host.EnvFile(f)
	if len(problems) != 1 || problems[0].Code != diag.EnvDiffers || !strings.Contains(problems[0].Seen, "carriage return") {
		t.Errorf("%v", problems)
	}
}
