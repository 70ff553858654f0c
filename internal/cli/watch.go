// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"justnews/internal/diag"
	"justnews/internal/status"
)

// Console is a terminal that was taken over for a while; *screen.Screen is one.
type Console interface {
	Size() (columns, rows int)
	Draw(lines []string) error
	Keys() <-chan byte
	Resized() <-chan os.Signal
	Close() error
}

// watchEvery is the pause between two looks: they never overlap, however long
// one takes, so a watcher costs a host one request at a time.
const watchEvery = 2 * time.Second

type watcher struct {
	console Console
	look    func(context.Context) *status.Host
	frame   func(g *status.Host, at time.Time, columns, rows int) []string

	last *status.Host
	at   time.Time
}

// looked is what a look found, or the panic that ended it: the terminal has to be
// given back first.
type looked[T any] struct {
	found T
	crash any
}

// begin looks once in a goroutine of its own.
func begin[T any](ctx context.Context, look func(context.Context) T) <-chan looked[T] {
	results := make(chan looked[T], 1)
	go func() {
		var l looked[T]
		defer func() {
			l.crash = recover()
			results <- l
		}()
		ctx, cancel := context.WithTimeout(ctx, statusTimeout+mpsTimeout)
		defer cancel()
		l.found = look(ctx)
	}()
	return results
}

// run refreshes until a key, a signal or the end of the terminal, and reports
// whether a person ended it.
func (w *watcher) run(ctx context.Context) (byKey bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, keys := begin(ctx, w.look), w.console.Keys()
	var next <-chan time.Time
	for w.draw() {
		select {
		case <-ctx.Done():
			return false
		case key, open := <-keys:
			if !open {
				return false
			}
			if key == 'q' || key == 'Q' || key == 3 { // ^C
				return true
			}
		case <-w.console.Resized():
		case r := <-results:
			if r.crash != nil {
				panic(r.crash)
			}
			if ctx.Err() == nil { // else it was cut short
				w.last, w.at = r.found, time.Now()
			}
			next = time.After(watchEvery)
		case <-next:
			results = begin(ctx, w.look)
		}
	}
	return false
}

// draw fails if the terminal was closed.
func (w *watcher) draw() bool {
	columns, rows := w.console.Size()
	return w.console.Draw(w.frame(w.last, w.at, columns, rows)) == nil
}

// watchStatus shows the status until a key is pressed, and then says the last
// look once more, where it stays.
func (a *app) watchStatus() error {
	if a.json() {
		return a.refuse(watchRefused("--watch cannot be combined with --json"))
	}
	if a.Console == nil {
		return a.refuse(watchRefused("--watch needs a terminal"))
	}
	console, err := a.Console()
	if err != nil {
		return a.refuse(watchRefused("--watch needs a terminal: " + err.Error()))
	}
	w := watcher{console: console, look: a.glanceOnce, frame: a.frame}
	byKey, err := w.runAndClose(a.ctx)
	switch {
	case err != nil:
		return fmt.Errorf("cannot give the terminal back: %w", err)
	case w.last == nil, !byKey && w.last.Status == int(diag.StatusReady):
		return a.refuse(diag.Problem{
			Code: diag.Interrupted, Subject: "status", Message: "ended before there was any output", Fix: diag.Do(diag.Run("justnews-gate", "status")),
		})
	}
	return a.printStatus(w.last)
}

// runAndClose gives the terminal back also where a look crashes.
func (w *watcher) runAndClose(ctx context.Context) (byKey bool, err error) {
	defer func() { err = w.console.Close() }()
	return w.run(ctx), nil
}

func watchRefused(message string) diag.Problem {
	return diag.Problem{
		Code: diag.Usage, Message: message,
		Fix: diag.Advise("run the command without --watch", diag.Run("justnews-gate", "status")),
	}
}

func (a *app) heading(at time.Time) string {
	when := "looking"
	if !at.IsZero() {
		when = at.Format("15:04:05")
	}
	return a.fit(fmt.Sprintf("justnews-gate status, %s, every %d s, q quits", when, int(watchEvery.Seconds())), 0)
}
