// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
	"justnews/test/busy"
	"justnews/test/reference/store"
)

var (
	chaosCells = flag.Int("cells", 4, "how many cells of the table of faults and moments TestChaos draws; 0: all of them")
	chaosFrom  = flag.Int("from", 0, "how many of the cells that TestChaos draws it leaves out: a run in parts")
	chaosPairs = flag.Bool("pairs", false, "inject a second fault in each cell of TestChaos")
	chaosSeed  = flag.Uint64("seed", 1, "of the cells that TestChaos draws, and of the times within each")
)

// passing is a fault that need not be named by a refusal: a process that ends or stops, a
// reload.
func passing(name, inject, remove string) fault {
	return fault{name: name, inject: inject, remove: remove}
}

// disturbances happen to a host without a lasting fault.
var disturbances = []fault{
	passing("every gate is killed", "pkill -KILL -x justnews-gate || true", ""),
	passing("every gate is stopped for a while", "pkill -STOP -x justnews-gate || true", "pkill -CONT -x justnews-gate || true"),
	passing("the gate with the lowest PID is stopped for a while", "pkill -STOP -o -x justnews-gate || true", "pkill -CONT -x justnews-gate || true"),
	passing("the gate with the highest PID is killed", "pkill -KILL -n -x justnews-gate || true", ""),
	passing("the orchestrator is killed", "systemctl kill -s KILL justnews@gpu_orchestrator.service || true", ""),
	passing("the orchestrator is stopped for a while", "systemctl kill -s STOP justnews@gpu_orchestrator.service || true", "systemctl kill -s CONT justnews@gpu_orchestrator.service || true"),
	passing("the orchestrator ends by itself", "systemctl kill -s TERM --kill-whom=main justnews@gpu_orchestrator.service || true", "systemctl start --no-block justnews@gpu_orchestrator.service"),
	passing("the bus is killed", "systemctl kill -s KILL justnews@mcp_bus.service || true", ""),
	passing("the bus is stopped for a while", "systemctl kill -s STOP justnews@mcp_bus.service || true", "systemctl kill -s CONT justnews@mcp_bus.service || true"),
	passing("D-Bus is killed", "systemctl kill -s KILL dbus.service || true", "systemctl start dbus.socket"),
	passing("systemd reloads again and again", "for i in 1 2 3 4 5; do systemctl daemon-reload; done", ""),
	passing("systemd re-executes itself", "systemctl daemon-reexec", ""),
	passing("the journal is restarted", "systemctl restart systemd-journald.service", ""),
	passing("the preload is stopped", "systemctl stop "+preload, "systemctl start --no-block "+target),
	passing("every instance is stopped", "systemctl stop 'justnews@*.service'", "systemctl start --no-block "+target),
	passing("the records are removed", "find /run/justnews-gate -mindepth 1 -name '*.json' -delete", ""),
	passing("the cache is removed", "find /var/cache/justnews -type f -delete", ""),
	passing("the shared directory is full", "head -c 64M /dev/zero > /run/justnews-gate/fill 2>/dev/null || true", "rm -f /run/justnews-gate/fill"),
	passing("the shared directory has no inodes left", "cd /run/justnews-gate && (i=0; while : > fill-$i; do i=$((i+1)); [ $i -lt 20000 ] || break; done) 2>/dev/null || true", "cd /run/justnews-gate && find . -name 'fill-*' -delete"),
	passing("the shared directory is read-only", "mount -o remount,ro,bind /run/justnews-gate || true", "mount -o remount,rw,bind /run/justnews-gate || true"),
	passing("the shared directory is another file system", "mount -t tmpfs none /run/justnews-gate", "umount -l /run/justnews-gate"),
	passing("the caches are read-only", "mount --bind /var/cache/justnews /var/cache/justnews && mount -o remount,ro,bind /var/cache/justnews", "umount -l /var/cache/justnews"),
	passing("the services may have no more tasks", "systemctl set-property --runtime system-justnews.slice TasksMax=1", "systemctl set-property --runtime system-justnews.slice TasksMax="),
	lost("the file system of the Model Store is lost", modelRoot, "MAP-UNREADABLE"),
	lost("the file system of an agent's version is lost", modelRoot+"/scout/versions/v1", "STORE-READ"),
	passing("the current version is another agent's", "ln -sfn ../memory/versions/v1 "+modelRoot+"/scout/current", "ln -sfn versions/v1 "+modelRoot+"/scout/current"),
	passing("the services share 5 % of a processor", "systemctl set-property --runtime system-justnews.slice CPUQuota=5%", "systemctl set-property --runtime system-justnews.slice CPUQuota="),
}

// lost mounts a file system whose server has ended over a directory: every access is an
// I/O error.
func lost(name, dir, refused string) fault {
	const mount = "[ -e /dev/fuse ] || mknod -m 600 /dev/fuse c 10 229; mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other lost "
	return fault{name: name, inject: mount + dir + " 3<>/dev/fuse", remove: "umount -l " + dir, refused: refused}
}

