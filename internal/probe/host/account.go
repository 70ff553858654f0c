// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/facts"
)

// serviceGroup is in SupplementaryGroups= of all of our units.
const serviceGroup = "justnews"

// Account looks up User= and Group= of one of our units; below a root, in its
// files. If the root has no such files, every account is taken to exist.
func (h Host) Account(name, group string) facts.Account {
	if h.Root == "" {
		return account(name, group)
	}
	a := facts.Account{User: name, Group: group}
	switch {
	case !h.listed("/etc/passwd", name):
		a.Err = "there is no user " + strconv.Quote(name)
	case group != "" && !h.listed("/etc/group", group):
		a.Err = "there is no group " + strconv.Quote(group)
	}
	return a
}

// listed reports whether a file in the format of passwd(5) or group(5) has a
// name or a number, or does not exist.
func (h Host) listed(file, name string) bool {
	text, err := os.ReadFile(h.path(file))
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && (fields[0] == name || fields[2] == name) {
			return true
		}
	}
	return false
}

func account(name, group string) facts.Account {
	a := facts.Account{User: name, Group: group}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			a.Err = "there is no user " + strconv.Quote(name)
			return a
		}
	}
	a.UID, _ = strconv.Atoi(u.Uid)
	gids := []string{u.Gid}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			if g, err = user.LookupGroupId(group); err != nil {
				a.Err = "there is no group " + strconv.Quote(group)
				return a
			}
		}
		gids = []string{g.Gid}
	}
	more, _ := u.GroupIds()
	if g, err := user.LookupGroup(serviceGroup); err == nil {
		more = append(more, g.Gid)
	}
	for _, id := range append(gids, more...) {
		if gid, err := strconv.Atoi(id); err == nil && !slices.Contains(a.GIDs, gid) {
			a.GIDs = append(a.GIDs, gid)
		}
	}
	return a
}
