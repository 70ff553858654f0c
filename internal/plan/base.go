// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"justnews/internal/config"
	"justnews/internal/timespan"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// The base drop-in. The generated one masks the packaged one of the same name.
const (
	BaseDir  = unitname.Template + ".d"
	BaseName = "50-justnews-gate.conf"
)

// Drop-ins of the template with what every instance has: the variables, and
// everything else. An instance's own come after each.
const (
	VariablesName = "00-justnews-common.conf"
	SettingsName  = "60-justnews-common.conf"
)

// Gate is the line that gates every instance. It must not change, in this or
// any later version: systemd skips the remaining gates when the text of the
// running ExecStartPre= changes under a daemon-reload.
const Gate = "ExecStartPre=/usr/bin/justnews-gate --gate-only %i"

// Defaults of justnews.toml that are also in the packaged files.
const (
	DefaultGateTimeout = 180 * time.Second
	DefaultStartGrace  = 60 * time.Second
	DefaultRestart     = 3 * time.Second // RestartSec= of the template
)

// base is the same whether the configuration is good or not. It has no start
// limit: what refuses, fails or is restarted by hand is retried for as long as
// it takes, so that a host recovers once the cause is gone. The rate is limited
// by the gate, which holds at a repeated refusal, and by paced.
func base(timeout time.Duration, closed bool) DropIn {
	service := []unitfile.Line{
		unitfile.Verbatim("ExecStartPre", "/usr/bin/justnews-gate --gate-only %i"),
		unitfile.Plain("TimeoutStartSec", span(timeout)),
		unitfile.Verbatim("NotifyAccess", "exec"),
	}
	if closed {
		// Without a configuration the instances have no settings of their own, and
		// refused starts must be retried once it is back.
		service = append(service, unitfile.Verbatim("Restart", "on-failure"))
	}
	return file(BaseDir, BaseName, []unitfile.Line{unitfile.Verbatim("StartLimitIntervalSec", "0")}, service)
}

// The pause between restarts grows from restart_sec to longest in steps if
// systemd supports it (RestartSteps=, from 254). Before, the pause is constant,
// and at least fixedRestart: a missing program would otherwise be tried 17
// times every three seconds. longest allows a host to be up within 60 s after
// the cause is gone.
const (
	stepsSince   = 254
	restartSteps = "5"
	longest      = 30 * time.Second
	fixedRestart = 10 * time.Second
)

// paced adds RestartSec= and the settings that make it grow.
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

// maxTimeout keeps the sums below the 292 years of a time.Duration, whatever an environment
// file contains.
const maxTimeout = 365 * 24 * time.Hour

// startTimeout returns TimeoutStartSec= of an instance: the largest budget that
// its gate can be given, plus what its service needs to start. Which of the
// budgets holds is decided at run time (an environment file beats
// Environment=); a smaller one only ends the gate earlier.
func startTimeout(m Machine, inst *config.Instance) time.Duration {
	longest := max(inst.Gate.Timeout, m.EnvTimeouts[globalEnv], m.EnvTimeouts[inst.Name])
	return min(longest, maxTimeout) + inst.Service.StartGrace
}

// baseTimeout is the same for an instance that the configuration does not list:
// it may have any of the environment files.
func baseTimeout(gate time.Duration, m Machine) time.Duration {
	for _, t := range m.EnvTimeouts {
		gate = max(gate, t)
	}
	return min(gate, maxTimeout) + DefaultStartGrace
}

// preloadTimeout is the same for justnews-preload.service, which reads
// global.env only.
func preloadTimeout(c *config.Config, m Machine) time.Duration {
	return min(max(c.Gate.Timeout, m.EnvTimeouts[globalEnv]), maxTimeout) + DefaultStartGrace
}
