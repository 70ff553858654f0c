// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"justnews/internal/timespan"
	"justnews/internal/unitfile"
)

// The base drop-in: the generator's masks the packaged one of the same name.
const (
	BaseDir  = Template + ".d"
	BaseName = "50-justnews-gate.conf"
)

// Drop-ins of the template with what every instance has: the variables, and
// everything else. An instance's own come after each.
const (
	VariablesName = "00-justnews-common.conf"
	SettingsName  = "60-justnews-common.conf"
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
)

// base is the same whether the configuration is good or not. It has no start
// limit: what refuses, fails or is restarted by hand is tried again for as long
// as it takes, so that a host heals once the cause is gone. The pace is kept by
// the gate, which stays for its budget at a repeated refusal, and by paced.
func base(timeout time.Duration, closed bool) DropIn {
	service := []unitfile.Line{
		unitfile.Verbatim("ExecStartPre", "/usr/bin/justnews-gate --gate-only %i"),
		unitfile.Plain("TimeoutStartSec", span(timeout)),
		unitfile.Verbatim("NotifyAccess", "exec"),
	}
	if closed {
		// Whatever the instances had of their own is gone with the configuration,
		// and what is refused now has to be tried again after it is back.
		service = append(service, unitfile.Verbatim("Restart", "on-failure"))
	}
	return file(BaseDir, BaseName,
		unitfile.Section{Name: "Unit", Lines: []unitfile.Line{unitfile.Verbatim("StartLimitIntervalSec", "0")}},
		unitfile.Section{Name: "Service", Lines: service})
}

// Restarts that follow each other: the pause grows from restart_sec to longest
// in steps, where systemd has that (RestartSteps=, from 254). Older ones have
// one pause for all, of at least fixedRestart: a program that is missing is
// otherwise tried 17 times every three seconds. longest leaves a host time to be
// up within 60 s of the moment at which the cause is gone.
const (
	stepsSince   = 254
	restartSteps = "5"
	longest      = 30 * time.Second
	fixedRestart = 10 * time.Second
)

// paced returns RestartSec= and what makes it grow.
func paced(lines []unitfile.Line, m Machine, first time.Duration) []unitfile.Line {
	if m.Systemd < stepsSince {
		return append(lines, unitfile.Plain("RestartSec", span(max(first, fixedRestart))))
	}
	lines = append(lines, unitfile.Plain("RestartSec", span(first)))
	if first >= longest {
		return lines
	}
	return append(lines,
		unitfile.Verbatim("RestartSteps", restartSteps),
		unitfile.Plain("RestartMaxDelaySec", span(longest)))
}

// span writes whole seconds as seconds and anything finer as milliseconds.
func span(d time.Duration) string {
	if d%time.Second == 0 {
		return timespan.Plain(d) + "s"
	}
	return timespan.Plain(d*1000) + "ms"
}
