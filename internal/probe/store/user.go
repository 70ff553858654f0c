// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"justnews/internal/account"
	"justnews/internal/asuser"
	"justnews/internal/facts"
	"justnews/internal/safefile"
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

// Denial returns the first component of a path that this process cannot access,
// nil if there is none.
func Denial(path string) *facts.StoreDenial {
	self := Self()
	if f := self.reach(path); f != nil {
		return f.Denial
	}
	return nil
}

// reach returns why the user cannot access a path, nil if it can be opened for
// reading (a directory: listed). It must run as the user.
func (u User) reach(path string) *facts.StoreFault {
	// Only files and directories are opened, since anything else may be a
	// device.
	info, err := safefile.Stat(path)
	switch {
	case err != nil:
	case info.Mode.IsDir():
		var dir *os.File
		if dir, err = safefile.OpenDir(path); err == nil {
			_ = dir.Close()
		}
	default:
		var f *safefile.File
		if f, err = safefile.Open(path, 0); err == nil {
			_ = f.Close()
		}
	}
	if err == nil {
		return nil
	}
	return u.explain(path, err)
}

// explain turns the error of an open or a stat into the fault behind it.
func (u User) explain(path string, err error) *facts.StoreFault {
	fault := &facts.StoreFault{Kind: facts.Unreadable, Path: path, Detail: plain(err), Leads: safefile.Leads(path, os.Readlink)}
	switch {
	case errors.Is(err, safefile.ErrNotRegular):
		fault.Kind, fault.Detail = facts.Odd, ""
	case errors.Is(err, fs.ErrPermission):
		fault.Kind, fault.Denial = facts.Denied, u.denial(path)
	case errors.Is(err, unix.ELOOP):
		fault.Kind = facts.Dangling
	case errors.Is(err, fs.ErrNotExist):
		fault.Kind, fault.Detail = facts.Absent, ""
		if target, err := os.Readlink(path); err == nil {
			fault.Kind, fault.Target = facts.Dangling, target
		}
	case errors.Is(err, unix.ENOTDIR):
		fault.Kind = facts.Absent
	}
	return fault
}

// plain is an error without the path, which is reported separately.
func plain(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// denial returns the component of a path, through links, to which access is denied.
func (u User) denial(path string) *facts.StoreDenial {
	at, _, err := safefile.Follow(path, os.Readlink)
	switch {
	case err == nil:
		return u.measure(at, "r")
	case errors.Is(err, fs.ErrPermission):
		return u.measure(at, "x")
	}
	return nil
}

// measure reads the permissions in the way. Reading a directory requires
// listing and searching it.
func (u User) measure(path, needs string) *facts.StoreDenial {
	d := &facts.StoreDenial{Path: path, Needs: needs}
	info, err := safefile.Stat(path)
	if err != nil {
		return d
	}
	d.Mode, d.UID, d.GID = safefile.Bits(info.Mode), info.UID, info.GID
	d.Dir = info.Mode.IsDir()
	if d.Dir && needs == "r" {
		d.Needs = "rx"
	}
	d.Class = u.class(d.UID, d.GID)
	d.Allowed = d.Mode>>shift(d.Class)&bits(d.Needs) == bits(d.Needs)
	size, err := unix.Getxattr(path, "system.posix_acl_access", nil) // absent if the mode bits are all there is
	d.ACL = err == nil && size > 0
	return d
}

func shift(class string) uint32 {
	switch class {
	case "owner":
		return 6
	case "group":
		return 3
	}
	return 0
}

func bits(needs string) uint32 {
	var b uint32
	if strings.Contains(needs, "r") {
		b |= 4
	}
	if strings.Contains(needs, "x") {
		b |= 1
	}
	return b
}
