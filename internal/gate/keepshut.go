// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"slices"
	"syscall"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/process"
)

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
