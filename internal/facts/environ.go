// SPDX-License-Identifier: Apache-2.0

package facts

// EnvFile is one file of /etc/justnews/*.env, as systemd reads it for
// EnvironmentFile= and as a shell that sources it in the start scripts does.
// The values are secrets: they are compared, and never printed.
type EnvFile struct {
	Path   string
	Denied bool   // this user may not read it
	Err    string // why it could not be read, "": it was read
	Lost   string // why systemd ignores the whole file: a NUL byte, invalid UTF-8

	Systemd []EnvVar
	Bare    []int // lines that systemd drops: no equals sign
	Open    int   // line of an unclosed quote, 0: none

	Shell      []EnvVar
	Commands   []int  // lines in which a shell would run a command
	ShellError string // why a shell rejects the file, "": it does not
	ErrorLine  int
}

// EnvVar is one assignment.
type EnvVar struct {
	Name, Value string
	Line        int
	// Why is what only a shell understands in the text: "expands ${X}".
	Why string
}

// Environment is the environment of a unit's process.
type Environment struct {
	Values map[string]string
	// Exact is true if it was read from the process itself. Otherwise it is
	// that of the unit, and a missing variable may be in a file that could not
	// be read.
	Exact bool
	// Others are those of the other processes of the unit's control group, as
	// far as they could be read: a start script that does not use exec may give
	// its program another environment.
	Others []map[string]string
}
