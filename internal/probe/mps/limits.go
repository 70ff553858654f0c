// SPDX-License-Identifier: Apache-2.0

package mps

import (
	"context"
	"strconv"

	"justnews/internal/facts"
)

// SetLimits sets the limits of every client of servers that start from now on:
// memory, one "DEVICE SIZE" for each device ("0 4G"), and the percentage of threads
// (0: not set). Each has to be read back: a value that the daemon does not accept
// removes the limit silently.
//
// Memory cannot be set in the daemon's environment: the daemon then reports
// that it has no default (535 and 550).
func (p Prober) SetLimits(ctx context.Context, memory []string, threads int) facts.MPSAnswer {
	var commands []string
	for _, limit := range memory {
		commands = append(commands, "set_default_device_pinned_mem_limit "+limit)
	}
	if threads > 0 {
		commands = append(commands, "set_default_active_thread_percentage "+strconv.Itoa(threads))
	}
	return p.Ask(ctx, commands...)
}
