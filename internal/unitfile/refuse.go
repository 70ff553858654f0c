// SPDX-License-Identifier: Apache-2.0

package unitfile

import (
	"strings"
	"unicode/utf8"
)

// CheckText reports whether a string can be written to a unit file, as a quoted
// word. The error is a *Refusal.
func CheckText(s string) error { return asError(refuseBytes(s)) }

// CheckPath is CheckText for an absolute path.
func CheckPath(path string) error { return asError(refusePath(path)) }

// CheckCommand is CheckText for the first word of a command line.
func CheckCommand(path string) error { return asError(refuseCommand(path)) }

// CheckUnit is CheckText for a full unit name.
func CheckUnit(name string) error { return asError(refuseUnit(name)) }

// CheckVariable is CheckText for the name of an environment variable.
func CheckVariable(name string) error { return asError(refuseVariable(name)) }

func asError(r *Refusal) error {
	if r == nil {
		return nil
	}
	return r
}

// refuseBytes finds the first byte that cannot be written even with an escape:
// systemd ends a line at a NUL and drops a line that is not UTF-8.
func refuseBytes(s string) *Refusal {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			if s[i] == 0 {
				return &Refusal{i, "a NUL byte"}
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || nonCharacter(r) {
			return &Refusal{i, notUTF8}
		}
		i += size
	}
	return nil
}

// nonCharacter reports the well-formed runes that systemd's utf8_is_valid()
// rejects (utf8.c: unichar_is_valid).
func nonCharacter(r rune) bool {
	return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// refuseText finds the first byte that cannot be in a line unescaped.
func refuseText(s string) *Refusal {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return &Refusal{i, "a control character"}
		}
	}
	return refuseBytes(s)
}

// Limits of the kernel (linux/limits.h), which path_is_valid() enforces.
const (
	maxPath      = 4095
	maxComponent = 255
)

// refusePath finds what keeps systemd from accepting a string as an absolute,
// normalized path (path-util.c).
func refusePath(path string) *Refusal {
	if !strings.HasPrefix(path, "/") {
		return &Refusal{0, "not an absolute path"}
	}
	if r := refuseText(path); r != nil {
		return r
	}
	if len(path) > maxPath {
		return &Refusal{maxPath, "longer than any path"}
	}
	start := 1
	for component := range strings.SplitSeq(path[1:], "/") {
		switch {
		case component == "..":
			return &Refusal{start, "a step up (..)"}
		case len(component) > maxComponent:
			return &Refusal{start + maxComponent, "a component longer than any file name"}
		}
		start += len(component) + 1
	}
	return nil
}

// refuseCommand finds what makes systemd drop a command line, and the whole
// rest of the file with it (load-fragment.c: config_parse_exec). A dollar sign
// would be replaced in argv[0] but not in the path.
func refuseCommand(path string) *Refusal {
	if r := refusePath(path); r != nil {
		return r
	}
	if i := strings.IndexAny(path, `"'\$`); i >= 0 {
		return &Refusal{i, "a quote, a backslash or a dollar sign in the name of a command"}
	}
	if strings.HasSuffix(path, "/") {
		return &Refusal{len(path) - 1, "a directory is not a command"}
	}
	return nil
}

// refuseVariable accepts the names of environment variables that
// env_name_is_valid() accepts.
func refuseVariable(name string) *Refusal {
	if name == "" {
		return &Refusal{0, "an empty name"}
	}
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && c != '_' && (i == 0 || !isDigit(c)) {
			return &Refusal{i, "not a character of a variable's name"}
		}
	}
	return nil
}

// refusePlain accepts nothing that has a special meaning for systemd: no quote,
// backslash, dollar, percent, semicolon, hash or white space.
func refusePlain(s string) *Refusal {
	if s == "" {
		return &Refusal{0, "empty, which would reset the setting"}
	}
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) && !strings.Contains("-_.:/@+,=", s[i:i+1]) {
			return &Refusal{i, "not a letter, a digit or one of - _ . : / @ + , ="}
		}
	}
	return nil
}

// refuseSize accepts what parse_size() and parse_permyriad() accept.
func refuseSize(s string) *Refusal {
	if s == "infinity" {
		return nil
	}
	i := digits(s, 0)
	if i == 0 {
		return &Refusal{0, "not a number of bytes"}
	}
	if i < len(s) && s[i] == '.' {
		i = digits(s, i+1)
	}
	if i < len(s) && strings.IndexByte("KMGTPEB%", s[i]) >= 0 {
		i++
	}
	if i < len(s) {
		return &Refusal{i, "not a number of bytes"}
	}
	return nil
}

func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// refuseUnit accepts a full unit name (unit-name.c: unit_name_is_valid).
func refuseUnit(name string) *Refusal {
	if len(name) > maxComponent {
		return &Refusal{maxComponent, "longer than any name of a unit"}
	}
	for i := range len(name) {
		if !isLetter(name[i]) && !isDigit(name[i]) && !strings.Contains(`:-_.\@`, name[i:i+1]) {
			return &Refusal{i, "not a character of a unit's name"}
		}
	}
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || name[0] == '@' || !unitType(name[dot+1:]) {
		return &Refusal{max(dot, 0), "not a full name of a unit, such as x.service"}
	}
	return nil
}

func unitType(suffix string) bool {
	switch suffix {
	case "service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope":
		return true
	}
	return false
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
