// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"justnews/test/bed"
)

// After a boot an operator sees every run in the history, every instance in the plot, and
// the metrics of all of them with a node_exporter that runs as nobody.
func TestHistory_AfterABoot(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{misbehave: "hold"})
		s.waitHeld()
		flip := s.release()
		s.everythingUp(flip)
		s.WaitIdle()
		s.pictureOfTheBoot()
		s.historyOfTheBoot()
		s.metricsForNobody()
	})
}

// pictureOfTheBoot draws as root and as nobody: a user who cannot read a summary still sees
// systemd's times.
func (s *site) pictureOfTheBoot() {
	s.t.Helper()
	for _, as := range [][]string{{}, {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}} {
		r := s.Run(append(as, "/usr/bin/justnews-gate", "plot")...)
		svg := r.Stdout
		if r.Err != nil || strings.Contains(r.Stderr, "RECORD-BROKEN") {
			s.t.Errorf("%v: %v\n%s", as, r.Err, r.Stderr)
		}
		if dir := os.Getenv("JUSTNEWS_TEST_KEEP"); dir != "" && len(as) == 0 {
			if err := os.WriteFile(filepath.Join(dir, "boot.svg"), []byte(svg), 0o644); err != nil {
				s.t.Error(err)
			}
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				s.t.Fatalf("%v\n%s", err, svg)
			}
		}
		for name := range ports {
			if !strings.Contains(svg, ">"+name+"</text>") || !strings.Contains(svg, ">"+name+": start, ") || !strings.Contains(svg, ">"+name+": queue, ") {
				s.t.Errorf("%v: %s has no bar with queue and start", as, name)
			}
		}
		models := strings.Contains(svg, ">preload: models, ") && strings.Contains(svg, ">scout: models, ")
		if models != (len(as) == 0) {
			s.t.Errorf("%v: the steps of a gate are there: %v\n%s", as, models, svg)
		}
	}
}

func (s *site) historyOfTheBoot() {
	s.t.Helper()
	var history struct {
		Runs []struct {
			Instance, Run, Verdict string
		}
		Problems []struct{ Code string }
	}
	if err := json.Unmarshal([]byte(s.Must("/usr/bin/justnews-gate", "history", "--json", "--limit", "0")), &history); err != nil {
		s.t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range history.Runs {
		seen[r.Run+" "+r.Instance] = r.Verdict == "ready"
	}
	for name := range ports {
		if !seen["gate "+name] {
			s.t.Errorf("the history has no gate of %s that passed", name)
		}
	}
	if !seen["preload "] || len(history.Problems) != 0 {
		s.t.Errorf("preload %v, problems %v", seen["preload "], history.Problems)
	}
}

func (s *site) metricsForNobody() {
	s.t.Helper()
	text := s.Must("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", "cat /run/justnews-gate/metrics/*.prom")
	for name := range ports {
		if !strings.Contains(text, `justnews_gate_ready{run="gate",agent="`+name+`"} 1`) {
			s.t.Errorf("no metrics report %s as ready", name)
		}
	}
	preload := s.Must("cat", "/run/justnews-gate/metrics/justnews_preload.prom")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(preload))
	if err != nil || families["justnews_gate_models_loaded"].GetMetric()[0].GetGauge().GetValue() != 9 {
		s.t.Errorf("%v\n%s", err, preload)
	}
	if r := s.Run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", "/run/justnews-gate"); r.Err == nil {
		s.t.Errorf("nobody may list the locks: %s", r.Stdout)
	}
}
