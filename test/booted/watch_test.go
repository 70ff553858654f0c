// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/test/bed"
)

const watchUnit = "justnews-watch.service"

// While agents run, the orchestrator is replaced by one that has loaded nothing. The watch
// reports that once, after three looks, and once that it is over. It changes nothing.
func TestWatch_OrchestratorWithoutModelsIsReportedOnce(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := boot(t, suite, host{config: config("60s") + "[watch]\ninterval = \"5s\"\n", misbehave: "hold"})
		if got := strings.TrimSpace(s.Run("systemctl", "is-enabled", watchUnit).Stdout); got != "disabled" {
			t.Errorf("%s is %s by default", watchUnit, got)
		}
		s.waitHeld()
		s.Systemctl("enable", "--now", watchUnit)
		s.looks(1)
		s.shows("good", "watch_lost 0", "watch_open 1") // the orchestrator's own gate alone is open
		flip := s.release()
		s.everythingUp(flip)
		s.looks(1)
		s.reports(0, diag.ReadinessLost)

		pids := s.mainPIDs(agents()...)
		s.WriteFile("/etc/justnews/gpu_orchestrator.env", "REFERENCE_MISBEHAVE=vacuous\n")
		s.Systemctl("restart", unit(orchestrator))
		s.WaitFor("the report", bed.Patience, func() bool { return s.metric("watch_lost") == 1 })
		if bad := s.metric("watch_bad_looks"); bad < 3 {
			t.Errorf("it was reported after %v failed checks", bad)
		}
		s.shows("not ready", "watch_lost 1", `code="MODELS-INCOMPLETE",severity="error"} 1`)
		s.looks(2)
		s.reports(1, diag.ReadinessLost, diag.ModelsIncomplete)
		s.reports(0, diag.ReadinessRegained)

		s.WriteFile("/etc/justnews/gpu_orchestrator.env", "REFERENCE_MISBEHAVE=\n")
		s.Systemctl("restart", unit(orchestrator))
		s.WaitFor("the good look", bed.Patience, func() bool { return s.metric("watch_lost") == 0 })
		s.shows("good", "watch_lost 0", "watch_bad_looks{run=\"watch\"} 0")
		s.looks(1)
		s.reports(1, diag.ReadinessLost, diag.ReadinessRegained)
		s.untouched(pids)

		used, looks := s.watchCPU(), 2
		s.looks(looks)
		each := (s.watchCPU() - used) / time.Duration(looks)
		t.Logf("%s: %v of CPU for each look of 17 instances, %v in an hour of one each 30 s",
			suite, each.Round(100*time.Microsecond), (120 * each).Round(10*time.Millisecond))

		s.Systemctl("disable", "--now", watchUnit)
		if u := s.Unit(watchUnit); !u.Is("inactive/dead") || u.Result != "success" {
			t.Errorf("stopped: %v", u)
		}
		if s.Exists(watchMetrics) {
			t.Error("the metrics of a stopped watch are still there")
		}
		if r := s.Run("justnews-gate", "status"); r.Code != 0 || strings.Contains(r.Stdout, "\nwatch ") {
			t.Errorf("status %d:\n%s", r.Code, r.Stdout)
		}
	})
}

const watchMetrics = "/run/justnews-gate/metrics/justnews_watch.prom"

// metric returns a metric of the watch, -1 if there is none.
func (s *site) metric(name string) float64 {
	s.t.Helper()
	m := regexp.MustCompile(`(?m)^justnews_gate_` + name + `\{run="watch"\} (\S+)$`).FindStringSubmatch(s.Run("cat", watchMetrics).Stdout)
	if m == nil {
		return -1
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// looks waits for n more looks.
func (s *site) looks(n int) {
	s.t.Helper()
	for range n {
		last := s.metric("last_run_timestamp_seconds")
		s.WaitFor("a look", bed.Patience, func() bool { return s.metric("last_run_timestamp_seconds") != last })
	}
}

// shows checks the unit's status text, status and the metrics.
func (s *site) shows(word string, metrics ...string) {
	s.t.Helper()
	text := strings.TrimSpace(s.Systemctl("show", "--property=StatusText", "--value", watchUnit))
	var status struct{ Watch *struct{ Text string } }
	out := s.Run("justnews-gate", "status", "--json").Stdout
	if err := json.Unmarshal([]byte(out), &status); err != nil || status.Watch == nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	row := regexp.MustCompile(`(?m)^watch +` + word).MatchString(s.Run("justnews-gate", "status").Stdout)
	if !strings.HasPrefix(text, word) || !strings.HasPrefix(status.Watch.Text, word) || !row {
		s.t.Errorf("the unit says %q, status --json %q, status has a row of %q: %v", text, status.Watch.Text, word, row)
	}
	found := s.Must("cat", watchMetrics)
	for _, want := range metrics {
		want = regexp.MustCompile(`^(\w+) (\d)$`).ReplaceAllString(want, `$1{run="watch"} $2`)
		if !strings.Contains(found, want) {
			s.t.Errorf("the metrics have no %s:\n%s", want, found)
		}
	}
}

// reports counts the journal's entries with the MESSAGE_ID of each code.
func (s *site) reports(times int, codes ...diag.Code) {
	s.t.Helper()
	for _, code := range codes {
		out := s.Must("journalctl", "--no-pager", "--quiet", "--boot", "--output=json", "--unit="+watchUnit, "MESSAGE_ID="+code.MessageID())
		if n := strings.Count(out, fmt.Sprintf(`"JUSTNEWS_CODE":%q`, code)); n != times {
			s.t.Errorf("%s was reported %d times, want %d", code, n, times)
		}
	}
}

// watchCPU is the CPU time that the unit has used.
func (s *site) watchCPU() time.Duration {
	s.t.Helper()
	text := strings.TrimSpace(s.Systemctl("show", "--property=CPUUsageNSec", "--value", watchUnit))
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.t.Fatalf("CPUUsageNSec=%s", text)
	}
	return time.Duration(n)
}
