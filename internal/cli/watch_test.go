// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/check/mps"
	"justnews/internal/diag"
	"justnews/internal/report"
	"justnews/internal/screen"
	"justnews/internal/status"
	"justnews/test/pty"
)

// desk is a console that is operated by a test.
type desk struct {
	keys    chan byte
	resized chan os.Signal
	frames  []string
	closed  int
	broken  atomic.Bool
}

func newDesk() *desk { return &desk{keys: make(chan byte), resized: make(chan os.Signal)} }

func (d *desk) Size() (int, int)          { return 80, 24 }
func (d *desk) Keys() <-chan byte         { return d.keys }
func (d *desk) Resized() <-chan os.Signal { return d.resized }
func (d *desk) Close() error              { d.closed++; return nil }

func (d *desk) Draw(lines []string) error {
	if d.broken.Load() {
		return errors.New("gone")
	}
	d.frames = append(d.frames, strings.Join(lines, "\n"))
	return nil
}

// watching makes a watcher whose looks take that long.
func watching(d *desk, takes time.Duration, looks *atomic.Int32) *watcher {
	return &watcher{
		console: d,
		look: func(ctx context.Context) *status.Host {
			n := looks.Add(1)
			select {
			case <-ctx.Done():
			case <-time.After(takes):
			}
			return &status.Host{HostStatus: report.HostStatus{Status: int(n)}}
		},
		frame: func(g *status.Host, _ time.Time, _, _ int) []string {
			if g == nil {
				return []string{"nothing yet"}
			}
			return []string{fmt.Sprint("look ", g.Status)}
		},
	}
}

func TestWatch_LooksNeverOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, looks := newDesk(), &atomic.Int32{}
		w := watching(d, 5*time.Second, looks) // slower than the pause
		ended := make(chan bool)
		go func() { ended <- w.run(t.Context()) }()
		time.Sleep(20 * time.Second) // 5 + 2 + 5 + 2 + 5, of a clock that jumps
		synctest.Wait()
		d.resized <- os.Interrupt // any: it says nothing but that
		d.keys <- 'x'
		d.keys <- 'q'
		if !<-ended {
			t.Error("a key is not what ended it")
		}
		if w.last == nil || w.last.Status != 3 || looks.Load() != 3 {
			t.Errorf("%d looks in 20 s, the last was %+v", looks.Load(), w.last)
		}
		want := "nothing yet, look 1, look 1, look 2, look 2, look 3, look 3, look 3"
		if got := strings.Join(d.frames, ", "); got != want {
			t.Errorf("drawn: %s\nwant:  %s", got, want)
		}
	})
}

func TestWatch_EndsOnKeysAndSignals(t *testing.T) {
	for what, c := range map[string]struct {
		end   func(d *desk, cancel context.CancelFunc)
		byKey bool
	}{
		"q":                    {func(d *desk, _ context.CancelFunc) { d.keys <- 'q' }, true},
		"^C":                   {func(d *desk, _ context.CancelFunc) { d.keys <- 3 }, true},
		"a signal":             {func(_ *desk, cancel context.CancelFunc) { cancel() }, false},
		"the terminal's end":   {func(d *desk, _ context.CancelFunc) { close(d.keys) }, false},
		"nothing can be drawn": {func(d *desk, _ context.CancelFunc) { d.broken.Store(true); d.resized <- os.Interrupt }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			d, looks := newDesk(), &atomic.Int32{}
			w := watching(d, time.Second, looks)
			ended := make(chan bool)
			go func() {
				byKey, _ := w.runAndClose(ctx)
				ended <- byKey
			}()
			time.Sleep(1500 * time.Millisecond)
			c.end(d, cancel)
			if byKey := <-ended; byKey != c.byKey || d.closed != 1 || w.last == nil {
				t.Errorf("%s: by key %v, given back %d times", what, byKey, d.closed)
			}
			cancel()
		})
	}
}

