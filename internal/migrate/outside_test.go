// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"math/rand/v2"
	"testing"

	"github.com/BurntSushi/toml"

	"justnews/internal/diag"
	"justnews/internal/migrate"
	"justnews/test/reference/outside"
)

// Names of units, files and variables of a host that was set up by hand become
// neither commands nor options, and leave what is written TOML.
func TestWrite_NoNameBecomesACommandOrOption(t *testing.T) {
	const rounds = 2000
	r := rand.New(rand.NewPCG(1, 2))
	var shell outside.Shell
	removals, wild := 0, 0
	converts := func(host migrate.Host) []diag.Problem {
		made := migrate.Convert(host)
		for _, step := range made.Remove {
			removals++
			if step.Note == "" {
				made.Problems = append(made.Problems, diag.Problem{Fix: diag.Do(step.Command)})
			}
			if line := step.String(); line != diag.Clean(line) {
				t.Errorf("a line that drives a terminal: %q", line)
			}
		}
		if _, err := toml.Decode(made.TOML, &map[string]any{}); err != nil {
			t.Errorf("%v:\n%s", err, made.TOML)
		}
		return made.Problems
	}
	for range rounds {
		problems, ok := outside.Call(r, converts)
		if !ok {
			wild++
		}
		for _, p := range problems {
			shell.Hold(t, "config import", p)
		}
	}
	shell.Split(t)
	t.Logf("%d commands, %d steps", shell.Len(), removals)
	if removals == 0 || wild > rounds/2 {
		t.Errorf("%d steps, %d panics", removals, wild)
	}
}
