// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/diag"
)

func TestRead_ReadsBackWhatWasWritten(t *testing.T) {
	for name, r := range results() {
		r.Elapsed = min(r.Elapsed, time.Hour) // of a run that was switched off: since 2026
		s := Summarize("gate", "v1", r)
		s.Boot, s.Monotonic = "0c6e4e8c", 12.5
		text := s.JSON()
		got, err := ReadSummary(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("%s: -written +read\n%s", name, diff)
		}
	}
	refused := Summarize("gate", "v1", results()["refused"])
	if p := refused.FirstError(); p == nil || p.Code != diag.ModelFailed {
		t.Errorf("the first error is %v", p)
	}
	if p := Summarize("gate", "v1", results()["pass"]).FirstError(); p != nil {
		t.Errorf("of a run that passed: %v", p)
	}
}

func TestRead_UnknownFieldIsIgnored(t *testing.T) {
	text := Summarize("gate", "v1", results()["pass"]).JSON()
	newer := strings.Replace(string(text), `"schema": 1,`, `"schema": 1, "added_later": {"x": [1]},`, 1)
	if s, err := ReadSummary([]byte(newer)); err != nil || s.Verdict != "ready" {
		t.Error(s, err)
	}
}

func TestRead_ContradictorySummaryIsRejected(t *testing.T) {
	pass := Summarize("gate", "v1", results()["pass"]).JSON()
	refused := Summarize("gate", "v1", results()["refused"]).JSON()
	for _, c := range []struct {
		of       []byte
		old, new string
	}{
		{pass, `"schema": 1`, `"schema": 2`},
		{pass, `"program": "justnews-gate"`, `"program": "other"`},
		{pass, `"run": "gate"`, `"run": "\u001b[2J"`},
		{pass, `"instance": "scout"`, `"instance": "../scout"`},
		{pass, `"started": "2026`, `"started": "soon 2026`},
		{pass, `"status": 0`, `"status": 256`},
		{pass, `"status": 0`, `"status": 1`},
		{pass, `"verdict": "ready"`, `"verdict": "refused"`},
		{pass, `"verdict": "ready"`, `"verdict": "warnings"`},
		{pass, `"verdict": "ready"`, `"verdict": "fine"`},
		{pass, `"elapsed_s": 41.3`, `"elapsed_s": -1`},
		{pass, `"elapsed_s": 41.3`, `"elapsed_s": 1e9`},
		{pass, `"elapsed_s": 41.3`, `"monotonic_s": 1e300, "elapsed_s": 41.3`},
		{pass, `"started": "2026`, `"started": "9026`},
		{pass, `"elapsed_s": 40`, `"elapsed_s": 1e9`},
		{pass, `"name": "models"`, `"name": "<script>"`},
		{pass, `"verdict": "passed"`, `"verdict": "perhaps"`},
		{pass, `"schema": 1,`, `"schema": 1, "SCHEMA": 1,`},
		{pass, `"problems": []`, `"problems": [{"code": "MODEL-FAILED", "severity": "error", "message": "m", "fix": "f"}]`},
		{refused, `"severity": "error"`, `"severity": "dreadful"`},
		{refused, `"code": "MODEL-FAILED"`, `"code": "model failed"`},
		{refused, `"status": 1`, `"status": 0`},
		{refused, `{`, `[`},
	} {
		text := strings.Replace(string(c.of), c.old, c.new, 1)
		if text == string(c.of) {
			t.Fatalf("%s: nothing was changed", c.old)
		}
		if s, err := ReadSummary([]byte(text)); err == nil || s.Verdict != "" {
			t.Errorf("%s -> %s: %+v, %v", c.old, c.new, s, err)
		}
	}
}
