// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"testing"
	"time"

	"justnews/internal/check"
)

func TestRhythm_WaitForAJobThatShowsNoProgressGrowsWithItsSilence(t *testing.T) {
	for _, c := range []struct{ quiet, want time.Duration }{
		{0, pollBusy}, {8 * time.Second, pollBusy}, {15 * time.Second, 150 * time.Millisecond},
		{25 * time.Second, pollQuiet}, {time.Hour, pollQuiet}, {-time.Second, pollBusy},
	} {
		got := decide(situation{judged: check.Judgement{State: check.Pending}, quiet: c.quiet})
		if got.act != wait || got.after != c.want {
			t.Errorf("quiet for %v: action %d after %v, want %v", c.quiet, got.act, got.after, c.want)
		}
	}
}
