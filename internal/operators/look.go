// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"justnews/internal/safefile"
)

const (
	group  = "justnews-operators" // whom polkit's rule lets start units
	agents = "justnews"           // the group that every agent's process has

	// ruleName is the name of that rule; polkit reads the first directory that
	// has it.
	ruleName = "50-justnews.rules"

	// toolLimit bounds one tool; a directory service may be slow.
	toolLimit = 30 * time.Second
	// maxText is the maximum length that is read of a file, in bytes.
	maxText = 1 << 20
)

var ruleDirectories = []string{"/etc/polkit-1/rules.d", "/run/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"}

// Host is where to look and where the steps are carried out.
type Host struct {
	Root string // put before every path, for tests
	EUID int
	// Run runs a system tool and returns its output and exit status; err means that it was
	// not run at all.
	Run func(ctx context.Context, name string, args ...string) (output string, status int, err error)
}

// ThisHost is the host that the process runs on.
func ThisHost() Host { return Host{EUID: os.Geteuid(), Run: runTool} }

// runTool runs one tool by its absolute path, without a shell, with none of the
// caller's environment. output is standard output and error together.
func runTool(ctx context.Context, name string, args ...string) (output string, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // by absolute path; names of users are validated before
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second // a child may hold the pipe
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return string(out), exit.ExitCode(), nil
	}
	if err != nil {
		return string(out), -1, fmt.Errorf("cannot run %s: %w", name, err)
	}
	return string(out), 0, nil
}

// Look returns the facts about a user. The name must have passed CheckUser: it
// becomes an argument. services are the users that agents run as, by name or
// number.
func (h Host) Look(ctx context.Context, user string, services ...string) Facts {
	f := Facts{
		Root: h.EUID == 0, User: h.entry(ctx, "passwd", user), Group: h.entry(ctx, "group", group), Agents: h.entry(ctx, "group", agents),
		Gpasswd: h.tool("/usr/bin/gpasswd", "/usr/sbin/gpasswd"), Usermod: h.tool("/usr/sbin/usermod", "/usr/bin/usermod"),
		Sudo: h.sudo(ctx), DropIn: h.text(DropIn), OldRule: h.text(OldDropIn), Program: h.owners(Program),
	}
	for _, name := range services {
		service := Entry{Name: name, Found: true}
		if uid, err := strconv.ParseUint(name, 10, 32); err == nil { // as User= takes it
			service.UID = int(uid)
		} else {
			service = h.entry(ctx, "passwd", name)
		}
		f.Services = append(f.Services, service)
	}
	for _, dir := range ruleDirectories {
		name := path.Join(dir, ruleName)
		if _, err := os.Stat(h.Root + name); err == nil {
			f.Rules = append(f.Rules, name)
		}
	}
	f.Member = f.Group.Found && (slices.Contains(f.Group.Members, user) || f.User.Found && f.User.GID == f.Group.GID)
	return f
}

// tool returns the first of these paths that is a program.
func (h Host) tool(paths ...string) string {
	for _, name := range paths {
		if info, err := os.Stat(h.Root + name); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return name
		}
	}
	return ""
}

// entry looks a name up in passwd or group.
func (h Host) entry(ctx context.Context, database, name string) Entry {
	e := Entry{Name: name}
	fields, why := h.ask(ctx, database, name)
	e.Why = why
	if len(fields) < 4 || fields[0] != name { // a number may be the name of another entry
		return e
	}
	var errs [2]error
	if database == "passwd" {
		e.UID, errs[0] = strconv.Atoi(fields[2])
		e.GID, errs[1] = strconv.Atoi(fields[3])
	} else {
		e.GID, errs[0] = strconv.Atoi(fields[2])
		e.Members = slices.DeleteFunc(strings.Split(fields[3], ","), func(m string) bool { return m == "" })
	}
	if err := errors.Join(errs[:]...); err != nil {
		return Entry{Name: name, Why: "its entry cannot be read: " + err.Error()}
	}
	e.Found = true
	return e
}

// ask queries one of the databases, from all its sources (nsswitch.conf), which a static
// program cannot do itself. On a host without getent the files are read.
func (h Host) ask(ctx context.Context, database, name string) (fields []string, why string) {
	getent := h.tool("/usr/bin/getent", "/bin/getent")
	if getent == "" {
		f := h.text("/etc/" + database)
		for line := range strings.Lines(f.Text) {
			if fields := strings.Split(strings.TrimSpace(line), ":"); fields[0] == name {
				return fields, ""
			}
		}
		return nil, f.Why
	}
	out, status, err := h.Run(ctx, getent, database, name)
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

func (h Host) sudo(ctx context.Context) Sudo {
	s := Sudo{Path: h.tool("/usr/bin/sudo", "/bin/sudo"), Visudo: h.tool("/usr/sbin/visudo", "/usr/bin/visudo", "/sbin/visudo")}
	if s.Path == "" {
		return s
	}
	out, _, err := h.Run(ctx, s.Path, "-V")
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

func (h Host) text(name string) TextFile {
	info, err := os.Lstat(h.Root + name)
	if errors.Is(err, fs.ErrNotExist) {
		return TextFile{Path: name}
	}
	t := TextFile{Path: name, Exists: err == nil}
	if err == nil && !info.Mode().IsRegular() {
		t.Why = "not a regular file"
		return t
	}
	if err == nil {
		t.Text, err = readNoFollow(h.Root + name)
	}
	if err != nil {
		t.Why = err.Error()
	}
	return t
}

func readNoFollow(name string) (string, error) {
	f, err := safefile.Open(name, safefile.NoFollow)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := f.All(maxText)
	return string(text), err
}

// owners walks from a program up to the root: anyone who can write one of them can replace
// the program. A link is examined as a link.
func (h Host) owners(name string) (all []PathOwner) {
	for {
		o := PathOwner{Path: name}
		if info, err := safefile.Lstat(h.Root + name); err != nil {
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
