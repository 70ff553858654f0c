// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"time"

	"justnews/internal/config"
)

// span is a flag that takes what GATE_TIMEOUT takes: 300, 300s, 5min.
type span struct {
	value time.Duration
	given bool
}

// UnmarshalText reads a time span of whole seconds, from one to a day.
func (s *span) UnmarshalText(text []byte) error {
	d, err := config.Timeout(string(text))
	if err != nil {
		return err
	}
	s.value, s.given = d, true
	return nil
}

func (s span) pointer() *time.Duration {
	if !s.given {
		return nil
	}
	return &s.value
}
