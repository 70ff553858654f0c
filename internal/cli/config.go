// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"justnews/internal/check/host"
	"justnews/internal/check/store"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/emit"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/migrate"
	"justnews/internal/modelmap"
	"justnews/internal/plan"
	"justnews/internal/preflight"
	"justnews/internal/probe/environ"
	"justnews/internal/report"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
	"justnews/internal/unitname"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Check the configuration and report every problem."`
	Show  configShowCommand  `cmd:"" help:"Print the effective configuration as TOML, including defaults."`

	Import configImportCommand `cmd:"" help:"Print a justnews.toml for a host that was set up by hand; changes nothing."`
}

type configCheckCommand struct{}

// Run checks the configuration as the generator and the gate read it.
func (c *configCheckCommand) Run(a *app) error {
	cfg, problems := config.Load(a.source())
	problems = append(problems, config.Ignored(a.source())...)
	if cfg != nil {
		problems = append(problems, a.unitTexts(*cfg)...)
		problems = append(problems, a.namedInTime(cfg)...)
		problems = append(problems, a.uninstalledGuards(cfg)...)
	}
	out := report.ConfigCheck{Schema: report.SchemaVersion, Files: []string{}, Instances: []string{}, Problems: a.clean(problems)}
	if cfg != nil {
		out.Files, out.Instances = cfg.Files, cfg.InstanceNames()
	}
	status := a.statusOf(problems)
	out.Status = int(status)
	return a.printed(out, status, func() {
		a.say(problems...)
		if cfg == nil {
			fmt.Fprintf(a.Stdout, "%s: the gates refuse every instance\n", diag.Count(len(diag.Errors(problems)), "error"))
			return
		}
		what := diag.Count(len(cfg.Instances), "instance")
		if len(cfg.Guards) > 0 {
			what += ", " + diag.Count(len(cfg.Guards), "guard")
		}
		fmt.Fprintf(a.Stdout, "%s: %s\n", diag.Clean(strings.Join(cfg.Files, ", ")), what)
		a.print(a.next(cfg, problems))
	})
}

// namedFor limits the time of the search for files named in the configuration, which may be
// on a file system that never answers.
const namedFor = 5 * time.Second

func (a *app) namedInTime(cfg *config.Config) []diag.Problem {
	ctx, cancel := context.WithTimeout(a.ctx, namedFor)
	defer cancel()
	problems, err := safefile.Do(ctx, func() ([]diag.Problem, error) { return a.named(cfg), nil })
	if err != nil {
		return []diag.Problem{store.Hung(cfg.Models.Root, namedFor)}
	}
	return problems
}

// named returns warnings about files and users in the configuration that the host lacks.
// The units' environment overrides the file.
func (a *app) named(cfg *config.Config) []diag.Problem {
	h := a.host()
	if a.Root != "" {
		h = preflight.Real(string(a.Root), false)
	}
	env := host.Environment(facts.Unit{EnvironmentFiles: []string{environ.Dir + "/global.env"}}, environ.Files(h.Root))
	w, _ := requirement.ForHost(cfg, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, requirement.Flags{})
	onHost := *cfg
	if a.ConfigFile != "" { // which no gate reads
		onHost.Files = nil
	}
	problems := preflight.Named(&onHost, w.Models.Root, h)
	if len(cfg.Instances) > 0 && cfg.Models.HasMap() {
		if m := modelmap.ReadFile(a.below(w.Models.Map)); !unreadableToUs(m, os.Geteuid()) {
			problems = append(problems, store.Map(m, w.Models.MapWritten)...)
		}
	}
	return diag.AtWorst(problems, diag.Warning) // nothing has been started yet
}

// unreadableToUs reports whether only this user may not read a map: the services run as
// others.
func unreadableToUs(m modelmap.File, euid int) bool {
	return errors.Is(m.Err, fs.ErrPermission) && euid != 0
}

// next returns what to do with a valid configuration. If no instance
// is listed, the warning says it.
func (a *app) next(cfg *config.Config, problems []diag.Problem) []string {
	if cfg.Empty() || len(diag.Errors(problems)) > 0 || a.NoSystemd {
		return nil
	}
	var first []string
	if slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Severity == diag.Warning }) {
		first = append(first, "fix the warnings")
	}
	switch {
	case a.ConfigFile != "":
		first = append(first, "copy it to /etc/justnews/justnews.toml")
	case a.Root != "":
		return nil // no host that runs
	}
	lines := []string{"next: run"}
	if len(first) > 0 {
		lines[0] = "next: " + strings.Join(first, ", ") + ", then run"
	}
	for _, c := range diag.Lines([]diag.Command{diag.Reload(), diag.Run("systemctl", "enable", "--now", unitname.Target), diag.Run("justnews-gate", "status")}) {
		lines = append(lines, "  "+c)
	}
	return lines
}

