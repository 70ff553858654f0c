// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
)

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

// live is liveLine in the characters that the paper supports.
func (p Paper) live(progress gate.Progress, width int) string {
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
