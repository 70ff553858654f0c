// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"

	"justnews/internal/completion"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/report"
)

type completionCommand struct {
	What string `arg:"" enum:"bash,zsh,fish,instances" help:"bash, zsh or fish: the script of that shell; instances: the names that the scripts complete, one a line."`
}

// Run prints a completion script, or what one asks for.
func (c *completionCommand) Run(a *app) error {
	switch {
	case a.json():
		return a.refuse(diag.Problem{
			Code: diag.Usage, Message: "completion has no JSON form", Fix: diag.Do(diag.Run("justnews-gate", "completion", c.What)),
		})
	case c.What == "instances":
		return a.printInstances()
	}
	script, err := Completion(c.What)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Stdout, script)
	return err
}

// Completion returns the completion script of a shell.
func Completion(shell string) (string, error) {
	model, err := Model()
	if err != nil {
		return "", err
	}
	var codes []string
	for _, e := range diag.Catalog() {
		codes = append(codes, string(e.Code))
	}
	instances := completion.Values{Command: "justnews-gate completion instances"}
	return completion.Script(shell, model, map[string]completion.Values{
		"INSTANCE": instances,
		"AGENT":    instances, // each agent that has models is an instance
		"CODE":     {Words: codes},
		"FILE":     {Files: true},
		"DIR":      {Dirs: true},
	})
}

// printInstances prints the names of a configuration that loads.
func (a *app) printInstances() error {
	cfg, problems := config.Load(a.source())
	if cfg == nil {
		a.talk.Say(report.ProblemLines(problems))
		return ended(statusOf(problems))
	}
	for _, i := range cfg.Instances {
		fmt.Fprintln(a.Stdout, i.Name)
	}
	return nil
}
