// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// gpuStatus is justnews-nvml's exit status if NVML did not answer: the facts
// are still printed (diag.StatusGPU, which a probe does not judge by).
const gpuStatus = 71

// answer returns how a helper ended that was not killed.
func (e *ended) answer() facts.GPULook {
	ws, _ := e.state.Sys().(syscall.WaitStatus)
	switch code := e.state.ExitCode(); {
	case ws.Signaled():
		return facts.GPULook{Kind: facts.HelperCrashed, Detail: e.said("killed by signal %d (%s)", int(ws.Signal()), ws.Signal())}
	case code == notFound:
		return facts.GPULook{Kind: loaderKind(e.complaint()), Detail: e.said("exit status %d", code)}
	// Go turns a fault in C code into its own report, and exits 2.
	case code == 2:
		return facts.GPULook{Kind: facts.HelperCrashed, Detail: e.said("exit status %d", code)}
	case code != 0 && code != gpuStatus:
		return facts.GPULook{Kind: facts.HelperNonsense, Detail: e.said("exit status %d", code)}
	}
	return e.read()
}

// loaderKind distinguishes a library that lacks a function from every other
// error of the dynamic loader.
func loaderKind(complaint string) facts.GPUKind {
	if strings.Contains(complaint, "symbol lookup error") {
		return facts.HelperSymbol
	}
	return facts.HelperLoader
}

// maxSaid is how much of stderr is quoted as evidence.
const maxSaid = 300

func (e *ended) said(format string, args ...any) string {
	s, complaint := fmt.Sprintf(format, args...), e.complaint()
	if complaint == "" {
		return s + ", without a message"
	}
	return s + ": " + diag.Clip(complaint, maxSaid)
}

// read decodes the facts. Only one complete object of the known version is an
// answer.
func (e *ended) read() facts.GPULook {
	nonsense := func(format string, args ...any) facts.GPULook {
		return facts.GPULook{Kind: facts.HelperNonsense, Detail: e.said("its output is invalid: "+format, args...)}
	}
	if e.out.over {
		return nonsense("more than %d bytes", maxOutput)
	}
	text := []byte(e.out.String())
	if _, err := strictjson.Parse(text, strictjson.Limits{Bytes: maxOutput, Depth: 16}); err != nil {
		return nonsense("%v", err)
	}
	var found facts.NVML
	if err := json.Unmarshal(text, &found); err != nil {
		return nonsense("%v", err)
	}
	if found.Schema != facts.NVMLSchema || found.Outcome == "" {
		return nonsense("schema %d and outcome %q, expected schema %d", found.Schema, found.Outcome, facts.NVMLSchema)
	}
	if (found.Outcome == facts.NVMLSuccess) != (e.state.ExitCode() == 0) {
		return nonsense("outcome %s and exit status %d contradict each other", found.Outcome, e.state.ExitCode())
	}
	return facts.GPULook{Kind: kind(&found), Detail: found.Detail, NVML: &found}
}

func kind(n *facts.NVML) facts.GPUKind {
	switch n.Outcome {
	case facts.NVMLSuccess:
		if n.Count == nil {
			return facts.HelperNonsense
		}
		if *n.Count == 0 || len(n.GPUs) == 0 {
			return facts.GPUNone
		}
		return facts.GPUAnswered
	case facts.NVMLNoCgo:
		return facts.HelperNoCgo
	case "ERROR_LIBRARY_NOT_FOUND":
		return facts.LibraryMissing
	case "ERROR_DRIVER_NOT_LOADED":
		return facts.DriverNotLoaded
	case "ERROR_LIB_RM_VERSION_MISMATCH":
		return facts.DriverMismatch
	case "ERROR_NO_PERMISSION":
		return facts.DriverDenied
	case "ERROR_NOT_FOUND", "ERROR_GPU_NOT_FOUND":
		return facts.GPUNone
	}
	return facts.GPUFailed
}
