// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"justnews/internal/diag"
)

// rivals reports what else starts the instances or replaces their template, and
// returns the commands that disable it. It would undo the migration: JustNews' own
// justnews-cold-start.timer does 45 s after each boot.
func (a *adopter) rivals() []Removal {
	var all []Removal
	for _, r := range a.host.Rivals {
		a.say(diag.UnitRival, place{r.Path, 0}, "it "+r.Does+" besides the gated units", "in "+r.By, "nothing but justnews.target starts the instances", "see the end of justnews.toml")
		commands := diag.Retire(r.Units(), r.Template())
		if len(commands) == 0 {
			all = append(all, Removal{Note: r.Path + " " + r.Does + ": remove those lines by hand"})
		}
		for _, c := range commands {
			all = append(all, Removal{Command: c})
		}
	}
	return all
}
