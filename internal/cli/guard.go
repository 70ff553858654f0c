// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"justnews/internal/check/unit"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/plan"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
)

type guardCommand struct {
	Install   guardInstallCommand   `cmd:"" help:"Write a guard's gate to /etc, where it does not depend on the generator."`
	Uninstall guardUninstallCommand `cmd:"" help:"Remove the drop-ins that install wrote."`
}

type guardInstallCommand struct {
	Guards []string `arg:"" optional:"" name:"guard" help:"Names of guards, or their units; default: all configured ones."`
	DryRun bool     `name:"dry-run" help:"Print what would be written without writing it."`
}

type guardUninstallCommand struct {
	Guards []string `arg:"" optional:"" name:"guard" help:"Names of guards, or their units, configured or not."`
	All    bool     `name:"all" help:"Uninstall all guards of this host, configured or not."`
	DryRun bool     `name:"dry-run" help:"Print what would be removed without removing it."`
}

const guardsDir = "/etc/systemd/system"

// writtenBy is the first line of a drop-in that install wrote, as a comment.
const writtenBy = "Written by: justnews-gate guard install"

type guardChange struct {
	Unit  string `json:"unit"`
	Path  string `json:"path"`
	State string `json:"state"` // planned, written, removed, unneeded, failed
	text  []byte
}

// guardsChanged is the JSON of guard install and uninstall.
type guardsChanged struct {
	Schema   int            `json:"schema"`
	DryRun   bool           `json:"dry_run"`
	Guards   []guardChange  `json:"guards"`
	Problems []diag.Problem `json:"problems"`
	Status   int            `json:"status"`
}

// Run writes the drop-ins of the named guards.
func (c *guardInstallCommand) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	chosen, problems := chosenGuards(cfg, c.Guards)
	var changes []guardChange
	for _, g := range chosen {
		change, err := installOf(&g)
		if err == nil {
			err = a.install(&change, c.DryRun)
		}
		if err != nil {
			problems = append(problems, a.notChanged(&change, err))
		}
		changes = append(changes, change)
	}
	return a.guardsChanged(changes, problems, c.DryRun)
}

func chosenGuards(cfg *config.Config, names []string) (chosen []config.Guard, problems []diag.Problem) {
	if len(names) == 0 {
		return cfg.Guards, nil
	}
	for _, name := range names {
		at := slices.IndexFunc(cfg.Guards, func(g config.Guard) bool { return name == g.Name || name == g.Unit })
		if at < 0 {
			problems = append(problems, requirement.NoGuard(name))
			continue
		}
		chosen = append(chosen, cfg.Guards[at])
	}
	return chosen, problems
}

func changeOf(unit string) guardChange {
	return guardChange{Unit: unit, Path: filepath.Join(guardsDir, unit+".d", plan.GuardName), State: "planned"}
}

func installOf(g *config.Guard) (change guardChange, err error) {
	d := plan.GuardLine(g.Unit, g.After(), writtenBy+". Remove it with: justnews-gate guard uninstall "+g.Unit)
	change = changeOf(g.Unit)
	change.text, err = d.Append(nil)
	return change, err
}

// uninstalledGuards warns of guards that depend on the generator. A file that install
// did not write is the operator's own way of doing it, which preflight judges.
func (a *app) uninstalledGuards(cfg *config.Config) []diag.Problem {
	if a.ConfigFile != "" { // which is no host's yet
		return nil
	}
	var problems []diag.Problem
	for i := range cfg.Guards {
		change, err := installOf(&cfg.Guards[i])
		if err != nil {
			continue // config check says so
		}
		text, err := a.installed(change)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(text, change.text) {
			problems = append(problems, unit.Volatile(change.Unit))
		}
	}
	return problems
}

var errNotOurs = errors.New("there is a file that guard install did not write")

// install writes one drop-in, but not over a file that it did not write.
func (a *app) install(change *guardChange, dry bool) error {
	old, err := a.installed(*change)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && bytes.Equal(old, change.text):
		change.State = "unneeded"
		return nil
	case dry:
		return nil
	}
	change.State = "written"
	return emit.Write(a.below(guardsDir), []emit.File{{Dir: change.Unit + ".d", Name: plan.GuardName, Text: change.text}})
}

