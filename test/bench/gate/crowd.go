// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"justnews/test/reference"
)

// method is a way to wait for the orchestrator.
type method struct {
	name    string
	command func(h *host, i int) []string
	asks    bool // it triggers the preload itself
}

func gateMethod() method {
	return method{"justnews-gate", func(h *host, i int) []string {
		return []string{h.gate, "--config", h.config, "--gate-only", fmt.Sprintf("agent_%d", i)}
	}, true}
}

// loopMethods are what a person would use instead, if the tools are installed.
// dockerize is not one of them: it waits for a status code, and the orchestrator answers 200
// while it loads.
func loopMethods() []method {
	var found []method
	for _, interval := range []string{"0.25", "1"} {
		if installed("curl", "jq") {
			found = append(found, method{"curl and jq every " + interval + " s", func(h *host, _ int) []string {
				return []string{"sh", "-c", fmt.Sprintf(
					`until curl -sf -m 2 %s | jq -e '.all_ready and (.in_progress | not)' >/dev/null; do sleep %s; done`,
					h.status(), interval)}
			}, false})
		}
		if installed("wait4x") {
			found = append(found, method{"wait4x every " + interval + " s", func(h *host, _ int) []string {
				return []string{"wait4x", "http", h.status(), "--expect-body-regex", `"all_ready": *true`, "-i", interval + "s", "-t", "0", "-q"}
			}, false})
		}
	}
	return found
}

// peers are the installed tools that query the orchestrator once, when it is ready.
func peers() []method {
	var found []method
	for _, m := range loopMethods() {
		if strings.HasSuffix(m.name, " every 1 s") {
			found = append(found, m)
		}
	}
	if installed("dockerize") {
		found = append(found, method{"dockerize", func(h *host, _ int) []string {
			return []string{"dockerize", "-wait", h.status(), "-timeout", "60s"}
		}, false})
	}
	return found
}

func installed(programs ...string) bool {
	return !slices.ContainsFunc(programs, func(p string) bool { _, err := exec.LookPath(p); return err != nil })
}

// crowd is a group of processes that wait for the same event.
type crowd struct {
	done sync.WaitGroup
	mu   sync.Mutex
	pids []int
	ends []int64 // when each ended, monotonic
	cpu  time.Duration
	errs []string
}

// gather starts n processes.
func gather(ctx context.Context, h *host, m method, n int) (*crowd, error) {
	c := &crowd{}
	for i := range n {
		argv := m.command(h, i)
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		// As in a unit, each instance has its own directory for records.
		cmd.Env = append(slices.Clone(h.env), "XDG_CACHE_HOME="+filepath.Join(h.dir, fmt.Sprint("cache", i)))
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		c.pids = append(c.pids, cmd.Process.Pid)
		c.done.Go(func() {
			err := cmd.Wait()
			c.ended(cmd, err, said.String())
		})
	}
	return c, nil
}

func (c *crowd) ended(cmd *exec.Cmd, err error, said string) {
	now := reference.Monotonic()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends = append(c.ends, now)
	c.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		c.errs = append(c.errs, fmt.Sprintf("%v: %s", err, said))
	}
}

// wait returns when each process ended after a moment, in the order in which
// they did.
func (c *crowd) wait(since int64) ([]time.Duration, error) {
	c.done.Wait()
	if len(c.errs) > 0 {
		return nil, fmt.Errorf("%d of %d failed, one with %s", len(c.errs), len(c.pids), c.errs[0])
	}
	var after []time.Duration
	for _, end := range c.ends {
		after = append(after, time.Duration(end-since))
	}
	return after, nil
}

// memory returns the processes' resident memory in MiB, with shared pages counted once (PSS),
// and the mean of each process (RSS).
func (c *crowd) memory() (pss, rss float64) {
	for _, pid := range c.pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(text)) {
			var kib float64
			if _, err := fmt.Sscanf(line, "Pss: %f kB", &kib); err == nil {
				pss += kib / 1024
			}
			if _, err := fmt.Sscanf(line, "Rss: %f kB", &kib); err == nil {
				rss += kib / 1024 / float64(len(c.pids))
			}
		}
	}
	return pss, rss
}
