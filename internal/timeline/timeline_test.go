// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const ms = time.Millisecond

// boot is that of a host with 17 instances: the bus and
// the agents wait in systemd's queue for the preload, one agent's database is
// late, and one's gate refuses.
func boot() Input {
	const origin = 4200 * ms
	in := Input{
		Title: "JustNews: a boot", Subtitle: "27 November 2026, 06:12:44 UTC, justnews-gate v1",
		Axis: "seconds since systemd had loaded its units", Origin: origin, Queued: true,
	}
	gate := func(row string, began time.Duration, verdict string, steps ...Step) {
		r := Run{Row: row, Began: origin + began, Passed: !strings.HasPrefix(verdict, "refused"), Verdict: verdict}
		for _, s := range steps {
			s.Start = r.Elapsed
			r.Elapsed += s.Elapsed
			r.Steps = append(r.Steps, s)
		}
		in.Runs = append(in.Runs, r)
		in.Units = append(in.Units, Unit{Row: row, InactiveExit: r.Began - 3*ms, MainStart: r.Began + r.Elapsed + 8*ms, ActiveEnter: r.Began + r.Elapsed + 180*ms})
	}
	config := Step{Name: "config", Elapsed: 4 * ms}
	gate("gpu_orchestrator", 900*ms, "ready in 2.4 s", config, Step{Name: "mps", Elapsed: 2100 * ms, Detail: "control verified"}, Step{Name: "gpu", Elapsed: 320 * ms, Detail: "1 GPU"})
	gate("preload", 3500*ms, "ready in 38 s", config, Step{Name: "store", Elapsed: 5200 * ms, Detail: "16 snapshots"},
		Step{Name: "orchestrator", Elapsed: 3100 * ms, Detail: "orchestrator ready"}, Step{Name: "models", Elapsed: 29700 * ms, Detail: "16 of 16 models"})
	gate("mcp_bus", 41600*ms, "ready in 110 ms", config, Step{Name: "orchestrator", Elapsed: 60 * ms}, Step{Name: "models", Elapsed: 46 * ms})
	for i, name := range []string{"analyst", "analytics", "archive", "chief_editor", "crawler_control", "dashboard", "fact_checker", "hitl_service", "newsreader", "reasoning", "scout", "synthesizer"} {
		late, longer := time.Duration(i*22)*ms, time.Duration(i*30)*ms
		gate(name, 42*time.Second+late, fmt.Sprintf("ready in %d ms", 600+i*30), config, Step{Name: "orchestrator", Elapsed: 90 * ms}, Step{Name: "models", Elapsed: 120 * ms}, Step{Name: "bus", Elapsed: 386*ms + longer})
	}
	gate("memory", 42*time.Second, "ready in 12 s", config, Step{Name: "orchestrator", Elapsed: 90 * ms}, Step{Name: "models", Elapsed: 120 * ms}, Step{Name: "bus", Elapsed: 400 * ms}, Step{Name: "needs", Elapsed: 11400 * ms, Detail: "mariadb"})
	gate("critic", 42100*ms, "refused: MPS-DEAD", config, Step{Name: "mps", Elapsed: 8 * time.Second, Failed: true, Detail: "no control daemon lives"})
	gate("critic", 53200*ms, "refused: MPS-DEAD", config, Step{Name: "mps", Elapsed: 5 * time.Second, Failed: true})
	in.Units = append(in.Units, Unit{Row: "crawler", InactiveExit: origin + 42300*ms, MainStart: origin + 43100*ms, ActiveEnter: origin + 43300*ms},
		Unit{Row: "archive_old", InactiveExit: origin + time.Hour, ActiveEnter: origin + time.Hour})
	return in
}

func TestTimeline_RecordedBootIsDrawn(t *testing.T) {
	got := Of(boot()).SVG()
	if again := Of(boot()).SVG(); !bytes.Equal(got, again) {
		t.Error("the same input gave two pictures")
	}
	const file = "../../docs/boot.svg"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("go test ./internal/timeline -update rewrites it; look at it then:\n%s", diff)
	}
}

