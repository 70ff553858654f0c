// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// User is who has to be able to read the store.
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

// LookupUser finds a user of this host, with the groups that a service gets
// which runs as that user with these groups besides. Names are looked up in
// /etc/passwd and /etc/group.
func LookupUser(name, group string, besides ...string) (User, error) {
	found, err := user.Lookup(name)
	if err != nil {
		if found, err = user.LookupId(name); err != nil {
			return User{}, fmt.Errorf("cannot find the user %q: %w", name, err)
		}
	}
	u := User{Name: found.Username}
	if u.UID, err = strconv.Atoi(found.Uid); err != nil {
		return User{}, fmt.Errorf("cannot use the user %q: %w", name, err)
	}
	ids, _ := found.GroupIds()
	primary := found.Gid
	if g, err := user.LookupGroup(group); err == nil {
		primary = g.Gid
	}
	ids = append([]string{primary}, ids...)
	for _, extra := range besides {
		if g, err := user.LookupGroup(extra); err == nil {
			ids = append(ids, g.Gid)
		}
	}
	for _, id := range ids {
		if gid, err := strconv.Atoi(id); err == nil && !slices.Contains(u.GIDs, gid) {
			u.GIDs = append(u.GIDs, gid)
		}
	}
	return u, nil
}

// stamp identifies a user with its groups, for what is remembered of files.
func (u User) stamp() uint64 {
	h := fnv.New64a()
	groups := slices.Clone(u.GIDs)
	slices.Sort(groups)
	fmt.Fprint(h, u.UID, slices.Compact(groups))
	return h.Sum64()
}

// errNotRoot is wrapped where this process cannot act as another user.
var errNotRoot = errors.New("only root can try as another user")

// do calls f with the file permissions of the user. To try beats to compute:
// modes, ACLs, mount options and security modules are all asked.
//
// setfsuid(2) is of one thread, so that f must not go on in other goroutines;
// the thread ends with it. The kernel takes root's capabilities over files away
// with the change.
func (u User) do(f func()) error {
	if u.UID == os.Geteuid() {
		f()
		return nil
	}
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := u.become()
		if err == nil {
			f()
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		return fmt.Errorf("cannot try as the user %s: %w", u.Name, err)
	}
	return nil
}

// become changes the calling thread. Go's own Setgroups would change all
// threads of the process.
func (u User) become() error {
	groups := make([]uint32, len(u.GIDs))
	for i, gid := range u.GIDs {
		groups[i] = uint32(gid) //nolint:gosec // a group's id
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0) //nolint:gosec // the call takes an array
	if errno != 0 {
		return errno
	}
	if len(u.GIDs) > 0 {
		_, _ = unix.SetfsgidRetGid(u.GIDs[0])
	}
	_, _ = unix.SetfsuidRetUid(u.UID)
	// These calls return the former value and no error: ask again.
	if now, _ := unix.SetfsuidRetUid(-1); now != u.UID {
		return unix.EPERM
	}
	return nil
}

// class tells whose permission bits decide for the user.
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
