// SPDX-License-Identifier: Apache-2.0

// Package diag defines problems: their type, the catalogue of all codes, and
// the exit status of each. It checks nothing, decides nothing and prints
// nothing.
package diag

import (
	_ "embed" // catalogue.toml
	"fmt"
	"strings"

	"justnews/internal/lists"
)

// Severity is the effect of a problem on the verdict. The zero value blocks.
type Severity int

// The severities, worst first.
const (
	Error   Severity = iota // the gate stays shut
	Warning                 // reported, but does not shut the gate
	Notice                  // informational
)

// String returns the prefix of a message.
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Notice:
		return "notice"
	default:
		return "error"
	}
}

// Priority returns the syslog level of a problem (sd-daemon(3)).
func (s Severity) Priority() int { return 3 + min(max(int(s), 0), 2) }

// MarshalText makes JSON contain the word instead of the number.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word; an unknown one is an error.
func (s *Severity) UnmarshalText(text []byte) error {
	for _, known := range []Severity{Error, Warning, Notice} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("%q is no severity", text)
}

// Position is a place in a file. Line and Column count from 1 (Column in
// bytes); 0 means unknown.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, as editors expect.
func (p Position) String() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Problem is one problem, with all that an operator needs to fix it. Text,
// JSON, journal and exit status all come from this record, so they cannot
// disagree.
type Problem struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Subject is what the problem is about: an instance, a unit, a model, a
	// URL. Empty if there is a Position.
	Subject string `json:"subject,omitempty"`
	// Position is the place in a file, if there is one.
	Position *Position `json:"position,omitempty"`
	// Message is one sentence: lowercase, no full stop.
	Message string `json:"message"`
	// Seen and Expected are the evidence: what was found, and what was
	// expected.
	Seen     string `json:"seen,omitempty"`
	Expected string `json:"expected,omitempty"`
	// Fix is how to fix it.
	Fix Fix `json:"fix"`
}

// New returns an error without evidence.
func New(code Code, subject, message string, fix Fix) Problem {
	return Problem{Code: code, Subject: subject, Message: message, Fix: fix}
}

// Found returns the error that something was seen where something else was expected.
func Found(code Code, subject, message, seen, expected string, fix Fix) Problem {
	return Problem{Code: code, Subject: subject, Message: message, Seen: seen, Expected: expected, Fix: fix}
}

// As returns the problem with another severity.
func (p Problem) As(s Severity) Problem {
	p.Severity = s
	return p
}

// At returns the problem at a place in a file; a line or column of 0 is unknown.
func (p Problem) At(file string, line, column int) Problem {
	p.Position = &Position{file, line, column}
	return p
}

// String returns "CODE: where: message" on one line.
func (p Problem) String() string {
	parts := []string{string(p.Code)}
	if p.Position != nil && p.Position.File != "" {
		parts = append(parts, p.Position.String())
	}
	if p.Subject != "" {
		parts = append(parts, p.Subject)
	}
	return Clean(strings.Join(append(parts, p.Message), ": "))
}

// Status returns the exit status for this problem. An error is never ready, whatever
// its code is elsewhere.
func (p Problem) Status() Status {
	switch status := p.Code.Status(); {
	case p.Severity != Error:
		return StatusReady
	case status == StatusReady:
		return StatusInternal
	default:
		return status
	}
}

// StatusOf returns the exit status of a list: that of its first error.
func StatusOf(problems []Problem) Status {
	for _, p := range problems {
		if p.Severity == Error {
			return p.Status()
		}
	}
	return StatusReady
}

// Errors returns the problems that shut a gate.
func Errors(problems []Problem) []Problem {
	return lists.Filter(problems, func(p Problem) bool { return p.Severity == Error })
}

// AtWorst changes problems so that none is worse than a severity, and returns them.
func AtWorst(problems []Problem, s Severity) []Problem {
	for i := range problems {
		problems[i].Severity = max(problems[i].Severity, s)
	}
	return problems
}

