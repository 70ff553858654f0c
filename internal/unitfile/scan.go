// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"errors"
	"strings"
)

// Fault is a line that systemd drops with a message in its log. With Rest it
// also drops everything after the line, and still loads the unit.
type Fault struct {
	Line   int
	Reason string
	Rest   bool
}

// Scan reads a file that we did not write, and continues after errors where systemd does.
// Of a command line it only distinguishes what systemd would run from what
// makes it lose the rest of the file.
func Scan(text []byte) ([]Setting, []Fault) {
	var settings []Setting
	var faults []Fault
	r := foreign(text)
	for {
		before := r.line
		s, found, err := r.next()
		switch {
		case err != nil:
			f := Fault{Line: r.line, Reason: faultOf(err), Rest: losesRest(err)}
			faults = append(faults, f)
			if f.Rest || r.line == before {
				return settings, faults
			}
		case !found:
			return settings, faults
		default:
			settings = append(settings, s)
			if reason := refusedCommand(s); reason != "" {
				return settings, append(faults, Fault{Line: r.line, Reason: reason, Rest: true})
			}
		}
	}
}

// foreign reads a file that we did not write: systemd also ends a line at a carriage return.
func foreign(text []byte) *reader {
	r := newReader([]byte(strings.ReplaceAll(string(text), "\r\n", "\n")))
	r.foreign = true
	return r
}

// Placed is a setting and the line in which it begins.
type Placed struct {
	Setting
	Line int
}

// Salvage returns every setting of a file that will be replaced, including those that systemd
// loses because of an earlier error.
func Salvage(text []byte) []Placed {
	var all []Placed
	r := foreign(text)
	for {
		s, found, err := r.next()
		switch {
		case found:
			all = append(all, Placed{s, r.began})
		case err == nil, r.rest == "":
			return all
		}
	}
}

// Words splits a value at white space and takes quotes off. A backslash protects what
// follows it, or with unescape is an escape as in C: so does systemd in Environment= and
// in commands, but not in lists of paths. If a word is invalid, systemd reads only those
// before it, and ok is false.
func Words(value string, unescape bool) (all []string, ok bool) {
	all, err := words(value, unescape)
	return all, err == nil
}

func faultOf(err error) string {
	if at, ok := errors.AsType[atLine](err); ok {
		return at.err.Error()
	}
	return err.Error()
}

// losesRest reports the errors after which systemd drops the rest of the file:
// invalid UTF-8, and an unterminated section header.
func losesRest(err error) bool {
	refusal, ok := errors.AsType[*Refusal](err)
	return ok && refusal.Reason == notUTF8 || errors.Is(err, errHeader) || errors.Is(err, errTooLong)
}

// refusedCommand returns why systemd drops a command line, and with it the rest
// of the file (load-fragment.c: config_parse_exec).
func refusedCommand(s Setting) string {
	if s.Section != "Service" || !strings.HasPrefix(s.Key, "Exec") {
		return ""
	}
	for i := 0; i < len(s.Value); {
		if isWhite(s.Value[i]) {
			i++
			continue
		}
		word, next, err := oneWord(s.Value, i, false)
		switch {
		case err != nil:
			return s.Key + "= has " + err.Error()
		case i == 0 && strings.Contains(word, "/") && !strings.HasPrefix(strings.TrimLeft(word, "-@:+!|"), "/"):
			return s.Key + "= has a relative path"
		}
		i = next
	}
	return ""
}
