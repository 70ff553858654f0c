// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"slices"
	"strings"

	"justnews/internal/diag"
)

// membership puts the user into the group, or takes them out of it.
func membership(w Wish, f Operators) ([]Step, []diag.Problem) {
	g := f.Group
	switch {
	case g.Why != "":
		return nil, []diag.Problem{unknown(diag.OperatorGroup, g.Name, "the group database cannot be asked", g.Why, diag.Run("getent", "group", "--", g.Name))}
	case !w.Install:
		return leave(w, f)
	case !g.Found:
		return nil, []diag.Problem{{
			Code: diag.OperatorGroup, Subject: g.Name, Message: "there is no such group", Seen: "no entry in the group database",
			Expected: "the group that the package makes", Fix: diag.Advise("run the same again after this", diag.Run("systemd-sysusers", "justnews.conf")),
		}}
	case f.Member:
		return []Step{{Why: w.User + " is in the group " + g.Name}}, polkitRule(f)
	}
	command := join(w.User, f)
	if command == nil {
		return nil, append(polkitRule(f), noTool("usermod", "-aG", g.Name, "--", w.User))
	}
	return []Step{{Kind: Run, Command: command, Why: "polkit lets the group start justnews-mps, justnews-preload and justnews-preflight"}}, polkitRule(f)
}

// join returns the command that adds a member. gpasswd first: it also takes
// users of a directory service, whom usermod does not know.
func join(user string, f Operators) []string {
	switch {
	case f.Gpasswd != "":
		return []string{f.Gpasswd, "--add", user, f.Group.Name}
	case f.Usermod != "":
		return []string{f.Usermod, "--append", "--groups", f.Group.Name, user}
	}
	return nil
}

func leave(w Wish, f Operators) ([]Step, []diag.Problem) {
	if !f.Group.Found || !slices.Contains(f.Group.Members, w.User) {
		return []Step{{Why: w.User + " is not listed in the group " + f.Group.Name}}, nil
	}
	if f.Gpasswd == "" {
		return nil, []diag.Problem{noTool("gpasswd", "--delete", w.User, f.Group.Name)}
	}
	return []Step{{Kind: Run, Command: []string{f.Gpasswd, "--delete", w.User, f.Group.Name}, Why: w.User + " loses what polkit lets the group do"}}, nil
}

func noTool(command ...string) diag.Problem {
	return diag.Problem{
		Code: diag.OperatorTool, Message: "no tool of this host can change a group", Seen: "neither gpasswd nor usermod",
		Expected: "gpasswd of the package passwd (shadow-utils)", Fix: diag.Advise("change it with what this host has instead, elsewhere that is as follows", command),
	}
}

// polkitRule warns where being in the group would be worth nothing, or where
// another file stands in for the rule: what that allows is the host's affair.
func polkitRule(f Operators) []diag.Problem {
	switch {
	case len(f.Rules) == 0:
		return []diag.Problem{{
			Code: diag.OperatorRule, Severity: diag.Warning, Subject: f.Group.Name,
			Message:  "no polkit rule lets the group start anything",
			Seen:     "no 50-justnews.rules in any rules.d of polkit that can be read",
			Expected: "/usr/share/polkit-1/rules.d/50-justnews.rules",
			Fix:      diag.Advise("install the package again, and polkit with it"),
		}}
	case !strings.HasPrefix(f.Rules[0], "/usr/share/"):
		return []diag.Problem{{
			Code: diag.OperatorRule, Severity: diag.Warning, Subject: f.Rules[0],
			Message:  "another file stands in for the package's polkit rule",
			Seen:     f.Rules[0],
			Expected: "/usr/share/polkit-1/rules.d/50-justnews.rules",
			Fix:      diag.Advise("if that is not on purpose, remove it", diag.Run("rm", "--", f.Rules[0])),
		}}
	}
	return nil
}
