// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/safefile"
)

// Apply looks, plans and carries out, and returns the outcome of each step. The
// steps after a failed one are skipped.
func (h Host) Apply(ctx context.Context, r Request, services ...string) ([]Step, []diag.Problem) {
	f := h.Look(ctx, r.User, services...)
	steps, problems := Plan(r, f)
	failed := false
	for i := range steps {
		s := &steps[i]
		switch {
		case s.Kind == None:
			s.State = "unneeded"
		case r.DryRun:
			s.State = "planned"
		case failed:
			s.State = "skipped"
		default:
			s.State = "done"
			if p := h.Do(ctx, f.Sudo, *s); p != nil {
				problems = append(problems, *p)
				if p.Severity == diag.Error {
					s.State, failed = "failed", true
				}
			}
		}
	}
	return steps, problems
}

// Do carries out one step.
func (h Host) Do(ctx context.Context, sudo Sudo, s Step) *diag.Problem {
	switch s.Kind {
	case Run:
		return h.tell(ctx, diag.OperatorTool, s.Command...)
	case Write:
		return h.write(ctx, sudo, s)
	case Remove:
		return h.remove(ctx, sudo, s)
	case None:
	}
	return nil
}

// tell runs a tool that has to exit 0.
func (h Host) tell(ctx context.Context, code diag.Code, argv ...string) *diag.Problem {
	out, status, err := h.Run(ctx, argv[0], argv[1:]...)
	if err == nil && status == 0 {
		return nil
	}
	p := new(diag.Found(code, argv[0], fmt.Sprintf("ended with status %d", status),
		oneLine(out), "status 0 of: "+strings.Join(argv, " "), diag.Advise("fix the reported problem, and run the same command again")))
	if err != nil {
		p.Message, p.Seen = "cannot be run", err.Error()
	}
	return p
}

func oneLine(out string) string {
	return cmp.Or(strings.Join(strings.Fields(out), " "), "nothing was printed")
}

// write writes the drop-in between two checks by visudo, verifies that sudo applies it, and
// restores the previous state if anything fails.
func (h Host) write(ctx context.Context, sudo Sudo, s Step) *diag.Problem {
	if p := h.tell(ctx, diag.SudoRefused, sudo.Visudo, "-c"); p != nil {
		p.Message = "sudo's configuration is already invalid, nothing was changed: " + p.Message
		return p
	}
	dir, err := h.openDropIns()
	if err != nil {
		return cannotWrite(s.Path, err)
	}
	defer func() { _ = dir.Close() }()
	before, err := safefile.ReadIn(dir, Name, maxText, safefile.NoFollow)
	existed := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cannotWrite(s.Path, err)
	}
	fresh := safefile.TemporaryOf(Name) + rand.Text()
	rule := dropIn(s.Text)
	if err := rule.Write(dir, fresh); err != nil {
		return cannotWrite(s.Path, err)
	}
	if p := h.tell(ctx, diag.SudoRefused, sudo.Visudo, "-cf", path.Join(dir.Name(), fresh)); p != nil {
		_ = dir.Remove(fresh)
		p.Message = "visudo rejects the rule, nothing was changed: " + p.Message
		return p
	}
	if err := rule.Commit(dir, fresh, Name); err != nil {
		return cannotWrite(s.Path, err)
	}
	p := h.tell(ctx, diag.SudoRefused, sudo.Visudo, "-c")
	if p == nil && s.For != "" {
		p = h.known(ctx, sudo, s.For)
	}
	if p == nil {
		return nil
	}
	if existed {
		err = dropIn(string(before)).Replace(dir, Name)
	}
	if !existed || err != nil {
		err = errors.Join(err, removeDropIn(dir))
	}
	if err != nil {
		p.Seen += "; and the previous state cannot be restored: " + err.Error()
		p.Fix = diag.Do(diag.Run("rm", "--", s.Path), diag.Run("visudo", "-c"))
		return p
	}
	p.Message += "; the previous state was restored"
	return p
}

// dropIn is a file as sudo wants its files.
func dropIn(text string) safefile.New {
	return safefile.New{Data: []byte(text), Mode: 0o440, Sync: true}
}

// openDropIns opens sudo's directory once: its path is not used again, so it cannot be
// replaced by another directory. A directory that others can write is rejected: the caller is
// root, or a test that owns its directory.
func (h Host) openDropIns() (*os.Root, error) {
	dir, err := os.OpenRoot(h.Root + Directory)
	if err != nil {
		return nil, err
	}
	info, err := safefile.Of(dir)
	if err == nil && info.Trust(os.Geteuid()) != nil {
		err = fmt.Errorf("%s is writable by others than root (%v)", Directory, info.Mode)
	}
	if err != nil {
		_ = dir.Close()
		return nil, err
	}
	return dir, nil
}

func removeDropIn(dir *os.Root) error {
	err := dir.Remove(Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, safefile.SyncDir(dir))
}

// known queries sudo for the user's rights: a drop-in that /etc/sudoers does not include has
// no effect. Being allowed proves nothing, since an administrator is allowed everything: the
// list must name the program.
func (h Host) known(ctx context.Context, sudo Sudo, user string) *diag.Problem {
	out, status, err := h.Run(ctx, sudo.Path, "-n", "-l", "-U", user)
	if err == nil && status == 0 && lists(out) {
		return nil
	}
	p := new(diag.Found(diag.SudoIneffective, user, "sudo does not list the rule for the user",
		oneLine(out), "a line with NOPASSWD: and "+Program,
		diag.Advise("add the line @includedir /etc/sudoers.d at the end of /etc/sudoers (visudo), and run the same command again")))
	if err != nil {
		p.Seen = err.Error()
	}
	return p
}

// lists reports whether the rule is in what sudo lists, whatever the order in
// which it prints the tags.
func lists(out string) bool {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "NOPASSWD: ") && strings.Contains(line, Program+` ""`) {
			return true
		}
	}
	return false
}

// remove removes the drop-in. visudo checks afterwards; errors that it finds then existed
// before.
func (h Host) remove(ctx context.Context, sudo Sudo, s Step) *diag.Problem {
	dir, err := h.openDropIns()
	if err == nil {
		defer func() { _ = dir.Close() }()
		err = removeDropIn(dir)
	}
	if err != nil {
		return cannotWrite(s.Path, err)
	}
	if sudo.Visudo == "" {
		return nil
	}
	if p := h.tell(ctx, diag.SudoRefused, sudo.Visudo, "-c"); p != nil {
		p.Severity = diag.Warning
		p.Message = "the rule is removed, but the rest of sudo's configuration is invalid: " + p.Message
		return p
	}
	return nil
}

func cannotWrite(path string, err error) *diag.Problem {
	return new(diag.Found(diag.OperatorTool, path, "cannot be changed",
		err.Error(), "a writable "+Directory+" of root",
		diag.Advise("free space there, or make it writable").Looking(diag.Run("ls", "-ld", Directory), diag.Run("df", Directory))))
}
