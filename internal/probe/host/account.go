// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/account"
	"justnews/internal/facts"
)

// serviceGroup is in SupplementaryGroups= of all of our units.
const serviceGroup = "justnews"

// Account looks up User= and Group= of one of our units; below a root, in its
// files. If the root has no such files, every account is taken to exist.
func (h Host) Account(name, group string) facts.Account {
	if h.Root == "" {
		return accountOf(name, group)
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

// lastSystemUID is SYSTEM_UID_MAX of systemd as distributions build it.
const lastSystemUID = 999

func accountOf(name, group string) facts.Account {
	a := facts.Account{User: name, Group: group}
	host := account.Host{}
	u, err := host.User(name)
	if err != nil {
		a.Err = unknown("user", name, err)
		return a
	}
	_, err = os.Stat("/var/lib/systemd/linger/" + u.Name)
	a.KeepsIPC = err == nil || u.UID <= lastSystemUID
	a.UID, a.GIDs, a.Home = u.UID, u.GIDs, u.Home
	if group != "" {
		gid, err := host.Group(group)
		if err != nil {
			a.Err = unknown("group", group, err)
			return a
		}
		a.GIDs = append([]int{gid}, slices.DeleteFunc(a.GIDs, func(id int) bool { return id == gid || id == u.GIDs[0] })...)
	}
	if gid, err := host.Group(serviceGroup); err == nil && !slices.Contains(a.GIDs, gid) {
		a.GIDs = append(a.GIDs, gid)
	}
	return a
}

func unknown(what, name string, err error) string {
	if errors.Is(err, account.ErrUnknown) {
		return "there is no " + what + " " + strconv.Quote(name)
	}
	return err.Error()
}