// wellFormed fails where a browser would show an error instead of a picture,
// and returns the text of the document.
func wellFormed(t *testing.T, svg []byte) string {
	t.Helper()
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		switch v := token.(type) {
		case xml.CharData:
			text.Write(v)
		case xml.StartElement:
			if name := v.Name.Local; !slices.Contains([]string{"svg", "title", "desc", "style", "rect", "text", "line"}, name) {
				t.Errorf("an element %s", name)
			}
		}
	}
}

func TestTimeline_TextIsEscaped(t *testing.T) {
	const evil = "<script>alert(1)</script>&\"'\x00\x1b[2J\u202e]]>\xff"
	in := Input{Title: evil, Subtitle: evil, Axis: evil, Queued: true, Runs: []Run{
		{Row: evil, Began: time.Second, Elapsed: time.Second, Verdict: evil, Steps: []Step{{Name: evil, Elapsed: time.Second, Detail: evil}}},
	}}
	text := wellFormed(t, Of(in).SVG())
	if !strings.Contains(text, "<script>alert(1)</script>") || strings.ContainsAny(text, "\x00\x1b\u202e") {
		t.Errorf("%q", text)
	}
	wellFormed(t, Of(boot()).SVG())
}

func TestTimeline_RowEndsWithTheFirstPassedRun(t *testing.T) {
	in := Input{Queued: true, Runs: []Run{
		{Row: "scout", Began: 9 * time.Second, Elapsed: time.Second, Passed: true, Verdict: "later"},
		{Row: "scout", Began: 4 * time.Second, Elapsed: time.Second, Passed: true, Verdict: "ready"},
		{Row: "scout", Began: time.Second, Elapsed: time.Second, Verdict: "refused"},
	}}
	want := []Row{{Name: "scout", Passed: true, Result: "ready", Parts: []Part{
		{Kind: Queue, To: time.Second},
		{Kind: Gate, Failed: true, From: time.Second, To: 2 * time.Second},
		{Kind: Pause, From: 2 * time.Second, To: 4 * time.Second},
		{Kind: Gate, From: 4 * time.Second, To: 5 * time.Second},
	}}}
	if diff := cmp.Diff(want, Of(in).Rows); diff != "" {
		t.Error(diff)
	}
	in.All = true
	if got := Of(in).Rows[0]; got.Result != "later" || len(got.Parts) != 6 {
		t.Errorf("all of the runs: %+v", got)
	}
	in.All = false
	for i := range 50 {
		in.Runs = append(in.Runs, Run{Row: "critic", Began: time.Duration(i) * time.Minute, Elapsed: time.Second})
	}
	if c := Of(in); c.End > 10*time.Minute {
		t.Errorf("a gate that never passes takes %v of the picture", c.End)
	}
}

func TestTimeline_UnitTimesBelongToTheStartOfTheRun(t *testing.T) {
	run := Run{Row: "scout", Began: 5 * time.Second, Elapsed: time.Second, Passed: true}
	for what, c := range map[string]struct {
		unit Unit
		want time.Duration
	}{
		"this start":         {Unit{Row: "scout", InactiveExit: 5*time.Second - ms, ActiveEnter: 7 * time.Second}, 7 * time.Second},
		"a later start":      {Unit{Row: "scout", InactiveExit: 90 * time.Second, ActiveEnter: 99 * time.Second}, 6 * time.Second},
		"an earlier start":   {Unit{Row: "scout", InactiveExit: time.Second, ActiveEnter: 2 * time.Second}, 6 * time.Second},
		"one that never was": {Unit{Row: "scout"}, 6 * time.Second},
	} {
		if got := Of(Input{Runs: []Run{run}, Units: []Unit{c.unit}}).End; got != c.want {
			t.Errorf("%s: the bar ends at %v, want %v", what, got, c.want)
		}
	}
}

