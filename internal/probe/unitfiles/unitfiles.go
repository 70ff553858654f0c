// SPDX-License-Identifier: Apache-2.0

// Package unitfiles finds the files that override the packaged units and the
// generator's drop-ins. It reads them by systemd's own rules; their effect is
// reported by systemd and judged elsewhere.
package unitfiles

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/safefile"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// dirs take precedence over the directories of packages and generators
// (systemd.unit(5)), highest first.
var dirs = []string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
}

const maxSize = 1 << 20

// Overrides returns every file there that concerns one of our units, below
// root.
func Overrides(root string) []facts.UnitFile {
	var all []facts.UnitFile
	for _, dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			name := e.Name()
			switch {
			case !strings.HasPrefix(name, "justnews"):
			case strings.HasSuffix(name, ".d"):
				all = append(all, dropIns(root, dir, name)...)
			case isUnit(name):
				all = append(all, look(root, dir, "", name))
			}
		}
	}
	return all
}

func dropIns(root, dir, name string) []facts.UnitFile {
	entries, err := os.ReadDir(filepath.Join(root, dir, name))
	if err != nil {
		return nil
	}
	var all []facts.UnitFile
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".conf") {
			all = append(all, look(root, dir, name, e.Name()))
		}
	}
	return all
}

// ownSections are the sections of the kinds of units, besides the common ones.
var ownSections = map[string]string{".service": "Service", ".target": "Target", ".timer": "Timer", ".socket": "Socket", ".path": "Path"}

func isUnit(name string) bool { return ownSections[filepath.Ext(name)] != "" }

// look reads one file. A link to a unit file, as systemctl enable creates, is
// not an override.
func look(root, dir, sub, name string) facts.UnitFile {
	f := facts.UnitFile{Path: filepath.Join(dir, sub, name), Dir: sub, Name: name}
	if target, err := os.Readlink(filepath.Join(root, f.Path)); err == nil && target == "/dev/null" {
		f.Null = true
		return f
	}
	text, err := read(filepath.Join(root, f.Path))
	switch {
	case errors.Is(err, fs.ErrPermission): // nothing is known of it
	case err != nil:
		f.Broken = []facts.UnitFault{{Reason: err.Error(), Rest: true}}
	default:
		f.Null = len(text) == 0
		settings, faults := unitfile.Scan(text)
		f.Broken = lists.Map(faults, func(x unitfile.Fault) facts.UnitFault { return facts.UnitFault(x) })
		sections := []string{"Unit", ownSections[filepath.Ext(cmp.Or(strings.TrimSuffix(sub, ".d"), name))], "Install"}
		for _, s := range settings {
			switch {
			case slices.Contains(sections, s.Section):
				f.Keys = append(f.Keys, s.Key)
			case !strings.HasPrefix(s.Section, "X-"): // systemd leaves these to other programs
				f.Broken = append(f.Broken, facts.UnitFault{Line: s.Line, Reason: "[" + s.Section + "] is not one of " + strings.Join(sections, ", ")})
			}
		}
	}
	return f
}

func read(name string) ([]byte, error) {
	text, err := safefile.Read(name, maxSize)
	if errors.Is(err, safefile.ErrNotRegular) {
		err = safefile.ErrNotRegular
	}
	return text, err
}

// Dirs are where an administrator's units are, by precedence. A package's own are not
// looked at, but for those of JustNews, which has no packages.
var Dirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"}

// Files that start programs without systemd: cron's, udev's, and SysV's last.
var otherStarters = []string{
	"/etc/crontab", "/etc/cron.d/*", "/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*", "/etc/cron.monthly/*",
	"/var/spool/cron/crontabs/*", "/var/spool/cron/*", "/etc/udev/rules.d/*.rules", "/etc/rc.local", "/etc/init.d/*",
}

// starts is the one act that bypasses no gate: the units are still ours.
const starts = "enables or starts instances"

