// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/report"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Read the configuration and name every problem in it."`
	Show  configShowCommand  `cmd:"" help:"Print the configuration in force, defaults included, as TOML."`
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
	out := checked{Schema: report.SchemaVersion, Files: []string{}, Instances: []string{}, Problems: problems}
	if cfg != nil {
		out.Files = cfg.Files
		for _, i := range cfg.Instances {
			out.Instances = append(out.Instances, i.Name)
		}
	}
	if out.Problems == nil {
		out.Problems = []diag.Problem{}
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
		fmt.Fprintf(a.Stdout, "%s: %s\n", strings.Join(cfg.Files, ", "), counted(len(cfg.Instances), "instance"))
	} else {
		fmt.Fprintf(a.Stdout, "%s\n", counted(len(diag.Errors(problems)), "error"))
	}
	return ended(status)
}

type configShowCommand struct {
	Origin bool `name:"origin" help:"Name the file and line that set each value."`
}

// Run prints the effective configuration. With problems there is none.
func (c *configShowCommand) Run(a *app) error {
	cfg, problems := config.Load(a.source())
	a.talk.Say(report.ProblemLines(problems))
	if cfg == nil {
		return ended(statusOf(problems))
	}
	if a.json() {
		return a.printJSON(cfg)
	}
	text, _ := config.Effective(a.source(), c.Origin)
	_, err := io.WriteString(a.Stdout, text)
	return err
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
