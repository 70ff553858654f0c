// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

func call(found facts.NVML, args ...string) (status diag.Status, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, &out, &errs, func() facts.NVML { return found })
	return status, out.String(), errs.String()
}

func TestMain_PrintsOneObject(t *testing.T) {
	for outcome, want := range map[string]diag.Status{facts.NVMLSuccess: diag.StatusReady, "ERROR_DRIVER_NOT_LOADED": diag.StatusGPU, "": diag.StatusGPU} {
		status, stdout, stderr := call(facts.NVML{Schema: facts.NVMLSchema, Outcome: outcome})
		var got facts.NVML
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		if status != want || got.Outcome != outcome || got.Program == "" || stderr != "" {
			t.Errorf("%q: status %d, %+v, stderr %q", outcome, status, got, stderr)
		}
	}
}

func TestMain_OnlyHelpAndVersionAreValidArguments(t *testing.T) {
	for _, arg := range []string{"--help", "-h", "--version"} {
		if status, stdout, stderr := call(facts.NVML{}, arg); status != 0 || !strings.Contains(stdout, "justnews-nvml") || stderr != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", arg, status, stdout, stderr)
		}
	}
	for _, args := range [][]string{{"x"}, {"--no-such"}, {""}, {"--help", "x"}} {
		if status, stdout, stderr := call(facts.NVML{}, args...); status != diag.StatusUsage || stdout != "" || !strings.HasPrefix(stderr, "justnews-nvml: ") {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestMain_FailedWriteIsAnError(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"--version"}} {
		var errs bytes.Buffer
		if status := run(args, full{}, &errs, func() facts.NVML { return facts.NVML{Outcome: facts.NVMLSuccess} }); status != diag.StatusInternal {
			t.Errorf("%q: status %d", args, status)
		}
	}
}
