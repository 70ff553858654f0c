// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"strconv"
	"time"
)

// limit is a flag with a number; 0 is no limit.
type limit int

// UnmarshalText reads a whole number from 0 on.
func (l *limit) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		return errors.New("expected a whole number from 0 on")
	}
	*l = limit(n)
	return nil
}

// seconds converts those of a record.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
