// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// deniedAt is the path to which access is denied: all files below one directory
// are one problem.
func deniedAt(f facts.StoreFault) string {
	if f.Denial == nil {
		return f.Path
	}
	if f.Denial.Dir {
		return f.Denial.Path
	}
	return filepath.Dir(f.Denial.Path)
}

// denied judges denied access. It is an error only if the orchestrator's own user
// was denied; any other user merely cannot check.
func (j *judge) denied(f facts.StoreFault, lost string) diag.Problem {
	d := f.Denial
	if d == nil {
		d = &facts.StoreDenial{Path: f.Path, Needs: "r"}
	}
	if !j.look.AsLoader() {
		return j.unseen(f, *d)
	}
	return diag.Found(diag.StorePermission, diag.Clean(d.Path), fmt.Sprintf("the user %s may not %s this %s: %s", j.look.User, verb(*d), thing(*d), lost),
		diag.Clean(fmt.Sprintf("%s, needed for %s", modeOf(*d), f.Path)), fmt.Sprintf("%s for %s", d.Needs, cmp.Or(d.Class, "the user")),
		letIn(*d, j.look.User, j.look.Root))
}

// unseen is the problem of a caller that may not read the store and does not load
// the models.
func (j *judge) unseen(f facts.StoreFault, d facts.StoreDenial) diag.Problem {
	p := diag.Found(diag.StorePermission, diag.Clean(d.Path), fmt.Sprintf("%s may not %s this %s, so it is unknown whether %s may", j.look.User, verb(d), thing(d), j.look.Loader),
		diag.Clean(fmt.Sprintf("%s, needed for %s", modeOf(d), f.Path)), "a run as root or as "+j.look.Loader,
		diag.Do(diag.Run("sudo", "justnews-gate", "models", "verify"))).As(diag.Warning)
	if j.want.Thorough {
		p.Severity = diag.Error
	}
	return p
}

func verb(d facts.StoreDenial) string {
	switch d.Needs {
	case "x":
		return "search"
	case "rx":
		return "list"
	default:
		return "read"
	}
}

func thing(d facts.StoreDenial) string {
	if d.Dir {
		return "directory"
	}
	return "file"
}

func modeOf(d facts.StoreDenial) string {
	s := fmt.Sprintf("mode %04o, owner %d:%d", d.Mode, d.UID, d.GID)
	if d.ACL {
		return s + ", with an access control list"
	}
	s += ", the bits of " + cmp.Or(d.Class, "others") + " decide"
	if d.Allowed {
		s += " and allow it: a security module or a mount denies it"
	}
	return s
}

// classes are the letters of chmod(1).
var classes = map[string]string{"owner": "u", "group": "g"}

// letIn returns the command that grants access to the class of the user: search
// permission on a directory above the store, or everything from a path below its
// root on, since a copy with the wrong mode has it at every level.
func letIn(d facts.StoreDenial, user, root string) diag.Fix {
	class := classes[d.Class]
	inside := strings.HasPrefix(d.Path, strings.TrimSuffix(root, "/")+"/") && root != ""
	switch {
	case hidden(d):
		return diag.Advise(`set protect_home = "read-only" in [service] of /etc/justnews/justnews.toml`, diag.Reload())
	case d.ACL && user != "":
		return diag.Do(setfacl(d, user, inside), diag.Retry())
	case d.Allowed:
		return diag.Advise("find out what denies the access", diag.Retry()).Looking(diag.Namei(d.Path), diag.Run("journalctl", "-k", "-g", "denied"))
	case d.Dir && inside:
		return diag.Do(diag.Run("chmod", "-R", cmp.Or(class, "o")+"+rX", "--", d.Path), diag.Retry())
	case d.Dir:
		return diag.Do(diag.Run("chmod", cmp.Or(class, "o")+"+"+d.Needs, "--", d.Path), diag.Retry())
	default:
		// The files next to it were probably copied with the same mode.
		return diag.Do(diag.Run("chmod", "-R", cmp.Or(class, "o")+"+rX", "--", filepath.Dir(d.Path)), diag.Retry())
	}
}

// setfacl adds or extends the user's entry of an access control list.
func setfacl(d facts.StoreDenial, user string, inside bool) diag.Command {
	if inside {
		return diag.Run("setfacl", "-R", "-m", "u:"+user+":rX", "--", d.Path)
	}
	return diag.Run("setfacl", "-m", "u:"+user+":"+d.Needs, "--", d.Path)
}

// hidden reports whether ProtectHome= denies access: systemd mounts an inaccessible
// directory over these.
func hidden(d facts.StoreDenial) bool {
	return d.Mode&0o777 == 0 && (d.Path == "/home" || d.Path == "/root" || strings.HasPrefix(d.Path, "/run/user"))
}
