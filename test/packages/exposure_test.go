// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// budgets are the largest exposures that systemd-analyze security may report, by unit. A unit
// without one is an error.
var budgets = map[string]float64{
	"justnews@.service":          2.0,
	"justnews-mps.service":       1.2,
	"justnews-mps-start.service": 1.5,
	"justnews-renew.service":     1.0,
	"justnews-preload.service":   1.8,
	"justnews-preflight.service": 1.8,
	"justnews-watch.service":     1.8,
}

var overall = regexp.MustCompile(`Overall exposure level for .*: ([0-9.]+) `)

func TestExposure_UnitsStayWithinTheirBudget(t *testing.T) {
	need(t, "systemd-analyze", "systemd")
	units, err := filepath.Glob(filepath.Join(repository, "units/*.service"))
	if err != nil || len(units) < 3 {
		t.Fatal(units, err)
	}
	dir := t.TempDir()
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(unit)
		budget, ok := budgets[name]
		if !ok {
			t.Errorf("%s has no budget", name)
		}
		got := exposure(t, dir, name, string(text))
		t.Logf("%-28s %.1f of %.1f", name, got, budget)
		if got > budget {
			t.Errorf("%s has the exposure %.1f, more than %.1f", name, got, budget)
		}
	}
	// The check can fail: without its sandbox a unit exceeds every budget.
	if got := exposure(t, dir, "open.service", "[Service]\nExecStart=/bin/true\n"); got < 9 {
		t.Errorf("an open unit has the exposure %.1f", got)
	}
}

func exposure(t *testing.T, dir, name, text string) float64 {
	t.Helper()
	file := filepath.Join(dir, strings.Replace(name, "@.", "@scout.", 1))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", file).CombinedOutput()
	m := overall.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	value, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