func (a *app) installed(change guardChange) ([]byte, error) {
	text, err := safefile.Read(a.below(change.Path), 1<<20)
	if err == nil && !bytes.HasPrefix(text, []byte("# "+writtenBy)) {
		err = errNotOurs
	}
	return text, err
}

// Run removes the drop-ins of the named guards.
func (c *guardUninstallCommand) Run(a *app) error {
	if c.All == (len(c.Guards) > 0) {
		return a.misuse("guard uninstall needs either the names of guards or --all", diag.Run("justnews-gate", "guard", "uninstall", "--all"))
	}
	cfg, _ := config.Load(a.source()) // a broken one keeps nobody from uninstalling
	var units []string
	for _, name := range c.Guards {
		if cfg != nil {
			if at := slices.IndexFunc(cfg.Guards, func(g config.Guard) bool { return g.Name == name }); at >= 0 {
				name = cfg.Guards[at].Unit
			}
		}
		units = append(units, name)
	}
	if c.All {
		units = a.installedUnits()
	}
	var changes []guardChange
	var problems []diag.Problem
	for _, name := range units {
		if !config.ServiceName(name) {
			problems = append(problems, noGuard(name))
			continue
		}
		change := changeOf(name)
		if err := a.uninstall(&change, c.DryRun); err != nil {
			problems = append(problems, a.notChanged(&change, err))
		}
		changes = append(changes, change)
	}
	return a.guardsChanged(changes, problems, c.DryRun)
}

// noGuard is the problem of a name that is not that of a unit either, so that there can
// be no drop-in.
func noGuard(name string) diag.Problem {
	p := requirement.NoGuard(name)
	p.Fix = diag.Advise("name one that it lists").Looking(diag.Run("justnews-gate", "guard", "uninstall", "--all", "--dry-run"))
	return p
}

func (a *app) installedUnits() []string {
	paths, _ := filepath.Glob(filepath.Join(a.below(guardsDir), "*.service.d", plan.GuardName))
	var units []string
	for _, path := range paths {
		dir := filepath.Base(filepath.Dir(path))
		name := dir[:len(dir)-len(".d")]
		if _, err := a.installed(changeOf(name)); err == nil {
			units = append(units, name)
		}
	}
	return units
}

// uninstall removes one drop-in, and its directory where nothing else is in it.
func (a *app) uninstall(change *guardChange, dry bool) error {
	_, err := a.installed(*change)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		change.State = "unneeded"
		return nil
	case err != nil, dry:
		return err
	}
	change.State = "removed"
	path := a.below(change.Path)
	if err := os.Remove(path); err != nil {
		return err
	}
	_ = os.Remove(filepath.Dir(path))
	return nil
}

func (a *app) notChanged(change *guardChange, err error) diag.Problem {
	change.State = "failed"
	p := diag.Found(diag.GuardWrite, change.Path, "the drop-in of a guard cannot be changed",
		err.Error(), "", diag.Advise("run it as root"))
	if errors.Is(err, errNotOurs) {
		p.Fix = diag.Advise("move the file to another name, and run the same command again").Looking(diag.CatUnit(change.Unit))
	}
	return p
}

// guardsChanged prints the outcome for each drop-in, and that systemd has to reload them.
func (a *app) guardsChanged(changes []guardChange, problems []diag.Problem, dry bool) error {
	status := a.statusOf(problems)
	out := guardsChanged{report.SchemaVersion, dry, orEmpty(changes), a.clean(problems), int(status)}
	err := a.printed(out, status, func() {
		changed := false
		for _, c := range changes {
			fmt.Fprintf(a.Stdout, "%s: %s\n", c.State, diag.Clean(c.Path))
			changed = changed || c.State == "written" || c.State == "removed"
			if c.State == "planned" {
				for line := range bytes.Lines(c.text) {
					fmt.Fprintf(a.Stdout, "  %s", line)
				}
			}
		}
		if len(changes) == 0 && len(problems) == 0 {
			fmt.Fprintln(a.Stdout, "no guards")
		}
		if changed && a.Root == "" {
			a.print([]string{"next: run", "  " + diag.Reload().String()})
		}
	})
	a.say(problems...)
	return err
}