// moment is a state of the host in which a fault is injected. It brings the host into that
// state and returns; follow is run after the injection.
type moment struct {
	name   string
	reach  func(s *site, wait func(most time.Duration))
	follow string // a script
}

const startTarget = "systemctl start --no-block " + target

var moments = []moment{
	{"before a start", func(s *site, _ func(time.Duration)) { s.stopAll() }, startTarget},
	{"as it starts", func(s *site, wait func(time.Duration)) {
		s.stopAll()
		s.must(startTarget)
		wait(300 * time.Millisecond)
	}, ""},
	{"while the models load", func(s *site, wait func(time.Duration)) {
		s.stopAll()
		s.must(startTarget)
		s.WaitUnit(unit(orchestrator), "active/running")
		wait(time.Second)
	}, ""},
	{"as the gates open", func(s *site, wait func(time.Duration)) {
		s.stopAll()
		s.must(startTarget)
		s.WaitUnit(preload, "active/exited")
		wait(300 * time.Millisecond)
	}, ""},
	{"before three agents restart", func(*site, func(time.Duration)) {}, "systemctl restart --no-block " + strings.Join(units("scout", "memory", "critic"), " ")},
	{"before everything restarts", func(*site, func(time.Duration)) {}, "systemctl restart --no-block " + target},
	{"before a reload", func(*site, func(time.Duration)) {}, "systemctl daemon-reload; systemctl restart --no-block " + strings.Join(units("scout", "memory"), " ")},
	{"as everything stops", func(s *site, wait func(time.Duration)) {
		s.must("systemctl stop --no-block " + target)
		wait(100 * time.Millisecond)
	}, startTarget},
}

// cell is one fault at one moment, and optionally a second one that is injected and removed
// while the first lasts.
type cell struct {
	fault  fault
	moment moment
	second fault
}

// another returns a fault that saves its files in a separate directory, so that it does not
// overwrite those of a first one.
func another(f fault) fault {
	apart := strings.NewReplacer("/root/", "/root/second/", " /root;", " /root/second;", " /root\n", " /root/second\n")
	f.inject, f.remove = "rm -rf /root/second; mkdir /root/second\n"+apart.Replace(f.inject+"\n"), apart.Replace(f.remove+"\n")
	return f
}

func inEnvironment(f fault) bool { return strings.Contains(f.inject, "/etc/justnews/global.env") }

func (c cell) name() string {
	fault := c.fault.name
	if c.second.name != "" {
		fault += " and " + c.second.name
	}
	return strings.ReplaceAll(fault, "/", "") + "/" + c.moment.name
}

func cells() []cell {
	var all []cell
	damaged := []fault{}
	for _, damage := range store.Damages() {
		damaged = append(damaged, passing("the store is damaged: "+string(damage), broken(string(damage))[0], repaired()[0]))
	}
	for _, f := range slices.Concat(disturbances, damaged, faults, mistaken, clockSteps()) {
		for _, m := range moments {
			all = append(all, cell{fault: f, moment: m})
		}
	}
	return all
}

// TestChaos injects faults into a host while it boots and runs, each for up to three
// seconds, and removes them. Nothing may start before it is verified, and every host has to
// come up again without intervention. A failure names its cell and seed:
//
//	go test ./test/booted -run 'TestChaos/trixie/FAULT/MOMENT$' -cells 0 -seed SEED
func TestChaos(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, unhurried())
		s.keepClock()
		s.everythingUp(0)
		drawn := cells()
		random := rand.New(rand.NewPCG(*chaosSeed, 0))
		random.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
		if *chaosPairs {
			for i := range drawn {
				// Two wrong variables may be consistent, such as the bus's port and its URL.
				if second := drawn[random.IntN(len(drawn))].fault; !inEnvironment(drawn[i].fault) || !inEnvironment(second) {
					drawn[i].second = another(second)
				}
			}
		}
		drawn = drawn[min(*chaosFrom, len(drawn)):]
		if *chaosCells > 0 {
			drawn = drawn[:min(*chaosCells, len(drawn))]
		}
		worst := time.Duration(0)
		for _, c := range drawn {
			t.Run(c.name(), func(t *testing.T) {
				inner := &site{Machine: s.Machine, t: t}
				worst = max(worst, inner.survives(c, suite))
			})
		}
		t.Logf("%d of %d cells with seed %d; up again after at most %v", len(drawn), len(cells()), *chaosSeed, worst.Round(100*time.Millisecond))
	})
}