// unitTexts returns the values that the generator would reject although the configuration is
// valid.
func (a *app) unitTexts(cfg config.Config) []diag.Problem {
	if a.ConfigFile != "" { // which no generator reads, so that no unit names it
		cfg.Files = nil
	}
	_, refused := emit.Render(plan.Build(&cfg, plan.Machine{}))
	return refused
}

type configShowCommand struct {
	Origin bool `name:"origin" help:"Show the file and line that set each value."`
}

// Run prints the effective configuration. With problems there is none.
func (c *configShowCommand) Run(a *app) error {
	if c.Origin && a.json() {
		return a.misuse("--origin cannot be combined with --json", diag.Run("justnews-gate", "config", "show", "--origin"))
	}
	text, problems := config.Effective(a.source(), c.Origin)
	a.say(problems...)
	if len(diag.Errors(problems)) > 0 {
		return ended(diag.StatusOf(problems))
	}
	if !a.json() {
		_, err := io.WriteString(a.Stdout, text)
		return err
	}
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		return fmt.Errorf("cannot parse the generated TOML: %w", err)
	}
	return a.printJSON(values)
}

type configImportCommand struct{}

// imported is the JSON of config import.
type imported struct {
	Schema    int            `json:"schema"`
	Instances []string       `json:"instances"`
	TOML      string         `json:"toml"`
	Remove    []string       `json:"remove"`
	Problems  []diag.Problem `json:"problems"`
	Status    int            `json:"status"`
}

// Run prints a justnews.toml for a host that was set up by hand. It writes and
// deletes nothing.
func (c *configImportCommand) Run(a *app) error {
	if a.ConfigFile != "" {
		return a.misuse("config import does not read a configuration: it cannot be combined with --config", diag.Run("justnews-gate", "config", "import"))
	}
	host, err := migrate.Read(string(a.Root))
	if err != nil {
		return a.refuse(diag.New(diag.Usage, string(a.Root), "cannot be read: "+err.Error(),
			diag.Do(diag.Run("justnews-gate", "config", "import", "--root", "DIR"))))
	}
	r := migrate.Convert(host)
	problems := r.Problems
	if r.TOML != "" {
		wrong, err := selfCheck(r.TOML)
		if err != nil {
			return err
		}
		problems = append(problems, wrong...)
	}
	status := a.statusOf(problems)
	out := imported{
		Schema: report.SchemaVersion, Instances: orEmpty(r.Instances), TOML: r.TOML, Remove: lists.Map(r.Remove, migrate.Removal.String),
		Problems: a.clean(problems), Status: int(status),
	}
	return a.printed(out, status, func() {
		a.say(problems...)
		fmt.Fprint(a.Stdout, r.TOML) // what is lost is noticed at the end
		if r.TOML != "" {
			fmt.Fprintf(a.Stderr, "justnews-gate: %s; the end of the output says what to remove afterwards\n", diag.Count(len(r.Instances), "instance"))
		}
	})
}

// selfCheck runs config check on the result: two settings of the old host
// can contradict each other in a way that only the whole shows.
func selfCheck(text string) (problems []diag.Problem, err error) {
	f, err := os.CreateTemp("", "justnews-import-*.toml")
	if err != nil {
		return nil, fmt.Errorf("cannot check the result: %w", err)
	}
	defer func() { // a boot empties /tmp, and may come to it just now
		if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(0o600), f.Close()); err != nil {
		return nil, fmt.Errorf("cannot check the result: %w", err)
	}
	_, problems = config.Load(config.Source{File: f.Name(), Owner: os.Geteuid()})
	for i, p := range problems {
		if p.Position != nil { // the file no longer exists when this is read
			problems[i].Position = &diag.Position{File: "the output", Line: p.Position.Line, Column: p.Position.Column}
		}
		if p.Fix.Empty() {
			problems[i].Fix = diag.Advise("correct the line in the output")
		}
	}
	return problems, nil
}
