// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/report"
	"justnews/internal/requirement"
)

// mounter is a systemd with one mount unit, on the store's parent.
type mounter struct {
	name, state string
	asked       int
	after       int    // number of queries until it is active
	mount       func() // what that does
}

func (m *mounter) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	if name != m.name {
		return facts.Unit{Name: name, LoadState: "not-found", ActiveState: "inactive"}, nil
	}
	if m.asked++; m.after > 0 && m.asked >= m.after {
		m.mount()
		m.state = "active"
	}
	return facts.Unit{Name: name, LoadState: "loaded", ActiveState: m.state, SubState: "dead"}, nil
}

type observed struct{ texts []string }

func (o *observed) Progress(p gate.Progress) { o.texts = append(o.texts, p.Text) }

func TestPrestart_WaitsForTheMountOfTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		after int
		code  diag.Code
		waits time.Duration
	}{
		"it comes":       {state: "inactive", after: 8, waits: 4 * time.Second},
		"it never comes": {state: "inactive", code: diag.StoreMount, waits: 30 * time.Second},
		"it has failed":  {state: "failed", code: diag.StoreMount},
		"it is active, so the store itself is missing": {state: "active"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			store := filepath.Join(root, "models")
			m := &mounter{state: c.state, after: c.after, mount: func() {
				if err := os.MkdirAll(store, 0o755); err != nil {
					t.Error(err)
				}
				if err := os.WriteFile(filepath.Join(store, "map.json"), []byte("{}"), 0o600); err != nil {
					t.Error(err)
				}
			}}
			m.name = strings.ReplaceAll(strings.TrimPrefix(root, "/"), "/", "-") + ".mount"
			w := requirement.Run{
				RequireModels: true, Orchestrator: requirement.Service{URL: "http://127.0.0.1:8014", Here: true},
				Models: config.Models{Root: store, Map: filepath.Join(store, "map.json")},
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				a := &app{ctx: ctx}
				began, o := time.Now(), &observed{}
				problems := a.awaitMounts(ctx, w, m, o)
				if c.code == "" && problems != nil || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code || problems[0].Subject != m.name) {
					t.Errorf("%v", problems)
				}
				if took := time.Since(began); took > c.waits || took < c.waits/2 {
					t.Errorf("it took %v, want %v", took, c.waits)
				}
				if c.waits > 0 && (len(o.texts) == 0 || o.texts[0] != "waiting for "+m.name) {
					t.Errorf("said %q", o.texts)
				}
			})
		})
	}
}

// A process that holds cannot read its environment again: where a file behind it has changed,
// it ends, and systemd starts another one.
func TestHold_EndsWhenItsFilesChange(t *testing.T) {
	before := madeOf("scout")
	before["a file that is gone"] = "1 2 3"
	for name, c := range map[string]struct {
		files map[string]string
		again bool
		after time.Duration
	}{
		"nothing changed": {madeOf("scout"), true, holdLook},
		"a file changed":  {before, false, holdWatch},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				h := &hold{
					app: &app{Machine: Machine{Began: began}, ctx: t.Context()}, waitingRun: waitingRun{instance: "scout"}, files: c.files,
					watch: &report.Watch{Talk: report.NewTalk(io.Discard, nil, report.Layout{}), Log: true},
				}
				again := h.pause(gate.Result{Problems: []diag.Problem{{Code: diag.StoreCorrupt}}}, began.Add(holdFor))
				if took := time.Since(began); again != c.again || took < c.after || took > c.after+holdLook/5 {
					t.Errorf("looks again: %t, after %v", again, took)
				}
			})
		})
	}
}

func TestStateOf_ChangesWithContentModeAndPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "justnews.toml")
	link := file + ".link"
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{gate.UnknownFile: "not seen"}
	if state := stateOf(file); state != gate.NoFile {
		t.Fatalf("a file that does not exist has the state %q", state)
	}
	seen[gate.NoFile] = "missing"
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"written", func() error { return os.WriteFile(file, []byte("a"), 0o600) }},
		{"edited", func() error { return os.WriteFile(file, []byte("b"), 0o600) }},
		{"opened to all", func() error { return os.Chmod(file, 0o644) }},
		{"replaced", func() error {
			return os.WriteFile(file+".new", []byte("b"), 0o644)
		}},
	} {
		time.Sleep(20 * time.Millisecond) // a file system's clock ticks every 4 to 10 ms
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if step.name == "replaced" {
			if err := os.Rename(file+".new", file); err != nil {
				t.Fatal(err)
			}
		}
		state := stateOf(file)
		if was, twice := seen[state]; twice {
			t.Errorf("%s: the state is the one of %s", step.name, was)
		}
		if behind := stateOf(link); behind != state {
			t.Errorf("%s: a link to it has the state %q, not %q", step.name, behind, state)
		}
		seen[state] = step.name
	}
}

// It is what status compares with its own findings.
func TestRefusal_IsTheWholeProblem(t *testing.T) {
	p := diag.Problem{Code: diag.StoreRoot, Subject: "/opt/justnews/models", Message: "it does not exist"}
	if got := refusal(gate.Result{Problems: []diag.Problem{p}}); got != p.String() {
		t.Errorf("%q, want %q", got, p.String())
	}
}
