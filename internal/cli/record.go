// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/records"
	"justnews/internal/report"
)

func (a *app) summarize(e waitingRun, res gate.Result) report.Summary {
	s := report.Summarize(e.name, a.Machine.Version, res)
	if s.Boot = bootID(); s.Boot != "" {
		s.Monotonic = max(host.Monotonic()-time.Since(res.Started), 0).Round(time.Microsecond).Seconds()
	}
	s.Told = a.told
	return s
}

// record saves the summary of a run. If that fails, the verdict is still valid,
// and the problem says what is missing.
func (a *app) record(s report.Summary, began time.Time) *diag.Problem {
	text, err := s.JSON()
	if err == nil {
		_, err = records.Write(a.dirs(), s.Instance, began, text)
	}
	if err == nil {
		return nil
	}
	return &diag.Problem{
		Code: diag.RecordUnwritten, Severity: diag.Warning,
		Message: "the summary of this run could not be saved", Seen: err.Error(),
		Fix: diag.Advise("make the reported directory writable; the verdict is not affected"),
	}
}

// sweepMetrics removes the metrics of instances that are not in the configuration
// as it is now: a gate that waited was started with an older one.
func (a *app) sweepMetrics() error {
	cfg, _ := config.Load(a.source())
	if cfg == nil {
		return nil
	}
	return records.SweepMetrics(cmp.Or(a.MetricsDir, records.MetricsDir), cfg.InstanceNames())
}

// metrics leaves the metrics of a unit's run for node_exporter, and removes
// those of instances that left the configuration. A run by hand writes
// none, since it says nothing about the service. A failure is a warning and does not
// change the verdict.
func (a *app) metrics(s report.Summary) *diag.Problem {
	dir := cmp.Or(a.MetricsDir, records.MetricsDir)
	err := records.WriteMetrics(dir, s.Run, s.Instance, report.Metrics(s))
	if err == nil {
		err = a.sweepMetrics()
	}
	if err == nil {
		return nil
	}
	return new(metricsUnwritten(dir, err))
}

func metricsUnwritten(dir string, err error) diag.Problem {
	return diag.Problem{
		Code: diag.MetricsUnwritten, Severity: diag.Warning, Subject: dir,
		Message: "the metrics of this run could not be written", Seen: err.Error(),
		Fix: diag.Do(diag.Run("systemd-tmpfiles", "--create", "justnews.conf")),
	}
}
