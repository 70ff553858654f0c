// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Fault is a line that systemd drops with a message in its log. With Rest it
// also drops everything after the line, and still loads the unit.
type Fault struct {
	Line   int
	Reason string
	Rest   bool
}

// Scan reads a file that we did not write, and continues after errors where systemd does. The
// settings are those of all sections, also of those that systemd ignores.
func Scan(text []byte) ([]Placed, []Fault) {
	var settings []Placed
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
			settings = append(settings, Placed{s, r.began})
			if reason, rest := refusedCommand(s); reason != "" {
				faults = append(faults, Fault{Line: r.line, Reason: s.Key + "= has " + reason, Rest: rest})
				if rest {
					return settings, faults
				}
			}
		}
	}
}

// foreign reads a file that we did not write.
func foreign(text []byte) *reader {
	r := newReader(text)
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

// refusedCommand returns why systemd drops a command line, and whether it drops the rest
// of the file with it: not if the command has the prefix "-" (load-fragment.c:
// config_parse_exec). What specifiers stand for is unknown here.
func refusedCommand(s Setting) (reason string, rest bool) {
	if s.Section != "Service" || !strings.HasPrefix(s.Key, "Exec") {
		return "", false
	}
	for value := s.Value; value != ""; {
		first, next, err := oneWord(value, 0, false)
		if err != nil {
			return err.Error(), false
		}
		program := strings.TrimLeft(first, "-@:+!")
		prefixes := strings.TrimSuffix(first, program)
		value = trim(value[next:])
		if first == ";" {
			continue
		}
		rest = !strings.Contains(prefixes, "-")
		if reason := refusedProgram(program); reason != "" {
			return reason, rest
		}
		words := 0
		for ; value != "" && !separates(value); words++ {
			if _, next, err = oneWord(value, 0, false); err != nil {
				return err.Error(), rest
			}
			value = trim(value[next:])
		}
		if words == 0 && strings.Contains(prefixes, "@") {
			return "no name for the program", rest
		}
		value = trim(strings.TrimPrefix(value, ";"))
	}
	return "", false
}

// separates reports whether a value begins with a semicolon that ends a command.
func separates(value string) bool {
	return value[0] == ';' && (len(value) == 1 || isWhite(value[1]))
}

func refusedProgram(program string) string {
	switch {
	case program == "":
		return "no program"
	case refuseText(program) != nil || strings.ContainsAny(program, `"'\`):
		return "a special character in the path of its program"
	case slices.Contains([]string{".", ".."}, path.Base(program)) || strings.HasSuffix(program, "/"):
		return "a directory as its program"
	case strings.Contains(program, "/") && !strings.HasPrefix(program, "/") && !strings.HasPrefix(program, "%"):
		return "a relative path"
	}
	return ""
}
