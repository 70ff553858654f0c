// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"

	"justnews/internal/completion"
	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/requirement"
)

type completionCommand struct {
	What string `arg:"" enum:"bash,zsh,fish,instances,agents" help:"bash, zsh or fish: the script for that shell; instances or agents: their names for completion, one per line."`
}

// Run prints a completion script, or the names that one requests.
func (c *completionCommand) Run(a *app) error {
	a.limited("completion", completing)
	switch {
	case a.json():
		return a.misuse("completion cannot be combined with --json", diag.Run("justnews-gate", "completion", c.What))
	case c.What == "instances":
		return a.printInstances()
	case c.What == "agents":
		return a.printAgents()
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
	codes := lists.Map(diag.Codes(), func(code diag.Code) string { return string(code) })
	return completion.Script(shell, Model(), map[string]completion.Values{
		"INSTANCE": {Command: "justnews-gate completion instances"},
		"AGENT":    {Command: "justnews-gate completion agents"},
		"CODE":     {Words: codes},
		"FILE":     {Files: true},
		"DIR":      {Dirs: true},
	})
}

func (a *app) printInstances() error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	a.print(cfg.InstanceNames())
	return nil
}

func (a *app) printAgents() error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	w, _ := requirement.ForHost(cfg, a.lookup(cfg, ""), requirement.Flags{})
	m := a.modelMap(w)
	if m.Models == nil {
		a.say(m.Problems...)
		return ended(diag.StatusStoreIncomplete)
	}
	for _, agent := range m.Models.Agents {
		fmt.Fprintln(a.Stdout, agent.Name)
	}
	return nil
}
