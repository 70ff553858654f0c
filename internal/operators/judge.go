// SPDX-License-Identifier: Apache-2.0

package operators

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"justnews/internal/diag"
)

// plan collects the steps, in their order, and the problems that prevent them.
type plan struct {
	request  Request
	f        Facts
	steps    []Step
	problems []diag.Problem
}

// Plan returns the steps, or the problems that prevent them: with an error among the
// problems there are no steps.
func Plan(r Request, f Facts) ([]Step, []diag.Problem) {
	p := &plan{request: r, f: f}
	p.identity()
	p.privilege()
	p.membership()
	if r.Sudoers || !r.Install {
		p.sudoRule()
	}
	if f.OldRule.Exists {
		p.report(diag.Found(diag.SudoLeftover, f.OldRule.Path, "the sudo rule of the old helper still exists: anyone who can write its script can become root",
			f.OldRule.Path, "no such file", diag.Do(diag.Run("rm", "--", f.OldRule.Path), diag.Run("visudo", "-c"))).As(diag.Warning))
	}
	if len(diag.Errors(p.problems)) > 0 {
		return nil, p.problems
	}
	return p.steps, p.problems
}

func (p *plan) report(d diag.Problem) { p.problems = append(p.problems, d) }

func (p *plan) step(s Step) { p.steps = append(p.steps, s) }

// unanswered reports that a question has no answer: a different verdict than a bad
// answer.
func (p *plan) unanswered(code diag.Code, subject, message, why string, look diag.Command) {
	p.report(diag.Problem{Code: code, Subject: subject, Message: message, Seen: why, Expected: "an answer", Fix: diag.Advise("find out why").Looking(look)})
}

func (p *plan) noDatabase(e Entry, database string) {
	code, message := diag.OperatorUser, "cannot query the user database"
	if database == "group" {
		code, message = diag.OperatorGroup, "cannot query the group database"
	}
	p.unanswered(code, e.Name, message, e.Why, diag.Run("getent", database, "--", e.Name))
}

func (p *plan) identity() {
	u := p.f.User
	switch d := (diag.Problem{Code: diag.OperatorUser, Subject: p.request.User}); {
	case u.Why != "":
		p.noDatabase(u, "passwd")
	case !p.request.Install:
	case !u.Found:
		d.Message, d.Seen, d.Expected = "there is no such user", "no entry in the user database", "a user of this host"
		d.Fix = diag.Advise("name another one with --user, or create that user", diag.Run("useradd", "--", p.request.User))
		p.report(d)
	case u.UID == 0:
		d.Message, d.Seen, d.Expected = "the user is root, who can operate JustNews anyway", "uid 0", "the user that operates JustNews"
		d.Fix = diag.Do(diag.Run("justnews-gate", "nopasswd", "install", "--user", "USER"))
		p.report(d)
	default:
		p.agent()
	}
}

// agent rejects a user that agents run as: agents would then have an operator's rights, and
// could act as root with a sudo rule. Users with the same UID are the same.
func (p *plan) agent() {
	u, g := p.f.User, p.f.Agents
	refuse := func(seen string) {
		p.report(diag.Found(diag.OperatorUser, p.request.User, "agents run as this user, and an operator must not be one",
			seen, "a person's own user, outside the group "+g.Name, diag.Advise("name the person who operates JustNews with --user")))
	}
	for _, s := range p.f.Services {
		switch {
		case s.Why != "":
			p.noDatabase(s, "passwd")
			return
		case s.Name == p.request.User:
			refuse("the configuration has it as the user of a service")
			return
		case s.Found && s.UID == u.UID:
			refuse(fmt.Sprintf("uid %d, as the user of a service: %s", u.UID, s.Name))
			return
		}
	}
	switch {
	case g.Why != "":
		p.noDatabase(g, "group")
	case g.Found && slices.Contains(g.Members, p.request.User):
		refuse("a member of the group " + g.Name)
	case g.Found && u.GID == g.GID:
		refuse("its own group is " + g.Name)
	}
}

