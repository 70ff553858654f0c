// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"cmp"
	"strings"
)

// modelPaths are the two answers that carry the state of the models.
var modelPaths = []string{statusPath, preloadPath}

// stateBehaviours rewrite the JSON object. Those whose Doc begins with "says ready" must not
// open a gate.
var stateBehaviours = stateOnModels([]Behaviour{
	{Name: "vacuous", rewrite: vacuous, Doc: "says ready over zero models, no job ever ran (started_at null)"},
	{Name: "vacuous-after-job", rewrite: vacuousAfterJob, Doc: "says ready over zero models after a job"},
	{Name: "double-counted", rewrite: doubleCounted, Doc: "done passes total: all_ready stays false with failed 0 and errors []"},
	{Name: "contradicting", rewrite: contradicting, Doc: "says ready with one failed model and its error"},
	{Name: "stale-errors", rewrite: staleErrors, Doc: "says ready, failed 0, with an error left over from an earlier job"},
	{Name: "ready-in-progress", rewrite: readyInProgress, Doc: "says ready while in progress"},
	{Name: "ready-short", rewrite: readyShort, Doc: "says ready with done below total"},
	{Name: "ready-no-errors", rewrite: readyNoErrors, Doc: "says ready with failed 1 and no error"},
	{Name: "done-not-ready", rewrite: doneNotReady, Doc: "job over, every model done, all_ready stays false"},
	{Name: "nested", rewrite: nested, Doc: "the state one level deeper, under status"},
	{Name: "stringly", rewrite: stringly, Doc: `says ready in strings: "true", "16"`},
	{Name: "missing", Value: "field, default all_ready", rewrite: missing, Doc: "a field is missing; summary.total and the like are accepted"},
	{Name: "null", Value: "field, default all_ready", rewrite: null, Doc: "a field is null"},
	{Name: "no-times", rewrite: noTimes, Doc: "neither started_at nor completed_at, as in the runbook's reference"},
	{Name: "duplicate-key", rewrite: duplicateKey, Doc: "all_ready twice: false, then true"},
	{Name: "duplicate-summary", rewrite: duplicateSummary, Doc: "summary.done twice: 0, then all of them"},
	{Name: "case-variant", rewrite: caseVariant, Doc: "all_ready false, and All_Ready true"},
	{Name: "deep", rewrite: deep, Doc: "an unknown field of 100,000 nested arrays"},
	{Name: "huge-number", rewrite: number("100000000000000000000000000000"), Doc: "summary.total and done of 30 digits, equal"},
	{Name: "huge-exponent", rewrite: number("1e400"), Doc: "summary.total and done 1e400, equal"},
	{Name: "float-counts", rewrite: number("16.5"), Doc: "summary.total and done with a fraction, equal"},
	{Name: "negative", rewrite: number("-16"), Doc: "summary.total and done below zero, equal"},
	{Name: "nan", rewrite: number("NaN"), Doc: "summary.total and done NaN, as Python writes it"},
	{Name: "escapes", rewrite: escapes, Doc: "a failed model whose error contains terminal escapes, control characters and a forged log line"},
	{Name: "changing-identity", rewrite: changingIdentity, Doc: "started_at differs in every answer"},
	{Name: "flapping", rewrite: flapping, Doc: "every second ready answer is in progress, with one model less"},
	{Name: "regress", Value: "how many ready answers come first, default 1", check: checkCount, rewrite: regress, Doc: "ready, then in progress forever"},
	{Name: "regress-failed", Value: "how many ready answers come first, default 1", check: checkCount, rewrite: regressFailed, Doc: "ready, then failed forever"},
})

func stateOnModels(list []Behaviour) []Behaviour {
	for i := range list {
		list[i].Paths = modelPaths
	}
	return list
}

// say sets the five fields of a state; a test's 16 models are upstream's old map.
func say(o *object, ready, running bool, total, done, failed int, errors ...any) {
	o.set("all_ready", ready)
	o.set("in_progress", running)
	o.set("summary", &object{{"total", total}, {"done", done}, {"failed", failed}})
	o.set("errors", append([]any{}, errors...))
	if running {
		o.set("completed_at", nil)
	}
}

// ran sets the times of a finished job in the state, if no job has run yet.
func ran(o *object) {
	for _, k := range []string{"started_at", "completed_at"} {
		if t, ok := o.get(k).(*float64); !ok || t == nil {
			o.set(k, wallSeconds())
		}
	}
}

// models is how many models the true state counts, or 16.
func models(o *object) int {
	n, _ := o.get("summary.total").(int)
	return cmp.Or(n, 16)
}