// does are the acts by which something replaces the packaged template or starts
// instances, the worst one first.
var does = sync.OnceValue(func() []act {
	return []act{
		{"replaces unit files of JustNews", regexp.MustCompile(`\b(?:cp|install|mv|ln|tee|rsync)\b[^\n]*(?:justnews[^\n]*/systemd/system|/systemd/system[^\n]*justnews)|>\s*"?/etc/systemd/system/justnews`)},
		{"runs a script of JustNews that starts instances", regexp.MustCompile(`\b(?:enable_all|cold_start|reset_and_start|canonical_system_startup|justnews-cold-start|justnews-reset-and-restart|rollback_native)\.sh\b`)},
		{"runs a program of JustNews itself", regexp.MustCompile(`\bagents[./]\w+[./]main\b|\bjustnews-start-agent\.sh\b`)},
		{starts, regexp.MustCompile(`\bsystemctl\b[^\n]*\b(?:enable|reenable|start|restart|unmask|try-restart|link|preset)\b[^\n]*justnews@`)},
		// The names of the units in a variable.
		{starts, regexp.MustCompile(`(?s)(?:\w=\(?|\bin\b[^\n]*)["']?justnews@.*\bsystemctl\b[^\n]*\b(?:enable|reenable|start|restart|unmask)\b[^\n]*\$`)},
	}
})

type act struct {
	what string
	text *regexp.Regexp
}

// maxFollowed is how many scripts are read for one unit, one from within another.
const maxFollowed = 6

// Rivals returns what starts or replaces instances besides our units, below root:
// units, timers and cron jobs, by what they and their scripts do.
func Rivals(root string) []facts.Rival {
	s := rivals{root: root, enabled: enabledUnits(root), pulls: pulls(root)}
	var all []facts.Rival
	for _, dir := range Dirs {
		entries, _ := os.ReadDir(filepath.Join(root, dir))
		for _, e := range entries {
			if name := e.Name(); filepath.Ext(name) == ".service" && !ours(name) {
				if r, is := s.unit(filepath.Join(dir, name)); is {
					all = append(all, r)
				}
			}
		}
	}
	for _, pattern := range otherStarters {
		paths, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, path := range paths {
			path = "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
			s.read = 0
			if what, by := s.acts(s.text(path), 0); what != "" {
				all = append(all, facts.Rival{Path: path, Gated: what == starts, Does: what, By: cmp.Or(by, path), Active: true})
			}
		}
	}
	slices.SortFunc(all, func(a, b facts.Rival) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b facts.Rival) bool { return a.Path == b.Path })
}

// ours reports whether a unit is one of the packages', or an instance.
func ours(name string) bool {
	return name == unitname.Template || unitname.Instance(name) != "" ||
		slices.Contains([]string{unitname.Preload, "justnews-mps.service", "justnews-mps-start.service", "justnews-preflight.service", "justnews-renew.service", unitname.Watch}, name)
}

type rivals struct {
	root    string
	enabled map[string]bool // units that a link starts
	pulls   map[string][]string
	read    int // scripts, for the present unit
}

func (s *rivals) unit(path string) (facts.Rival, bool) {
	s.read = 0
	var commands []string
	for _, p := range unitfile.Salvage([]byte(s.text(path))) {
		if strings.HasPrefix(p.Key, "Exec") {
			commands = append(commands, p.Value)
		}
	}
	what, by := s.acts(strings.Join(commands, "\n"), 0)
	if what == "" {
		return facts.Rival{}, false
	}
	name := filepath.Base(path)
	r := facts.Rival{Path: path, Unit: name, Gated: what == starts, Does: what, By: cmp.Or(by, path), Active: s.enabled[name]}
	r.Also = s.starters(name)
	r.Active = r.Active || len(r.Also) > 0
	slices.Sort(r.Also)
	return r, true
}

