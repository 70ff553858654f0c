// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

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
