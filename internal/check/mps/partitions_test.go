// SPDX-License-Identifier: Apache-2.0

package mps_test

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/mps"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestPartitions_EachClientMustNameOne(t *testing.T) {
	const named = "CUDA_MPS_SM_PARTITION=GPU-1/Dx4"
	daemon := func(args ...string) facts.MPS {
		return facts.MPS{Daemon: &facts.MPSProcess{Args: append([]string{"nvidia-cuda-mps-control"}, args...)}}
	}
	for name, c := range map[string]struct {
		look facts.MPS
		a    mps.Audit
		want []string
	}{
		"none":                         {daemon("-f"), mps.Audit{Lookup: variables()}, nil},
		"one that is named":            {daemon("-f", "-S"), mps.Audit{Lookup: variables(named)}, nil},
		"one that is missing":          {daemon("-f", "-S"), mps.Audit{Lookup: variables()}, []string{"error MPS-PARTITION"}},
		"by the long option":           {daemon("-d", "--static-partitioning"), mps.Audit{Lookup: variables()}, []string{"error MPS-PARTITION"}},
		"an empty one":                 {daemon("-f", "-S"), mps.Audit{Lookup: variables("CUDA_MPS_SM_PARTITION=")}, []string{"error MPS-PARTITION"}},
		"a file may name it":           {daemon("-f", "-S"), mps.Audit{Lookup: variables(), Files: true}, nil},
		"one without partitions":       {daemon("-f"), mps.Audit{Lookup: variables(named)}, []string{"warning MPS-PARTITION"}},
		"threads, which are ignored":   {daemon("-f", "-S"), mps.Audit{Lookup: variables(named), Limits: config.InstanceMPS{Threads: 25}}, []string{"warning MPS-PARTITION"}},
		"the environment is unknown":   {daemon("-f", "-S"), mps.Audit{}, nil},
		"the daemon cannot be seen":    {facts.MPS{}, mps.Audit{Lookup: variables(named)}, nil},
		"its arguments cannot be seen": {facts.MPS{Daemon: &facts.MPSProcess{}}, mps.Audit{Lookup: variables(named)}, nil},
	} {
		c.a.Unit = "justnews@scout.service"
		problems := mps.Partitions(c.look, c.a)
		var got []string
		for _, p := range problems {
			findings.Sound(t, p)
			got = append(got, p.Severity.String()+" "+string(p.Code))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if len(diag.Errors(problems)) > 0 && !mps.Hopeless(mps.RungDaemon, problems, mps.Wanted{}) {
			t.Errorf("%s: waiting does not help", name)
		}
	}
}

func TestPartitions_OlderDaemonHasNone(t *testing.T) {
	for answer, want := range map[string][]string{
		`Unknown command "lspart"`: nil, // 535 and 550
		"":                         nil,
		"GPU-1  Dx4  7 chunks\n \nGPU-1  Dx5\x1b": {"GPU-1  Dx4  7 chunks", "GPU-1  Dx5�"},
	} {
		got := mps.Named(facts.MPSAnswer{Lines: strings.Split(answer, "\n")}, "")
		if len(got) != len(want) || len(want) > 0 && got[0] != want[0] || strings.Contains(strings.Join(got, ""), "\x1b") {
			t.Errorf("%q: %q", answer, got)
		}
	}
	if got := mps.Named(facts.MPSAnswer{Lines: []string{"0 NVIDIA B200 MLOPart 0", "1 NVIDIA B200"}}, "MLOPart"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
