// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

// noUID is the property UID of a unit without a known user (UID_INVALID): it
// was never started, or has no User=.
const noUID = math.MaxUint32

// uidOf determines the user of a unit's processes, nil if unknown. No name is
// looked up: User= may name a dynamic user, or one of a directory service that
// a static binary cannot query. The kernel's answer comes first (a main process
// may drop its privileges), then that of systemd, which resolved the name when
// it started the unit. ProtectProc= can hide the process.
func (c *Conn) uidOf(u facts.Unit, property uint32) *int {
	if u.MainPID > 0 {
		if uid, ok := c.uidOfPID(u.MainPID); ok {
			return &uid
		}
	}
	if property != noUID {
		return new(int(property))
	}
	if u.User == "" {
		// Only for a loaded unit does no User= mean root.
		if u.LoadState != "loaded" || !strings.HasSuffix(u.Name, ".service") {
			return nil
		}
		return new(int)
	}
	if uid, err := strconv.ParseUint(u.User, 10, 31); err == nil {
		return new(int(uid))
	}
	return nil
}

// uidOfPID reads the effective UID of a process. The owner of /proc/PID would
// be root for a process that is not dumpable.
func (c *Conn) uidOfPID(pid int) (int, bool) {
	text, err := os.ReadFile(filepath.Join(c.root, "/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		fields := strings.Fields(rest) // real, effective, saved, file system
		if len(fields) != 4 {
			return 0, false
		}
		uid, err := strconv.Atoi(fields[1])
		return uid, err == nil
	}
	return 0, false
}