func (p *plan) privilege() {
	if p.f.Root || p.request.DryRun {
		return
	}
	verb := p.request.Verb()
	command := diag.Run("sudo", "justnews-gate", "nopasswd", verb, "--user="+p.request.User)
	if p.request.Sudoers {
		command = append(command, "--sudoers")
	}
	p.report(diag.Found(diag.OperatorDenied, "", "only root can change groups and sudo's rules",
		"the caller is not root", "uid 0", diag.Do(command)))
}

// membership puts the user into the group, or takes them out of it. gpasswd
// comes first: it also accepts users of a directory service, whom usermod does not
// know.
func (p *plan) membership() {
	user, g := p.request.User, p.f.Group
	switch {
	case g.Why != "":
		p.noDatabase(g, "group")
		return
	case !p.request.Install && !slices.Contains(g.Members, user):
		p.step(Step{Why: user + " is not listed in the group " + g.Name})
		return
	case !p.request.Install && p.f.Gpasswd == "":
		p.noTool("gpasswd", "--delete", user, g.Name)
		return
	case !p.request.Install:
		p.step(Step{Kind: Run, Command: []string{p.f.Gpasswd, "--delete", user, g.Name}, Why: user + " loses the group's polkit permissions"})
		return
	case !g.Found:
		p.report(diag.Found(diag.OperatorGroup, g.Name, "there is no such group",
			"no entry in the group database", "the group that the package creates",
			diag.Advise("create the group, and run the same command again", diag.Run("systemd-sysusers", "justnews.conf"))))
		return
	}
	p.polkitRule()
	join := Step{Kind: Run, Why: "polkit lets the group start justnews-mps, justnews-preload and justnews-preflight"}
	switch {
	case p.f.Member:
		join = Step{Why: user + " is in the group " + g.Name}
	case p.f.Gpasswd != "":
		join.Command = []string{p.f.Gpasswd, "--add", user, g.Name}
	case p.f.Usermod != "":
		join.Command = []string{p.f.Usermod, "--append", "--groups", g.Name, user}
	default:
		p.noTool("usermod", "-aG", g.Name, "--", user)
		return
	}
	p.step(join)
}

func (p *plan) noTool(command ...string) {
	p.report(diag.Found(diag.OperatorTool, "", "no tool of this host can change a group",
		"neither gpasswd nor usermod", "gpasswd of the package passwd (shadow-utils)",
		diag.Advise("change it with the tools of this host; elsewhere the command is", command)))
}

// polkitRule warns if membership in the group would have no effect, or if
// another file replaces the rule: what that allows is up to the host.
func (p *plan) polkitRule() {
	d := diag.Problem{Code: diag.OperatorRule, Severity: diag.Warning, Expected: "/usr/share/polkit-1/rules.d/" + ruleName}
	switch {
	case len(p.f.Rules) == 0:
		d.Subject, d.Message = p.f.Group.Name, "no polkit rule lets the group start anything"
		d.Seen = "no " + ruleName + " in any rules.d of polkit that can be read"
		d.Fix = diag.Advise("reinstall the package, and polkit with it")
	case !strings.HasPrefix(p.f.Rules[0], "/usr/share/"):
		d.Subject, d.Message = p.f.Rules[0], "another file overrides the package's polkit rule"
		d.Seen = p.f.Rules[0]
		d.Fix = diag.Advise("if that is not intended, remove it", diag.Run("rm", "--", p.f.Rules[0]))
	default:
		return
	}
	p.report(d)
}

// sudoRule plans the drop-in: written with the user in it, or without.
func (p *plan) sudoRule() {
	if p.request.Install {
		p.usable()
		p.replaceable()
	}
	users, ok := p.users()
	if !ok || len(diag.Errors(p.problems)) > 0 {
		return
	}
	if p.request.Install {
		users = append(users, p.request.User)
	} else {
		users = slices.DeleteFunc(users, func(u string) bool { return u == p.request.User })
	}
	text, err := render(users)
	if err != nil {
		p.report(diag.Found(diag.OperatorUser, p.request.User, err.Error(),
			"", Expected, diag.Advise("name another one with --user")))
		return
	}
	switch now := p.f.DropIn; {
	case now.Text == text && now.Exists == (text != "") && p.request.Install:
		p.step(Step{Path: now.Path, Why: now.Path + " has " + p.request.User})
	case now.Text == text && now.Exists == (text != ""):
		p.step(Step{Path: now.Path, Why: now.Path + " does not have " + p.request.User})
	case text == "":
		p.step(Step{Kind: Remove, Path: now.Path, Why: p.request.User + " was the last user in it"})
	default:
		s := Step{Kind: Write, Path: now.Path, Text: text, Why: "its users may run read-only commands as root without a password"}
		if p.request.Install {
			s.For = p.request.User
		}
		p.step(s)
	}
}

