// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os/user"
	"slices"
	"strconv"

	"justnews/internal/facts"
)

// serviceGroup is in SupplementaryGroups= of every unit of ours.
const serviceGroup = "justnews"

// Account looks up User= and Group= of a unit of ours.
func Account(name, group string) facts.Account {
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
