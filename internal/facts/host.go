// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"strings"

	"justnews/internal/lists"
)

// Account is a user of this host with the groups of a service of that user.
type Account struct {
	Home        string // "" where it is not known
	User, Group string // as they were looked up
	UID         int
	GIDs        []int  // the primary one first
	KeepsIPC    bool   // logind removes nothing of it: a system user, or one who lingers
	Err         string // why it does not exist, "": it exists
	Unasked     bool   // whether it exists is not known, and Err says why
}

// Access is the kind of access to a path.
type Access string

// The kinds of access, as systemd and a program need them.
const (
	Run   Access = "run"   // execute a file
	Read  Access = "read"  // read a file
	Enter Access = "enter" // use a directory as the working directory
	Write Access = "write" // create files in a directory, or in the first existing parent
)

// Reach is whether a user can access a path. The zero value is unknown.
type Reach struct {
	Path   string
	Leads  string // where it leads through links, "": not known
	User   string
	Known  bool
	OK     bool   // only valid if Known
	At     string // the component at fault
	Detail string // what is wrong with it, or why it is unknown
}

// Space is the free space of a file system.
type Space struct {
	Path     string // the requested path
	At       string // the nearest directory that exists
	Free     uint64 // bytes, for users other than root
	Inodes   uint64 // free ones
	NoInodes bool   // the file system has no fixed number of them
	Device   uint64
	Err      string
}

// Limits are those of the host.
type Limits struct {
	Swap      uint64 // total bytes
	SwapKnown bool
	OpenMax   uint64 // fs.nr_open, 0: unknown
	TmpNoexec bool   // of /tmp
	RemoveIPC bool   // logind removes what a user left in /dev/shm
}

// Process is one process that holds a port.
type Process struct {
	PID  int
	Name string // comm
	Unit string // "": none, or unknown
}

// Port is what listens on a TCP port. Known is false if that could not be determined.
type Port struct {
	Port      int
	Known     bool
	UIDs      []int     // owners of the listening sockets, sorted, no duplicates
	Processes []Process // as far as this user may see them
}

// Database is one address from an environment, tried once.
type Database struct {
	Name    string // of the variable
	Where   string // file or unit that sets it
	Address string // HOST:PORT, several separated by commas; without user and password
	Bad     string // why the value cannot be used, "": it can
	Down    string // why it does not answer, "": it does
}

// Rival is something besides our units that starts instances or replaces their
// template: it would undo what was configured.
type Rival struct {
	Path   string   // of the unit's file, or of cron's
	Unit   string   // "" where it is no unit
	Does   string   // in words
	By     string   // the file in which that was found
	Gated  bool     // what it starts still passes the gates
	Active bool     // enabled, or started without being so
	Also   []string // enabled units that start it: a timer, instances of a template
}

// Units returns the units to disable and stop, none where the rival is not a unit. A
// template has no process to stop: see Template.
func (r Rival) Units() []string {
	switch template := r.Template(); {
	case template != "":
		return lists.Filter(r.Also, func(unit string) bool { return !strings.HasPrefix(unit, template+"@") })
	case r.Unit == "":
		return nil
	}
	return append([]string{r.Unit}, r.Also...)
}

// Template returns the part of a template's name before the "@", "" where it is none.
func (r Rival) Template() string {
	if name, ok := strings.CutSuffix(r.Unit, "@.service"); ok {
		return name
	}
	return ""
}

// UnitFile is a unit file or drop-in that is not from our packages.
type UnitFile struct {
	Path   string
	Dir    string // "justnews@scout.service.d", "" for a unit's own file
	Name   string
	Null   bool     // a link to /dev/null, or empty: it masks
	Keys   []string // of its settings, in their order
	Broken []UnitFault
}

// UnitFault is a line that systemd drops; with Rest also everything after it.
type UnitFault struct {
	Line   int
	Reason string
	Rest   bool
}

// Generated is what the generator has written, compared with what it would write now.
type Generated struct {
	There    bool     // there is a file of it
	Outdated []string // paths of files that are missing, superfluous or different, sorted
}

// Registration is what the MCP bus answers to GET /agents.
type Registration struct {
	Answer

	Agents []string // names
}

// Memory are the kernel's memory figures, in bytes; -1 if unknown.
type Memory struct {
	Total     int64
	Available int64 // without swapping
	SwapTotal int64
	SwapFree  int64
	// Kills is how many processes were killed for memory since boot, on the
	// whole machine; GroupKills, in the given control group.
	Kills      int64
	GroupKills int64
	GroupLimit int64 // -1 also for no limit
}
