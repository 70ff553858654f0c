// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"justnews/internal/config"
)

// timeoutFlag is the flag of the commands that wait.
type timeoutFlag struct {
	Timeout *span `name:"timeout" placeholder:"TIME" help:"Time-out of the whole run: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
}

// span is a flag that takes what GATE_TIMEOUT takes: 300, 300s, 5min.
type span time.Duration

// UnmarshalText reads a time span of whole seconds, from one to a day.
func (s *span) UnmarshalText(text []byte) error {
	d, err := config.Timeout(string(text))
	*s = span(d)
	return err
}

// duration returns the value of a flag, nil if it was not given.
func (s *span) duration() *time.Duration { return (*time.Duration)(s) }
