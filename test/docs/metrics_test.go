// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v2"
)

var metric = regexp.MustCompile(`justnews_gate_[a-z_]+`)

// metrics returns every existing metric: those of a complete record, which its own test
// compares with the source.
func metrics(t *testing.T) []string {
	t.Helper()
	var names []string
	watch := read(t, "internal/report/testdata/watch.prom")
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(read(t, "internal/report/testdata/full.prom")+watch, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	for _, m := range regexp.MustCompile(`"([a-z_]+)", "[^"]+"[,)]`).FindAllStringSubmatch(read(t, "internal/report/metrics.go"), -1) {
		if !slices.Contains(names, "justnews_gate_"+m[1]) {
			t.Errorf("full.prom has no %s", m[1])
		}
	}
	if len(names) < 20 {
		t.Fatalf("only %d metrics found", len(names))
	}
	slices.Sort(names)
	return names
}

// alerts returns the expression of each alert.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, "examples/prometheus/justnews.rules.yml")), &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r.Expr
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s: severity, summary or description is missing", r.Alert)
			}
		}
	}
	return all
}

// panels returns the expressions of the dashboard.
func panels(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "examples/grafana/justnews.json")), &board); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all[p.Title+" "+target.RefID] = strings.ReplaceAll(target.Expr, "$host", ".*")
		}
	}
	return all
}

func TestMetrics_EveryMetricOfTheAlertsAndTheDashboardExists(t *testing.T) {
	known := metrics(t)
	expressions := alerts(t)
	maps.Copy(expressions, panels(t))
	if len(expressions) < 15 {
		t.Errorf("only %d expressions found", len(expressions))
	}
	for where, expr := range expressions {
		used := metric.FindAllString(expr, -1)
		if len(used) == 0 {
			t.Errorf("%s uses no metric of ours: %s", where, expr)
		}
		for _, name := range used {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no %s", where, name)
			}
		}
	}
}

func TestMetrics_GatePageHasThem(t *testing.T) {
	listed := metric.FindAllString(strings.Join(items(section(t, read(t, "man/justnews-gate.8"), "Sh", "METRICS")), "\n"), -1)
	slices.Sort(listed)
	if diff := cmp.Diff(metrics(t), listed); diff != "" {
		t.Errorf("-program +page\n%s", diff)
	}
}

// Prometheus itself checks the alerts, and the dashboard's expressions as if they were rules.
func TestMetrics_PrometheusAcceptsAlertsAndDashboard(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("there is no promtool")
	}
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("groups:\n- name: dashboard\n  rules:\n")
	expressions := panels(t)
	for i, where := range slices.Sorted(maps.Keys(expressions)) {
		fmt.Fprintf(&b, "  - record: panel:%d\n    expr: %q\n", i, expressions[where])
	}
	if err := os.WriteFile(filepath.Join(dir, "dashboard.yml"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	examples := filepath.Join(repository, "examples/prometheus")
	for _, args := range [][]string{
		{"check", "rules", filepath.Join(examples, "justnews.rules.yml"), filepath.Join(dir, "dashboard.yml")},
		{"test", "rules", filepath.Join(examples, "justnews.test.yml")},
	} {
		if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// Each alert is tried: justnews.test.yml makes it fire.
func TestMetrics_EveryAlertIsTested(t *testing.T) {
	tried := read(t, "examples/prometheus/justnews.test.yml")
	for name := range alerts(t) {
		if !strings.Contains(tried, "alertname: "+name+"\n") {
			t.Errorf("%s is never tried", name)
		}
	}
}