// GatesOff is the warning that justnews.gate=off opens all gates. It is
// reported by the generator, by a gate and by preflight.
func GatesOff(subject, evidence string) Problem {
	return Found(GateOff, subject, "the gates are switched off on the kernel command line: nothing is checked",
		evidence, "", Advise("remove justnews.gate=off from the kernel command line and boot again")).As(Warning)
}

// Code identifies one kind of problem and never changes. Scripts, journal
// queries and the manual depend on it.
type Code string

// kind is the part of a code's entry that the programs need; its texts are in package
// catalogue.
type kind struct {
	code      Code
	area      string // heading of its findings
	status    Status // exit status of a gate that refuses with it
	messageID string // MESSAGE_ID in the journal, 32 hexadecimal digits
}

func (c Code) kind() kind {
	for _, k := range kinds {
		if k.code == c {
			return k
		}
	}
	return kind{area: "this run", status: StatusInternal}
}

// Known reports whether the catalogue has the code.
func (c Code) Known() bool { return c.kind().code != "" }

// Status returns the exit status of a problem with this code: 70 for a code that is not in
// the catalogue, so that a forgotten entry still blocks.
func (c Code) Status() Status { return c.kind().status }

// Area returns the heading of a code's findings.
func (c Code) Area() string { return c.kind().area }

// MessageID returns the MESSAGE_ID of a code's messages in the journal, or "" for a code
// that is not in the catalogue.
func (c Code) MessageID() string { return c.kind().messageID }

// Codes returns every code, in the order of the manual.
func Codes() []Code {
	return lists.Map(kinds, func(k kind) Code { return k.code })
}

// Texts is the catalogue's file. Package catalogue reads it.
//
//go:embed catalogue.toml
var Texts string

// Status is an exit status of justnews-gate. The numbers never change: units,
// scripts and the manual depend on them. From 64 on they are those of
// sysexits.h, so that systemctl prints their names (status=78/CONFIG).
type Status int

// The exit statuses, in one place.
const (
	StatusReady           Status = 0  // everything that was checked is ready
	StatusFailed          Status = 1  // models failed to load, or critical findings
	StatusWarnings        Status = 2  // preflight: warnings only
	StatusUsage           Status = 64 // the command line is wrong
	StatusStoreCorrupt    Status = 65 // Model Store: content does not match its manifest
	StatusStoreIncomplete Status = 66 // Model Store: something is missing
	StatusUnavailable     Status = 69 // orchestrator, bus or another need is unreachable
	StatusInternal        Status = 70 // a bug, or a failure of the machine
	StatusGPU             Status = 71 // GPU or MPS is not operational
	StatusTimeout         Status = 75 // the deadline was reached while still progressing
	StatusNonsense        Status = 76 // a response is invalid
	StatusPermission      Status = 77 // the caller lacks permission
	StatusConfig          Status = 78 // the configuration is broken

	StatusInterrupted Status = 130 // Ctrl-C ended a run by hand, as in shells; never in a unit
)

// Statuses lists every exit status with its meaning, in numerical order. The
// help text and the manual print this table.
func Statuses() []StatusMeaning {
	return []StatusMeaning{
		{StatusReady, "ready"},
		{StatusFailed, "models failed to load, or critical findings"},
		{StatusWarnings, "warnings only (preflight)"},
		{StatusUsage, "usage: the command line is wrong"},
		{StatusStoreCorrupt, "the Model Store is corrupt"},
		{StatusStoreIncomplete, "the Model Store is incomplete"},
		{StatusUnavailable, "the orchestrator, the bus or a need is unreachable"},
		{StatusInternal, "internal error"},
		{StatusGPU, "GPU or MPS is not operational"},
		{StatusTimeout, "timeout while still progressing"},
		{StatusNonsense, "invalid response"},
		{StatusPermission, "permission denied"},
		{StatusConfig, "the configuration is broken"},
		{StatusInterrupted, "interrupted by Ctrl-C"},
	}
}

// StatusMeaning is one row of the table of exit statuses.
type StatusMeaning struct {
	Status  Status
	Meaning string
}
