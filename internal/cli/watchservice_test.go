// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/records"
	"justnews/internal/report"
	"justnews/internal/status"
)

// kept is a keeper whose looks a test answers, and what came of them, each with the
// seconds since the start.
type kept struct {
	keeper

	began   time.Time
	looks   atomic.Int32
	at      []int // of each look
	ended   int
	events  []string
	samples []report.WatchState
}

func keeping(answer func(ctx context.Context, n int) watchLook) *kept {
	k := &kept{began: time.Now()}
	k.look = func(ctx context.Context) watchLook {
		k.at = append(k.at, k.seconds())
		return answer(ctx, int(k.looks.Add(1)))
	}
	k.say = func(found []diag.Problem) {
		for _, p := range found {
			k.event(string(p.Code))
		}
	}
	k.show = func(text string) { k.event("text " + text) }
	k.measure = func(s report.WatchState) { k.samples = append(k.samples, s) }
	return k
}

func (k *kept) seconds() int { return int(time.Since(k.began).Seconds()) }

func (k *kept) event(what string) {
	k.events = append(k.events, time.Duration(k.seconds()*int(time.Second)).String()+" "+what)
}

// runFor runs it for some time of a clock that jumps.
func (k *kept) runFor(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	k.run(ctx)
	k.ended = k.seconds()
	time.Sleep(lookLimit) // for a look that has not returned
}

var threeBad = config.Watch{Interval: 30 * time.Second, Failures: 3}

func TestWatchService_ReportsThreeBadLooksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeping(func(_ context.Context, n int) watchLook {
			l := watchLook{reading: status.Holds, rules: threeBad, patience: time.Minute}
			if n >= 3 && n <= 8 {
				l.reading, l.why = status.Lost, []diag.Problem{{Code: diag.PreloadEmpty, Message: "no models"}}
			}
			time.Sleep(2 * time.Second) // a look that takes time does not delay the next
			return l
		})
		k.runFor(t, 299*time.Second)
		want := []string{
			"2s text good",
			"1m2s text failed checks: 1 of 3 in a row: PRELOAD-EMPTY: no models",
			"1m32s text failed checks: 2 of 3 in a row: PRELOAD-EMPTY: no models",
			"2m2s READINESS-LOST", "2m2s PRELOAD-EMPTY",
			"2m2s text not ready: since " + k.began.Add(62*time.Second).Format(time.DateTime) + ": PRELOAD-EMPTY: no models",
			"4m2s READINESS-REGAINED",
			"4m2s text good",
		}
		if diff := cmp.Diff(want, k.events); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]int{0, 30, 60, 90, 120, 150, 180, 210, 240, 270}, k.at); diff != "" {
			t.Error(diff)
		}
		lost := 0
		for _, s := range k.samples {
			if s.Lost {
				lost++
			}
		}
		if len(k.samples) != len(k.at) || lost != 4 {
			t.Errorf("%d samples of %d looks, %d of them lost", len(k.samples), len(k.at), lost)
		}
	})
}

func TestWatchService_HangingLookIsBadAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan bool)
		k := keeping(func(_ context.Context, n int) watchLook {
			if n == 2 {
				<-free
			}
			return watchLook{reading: status.Holds, rules: threeBad}
		})
		time.AfterFunc(170*time.Second, func() { close(free) })
		k.runFor(t, 239*time.Second)
		// At 30 s one hangs, and counts when its time is over, at 60 s and at 90 s. What
		// it found at 170 s is too old.
		if diff := cmp.Diff([]int{0, 30, 180, 210}, k.at); diff != "" {
			t.Error(diff)
		}
		said := slices.DeleteFunc(slices.Clone(k.events), func(e string) bool { return strings.Contains(e, " text ") })
		if diff := cmp.Diff([]string{"1m30s READINESS-LOST", "1m30s HUNG", "3m0s READINESS-REGAINED"}, said); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWatchService_NewConfigurationAppliesToTheNextLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeping(func(_ context.Context, n int) watchLook {
			l := watchLook{reading: status.Lost, rules: config.Watch{Interval: 10 * time.Second, Failures: 2}}
			if n == 1 {
				l.rules = config.Watch{} // it cannot be read: the defaults
			}
			return l
		})
		k.runFor(t, 59*time.Second)
		if diff := cmp.Diff([]int{0, 30, 40, 50}, k.at); diff != "" {
			t.Error(diff)
		}
		if !slices.Contains(k.events, "30s READINESS-LOST") {
			t.Error(k.events)
		}
	})
}

func TestWatchService_StopEndsALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keeping(func(ctx context.Context, _ int) watchLook {
			<-ctx.Done()
			return watchLook{reading: status.Lost}
		})
		k.runFor(t, 5*time.Second)
		if k.ended != 5 || len(k.events)+len(k.samples) > 0 {
			t.Errorf("it ended after %d s and reported %v", k.ended, k.events)
		}
	})
}

func TestWatchService_CrashEndsIt(t *testing.T) {
	defer func() {
		if r := recover(); r != "a bug" {
			t.Errorf("recovered %v", r)
		}
	}()
	k := keeping(func(context.Context, int) watchLook { panic("a bug") })
	k.run(t.Context())
}

func TestWatchService_WithoutSystemdGatesAreUnknown(t *testing.T) {
	var stderr strings.Builder
	status := Run(t.Context(), Machine{
		Stdout: io.Discard, Stderr: &stderr, Lookup: func(string) (string, bool) { return "", false }, NoSystemd: true,
	}, []string{"watch"})
	if status == diag.StatusReady || !strings.Contains(stderr.String(), "NO-SYSTEMD") {
		t.Errorf("status %d\n%s", status, stderr.String())
	}
}

// Left behind, they would pass for the state of the host.
func TestWatchService_MetricsEndWithIt(t *testing.T) {
	dir := t.TempDir()
	if err := records.WriteMetrics(dir, "watch", "", []byte("# EOF\n")); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	a := &app{
		Machine: Machine{
			Stdout: io.Discard, MetricsDir: dir, SharedDir: t.TempDir(),
			Lookup: func(name string) (string, bool) { return "x", name == "INVOCATION_ID" },
		},
		Globals: Globals{ConfigFile: place(filepath.Join(dir, "none.toml"))}, ctx: ended, talk: report.NewTalk(io.Discard, nil, report.Layout{}),
	}
	if err := (&watchCommand{}).Run(a); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.prom")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
