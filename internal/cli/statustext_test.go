// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
	"justnews/internal/status"
	"justnews/internal/unitname"
)

// instanceUnit is a unit whose gate stands before it, with what it says last.
func instanceUnit(name, active, sub, text string) facts.Unit {
	return facts.Unit{
		Name: unitname.Of(name), LoadState: "loaded", ActiveState: active, SubState: sub, StatusText: text, Result: "success",
		ExecStartPre: []facts.Exec{{Argv: []string{"/usr/bin/justnews-gate", "--gate-only", name}}},
	}
}

// addUnit adds a unit to a glance, as one that its gate guards.
func addUnit(g *status.Host, name, active, sub, text string) *report.UnitStatus {
	u := g.Add(name, instanceUnit(name, active, sub, text), true, 0)
	u.Gated = true
	return u
}

// hostGlance is a glance at a host with units: one that runs, one whose gate waits,
// one that failed and has no gate.
func hostGlance() *status.Host {
	g := status.New()
	orchestrator := addUnit(g, "gpu_orchestrator", "active", "running", "")
	orchestrator.For = 200
	server := *orchestrator
	g.Orchestrator = report.ServerStatus{URL: "http://127.0.0.1:8014", State: "answers", Unit: &server}
	g.Models, g.Loading = report.ModelsStatus{State: "pending", Reason: "3 of 16 models loaded", Done: 3, Total: 16, Expected: 16}, true
	g.Bus = report.ServerStatus{URL: "http://127.0.0.1:8000", State: "connection refused"}
	addUnit(g, "scout", "activating", "start-pre", "waiting: models: 3 of 16 models loaded, and so many more words that no terminal has room for them").For = 12
	crawler := addUnit(g, "crawler", "failed", "failed", "")
	crawler.Gated, crawler.Result = false, "exit-code"
	g.Problems = []diag.Problem{{Code: diag.UnitFailed, Subject: "justnews@crawler.service", Message: "the instance has failed", Fix: diag.Do(diag.Retry())}}
	g.Settle()
	return g
}

func glanceText(terminal bool, color string, g *status.Host) string {
	var out bytes.Buffer
	a := &app{
		Machine: Machine{Stdout: &out, StdoutTerminal: terminal, Width: func() int { return 80 }, Lookup: utf8Locale},
		Globals: Globals{Color: color},
	}
	a.printGlance(g)
	return out.String()
}

func utf8Locale(name string) (string, bool) { return "C.UTF-8", name == "LC_ALL" }

func TestStatus_IsCutOnATerminalOnly(t *testing.T) {
	want := `down: 1 of 3 wait for 1 cause

error: UNIT-FAILED: justnews@crawler.service: the instance has failed
  fix: run
    justnews-gate retry
  holds: crawler

orchestrator  answers             http://127.0.0.1:8014, unit up
models        loading             3 of 16 models loaded
bus           connection refused  http://127.0.0.1:8000

STATE            FOR    INSTANCES
UNGATED, failed         crawler
                        Result: exit-code
waiting          12 s   scout
                        models: 3 of 16 models loaded, and so many more words t…
up               3 min  gpu_orchestrator
`
	if diff := cmp.Diff(want, glanceText(true, "never", hostGlance())); diff != "" {
		t.Error(diff)
	}
	whole := glanceText(false, "auto", hostGlance())
	if !strings.Contains(whole, "has room for them\n") || strings.Contains(whole, "\x1b") {
		t.Error(whole)
	}
	colored := glanceText(true, "auto", hostGlance())
	for _, painted := range []string{"\x1b[31;1mUNGATED, failed", "\x1b[32mup ", "\x1b[33mloading ", "\x1b[33mwaiting ", "\x1b[31;1mdown: "} {
		if !strings.Contains(colored, painted) {
			t.Errorf("no %q in %q", painted, colored)
		}
	}
}

func TestStatus_InTheCLocaleIsASCII(t *testing.T) {
	var out bytes.Buffer
	a := &app{Machine: Machine{Stdout: &out, StdoutTerminal: true, Width: func() int { return 80 }, Lookup: func(name string) (string, bool) { return "C", name == "LC_ALL" }}}
	a.printGlance(hostGlance())
	if strings.ContainsFunc(out.String(), func(r rune) bool { return r > 0x7e }) || !strings.Contains(out.String(), "more words...\n") {
		t.Error(out.String())
	}
}

