// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"

	"justnews/internal/completion"
	"justnews/internal/diag"
	"justnews/internal/lists"
	"justnews/internal/modelmap"
	"justnews/internal/requirement"
)

type completionCommand struct {
	What string `arg:"" enum:"bash,zsh,fish,instances,agents" help:"bash, zsh or fish: the script for that shell; instances or agents: their names, one per line."`
}

// Run prints a completion script, or names.
func (c *completionCommand) Run(a *app) error {
	a.limited("completion", completing)
	switch {
	case a.json():
		return a.misuse("completion cannot be combined with --json", diag.Run("justnews-gate", "completion", c.What))
	case c.What == "instances":
		return a.printNames(a.instances())
	case c.What == "agents":
		return a.printNames(a.agents())
	}
	script, err := completion.Script(c.What)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Stdout, script)
	return err
}

type candidatesCommand struct {
	Words []string `arg:"" help:"The words after the program's name, as far as the one that is completed."`
}

// Run answers the completion scripts. It exits as a refusal does: if a variable on a unit's
// command line adds this command, its --gate-only is one of the words.
func (c *candidatesCommand) Run(a *app) error {
	a.limited("completion", completing)
	model, last := Model(), len(c.Words)-1
	typed := c.Words[:last]
	if gate, gated, wrong := gateOnly(typed); gated && wrong == nil {
		typed = gate
	}
	if firstWord(model, typed) >= 0 {
		hideGateOnly(model)
	}
	codes := lists.Map(diag.Codes(), func(code diag.Code) string { return string(code) })
	a.print(completion.Lines(model, append(typed, c.Words[last]), map[string]completion.Values{
		"INSTANCE": {Names: a.instances},
		"AGENT":    {Names: a.agents},
		"CODE":     {Names: func() ([]string, error) { return codes, nil }},
		"FILE":     {Shell: completion.Files},
		"DIR":      {Shell: completion.Directories},
	}))
	return ended(a.end(diag.StatusUsage))
}

func (a *app) printNames(names []string, err error) error {
	a.print(names)
	return err
}

func (a *app) instances() ([]string, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	return cfg.InstanceNames(), nil
}

func (a *app) agents() ([]string, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	w, _ := requirement.ForHost(cfg, a.lookup(cfg, ""), requirement.Flags{})
	m := a.modelMap(w)
	if m.Models == nil {
		a.say(m.Problems...)
		return nil, ended(diag.StatusStoreIncomplete)
	}
	return lists.Map(m.Models.Agents, func(agent modelmap.Agent) string { return agent.Name }), nil
}
