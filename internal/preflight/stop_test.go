// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"context"
	"slices"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// stopper records what it was asked to stop.
type stopper struct {
	stopped []string
	refuses string
}

func (s *stopper) Stop(_ context.Context, unit string) (facts.Start, error) {
	if unit == s.refuses {
		return facts.Start{Refused: "org.freedesktop.DBus.Error.AccessDenied", Detail: "Permission denied"}, nil
	}
	s.stopped = append(s.stopped, unit)
	return facts.Start{Result: "done"}, nil
}

func TestPorts_AreFreedByStoppingTheirUnits(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(w *world)
		refuses string
		stopped []string
		codes   []diag.Code
	}{
		"its own unit":          {func(w *world) { w.taken(8002) }, "", []string{scoutUnit}, []diag.Code{diag.PortFreed}},
		"another unit of ours":  {func(w *world) { w.taken(8002); w.pids[8002] = "justnews@memory.service" }, "", []string{"justnews@memory.service"}, []diag.Code{diag.PortFreed}},
		"a unit of no package":  {func(w *world) { w.taken(8002); w.pids[8002] = "nginx.service" }, "", nil, []diag.Code{diag.PortTaken}},
		"a process of no unit":  {func(w *world) { w.taken(8002); delete(w.pids, 8002) }, "", nil, []diag.Code{diag.PortTaken}},
		"nobody":                {func(w *world) { w.taken(1) }, "", nil, nil},
		"a caller that may not": {func(w *world) { w.taken(8002) }, scoutUnit, nil, []diag.Code{diag.PortTaken}},
		"no process to be seen": {func(w *world) {
			w.taken(8002)
			w.hidden = true
		}, "", []string{scoutUnit}, []diag.Code{diag.PortFreed}},
		"a stranger's process that cannot be seen": {func(w *world) {
			w.taken(8002, 1000)
			w.hidden = true
		}, "", nil, []diag.Code{diag.PortTaken}},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := newWorld(t), &stopper{refuses: c.refuses}
			c.change(w)
			freed := FreePorts(t.Context(), w.job.Config, w.job.Host, w, s)
			var codes []diag.Code
			for _, p := range freed.Problems {
				codes = append(codes, p.Code)
			}
			if !slices.Equal(s.stopped, c.stopped) || !slices.Equal(freed.Stopped, c.stopped) || !slices.Equal(codes, c.codes) {
				t.Errorf("stopped %q, said %v; want %q, %v", s.stopped, freed.Problems, c.stopped, c.codes)
			}
		})
	}
}

// taken leaves one port alone taken.
func (w *world) taken(port int, uids ...int) {
	if len(uids) == 0 {
		uids = []int{997}
	}
	w.owners = func(p int) []int {
		if p == port {
			return uids
		}
		return nil
	}
}