func (p *plan) users() (users []string, ok bool) {
	now := p.f.DropIn
	switch {
	case !now.Exists && now.Why == "":
		return nil, true
	case now.Why != "" && p.request.DryRun: // /etc/sudoers.d is closed to others than root
		p.report(diag.Found(diag.SudoForeign, now.Path, "cannot determine the current state",
			now.Why, "a readable file, or none", diag.Advise("run the same command as root")).As(diag.Warning))
		return nil, true
	case now.Why != "":
		p.unanswered(diag.SudoForeign, now.Path, "cannot be read", now.Why, diag.Run("ls", "-l", "--", now.Path))
		return nil, false
	}
	users, err := Users(now.Text)
	if err != nil {
		p.report(diag.Found(diag.SudoForeign, now.Path, "the file is "+err.Error()+" and is left alone",
			fmt.Sprintf("%d bytes not written by justnews-gate", len(now.Text)), "a file of justnews-gate nopasswd install, or none",
			diag.Advise("inspect it, move it out of "+Directory+", and run the same command again")))
	}
	return users, err == nil
}

// oldest is the first sudo that takes regular expressions (sudoers(5)).
var oldest = [3]int{1, 9, 10}

func (p *plan) usable() {
	d := diag.Problem{
		Code: diag.SudoUnusable, Expected: "sudo 1.9.10 or later, with visudo", Fix: diag.Advise("install the group only: a gate needs no root"),
	}
	s := p.f.Sudo
	var version [3]int // of 1.9.13p3 the numbers
	n, _ := fmt.Sscanf(s.Version, "%d.%d.%d", &version[0], &version[1], &version[2])
	switch {
	case s.Path == "":
		d.Message, d.Seen = "sudo is not installed", "neither /usr/bin/sudo nor /bin/sudo"
	case s.Visudo == "":
		d.Message, d.Seen = "cannot check a rule: visudo is not installed", "no visudo next to "+s.Path
	case n < len(version):
		d.Message, d.Seen = "cannot determine the sudo version", s.Said
	case slices.Compare(version[:], oldest[:]) < 0:
		d.Message, d.Seen = "sudo is too old to restrict the arguments of a rule", "sudo "+s.Version
	default:
		return
	}
	p.report(d)
}

// replaceable rejects a rule for a program that a user other than root could
// replace: by writing it, or a directory above it.
func (p *plan) replaceable() {
	for i, o := range p.f.Program {
		d := diag.Problem{
			Code: diag.SudoUnsafe, Subject: o.Path, Expected: "owned by root, not writable by others",
			Fix: diag.Advise("correct the owner and mode, and run the same command again", diag.Run("chown", "root:root", "--", o.Path), diag.Run("chmod", "go-w", "--", o.Path)),
		}
		switch program := i == 0; {
		case o.Why != "":
			d.Message, d.Seen = "cannot be examined, so it is unknown who could replace it", o.Why
			d.Fix = diag.Advise("install the package: the rule is for " + Program)
		case program && !o.Mode.IsRegular(), !program && !o.Mode.IsDir():
			d.Message, d.Seen = "is not what it should be", o.Mode.String()
			d.Fix = diag.Advise("reinstall the package: the rule is for " + Program)
		case o.UID != 0:
			d.Message, d.Seen = "is owned by a user other than root, who could replace the program", fmt.Sprintf("uid %d", o.UID)
		case o.Mode.Perm()&0o022 != 0 && (program || o.Mode&fs.ModeSticky == 0):
			d.Message, d.Seen = "is writable by others than root, who could replace the program", o.Mode.String()
		default:
			continue
		}
		p.report(d)
	}
}
