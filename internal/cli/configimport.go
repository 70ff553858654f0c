// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/migrate"
	"justnews/internal/report"
)

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
		return a.refuse(diag.Problem{
			Code: diag.Usage, Subject: string(a.Root), Message: "cannot be read: " + err.Error(), Fix: diag.Do(diag.Run("justnews-gate", "config", "import", "--root", "DIR")),
		})
	}
	r := migrate.Adopt(host)
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
		Schema: report.SchemaVersion, Instances: orEmpty(r.Instances), TOML: r.TOML, Remove: linesOf(r.Remove),
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

// linesOf returns what has to be done, one shell command per line.
func linesOf(all []migrate.Removal) []string {
	lines := []string{}
	for _, r := range all {
		lines = append(lines, r.String())
	}
	return lines
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
		if p.Position != nil { // the file is gone when somebody reads this
			problems[i].Position = &diag.Position{File: "the output", Line: p.Position.Line, Column: p.Position.Column}
		}
		if p.Fix.Empty() {
			problems[i].Fix = diag.Advise("correct the line in the output")
		}
	}
	return problems, nil
}