func TestWatch_CancelledLookIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, looks := newDesk(), &atomic.Int32{}
		w := watching(d, time.Hour, looks)
		ended := make(chan bool)
		go func() { ended <- w.run(t.Context()) }()
		d.keys <- 'q'
		if !<-ended || w.last != nil {
			t.Errorf("%+v", w.last)
		}
		synctest.Wait() // the look has ended too
	})
}

func TestWatch_CrashRestoresTheTerminalFirst(t *testing.T) {
	d := newDesk()
	w := watching(d, 0, &atomic.Int32{})
	w.look = func(context.Context) *status.Host { panic("a bug") }
	defer func() {
		if r := recover(); r != "a bug" || d.closed != 1 {
			t.Errorf("recovered %v, given back %d times", r, d.closed)
		}
	}()
	_, _ = w.runAndClose(t.Context())
	t.Error("the crash is hidden")
}

// crowded is a host of 17 instances with several problems.
func crowded() *status.Host {
	g := hostGlance()
	g.MPS = &report.MPSStatus{PipeDirectory: "/run/nvidia-mps", Require: mps.RungControl, Reached: mps.NoRung}
	g.GPU, g.GPUThere = report.GPUs{State: "4 GPUs, driver 550.163.01, CUDA 12.4"}, true
	total, free := uint64(25769803776), uint64(21474836480)
	for i := range 4 {
		g.GPU.Devices = append(g.GPU.Devices, report.GPU{Index: i, Name: "NVIDIA L4", MemoryTotal: &total, MemoryFree: &free})
	}
	for i := range 14 {
		addUnit(g, fmt.Sprintf("agent_%02d", i), "active", "running", "").For = float64(30 + 500*i)
	}
	g.Causes = []report.Cause{}
	for _, code := range []diag.Code{diag.MPSDead, diag.BusUnreachable, diag.Ungated, diag.StoreRoot, diag.MapInvalid} {
		g.Problems = append(g.Problems, diag.Problem{Code: code, Subject: "justnews@crawler.service", Message: "this is wrong, and so many more words that no terminal has room for them", Seen: "x"})
	}
	g.Problems = append(g.Problems, diag.Problem{Code: diag.NoLock, Severity: diag.Notice, Message: "no lock"})
	g.Settle()
	return g
}

func framer(color string) *app {
	return &app{
		Machine: Machine{Stdout: &bytes.Buffer{}, Lookup: utf8Locale},
		Globals: Globals{Color: color},
	}
}

