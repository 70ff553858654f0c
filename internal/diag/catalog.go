// SPDX-License-Identifier: Apache-2.0

package diag

import "cmp"

//go:generate go run ./generate

// Code identifies one kind of problem and never changes. Scripts, journal
// queries and the manual depend on it.
type Code string

// Entry is the catalogue's entry of one code, the only source of explain, the
// journal's catalog and the manual. Entries are in catalogue.toml.
type Entry struct {
	Code      Code      `json:"code"`
	Area      string    `json:"-"`          // heading of its findings
	Status    Status    `json:"status"`     // exit status of a gate that refuses with it
	MessageID string    `json:"message_id"` // MESSAGE_ID in the journal, 32 hexadecimal digits
	Title     string    `json:"title"`      // one line
	Cause     string    `json:"cause"`      // what usually causes it
	Check     []Command `json:"check"`      // shows it
	Fix       Fix       `json:"fix"`        // what puts it right
}

// Status returns the exit status of a problem of this code: 70 for a code that
// the catalogue does not know, so that a forgotten entry still blocks.
func (c Code) Status() Status {
	if e, ok := Lookup(c); ok {
		return e.Status
	}
	return StatusInternal
}

// Area returns the heading of a code's findings.
func (c Code) Area() string {
	e, _ := Lookup(c)
	return cmp.Or(e.Area, "this run")
}

// Lookup returns the catalogue's entry for a code.
func Lookup(c Code) (Entry, bool) {
	for _, e := range catalog {
		if e.Code == c {
			return e, true
		}
	}
	return Entry{}, false
}

// Catalog returns every entry, in the order of the manual.
func Catalog() []Entry { return catalog }
