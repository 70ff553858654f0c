// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"maps"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/probe/host"
	"justnews/internal/records"
	"justnews/internal/report"
	"justnews/internal/status"
)

func (a *app) summarize(e waitingRun, res gate.Result) report.Summary {
	s := report.Summarize(e.name, a.Machine.Version, res)
	if s.Boot = bootID(); s.Boot != "" {
		s.Monotonic = host.MonotonicAt(res.Started).Round(time.Microsecond).Seconds()
	}
	s.Told = a.told
	return s
}

// record saves the summary of a run. If that fails, the verdict is still valid, and the
// problem describes what is missing.
func (a *app) record(s report.Summary, began time.Time) *diag.Problem {
	_, err := records.Write(a.dirs(), s.Instance, began, s.JSON())
	if err == nil {
		return nil
	}
	return new(diag.Found(diag.RecordUnwritten, "", "the summary of this run could not be saved",
		err.Error(), "", diag.Advise("make the reported directory writable; the verdict is not affected")).As(diag.Warning))
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
	return diag.Found(diag.MetricsUnwritten, dir, "the metrics of this run could not be written",
		err.Error(), "", diag.Do(diag.Run("systemd-tmpfiles", "--create", "justnews.conf"))).As(diag.Warning)
}

// said records which unit of this host has logged the complete text of a cause, so
// that the journal has it once. The services' users may write it: a forged record
// can only shorten a line. It has no effect on the verdict of a gate.
type said struct {
	Whole map[string]saidOnce `json:"whole"` // by cause
}

// saidOnce is the unit that logged it, and when, in seconds since the boot.
type saidOnce struct {
	Unit string  `json:"unit"`
	At   float64 `json:"at_s"`
}

// How long the complete text is not repeated by any unit, and how often a unit that is
// refused again logs a line.
const (
	saidWholeFor = time.Hour
	saidAgain    = time.Minute
	saidAtMost   = 200         // entries: we never write more
	saidPatience = time.Second // of each question: 17 gates may be refused at once
)

// saying is how much of a refusal is logged.
type saying int

const (
	sayWhole   saying = iota // everything
	sayShort                 // one line, and where the rest is
	sayNothing               // it was told a moment ago
)

// refused records that a cause refuses a unit, and returns how much to log, and which
// unit has logged the complete text. exact is the key of the same cause if it names
// this instance for other units as well, such as one of its models. told is when
// this unit logged it last according to its own record, 0: never.
func (s *said) refused(unit, cause, exact string, told, now float64) (saying, string) {
	whole, known := s.Whole[exact]
	if !known {
		whole, known = s.Whole[cause]
	}
	switch {
	case !known || !ourUnit().MatchString(whole.Unit) || !within(whole.At, now, saidWholeFor):
		if len(s.Whole) >= saidAtMost || s.Whole == nil {
			s.Whole = map[string]saidOnce{}
		}
		s.Whole[cause] = saidOnce{unit, now}
		s.Whole[exact] = saidOnce{unit, now}
		return sayWhole, unit
	case told > 0 && within(told, now, saidAgain):
		return sayNothing, whole.Unit
	}
	return sayShort, whole.Unit
}

func within(at, now float64, span time.Duration) bool { return at <= now && now-at < span.Seconds() }

// passed clears the record of causes that a unit has logged, and reports whether there were
// any: the same cause is logged completely when it comes back.
func (s *said) passed(unit string) bool {
	before := len(s.Whole)
	maps.DeleteFunc(s.Whole, func(_ string, o saidOnce) bool { return o.Unit == unit })
	return len(s.Whole) < before
}

var ourUnit = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^justnews(@[a-z][a-z0-9_]*|-[a-z]+)\.service$`)
})

// telling determines how much of a run to log, and which unit has logged the rest.
// Only the cause of a refusal can have been logged before. It keeps the time for the
// record of the run.
func (a *app) telling(e waitingRun, res gate.Result, own *facts.Unit) (saying, string) {
	unit := e.unit
	if own != nil {
		unit = own.Name
	}
	if e.survey || a.Verbose || !a.serves(e, own) || !ourUnit().MatchString(unit) {
		return sayWhole, unit
	}
	errors := diag.Errors(res.Problems)
	if res.Passed() || len(errors) == 0 {
		a.withSaid(func(s *said) bool { return s.passed(unit) })
		return sayWhole, unit
	}
	if a.ctx.Err() != nil { // a requested stop
		return sayShort, ""
	}
	key := status.Key(errors[0], res.Instance)
	told := 0.0
	if own != nil && own.NRestarts > 0 { // otherwise the start was requested, and its caller looks here for the reason
		told = a.lastLogged(res, key)
	}
	how, by := sayWhole, unit
	a.withSaid(func(s *said) bool {
		now := host.Uptime().Seconds()
		how, by = s.refused(unit, key, status.Key(errors[0], ""), told, now)
		if a.told = now; how == sayNothing {
			a.told = told
		}
		return how == sayWhole
	})
	return how, by
}

// lastLogged returns when the last run of this instance logged the same cause, 0: it
// did not. No other instance can write that record.
func (a *app) lastLogged(res gate.Result, cause string) float64 {
	past, err := records.ReadFile(filepath.Join(a.dirs().Preflight(), cmp.Or(res.Instance, records.Host), "latest.json"))
	if err != nil {
		return 0
	}
	before, err := report.ReadSummary(past.Data)
	if err != nil || before.FirstError() == nil {
		return 0
	}
	if before.Boot != bootID() || status.Key(*before.FirstError(), res.Instance) != cause {
		return 0
	}
	return before.Told
}

// lines returns what a run logs: everything, one line, or nothing.
func (a *app) lines(e waitingRun, res gate.Result, how saying, by string) []report.Line {
	switch how {
	case sayShort:
		return report.Short(e.name, res, by)
	case sayNothing:
		return nil
	}
	return report.Lines(e.name, res)
}

// withSaid locks the record, and saves it if change returns true. It does nothing where
// there is no place for it, or it stays locked.
func (a *app) withSaid(change func(*said) bool) {
	lock, err := hostlock.Open("said")
	if err != nil || lock.Dir() == "" {
		return
	}
	ctx, cancel := a.afterwards(saidPatience)
	defer cancel()
	if lock.Take(ctx) != nil {
		return
	}
	defer lock.Unlock()
	record := records.State[said]{Dir: lock.Dir(), Name: "said", Boot: bootID()}
	s, err := record.Load()
	if err != nil { // it says nothing that can be used
		s = said{}
	}
	if change(&s) {
		_ = record.Save(s)
	}
}
