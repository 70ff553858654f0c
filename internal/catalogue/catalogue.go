// SPDX-License-Identifier: Apache-2.0

// Package catalogue has the texts of all problems, which explain, the manual and the
// journal's message catalogue print.
package catalogue

import (
	"strings"

	"github.com/BurntSushi/toml"

	"justnews/internal/diag"
	"justnews/internal/lists"
)

// Entry is the catalogue's entry of one code.
type Entry struct {
	Code      diag.Code      `json:"code"`
	Status    diag.Status    `json:"status"`     // exit status of a gate that refuses with it
	MessageID string         `json:"message_id"` // MESSAGE_ID in the journal, 32 hexadecimal digits
	Title     string         `json:"title"`      // one line
	Cause     string         `json:"cause"`      // what usually causes it
	Check     []diag.Command `json:"check"`      // shows it
	Fix       diag.Fix       `json:"fix"`        // how to fix it
}

// Entries returns every entry, in the order of the manual.
func Entries() []Entry {
	return lists.Map(texts(), read)
}

// Lookup returns the entry of a code. It reads no other one.
func Lookup(code diag.Code) (Entry, bool) {
	for _, text := range texts() {
		if strings.HasPrefix(text, `code = "`+string(code)+"\"\n") {
			return read(text), true
		}
	}
	return Entry{}, false
}

// texts are those of the entries, each of which begins with the code.
func texts() []string { return strings.Split(diag.Texts, "\n[[problem]]\n")[1:] }

func read(text string) Entry {
	var e struct {
		Code         diag.Code
		Title, Cause string
		Check        []diag.Command
		diag.Fix
	}
	if err := toml.Unmarshal([]byte(text), &e); err != nil {
		panic(err) // the embedded file is tested
	}
	return Entry{e.Code, e.Code.Status(), e.Code.MessageID(), e.Title, e.Cause, e.Check, e.Fix}
}
