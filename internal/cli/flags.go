// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
)

type timeoutFlag struct {
	Timeout *span `name:"timeout" placeholder:"TIME" help:"Timeout of the whole run: 300, 300s, 5min. Overrides GATE_TIMEOUT."`
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

// limit is a flag with a number; 0 means no limit.
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

// place is a path. An empty one, most likely an unset variable of a script, is refused.
type place string

// UnmarshalText takes any path but the empty one.
func (p *place) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("expected a path, not an empty argument")
	}
	*p = place(text)
	return nil
}

// instance is an argument that names an instance: scout, or its unit as
// systemctl prints it, justnews@scout.service.
type instance string

// UnmarshalText accepts any text; whether such an instance exists is checked with the
// configuration.
func (i *instance) UnmarshalText(text []byte) error {
	*i = instance(bareInstance(string(text)))
	return nil
}

func bareInstance(name string) string {
	if unit, ok := strings.CutPrefix(name, "justnews@"); ok {
		return strings.TrimSuffix(unit, ".service")
	}
	return name
}

// instanceUnknown reports whether a run was refused because there is no such instance:
// it leaves no record, since no instance has done anything.
func instanceUnknown(r gate.Result) bool {
	return r.Refused && slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return p.Code == diag.InstanceUnknown })
}
