// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"justnews/test/bed"
)

// BenchmarkFromTheFlipToTheLastStart measures a boot: from the moment the orchestrator
// becomes ready until systemd reports the last instance that waited for it as active, and
// until it has started that instance's main process: in between it sets up the sandbox and
// executes the program. Besides the shipped units it measures lower bounds: the same units
// with /bin/true as their gate, and without any sandbox.
//
//	go test -run '^$' -bench Flip -benchtime 5x ./test/booted
func BenchmarkFromTheFlipToTheLastStart(b *testing.B) {
	const (
		noGate    = "[Service]\nExecStartPre=\nExecStartPre=/bin/true\n"
		noSandbox = `[Service]
ReadWritePaths=
ProtectSystem=no
ProtectHome=no
PrivateTmp=no
PrivateMounts=no
CacheDirectory=
StateDirectory=
LogsDirectory=
DevicePolicy=auto
DeviceAllow=
ProtectProc=default
ProtectKernelTunables=no
ProtectKernelModules=no
ProtectKernelLogs=no
ProtectControlGroups=no
ProtectClock=no
ProtectHostname=no
RestrictSUIDSGID=no
LockPersonality=no
RestrictRealtime=no
RestrictNamespaces=no
RestrictAddressFamilies=
SystemCallArchitectures=
SystemCallFilter=
NoNewPrivileges=no
`
	)
	for _, suite := range bed.Suites() {
		for _, v := range []struct {
			name, dropIn string
			crowd        bool
		}{
			{name: "as shipped"},
			{name: "true for a gate", dropIn: noGate},
			{name: "no sandbox", dropIn: noSandbox},
			{name: "no sandbox, true for a gate", dropIn: noSandbox + noGate},
			{name: "gates started before the flip", crowd: true},
		} {
			b.Run(suite+"/"+v.name, func(b *testing.B) {
				var active, started, preloads []time.Duration
				for b.Loop() {
					all := flipToLast(b, suite, v.dropIn, v.crowd)
					active, started, preloads = append(active, all.active), append(started, all.started), append(preloads, all.preloaded)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(active), "ms-active")
				b.ReportMetric(median(started), "ms-started")
				b.ReportMetric(median(preloads), "ms-preloaded")
			})
		}
	}
}

// sinceFlip is when the last instance was active, when its main process was started, and
// when the preload was active.
type sinceFlip struct{ active, started, preloaded time.Duration }

func flipToLast(b *testing.B, suite, dropIn string, together bool) sinceFlip {
	b.Helper()
	start, names := boot, agents()
	if together {
		start, names = bootCrowd, crowd()
	}
	s := start(b, suite, host{misbehave: "hold", change: func(tree *bed.Tree) {
		if dropIn != "" {
			tree.WriteFile("/etc/systemd/system/justnews@.service.d/98-figure.conf", dropIn)
		}
	}})
	defer s.Stop()
	if together {
		s.waitCrowd()
	}
	s.waitHeld()
	s.WaitUnit("multi-user.target", "active")
	s.WaitFor("a quiet machine", bed.Patience, quiet())
	s.control(http.MethodPost, "/release", "")
	var active, started time.Duration
	for _, name := range names {
		u := s.WaitUnit(unit(name), "active/running")
		active, started = max(active, u.ActiveEnter), max(started, u.ExecMainStart)
	}
	flips := s.counters().FlipsNS
	if len(flips) != 1 {
		b.Fatalf("%d flips, want one", len(flips))
	}
	flip := time.Duration(flips[0])
	return sinceFlip{active - flip, started - flip, max(0, s.Unit(preload).ActiveEnter-flip)}
}

// quiet reports whether half a second has passed: no event marks the end of the boot's own
// load.
func quiet() func() bool {
	began := time.Now()
	return func() bool { return time.Since(began) > 500*time.Millisecond }
}

func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Microseconds()) / 1000
}
