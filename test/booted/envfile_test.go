// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	checkhost "justnews/internal/check/host"
	"justnews/internal/envfile"
	"justnews/internal/probe/environ"
	"justnews/internal/probe/systemd"
	"justnews/test/bed"
)

var (
	envFiles = flag.Int("envfiles", 300, "how many environment files TestEnvFile_PID1ReadsTheSame compares")
	envSeed  = flag.Uint64("envseed", 1, "of these environment files")
)

// envUnit prints the environment from its file.
const envUnit = `[Service]
Type=oneshot
EnvironmentFile=/env/%i
ExecStart=/usr/bin/env -0
StandardOutput=truncate:/env/out/%i
`

// Each systemd reads random environment files as envfile does: the same variables with the
// same values, or nothing from the file.
func TestEnvFile_PID1ReadsTheSame(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		m := bed.Boot(t, bed.Options{Suite: suite, Prepare: func(tree *bed.Tree) {
			tree.WriteFile("/etc/systemd/system/envfile@.service", envUnit)
			tree.Mkdir("/env/out")
			tree.WriteFile("/env/empty", "")
		}})
		m.Must("systemctl", "start", "envfile@empty.service")
		own := processEnv(m, "empty")
		random := rand.New(rand.NewPCG(*envSeed, 0))
		refused := 0
		for done := 0; done < *envFiles; {
			texts := map[string]string{}
			var units []string
			for ; len(texts) < 100 && done < *envFiles; done++ {
				name := fmt.Sprint(done)
				texts[name] = envText(random, suite != bed.Bookworm)
				m.WriteFile("/env/"+name, texts[name])
				units = append(units, "envfile@"+name+".service")
			}
			// A file that systemd rejects fails its unit.
			m.RunFor(5*time.Minute, append([]string{"systemctl", "start"}, units...)...)
			for name, text := range texts {
				want, err := readAsWeDo(t, text)
				got := processEnv(m, name)
				if err != nil {
					refused++
				}
				if (err != nil) != (got == nil) || err == nil && !maps.Equal(got, merged(own, want)) {
					t.Errorf("seed %d, file %s: %q\nwe read %q, %v\nsystemd %s gives %q", *envSeed, name, text, want, err, m.Version, got)
				}
			}
			m.Run("systemctl", "reset-failed")
		}
		t.Logf("systemd %s: %d files of seed %d, of which it refuses %d", m.Version, *envFiles, *envSeed, refused)
		if refused == 0 || refused == *envFiles {
			t.Errorf("%d of %d files are rejected: that compares nothing", refused, *envFiles)
		}
	})
}

// processEnv is the environment of the unit's process, without variables that differ
// between starts; nil if it was not started.
func processEnv(m *bed.Machine, name string) map[string]string {
	if !m.Exists("/env/out/" + name) {
		return nil
	}
	vars := map[string]string{}
	for _, v := range strings.Split(strings.TrimSuffix(m.ReadFile("/env/out/"+name), "\x00"), "\x00") {
		key, value, _ := strings.Cut(v, "=")
		vars[key] = value
	}
	for _, each := range []string{"INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE"} {
		delete(vars, each)
	}
	return vars
}

