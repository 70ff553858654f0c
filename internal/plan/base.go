// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strconv"
	"time"

	"justnews/internal/timespan"
	"justnews/internal/unitfile"
)

// The base drop-in: the generator's masks the packaged one of the same name.
const (
	BaseDir  = Template + ".d"
	BaseName = "50-justnews-gate.conf"
)

// Gate is the one line that gates every instance. It must not change, in this
// or any later version: systemd skips the remaining gates when the text of the
// running ExecStartPre= changes under a daemon-reload.
const Gate = "ExecStartPre=/usr/bin/justnews-gate --gate-only %i"

// Defaults of justnews.toml that stand in the packaged files as well.
const (
	DefaultGateTimeout = 180 * time.Second
	DefaultStartGrace  = 60 * time.Second
	DefaultRestart     = 3 * time.Second // RestartSec= of the template
	startLimitBurst    = 5
)

func base(timeout time.Duration, closed bool) DropIn {
	service := []unitfile.Line{
		unitfile.Verbatim("ExecStartPre", "/usr/bin/justnews-gate --gate-only %i"),
		unitfile.Plain("TimeoutStartSec", span(timeout)),
		unitfile.Verbatim("NotifyAccess", "exec"),
	}
	if closed {
		// Without it an instance that runs, and crashes now, would be tried
		// again and again against a gate that cannot open.
		service = append(service, unitfile.Verbatim("Restart", "no"))
	}
	return file(BaseDir, BaseName,
		unitfile.Section{Name: "Unit", Lines: startLimit(nil, timeout, DefaultRestart)},
		unitfile.Section{Name: "Service", Lines: service})
}

// startLimit stops an instance after five refusals. systemd's own default, 10 s,
// never trips: a gate that waits for its time-out takes longer for one attempt.
func startLimit(lines []unitfile.Line, timeout, restart time.Duration) []unitfile.Line {
	return append(lines,
		unitfile.Plain("StartLimitIntervalSec", span((startLimitBurst+1)*(timeout+restart))),
		unitfile.Plain("StartLimitBurst", strconv.Itoa(startLimitBurst)))
}

// span writes whole seconds as seconds and anything finer as milliseconds.
func span(d time.Duration) string {
	if d%time.Second == 0 {
		return timespan.Plain(d) + "s"
	}
	return timespan.Plain(d*1000) + "ms"
}