// starters returns the enabled units that start a unit, an instance of a template, or
// another unit that does, and the instances that they start.
func (s *rivals) starters(name string) []string {
	reached := []string{name}
	add := func(unit string) {
		if !slices.Contains(reached, unit) {
			reached = append(reached, unit)
		}
	}
	for unit := range s.enabled {
		// A timer's own file may be a package's.
		if templateOf(unit) == name || strings.TrimSuffix(unit, filepath.Ext(unit)) == strings.TrimSuffix(name, ".service") {
			add(unit)
		}
	}
	for n := 0; n < len(reached); n++ {
		for from, units := range s.pulls {
			for _, unit := range units {
				if unit == reached[n] || templateOf(unit) == reached[n] {
					add(unit)
					add(from)
				}
			}
		}
	}
	if !slices.ContainsFunc(reached, func(unit string) bool { return s.enabled[unit] }) {
		return nil
	}
	return slices.DeleteFunc(reached, func(unit string) bool { return unit == name || !s.enabled[unit] && templateOf(unit) != name })
}

// templateOf returns the template of an instance, "" for any other unit.
func templateOf(unit string) string {
	prefix, instance, ok := strings.Cut(strings.TrimSuffix(unit, filepath.Ext(unit)), "@")
	if !ok || instance == "" {
		return ""
	}
	return prefix + "@" + filepath.Ext(unit)
}

// pulls are the units that each unit of an administrator starts: those that it wants, and
// those that a timer, path or socket unit triggers, explicitly or by its name.
func pulls(root string) map[string][]string {
	all := map[string][]string{}
	for _, dir := range Dirs {
		entries, _ := os.ReadDir(filepath.Join(root, dir))
		for _, e := range entries {
			name := e.Name()
			if !isUnit(name) || ours(name) || name == unitname.Target {
				continue
			}
			text, err := safefile.Read(filepath.Join(root, dir, name), maxSize)
			if err != nil {
				continue
			}
			var starts []string
			for _, p := range unitfile.Salvage(text) {
				if slices.Contains([]string{"Wants", "Requires", "BindsTo", "Upholds", "Unit", "Service"}, p.Key) {
					starts = append(starts, strings.Fields(p.Value)...)
				}
			}
			if ext := filepath.Ext(name); ext == ".timer" || ext == ".path" || ext == ".socket" {
				starts = append(starts, strings.TrimSuffix(name, ext)+".service")
			}
			all[name] = append(all[name], starts...)
		}
	}
	return all
}

// script finds the paths of scripts in a text.
var script = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:\$\{?\w+\}?)?/[\w./@+-]+`)
})

// variable finds assignments to constants, which paths in scripts begin with.
var variable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^\s*(?:export\s+)?(\w+)=["']?(/[\w./@+-]+)["']?\s*$`)
})

// acts returns the worst that a text does, and which script does it; "" for itself.
// Comments do nothing.
func (s *rivals) acts(text string, depth int) (what, by string) {
	text = withoutComments(text)
	for _, d := range does() {
		if d.text.MatchString(text) {
			what = d.what
			break
		}
	}
	if what != "" && what != starts { // what its scripts do cannot be worse
		return what, ""
	}
	values := map[string]string{}
	for _, m := range variable().FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	for _, path := range script().FindAllString(text, -1) {
		if s.read >= maxFollowed || depth >= 3 {
			break
		}
		if path = os.Expand(path, func(name string) string { return values[name] }); !filepath.IsAbs(path) {
			continue
		}
		content := s.text(filepath.Clean(path))
		if !strings.HasPrefix(content, "#!") {
			continue
		}
		s.read++
		switch inner, where := s.acts(content, depth+1); {
		case inner != "" && inner != starts:
			return inner, cmp.Or(where, path)
		case what == "":
			what, by = inner, cmp.Or(where, path)
		}
	}
	return what, by
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// text returns the beginning of a file, "" if it cannot be read.
func (s *rivals) text(path string) string {
	text, err := safefile.Read(filepath.Join(s.root, path), maxSize)
	if err != nil {
		return ""
	}
	return string(text)
}

// enabledUnits are the names of the links in *.wants and *.requires.
func enabledUnits(root string) map[string]bool {
	all := map[string]bool{}
	for _, dir := range Dirs {
		for _, kind := range []string{"*.wants", "*.requires"} {
			links, _ := filepath.Glob(filepath.Join(root, dir, kind, "*"))
			for _, link := range links {
				all[filepath.Base(link)] = true
			}
		}
	}
	return all
}