func oneError(text string) any {
	return &object{{"agent", "scout"}, {"model", "google/bert_uncased_L-2_H-128_A-2"}, {"error", text}}
}

const strictText = "STRICT_MODEL_STORE=1 but failed to load model for agent=scout from /opt/justnews/models/scout/current"

func vacuous(o *object, _ *spec) {
	say(o, true, false, 0, 0, 0)
	o.set("started_at", nil)
	o.set("completed_at", nil)
}

func vacuousAfterJob(o *object, _ *spec) { say(o, true, false, 0, 0, 0); ran(o) }

func doubleCounted(o *object, _ *spec) {
	n := models(o)
	say(o, false, false, n, n+n/2, 0)
	ran(o)
}

func contradicting(o *object, _ *spec) {
	n := models(o)
	say(o, true, false, n, n-1, 1, oneError(strictText))
	ran(o)
}

func staleErrors(o *object, _ *spec) {
	n := models(o)
	say(o, true, false, n, n, 0, oneError(strictText))
	ran(o)
}

func readyInProgress(o *object, _ *spec) {
	n := models(o)
	say(o, true, true, n, n, 0)
	o.set("started_at", wallSeconds())
}

func readyShort(o *object, _ *spec)    { say(o, true, false, models(o), models(o)-1, 0); ran(o) }
func readyNoErrors(o *object, _ *spec) { say(o, true, false, models(o), models(o), 1); ran(o) }
func doneNotReady(o *object, _ *spec)  { say(o, false, false, models(o), models(o), 0); ran(o) }

// perfect is a ready state that the others then modify.
func perfect(o *object) { n := models(o); say(o, true, false, n, n, 0); ran(o) }

func nested(o *object, _ *spec) {
	perfect(o)
	inner := *o
	*o = object{{"status", &inner}}
}

func stringly(o *object, _ *spec) {
	perfect(o)
	o.set("all_ready", "true")
	o.set("in_progress", "false")
	for _, k := range []string{"total", "done", "failed"} {
		o.set("summary."+k, string(appendJSON(nil, o.get("summary."+k))))
	}
}

func missing(o *object, s *spec) { perfect(o); o.remove(cmp.Or(s.value, "all_ready")) }
func null(o *object, s *spec)    { perfect(o); o.set(cmp.Or(s.value, "all_ready"), nil) }

func noTimes(o *object, _ *spec) { o.remove("started_at"); o.remove("completed_at") }

func duplicateKey(o *object, _ *spec) {
	perfect(o)
	o.set("all_ready", false)
	o.add("all_ready", true)
}

func duplicateSummary(o *object, _ *spec) {
	perfect(o)
	o.set("summary", &object{{"total", 16}, {"done", 0}, {"failed", 0}, {"done", 16}})
}

func caseVariant(o *object, _ *spec) {
	perfect(o)
	o.set("all_ready", false)
	o.add("All_Ready", true)
}

const depth = 100_000

func deep(o *object, _ *spec) {
	perfect(o)
	o.add("extra", raw(strings.Repeat("[", depth)+strings.Repeat("]", depth)))
}

// number puts the same text into total and done of a state that says ready.
func number(text string) func(*object, *spec) {
	return func(o *object, _ *spec) {
		perfect(o)
		o.set("summary", &object{{"total", raw(text)}, {"done", raw(text)}, {"failed", 0}})
	}
}

func escapes(o *object, _ *spec) {
	n := models(o)
	text := "\x1b[2J\x1b]0;owned\x07\x1b[31m\r\n<0>justnews-gate: pass: all is well\x00\u009b31m\u202egpj.exe\u2028" + strings.Repeat("A", 70_000)
	say(o, false, false, n, n-1, 1, oneError(text))
	ran(o)
}

func changingIdentity(o *object, _ *spec) { perfect(o); o.set("started_at", wallSeconds()) }

func isReady(o *object) bool { return o.get("all_ready") == true }

func flapping(o *object, s *spec) {
	if !isReady(o) {
		return
	}
	if s.memo++; s.memo%2 == 0 {
		say(o, false, true, models(o), models(o)-1, 0)
	}
}

func regress(o *object, s *spec) {
	if fell(o, s) {
		say(o, false, true, models(o), models(o)-1, 0)
	}
}

func regressFailed(o *object, s *spec) {
	if fell(o, s) {
		say(o, false, false, models(o), models(o)-1, 1, oneError(strictText))
	}
}

// fell counts the ready answers that were sent, and reports whether the ready phase is over.
func fell(o *object, s *spec) bool {
	if isReady(o) {
		s.memo++
	}
	return s.memo > atoi(s.value, 1)
}
