// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/emit"
	"justnews/internal/facts"
	"justnews/internal/kernelcmdline"
	"justnews/internal/plan"
)

// generatorDir is the directory that systemd passes to a generator.
const generatorDir = "/run/systemd/generator"

// Generated renders, in this process, what the generator would write now, and pairs it with
// what it did write. If this user cannot read an environment file, the timeouts are unknown
// and omitted from both.
func Generated(cfg *config.Config, env []facts.EnvFile, getenv func(string) string) []facts.Generated {
	return generated(generatorDir, cfg, env, emit.Look("", getenv))
}

func generated(dir string, cfg *config.Config, env []facts.EnvFile, machine plan.Machine) []facts.Generated {
	files, problems := emit.Render(plan.Build(cfg, machine))
	if len(problems) > 0 {
		files, _ = emit.Render(plan.Closed(machine))
	}
	denied := slices.ContainsFunc(env, func(f facts.EnvFile) bool { return f.Denied })
	seen := map[string]int{}
	var all []facts.Generated
	for _, f := range files {
		if f.Name == kernelcmdline.Marker {
			continue
		}
		g := facts.Generated{Path: filepath.Join(dir, f.Path()), Want: withoutTimeouts(string(f.Text), denied), Wanted: true}
		if f.Link != "" {
			g.Want = "-> " + f.Link
		}
		seen[g.Path] = len(all)
		all = append(all, g)
	}
	for path, g := range written(dir) {
		g.Have = withoutTimeouts(g.Have, denied)
		if at, wanted := seen[path]; wanted {
			all[at].Have, all[at].There, all[at].Denied = g.Have, g.There, g.Denied
			continue
		}
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b facts.Generated) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// written reads the existing generated files.
func written(dir string) map[string]facts.Generated {
	found := map[string]facts.Generated{}
	for _, pattern := range []string{"justnews*.d/*", "justnews*.wants/*", "*.d/" + plan.GuardName, "*.d/" + plan.GuardSettingsName} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, name := range names {
			g := facts.Generated{Path: name, There: true}
			if target, err := os.Readlink(name); err == nil {
				g.Have = "-> " + target
			} else if text, err := os.ReadFile(name); err == nil {
				g.Have = string(text)
			} else {
				g.Denied = errors.Is(err, fs.ErrPermission)
			}
			found[name] = g
		}
	}
	return found
}

// withoutTimeouts leaves out the lines that depend on GATE_TIMEOUT.
func withoutTimeouts(text string, denied bool) string {
	if !denied {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "TimeoutStartSec=") && !strings.HasPrefix(line, "StartLimitIntervalSec=") {
			b.WriteString(line)
		}
	}
	return b.String()
}
