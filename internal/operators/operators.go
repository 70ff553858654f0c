// SPDX-License-Identifier: Apache-2.0

// Package operators grants or revokes what allows a user to operate JustNews
// without a password: membership in the group of the polkit rule, and on
// request a sudo rule for read-only commands as root. Host.Look collects the
// facts, Plan judges them and is pure, Host.Do executes one step. Steps that
// would not change anything are planned as such, so that a second run does
// nothing.
package operators

import (
	"io/fs"
	"strings"
)

// Request is what was requested. The zero value revokes everything.
type Request struct {
	User    string
	Install bool // otherwise everything is revoked
	Sudoers bool // with Install: the sudo rule as well
	DryRun  bool // nothing will be done, so that nobody has to be root
}

// Verb is the subcommand that asks for it.
func (r Request) Verb() string {
	if r.Install {
		return "install"
	}
	return "uninstall"
}

// Kind is the kind of a step. The zero value does nothing.
type Kind int

// The kinds of steps.
const (
	None   Kind = iota // nothing has to be done
	Run                // run Command
	Write              // write Text to Path
	Remove             // remove Path
)

// Step is one change, or why none is needed.
type Step struct {
	State   string   `json:"state"` // unneeded, planned, done, failed, skipped
	Why     string   `json:"why"`   // one sentence: what it is for, or why nothing is done
	Command []string `json:"command,omitempty"`
	Path    string   `json:"path,omitempty"`
	Text    string   `json:"text,omitempty"`

	Kind Kind   `json:"-"`
	For  string `json:"-"` // with Text: the user that sudo must list the rule for then
}

// String is the change in one line.
func (s Step) String() string {
	switch s.Kind {
	case Run:
		return strings.Join(s.Command, " ")
	case Write:
		return "write " + s.Path + " (0440 root:root)"
	case Remove:
		return "rm " + s.Path
	case None:
	}
	return s.Why
}

// Facts is what has to be known about a host before it is changed. A
// question without an answer carries the reason; it is never a "no".
type Facts struct {
	Root  bool // the caller's effective user
	User  Entry
	Group Entry
	// Agents is the group of the agents, and Services the users that agents, the
	// orchestrator or NVIDIA MPS run as.
	Agents   Entry
	Services []Entry
	// Member: the user database has the user in the group.
	Member bool

	Gpasswd, Usermod string // paths, "" where there is none

	// Rules are the polkit rules of that name, the one that polkit reads first.
	Rules           []string
	Sudo            Sudo
	DropIn, OldRule TextFile
	// Program is the program of the sudo rule and every directory above it,
	// from the program upward.
	Program []PathOwner
}

// Entry is one entry of the user or the group database.
type Entry struct {
	Name    string
	Found   bool
	UID     int // of a user
	GID     int
	Members []string // of a group
	Why     string   // the database cannot be asked
}

// Sudo is the sudo of a host.
type Sudo struct {
	Path, Visudo string // "" where there is none
	// Version is the version from sudo -V, as "1.9.13p3"; empty if there is none
	// (sudo-rs).
	Version string
	Said    string // its first line
}

// TextFile is a file that may not be there.
type TextFile struct {
	Path   string
	Exists bool
	Text   string
	Why    string // it cannot be read, or not be looked for
}

// PathOwner has the owner and mode that determine who could replace a path.
type PathOwner struct {
	Path string
	Mode fs.FileMode
	UID  int
	Why  string // it cannot be examined
}
