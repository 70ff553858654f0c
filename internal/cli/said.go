// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"maps"
	"path/filepath"
	"regexp"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/gate"
	"justnews/internal/hostlock"
	"justnews/internal/probe/host"
	"justnews/internal/records"
	"justnews/internal/report"
	"justnews/internal/status"
)

// said is who of this host has told the journal the whole of a cause, so that it
// stands there once. The services' users may write it: the worst that a forged
// one does is that a line is shorter. It never says what a gate answers.
type said struct {
	Whole map[string]saidOnce `json:"whole"` // by cause
}

// saidOnce is that a unit told it, at a time since the boot.
type saidOnce struct {
	Unit string  `json:"unit"`
	At   float64 `json:"at_s"`
}

// How long the whole text holds for all, and how often a unit that is refused
// again says so.
const (
	saidWholeFor = time.Hour
	saidAgain    = time.Minute
	saidAtMost   = 200         // entries: more are somebody else's
	saidPatience = time.Second // of each question: 17 gates may be refused at once
)

// saying is how much of a refusal is told.
type saying int

const (
	sayWhole   saying = iota // everything
	sayShort                 // one line, and where the rest is
	sayNothing               // it was told a moment ago
)

// refused notes that a cause refuses a unit, and returns how much is to be told,
// and which unit has told the whole. exact is the same cause where it speaks of
// this instance to others as well, such as of its model. told is when this unit's
// own last record says that it was told, 0: never.
func (s *said) refused(unit, cause, exact string, told, now float64) (saying, string) {
	whole, known := s.Whole[exact]
	if !known {
		whole, known = s.Whole[cause]
	}
	switch {
	case !known || !ourUnit.MatchString(whole.Unit) || !within(whole.At, now, saidWholeFor):
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

// passed forgets what a unit said, and reports whether there was anything: the
// same cause is new when it comes back.
func (s *said) passed(unit string) bool {
	before := len(s.Whole)
	maps.DeleteFunc(s.Whole, func(_ string, o saidOnce) bool { return o.Unit == unit })
	return len(s.Whole) < before
}

var ourUnit = regexp.MustCompile(`^justnews(@[a-z][a-z0-9_]*|-[a-z]+)\.service$`)

// telling works out how much of a run is told, and by whom the rest was. Only
// what a unit is refused by has been told before, by another unit or by itself.
// It notes when for the record of the run.
func (a *app) telling(e waitingRun, res gate.Result, own *facts.Unit) (saying, string) {
	unit := e.unit
	if own != nil {
		unit = own.Name
	}
	if e.survey || a.Verbose || !a.serves(e, own) || !ourUnit.MatchString(unit) {
		return sayWhole, unit
	}
	errors := diag.Errors(res.Problems)
	if res.Passed() || len(errors) == 0 {
		a.forget(unit)
		return sayWhole, unit
	}
	if a.ctx.Err() != nil { // a stop that somebody asked for
		return sayShort, ""
	}
	key := status.Key(errors[0], res.Instance)
	told := 0.0
	if own != nil && own.NRestarts > 0 { // else somebody asked for this start, and looks here for why it failed
		told = a.lastTold(res, key)
	}
	memory, done := a.openSaid()
	if memory == nil {
		return sayWhole, unit
	}
	defer done()
	s, err := memory.Load()
	if err != nil { // it is nobody's any more
		s = said{}
	}
	now := host.Uptime().Seconds()
	how, by := s.refused(unit, key, status.Key(errors[0], ""), told, now)
	if how == sayWhole {
		_ = memory.Save(s)
	}
	if a.told = now; how == sayNothing {
		a.told = told
	}
	return how, by
}

// forget forgets what a unit has told, now that it passes.
func (a *app) forget(unit string) {
	memory, done := a.openSaid()
	if memory == nil {
		return
	}
	defer done()
	if s, err := memory.Load(); err == nil && s.passed(unit) {
		_ = memory.Save(s)
	}
}

// forgetAll has the next refusal of every cause told whole: somebody looks.
func (a *app) forgetAll() {
	if memory, done := a.openSaid(); memory != nil {
		defer done()
		_ = memory.Save(said{})
	}
}

// lastTold returns when this instance's last run told of the same cause, 0: it
// did not. The record lies where no other instance can write.
func (a *app) lastTold(res gate.Result, cause string) float64 {
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

// lines are what a run says: all of it, one line, or nothing.
func (a *app) lines(e waitingRun, res gate.Result, how saying, by string) []report.Line {
	switch how {
	case sayShort:
		return report.Short(e.name, res, by)
	case sayNothing:
		return nil
	}
	return report.Lines(e.name, res)
}

// openSaid takes the turn to read and write what was said; nil: there is no
// place for it, or somebody holds it.
func (a *app) openSaid() (*records.State[said], func()) {
	lock, err := hostlock.Open("said")
	if err != nil || lock.Dir() == "" {
		return nil, nil
	}
	ctx, cancel := a.afterwards(saidPatience)
	defer cancel()
	if lock.Take(ctx) != nil {
		return nil, nil
	}
	return &records.State[said]{Dir: lock.Dir(), Name: "said", Boot: bootID()}, lock.Unlock
}
