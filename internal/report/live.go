// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/journal"
)

// Notifier reports the progress of a start to systemd, such as notify.Notifier.
type Notifier interface {
	Status(text string) error
	Clear() error
	Extend(d time.Duration) error
}

// Watch reports a run's progress: to a terminal as one live line, to systemd as
// STATUS= and EXTEND_TIMEOUT_USEC=, and to a log as an occasional line. It is a
// gate.Observer.
type Watch struct {
	Talk     *Talk
	Notifier Notifier   // nil: not reported
	Width    func() int // of the terminal, nil: none
	Log      bool       // log a line when the reason changes: neither terminal nor unit

	mu       sync.Mutex
	told     news
	toldAt   time.Time
	extended time.Time
	later    *gate.Progress // came too soon after the last one
	timer    *time.Timer    // tells later
	ended    bool
}

// news is what makes two lines different for a reader. The remaining time does
// not.
type news struct {
	text        string
	done, total int
}

// Intervals of reports. systemd forgets an extension at every reload, so it is
// repeated. The live line is redrawn as often as an eye can follow, and once a
// second for the remaining time. A log gets at most one line per second.
const (
	extendEvery = 2 * time.Second
	redrawEvery = 100 * time.Millisecond
	repeatEvery = time.Second
	logEvery    = time.Second
)

// Progress reports the progress of the run. A report that comes too soon is
// delayed, unless a newer one replaces it by then.
func (w *Watch) Progress(p gate.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.extend(p)
	if since := time.Since(w.toldAt); newsOf(p) == w.told && (w.Width == nil || since < repeatEvery) {
		w.later = nil // it is the same as what was reported
		return
	} else if soon := w.interval() - since; soon > 0 {
		w.later = &p
		if w.timer == nil {
			w.timer = time.AfterFunc(soon, w.reportLater)
		}
		return
	}
	w.tell(p)
}

func newsOf(p gate.Progress) news {
	return news{brief(p.Step+": "+p.Text, maxReason), p.Done, p.Total}
}

func (w *Watch) interval() time.Duration {
	if w.Log {
		return logEvery
	}
	return redrawEvery
}

func (w *Watch) extend(p gate.Progress) {
	if w.Notifier != nil && time.Since(w.extended) >= extendEvery && p.Left > 0 {
		w.extended = time.Now()
		_ = w.Notifier.Extend(p.Left + gate.Margin)
	}
}

func (w *Watch) reportLater() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = nil
	if w.later != nil && !w.ended {
		w.tell(*w.later)
	}
}

func (w *Watch) tell(p gate.Progress) {
	before := w.told.text
	w.told, w.toldAt, w.later = newsOf(p), time.Now(), nil
	if w.told.text != before && w.Notifier != nil {
		_ = w.Notifier.Status(unit.StatusOfWait(w.told.text))
	}
	switch {
	case w.Width != nil:
		w.Talk.drawLive(w.Talk.layout.live(p, w.Width()))
	case w.Log && w.told.text != before && (p.Total == 0 || p.Done < p.Total): // else there is nothing to wait for
		w.Talk.Say([]Line{{Priority: journal.Info, Level: "waiting", Text: w.told.text}})
	}
}

// Done reports the end to systemd: the reason of a failure stays in systemctl
// status, that of a success would be misleading there. Nothing is reported
// after it.
func (w *Watch) Done(r gate.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended, w.later = true, nil
	if w.timer != nil {
		w.timer.Stop()
	}
	w.Talk.EraseLive()
	if w.Notifier == nil {
		return
	}
	for _, p := range r.Problems {
		if p.Severity == diag.Error {
			_ = w.Notifier.Status(unit.StatusOfRefusal(cleaned(p)))
			return
		}
	}
	_ = w.Notifier.Clear()
}

// drawLive replaces the live line, without a line break, so that the next one
// replaces it.
func (t *Talk) drawLive(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprint(t.w, "\r\x1b[K"+text)
	t.live = true
}

// EraseLive erases the live line.
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

// leastReason is how many columns the reason needs to be useful; decorations
// are dropped first.
const leastReason = 16

// liveLine is one line of less than width columns: a bar if there is something
// to count, the reason, and the remaining time. The last column stays free,
// since some terminals start a new line after it.
func liveLine(p gate.Progress, width int) string {
	room := width - 1
	head := diag.Clean(p.Step) + " "
	if p.Total > 0 && room >= columns(head)+barCells+3+leastReason {
		head += bar(p.Done, p.Total) + " "
	}
	tail := fmt.Sprintf(", gives up in %s", Span(max(p.Left, 0).Truncate(time.Second)))
	if room < columns(head)+columns(tail)+leastReason {
		tail = ""
	}
	return Fit(head+brief(p.Text, maxReason), room-columns(tail)) + tail
}

// live is liveLine in the characters that the layout supports.
func (p Layout) live(progress gate.Progress, width int) string {
	if !p.ASCII {
		return liveLine(progress, width)
	}
	return strings.ReplaceAll(liveLine(progress, width-len("..")), "…", "...")
}

const barCells = 16

func bar(done, total int) string {
	full := 0
	if total > 0 && done > 0 {
		full = int(min(float64(done)/float64(total), 1) * barCells)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barCells-full) + "]"
}

// Fit cuts a text to at most room columns.
func Fit(s string, room int) string {
	if columns(s) <= room {
		return s
	}
	var b strings.Builder
	left := room - 1 // for the ellipsis
	for _, r := range s {
		if left -= cells(r); left < 0 {
			break
		}
		b.WriteRune(r)
	}
	if room > 0 {
		b.WriteString("…")
	}
	return b.String()
}

func columns(s string) int {
	n := 0
	for _, r := range s {
		n += cells(r)
	}
	return n
}

// cells returns the maximum number of columns of a rune: terminals disagree on
// emoji and symbols, and a line that is too short is better than one that
// wraps. General punctuation (the ellipsis) is one column everywhere.
func cells(r rune) int {
	if r < 0x1100 || r >= 0x2010 && r < 0x2030 {
		return 1
	}
	return 2
}
