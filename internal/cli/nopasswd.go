// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/operators"
	"justnews/internal/report"
)

type nopasswdCommand struct {
	Install   nopasswdInstallCommand   `cmd:"" help:"Allow a user to operate JustNews without a password."`
	Uninstall nopasswdUninstallCommand `cmd:"" help:"Revoke this permission."`
	Run       nopasswdRunCommand       `cmd:"" help:"Run a gate, or the full validation, without privileges."`
}

type nopasswdInstallCommand struct {
	User    string `name:"user" placeholder:"USER" help:"The user; default: the caller of sudo."`
	Sudoers bool   `name:"sudoers" help:"Also install a sudo rule for read-only commands as root: preflight, gate and status."`
	DryRun  bool   `name:"dry-run" help:"Print what would be done without doing it."`
}

// Run puts a user into the group that polkit's rule names, and on request into
// a sudo rule.
func (c *nopasswdInstallCommand) Run(a *app) error {
	return a.nopasswd(operators.Request{User: c.User, Install: true, Sudoers: c.Sudoers, DryRun: c.DryRun})
}

type nopasswdUninstallCommand struct {
	User   string `name:"user" placeholder:"USER" help:"The user; default: the caller of sudo."`
	DryRun bool   `name:"dry-run" help:"Print what would be done without doing it."`
}

// Run takes a user out of the group and out of the sudo rule.
func (c *nopasswdUninstallCommand) Run(a *app) error {
	return a.nopasswd(operators.Request{User: c.User, DryRun: c.DryRun})
}

type nopasswdRunCommand struct {
	Instance instance `arg:"" optional:"" help:"The instance, as in justnews@INSTANCE.service; default: the full validation."`
	timeoutFlag
}

// Run is the gate of an instance, or preflight.
func (c *nopasswdRunCommand) Run(a *app) error {
	if c.Instance == "" {
		return (&preflightCommand{Timeout: c.Timeout}).Run(a)
	}
	return (&gateCommand{Instance: c.Instance, timeoutFlag: c.timeoutFlag}).Run(a)
}

// granted is the JSON of nopasswd install and uninstall.
type granted struct {
	Schema   int              `json:"schema"`
	User     string           `json:"user"`
	DryRun   bool             `json:"dry_run"`
	Steps    []operators.Step `json:"steps"`
	Problems []diag.Problem   `json:"problems"`
	Status   int              `json:"status"`
}

func (a *app) nopasswd(r operators.Request) error {
	if p := a.grantee(&r); p != nil {
		return a.refuse(*p)
	}
	services, problems := a.serviceUsers(r)
	var steps []operators.Step
	if len(problems) == 0 {
		steps, problems = operators.ThisHost().Apply(a.ctx, r, services...)
	}
	status := a.statusOf(problems)
	err := a.printed(granted{report.SchemaVersion, r.User, r.DryRun, orEmpty(steps), a.clean(problems), int(status)}, status, func() { a.printSteps(steps) })
	a.say(problems...)
	return err
}

func (a *app) printSteps(steps []operators.Step) {
	for _, s := range steps {
		fmt.Fprintf(a.Stdout, "%s: %s\n", s.State, s)
		if s.Kind == operators.Write && s.State == "planned" {
			for line := range strings.Lines(s.Text) {
				fmt.Fprintf(a.Stdout, "  %s", line)
			}
		}
	}
}

// serviceUsers returns the users that the services run as. If the configuration cannot be
// read they are unknown, so no user becomes an operator.
func (a *app) serviceUsers(r operators.Request) ([]string, []diag.Problem) {
	users := []string{"justnews"}
	if !r.Install {
		return users, nil
	}
	cfg, problems := config.Load(a.source())
	problems = slices.DeleteFunc(diag.Errors(problems), func(p diag.Problem) bool { return p.Code == diag.ConfigMissing })
	if len(problems) > 0 {
		return users, problems
	}
	if cfg != nil {
		for _, i := range cfg.Instances {
			if !slices.Contains(users, i.Service.User) {
				users = append(users, i.Service.User)
			}
		}
	}
	return users, nil
}

func (a *app) grantee(r *operators.Request) *diag.Problem {
	if a.Root != "" {
		return new(diag.New(diag.Usage, "", "--root cannot be combined with nopasswd, which changes this host",
			diag.Do(diag.Run("justnews-gate", "nopasswd", "install", "--dry-run"))))
	}
	if r.User == "" {
		r.User, _ = a.Lookup("SUDO_USER")
	}
	if r.User == "" {
		verb := r.Verb()
		return new(diag.Found(diag.OperatorUser, "", "no user was given: use --user USER",
			"neither --user nor SUDO_USER", "the user that operates JustNews",
			diag.Do(diag.Run("justnews-gate", "nopasswd", verb, "--user", "USER"))))
	}
	if err := operators.CheckUser(r.User); err != nil {
		return new(diag.Found(diag.OperatorUser, r.User, "not a valid user name: "+err.Error(),
			fmt.Sprintf("%q", r.User), operators.Expected, diag.Advise("name one user with --user")))
	}
	return nil
}
