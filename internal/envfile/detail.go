// SPDX-License-Identifier: Apache-2.0

package envfile

// Detail is what systemd makes of a file, with the lines: for who has to say
// what is wrong with it.
type Detail struct {
	Assignments []Assignment
	Bare        []int // lines that are dropped: they have no equals sign
	Open        int   // line of a quote that nothing closes, 0: none
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
