// SPDX-License-Identifier: Apache-2.0

// Package account finds users and groups as this host has them. Our programs are
// static, so os/user knows /etc/passwd and /etc/group alone; where nsswitch.conf
// names other sources (sssd, LDAP, altfiles, systemd's userdb), getent(1) asks
// them.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrUnknown means that no source has the user or group.
var ErrUnknown = errors.New("there is none")

// patience is how long one question may take: a directory service that does not
// answer must not hold a gate.
const patience = 2 * time.Second

// User is an account.
type User struct {
	Name string
	UID  int
	GIDs []int // the primary group first
	Home string
}

// Host is where accounts are looked up. The zero value is this host.
type Host struct {
	Getent   string // path of getent(1); "": where Debian and Fedora have it
	Switch   string // path of nsswitch.conf; "": /etc/nsswitch.conf
	Patience time.Duration
}

// User finds an account by its name or number. The error is ErrUnknown, or why a
// source could not be asked.
func (h Host) User(name string) (User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		if u, err = h.passwd(name); err != nil {
			return User{}, err
		}
	}
	found := User{Name: u.Username, Home: u.HomeDir}
	if found.UID, err = strconv.Atoi(u.Uid); err != nil {
		return User{}, fmt.Errorf("the UID %q is no number", u.Uid)
	}
	ids, _ := u.GroupIds()
	found.GIDs = Numbers(append([]string{u.Gid}, ids...)...)
	if more, err := h.initgroups(u.Username); err == nil {
		found.GIDs = slices.Concat(found.GIDs, slices.DeleteFunc(more, func(id int) bool { return slices.Contains(found.GIDs, id) }))
	}
	return found, nil
}

// Group finds the number of a group by its name or number.
func (h Host) Group(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		g, err = user.LookupGroupId(name)
	}
	if err == nil {
		return strconv.Atoi(g.Gid)
	}
	fields, err := h.ask("group", name)
	if err != nil {
		return 0, err
	}
	if len(fields) < 3 {
		return 0, fmt.Errorf("getent group %s: invalid response", name)
	}
	return strconv.Atoi(fields[2])
}

// Numbers are the ids that are numbers, each once.
func Numbers(ids ...string) []int {
	var all []int
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

func (h Host) passwd(name string) (*user.User, error) {
	fields, err := h.ask("passwd", name)
	if err != nil {
		return nil, err
	}
	if len(fields) < 4 {
		return nil, fmt.Errorf("getent passwd %s: invalid response", name)
	}
	found := &user.User{Username: fields[0], Uid: fields[2], Gid: fields[3]}
	if len(fields) > 5 {
		found.HomeDir = fields[5]
	}
	return found, nil
}

// initgroups returns the groups that other sources than the files and systemd's
// own add to a user.
func (h Host) initgroups(name string) ([]int, error) {
	if !h.others("initgroups") && !h.others("group") {
		return nil, nil
	}
	fields, err := h.ask("initgroups", name)
	if err != nil {
		return nil, err
	}
	return Numbers(strings.Fields(strings.Join(fields, " "))[1:]...), nil
}

// others reports whether nsswitch.conf names a source of a database besides what
// os/user reads, and nss-systemd, which adds no groups to users of the files.
func (h Host) others(database string) bool {
	text, err := os.ReadFile(cmp.Or(h.Switch, "/etc/nsswitch.conf"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		name, sources, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != database {
			continue
		}
		return slices.ContainsFunc(strings.Fields(sources), func(source string) bool {
			return source != "files" && source != "compat" && source != "systemd" && !strings.HasPrefix(source, "[")
		})
	}
	return false
}

// ask is one question to getent. Its fields are separated by colons.
func (h Host) ask(database, name string) ([]string, error) {
	if name == "" || strings.HasPrefix(name, "-") {
		return nil, ErrUnknown
	}
	getent := h.Getent
	for _, path := range []string{"/usr/bin/getent", "/bin/getent"} {
		if _, err := os.Stat(path); getent == "" && err == nil {
			getent = path
		}
	}
	if getent == "" {
		return nil, ErrUnknown
	}
	limit := cmp.Or(h.Patience, patience)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, getent, database, name) //nolint:gosec // by absolute path, and no option
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	cmd.WaitDelay = limit / 4
	out, err := cmd.Output()
	exit, exited := errors.AsType[*exec.ExitError](err)
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("getent %s %s did not answer within %s", database, name, limit)
	case exited && exit.ExitCode() == 2: // getent(1): the key was not found
		return nil, ErrUnknown
	case err != nil:
		return nil, fmt.Errorf("getent %s %s: %w", database, name, err)
	case line == "":
		return nil, ErrUnknown
	}
	return strings.Split(line, ":"), nil
}
