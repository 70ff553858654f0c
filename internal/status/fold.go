// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/unitname"
)

// single are the codes of which each instance's own finding counts.
var single = []diag.Code{diag.Ungated, diag.UnitFailed, diag.RestartLoop, diag.PortTaken, diag.InstanceUnknown}

// Fold makes one finding of those that differ in the instance alone: what stands in the
// template is wrong 17 times, and fixed once.
func Fold(problems []diag.Problem) []diag.Problem {
	var out []diag.Problem
	var texts []text // of out
	others := map[int][]string{}
	for _, p := range problems {
		t := textOf(p)
		name, at := unitname.Instance(p.Subject), slices.IndexFunc(texts, t.alike)
		switch {
		case at < 0:
			out, texts = append(out, p), append(texts, t)
		case name != "" && p.Subject != out[at].Subject:
			others[at] = append(others[at], name)
		}
	}
	for at, names := range others {
		out[at].Subject += " and also " + strings.Join(names, ", ")
	}
	return out
}

// text is a text about an instance, "" for none, and the place in which it is found.
type text struct{ text, instance, place string }

// textOf returns what has to be the same in two findings for them to be one.
func textOf(p diag.Problem) text {
	place := p.Subject
	if unitname.Instance(place) != "" && (!slices.Contains(single, p.Code) || p.Message == unit.GateRefused) {
		place = ""
	}
	if p.Position != nil {
		place += p.Position.String()
		p.Position = nil
	}
	if p.Code == diag.ConfigEnvironment { // one variable, whichever instance's gate would refuse it
		p.Fix = diag.Fix{}
	}
	all := fmt.Sprintf("%#v", p) // %v would call its String, which leaves out the evidence
	return text{all, unitname.In(all), place}
}

// alike reports whether two texts are the same but for the names of their instances. A name
// may stand only where the other text has the other name, so an instance can be called like
// a word of a sentence.
func (t text) alike(other text) bool {
	if t.place != other.place {
		return false
	}
	a, b := t.text, other.text
	for a != "" && b != "" {
		restA, namedA := cutName(a, t.instance)
		restB, namedB := cutName(b, other.instance)
		switch {
		case namedA && namedB:
			a, b = restA, restB
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		default:
			return false
		}
	}
	return a == b
}

// cutName cuts a name off that is the whole of a word.
func cutName(s, name string) (rest string, found bool) {
	rest, found = strings.CutPrefix(s, name)
	longer := rest != "" && (rest[0] == '_' || unicode.IsLetter(rune(rest[0])) || unicode.IsDigit(rune(rest[0])))
	return rest, found && name != "" && !longer
}
