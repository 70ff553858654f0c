// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"
	"io/fs"
	"maps"
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

// Generated compares what the generator has written with what it would write now, which
// this process renders. If this user cannot read an environment file, the timeouts are
// unknown and not compared.
func Generated(cfg *config.Config, env []facts.EnvFile, getenv func(string) string) facts.Generated {
	return generated(generatorDir, cfg, env, emit.Look("", getenv))
}

func generated(dir string, cfg *config.Config, env []facts.EnvFile, machine plan.Machine) facts.Generated {
	files, problems := emit.Render(plan.Build(cfg, machine))
	if len(problems) > 0 {
		files, _ = emit.Render(plan.Closed(machine))
	}
	denied := slices.ContainsFunc(env, func(f facts.EnvFile) bool { return f.Denied })
	outdated := map[string]bool{}
	want := map[string]string{}
	for _, f := range files {
		if f.Name == kernelcmdline.Marker {
			continue
		}
		path := filepath.Join(dir, f.Path())
		outdated[path], want[path] = true, withoutTimeouts(string(f.Text), denied)
		if f.Link != "" {
			want[path] = "-> " + f.Link
		}
	}
	var found facts.Generated
	for _, pattern := range []string{"justnews*.d/*", "justnews*.wants/*", "*.d/" + plan.GuardName, "*.d/" + plan.GuardSettingsName} {
		paths, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range paths {
			have, err := contentOf(path)
			wanted, known := want[path]
			found.There = true
			outdated[path] = !errors.Is(err, fs.ErrPermission) && !(known && withoutTimeouts(have, denied) == wanted)
		}
	}
	maps.DeleteFunc(outdated, func(_ string, is bool) bool { return !is })
	found.Outdated = slices.Sorted(maps.Keys(outdated))
	return found
}

// contentOf returns the text of a generated file, or "-> " and the target of a link.
func contentOf(path string) (string, error) {
	if target, err := os.Readlink(path); err == nil {
		return "-> " + target, nil
	}
	text, err := os.ReadFile(path)
	return string(text), err
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
