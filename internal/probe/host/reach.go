// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"justnews/internal/account"
	"justnews/internal/asuser"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// Reach tests whether a user can access a path, and returns the first component
// that cannot be accessed. Trying it covers modes, ACLs, mount options and
// security modules. Only root can try as another user.
func (h Host) Reach(as facts.Account, path string, want facts.Access) facts.Reach {
	r := facts.Reach{Path: path, User: as.User}
	if err := asuser.Do(as.UID, as.GIDs, func() { h.try(&r, path, want) }); err != nil {
		r.Known, r.Detail = false, err.Error()
	}
	return r
}

// try walks down to the path, as the user of this thread.
func (h Host) try(r *facts.Reach, path string, want facts.Access) {
	r.Known, r.At = true, path
	r.Leads = safefile.Leads(path, func(p string) (string, error) { return os.Readlink(h.path(p)) })
	parts := strings.Split(strings.Trim(filepath.Clean(path), "/"), "/")
	for i := range parts {
		at := "/" + filepath.Join(parts[:i+1]...)
		last := i == len(parts)-1
		err := unix.Faccessat(unix.AT_FDCWD, h.path(at), mode(want, last), unix.AT_EACCESS)
		switch {
		case err == nil:
		case errors.Is(err, fs.ErrNotExist) && want == facts.Write:
			// systemd or the program creates it, so the parent decides.
			r.At = filepath.Dir(at)
			err = unix.Faccessat(unix.AT_FDCWD, h.path(r.At), unix.W_OK|unix.X_OK, unix.AT_EACCESS)
			r.OK, r.Detail = err == nil, reason(err)
			return
		default:
			r.At, r.Detail = at, reason(err)
			return
		}
	}
	info, err := os.Stat(h.path(path))
	switch {
	case err != nil:
		r.Detail = reason(err)
	case (want == facts.Run || want == facts.Read) && info.IsDir():
		r.Detail = "is a directory"
	case want != facts.Run && want != facts.Read && !info.IsDir():
		r.Detail = "is not a directory"
	default:
		r.OK = true
	}
}

// mode is what access(2) must allow: search for each parent, and what is wanted
// for the path.
func mode(want facts.Access, last bool) uint32 {
	switch {
	case last && want == facts.Write:
		return unix.W_OK | unix.X_OK
	case last && want == facts.Read:
		return unix.R_OK
	}
	return unix.X_OK
}

func reason(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, unix.EROFS):
		return "read-only file system"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	default:
		return err.Error()
	}
}

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
		a.Err, a.Unasked = unknown("user", name, err)
		return a
	}
	_, err = os.Stat("/var/lib/systemd/linger/" + u.Name)
	a.KeepsIPC = err == nil || u.UID <= lastSystemUID
	a.UID, a.GIDs, a.Home = u.UID, u.GIDs, u.Home
	if group != "" {
		gid, err := host.Group(group)
		if err != nil {
			a.Err, a.Unasked = unknown("group", group, err)
			return a
		}
		a.GIDs = append([]int{gid}, slices.DeleteFunc(a.GIDs, func(id int) bool { return id == gid || id == u.GIDs[0] })...)
	}
	if gid, err := host.Group(serviceGroup); err == nil && !slices.Contains(a.GIDs, gid) {
		a.GIDs = append(a.GIDs, gid)
	}
	return a
}

func unknown(what, name string, err error) (why string, unasked bool) {
	if errors.Is(err, account.ErrUnknown) {
		return "there is no " + what + " " + strconv.Quote(name), false
	}
	return err.Error(), true
}
