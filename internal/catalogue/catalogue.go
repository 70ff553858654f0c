// SPDX-License-Identifier: Apache-2.0

// Package catalogue has the texts of all problems, which explain, the manual and the
// journal's message catalogue print.
package catalogue

import (
	"sync"

	"github.com/BurntSushi/toml"

	"justnews/internal/diag"
)

// Entry is the catalogue's entry of one code.
type Entry struct {
	Code      diag.Code      `json:"code"`
	Status    diag.Status    `json:"status"`     // exit status of a gate that refuses with it
	MessageID string         `json:"message_id"` // MESSAGE_ID in the journal, 32 hexadecimal digits
	Title     string         `json:"title"`      // one line
	Cause     string         `json:"cause"`      // what usually causes it
	Check     []diag.Command `json:"check"`      // shows it
	Fix       diag.Fix       `json:"fix"`        // what puts it right
}

// Entries returns every entry, in the order of the manual.
func Entries() []Entry { return entries() }

// Lookup returns the entry of a code.
func Lookup(code diag.Code) (Entry, bool) {
	for _, e := range Entries() {
		if e.Code == code {
			return e, true
		}
	}
	return Entry{}, false
}

// entries reads the texts when they are first needed: most runs print none.
var entries = sync.OnceValue(func() []Entry {
	var file struct {
		Problems []struct {
			Code         diag.Code
			Title, Cause string
			Check        []diag.Command
			diag.Fix
		} `toml:"problem"`
	}
	if err := toml.Unmarshal([]byte(diag.Texts), &file); err != nil {
		panic(err) // it was read when this program was made
	}
	all := make([]Entry, len(file.Problems))
	for i, p := range file.Problems {
		all[i] = Entry{p.Code, p.Code.Status(), p.Code.MessageID(), p.Title, p.Cause, p.Check, p.Fix}
	}
	return all
})
