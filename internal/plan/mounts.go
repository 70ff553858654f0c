// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/unitfile"
)

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
	var units []string
	for _, p := range paths {
		units = append(units, MountUnits(p)...)
	}
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
