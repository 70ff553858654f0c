// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"justnews/internal/diag"
)

// Metrics turns a record into a text that node_exporter's textfile collector
// reads: the Prometheus text format with OpenMetrics' end mark, which both
// parsers accept. All metrics are gauges of the last run: a counter would
// restart with every boot and every instance.
//
// The label is agent, not instance, which Prometheus sets itself.
func Metrics(s Summary) []byte {
	e := exposition{common: []label{{"run", s.Run}}}
	if s.Instance != "" {
		e.common = append(e.common, label{"agent", s.Instance})
	}
	e.outcome(s)
	e.steps(s)
	e.problems(s.Problems)
	e.models(s)
	e.mps(s)
	e.gpus(s)
	e.text.WriteString("# EOF\n")
	return []byte(e.text.String())
}

type label struct{ name, value string }

// exposition collects families; the samples of a family are adjacent.
type exposition struct {
	text   strings.Builder
	common []label
}

const metricPrefix = "justnews_gate_"

const lastRunHelp = "When the last run ended, as Unix time."

// family starts a metric. Its name and help must be the same in every file, or
// node_exporter complains.
func (e *exposition) family(name, help string) func(value float64, labels ...label) {
	fmt.Fprintf(&e.text, "# HELP %s%s %s\n# TYPE %s%s gauge\n", metricPrefix, name, help, metricPrefix, name)
	return func(value float64, labels ...label) {
		e.text.WriteString(metricPrefix + name + "{")
		for i, l := range append(e.common[:len(e.common):len(e.common)], labels...) {
			if i > 0 {
				e.text.WriteByte(',')
			}
			e.text.WriteString(l.name + `="` + escapeLabel(l.value) + `"`)
		}
		e.text.WriteString("} " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
	}
}

// escapeLabel escapes as the format's specification requires, and removes what
// controls a terminal, in case a person prints the file.
func escapeLabel(s string) string { return labelEscapes.Replace(brief(s, maxSubject)) }

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (e *exposition) outcome(s Summary) {
	if began, err := s.Began(); err == nil {
		ended := float64(began.UnixMicro())/1e6 + s.Elapsed
		e.family("last_run_timestamp_seconds", lastRunHelp)(ended)
	}
	e.family("ready", "1: the last run found everything ready that it had to check.")(truth(s.Verdict == "ready"))
	verdict := e.family("verdict", "1 for the verdict of the last run, 0 for the others.")
	for _, v := range []string{"ready", "warnings", "refused", "switched-off"} { // a query also finds those that are 0
		verdict(truth(v == s.Verdict), label{"verdict", v})
	}
	e.family("exit_status", "Exit status of the last run, see justnews-gate(8).")(float64(s.Status))
	e.family("duration_seconds", "Duration of the last run.")(s.Elapsed)
	e.family("timeout_seconds", "Time limit of the last run; 0: it ended before that was known.")(s.Timeout.Seconds)
	e.family("build_info", "Version of justnews-gate that ran last; always 1.")(1, label{"version", s.Version})
}

func (e *exposition) steps(s Summary) {
	if len(s.Steps) == 0 {
		return
	}
	elapsed := e.family("step_duration_seconds", "Duration of a step of the last run; no sample for a step that it did not reach.")
	for _, st := range s.Steps {
		if st.Verdict != notReached {
			elapsed(st.Elapsed, label{"step", st.Name})
		}
	}
	passed := e.family("step_passed", "1: the step passed in the last run.")
	for _, st := range s.Steps {
		passed(truth(st.Verdict == "passed"), label{"step", st.Name})
	}
}

// problems counts by code. A code that did not occur has no sample, but the sum
// of each severity always has one, so that a query never is empty.
func (e *exposition) problems(found []diag.Problem) {
	type kind struct {
		code     diag.Code
		severity diag.Severity
	}
	var order []kind
	count, sum := map[kind]int{}, map[diag.Severity]int{}
	for _, p := range found {
		k := kind{p.Code, p.Severity}
		if count[k] == 0 {
			order = append(order, k)
		}
		count[k]++
		sum[p.Severity]++
	}
	all := e.family("problems", "Problems of the last run.")
	for _, severity := range []diag.Severity{diag.Error, diag.Warning, diag.Notice} {
		all(float64(sum[severity]), label{"severity", severity.String()})
	}
	if len(order) == 0 {
		return
	}
	byCode := e.family("problems_by_code", "Problems of the last run of one code, see justnews-problems(7).")
	for _, k := range order {
		byCode(float64(count[k]), label{"code", string(k.code)}, label{"severity", k.severity.String()})
	}
}

// models adds nothing for a run that did not query the orchestrator.
func (e *exposition) models(s Summary) {
	if s.Models.State == "" {
		return
	}
	e.family("models_loaded", "Models that the orchestrator had loaded.")(float64(s.Models.Done))
	e.family("models_reported", "Models of the orchestrator's job.")(float64(s.Models.Total))
	e.family("models_failed", "Models that the orchestrator could not load.")(float64(s.Models.Failed))
	if s.Models.Expected >= 0 {
		e.family("models_expected", "Models that AGENT_MODEL_MAP lists.")(float64(s.Models.Expected))
	}
	e.family("preload_requests", "Preloads that the last run asked the orchestrator for.")(float64(s.Models.Triggers))
}

// mps counts the rungs of the proof: 0 none, 1 daemon, 2 control, 3 server.
func (e *exposition) mps(s Summary) {
	if s.MPS == nil {
		return
	}
	e.family("mps_rung", "How far NVIDIA MPS was verified: 0 not at all, 1 daemon, 2 control, 3 server.")(float64(s.MPS.Reached))
	e.family("mps_rung_required", "How far NVIDIA MPS has to be verified, as justnews_gate_mps_rung.")(float64(s.MPS.Required))
}

func (e *exposition) gpus(s Summary) {
	if s.GPU == nil {
		return
	}
	e.family("gpus", "GPUs that the driver listed.")(float64(len(s.GPU.Devices)))
	if len(s.GPU.Devices) == 0 {
		return
	}
	e.perGPU(s, "gpu_lost", "1: the GPU cannot be used.", func(d GPU) *float64 { return new(truth(d.Lost != "")) })
	e.perGPU(s, "gpu_unfit", "1: no program should be started on the GPU: it is lost or has to be recovered, or a row of its memory could not be replaced.",
		func(d GPU) *float64 { return new(truth(d.Unfit != "")) })
	e.perGPU(s, "gpu_rows_pending", "1: a faulty row of the GPU's memory is replaced at its next reset.", func(d GPU) *float64 { return known(d.RowsPending, truth) })
	e.perGPU(s, "gpu_rows_failed", "1: a faulty row of the GPU's memory could not be replaced.", func(d GPU) *float64 { return known(d.RowsFailed, truth) })
	e.perGPU(s, "gpu_memory_bytes", "Memory of a GPU.", func(d GPU) *float64 { return known(d.MemoryTotal, toFloat) })
	e.perGPU(s, "gpu_memory_free_bytes", "Free memory of a GPU.", func(d GPU) *float64 { return known(d.MemoryFree, toFloat) })
}

// perGPU omits the values that the driver did not report.
func (e *exposition) perGPU(s Summary, name, help string, of func(GPU) *float64) {
	var sample func(float64, ...label)
	for _, d := range s.GPU.Devices {
		v := of(d)
		if v == nil {
			continue
		}
		if sample == nil {
			sample = e.family(name, help)
		}
		sample(*v, label{"gpu", strconv.Itoa(d.Index)}, label{"uuid", d.UUID}, label{"name", d.Name})
	}
}

func known[T any](v *T, convert func(T) float64) *float64 {
	if v == nil {
		return nil
	}
	return new(convert(*v))
}

func toFloat(n uint64) float64 { return float64(n) }

// WatchState is the state of justnews-gate watch after a look.
type WatchState struct {
	Open     bool // at least one instance is up
	Bad      int  // looks in a row
	Lost     bool // it has reported that
	Problems []diag.Problem
}

// WatchMetrics turns the state after a look that ended at a time into a text as
// Metrics does.
func WatchMetrics(s WatchState, at time.Time) []byte {
	e := exposition{common: []label{{"run", "watch"}}}
	e.family("last_run_timestamp_seconds", lastRunHelp)(float64(at.UnixMilli()) / 1e3)
	e.family("watch_open", "1: an instance is up, so that there is something to watch.")(truth(s.Open))
	e.family("watch_bad_looks", "Consecutive checks that contradicted what the open gates verified.")(float64(s.Bad))
	e.family("watch_lost", "1: watch.failures consecutive checks failed, and none has succeeded since.")(truth(s.Lost))
	e.problems(s.Problems)
	e.text.WriteString("# EOF\n")
	return []byte(e.text.String())
}
