// SPDX-License-Identifier: Apache-2.0

package hostlock

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"justnews/test/busy"
)

// awaitWaiters returns once n processes wait for the lock inside the kernel,
// as /proc/locks shows them.
func awaitWaiters(t testing.TB, path string, n int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	inode := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		text, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Skipf("cannot see who waits: %v", err)
		}
		waiting := 0
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "-> FLOCK") && strings.Contains(line, inode) {
				waiting++
			}
		}
		if waiting == n {
			return
		}
	}
	t.Fatalf("never %d waiters", n)
}

// release makes 16 processes wait, lets go, and returns the time until the
// last of them was back.
func release(t testing.TB, dir string) time.Duration {
	t.Helper()
	l := openIn(t, dir)
	leads(t, l, true)
	var waiters []*process
	for range 16 {
		waiters = append(waiters, start(t, "wait", dir))
	}
	awaitWaiters(t, l.Where(), len(waiters))
	began := time.Now()
	l.Unlock()
	var last int64
	for _, p := range waiters {
		if got := p.line(); got != "waiting" {
			t.Fatal(got)
		}
		var at int64
		var failed string
		if _, err := fmt.Sscan(p.line(), &at, &failed); err != nil || failed != "<nil>" {
			t.Fatalf("a waiter: %s, %v", failed, err)
		}
		last = max(last, at)
		p.kill()
	}
	return time.Duration(last - began.UnixNano())
}

func TestWait_AllWaitersWakeTogether(t *testing.T) {
	mark := busy.Now()
	if took := mark.Less(release(t, sharedDir(t))); took > 5*time.Second {
		t.Errorf("the last of 16 was back after %v", took)
	}
}

func BenchmarkLastOf16Waiters(b *testing.B) {
	dir := sharedDir(b)
	var sum, worst time.Duration
	n := 0
	for b.Loop() {
		took := release(b, dir)
		sum, worst, n = sum+took, max(worst, took), n+1
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(n)/1000, "ms-mean")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst")
}
