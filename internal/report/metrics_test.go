// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/gate"
)

// parse reads a text as node_exporter does.
func parse(t *testing.T, text []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return families
}

// value returns the one sample of a metric with these labels.
func value(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	var found []float64
sample:
	for _, m := range families[name].GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		for i := 0; i < len(labels); i += 2 {
			if has[labels[i]] != labels[i+1] {
				continue sample
			}
		}
		found = append(found, m.GetGauge().GetValue())
	}
	if len(found) != 1 {
		t.Fatalf("%s%v: %d samples", name, labels, len(found))
	}
	return found[0]
}

// full is a run whose record has every field.
func full() Summary {
	s := Summarize("gate", "v1", results()["refused"])
	s.Models = gate.ModelsResult{State: "failed", Done: 9, Total: 16, Failed: 1, Expected: 16, Triggers: 2}
	s.MPS = &gate.MPSResult{Required: mps.RungControl, Reached: mps.RungServer}
	total, free := uint64(25769803776), uint64(21474836480)
	s.GPU = &GPUs{State: "2 GPUs", Devices: []GPU{
		{Index: 0, UUID: "GPU-5a5c3a3c", Name: "NVIDIA L4", MemoryTotal: &total, MemoryFree: &free},
		{Index: 1, Lost: "fell off the bus", Unfit: "fell off the bus", RowsPending: new(true), RowsFailed: new(false)},
	}}
	return s
}

func TestMetrics_PrometheusReadsEachKindOfRun(t *testing.T) {
	for name, r := range results() {
		run := "gate"
		if r.Instance == "" {
			run = "preflight"
		}
		r.Elapsed = min(r.Elapsed, 204e9)
		s := Summarize(run, "v1", r)
		text := Metrics(s)
		families := parse(t, text)
		if got := value(t, families, "justnews_gate_exit_status", "run", run, "agent", s.Instance); int(got) != s.Status && s.Instance != "" {
			t.Errorf("%s: exit status %v, want %d", name, got, s.Status)
		}
		if got := value(t, families, "justnews_gate_verdict", "verdict", s.Verdict); got != 1 {
			t.Errorf("%s: verdict %s is %v", name, s.Verdict, got)
		}
		if got := value(t, families, "justnews_gate_ready"); (got == 1) != (s.Verdict == "ready") {
			t.Errorf("%s: ready is %v, the verdict %s", name, got, s.Verdict)
		}
		if got := value(t, families, "justnews_gate_problems", "severity", "error"); int(got) != len(diag.Errors(r.Problems)) {
			t.Errorf("%s: %v errors", name, got)
		}
		golden(t, name+".prom", string(text))
	}
}

func TestMetrics_OfWatch(t *testing.T) {
	lost := WatchState{Open: true, Bad: 4, Lost: true, Problems: []diag.Problem{{Code: diag.PreloadEmpty}}}
	at := time.UnixMilli(1785585804500)
	text := WatchMetrics(lost, at)
	golden(t, "watch.prom", string(text))
	for _, c := range []struct {
		state WatchState
		want  [4]float64 // open, bad looks, lost, errors
	}{
		{WatchState{}, [4]float64{0, 0, 0, 0}}, {WatchState{Open: true}, [4]float64{1, 0, 0, 0}}, {lost, [4]float64{1, 4, 1, 1}},
	} {
		families := parse(t, WatchMetrics(c.state, at))
		got := [4]float64{
			value(t, families, "justnews_gate_watch_open"), value(t, families, "justnews_gate_watch_bad_looks"),
			value(t, families, "justnews_gate_watch_lost"), value(t, families, "justnews_gate_problems", "severity", "error"),
		}
		if got != c.want || value(t, families, "justnews_gate_last_run_timestamp_seconds", "run", "watch") != 1785585804.5 {
			t.Errorf("%+v: %v", c.state, got)
		}
	}
	if problems, err := promlint.New(bytes.NewReader(text)).Lint(); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestMetrics_HaveEverythingOfARecord(t *testing.T) {
	text := Metrics(full())
	golden(t, "full.prom", string(text))
	families := parse(t, text)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"last_run_timestamp_seconds", nil, 1785585804},
		{"duration_seconds", nil, 204},
		{"timeout_seconds", nil, 180},
		{"step_duration_seconds", []string{"step", "models"}, 204},
		{"step_passed", []string{"step", "models"}, 0},
		{"step_passed", []string{"step", "bus"}, 0},
		{"step_passed", []string{"step", "config"}, 1},
		{"problems", []string{"severity", "error"}, 2},
		{"problems", []string{"severity", "warning"}, 0},
		{"problems_by_code", []string{"code", "MODEL-FAILED", "severity", "error"}, 1},
		{"models_loaded", nil, 9},
		{"models_reported", nil, 16},
		{"models_failed", nil, 1},
		{"models_expected", nil, 16},
		{"preload_requests", nil, 2},
		{"mps_rung", nil, 3},
		{"mps_rung_required", nil, 2},
		{"gpus", nil, 2},
		{"gpu_lost", []string{"gpu", "1"}, 1},
		{"gpu_memory_bytes", []string{"gpu", "0", "name", "NVIDIA L4"}, 25769803776},
		{"gpu_memory_free_bytes", nil, 21474836480},
		{"build_info", []string{"version", "v1"}, 1},
	} {
		labels := append([]string{"run", "gate", "agent", "scout"}, c.labels...)
		if got := value(t, families, metricPrefix+c.name, labels...); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
}

func TestMetrics_NamesFollowPrometheusConventions(t *testing.T) {
	problems, err := promlint.New(bytes.NewReader(Metrics(full()))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// OpenMetrics: gauges are the same in both formats, and the end is marked.
func TestMetrics_TextEndsAsOpenMetricsEnds(t *testing.T) {
	text := string(Metrics(full()))
	if !strings.HasSuffix(text, "\n# EOF\n") || strings.Count(text, "# EOF") != 1 || strings.Contains(text, "\n\n") {
		t.Error(text)
	}
}

func TestMetrics_LabelsAreEscaped(t *testing.T) {
	for _, s := range []string{hostile, "a\"b\\c\nd", strings.Repeat("x", 5000), ""} {
		record := full()
		record.Version = s
		record.GPU.Devices[0].Name = s
		families := parse(t, Metrics(record))
		if got := value(t, families, "justnews_gate_gpu_memory_bytes", "gpu", "0"); got != 25769803776 {
			t.Errorf("%.20q: %v", s, got)
		}
		if len(families) != len(parse(t, Metrics(full()))) {
			t.Errorf("%.20q: %d families", s, len(families))
		}
	}
}

// Each file has the same words for a metric, or node_exporter would leave it out.
func TestMetrics_FilesOfSeveralInstancesAreCompatible(t *testing.T) {
	other := Summarize("preload", "v2", gate.Result{Status: diag.StatusFailed})
	a, b := parse(t, Metrics(full())), parse(t, Metrics(other))
	for name, family := range b {
		if diff := cmp.Diff(a[name].GetHelp(), family.GetHelp()); diff != "" || a[name].GetType() != family.GetType() {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