func TestWatch_CrowdedHostFitsATerminal(t *testing.T) {
	g := crowded()
	at := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	want := `justnews-gate status, 12:00:00, every 2 s, q quits

down: 1 of 17 wait for 1 cause, besides 5 errors

error: UNIT-FAILED: justnews@crawler.service: the instance has failed (holds 1)
error: MPS-DEAD: justnews@crawler.service: this is wrong, and so many more wor…
error: BUS-UNREACHABLE: justnews@crawler.service: this is wrong, and so many m…
and 3 more, shown on q

orchestrator  answers             http://127.0.0.1:8014, unit up
models        loading             3 of 16 models loaded
mps           not verified        /run/nvidia-mps, control is required
bus           connection refused  http://127.0.0.1:8000
gpu           4 GPUs, driver 550.163.01, CUDA 12.4, 2 not shown
              0 NVIDIA L4, 20.0 of 24.0 GiB free
              1 NVIDIA L4, 20.0 of 24.0 GiB free

STATE            FOR              INSTANCES
UNGATED, failed                   crawler
                                  Result: exit-code
waiting          12 s             scout
                                  models: 3 of 16 models loaded, and so many m…
up               30 s to 108 min  gpu_orchestrator, agent_00, agent_01,
and 3 more, shown on q`
	if diff := cmp.Diff(want, strings.Join(framer("never").frame(g, at, 80, 24), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestWatch_FrameNeverHasMoreRowsThanTheTerminal(t *testing.T) {
	quiet := hostGlance()
	for _, g := range []*status.Host{crowded(), quiet, status.New()} {
		for rows := 10; rows <= 60; rows++ {
			for _, columns := range []int{60, 80, 200} {
				lines := framer("never").frame(g, time.Time{}, columns, rows)
				if len(lines) > rows {
					t.Errorf("%d rows for %d:\n%s", len(lines), rows, strings.Join(lines, "\n"))
				}
				for _, line := range lines {
					if n := len([]rune(line)); n >= columns {
						t.Errorf("%d columns of %d: %s", n, columns, line)
					}
				}
			}
		}
	}
	g := crowded()
	if all := strings.Join(framer("never").frame(g, time.Time{}, 80, 60), "\n"); strings.Contains(all, "which q shows") || !strings.Contains(all, "agent_13") || !strings.Contains(all, "NO-LOCK") {
		t.Errorf("something is left out although there is room:\n%s", all)
	}
	if colored := strings.Join(framer("auto").frame(g, time.Time{}, 80, 24), "\n"); !strings.Contains(colored, "\x1b[31;1merror: \x1b[0mMPS-DEAD") {
		t.Errorf("%q", colored)
	}
	if lines := framer("never").frame(nil, time.Time{}, 80, 24); lines[0] != "justnews-gate status, looking, every 2 s, q quits" {
		t.Error(lines)
	}
}

func TestWatch_DumbTerminalIsRefused(t *testing.T) {
	var stderr strings.Builder
	status := Run(t.Context(), Machine{
		Stdout: io.Discard, Stderr: &stderr, StdoutTerminal: true, StderrTerminal: true, Width: func() int { return 80 },
		Lookup:  func(name string) (string, bool) { return "dumb", name == "TERM" },
		Console: func() (Console, error) { return nil, errors.New("the terminal was taken over") },
	}, []string{"status", "--watch"})
	if status != diag.StatusUsage || !strings.Contains(stderr.String(), "needs a terminal that can move its cursor") {
		t.Errorf("exit status %d: %s", status, stderr.String())
	}
}

// The whole program on a real terminal: it draws, q quits it with the status of
// the last look, and the terminal is as it was.
func TestWatch_StatusOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	p := pty.Open(t, 80, 24)
	before := p.Settings(t)
	file := filepath.Join(t.TempDir(), "justnews.toml")
	text := "[orchestrator]\nurl = \"http://127.0.0.1:1\"\ninstance = \"\"\n[bus]\nurl = \"http://127.0.0.1:2\"\ninstance = \"\"\n[instances.scout]\nport = 8002\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	status := make(chan diag.Status)
	go func() {
		status <- Run(t.Context(), Machine{
			Stdout: p.Terminal, Stderr: p.Terminal, StdoutTerminal: true, StderrTerminal: true, Width: func() int { return 80 },
			Lookup: os.LookupEnv, GPU: noGPU{}, Console: func() (Console, error) { return screen.Open(p.Terminal, p.Terminal) },
		}, []string{"--config", file, "--no-color", "status", "--watch"})
	}()
	p.WaitFor(t, "ORCHESTRATOR-UNREACHABLE")
	p.Type(t, "q")
	if got := <-status; got != diag.StatusUnavailable {
		t.Errorf("exit status %d", got)
	}
	const end = "\x1b[?25h\x1b[?1049l"
	p.WaitFor(t, end)
	var drawn, after string
	var found bool
	// The frames have the same row: it has to stand in what is printed at the end.
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(after, "orchestrator  connection refused") && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		drawn, after, found = strings.Cut(p.Text(), end)
	}
	if !found || !strings.Contains(drawn, "\x1b[?1049h\x1b[?25l") || strings.Contains(drawn, "fix: ") {
		t.Errorf("%q", drawn)
	}
	if !strings.Contains(after, "orchestrator  connection refused") || strings.Contains(after, "\x1b[H") {
		t.Errorf("%q", after)
	}
	if now := p.Settings(t); now != before {
		t.Errorf("the settings are %+v, were %+v", now, before)
	}
}
