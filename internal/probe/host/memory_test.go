// SPDX-License-Identifier: Apache-2.0

package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/facts"
)

// fakeRoot is a directory that stands for /.
func fakeRoot(t *testing.T, files map[string]string) Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Host{Root: root}
}

func TestMemory_OfTheMachineAndTheUnit(t *testing.T) {
	machine := map[string]string{
		"proc/meminfo": "MemTotal:       16000 kB\nMemAvailable:    8000 kB\nSwapTotal:           0 kB\nSwapFree:            0 kB\n",
		"proc/vmstat":  "nr_free_pages 1\noom_kill 3\n",
	}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range []map[string]string{machine, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	base := facts.Memory{Total: 16000 << 10, Available: 8000 << 10, Kills: 3, GroupKills: -1, GroupLimit: -1}
	unified, older := base, base
	unified.GroupKills, unified.GroupLimit = 2, 1<<20
	older.GroupKills = 1
	nothing := facts.Memory{Total: -1, Available: -1, SwapTotal: -1, SwapFree: -1, Kills: -1, GroupKills: -1, GroupLimit: -1}
	for name, c := range map[string]struct {
		files map[string]string
		group string
		want  facts.Memory
	}{
		"no group":      {machine, "", base},
		"no such group": {machine, "/system.slice/x.service", base},
		"the unified hierarchy": {with(map[string]string{
			"sys/fs/cgroup/g/memory.events": "low 0\noom 2\noom_kill 2\n", "sys/fs/cgroup/g/memory.max": "1048576\n",
		}), "/g", unified},
		"the older controller": {with(map[string]string{
			"sys/fs/cgroup/memory/g/memory.oom_control":    "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
			"sys/fs/cgroup/memory/g/memory.limit_in_bytes": "9223372036854771712\n",
		}), "/g", older},
		"a path that leads elsewhere": {machine, "/../../etc", base},
		"no kernel at all":            {nil, "/g", nothing},
	} {
		if diff := cmp.Diff(c.want, fakeRoot(t, c.files).Memory(c.group)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMemory_EnvironmentOfTheProcessIsReadIfPermitted(t *testing.T) {
	h := fakeRoot(t, map[string]string{
		"proc/7/environ":          "A=1\x00B=two words\x00A=3\x00",
		"proc/8/environ":          "",
		"etc/justnews/global.env": "B=file\nC='quoted'\n",
	})
	unit := facts.Unit{Environment: []string{"A=unit", "B=unit"}, EnvironmentFiles: []string{"/etc/justnews/global.env", "/etc/justnews/none.env"}}
	fromUnit := facts.Environment{Values: map[string]string{"A": "unit", "B": "file", "C": "quoted"}}
	for pid, want := range map[int]facts.Environment{
		7: {Values: map[string]string{"A": "3", "B": "two words"}, Exact: true},
		8: fromUnit, // a zombie has none
		9: fromUnit, // hidden, or gone
		0: fromUnit,
	} {
		unit.MainPID = pid
		if diff := cmp.Diff(want, h.Environment(unit)); diff != "" {
			t.Errorf("PID %d: %s", pid, diff)
		}
	}
}

// A unit may keep its programs in control groups of its own (Delegate=,
// DelegateSubgroup=), and a host with cgroup v1 lists them elsewhere.
func TestMemory_EnvironmentsOfAllProcessesOfAUnitAreRead(t *testing.T) {
	want := []map[string]string{{"DRY_RUN": "1"}}
	for name, procs := range map[string]string{
		"in the unit's control group": "sys/fs/cgroup/g/cgroup.procs",
		"in a control group below it": "sys/fs/cgroup/g/worker/deep/cgroup.procs",
		"in the hierarchy of systemd": "sys/fs/cgroup/systemd/g/cgroup.procs",
		"below it, in that hierarchy": "sys/fs/cgroup/systemd/g/worker/cgroup.procs",
		"in one hierarchy of several": "sys/fs/cgroup/unified/g/cgroup.procs",
	} {
		files := map[string]string{procs: "7\n8\n", "proc/7/environ": "A=1\x00", "proc/8/environ": "DRY_RUN=1\x00"}
		switch {
		case strings.Contains(procs, "/unified/"):
			files["sys/fs/cgroup/unified/cgroup.controllers"] = ""
		case !strings.Contains(procs, "/systemd/"):
			files["sys/fs/cgroup/cgroup.controllers"] = ""
		}
		e := fakeRoot(t, files).Environment(facts.Unit{MainPID: 7, ControlGroup: "/g"})
		if diff := cmp.Diff(want, e.Others); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCPUPressure_IsTheKernelsOrUnknown(t *testing.T) {
	for text, want := range map[string]float64{
		"some avg10=77.95 avg60=70.70 avg300=57.10 total=6726685690\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n": 77.95,
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n":                                                             0,
		"": -1, "some\n": -1,
	} {
		if got := fakeRoot(t, map[string]string{"proc/pressure/cpu": text}).CPUPressure(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if got := fakeRoot(t, nil).CPUPressure(); got != -1 {
		t.Errorf("without PSI: %v, want -1", got)
	}
}

func TestCPUWait_GrowsWhereThreadsOutnumberProcessors(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip(err)
	}
	threads := 4 * runtime.NumCPU()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	before, end := CPUWait(), time.Now().Add(200*time.Millisecond)
	var all sync.WaitGroup
	for range threads {
		all.Go(func() {
			for time.Now().Before(end) {
			}
		})
	}
	all.Wait()
	if waited := CPUWait() - before; waited < 100*time.Millisecond {
		t.Errorf("%d threads waited %v together", threads, waited)
	}
}
