// SPDX-License-Identifier: Apache-2.0

// Package kernelcmdline reads the kernel command line the way systemd does
// (proc-cmdline.c) and finds justnews.gate=off on it. It decides nothing.
package kernelcmdline

import (
	"os"
	"path/filepath"
	"strings"
)

// GateKey is the switch; GateOffValue is the one value that opens every gate. Any
// other value, and systemd's other words for false, leave them shut.
const (
	GateKey      = "justnews.gate"
	GateOffValue = "off"
)

// Marker is the file that the generator leaves in its output directory when the
// switch is on. A gate in a container cannot always see PID 1's command line
// (ProtectProc=invisible), but it can see that root's generator has.
const Marker = "justnews-gate.off"

// GateOff reports whether the switch is on. As everywhere on the command line the
// last setting wins.
func GateOff(line string) bool {
	value, found := lookup(line, GateKey)
	return found && value == GateOffValue
}

// lookup returns the last value of key. A key without an equals sign has no
// value and is not found. Dashes and underscores are the same.
func lookup(line, key string) (string, bool) {
	value, found := "", false
	for _, word := range Words(line) {
		k, v, hasValue := strings.Cut(word, "=")
		if hasValue && strings.ReplaceAll(k, "-", "_") == strings.ReplaceAll(key, "-", "_") {
			value, found = v, true
		}
	}
	return value, found
}

// Words splits a command line as extract_first_word() does with
// EXTRACT_UNQUOTE, EXTRACT_RELAX and EXTRACT_RETAIN_ESCAPE: quotes group and
// vanish, an unclosed one is accepted, a backslash is an ordinary character.
func Words(line string) []string {
	var words []string
	var b strings.Builder
	inWord, quote := false, byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inWord {
				words = append(words, b.String())
				b.Reset()
				inWord = false
			}
		default:
			b.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, b.String())
	}
	return words
}

// Generator returns the command line that systemd itself obeys, for a generator
// that systemd started: $SYSTEMD_PROC_CMDLINE, PID 1's arguments in a container
// ($SYSTEMD_VIRTUALIZATION), else the kernel's. root is put before the paths.
// What cannot be read counts as empty, which leaves the gates shut.
func Generator(root string, getenv func(string) string) string {
	if line := getenv("SYSTEMD_PROC_CMDLINE"); line != "" {
		return line
	}
	return read(root, strings.HasPrefix(getenv("SYSTEMD_VIRTUALIZATION"), "container:"))
}

// Service returns the same for a service. It does not look at the environment,
// since an environment file must not be able to open a gate; that this is a
// container it learns from systemd's /run/systemd/container.
func Service(root string) string {
	_, err := os.Stat(filepath.Join(root, "/run/systemd/container"))
	return read(root, err == nil)
}

// read takes the command line of the container's PID 1 or of the kernel. The
// kernel's in a container is that of the host.
func read(root string, container bool) string {
	if !container {
		data, _ := os.ReadFile(filepath.Join(root, "/proc/cmdline"))
		return string(data)
	}
	data, _ := os.ReadFile(filepath.Join(root, "/proc/1/cmdline"))
	return join(data)
}

// join makes one line of the arguments of a process, as /proc/PID/cmdline has
// them, each with a NUL behind it. An argument with white space in it keeps its
// borders by quotes; one that also holds quotes is left out, since it could be
// read as more than it is.
func join(arguments []byte) string {
	var words []string
	for arg := range strings.SplitSeq(strings.TrimSuffix(string(arguments), "\x00"), "\x00") {
		switch {
		case strings.ContainsAny(arg, `"'`):
			continue
		case strings.ContainsAny(arg, " \t\n\r"):
			arg = `"` + arg + `"`
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}
