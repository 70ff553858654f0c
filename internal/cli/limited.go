// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/process"
)

// limited ends a command that only looks after a limit, whatever does not answer.
// What it returns ends the watch.
func (a *app) limited(name string, limit time.Duration) func() {
	if a.Exit == nil {
		return func() {}
	}
	a.watchdog = &process.Watchdog{
		Report: func(doing process.Doing) {
			a.talk.Say(a.problemLines(gate.Hung("", "", a.Began, doing.What, "").Problems))
		},
		End: func() { a.endNow(diag.StatusTimeout) },
	}
	a.doing(name)
	a.watchdog.Until(a.Began.Add(limit))
	return a.watchdog.Stop
}

// completing is how long a shell waits for words.
const completing = 2 * time.Second
