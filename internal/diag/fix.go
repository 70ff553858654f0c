// SPDX-License-Identifier: Apache-2.0

package diag

import "strings"

// Fix is what puts a problem right. Where Advice is empty the commands alone
// are enough; else a person follows the advice first and then runs them. The
// zero value is a problem that needs no action: the host heals by itself.
type Fix struct {
	// Advice says what to do, in words: lowercase, no full stop. It is never
	// parsed and never run.
	Advice string `json:"advice,omitempty"`
	// Commands are run in this order.
	Commands []Command `json:"commands,omitempty"`
}

// Command is one argument vector, as execve(2) takes it. No shell reads it
// unless its first word is a shell.
type Command []string

// Run returns the vector of one command.
func Run(argv ...string) Command { return argv }

// String returns the command as a line for a POSIX shell, on which every word
// stays one word, whatever is in it.
func (c Command) String() string {
	words := make([]string, len(c))
	for i, word := range c {
		words[i] = ShellQuote(word)
	}
	return strings.Join(words, " ")
}

// ShellQuote returns a string as one word of a POSIX shell. Control characters
// come out as Clean writes them: a name that holds one has no word that could
// be pasted.
func ShellQuote(s string) string {
	s = Clean(s)
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Whole reports whether the commands alone put the problem right.
func (f Fix) Whole() bool { return f.Advice == "" && len(f.Commands) > 0 }

// Empty reports whether there is nothing to do.
func (f Fix) Empty() bool { return f.Advice == "" && len(f.Commands) == 0 }

// String returns the fix on one line, for places that have no more room.
func (f Fix) String() string {
	lines := make([]string, len(f.Commands))
	for i, c := range f.Commands {
		lines[i] = c.String()
	}
	commands := strings.Join(lines, "; ")
	switch {
	case commands == "":
		return f.Advice
	case f.Advice == "":
		return commands
	default:
		return f.Advice + ", then: " + commands
	}
}
