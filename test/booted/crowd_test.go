// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"justnews/test/bed"
	"justnews/test/reference"
)

const (
	lockDir  = "/run/justnews-gate"
	extra    = "extra" // the 17th that waits: the orchestrator itself does not
	noLimit  = "[Unit]\nStartLimitIntervalSec=0\n"
	starting = "activating/start-pre"
)

// crowd are the 17 instances that wait for the models.
func crowd() []string { return append(agents(), extra) }

// crowdConfig lists them without dependencies on each other.
func crowdConfig(timeout string) string {
	all := maps.Clone(ports)
	all[extra] = 8041
	var b strings.Builder
	b.WriteString(config(timeout, slices.Collect(maps.Keys(ports))...))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "[instances.%s]\nport = %d\nrequire_bus = false\n", name, all[name])
	}
	return b.String()
}

// bootCrowd boots a host whose 17 gates all run at once. On a real host they wait in
// systemd's queue behind one preload, which is masked here, as an operator may do.
func bootCrowd(t testing.TB, suite string, h host) *site {
	t.Helper()
	if h.config == "" {
		h.config = crowdConfig("300s")
	}
	change := h.change
	h.change = func(tree *bed.Tree) {
		tree.Symlink("/dev/null", "/etc/systemd/system/"+preload)
		tree.WriteFile("/etc/systemd/system/justnews@.service.d/96-no-limit.conf", noLimit)
		if change != nil {
			change(tree)
		}
	}
	return boot(t, suite, h)
}

// waitCrowd waits until every gate of the crowd runs.
func (s *site) waitCrowd() {
	s.t.Helper()
	s.WaitUnits(starting, units(crowd()...)...)
}

// crowdUp waits until the whole crowd runs, and checks that each of them started after
// since and behind a gate that passed in the same invocation. It uses the journal, since a
// daemon-reload discards the exit status of an ExecStartPre=.
func (s *site) crowdUp(since time.Duration) {
	s.t.Helper()
	for _, u := range s.WaitUnits("active/running", units(crowd()...)...) {
		if u.ExecMainStart < since {
			s.t.Errorf("%s started %v too early", u.Name, since-u.ExecMainStart)
		}
		s.passed(u)
	}
}

// passed fails unless the gate of this very start reported that it passed.
func (s *site) passed(u bed.Unit) {
	s.t.Helper()
	var said string
	s.WaitFor("the gate of "+u.Name+" in the journal", bed.Patience, func() bool {
		said = s.Must("journalctl", "--no-pager", "--quiet", "--output=cat", "--identifier=justnews-gate",
			"_SYSTEMD_INVOCATION_ID="+u.InvocationID)
		return strings.Contains(said, " may start")
	})
	if strings.Contains(said, "error: ") {
		s.t.Errorf("%v runs although its gate said:\n%s", u, said)
	}
}

// neverStarted fails if anything but the orchestrator ever ran.
func (s *site) neverStarted(when string) {
	s.t.Helper()
	for _, name := range s.started() {
		if name != orchestrator {
			s.t.Errorf("%s was started %s", name, when)
		}
	}
}

// counters counts the requests to the orchestrator's current process.
func (s *site) counters() reference.Counters {
	s.t.Helper()
	var c reference.Counters
	if err := json.Unmarshal([]byte(s.control(http.MethodGet, "/counters", "")), &c); err != nil {
		s.t.Fatalf("cannot read the orchestrator's counters: %v", err)
	}
	return c
}

// onePreload fails unless the orchestrator was triggered exactly once.
func (s *site) onePreload(when string) {
	s.t.Helper()
	if c := s.counters(); c.Preloads != 1 || c.Jobs != 1 {
		s.t.Errorf("%s: %d POSTs and %d jobs, want one of each", when, c.Preloads, c.Jobs)
	}
}

// leader returns the process that holds the lock exclusively (its PID on the host, 0: none)
// and the lock's file.
func (s *site) leader() (pid int, file string) {
	s.t.Helper()
	for _, name := range s.List(lockDir) {
		if !strings.HasSuffix(name, ".lock") {
			continue
		}
		var st unix.Stat_t
		if unix.Stat(s.Path(lockDir+"/"+name), &st) != nil {
			continue
		}
		if pid := flockOwner(st); pid != 0 {
			return pid, lockDir + "/" + name
		}
	}
	return 0, ""
}

// flockOwner finds "1: FLOCK  ADVISORY  WRITE 4711 00:2a:99 0 EOF" in /proc/locks; waiting
// processes have "->" there.
func flockOwner(st unix.Stat_t) int {
	f, err := os.Open("/proc/locks")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	where := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text())
		if len(w) >= 6 && w[1] == "FLOCK" && w[3] == "WRITE" && w[5] == where {
			pid, _ := strconv.Atoi(w[4])
			return pid
		}
	}
	return 0
}

// waitLeader waits for a leader other than the previous one.
func (s *site) waitLeader(before int) (pid int, file string) {
	s.t.Helper()
	s.WaitFor("a gate that leads", bed.Patience, func() bool {
		pid, file = s.leader()
		return pid != 0 && pid != before
	})
	return pid, file
}