// validName is systemd's rule for the name of a variable (env_name_is_valid).
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readAsWeDo returns the variables that envfile reads and that a process can have.
func readAsWeDo(t *testing.T, text string) (map[string]string, error) {
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	vars, err := envfile.Read(file)
	maps.DeleteFunc(vars, func(name, _ string) bool { return !validName.MatchString(name) })
	return vars, err
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// envPieces are what environment files are made of, valid or not.
var envPieces = []string{
	"A", "B", "_c", "D1", "2E", "F G", "export H", "Ü", "=", "=", "=", "=", " = ", "==", "x", "y z", "300s", "%i", "$A", "${B}",
	"'", "'", `"`, `"`, `\`, `\\`, `\'`, `\"`, `\$`, "\\`", `\n`, "\\\n", "\n", "\n", "\n", "\r", "\r\n", "\t", "  ", "#", ";", "{", "[",
	"\n# note\n", "\n; note\n", "'a b'", `"c d"`, `"e\nf"`, "é€", "\x01", "\x1b[31m", strings.Repeat("long ", 500),
}

// envText is a random file. Before systemd 254 a backslash at the end of a comment
// continued it, unlike in envfile: continued is whether a file may have both.
func envText(random *rand.Rand, continued bool) string {
	var b strings.Builder
	for range 2 + random.IntN(24) {
		b.WriteString(envPieces[random.IntN(len(envPieces))])
	}
	text := b.String()
	if !continued && strings.ContainsAny(text, "#;") {
		text = strings.ReplaceAll(text, `\`, "")
	}
	if random.IntN(10) == 0 {
		refused := []string{"\xff", "\x00", "\xc0\xaf", "\xed\xa0\x80", "\xef\xbb\xbf"}
		at := random.IntN(len(text) + 1)
		return text[:at] + refused[random.IntN(len(refused))] + text[at:]
	}
	return text
}

// The environment that preflight works out for a unit, from what systemd reports of it and
// from the files that it names, is the one that its processes have.
func TestEnvFile_EnvironmentOfAUnit(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		m := bed.Boot(t, bed.Options{Suite: suite})
		m.WaitIdle()
		m.Must("mkdir", "-p", "/etc/justnews", "/etc/other")
		random := rand.New(rand.NewPCG(*envSeed, 1))
		pick := func(all ...string) string { return all[random.IntN(len(all))] }
		names := []string{"A", "B", "C", "D"}
		bus, err := systemd.OpenAddress(t.Context(), m.Bus())
		if err != nil {
			t.Fatal(err)
		}
		defer bus.Close()
		for i := range 30 {
			for _, file := range []string{"/etc/justnews/global.env", "/etc/justnews/scout.env", "/etc/other/a.env", "/etc/other/b", "/etc/justnews/plain"} {
				text := ""
				for range random.IntN(4) {
					text += pick(names...) + "=" + pick("1", "file", `"of a file"`, "") + "\n"
				}
				m.WriteFile(file, text)
			}
			unit := "[Service]\nType=oneshot\nExecStart=/usr/bin/env -0\nStandardOutput=truncate:/run/environment\n"
			for range 2 + random.IntN(6) {
				unit += pick("Environment="+pick(names...)+"=unit", "Environment="+pick(names...)+"=1 "+pick(names...)+"=2", "Environment=", "EnvironmentFile=", "EnvironmentFile=/etc/justnews/global.env",
					"EnvironmentFile=-/etc/justnews/scout.env", "EnvironmentFile=-/etc/other/missing", "EnvironmentFile=/etc/other/*", "EnvironmentFile=-/etc/other/b", "EnvironmentFile=/etc/justnews/*.env",
					"EnvironmentFile=/etc/justnews/plain", "UnsetEnvironment="+pick(names...), "UnsetEnvironment="+pick(names...)+"=1 "+pick(names...)+"=file", "UnsetEnvironment=") + "\n"
			}
			name := fmt.Sprintf("environment-%d.service", i)
			m.WriteFile("/etc/systemd/system/"+name, unit)
			m.Must("systemctl", "daemon-reload")
			m.Must("systemctl", "start", name)
			want := map[string]string{}
			for _, assignment := range strings.Split(m.ReadFile("/run/environment"), "\x00") {
				if name, value, _ := strings.Cut(assignment, "="); slices.Contains(names, name) {
					want[name] = value
				}
			}
			u, err := bus.Unit(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			got := checkhost.Environment(u, slices.Concat(environ.Files(m.Root()), environ.Named(m.Root(), u.EnvironmentFiles)))
			if !maps.Equal(got, want) {
				t.Errorf("unit %d of seed %d: %v, but its processes have %v\n%s", i, *envSeed, got, want, unit)
			}
		}
	})
}
