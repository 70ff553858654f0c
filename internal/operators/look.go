// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/safefile"
)

// Group is the group that the polkit rule allows to start units.
const Group = "justnews-operators"

// agents is the group of every agent's process.
const agents = "justnews"

// ruleName is the file name of that rule; polkit reads the first directory that
// has it.
const ruleName = "50-justnews.rules"

var ruleDirectories = []string{"/etc/polkit-1/rules.d", "/run/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"}

// Runner runs a system tool and returns its output and exit status; err is set
// if it could not be run.
type Runner interface {
	Run(ctx context.Context, name string, args ...string) (output string, status int, err error)
}

// Prober looks at this host. Root is put before every path, for tests.
type Prober struct {
	Root   string
	Runner Runner
	EUID   int
}

// Look returns the facts about a user. The name must have passed CheckUser: it
// becomes an argument. services are the users that agents
// run as, by name or number.
func (p Prober) Look(ctx context.Context, user string, services ...string) Operators {
	f := Operators{
		Root: p.EUID == 0, User: p.user(ctx, user), Group: p.group(ctx, Group), Agents: p.group(ctx, agents),
		Gpasswd: p.tool("/usr/bin/gpasswd", "/usr/sbin/gpasswd"), Usermod: p.tool("/usr/sbin/usermod", "/usr/bin/usermod"),
		Rules: p.rules(), Sudo: p.sudo(ctx),
		DropIn:  p.text(path.Join(Directory, Name)),
		OldRule: p.text(path.Join(Directory, OldName)),
		Program: p.owners(Program),
	}
	for _, name := range services {
		f.Services = append(f.Services, p.service(ctx, name))
	}
	f.Member = f.Group.Found && (slices.Contains(f.Group.Members, user) || f.User.Found && f.User.GID == f.Group.GID)
	return f
}

// tool returns the first of these paths that is a program.
func (p Prober) tool(paths ...string) string {
	for _, name := range paths {
		if info, err := os.Stat(p.Root + name); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return name
		}
	}
	return ""
}

// entry asks one of the databases, whatever they are made of (nsswitch.conf):
// a static program cannot do it by itself.
func (p Prober) entry(ctx context.Context, database, name string) (fields []string, why string) {
	getent := p.tool("/usr/bin/getent", "/bin/getent")
	if getent == "" {
		return p.entryOfFile("/etc/"+database, name)
	}
	out, status, err := p.Runner.Run(ctx, getent, database, name)
	switch {
	case err != nil:
		return nil, err.Error()
	case status == 2: // getent(1): the key was not found
		return nil, ""
	case status != 0:
		return nil, fmt.Sprintf("%s %s %s ended with status %d", getent, database, name, status)
	}
	return strings.Split(strings.TrimSpace(out), ":"), ""
}

// entryOfFile is for a host without getent.
func (p Prober) entryOfFile(file, name string) (fields []string, why string) {
	f := p.text(file)
	for line := range strings.Lines(f.Text) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); fields[0] == name {
			return fields, ""
		}
	}
	return nil, f.Why
}

func (p Prober) user(ctx context.Context, name string) UserEntry {
	a := UserEntry{Name: name}
	fields, why := p.entry(ctx, "passwd", name)
	a.Why = why
	if len(fields) < 4 || fields[0] != name { // a number finds somebody's entry, too
		return a
	}
	uid, errU := strconv.Atoi(fields[2])
	gid, errG := strconv.Atoi(fields[3])
	if err := errors.Join(errU, errG); err != nil {
		a.Why = "its entry cannot be read: " + err.Error()
		return a
	}
	a.Found, a.UID, a.GID = true, uid, gid
	return a
}

// service is user, for who may be given by number, as User= takes it.
func (p Prober) service(ctx context.Context, name string) UserEntry {
	if uid, err := strconv.ParseUint(name, 10, 32); err == nil {
		return UserEntry{Name: name, Found: true, UID: int(uid)}
	}
	return p.user(ctx, name)
}

func (p Prober) group(ctx context.Context, name string) GroupEntry {
	g := GroupEntry{Name: name}
	fields, why := p.entry(ctx, "group", name)
	g.Why = why
	if len(fields) < 4 || fields[0] != name {
		return g
	}
	gid, err := strconv.Atoi(fields[2])
	if err != nil {
		g.Why = "its entry cannot be read: " + err.Error()
		return g
	}
	g.Found, g.GID = true, gid
	g.Members = slices.DeleteFunc(strings.Split(fields[3], ","), func(m string) bool { return m == "" })
	return g
}

func (p Prober) rules() []string {
	var found []string
	for _, dir := range ruleDirectories {
		name := path.Join(dir, ruleName)
		if _, err := os.Stat(p.Root + name); err == nil {
			found = append(found, name)
		}
	}
	return found
}

func (p Prober) sudo(ctx context.Context) Sudo {
	s := Sudo{Path: p.tool("/usr/bin/sudo", "/bin/sudo"), Visudo: p.tool("/usr/sbin/visudo", "/usr/bin/visudo", "/sbin/visudo")}
	if s.Path == "" {
		return s
	}
	out, _, err := p.Runner.Run(ctx, s.Path, "-V")
	if err != nil {
		s.Said = err.Error()
		return s
	}
	s.Said, _, _ = strings.Cut(out, "\n")
	// What is wrong with its configuration is printed before.
	for line := range strings.Lines(out) {
		if version, found := strings.CutPrefix(line, "Sudo version "); found {
			s.Version, s.Said = strings.TrimSpace(version), strings.TrimSpace(line)
			break
		}
	}
	return s
}

// maxText bounds what is read of a drop-in.
const maxText = 1 << 16

func (p Prober) text(name string) TextFile {
	t := TextFile{Path: name}
	info, err := os.Lstat(p.Root + name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t
	case err != nil:
		t.Why = err.Error()
		return t
	}
	t.Exists, t.Regular = true, info.Mode().IsRegular()
	if !t.Regular {
		t.Why = "not a regular file"
		return t
	}
	f, err := safefile.Open(p.Root+name, safefile.NoFollow)
	if err != nil {
		t.Why = err.Error()
		return t
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxText))
	if err != nil {
		t.Why = err.Error()
	}
	t.Text = string(content)
	return t
}

// owners walks from a program up to the root: whoever may write one of them
// decides what the program is. A link is examined as a link.
func (p Prober) owners(name string) []PathOwner {
	var all []PathOwner
	for {
		o := PathOwner{Path: name}
		if info, err := safefile.Lstat(p.Root + name); err != nil {
			o.Why = err.Error()
		} else {
			o.Mode, o.UID = info.Mode, info.UID
		}
		all = append(all, o)
		if name == "/" {
			return all
		}
		name = path.Dir(name)
	}
}
