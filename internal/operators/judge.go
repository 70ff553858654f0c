// SPDX-License-Identifier: Apache-2.0

// Package operators gives a person, or takes from them, what lets them operate
// JustNews without a password: membership in the group that polkit's rule
// names, and on request a sudo rule for looking with root's eyes. Look collects
// the facts, Plan judges them and is pure, and Host.Do carries out one step.
// Steps that would change nothing are planned as such, so that a second run
// does nothing.
package operators

import (
	"fmt"
	"slices"

	"justnews/internal/diag"
)

// Wish is what was asked for. The zero value takes everything away.
type Wish struct {
	User    string
	Install bool // else everything is taken away
	Sudoers bool // with Install: the sudo rule as well
	DryRun  bool // nothing will be done, so that nobody has to be root
}

// Kind says what a step does. The zero value does nothing.
type Kind int

// The kinds of steps.
const (
	None   Kind = iota // nothing has to be done
	Run                // run Command
	Write              // write Text to Path
	Remove             // remove Path
)

// Step is one change, or why there is none.
type Step struct {
	Kind    Kind
	Why     string   // one sentence: what it is for, or why nothing is done
	Command []string // by absolute path
	Path    string
	Text    string
	For     string // with Text: the user that sudo must list the rule for then
}

// Plan returns the steps, in their order, or what stands against them. With an
// error among the problems there are no steps.
func Plan(w Wish, f Operators) ([]Step, []diag.Problem) {
	problems := slices.Concat(identity(w, f), privilege(w, f))
	group, more := membership(w, f)
	problems = append(problems, more...)
	steps := group
	if w.Sudoers || !w.Install {
		rule, more := sudoRule(w, f)
		steps, problems = append(steps, rule...), append(problems, more...)
	}
	problems = append(problems, leftover(f)...)
	if len(diag.Errors(problems)) > 0 {
		return nil, problems
	}
	return steps, problems
}

// identity makes sure of whom we talk about.
func identity(w Wish, f Operators) []diag.Problem {
	u := f.User
	switch {
	case u.Why != "":
		return []diag.Problem{unknown(diag.OperatorUser, w.User, "the user database cannot be asked", u.Why, diag.Run("getent", "passwd", "--", w.User))}
	case !u.Found && w.Install:
		return []diag.Problem{{
			Code: diag.OperatorUser, Subject: w.User, Message: "there is no such user", Seen: "no entry in the user database",
			Expected: "a user of this host", Fix: diag.Advise("name another one with --user, or make that user", diag.Run("useradd", "--", w.User)),
		}}
	case u.Found && u.UID == 0 && w.Install:
		return []diag.Problem{{
			Code: diag.OperatorUser, Subject: w.User, Message: "the user is root, who needs no exemption", Seen: "uid 0",
			Expected: "the user that shall operate JustNews", Fix: diag.Do(diag.Run("justnews-gate", "nopasswd", "install", "--user", "USER")),
		}}
	}
	if w.Install {
		return agent(w, f)
	}
	return nil
}

// agent refuses who agents run as: what an operator may do, they could then do,
// and a sudo rule would let them act as root. Who has the same UID is the same.
func agent(w Wish, f Operators) []diag.Problem {
	refused := func(seen string) []diag.Problem {
		return []diag.Problem{{
			Code: diag.OperatorUser, Subject: w.User, Message: "agents run as this user, and an operator must not be one", Seen: seen,
			Expected: "a person's own user, outside the group " + f.Agents.Name,
			Fix:      diag.Fix{Advice: "name the person that shall operate JustNews with --user"},
		}}
	}
	u, g := f.User, f.Agents
	for _, s := range f.Services {
		switch {
		case s.Why != "":
			return []diag.Problem{unknown(diag.OperatorUser, s.Name, "the user database cannot be asked", s.Why, diag.Run("getent", "passwd", "--", s.Name))}
		case s.Name == w.User:
			return refused("the configuration has it as the user of a service")
		case s.Found && u.Found && s.UID == u.UID:
			return refused(fmt.Sprintf("uid %d, as the user of a service: %s", u.UID, s.Name))
		}
	}
	switch {
	case g.Why != "":
		return []diag.Problem{unknown(diag.OperatorGroup, g.Name, "the group database cannot be asked", g.Why, diag.Run("getent", "group", "--", g.Name))}
	case g.Found && slices.Contains(g.Members, w.User):
		return refused("a member of the group " + g.Name)
	case g.Found && u.Found && u.GID == g.GID:
		return refused("its own group is " + g.Name)
	}
	return nil
}

func privilege(w Wish, f Operators) []diag.Problem {
	if f.Root || w.DryRun {
		return nil
	}
	verb := "uninstall"
	if w.Install {
		verb = "install"
	}
	command := diag.Run("sudo", "justnews-gate", "nopasswd", verb, "--user="+w.User)
	if w.Sudoers {
		command = append(command, "--sudoers")
	}
	return []diag.Problem{{
		Code: diag.OperatorDenied, Message: "only root can change groups and sudo's rules", Seen: "the caller is not root",
		Expected: "uid 0", Fix: diag.Do(command),
	}}
}

// leftover warns of the rule that the shell helper wrote.
func leftover(f Operators) []diag.Problem {
	if !f.OldRule.Exists {
		return nil
	}
	return []diag.Problem{{
		Code: diag.SudoLeftover, Severity: diag.Warning, Subject: f.OldRule.Path,
		Message:  "the rule of the old helper is still there: whoever can write its script is root",
		Seen:     f.OldRule.Path,
		Expected: "no such file",
		Fix:      diag.Do(diag.Run("rm", "--", f.OldRule.Path), diag.Run("visudo", "-c")),
	}}
}

// unknown is the problem of a question that nobody answered: another verdict
// than a bad answer.
func unknown(code diag.Code, subject, message, why string, check diag.Command) diag.Problem {
	return diag.Problem{Code: code, Subject: subject, Message: message, Seen: why, Expected: "an answer", Fix: diag.Advise("find out why").Looking(check)}
}

// DropIn is the path of the sudo rule.
const DropIn = Directory + "/" + Name
