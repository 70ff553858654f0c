// SPDX-License-Identifier: Apache-2.0

package diag

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"justnews/internal/lists"
)

// Fix is how to fix a problem. If Advice is empty the commands are enough;
// otherwise a person follows the advice first and then runs them. The zero
// value is a problem that needs no action: the host recovers automatically.
type Fix struct {
	// Advice describes what to do: lowercase, no full stop. It is never parsed
	// or run.
	Advice string `json:"advice,omitempty"`
	// Look are commands that show what the advice refers to. They change
	// nothing.
	Look []Command `json:"look,omitempty"`
	// Commands are run in this order.
	Commands []Command `json:"commands,omitempty"`
}

// Do returns a fix that consists of commands only.
func Do(commands ...Command) Fix { return Fix{Commands: commands} }

// Advise returns a fix of advice and the commands after it.
func Advise(advice string, commands ...Command) Fix {
	return Fix{Advice: Clean(advice), Commands: commands}
}

// Looking adds commands that show what the advice refers to. A nil command is
// left out.
func (f Fix) Looking(commands ...Command) Fix {
	f.Look = slices.Clone(f.Look)
	for _, c := range commands {
		if len(c) > 0 {
			f.Look = append(f.Look, c)
		}
	}
	return f
}

// Command is one argument vector, as execve(2) takes it. No shell reads it
// unless its first word is a shell.
type Command []string

// Run returns the vector of one command.
func Run(argv ...string) Command { return argv }

// Examples is where the packages install the examples.
const Examples = "/usr/share/doc/justnews/examples/"

// CopyExample copies the example of a whole host as the configuration.
func CopyExample() Fix {
	return Advise("copy "+Examples+"seventeen.toml to /etc/justnews/justnews.toml, and remove what this host does not run",
		Run("justnews-gate", "config", "check"), Reload())
}

// String returns the command as a line for a POSIX shell, in which every word
// stays one word, whatever it contains.
func (c Command) String() string {
	return strings.Join(lists.Map(c, shellWord), " ")
}

// shellWord quotes a word for a POSIX shell. A control character, such as a
// line break, would affect the terminal into which the line is pasted, so
// printf writes it when the line is run. Trailing line breaks, which $(...)
// removes, are written as the last character of the shell's default IFS.
func shellWord(s string) string {
	if isPlain(s, ",") {
		return s
	}
	if isClean(s) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var octal strings.Builder
	body := strings.TrimRight(s, "\n")
	for i := range len(body) {
		c := body[i]
		octal.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
	}
	return "\"$(printf '" + octal.String() + "')" + strings.Repeat("${IFS#??}", len(s)-len(body)) + "\""
}

// MarshalJSON escapes what would control a terminal; the words are unchanged.
func (c Command) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal([]string(c))
	if err != nil || isClean(string(text)) {
		return text, err
	}
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case !isControl(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String()), nil
}

// Lines returns the commands, each as a line for a POSIX shell.
func Lines(commands []Command) []string {
	return lists.Map(commands, Command.String)
}

// Empty reports whether there is nothing to do.
func (f Fix) Empty() bool { return f.Advice == "" && len(f.Commands) == 0 && len(f.Look) == 0 }

// String returns the fix on one line, for outputs with limited space.
func (f Fix) String() string {
	look, commands := strings.Join(Lines(f.Look), "; "), strings.Join(Lines(f.Commands), "; ")
	line := f.Advice
	if look != "" {
		if line += " (" + look + ")"; f.Advice == "" {
			line = look
		}
	}
	switch {
	case commands == "":
		return line
	case line == "":
		return commands
	default:
		return line + ", then: " + commands
	}
}

// Retry resets failed units and starts all enabled instances.
func Retry() Command { return Run("justnews-gate", "retry") }

// Reload makes systemd run the generator: it applies the configuration.
func Reload() Command { return Run("systemctl", "daemon-reload") }

// Retire disables and stops units; with a template, its instances.
func Retire(units []string, template string) []Command {
	var all []Command
	if len(units) > 0 {
		all = append(all, append(Run("systemctl", "disable", "--now", "--"), units...))
	}
	if template != "" { // --now would stop the template, which cannot be
		all = append(all, Run("systemctl", "disable", "--", template+"@.service"), Run("systemctl", "stop", "--", template+"@*.service"))
	}
	return all
}

// Restart restarts a unit, if there is one, before Retry. A unit that has hit
// its start limit cannot be started until it is reset.
func Restart(unit string) []Command {
	if unit == "" {
		return []Command{Retry()}
	}
	return []Command{Run("systemctl", "reset-failed", "--", unit), Run("systemctl", "restart", "--", unit), Retry()}
}

// LogOf shows a unit's log; nil without a unit.
func LogOf(unit string) Command {
	if unit == "" {
		return nil
	}
	return Run("journalctl", "-b", "-u", unit)
}

// CatUnit shows a unit's files.
func CatUnit(unit string) Command { return Run("systemctl", "cat", "--", unit) }

// Namei shows the permissions along a path.
func Namei(path string) Command { return Run("namei", "-l", "--", path) }
