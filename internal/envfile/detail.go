// SPDX-License-Identifier: Apache-2.0

package envfile

// Detail is how systemd interprets a file, with line numbers for error
// messages.
type Detail struct {
	Assignments []Assignment
	Bare        []int // lines without an equals sign, which are dropped
	Open        int   // line of an unclosed quote, 0: none
}

// Assignment is one variable, in the order of the file. Line counts from 1.
type Assignment struct {
	Name, Value string
	Line        int
}

// Details reads the text of a file as parse does.
func Details(text string) (Detail, error) {
	m, err := run(text)
	return m.detail, err
}
