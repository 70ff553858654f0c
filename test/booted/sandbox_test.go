// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	checkhost "justnews/internal/check/host"
	"justnews/internal/facts"
	"justnews/test/bed"
)

var (
	sandboxes   = flag.Int("sandboxes", 60, "how many sandboxes TestSandbox_HidesWhatSystemdHides compares")
	sandboxSeed = flag.Uint64("sandbox-seed", 1, "the seed of TestSandbox_HidesWhatSystemdHides")
)

// The directories to which the settings of TestSandbox_HidesWhatSystemdHides apply.
// /run/user is not among them: it comes and goes with logins.
var sandboxDirs = []string{"/srv", "/srv/a", "/srv/a/b", "/home", "/home/adra", "/root", "/etc/x", "/opt/m", "/tmp", "/var/tmp"}

// ignoreMissing precedes a path in a setting that may be missing: another setting may have
// put an empty directory over it.
var ignoreMissing = map[string]string{"ReadOnlyPaths": "-", "ReadWritePaths": "-", "InaccessiblePaths": "-", "BindPaths": "-", "BindReadOnlyPaths": "-"}

// drawnSandbox has random settings of a unit, and the facts that follow from them.
type drawnSandbox struct {
	settings []string
	sandbox  facts.Sandbox
}

func drawSandbox(random *rand.Rand) drawnSandbox {
	d := drawnSandbox{}
	s := &d.sandbox
	set := func(name, value string) { d.settings = append(d.settings, name+"="+value) }
	pick := func(name string, values ...string) string {
		value := values[random.IntN(len(values))]
		set(name, value)
		return value
	}
	some := func(name string) (dirs []string) {
		for range random.IntN(3) {
			dir := sandboxDirs[random.IntN(len(sandboxDirs))]
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
				set(name, ignoreMissing[name]+dir)
			}
		}
		return dirs
	}
	s.ProtectSystem = pick("ProtectSystem", "no", "yes", "full", "strict")
	s.ProtectHome = pick("ProtectHome", "no", "no", "read-only", "tmpfs", "yes")
	s.PrivateTmp = pick("PrivateTmp", "no", "yes") == "yes"
	s.ReadOnly = some("ReadOnlyPaths")
	s.Writable = some("ReadWritePaths")
	bound, boundReadOnly := some("BindPaths"), some("BindReadOnlyPaths")
	s.Writable = append(s.Writable, bound...)
	s.ReadOnly = append(s.ReadOnly, boundReadOnly...)
	s.Bound = slices.Concat(bound, boundReadOnly)
	s.Emptied = some("TemporaryFileSystem")
	if random.IntN(3) == 0 {
		s.Inaccessible = some("InaccessiblePaths")
	}
	return d
}

// The paths that a unit's settings hide or make read-only are those that systemd hides and
// makes read-only, as seen by a process in such a unit.
func TestSandbox_HidesWhatSystemdHides(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		m := bed.Boot(t, bed.Options{Suite: suite})
		m.WaitIdle()
		m.Must("sh", "-c", "mkdir -p "+strings.Join(sandboxDirs, " ")+"; for d in "+strings.Join(sandboxDirs, " ")+"; do touch $d/marker; done")
		look := "for d in " + strings.Join(sandboxDirs, " ") + `; do
	if test ! -e $d/marker; then echo hidden; elif touch $d/written 2>/dev/null; then echo writable; else echo read-only; fi
done`
		random := rand.New(rand.NewPCG(*sandboxSeed, 0))
		for i := range *sandboxes {
			d := drawSandbox(random)
			argv := []string{"systemd-run", "--wait", "--quiet", "--pipe"}
			for _, setting := range d.settings {
				argv = append(argv, "--property="+setting)
			}
			r := m.Run(append(argv, "/bin/sh", "-c", look)...)
			words := strings.Fields(r.Stdout)
			if r.Code != 0 || len(words) != len(sandboxDirs) {
				t.Errorf("sandbox %d: %q: exit status %d: %s%s", i, d.settings, r.Code, r.Stdout, r.Stderr)
				continue
			}
			for k, dir := range sandboxDirs {
				// In systemd 252, ProtectHome=tmpfs does not make a bound home read-only.
				older := suite == bed.Bookworm && d.sandbox.ProtectHome == "tmpfs" && words[k] == "writable"
				if said := judged(d.sandbox, dir); said != words[k] && !(older && said == "read-only") {
					t.Errorf("sandbox %d of seed %d: %q: %s is %s, but reported as %s", i, *sandboxSeed, d.settings, dir, words[k], said)
				}
			}
		}
	})
}

func judged(s facts.Sandbox, dir string) string {
	switch {
	case checkhost.Hidden(s, dir) != "":
		return "hidden"
	case checkhost.ReadOnly(s, dir) != "":
		return "read-only"
	}
	return "writable"
}
