// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"fmt"
	"math"
	"slices"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
)

type limits struct {
	on  bool // MPS was in use, so that a gate has to prove it
	of  map[string]MPSLimit
	sum float64 // GiB, of instances that were found
}

// mps writes [mps]. A pipe directory shows that MPS was in use: no program reads
// ENABLE_MPS, although it is in the examples of JustNews, and a file of limits alone
// had no effect.
func (a *converter) mps(t *table, names []string) limits {
	l := limits{of: map[string]MPSLimit{}}
	pipe, hasPipe := a.variable("", "CUDA_MPS_PIPE_DIRECTORY")
	l.on = hasPipe
	for _, instance := range []string{"", orchestrator} {
		if v, ok := a.variable(instance, "ENABLE_MPS"); ok {
			if on, known := envfile.Boolean(v.text); known && !on {
				l.on = false
			}
			t.note("ENABLE_MPS=%s in %s, which no program has ever read", v.text, v.at)
			break
		}
	}
	if f := a.host.MPS; f != nil {
		if !hasPipe && f.PipeDirectory != "" {
			pipe, hasPipe = value{f.PipeDirectory, place{f.Path, 0}}, true
		}
		a.limits(&l, names)
	}
	if hasPipe {
		if clean, ok := accept(a, pipe, "CUDA_MPS_PIPE_DIRECTORY", config.PipeDirectory); ok {
			t.from("pipe_directory", value{clean, pipe.at})
		}
	}
	a.take(t, "log_directory", "CUDA_MPS_LOG_DIRECTORY", config.Path)
	return l
}

func (a *converter) limits(l *limits, names []string) {
	f := a.host.MPS
	for _, line := range f.Comments {
		a.say(diag.ImportUnreadable, place{f.Path, line}, "a comment, which JSON does not allow: no program could read the file, so its limits never applied",
			"a line that begins with #", "JSON", "no action is needed: the limits are imported without it")
	}
	for _, limit := range f.Limits {
		at := value{fmt.Sprintf("%s: %g GB", limit.Agent, limit.GB), place{f.Path, limit.Line}}
		switch {
		case !slices.Contains(names, limit.Agent):
			a.leftOut(at, "the limit of "+limit.Agent, "no such instance was found on this host", "no action is needed, unless the instance is missing")
		case memory(limit.GB) == "":
			a.leftOut(at, "the limit of "+limit.Agent, "it is not an amount of memory", "write one into [instances."+limit.Agent+"]")
		default:
			l.of[limit.Agent] = limit
			l.sum += limit.GB
		}
	}
	if len(l.of) > 0 && !l.on {
		a.say(diag.ImportLeftOut, place{f.Path, 0}, "the limits are written as comments: nothing shows that MPS was used",
			"no CUDA_MPS_PIPE_DIRECTORY", "", "remove the # where MPS has to be required")
	}
}

// memory converts upstream's GB to CUDA's format, "" if it is not an amount.
func memory(gb float64) string {
	mib := math.Floor(gb * 1024)
	switch {
	case math.IsNaN(mib) || mib < 1 || mib > 1<<24:
		return ""
	case math.Mod(mib, 1024) == 0:
		return fmt.Sprintf("%.0fG", mib/1024)
	}
	return fmt.Sprintf("%.0fM", mib)
}

// gpu writes the GPU's memory if the limits fit into it: a configuration whose limits
// exceed it is refused.
func (a *converter) gpu(t *table, l limits) {
	f := a.host.MPS
	if f == nil || f.AvailableGB <= 0 || memory(f.AvailableGB) == "" {
		return
	}
	if l.sum > f.AvailableGB {
		t.note("memory = %s   would refuse the limits below: their sum is %.4g GB (%s)", quoted(memory(f.AvailableGB)), l.sum, f.Path)
		a.say(diag.ImportOvercommit, place{f.Path, 0}, "the limits exceed the GPU's memory, so gpu.memory is not set",
			fmt.Sprintf("%.4g GB in all", l.sum), fmt.Sprintf("at most %.4g GB", f.AvailableGB), "lower a limit, then set gpu.memory")
		return
	}
	t.set("memory", quoted(memory(f.AvailableGB)), f.Path)
}

func (a *converter) instanceMPS(t *table, name string, l limits) {
	limit, ok := l.of[name]
	if !ok {
		return
	}
	from := place{a.host.MPS.Path, limit.Line}
	toml := fmt.Sprintf("{ enabled = true, memory = %s }", quoted(memory(limit.GB)))
	if !l.on {
		t.note("mps = %s   %s", toml, from)
		return
	}
	t.set("mps", toml, from.String())
}
