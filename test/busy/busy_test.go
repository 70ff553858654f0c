// SPDX-License-Identifier: Apache-2.0

package busy

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// More loops than there are processors wait for each other.
func TestWaited_IsThePressureStallTime(t *testing.T) {
	if _, err := os.ReadFile("/proc/pressure/cpu"); err != nil {
		t.Skipf("needs a kernel that counts who waits: %v", err)
	}
	procs := runtime.GOMAXPROCS(2*runtime.NumCPU() + 1)
	defer runtime.GOMAXPROCS(procs)
	began := Now()
	var stop atomic.Bool
	for range 2*runtime.NumCPU() + 1 {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	defer stop.Store(true)
	for until := time.Now().Add(time.Minute); began.Waited() < 200*time.Millisecond; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%v of waiting within a minute of more loops than processors", began.Waited())
		}
	}
}

func TestLess_IsBetweenZeroAndTheWait(t *testing.T) {
	began := Now()
	time.Sleep(20 * time.Millisecond)
	if began.Waited() > time.Since(began.at) {
		t.Errorf("waited %v of %v", began.Waited(), time.Since(began.at))
	}
	for _, took := range []time.Duration{0, time.Millisecond, time.Hour} {
		if left := began.Less(took); left < 0 || left > took {
			t.Errorf("%v of %v is left", left, took)
		}
	}
}
