// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"io/fs"
	"time"

	"justnews/internal/diag"
	"justnews/internal/gate"
	"justnews/internal/probe/host"
	"justnews/internal/records"
	"justnews/internal/report"
)

// summarize makes the record of a run, placed among systemd's time stamps.
func (a *app) summarize(e errand, res gate.Result) report.Summary {
	s := report.Summarize(e.name, a.Machine.Version, res)
	if boot, err := (host.Host{}).BootID(); err == nil {
		s.Boot = boot
		s.Monotonic = max(host.Monotonic()-time.Since(res.Started), 0).Round(time.Microsecond).Seconds()
	}
	return s
}

// record keeps the summary of a run. Where that fails the verdict stands all
// the same, and the problem says what is missing.
func (a *app) record(s report.Summary, res *gate.Result) *diag.Problem {
	text, err := s.JSON()
	if err == nil {
		_, err = records.Write(a.dirs(), s.Instance, res.Started, text)
	}
	if err == nil {
		return nil
	}
	return &diag.Problem{
		Code: diag.RecordUnwritten, Severity: diag.Warning,
		Message: "the summary of this run could not be kept", Seen: err.Error(),
		Fix: diag.Advise("free or own the directory that is named: the verdict stands"),
	}
}

// metrics leaves the metrics of a run for node_exporter. A person who may not
// write there, or a machine without such a place, has none; in a unit that is
// worth a warning, and the verdict stands all the same.
func (a *app) metrics(s report.Summary) *diag.Problem {
	if a.Root != "" {
		return nil // it was not about this host
	}
	dir := cmp.Or(a.MetricsDir, records.MetricsDir)
	err := records.WriteMetrics(dir, s.Run, s.Instance, report.Metrics(s))
	absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
	if err == nil || absent && !startedBySystemd(a.Lookup) {
		return nil
	}
	return &diag.Problem{
		Code: diag.MetricsUnwritten, Severity: diag.Warning, Subject: dir,
		Message: "the metrics of this run could not be written", Seen: err.Error(),
		Fix: diag.Do(diag.Run("systemd-tmpfiles", "--create", "justnews.conf")),
	}
}
