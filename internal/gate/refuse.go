// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"fmt"
	"time"

	"justnews/internal/diag"
)

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
// the run, "" if there is none.
func Hung(instance, unit string, began time.Time, doing, step string) Result {
	r := Refusal(instance, unit, began, []diag.Problem{{
		Code: diag.Hung, Subject: doing,
		Message: fmt.Sprintf("it does not return: the process exits after %.1f s", time.Since(began).Seconds()),
		Fix:     hungFix(),
	}})
	r.Steps[0].Name, r.Refused = cmp.Or(step, doing), false
	return r
}

// HungLook is a look that has not returned within a limit; the process goes on.
func HungLook(limit time.Duration) diag.Problem {
	return diag.Problem{
		Code: diag.Hung, Subject: "a look at the host", Message: "it does not return within " + limit.String(),
		Fix: hungFix(),
	}
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
