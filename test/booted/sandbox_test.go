// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	checkhost "justnews/internal/check/host"
	"justnews/internal/facts"
	"justnews/internal/probe/systemd"
	"justnews/test/bed"
)

var (
	sandboxes   = flag.Int("sandboxes", 60, "how many sandboxes TestSandbox_HidesWhatSystemdHides compares")
	sandboxSeed = flag.Uint64("sandbox-seed", 1, "the seed of TestSandbox_HidesWhatSystemdHides")
)

// The directories to which the settings of TestSandbox_HidesWhatSystemdHides apply.
// /run/user is not among them: it comes and goes with logins.
var sandboxDirs = []string{"/srv", "/srv/a", "/srv/a/b", "/home", "/home/adra", "/root", "/etc/x", "/opt/m", "/tmp", "/var/tmp", "/dev/own", "/var/lib/st", "/var/cache/ca"}

// drawSandbox writes random settings of a unit.
func drawSandbox(random *rand.Rand) []string {
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	settings := []string{
		pick("ProtectSystem=no", "ProtectSystem=yes", "ProtectSystem=full", "ProtectSystem=strict"),
		pick("ProtectHome=no", "ProtectHome=no", "ProtectHome=read-only", "ProtectHome=tmpfs", "ProtectHome=yes"),
		pick("PrivateTmp=no", "PrivateTmp=yes"), pick("PrivateDevices=no", "PrivateDevices=no", "PrivateDevices=yes"),
		pick("", "", "StateDirectory=st"), pick("", "", "CacheDirectory=ca"),
	}
	some := func(name string, prefixes ...string) {
		used := map[string]bool{}
		for range random.IntN(3) {
			if dir := pick(sandboxDirs...); !used[dir] {
				used[dir] = true
				settings = append(settings, name+"="+pick(prefixes...)+dir+pick("", "/"))
			}
		}
	}
	// A path may be missing: another setting may have put an empty directory over it.
	some("ReadOnlyPaths", "-", "-+")
	some("ReadWritePaths", "-", "-+")
	some("BindPaths", "-")
	some("BindReadOnlyPaths", "-")
	some("TemporaryFileSystem", "")
	if random.IntN(3) == 0 {
		some("InaccessiblePaths", "-", "-+")
	}
	return settings
}

// The paths that a unit's settings, as systemd reports them, hide or make read-only are
// those that a process in the unit cannot see or write to.
func TestSandbox_HidesWhatSystemdHides(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		m := bed.Boot(t, bed.Options{Suite: suite})
		m.WaitIdle()
		m.Must("sh", "-c", "mkdir -p "+strings.Join(sandboxDirs, " ")+"; for d in "+strings.Join(sandboxDirs, " ")+"; do touch $d/marker; done")
		m.WriteFile("/usr/local/bin/look", "#!/bin/sh\nfor d in "+strings.Join(sandboxDirs, " ")+`; do
	if test ! -e $d/marker; then echo hidden; elif touch $d/written 2>/dev/null; then echo writable; else echo read-only; fi
done
`, 0o755)
		random := rand.New(rand.NewPCG(*sandboxSeed, 0))
		drawn := make([][]string, *sandboxes)
		for i := range drawn {
			drawn[i] = drawSandbox(random)
			m.WriteFile(fmt.Sprintf("/etc/systemd/system/sandbox-%d.service", i),
				"[Service]\nType=oneshot\nExecStart=/usr/local/bin/look\nStandardOutput=truncate:/run/look\n"+strings.Join(drawn[i], "\n")+"\n")
		}
		m.Must("systemctl", "daemon-reload")
		bus, err := systemd.OpenAddress(t.Context(), m.Bus())
		if err != nil {
			t.Fatal(err)
		}
		defer bus.Close()
		for i, settings := range drawn {
			name := fmt.Sprintf("sandbox-%d.service", i)
			m.Must("systemctl", "start", name)
			words := strings.Fields(m.ReadFile("/run/look"))
			u, err := bus.Unit(t.Context(), name)
			if err != nil || len(words) != len(sandboxDirs) {
				t.Fatalf("sandbox %d: %q: %v, %q", i, settings, err, words)
			}
			for k, dir := range sandboxDirs {
				// In systemd 252, ProtectHome=tmpfs does not make a bound home read-only.
				older := suite == bed.Bookworm && u.Sandbox.ProtectHome == "tmpfs" && words[k] == "writable"
				if said := judged(u.Sandbox, dir); said != words[k] && !(older && said == "read-only") {
					t.Errorf("sandbox %d of seed %d: %q: %s is %s, but reported as %s", i, *sandboxSeed, settings, dir, words[k], said)
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

// The servers that a unit's settings keep its processes from connecting to are those that a
// process in the unit cannot connect to. Filters of addresses need BPF, which a container lacks.
func TestSandbox_ForbidsWhatSystemdForbids(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		m := bed.Boot(t, bed.Options{Suite: suite})
		m.WaitIdle()
		m.WriteFile("/etc/systemd/system/listen.socket", "[Socket]\nListenStream=127.0.0.1:8014\nListenStream=[::1]:8014\nAccept=yes\n")
		m.WriteFile("/etc/systemd/system/listen@.service", "[Service]\nExecStart=/bin/true\n")
		m.WriteFile("/usr/local/bin/connect", "#!/bin/bash\nfor server in 127.0.0.1 ::1; do\n\tif (exec 3<>\"/dev/tcp/$server/8014\") 2>/dev/null; then echo reached; else echo forbidden; fi\ndone\n", 0o755)
		m.Must("systemctl", "daemon-reload")
		m.Must("systemctl", "start", "listen.socket")
		bus, err := systemd.OpenAddress(t.Context(), m.Bus())
		if err != nil {
			t.Fatal(err)
		}
		defer bus.Close()
		for i, settings := range []string{
			"", "PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies=AF_UNIX AF_INET", "RestrictAddressFamilies=AF_INET6 AF_UNIX", "RestrictAddressFamilies=none",
			"RestrictAddressFamilies=~AF_INET", "RestrictAddressFamilies=~AF_INET AF_INET6", "RestrictAddressFamilies=~AF_NETLINK", "RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=AF_INET6",
			"RestrictAddressFamilies=AF_INET AF_INET6\nRestrictAddressFamilies=~AF_INET", "RestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=", "RestrictAddressFamilies=~AF_INET\nRestrictAddressFamilies=AF_INET",
			"RestrictAddressFamilies=none\nRestrictAddressFamilies=AF_INET", "RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=none", "RestrictAddressFamilies=~none", "RestrictAddressFamilies=~",
		} {
			name := fmt.Sprintf("connect-%d.service", i)
			m.WriteFile("/etc/systemd/system/"+name, "[Service]\nType=oneshot\nExecStart=/usr/local/bin/connect\nStandardOutput=truncate:/run/connected\n"+settings+"\n")
			m.Must("systemctl", "daemon-reload")
			m.Must("systemctl", "start", name)
			got := strings.Fields(m.ReadFile("/run/connected"))
			u, err := bus.Unit(t.Context(), name)
			if err != nil || len(got) != 2 {
				t.Fatalf("%q: %v, %q", settings, err, got)
			}
			for k, server := range []string{"127.0.0.1:8014", "[::1]:8014"} {
				if by := checkhost.Forbidden(u.Sandbox, server); (by == "") != (got[k] == "reached") {
					t.Errorf("%q: %s is %s, but the setting reported is %q", settings, server, got[k], by)
				}
			}
		}
	})
}
