// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/process"
)

// watched ends a command by hand that only looks, where a file system does not
// answer: soon after a signal, and after limit (0: none). What it returns ends the
// watch. A command that changes the host is not for it: that ends by itself.
func (a *app) watched(name string, limit time.Duration) func() {
	if a.Exit == nil {
		return func() {}
	}
	a.watchdog = &process.Watchdog{
		Report: func(doing process.Doing) {
			a.talk.Say(a.problemLines(gate.Hung("", "", a.Began, doing.What, "").Problems))
		},
		End: func() { a.Exit(int(a.unlessCtrlC(diag.StatusTimeout))) },
	}
	a.doing(name)
	if limit > 0 {
		a.watchdog.Until(a.Began.Add(limit))
	}
	unhook := context.AfterFunc(a.ctx, a.watchdog.Asked)
	return func() {
		unhook()
		a.watchdog.Stop()
	}
}

// completing is how long a shell waits for words.
const completing = 2 * time.Second