func TestStatus_UncutInTheCLocaleIsASCII(t *testing.T) {
	var out bytes.Buffer
	a := &app{Machine: Machine{Stdout: &out, Lookup: func(name string) (string, bool) { return "C", name == "LC_ALL" }}}
	g := hostGlance()
	g.Models.Reason = "cut by the server…"
	a.printGlance(g)
	if !strings.Contains(out.String(), "cut by the server...\n") {
		t.Error(out.String())
	}
}

// refusedHost is a host of 17 instances, of which all but the orchestrator say this.
func refusedHost(text string) *status.Host {
	g := status.New()
	orchestrator := *addUnit(g, "gpu_orchestrator", "active", "running", "")
	bus := *addUnit(g, "mcp_bus", "failed", "failed", "refused: "+text)
	g.Orchestrator = report.ServerStatus{URL: "http://127.0.0.1:8014", State: "answers", Unit: &orchestrator}
	g.Bus = report.ServerStatus{URL: "http://127.0.0.1:8000", State: "connection refused", Unit: &bus}
	for i := range 15 {
		addUnit(g, fmt.Sprintf("agent_%02d", i), "activating", "auto-restart", "refused: "+text)
	}
	g.Problems = []diag.Problem{
		{Code: diag.ModelsIncomplete, Subject: "http://127.0.0.1:8014", Message: "the models are not loaded, and no preload is running"},
		{Code: diag.BusUnreachable, Subject: "http://127.0.0.1:8000", Message: "the bus did not answer"},
	}
	return g
}

func TestStatus_NamesACauseOnce(t *testing.T) {
	g := refusedHost("STORE-SNAPSHOT: chief_editor: distilbert: the model has no snapshot")
	whole := diag.Problem{
		Code: diag.StoreSnapshot, Subject: "chief_editor: distilbert", Message: "the model has no snapshot",
		Fix: diag.Advise("copy the snapshot to /opt/models", diag.Retry()),
	}
	g.Problems = append(g.Problems, whole)
	g.Settle()
	if g.Summary != "down: 16 of 17 wait for 1 cause" || g.Status != int(diag.StatusStoreIncomplete) {
		t.Errorf("%q, status %d", g.Summary, g.Status)
	}
	if diff := cmp.Diff([]diag.Problem{whole}, g.Problems); diff != "" {
		t.Error(diff)
	}
	text := glanceText(true, "never", g)
	for _, once := range []string{"STORE-SNAPSHOT", "copy the snapshot", "agent_07", "INCOMPLETE", "UNREACHABLE"} {
		want := map[string]int{"agent_07": 2, "INCOMPLETE": 0, "UNREACHABLE": 0}[once]
		if once == "STORE-SNAPSHOT" || once == "copy the snapshot" {
			want = 1
		}
		if n := strings.Count(text, once); n != want {
			t.Errorf("%q %d times, want %d:\n%s", once, n, want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 24 {
		t.Errorf("%d lines for one cause:\n%s", n, text)
	}
}

func TestStatus_MissingOptionalGPUIsNotShownAsGood(t *testing.T) {
	g := status.New()
	g.GPU.State = "NVIDIA's management library cannot be loaded"
	for needed, want := range map[bool]string{false: "gpu           NVIDIA's", true: "gpu           \x1b[31;1mNVIDIA's"} {
		g.GPUNeeded = needed
		if text := glanceText(false, "always", g); !strings.Contains(text, want) {
			t.Errorf("needed %v: %q", needed, text)
		}
	}
}

// loaded is systemd with these units and no other.
type loaded map[string]facts.Unit

func (l loaded) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	u, known := l[name]
	if !known {
		u.LoadState = "not-found"
	}
	u.Name = name
	return u, nil
}

func (l loaded) Units(context.Context, string) ([]string, error) {
	return slices.Sorted(maps.Keys(l)), nil
}

func TestStatus_BrokenConfigurationShowsLoadedUnits(t *testing.T) {
	g := status.New()
	g.Problems = []diag.Problem{{Code: diag.ConfigSyntax, Message: "unexpected end of file"}}
	g.LookAtLoaded(t.Context(), loaded{
		"justnews@memory.service":  instanceUnit("memory", "active", "running", ""),
		"justnews@scout.service":   instanceUnit("scout", "failed", "failed", "refused: CONFIG-SYNTAX: unexpected end of file"),
		"justnews@gone.service":    {LoadState: "not-found"},
		"justnews@a\\x2db.service": instanceUnit("a-b", "active", "running", ""),
	})
	g.Settle()
	text := glanceText(true, "never", g)
	if !strings.HasSuffix(text, "\nrefused       scout\nup            memory\n") {
		t.Error(text)
	}
	if g.Summary != "down: 1 of 2 wait for 1 cause" {
		t.Error(g.Summary)
	}
}
