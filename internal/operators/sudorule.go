// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
)

// sudoRule plans the drop-in: written with the user in it, or without.
func sudoRule(w Wish, f Operators) ([]Step, []diag.Problem) {
	var problems []diag.Problem
	if w.Install {
		problems = append(usable(f.Sudo), replaceable(f.Program)...)
	}
	users, foreign := users(w, f.DropIn)
	if problems = append(problems, foreign...); len(diag.Errors(problems)) > 0 {
		return nil, problems
	}
	if w.Install {
		users = append(users, w.User)
	} else {
		users = slices.DeleteFunc(users, func(u string) bool { return u == w.User })
	}
	text, err := Render(users)
	if err != nil {
		return nil, append(problems, diag.Problem{
			Code: diag.OperatorUser, Subject: w.User, Message: err.Error(), Expected: Expected,
			Fix: diag.Advise("name another one with --user"),
		})
	}
	return []Step{file(w, f.DropIn, text)}, problems
}

func file(w Wish, now TextFile, text string) Step {
	switch {
	case now.Text == text && now.Exists == (text != ""):
		if w.Install {
			return Step{Path: now.Path, Why: now.Path + " has " + w.User}
		}
		return Step{Path: now.Path, Why: now.Path + " does not have " + w.User}
	case text == "":
		return Step{Kind: Remove, Path: now.Path, Why: w.User + " was the last user in it"}
	}
	s := Step{Kind: Write, Path: now.Path, Text: text, Why: "the users in it may look with root's eyes, without a password"}
	if w.Install {
		s.For = w.User
	}
	return s
}

// users returns who is in the drop-in now.
func users(w Wish, now TextFile) ([]string, []diag.Problem) {
	switch {
	case !now.Exists && now.Why == "":
		return nil, nil
	case now.Why != "" && w.DryRun: // /etc/sudoers.d is closed to others than root
		return nil, []diag.Problem{{
			Code: diag.SudoForeign, Severity: diag.Warning, Subject: now.Path, Message: "cannot tell what is there now",
			Seen: now.Why, Expected: "a readable file, or none", Fix: diag.Advise("run the same as root"),
		}}
	case now.Why != "":
		return nil, []diag.Problem{unknown(diag.SudoForeign, now.Path, "cannot be read", now.Why, diag.Run("ls", "-l", "--", now.Path))}
	}
	users, err := Users(now.Text)
	if err != nil {
		return nil, []diag.Problem{{
			Code: diag.SudoForeign, Subject: now.Path, Message: "the file is " + err.Error() + " and is left alone",
			Seen: fmt.Sprintf("%d bytes of another hand", len(now.Text)), Expected: "a file of justnews-gate nopasswd install, or none",
			Fix: diag.Advise("look at it, move it out of " + Directory + ", and run the same again"),
		}}
	}
	return users, nil
}

// oldest is the first sudo that takes regular expressions (sudoers(5)).
var oldest = [3]int{1, 9, 10}

func usable(s Sudo) []diag.Problem {
	p := diag.Problem{
		Code: diag.SudoUnusable, Expected: "sudo 1.9.10 or later, with visudo",
		Fix: diag.Advise("install the group only: a gate needs no root"),
	}
	switch version, ok := number(s.Version); {
	case s.Path == "":
		p.Message, p.Seen = "sudo is not installed", "neither /usr/bin/sudo nor /bin/sudo"
	case s.Visudo == "":
		p.Message, p.Seen = "nothing can check a rule: visudo is not installed", "no visudo beside "+s.Path
	case !ok:
		p.Message, p.Seen = "what calls itself sudo does not say which version it is", s.Said
	case slices.Compare(version[:], oldest[:]) < 0:
		p.Message, p.Seen = "sudo is too old to anchor the arguments of a rule", "sudo "+s.Version
	default:
		return nil
	}
	return []diag.Problem{p}
}

// number reads 1.9.13p3.
func number(version string) (n [3]int, ok bool) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) != 3 {
		return n, false
	}
	for i, part := range parts {
		digits := strings.TrimRight(part, "0123456789")
		if i == 2 { // a patch level may follow
			at := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })
			if digits = ""; at >= 0 {
				part = part[:at]
			}
		}
		v, err := strconv.Atoi(part)
		if err != nil || digits != "" {
			return n, false
		}
		n[i] = v
	}
	return n, true
}

// replaceable refuses a rule for a program that somebody other than root could
// put another one in place of: by writing it, or a directory above it.
func replaceable(chain []PathOwner) []diag.Problem {
	var problems []diag.Problem
	for i, o := range chain {
		p := diag.Problem{
			Code: diag.SudoUnsafe, Subject: o.Path, Expected: "owned by root, writable by nobody else",
			Fix: diag.Advise("run the same again after this", diag.Run("chown", "root:root", "--", o.Path), diag.Run("chmod", "go-w", "--", o.Path)),
		}
		switch program := i == 0; {
		case o.Why != "":
			p.Message, p.Seen = "cannot be examined, so that nobody knows who could replace it", o.Why
			p.Fix = diag.Advise("install the package: the rule is for " + Program)
		case program && !o.Mode.IsRegular(), !program && !o.Mode.IsDir():
			p.Message, p.Seen = "is a link or something else than it should be", o.Mode.String()
			p.Fix = diag.Advise("install the package again: the rule is for " + Program)
		case o.UID != 0:
			p.Message, p.Seen = "belongs to another user than root, who could replace the program", fmt.Sprintf("uid %d", o.UID)
		case o.Mode.Perm()&0o022 != 0 && (program || o.Mode&fs.ModeSticky == 0):
			p.Message, p.Seen = "others than root can write it and replace the program", o.Mode.String()
		default:
			continue
		}
		problems = append(problems, p)
	}
	return problems
}
