// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"context"
	"fmt"
	"strings"

	"justnews/internal/diag"
)

// Host is where the steps are carried out.
type Host struct {
	Root   string // put before every path, for tests
	Runner Runner
	Sudo   Sudo
}

// Do carries out one step.
func (h Host) Do(ctx context.Context, s Step) *diag.Problem {
	switch s.Kind {
	case Run:
		return h.run(ctx, diag.OperatorTool, s.Command...)
	case Write:
		return h.write(ctx, s)
	case Remove:
		return h.remove(ctx, s)
	case None:
	}
	return nil
}

// run returns the problem of a tool that does not end with 0.
func (h Host) run(ctx context.Context, code diag.Code, argv ...string) *diag.Problem {
	out, status, err := h.Runner.Run(ctx, argv[0], argv[1:]...)
	if err == nil && status == 0 {
		return nil
	}
	p := &diag.Problem{
		Code: code, Subject: argv[0], Message: fmt.Sprintf("ended with status %d", status), Seen: oneLine(out),
		Expected: "status 0 of: " + strings.Join(argv, " "),
		Fix:      diag.Advise("fix what it names, and run the same again"),
	}
	if err != nil {
		p.Message, p.Seen = "cannot be run", err.Error()
	}
	return p
}

func oneLine(out string) string {
	if s := strings.Join(strings.Fields(out), " "); s != "" {
		return s
	}
	return "nothing was printed"
}

// write puts the drop-in there between two looks of visudo, and proves that
// sudo knows it.
func (h Host) write(ctx context.Context, s Step) *diag.Problem {
	if p := h.run(ctx, diag.SudoRefused, h.Sudo.Visudo, "-c"); p != nil {
		p.Message = "sudo's configuration is broken already, nothing was changed: " + p.Message
		return p
	}
	d, err := openDropIns(h.Root)
	if err != nil {
		return cannotWrite(s.Path, err)
	}
	defer d.close()
	before, err := d.read()
	if err != nil {
		return cannotWrite(s.Path, err)
	}
	fresh, err := d.stage(s.Text)
	if err != nil {
		return cannotWrite(s.Path, err)
	}
	if p := h.run(ctx, diag.SudoRefused, h.Sudo.Visudo, "-cf", fresh); p != nil {
		d.drop()
		p.Message = "visudo refuses the rule, nothing was changed: " + p.Message
		return p
	}
	if err := d.commit(); err != nil {
		d.drop()
		return cannotWrite(s.Path, err)
	}
	p := h.run(ctx, diag.SudoRefused, h.Sudo.Visudo, "-c")
	if p == nil && s.For != "" {
		p = h.known(ctx, s.For)
	}
	if p == nil {
		return nil
	}
	return rolledBack(p, s.Path, d.restore(before))
}

// known asks sudo what the user may do: a drop-in that /etc/sudoers does not
// include is a file like any other. Being allowed is no proof, since an
// administrator is allowed everything: the list must name the program.
func (h Host) known(ctx context.Context, user string) *diag.Problem {
	out, status, err := h.Runner.Run(ctx, h.Sudo.Path, "-n", "-l", "-U", user)
	if err == nil && status == 0 && lists(out) {
		return nil
	}
	p := &diag.Problem{
		Code: diag.SudoIneffective, Subject: user, Message: "sudo does not list the rule for the user", Seen: oneLine(out),
		Expected: "a line with NOPASSWD: and " + Program,
		Fix:      diag.Advise("add the line @includedir /etc/sudoers.d at the end of /etc/sudoers (visudo), and run the same again"),
	}
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

func rolledBack(p *diag.Problem, path string, err error) *diag.Problem {
	if err == nil {
		p.Message += "; what was there before was put back"
	} else {
		p.Seen += "; and the former state cannot be put back: " + err.Error()
		p.Fix = diag.Do(diag.Run("rm", "--", path), diag.Run("visudo", "-c"))
	}
	return p
}

// remove takes the drop-in away. visudo looks afterwards; what it finds then
// was broken before.
func (h Host) remove(ctx context.Context, s Step) *diag.Problem {
	d, err := openDropIns(h.Root)
	if err == nil {
		defer d.close()
		err = d.remove()
	}
	if err != nil {
		return cannotWrite(s.Path, err)
	}
	if h.Sudo.Visudo == "" {
		return nil
	}
	if p := h.run(ctx, diag.SudoRefused, h.Sudo.Visudo, "-c"); p != nil {
		p.Severity = diag.Warning
		p.Message = "the rule is removed, and the rest of sudo's configuration is broken: " + p.Message
		return p
	}
	return nil
}

func cannotWrite(path string, err error) *diag.Problem {
	return &diag.Problem{
		Code: diag.OperatorTool, Subject: path, Message: "cannot be changed", Seen: err.Error(),
		Expected: "a writable " + Directory + " of root", Fix: diag.Advise("make room there, or make it writable").Looking(diag.Run("ls", "-ld", Directory), diag.Run("df", Directory)),
	}
}
