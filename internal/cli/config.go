// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/BurntSushi/toml"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/plan"
	"justnews/internal/report"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Read the configuration and name every problem in it."`
	Show  configShowCommand  `cmd:"" help:"Print the configuration in force, defaults included, as TOML."`

	Import configImportCommand `cmd:"" help:"Print a justnews.toml for a host that was set up by hand; changes nothing."`
}

type configCheckCommand struct{}

// checked is the JSON of config check.
type checked struct {
	Schema    int            `json:"schema"`
	Files     []string       `json:"files"`
	Instances []string       `json:"instances"`
	Problems  []diag.Problem `json:"problems"`
	Status    int            `json:"status"`
}

// Run checks the configuration as the generator and the gate read it.
func (c *configCheckCommand) Run(a *app) error {
	cfg, problems := config.Load(a.source())
	if cfg != nil {
		problems = append(problems, a.unitTexts(*cfg)...)
	}
	out := checked{Schema: report.SchemaVersion, Files: []string{}, Instances: []string{}, Problems: report.Clean(problems)}
	if cfg != nil {
		out.Files = cfg.Files
		for _, i := range cfg.Instances {
			out.Instances = append(out.Instances, i.Name)
		}
	}
	status := statusOf(problems)
	out.Status = int(status)
	if a.json() {
		if err := a.printJSON(out); err != nil {
			return err
		}
		return ended(status)
	}
	a.talk.Say(report.ProblemLines(problems))
	if cfg != nil {
		fmt.Fprintf(a.Stdout, "%s: %s\n", diag.Clean(strings.Join(cfg.Files, ", ")), counted(len(cfg.Instances), "instance"))
	} else {
		fmt.Fprintf(a.Stdout, "%s: the gates refuse every instance\n", counted(len(diag.Errors(problems)), "error"))
	}
	return ended(status)
}

// unitTexts are what the generator would refuse although the configuration is
// sound.
func (a *app) unitTexts(cfg config.Config) []diag.Problem {
	if a.ConfigFile != "" { // which no generator reads, so that no unit names it
		cfg.Files = nil
	}
	_, refused := emit.Render(plan.Build(&cfg, plan.Machine{}))
	return refused
}

type configShowCommand struct {
	Origin bool `name:"origin" help:"Name the file and line that set each value."`
}

// Run prints the effective configuration. With problems there is none.
func (c *configShowCommand) Run(a *app) error {
	if c.Origin && a.json() {
		return a.refuse(diag.Problem{
			Code: diag.Usage, Message: "--origin has no JSON form", Fix: diag.Do(diag.Run("justnews-gate", "config", "show", "--origin")),
		})
	}
	cfg, problems := config.Load(a.source())
	a.talk.Say(report.ProblemLines(problems))
	if cfg == nil {
		return ended(statusOf(problems))
	}
	text, _ := config.Effective(a.source(), c.Origin)
	if a.json() {
		return a.printTOML(text)
	}
	_, err := io.WriteString(a.Stdout, text)
	return err
}

// printTOML prints TOML as JSON: the same keys and values.
func (a *app) printTOML(text string) error {
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		return fmt.Errorf("cannot read our own TOML: %w", err)
	}
	return a.printJSON(values)
}

// statusOf returns the exit status that problems ask for: that of the first
// error.
func statusOf(problems []diag.Problem) diag.Status {
	for _, p := range diag.Errors(problems) {
		return p.Status()
	}
	return diag.StatusReady
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
