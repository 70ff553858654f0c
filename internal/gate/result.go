// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"justnews/internal/check/mps"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/process"
	"justnews/internal/requirement"
)

// Verdict of a step or a run. The zero value has not passed.
type Verdict string

// The verdicts.
const (
	NotReached Verdict = ""             // an earlier step ended the run
	Passed     Verdict = "passed"       // verified
	Failed     Verdict = "failed"       // refused, with problems
	Skipped    Verdict = "not-asked"    // not required by the run
	Ungated    Verdict = "switched-off" // justnews.gate=off
)

// Result is the one record of a run. Text, JSON, journal and exit status are
// all made from it.
type Result struct {
	Instance string
	Unit     string
	Started  time.Time     // wall clock, for people
	Elapsed  time.Duration // monotonic
	Timeout  requirement.Timeout
	Status   diag.Status
	Refused  bool // it ended before its first look
	Steps    []StepResult
	Problems []diag.Problem
	Models   ModelsResult
	MPS      MPSResult
	// GPU is the last look at the GPUs, nil where none was asked for.
	GPU *facts.GPULook
}

// MPSResult is how far MPS was verified, also as JSON. The zero value: not required.
type MPSResult struct {
	Required mps.Rung `json:"required"` // what mps.require asks for
	Reached  mps.Rung `json:"reached"`
	Unit     string   `json:"unit,omitempty"`
	Started  bool     `json:"started"` // this run started the unit
	Daemon   int      `json:"daemon"`  // PID of the control daemon, 0: not known
	Server   int      `json:"server"`  // PID of the server, 0: none was asked for
	Asked    int      `json:"queries"` // of this run
}

// StepResult is the result of one step.
type StepResult struct {
	Name    string
	Verdict Verdict
	Start   time.Duration // since the run began
	Elapsed time.Duration
	Detail  string
	// Done and Total are the models that the step counted, 0: it counted none.
	Done, Total int
}

// ModelsResult is the last state of the preload, and this run's actions, also as JSON.
type ModelsResult struct {
	State    string `json:"state"` // as judged
	Done     int    `json:"done"`
	Total    int    `json:"total"`
	Failed   int    `json:"failed"`
	Expected int    `json:"expected"` // by AGENT_MODEL_MAP, -1: unknown
	Looks    int    `json:"looks"`    // GET requests of this run
	Triggers int    `json:"triggers"` // POST requests of this run
	Led      bool   `json:"led"`      // this run held the lead
}

// Passed reports whether the gate opens.
func (r Result) Passed() bool { return r.Status == diag.StatusReady }

// Settle computes the exit status of a run, also after problems were added: that
// of the first error, in the order in which they were found; ready only if every
// step passed or was not required. A run without steps has verified nothing.
func (r *Result) Settle() {
	if r.Status = diag.StatusOf(r.Problems); r.Status != diag.StatusReady {
		return
	}
	r.Status = diag.StatusInternal
	for _, s := range r.Steps {
		if s.Verdict != Passed && s.Verdict != Skipped {
			return
		}
	}
	if len(r.Steps) > 0 {
		r.Status = diag.StatusReady
	}
}

// Refusal returns the result of a run that ended before its first look, because the
// configuration, the environment or the caller does not allow it.
func Refusal(instance, unit string, began time.Time, problems []diag.Problem) Result {
	r := Result{
		Instance: instance, Unit: unit, Started: began, Elapsed: time.Since(began),
		Steps:    []StepResult{{Name: "config", Verdict: Failed, Elapsed: time.Since(began)}},
		Problems: problems, Refused: true,
	}
	r.Models.Expected = -1
	if len(diag.Errors(problems)) == 0 {
		r.Problems = append(r.Problems, unexplained("config"))
	}
	r.Settle()
	return r
}

// Hung returns the result of a run that ended neither at its deadline nor after a
// signal, because something does not return: doing describes it, step is the step of
// the run, "" if there is none. pressure is host.Host.CPUPressure, waited host.CPUWait.
func Hung(instance, unit string, began time.Time, doing, step string, pressure float64, waited time.Duration) Result {
	p := diag.New(diag.Hung, doing, fmt.Sprintf("it does not return: the process exits after %.1f s", time.Since(began).Seconds()),
		hungFix())
	if waited >= max(starvedFor, time.Since(began)/2) {
		p.Seen = fmt.Sprintf("this process waited for a CPU for %.1f s", waited.Seconds())
	}
	if pressure >= starved {
		p.Seen = fmt.Sprintf("processes waited for a CPU in %.0f %% of the last 10 s", pressure)
	}
	if p.Seen != "" {
		p.Message = fmt.Sprintf("the process exits after %.1f s, since it did not return in time", time.Since(began).Seconds())
		p.Fix = diag.Advise("if the machine was too busy to end the run in time, raise gate.timeout or start fewer services at once; otherwise check for a file system or a device that does not respond",
			diag.Run("journalctl", "-k", "-b"))
	}
	r := Refusal(instance, unit, began, []diag.Problem{p})
	r.Steps[0].Name, r.Refused = cmp.Or(step, doing), false
	return r
}

