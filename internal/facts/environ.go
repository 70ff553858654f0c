// SPDX-License-Identifier: Apache-2.0

package facts

// EnvFile is one file of /etc/justnews/*.env in the two readings that it gets:
// systemd's, for EnvironmentFile=, and a shell's, which sources it in the start
// scripts. The values are secrets: they are compared, and never shown.
type EnvFile struct {
	Path   string
	Denied bool   // this user may not read it
	Err    string // why nobody could, "": it was read
	Lost   string // why systemd takes nothing of it: a NUL byte, not UTF-8

	Systemd []EnvVar
	Bare    []int // lines that systemd drops: no equals sign
	Open    int   // line of a quote that nothing closes, 0: none

	Shell      []EnvVar
	Commands   []int  // lines in which a shell would run something
	ShellError string // why a shell refuses the file, "": it does not
	ErrorLine  int
}

// EnvVar is one assignment.
type EnvVar struct {
	Name, Value string
	Line        int
	// Why says what of the text only a shell understands: "expands ${X}".
	Why string
}
