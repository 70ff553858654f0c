// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Unit is the output of systemctl show for a unit. Times are those of the monotonic clock
// (Monotonic), zero for events that never happened.
type Unit struct {
	Name          string
	LoadState     string
	ActiveState   string
	SubState      string
	Result        string
	UnitFileState string
	StatusText    string
	NRestarts     int
	MainPID       int
	ControlPID    int
	InvocationID  string
	ExecMainStart time.Duration
	ActiveEnter   time.Duration
	InactiveExit  time.Duration
	InactiveEnter time.Duration
	// PreStatus is the exit status of the last ExecStartPre= that ended in this run of the
	// unit, -1 if none did (or a signal ended it).
	PreStatus int
	// Props has every property, as systemctl show prints it. A property that is
	// there several times is joined with newlines.
	Props map[string]string
}

// Unit queries a unit; one that does not exist has LoadState not-found.
func (m *Machine) Unit(name string) Unit {
	m.t.Helper()
	u, err := parseUnit(m.Must("systemctl", "show", "--", name))
	if err != nil {
		m.t.Fatalf("cannot read the properties of %s: %v", name, err)
	}
	return u
}

// Units queries several units at once, and returns them in that order.
func (m *Machine) Units(names ...string) []Unit {
	m.t.Helper()
	if len(names) == 0 {
		return nil // systemctl would show its manager
	}
	units, err := parseUnits(m.Must(append([]string{"systemctl", "show", "--"}, names...)...))
	if err == nil && len(units) != len(names) {
		err = fmt.Errorf("%d units for %d names", len(units), len(names))
	}
	if err != nil {
		m.t.Fatalf("cannot read the properties of %v: %v", names, err)
	}
	return units
}

// Is reports whether the unit is in one of the states. A state is an
// ActiveState ("active"), or one with its SubState ("activating/start-pre").
func (u Unit) Is(states ...string) bool {
	return slices.Contains(states, u.ActiveState) || slices.Contains(states, u.ActiveState+"/"+u.SubState)
}

// String describes the unit in a failing test.
func (u Unit) String() string {
	s := u.Name + ": " + u.LoadState + " " + u.ActiveState + "/" + u.SubState + ", result " + u.Result
	if u.PreStatus >= 0 {
		s += ", gate exited " + strconv.Itoa(u.PreStatus)
	}
	if u.StatusText != "" {
		s += ", status " + strconv.Quote(u.StatusText)
	}
	return s
}

// preStatus finds the exit status in "{ path=… ; code=exited ; status=78/CONFIG }".
var preStatus = regexp.MustCompile(`code=exited ; status=([0-9]+)`)

// parseUnits parses the output of systemctl show for several units, which are separated by
// an empty line.
func parseUnits(show string) ([]Unit, error) {
	var units []Unit
	for one := range strings.SplitSeq(strings.TrimSuffix(show, "\n"), "\n\n") {
		u, err := parseUnit(one)
		if err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	return units, nil
}

func parseUnit(show string) (Unit, error) {
	p := map[string]string{}
	for line := range strings.Lines(show) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			continue
		}
		if old, twice := p[key]; twice {
			value = old + "\n" + value
		}
		p[key] = value
	}
	u := Unit{
		Name: p["Id"], LoadState: p["LoadState"], ActiveState: p["ActiveState"], SubState: p["SubState"],
		Result: p["Result"], UnitFileState: p["UnitFileState"], StatusText: p["StatusText"],
		InvocationID: p["InvocationID"], PreStatus: -1, Props: p,
	}
	var err error
	number := func(key string) int {
		if p[key] == "" {
			return 0
		}
		n, e := strconv.Atoi(p[key])
		if e != nil && err == nil {
			err = e
		}
		return n
	}
	stamp := func(key string) time.Duration { return time.Duration(number(key)) * time.Microsecond }
	u.NRestarts, u.MainPID, u.ControlPID = number("NRestarts"), number("MainPID"), number("ControlPID")
	u.ExecMainStart = stamp("ExecMainStartTimestampMonotonic")
	u.ActiveEnter = stamp("ActiveEnterTimestampMonotonic")
	u.InactiveExit = stamp("InactiveExitTimestampMonotonic")
	u.InactiveEnter = stamp("InactiveEnterTimestampMonotonic")
	if all := preStatus.FindAllStringSubmatch(p["ExecStartPre"], -1); all != nil {
		u.PreStatus, _ = strconv.Atoi(all[len(all)-1][1])
	}
	return u, err
}