// With a CPU pressure of starved, in percent, or if it waited for a CPU for starvedFor and for
// half of its time, a run may exceed its deadline although nothing hangs. A control group may have less CPU than
// the machine, which the pressure does not show.
const (
	starved    = 50
	starvedFor = time.Second
)

// HungLook is a look that has not returned within a limit; the process continues.
func HungLook(limit time.Duration) diag.Problem {
	return diag.New(diag.Hung, "a look at the host", "it does not return within "+limit.String(), hungFix())
}

func hungFix() diag.Fix {
	return diag.Advise("check for a file system or a device that does not respond", diag.Run("journalctl", "-k", "-b"))
}

// SwitchedOff returns the result of a run that justnews.gate=off lets pass:
// the only way to pass without any check, and it is reported.
func SwitchedOff(instance, unit string, began time.Time, evidence string) Result {
	return Result{
		Instance: instance, Unit: unit, Started: began, Elapsed: time.Since(began),
		Status:   diag.StatusReady,
		Steps:    []StepResult{{Name: "config", Verdict: Ungated}},
		Problems: []diag.Problem{diag.GatesOff(instance, evidence)},
		Models:   ModelsResult{Expected: -1},
	}
}

// Margin is the part of its unit's TimeoutStartSec= that a gate leaves unused: time
// to report why it gives up before systemd kills it.
const Margin = 5 * time.Second

// Budget returns the total time of a run inside a unit: the smaller of GATE_TIMEOUT and
// systemd's limit minus Margin. If systemd's is smaller, the warning names both, and where
// each is set. An unknown unit, or one with TimeoutStartSec=infinity, has no limit.
func Budget(want requirement.Timeout, unit *facts.Unit) (requirement.Timeout, []diag.Problem) {
	if unit == nil || unit.TimeoutStart <= 0 || want.Value <= unit.TimeoutStart-Margin {
		return want, nil
	}
	allowed := max(unit.TimeoutStart-Margin, unit.TimeoutStart/2)
	message := fmt.Sprintf("GATE_TIMEOUT is %d s (%s), but TimeoutStartSec= is only %d s: the gate ends after %d s",
		int(want.Value.Seconds()), want.Origin, int(unit.TimeoutStart.Seconds()), int(allowed.Seconds()))
	needed := int((want.Value + Margin).Seconds())
	advice := fmt.Sprintf("set gate.timeout in /etc/justnews/justnews.toml, or TimeoutStartSec=%d in a drop-in of the unit", needed)
	if guard, ok := strings.CutSuffix(want.Origin, ".timeout"); ok && strings.HasPrefix(guard, "guards.") {
		advice = fmt.Sprintf("set %s.timeout or %s.start_timeout in /etc/justnews/justnews.toml", guard, guard)
	}
	return requirement.Timeout{Value: allowed, Origin: "TimeoutStartSec= of " + unit.Name}, []diag.Problem{diag.Found(diag.TimeoutConflict, unit.Name, message,
		fmt.Sprintf("TimeoutStartSec=%d", int(unit.TimeoutStart.Seconds())), fmt.Sprintf("at least %d s", needed),
		diag.Advise(advice, diag.Reload()).
			Looking(diag.Run("systemctl", "edit", "--", unit.Name))).As(diag.Warning)}
}

// Own is the unit whose start a process may refuse, as systemd describes it.
type Own struct {
	Unit  *facts.Unit // nil: none, or not known
	Known bool        // systemd described it, or did not start this process
}

// KeepShut changes how a refusal ends if the unit treats its exit status as
// success, or may: systemd would start the service after a refusal.
// The signal, where it is not 0, has to end the process.
func KeepShut(r *Result, own Own) syscall.Signal {
	was := r.Status
	status, signal := Shut(was, own)
	r.Status = status
	switch {
	case !own.Known:
		r.Problems = append(r.Problems, unit.StatusUnknown(r.Unit, was))
	case signal != 0 || status != was:
		instead := fmt.Sprintf("it exits with %d instead", status)
		if signal != 0 {
			instead = fmt.Sprintf("signal %d terminates it instead", int(signal))
		}
		r.Problems = append(r.Problems, unit.StatusListed(own.Unit.Name, was, own.Unit.SuccessExitStatus, instead))
	}
	return signal
}

// Shut returns how a refusal has to end: with its own exit status, with the first
// from 70 on that the unit does not treat as success, or, if it treats every status as
// success or that is unknown, by a signal that it does not.
func Shut(refusal diag.Status, own Own) (diag.Status, syscall.Signal) {
	switch {
	case refusal == diag.StatusReady:
		return refusal, 0
	case !own.Known:
		return refusal, process.Unlisted
	case own.Unit == nil || !slices.Contains(own.Unit.SuccessExitStatus, int(refusal)):
		return refusal, 0
	}
	for i := range 254 {
		s := (int(diag.StatusInternal)-1+i)%254 + 1
		if !slices.Contains(own.Unit.SuccessExitStatus, s) {
			return diag.Status(s), 0
		}
	}
	if slices.Contains(own.Unit.SuccessSignals, int(syscall.SIGABRT)) {
		return refusal, process.Unlisted
	}
	return refusal, syscall.SIGABRT
}
