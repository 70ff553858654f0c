// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/user"
	"slices"
	"strconv"

	"justnews/internal/account"
	"justnews/internal/asuser"
)

// User is the user that has to be able to read the store.
type User struct {
	Name string
	UID  int
	GIDs []int // all groups, the first is the primary one
}

// Self is the user of this process.
func Self() User {
	u := User{Name: strconv.Itoa(os.Geteuid()), UID: os.Geteuid(), GIDs: []int{os.Getegid()}}
	if found, err := user.LookupId(u.Name); err == nil {
		u.Name = found.Username
	}
	if groups, err := os.Getgroups(); err == nil {
		u.GIDs = append(u.GIDs, groups...)
	}
	return u
}

// LookupUser finds a user of this host, with the groups of a service that runs
// as that user with these supplementary groups.
func LookupUser(name, group string, besides ...string) (User, error) {
	host := account.Host{}
	found, err := host.User(name)
	if err != nil {
		return User{}, fmt.Errorf("cannot find the user %q: %w", name, err)
	}
	u := User{Name: found.Name, UID: found.UID}
	if gid, err := host.Group(group); err == nil {
		u.GIDs = []int{gid}
	}
	u.GIDs = append(u.GIDs, found.GIDs...)
	for _, extra := range besides {
		if gid, err := host.Group(extra); err == nil {
			u.GIDs = append(u.GIDs, gid)
		}
	}
	return u, nil
}

// stamp identifies a user with its groups, for stored results.
func (u User) stamp() uint64 {
	h := fnv.New64a()
	groups := slices.Clone(u.GIDs)
	slices.Sort(groups)
	fmt.Fprint(h, u.UID, slices.Compact(groups))
	return h.Sum64()
}

// do calls f with the file permissions of the user.
func (u User) do(f func()) error {
	err := asuser.Do(u.UID, u.GIDs, f)
	if err != nil && !errors.Is(err, asuser.ErrNotRoot) {
		return fmt.Errorf("cannot try as the user %s: %w", u.Name, err)
	}
	return err
}

// class returns which permission bits apply to the user.
func (u User) class(uid, gid int) string {
	switch {
	case uid == u.UID:
		return "owner"
	case slices.Contains(u.GIDs, gid):
		return "group"
	default:
		return "others"
	}
}
