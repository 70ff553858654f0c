// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/requirement"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// results are runs of each kind, as an operator meets them.
func results() map[string]gate.Result {
	base := gate.Result{
		Instance: "scout", Unit: "justnews@scout.service", Started: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC),
		Elapsed: 41300 * time.Millisecond, Timeout: requirement.Timeout{Value: 3 * time.Minute, Origin: "gate.timeout"},
	}
	pass := base
	pass.Steps = []gate.StepResult{
		{Name: "config", Verdict: gate.Passed},
		{Name: "orchestrator", Verdict: gate.Passed, Start: time.Millisecond, Elapsed: 340 * time.Millisecond, Detail: "orchestrator ready"},
		{Name: "models", Verdict: gate.Passed, Start: time.Second, Elapsed: 40 * time.Second, Detail: "16 of 16 models", Done: 16, Total: 16},
	}
	pass.Models = gate.ModelsResult{State: "ready", Done: 16, Total: 16, Expected: 16, Looks: 9, Triggers: 1, Led: true}

	refused := base
	refused.Status, refused.Elapsed = diag.StatusFailed, 204*time.Second
	refused.Steps = []gate.StepResult{
		{Name: "config", Verdict: gate.Passed},
		{Name: "models", Verdict: gate.Failed, Elapsed: 204 * time.Second},
		{Name: "bus"},
	}
	refused.Problems = []diag.Problem{
		{Code: diag.NoLock, Severity: diag.Notice, Subject: "/run/justnews-gate", Message: "this run does not share the lock of the services' gates", Seen: "x", Fix: diag.Advise("y")},
		{
			Code: diag.ModelFailed, Subject: "scout: google/bert", Message: "no snapshot below /opt/justnews/models/scout/current",
			Seen: "the message points to files that are missing", Expected: "a snapshot", Fix: diag.Advise("copy the snapshot", diag.Retry()),
		},
		{Code: diag.ConfigValue, Position: &diag.Position{File: "/etc/justnews/justnews.toml", Line: 4, Column: 6}, Message: "a port", Expected: "1 to 65535", Fix: diag.Advise("correct it")},
	}

	warnings := base
	warnings.Instance, warnings.Status, warnings.Elapsed = "", diag.StatusWarnings, 0
	warnings.Steps = pass.Steps
	warnings.Problems = []diag.Problem{{Code: diag.MapMissing, Severity: diag.Warning, Subject: "/etc/justnews/AGENT_MODEL_MAP.json", Message: "the count is unchecked", Seen: "no such file", Fix: diag.Advise("write it")}}
	return map[string]gate.Result{
		"pass": pass, "refused": refused, "warnings": warnings,
		"off": gate.SwitchedOff("scout", "justnews@scout.service", base.Started, "/proc/cmdline"),
	}
}

func TestReport_TextOfEachKindOfRun(t *testing.T) {
	for name, r := range results() {
		if name == "off" {
			r.Elapsed = 0
		}
		run := "gate"
		if r.Instance == "" {
			run = "preflight"
		}
		var plain, colored bytes.Buffer
		NewTalk(&plain, nil, Layout{}).Say(append(StepLines(r), Lines(run, r)...))
		NewTalk(&colored, nil, Layout{Color: true}).Say(append(StepLines(r), Lines(run, r)...))
		golden(t, name+".txt", plain.String())
		bare := colored.String()
		for _, code := range []string{"\x1b[31;1m", "\x1b[32;1m", "\x1b[33;1m", "\x1b[36m", "\x1b[2m", "\x1b[0m"} {
			bare = strings.ReplaceAll(bare, code, "")
		}
		if bare != plain.String() || bare == colored.String() {
			t.Errorf("%s: colour changes more than colour, or nothing:\n%s", name, colored.String())
		}
		json := Summarize(run, "v1", r).JSON()
		golden(t, name+".json", string(json))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test ./internal/report -update rewrites it):\n%s", name, diff)
	}
}

func TestReport_SpanIsReadable(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 340 * time.Millisecond: "340 ms", 4200 * time.Millisecond: "4.2 s", 9999 * time.Millisecond: "10 s",
		41 * time.Second: "41 s", 119600 * time.Millisecond: "2 min 0 s", 200 * time.Second: "3 min 20 s",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

// hostile is what an orchestrator may say: escapes, line breaks, bidirectional
// overrides, NUL, C1 controls, bytes that are no UTF-8.
const hostile = "\x1b[2J\x1b]0;owned\x07\r\n<3>justnews-gate: pass: \u202egnp.\u2028\x00\u009b31m\xff\xfe漢字🙂"

func TestReport_HostileTextIsEscapedAndCut(t *testing.T) {
	endless := strings.Repeat("x", 1<<20)
	for _, s := range []string{hostile, endless, strings.Repeat(hostile, 20000), strings.Repeat("\xff", 1<<20), strings.Repeat("漢", 1<<20), strings.Repeat("\x80", 5000)} {
		p := diag.Problem{Code: diag.ModelFailed, Subject: s, Message: s, Seen: s, Expected: s, Fix: diag.Fix{Advice: s, Commands: []diag.Command{{s}}}, Position: &diag.Position{File: s}}
		r := gate.Result{Instance: s, Status: diag.StatusFailed, Problems: []diag.Problem{p}, Steps: []gate.StepResult{{Name: "models", Detail: s}}}
		var out bytes.Buffer
		NewTalk(&out, nil, Layout{}).Say(append(StepLines(r), Lines("gate", r)...))
		json := Summarize("gate", "v1", r).JSON()
		for what, text := range map[string]string{"text": out.String(), "json": string(json)} {
			if len(text) > 40_000 || diag.Clean(strings.ReplaceAll(text, "\n", "")) != strings.ReplaceAll(text, "\n", "") {
				t.Errorf("%s of %.20q…: %d bytes, clean: no", what, s, len(text))
			}
			if len(s) > 4000 && !strings.Contains(text, "... (cut, ") {
				t.Errorf("%s of %.20q…: no note that it was cut", what, s)
			}
		}
		if n := strings.Count(out.String(), "\n"); n < 4 || n > 5 { // a command too long to be read is left out, and so is evidence that the message repeats
			t.Errorf("%.20q…: %d lines, want 4 or 5: %.300q", s, n, out.String())
		}
		if p.Position.File != s {
			t.Error("the problem itself was changed")
		}
	}
	if got := Brief("plain 漢字"); got != "plain 漢字" {
		t.Errorf("a harmless string came out as %q", got)
	}
}
