// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/lists"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// ordering returns Wants= and After= of an instance. What the target starts is
// not wanted here: a start job would end the pause between two of its restarts,
// so 17 retrying instances would set the rate. Never Requires= or BindsTo=:
// systemd does not retry a job that failed because of a dependency, and the
// reason would be the dependency instead of the gate's.
func (s *shared) ordering(lines []unitfile.Line, inst *config.Instance) []unitfile.Line {
	units := s.Dependencies(inst)
	if inst.Name == s.Orchestrator.Instance {
		// Wants= alone: a crash takes the preload down with it, and only a start
		// of the orchestrator brings it back. After= would be a cycle, as would the
		// bus, which waits for the preload.
		lines = append(lines, unitfile.Unit("Wants", unitname.Preload))
	}
	for _, unit := range units {
		if _, started := slices.BinarySearch(s.wanted, unit); !inst.Enabled || !started {
			lines = append(lines, unitfile.Unit("Wants", unit))
		}
	}
	for _, unit := range units {
		lines = append(lines, unitfile.Unit("After", unit))
	}
	return lines
}

// wanted returns the units that justnews.target starts: the enabled instances,
// and what they need, sorted.
func wanted(c *config.Config) []string {
	var units []string
	for i := range c.Instances {
		inst := &c.Instances[i]
		if !inst.Enabled {
			continue
		}
		units = append(units, unitname.Of(inst.Name))
		for _, unit := range c.Dependencies(inst) {
			if unit == unitname.Preload || unit == c.MPS.Unit {
				units = append(units, unit)
			}
		}
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// mountsSince has WantsMountsFor=. RequiresMountsFor= would stop the instances
// with the mount.
const mountsSince = 256

func storePaths(c *config.Config) []string {
	return []string{c.Models.Root, c.Models.BaseDir, c.Models.Map}
}

// mounts orders a unit after the mounts that contain paths. For an older
// systemd the names of the possible mount units are listed: ordering after a
// unit that does not exist has no effect.
func (s *shared) mounts(lines []unitfile.Line, paths ...string) []unitfile.Line {
	paths = slices.DeleteFunc(paths, func(p string) bool { return !strings.HasPrefix(p, "/") || p == "/" })
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if s.machine.Systemd >= mountsSince {
		for _, p := range paths {
			lines = append(lines, unitfile.ListedPath("WantsMountsFor", p, false))
		}
		return lines
	}
	units := lists.Flat(paths, MountUnits)
	slices.Sort(units)
	for _, unit := range slices.Compact(units) {
		lines = append(lines, unitfile.Unit("After", unit))
	}
	return lines
}

func programPaths(s *config.Service) []string {
	paths := []string{s.WorkingDirectory}
	if len(s.Exec) > 0 {
		paths = append(paths, path.Dir(s.Exec[0])) // "{instance}" is only replaced in arguments
	}
	return paths
}

// MountUnits returns the names of the mount units for an absolute path and its
// parents (systemd.unit(5), "String escaping").
func MountUnits(p string) []string {
	var units []string
	for p = path.Clean(p); p != "/" && p != "."; p = path.Dir(p) {
		if name := escapePath(p) + ".mount"; len(name) <= 255 {
			units = append(units, name)
		}
	}
	slices.Reverse(units)
	return units
}

func escapePath(p string) string {
	var b strings.Builder
	for i, c := range []byte(strings.Trim(p, "/")) {
		switch {
		case c == '/':
			b.WriteByte('-')
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == ':', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}