func TestTimeline_WithoutSummariesSystemdsTimesAreShown(t *testing.T) {
	c := Of(Input{Origin: time.Second, Queued: true, Units: []Unit{
		{Row: "up", InactiveExit: 2 * time.Second, MainStart: 3 * time.Second, ActiveEnter: 4 * time.Second},
		{Row: "down", InactiveExit: 2 * time.Second, InactiveEnter: 5 * time.Second},
		{Row: "never"},
	}})
	want := []Row{
		{Name: "down", Result: "not up", Parts: []Part{{Kind: Queue, To: time.Second}, {Kind: Gate, Failed: true, From: time.Second, To: 4 * time.Second, Detail: "no summary that this user may read"}}},
		{Name: "up", Passed: true, Result: "up", Parts: []Part{
			{Kind: Queue, To: time.Second}, {Kind: Gate, From: time.Second, To: 2 * time.Second, Detail: "no summary that this user may read"}, {Kind: Start, From: 2 * time.Second, To: 3 * time.Second},
		}},
	}
	if diff := cmp.Diff(want, c.Rows); diff != "" {
		t.Error(diff)
	}
	wellFormed(t, c.SVG())
	wellFormed(t, Chart{}.SVG())
}

func TestTimeline_AxisHasAtMostElevenLinesAtRoundTimes(t *testing.T) {
	for end, want := range map[time.Duration]time.Duration{
		0: ms, 3 * ms: ms, 41 * time.Second: 5 * time.Second, time.Minute: 10 * time.Second, 100 * time.Second: 10 * time.Second, time.Hour: 500 * time.Second,
	} {
		if got := tick(end); got != want {
			t.Errorf("%v: %v, want %v", end, got, want)
		}
	}
}

func TestTimeline_EachStepHasItsOwnColour(t *testing.T) {
	for _, name := range []string{"config", "mps", "gpu", "store", "orchestrator", "models", "bus", "needs"} {
		if kindOf(name) == Gate {
			t.Errorf("%s has none", name)
		}
	}
	light, dark := map[string]bool{}, map[string]bool{}
	for _, s := range styles() {
		light[s.light], dark[s.dark] = true, true
	}
	if len(light) != len(styles()) || len(dark) != len(styles()) {
		t.Error("two kinds share a colour")
	}
}

func TestTimeline_NoQueueIsDrawnWithoutOne(t *testing.T) {
	const s = time.Second
	queue := func(in Input) time.Duration {
		for _, row := range Of(in).Rows {
			for _, p := range row.Parts {
				if p.Kind == Queue {
					return p.To - p.From
				}
			}
		}
		return 0
	}
	run := func(began time.Duration) []Run {
		return []Run{{Row: "scout", Began: began, Elapsed: s, Passed: true}}
	}
	for what, c := range map[string]struct {
		in   Input
		want time.Duration
	}{
		"a job of the boot":                   {Input{Origin: s, Queued: true, Finished: 60 * s, Runs: run(31 * s)}, 30 * s},
		"a boot that goes on":                 {Input{Origin: s, Queued: true, Runs: run(31 * s)}, 30 * s},
		"enabled after the boot":              {Input{Origin: s, Queued: true, Finished: 20 * s, Runs: run(31 * s)}, 0},
		"the same, systemd alone knows":       {Input{Origin: s, Queued: true, Finished: 20 * s, Units: []Unit{{Row: "scout", InactiveExit: 31 * s, MainStart: 32 * s, ActiveEnter: 32 * s}}}, 0},
		"systemd alone knows, at the boot":    {Input{Origin: s, Queued: true, Finished: 60 * s, Units: []Unit{{Row: "scout", InactiveExit: 31 * s, MainStart: 32 * s, ActiveEnter: 32 * s}}}, 30 * s},
		"restarted, before the boot finished": {Input{Origin: s, Queued: true, Finished: 900 * s, Units: []Unit{{Row: "scout", InactiveEnter: 730 * s, InactiveExit: 731 * s, MainStart: 732 * s, ActiveEnter: 732 * s}}}, 0},
	} {
		if got := queue(c.in); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}