// survives runs one cell on a host, and returns how long after the end of the fault
// everything was up.
func (s *site) survives(c cell, suite string) time.Duration {
	s.t.Helper()
	// For this cell alone, so that it can be repeated without the others.
	name := fnv.New64a()
	_, _ = name.Write([]byte(c.name()))
	random := rand.New(rand.NewPCG(*chaosSeed, name.Sum64()))
	wait := func(most time.Duration) { time.Sleep(time.Duration(random.Int64N(int64(most)))) }
	s.must(startTarget) // whatever the cell before left behind
	s.running(c, bed.Scaled(time.Minute))
	injected := false
	s.t.Cleanup(func() {
		if injected {
			s.Sh(c.second.remove)
			s.Sh(c.fault.remove)
		}
	})
	c.moment.reach(s, wait)
	began := bed.Monotonic()
	injected = true
	s.must(c.fault.inject)
	if c.second.name != "" {
		wait(time.Second)
		s.Sh(c.second.inject) // the first may prevent it
	}
	followed := s.Sh(c.moment.follow)
	wait(3 * time.Second)
	if c.fault.refused != "" && c.moment.name == "before a start" {
		for _, name := range agents() {
			if u := s.Unit(unit(name)); u.ExecMainStart > began {
				s.t.Errorf("%v: it was started although %s", u, c.fault.name)
			}
		}
	}
	if c.second.name != "" {
		s.Sh(c.second.remove)
		wait(time.Second)
	}
	s.must(c.fault.remove + "\ntrue")
	gone := bed.Monotonic()
	injected = false
	if followed.Err != nil { // the fault kept systemd from being queried
		s.must(c.moment.follow)
	}
	s.running(c, promised(suite))
	took := s.lastUp() - gone
	s.proven()
	s.tidy()
	return max(took, 0)
}

// running waits until everything runs, with systemd's queue empty.
func (s *site) running(c cell, limit time.Duration) {
	s.t.Helper()
	began, mark := time.Now(), busy.Now()
	all := append(units(agents()...), unit(orchestrator))
	for {
		down := slices.DeleteFunc(s.Units(all...), func(u bed.Unit) bool { return u.Is("active/running") })
		if len(down) == 0 && s.Unit(preload).Is("active/exited") && strings.TrimSpace(s.Run("systemctl", "list-jobs", "--no-legend", "justnews*").Stdout) == "" {
			return
		}
		if mark.Less(time.Since(began)) > limit {
			s.t.Fatalf("%s: down %v after the fault: %v\n%s", c.name(), limit, down, s.Run("justnews-gate", "status").Stdout)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *site) lastUp() time.Duration {
	last := time.Duration(0)
	for _, name := range append(units(agents()...), unit(orchestrator)) {
		last = max(last, s.Unit(name).ActiveEnter)
	}
	return last
}

// proven fails if an agent was started after the running orchestrator, but before that had
// loaded every model.
func (s *site) proven() {
	s.t.Helper()
	flips := s.counters().FlipsNS
	server := s.Unit(unit(orchestrator)).ExecMainStart
	if len(flips) == 0 {
		s.t.Errorf("everything runs, but the orchestrator never loaded its models")
		return
	}
	for _, name := range agents() {
		if u := s.Unit(unit(name)); u.ExecMainStart > server && int64(u.ExecMainStart) < flips[0] {
			s.t.Errorf("%v: it was started %v before the models were ready", u, time.Duration(flips[0])-u.ExecMainStart)
		}
	}
}

// tidy fails if a host that is up reports otherwise, or if anything is left over.
func (s *site) tidy() {
	s.t.Helper()
	if c := s.counters(); c.Preloads > 4 {
		s.t.Errorf("%d POSTs to one orchestrator", c.Preloads)
	}
	if r := s.Run("justnews-gate", "status"); r.Code != 0 || !strings.HasPrefix(r.Stdout, "up: 17 of 17\n") {
		s.t.Errorf("exit status %d:\n%s", r.Code, r.Stdout)
	}
	// Gates remove the temporary files of killed ones after ten minutes.
	if left := strings.TrimSpace(s.Must("sh", "-c", "find /run/justnews-gate /var/cache/justnews -name '.*.*' -type f -mmin +12")); left != "" {
		s.t.Errorf("temporary files are left: %s", left)
	}
	if failed := strings.TrimSpace(s.Run("systemctl", "list-units", "--failed", "--no-legend", "justnews*").Stdout); failed != "" {
		s.t.Errorf("failed units: %s", failed)
	}
	// No instance waits for it, and the next fault may need it.
	if u := s.Unit("justnews-renew.path"); !u.Is("active") {
		s.t.Errorf("%v", u)
	}
}

// TestChaos_HasEnoughCells needs no machine.
func TestChaos_HasEnoughCells(t *testing.T) {
	names := map[string]bool{}
	for _, c := range cells() {
		names[fmt.Sprint(c.fault.name, "/", c.moment.name)] = true
	}
	if len(names) < 300 || len(names) != len(cells()) {
		t.Errorf("%d cells, %d of them different, want at least 300", len(cells()), len(names))
	}
}
