// SPDX-License-Identifier: Apache-2.0

package operators

import "io/fs"

// Operators is what nopasswd has to know of a host before it changes anything.
// A question without an answer carries the reason; it is never a "no".
type Operators struct {
	Root  bool // the caller's effective user
	User  UserEntry
	Group GroupEntry
	// Agents is the group of the agents, and Services the users that agents, the
	// orchestrator or NVIDIA MPS run as.
	Agents   GroupEntry
	Services []UserEntry
	// Member: the user database has the user in the group.
	Member bool

	Gpasswd string // path, "" where there is none
	Usermod string // path, "" where there is none

	// Rules are the polkit rules of that name, the one that polkit reads first.
	Rules   []string
	Sudo    Sudo
	DropIn  TextFile
	OldRule TextFile
	// Program is the program of the sudo rule and every directory above it,
	// from the program upward.
	Program []PathOwner
}

// UserEntry is one entry of the user database.
type UserEntry struct {
	Name  string
	Found bool
	UID   int
	GID   int
	Why   string // the database cannot be asked
}

// GroupEntry is one entry of the group database.
type GroupEntry struct {
	Name    string
	Found   bool
	GID     int
	Members []string
	Why     string // the database cannot be asked
}

// Sudo is the sudo of a host.
type Sudo struct {
	Path   string // "" where there is none
	Visudo string // "" where there is none
	// Version is what sudo -V says, as "1.9.13p3"; empty where it says nothing
	// of the kind (sudo-rs).
	Version string
	Said    string // its first line
}

// TextFile is a file that may not be there.
type TextFile struct {
	Path    string
	Exists  bool
	Regular bool
	Text    string
	Why     string // it cannot be read, or not be looked for
}

// PathOwner is who could replace what is at a path.
type PathOwner struct {
	Path string
	Mode fs.FileMode
	UID  int
	Why  string // it cannot be examined
}
