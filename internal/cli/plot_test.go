// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"
	"time"

	"justnews/internal/probe/host"
	"justnews/internal/report"
)

func TestPlot_BootOfARunComesFromItsIDOrClocks(t *testing.T) {
	id, err := host.Host{}.BootID()
	if err != nil {
		t.Skip(err)
	}
	up := host.Monotonic()
	const ago = 10 * time.Second
	at := (up - ago).Seconds()
	for what, c := range map[string]struct {
		boot      string
		monotonic float64
		began     time.Time
		want      bool
	}{
		"its own":                       {id, at, time.Now().Add(-ago), true},
		"a clock that was set since":    {id, at, time.Now().Add(-time.Hour), true},
		"an id of the container's host": {"0c6e4e8c", at, time.Now().Add(-ago), true},
		"an earlier boot":               {"0c6e4e8c", at, time.Now().Add(-time.Hour), false},
		"no id, an earlier boot":        {"", at, time.Now().Add(-time.Hour), false},
		"its state is unknowns moments": {"", 0, time.Now().Add(-up), false},
	} {
		r := pastRun{Summary: report.Summary{Boot: c.boot, Monotonic: c.monotonic}, began: c.began}
		if got := thisBoot()(r); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
