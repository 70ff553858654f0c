// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// BenchmarkMPS measures the MPS gate: 1,003 runs, 17 at a time, as many naive queries to the
// same daemon, also 17 at a time, and the time from the start of the unit until it is
// verified.
//
//	go test -run '^$' -bench MPS -benchtime 1x ./test/booted
func BenchmarkMPS(b *testing.B) {
	const rounds, starts = 59, 11
	for _, suite := range bed.Suites() {
		b.Run(suite, func(b *testing.B) {
			for b.Loop() {
				s := bootMPS(b, suite, mpsConfig("", "memory", "scout"), nil)
				s.WaitUnits("active/running", units("memory", "scout")...)
				s.WaitFor("a quiet machine", bed.Patience, quiet())

				s.Mkdir("/tmp/gates", 0o777)
				s.RunFor(5*time.Minute, "sh", "-c", `for round in $(seq `+strconv.Itoa(rounds)+`); do
					for i in $(seq 17); do
						runuser -u justnews -- env HOME=/tmp justnews-gate --json gate scout >/tmp/gates/$round-$i 2>/dev/null &
					done; wait; done`)
				elapsed, failed := s.gateTimes("/tmp/gates")
				naive := s.RunFor(5*time.Minute, "sh", "-c", `export CUDA_MPS_PIPE_DIRECTORY=`+pipeDir+`
					for round in $(seq `+strconv.Itoa(rounds)+`); do
					for i in $(seq 17); do
						(echo get_default_active_thread_percentage | timeout 5 `+control+` 2>/dev/null | grep -q '^100.0$' || echo bad) &
					done; wait; done`).Stdout

				var proven []time.Duration
				for range starts {
					s.Systemctl("stop", mpsUnit)
					var record struct {
						Elapsed float64 `json:"elapsed_s"`
					}
					if err := json.Unmarshal([]byte(s.Must("justnews-gate", "--json", "mps", "start")), &record); err != nil {
						b.Fatal(err)
					}
					proven = append(proven, time.Duration(record.Elapsed*float64(time.Second)))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(failed), "failures")
				b.ReportMetric(float64(len(elapsed)), "gates")
				b.ReportMetric(median(elapsed), "ms-median")
				b.ReportMetric(float64(slices.Max(elapsed).Microseconds())/1000, "ms-worst")
				b.ReportMetric(100*float64(strings.Count(naive, "bad"))/float64(17*rounds), "%-naive-failed")
				b.ReportMetric(median(proven), "ms-start-to-proven")
				s.Stop()
			}
		})
	}
}

// gateTimes reads the records of many runs: how long each took, and how many
// did not pass.
func (s *site) gateTimes(dir string) (elapsed []time.Duration, failed int) {
	s.t.Helper()
	for _, name := range s.List(dir) {
		var record struct {
			Elapsed float64 `json:"elapsed_s"`
			Status  int     `json:"status"`
		}
		if err := json.Unmarshal([]byte(s.ReadFile(dir+"/"+name)), &record); err != nil || record.Status != 0 {
			failed++
		}
		elapsed = append(elapsed, time.Duration(record.Elapsed*float64(time.Second)))
	}
	return elapsed, failed
}
