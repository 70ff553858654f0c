// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"justnews/internal/diag"
	"justnews/internal/gate"
)

// Notifier tells systemd how a start goes on; notify.Notifier is one.
type Notifier interface {
	Status(text string) error
	Clear() error
	Extend(d time.Duration) error
}

// Watch passes a run's progress on: to a terminal as one live line, to systemd
// as STATUS= and EXTEND_TIMEOUT_USEC=, and to a log as a line now and then. It
// is a gate.Observer.
type Watch struct {
	Talk     *Talk
	Notifier Notifier   // nil: nobody is told
	Width    func() int // of the terminal, nil: there is none
	Log      bool       // say a line when the reason changes: neither terminal nor unit

	mu       sync.Mutex
	told     string
	toldAt   time.Time
	extended time.Time
	logged   string
}

// The rhythm of what is told. systemd forgets an extension at every reload, so
// it is repeated; the live line is redrawn as often as an eye follows.
const (
	extendEvery = 2 * time.Second
	redrawEvery = 100 * time.Millisecond
)

// Progress tells how the run goes on.
func (w *Watch) Progress(p gate.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Notifier != nil && time.Since(w.extended) >= extendEvery && p.Left > 0 {
		w.extended = time.Now()
		_ = w.Notifier.Extend(p.Left + gate.Margin)
	}
	text := diag.Clean(p.Step + ": " + p.Text)
	if text == w.told && time.Since(w.toldAt) < time.Second {
		return
	}
	changed := text != w.told
	if time.Since(w.toldAt) < redrawEvery {
		return
	}
	w.told, w.toldAt = text, time.Now()
	if w.Notifier != nil && changed {
		_ = w.Notifier.Status("waiting: " + text)
	}
	switch {
	case w.Width != nil:
		w.Talk.drawLive(liveLine(p, w.Width()))
	case w.Log && p.Step+p.Text != w.logged:
		w.logged = p.Step + p.Text
		w.Talk.Say([]Line{{priInfo, "waiting", text, nil}})
	}
}

// Done tells systemd how it ended: the reason of a failure stays in systemctl
// status, that of a success would only mislead there.
func (w *Watch) Done(r gate.Result) {
	w.Talk.EraseLive()
	if w.Notifier == nil {
		return
	}
	if r.Passed() {
		_ = w.Notifier.Clear()
		return
	}
	for _, p := range r.Problems {
		if p.Severity == diag.Error {
			_ = w.Notifier.Status("refused: " + p.String())
			return
		}
	}
}

// liveLine is one line of at most width columns: a bar where there is
// something to count, the reason, and the time left.
func liveLine(p gate.Progress, width int) string {
	tail := fmt.Sprintf("  %s left", Span(max(p.Left, 0).Truncate(time.Second)))
	head := diag.Clean(p.Step) + " "
	if p.Total > 0 {
		head += bar(p.Done, p.Total, 16) + " "
	}
	room := width - utf8.RuneCountInString(head) - utf8.RuneCountInString(tail) - 1
	text := diag.Clean(p.Text)
	if utf8.RuneCountInString(text) > room {
		runes := []rune(text)
		text = string(runes[:max(min(room-1, len(runes)), 0)]) + "…"
	}
	return head + text + tail
}

func bar(done, total, cells int) string {
	full := min(max(done, 0)*cells/total, cells)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", cells-full) + "]"
}

// drawLive replaces the live line; without a line break, so that the next one
// takes its place.
func (t *Talk) drawLive(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprint(t.w, "\r\x1b[K"+text)
	t.live = true
}

// EraseLive takes the live line away.
func (t *Talk) EraseLive() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.eraseLive()
}

func (t *Talk) eraseLive() {
	if t.live {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.live = false
	}
}
