// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
	"justnews/test/busy"
)

// daemon-reload again and again while 17 gates run, with a configuration that is the same,
// changes, breaks, and is rewritten in place while it is read: whatever the generator
// writes, no instance starts before its gate has passed.
func TestReload_NeverOpensAGate(t *testing.T) {
	t.Parallel()
	good := crowdConfig("300s")
	broken := strings.Replace(good, "timeout =", "timeot =", 1)
	changed := strings.Replace(good, `timeout = "300s"`, `timeout = "290s"`, 1) + "environment = { LOG_LEVEL = \"DEBUG\" }\n"
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootCrowd(t, suite, host{config: good, misbehave: "hold"})
		s.waitCrowd()
		s.waitHeld()
		for _, way := range []struct {
			name  string
			write func(round int)
		}{
			{"unchanged", func(int) {}},
			{"changed", func(round int) { s.WriteFile(configFile, []string{changed, good}[round%2]) }},
			{"broken", func(round int) { s.WriteFile(configFile, []string{broken, good}[round%2]) }},
		} {
			for round := range 4 {
				way.write(round)
				s.Systemctl("daemon-reload")
				// A gate that starts right after the reload sees the new state.
				s.Systemctl("restart", "--no-block", unit(crowd()[round]))
			}
			s.neverStarted("by reloads of a configuration that is " + way.name)
		}

		s.WriteFile(configFile, good)
		stop := s.rewriteInPlace(good)
		for range 4 {
			s.Systemctl("daemon-reload")
			s.Systemctl("restart", "--no-block", unit("scout"))
		}
		stop()
		s.neverStarted("by reloads of a configuration that is being written")

		s.WriteFile(configFile, good)
		s.Systemctl("daemon-reload")
		s.Systemctl("reset-failed", "justnews*")
		s.Systemctl("start", "--no-block", target)
		s.waitCrowd()
		s.neverStarted("by reloads")
		flip := s.release()
		for range 3 { // gates exit and services start under a reload
			s.Systemctl("daemon-reload")
		}
		s.crowdUp(flip)
	})
}

// rewriteInPlace writes the configuration in small pieces, over and over, like an editor
// that does not rename, until stop.
func (s *site) rewriteInPlace(text string) (stop func()) {
	s.t.Helper()
	path := s.Path(configFile)
	end, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- func() error {
			for {
				f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
				if err != nil {
					return err
				}
				for at := 0; at < len(text); at += 64 {
					if _, err := f.WriteString(text[at:min(at+64, len(text))]); err != nil {
						return err
					}
					select {
					case <-end:
						return f.Close()
					case <-time.After(200 * time.Microsecond):
					}
				}
				if err := f.Close(); err != nil {
					return err
				}
			}
		}()
	}()
	return func() {
		s.t.Helper()
		close(end)
		if err := <-ended; err != nil {
			s.t.Errorf("cannot rewrite the configuration: %v", err)
		}
	}
}

const (
	generatorFile = "/usr/lib/systemd/system-generators/justnews-generator"
	realGenerator = "/usr/lib/justnews-generator" // where a wrapper finds it
	maskFile      = "/etc/systemd/system-generators/justnews-generator"
)

// Whatever happens to the generator, every instance keeps its gate, and a reload returns.
func TestReload_FailingGeneratorKeepsEveryGate(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		t.Parallel()
		s := boot(t, suite, host{})
		s.everythingUp(0)
		running := s.mainPIDs(agents()...)

		s.Symlink("/dev/null", maskFile)
		s.reload("masked")
		s.closed("masked", "nosuch")
		s.Remove(maskFile)

		s.must("mv " + generatorFile + " " + realGenerator)
		for _, delay := range []string{"0", "0.0005", "0.001", "0.0015", "0.002", "0.0025", "0.003", "0.004"} {
			s.WriteFile(generatorFile, "#!/bin/sh\n"+realGenerator+" \"$@\" &\nsleep "+delay+"\nkill -KILL $!\n", 0o755)
			s.reload("killed after " + delay + " s")
			s.gated("killed after "+delay+" s", "scout", "nosuch")
		}
		s.WriteFile(generatorFile, "#!/bin/sh\n"+realGenerator+" \"$@\" &\nkill -STOP $!\nsleep 0.5\nkill -CONT $!\nwait $!\n", 0o755)
		s.reload("stopped for a while")
		s.gated("stopped for a while", "scout", "nosuch")
		s.must("mv " + realGenerator + " " + generatorFile)

		// Files that block whoever opens them as a regular file.
		s.must("mv " + configFile + " /root/saved.toml && mkfifo " + configFile)
		s.reload("a FIFO for a configuration")
		s.closed("a FIFO for a configuration", "nosuch")
		s.must("rm " + configFile + " && mv /root/saved.toml " + configFile)

		// systemd itself refuses a reload when /run is nearly full, so only the generator's
		// directory is filled.
		for inodes := 1; inodes <= 40; inodes += 3 {
			s.cramped(fmt.Sprintf("size=4m,nr_inodes=%d", inodes))
		}
		s.cramped("size=4k") // one page: the first file fits
		s.reload("everything fixed")
		s.gated("everything fixed", "scout", "nosuch")
		s.untouched(running)
		s.Systemctl("restart", unit("scout"))
		s.passed(s.WaitUnit(unit("scout"), "active/running"))
	})
}

// reload fails if a daemon-reload takes long: a hanging generator would block all of
// systemd for 90 s.
func (s *site) reload(when string) {
	s.t.Helper()
	began, mark := time.Now(), busy.Now()
	s.Systemctl("daemon-reload")
	if took := mark.Less(time.Since(began)); took > 10*time.Second {
		s.t.Errorf("%s: daemon-reload took %v", when, took.Round(time.Millisecond))
	}
}

// gated fails unless systemd has loaded exactly our gate for the instances.
func (s *site) gated(when string, instances ...string) {
	s.t.Helper()
	for _, name := range instances {
		const program = "path=/usr/bin/justnews-gate ;"
		line := "argv[]=/usr/bin/justnews-gate --gate-only " + name + " ; ignore_errors=no ;"
		pre := s.Unit(unit(name)).Props["ExecStartPre"]
		if strings.Count(pre, "path=") != 1 || !strings.Contains(pre, program) || !strings.Contains(pre, line) {
			s.t.Errorf("%s: %s has the gate %q", when, name, pre)
		}
	}
}

// closed fails unless the instance is gated and its start is refused.
func (s *site) closed(when, instance string) {
	s.t.Helper()
	s.gated(when, instance, "scout")
	_ = s.Run("systemctl", "start", unit(instance))
	u := s.refused(instance, 78)
	if s.Exists(startedDir + "/started-" + instance) {
		s.t.Errorf("%s: %v, and it was started", when, u)
	}
	s.Systemctl("reset-failed", unit(instance))
}

// cramped reloads with a generator directory that has hardly any space.
func (s *site) cramped(options string) {
	s.t.Helper()
	s.must("mount -t tmpfs -o mode=755," + options + " none /run/systemd/generator")
	s.reload(options)
	s.gated(options, "scout", "nosuch")
	s.must("umount /run/systemd/generator")
}
