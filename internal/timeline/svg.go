// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/lists"
)

// The picture's dimensions, in its own units, which a browser shows as pixels.
const (
	width      = 1000.0
	margin     = 16.0
	nameWidth  = 150.0
	endWidth   = 190.0
	rowHeight  = 24.0
	barHeight  = 15.0
	plotX      = margin + nameWidth
	plotWidth  = width - 2*margin - nameWidth - endWidth
	legendY    = 74.0
	legendLine = 20.0
	legendX    = 118.0 // from one entry to the next
	perLine    = 8
)

// SVG draws a chart. The text is a complete document: it needs no script, font
// or other file, and follows the page's light or dark scheme.
func (c Chart) SVG() []byte {
	legend := c.kinds()
	top := legendY + legendLine*math.Ceil(float64(len(legend))/perLine) + 8
	bottom := top + rowHeight*float64(len(c.Rows))
	height := bottom + 58
	if len(c.LeftOut) > 0 {
		height += 18
	}
	var p picture
	p.open(c, height)
	p.text("title", margin, 28, "start", c.Title)
	p.text("small", margin, 48, "start", c.Subtitle)
	p.legend(legend)
	p.axis(c, top, bottom)
	for i, r := range c.Rows {
		p.row(c, r, top+rowHeight*float64(i))
	}
	if len(c.LeftOut) > 0 {
		p.text("small", margin, bottom+58, "start", "started again later, and not shown: "+strings.Join(c.LeftOut, ", "))
	}
	p.b.WriteString("</svg>\n")
	return []byte(p.b.String())
}

// kinds returns what occurs, in the order of the legend.
func (c Chart) kinds() []style {
	seen := map[Kind]bool{}
	for _, r := range c.Rows {
		for _, p := range r.Parts {
			seen[p.Kind] = true
		}
	}
	return lists.Filter(styles(), func(s style) bool { return seen[s.kind] })
}

type picture struct{ b strings.Builder }

func (p *picture) open(c Chart, height float64) {
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img">`+"\n",
		number(width), number(height), number(width), number(height))
	fmt.Fprintf(&p.b, "<title>%s</title>\n<desc>%s</desc>\n", escape(c.Title), escape(c.Subtitle))
	p.b.WriteString(css())
	fmt.Fprintf(&p.b, `<rect class="page" width="%s" height="%s"/>`+"\n", number(width), number(height))
}

// css has the light scheme first, for viewers without media queries.
func css() string {
	var b strings.Builder
	b.WriteString("<style>\ntext{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#1d232a}\n.title{font-size:17px;font-weight:600}\n" +
		".small{fill:#57606a}\n.page{fill:#fff}\n.grid{stroke:#d5dae0}\n.zebra{fill:#f5f7f9}\n.refused{fill:#b3261e}\n.failed{stroke:#b3261e;stroke-width:2}\n")
	for _, s := range styles() {
		fmt.Fprintf(&b, ".%s{fill:%s}\n", s.name, s.light)
	}
	b.WriteString("@media (prefers-color-scheme:dark){\ntext{fill:#e6edf3}\n.small{fill:#9aa5b1}\n.page{fill:#12161b}\n.grid{stroke:#313942}\n.zebra{fill:#191f26}\n.refused{fill:#ff8a80}\n.failed{stroke:#ff8a80}\n")
	for _, s := range styles() {
		fmt.Fprintf(&b, ".%s{fill:%s}\n", s.name, s.dark)
	}
	b.WriteString("}\n</style>\n")
	return b.String()
}

func (p *picture) legend(kinds []style) {
	for i, s := range kinds {
		x := margin + legendX*float64(i%perLine)
		y := legendY + legendLine*float64(i/perLine)
		p.rect(s.name, x, y-10, 12, 12, "")
		p.text("", x+18, y, "start", s.says)
	}
}

// axis draws a line for every tick, and below them the seconds.
func (p *picture) axis(c Chart, top, bottom float64) {
	for i := range c.Rows {
		if i%2 == 1 {
			p.rect("zebra", margin, top+rowHeight*float64(i), width-2*margin, rowHeight, "")
		}
	}
	step := tick(c.End)
	for at := time.Duration(0); at <= c.End; at += step {
		x := c.x(at)
		fmt.Fprintf(&p.b, `<line class="grid" x1="%s" y1="%s" x2="%s" y2="%s"/>`+"\n", number(x), number(top-4), number(x), number(bottom+4))
		p.text("small", x, bottom+20, "middle", strconv.FormatFloat(at.Seconds(), 'f', -1, 64))
	}
	p.text("small", plotX, bottom+38, "start", c.Axis)
}

// tick returns the distance of two lines: 1, 2 or 5 times a power of ten of
// milliseconds, so that there are at most eleven.
func tick(end time.Duration) time.Duration {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, step := range []time.Duration{unit, 2 * unit, 5 * unit} {
			if end/step <= 10 {
				return step
			}
		}
	}
}

func (c Chart) x(at time.Duration) float64 {
	if c.End == 0 {
		return plotX
	}
	return plotX + plotWidth*float64(at)/float64(c.End)
}

func (p *picture) row(c Chart, r Row, y float64) {
	middle := y + rowHeight/2 + 4
	p.text("", plotX-10, middle, "end", clip(r.Name, 22))
	for _, part := range r.Parts {
		class := part.Kind.style().name
		if part.Failed {
			class += " failed"
		}
		from, to := c.x(part.From), c.x(part.To)
		least := 0.5
		if part.Failed {
			least = 2
		}
		p.rect(class, from, y+(rowHeight-barHeight)/2, max(to-from, least), barHeight, tooltip(r, part))
	}
	class := "small"
	if !r.Passed {
		class = "refused"
	}
	p.text(class, plotX+plotWidth+10, middle, "start", clip(r.Result, 30))
}

func tooltip(r Row, part Part) string {
	text := fmt.Sprintf("%s: %s, %s s from %s s on", r.Name, part.Kind.style().says,
		strconv.FormatFloat((part.To-part.From).Seconds(), 'f', 3, 64), strconv.FormatFloat(part.From.Seconds(), 'f', 3, 64))
	if part.Failed {
		text += ", failed"
	}
	if part.Detail != "" {
		text += ": " + part.Detail
	}
	return text
}

func (p *picture) rect(class string, x, y, w, h float64, title string) {
	fmt.Fprintf(&p.b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"`, class, number(x), number(y), number(w), number(h))
	if title == "" {
		p.b.WriteString("/>\n")
		return
	}
	fmt.Fprintf(&p.b, "><title>%s</title></rect>\n", escape(title))
}

func (p *picture) text(class string, x, y float64, anchor, s string) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	if anchor != "start" {
		class += ` text-anchor="` + anchor + `"`
	}
	fmt.Fprintf(&p.b, `<text%s x="%s" y="%s">%s</text>`+"\n", class, number(x), number(y), escape(s))
}

// number prints a coordinate: two decimals are finer than any screen.
func number(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(diag.Clean(s))) // a Builder never fails
	return b.String()
}

// clip truncates what would overlap its neighbour; the tooltip has all of it.
func clip(s string, most int) string {
	runes := []rune(diag.Clean(s))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}
