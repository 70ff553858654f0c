// SPDX-License-Identifier: Apache-2.0

package report

import "strings"

// heading is the level of a line that is only printed on a terminal, above the
// findings of one area.
const heading = "heading"

// Headed adds the area above the first finding of each, and separates the
// verdict.
func Headed(lines []Line) []Line {
	var out []Line
	area, verdict := "", "verdict"
	for _, l := range lines {
		now := area
		switch {
		case l.Problem != nil:
			now = l.Problem.Code.Area()
		case l.Level != "step":
			now = verdict
		}
		if now != area {
			area = now
			out = append(out, Line{Priority: priInfo, Level: heading, Text: strings.ToUpper(area[:1]) + area[1:]})
		}
		out = append(out, l)
	}
	return out
}
