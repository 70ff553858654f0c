// SPDX-License-Identifier: Apache-2.0

package hostile

import (
	"slices"
	"time"

	"justnews/internal/diag"
	"justnews/test/reference"
)

// rows is the table: every behaviour of the reference server, some of them more than once.
func rows() []row {
	return slices.Concat(statusRows(), dressRows(), stateRows(), engineRows(), wireRows(), lifeRows(), busRows())
}

// Another program answers, or a failing framework.
func statusRows() []row {
	return []row{
		senseless("400"), senseless("401"), senseless("403"), senseless("404"), senseless("404-html"), senseless("422"),
		senseless("redirect"), senseless("301"), senseless("html"), senseless("empty"), senseless("204"),
		silent("429"), silent("500"), silent("500-json"), silent("502"), silent("503"), silent("503-json"),
		silent("503-list"), silent("503-null"), silent("503-empty"), silent("504"),
		opens("404@/ready", "a server without /ready (404) is still asked for its models, which are verified"),
		senseless("401@/models/status").because("only the models' state is refused"),
		silent("500@/models/status").because("the old server's state after a job for named agents; only a restart or a refresh ends it"),
		ends("500@/models/preload", diag.StatusFailed, diag.ModelsIncomplete, 2).lasting(15 * time.Second).
			because("the trigger is answered with 500 and not executed, and so is its only repetition"),
		ends("422@/models/preload", diag.StatusNonsense, diag.PreloadRefused, 1).because("the trigger is refused"),
		ends("404@/models/preload", diag.StatusNonsense, diag.PreloadRefused, 1).because("there is no such endpoint"),
		ends("redirect@/models/preload", diag.StatusNonsense, diag.PreloadRefused, 1).because("the trigger is not followed elsewhere"),
	}
}

// The right answer in the wrong form.
func dressRows() []row {
	return []row{
		opens("202", "the answer to a trigger is not decisive; the looks after it verify 16 of 16"),
		contradictory("503-state").because("a 503 whose state says ready contradicts itself"),
		silent("500-state"), silent("503-bare-state"), senseless("404-state"),
		senseless("array"), senseless("scalar"), senseless("quoted"), senseless("trailing-bytes"), senseless("trailing-junk"),
		senseless("bom"), senseless("invalid-utf8"), senseless("cut"), senseless("gzip"),
		opens("text-plain", "the type is only a label: the body is parsed strictly as JSON, and says 16 of 16"),
	}
}

// A state that says ready but is not.
func stateRows() []row {
	return []row{
		ends("vacuous", diag.StatusTimeout, diag.PreloadTimeout, 1).because("within the time in which a job must appear"),
		broken("vacuous", diag.ModelsIncomplete, 2).lasting(15 * time.Second).until(13 * time.Second).because("once that time is over"),
		broken("vacuous-after-job", diag.PreloadEmpty, 2).or(diag.ModelsIncomplete),
		contradictory("double-counted"), contradictory("contradicting"), contradictory("stale-errors"),
		contradictory("ready-in-progress").posted(0).until(0).because("it waits, since a job seems to be running"),
		contradictory("ready-short"), contradictory("ready-no-errors"), contradictory("done-not-ready"), contradictory("changing-identity"),
		senseless("nested"), senseless("stringly"),
		senseless("missing"), senseless("missing=in_progress"), senseless("missing=summary"), senseless("missing=summary.total"),
		senseless("missing=summary.failed"), senseless("missing=errors"),
		senseless("null"), senseless("null=in_progress"), senseless("null=summary"), senseless("null=summary.done"), senseless("null=errors"),
		opens("no-times", "the runbook's own reference has no times; the models are still counted, and zero is never accepted"),
		opens("missing=completed_at", "nothing depends on it; everything else says 16 of 16"),
		senseless("duplicate-key"), senseless("duplicate-summary"), senseless("case-variant"), senseless("deep"),
		senseless("huge-number"), senseless("huge-exponent"), senseless("float-counts"), senseless("negative"), senseless("nan"),
		broken("escapes", diag.ModelFailed, 1).because("none of it reaches the terminal or the log unescaped"),
		ends("flapping", diag.StatusTimeout, diag.ModelsTimeout, 1).because("no two looks agree on ready, and a job seems to be running"),
		ends("regress", diag.StatusTimeout, diag.ModelsTimeout, 1).because("the only ready look is the one over zero models"),
		ends("regress=2", diag.StatusTimeout, diag.ModelsTimeout, 1).because("one real ready look is not enough"),
		ends("regress=3", diag.StatusTimeout, diag.ModelsTimeout, 1).because("two are not enough either"),
		opens("regress=4", "three looks over three connections said 16 of 16 of one job; what happens after the gate has opened is out of its scope"),
		broken("regress-failed", diag.ModelFailed, 2),
	}
}

// A server that actually does something else.
func engineRows() []row {
	return []row{
		broken("empty-map", diag.ModelsIncomplete, 2), opens("cached-map", "the map has not changed since"), broken("subset", diag.ModelsIncomplete, 2), broken("subset=15", diag.ModelsIncomplete, 2),
		broken("fail-model", diag.ModelFailed, 2).orFewer(),
		ends("hold", diag.StatusTimeout, diag.ModelsTimeout, 1),
		opens("ready-after=2s", "it waits: the last model is ready after 2 s"),
		ends("ready-after=1m", diag.StatusTimeout, diag.ModelsTimeout, 1),
		opens("load-delay=50ms", "it waits: 16 models of 50 ms each"),
		opens("dry-run", "it cannot be detected over HTTP: every model is reported ok. If the orchestrator is a unit of this host, its environment is checked and it is refused with ORCHESTRATOR-DRY-RUN"),
		opens("safe-mode", "it does not stop a preload, and honor_safe_mode is off: the models are loaded and verified"),
		contradictory("two-workers").posted(2),
		ends("not-ready", diag.StatusUnavailable, diag.OrchestratorNotReady, 0),
	}
}

// Bytes that are corrupted or lost on the way.
func wireRows() []row {
	return []row{
		silent("hang-accept"), silent("reset-accept"), silent("hang-headers"), silent("hang-body"),
		silent("drip-headers"), silent("drip-headers=1ms"), silent("drip-body"),
		opens("drip-body=1ms", "within the time limit of a look"),
		silent("late"), opens("late=100ms", "within the time limit of a look"),
		silent("truncated"), silent("reset"), silent("reset-body"), silent("drop"),
		opens("reset-second", "a lost answer is requested again, and is no contradiction"),
		opens("drop-second", "as reset-second"), opens("502-second", "as reset-second"),
		senseless("fat"), senseless("fat=1"), senseless("endless"), senseless("endless-header"), senseless("informational"),
		senseless("not-http"), senseless("two-lengths"), senseless("bad-chunk"),
		opens("second-answer", "the second one is ignored: its connection is closed"),
		opens("hang-headers@/models/preload", "the trigger is executed and never answered; the looks after it verify 16 of 16"),
		opens("reset@/models/preload", "the same with a reset: the trigger is not sent again"),
		opens("drop@/models/preload", "the same with a closed connection"),
		opens("endless@/models/preload", "the answer to the trigger is truncated at 1 MiB; the looks after it verify 16 of 16"),
	}
}

// A process that starts, dies and comes back.
func lifeRows() []row {
	list := []row{
		opens("starts-late=1s", "it waits"),
		silent("starts-late=1m"),
		opens("closed-while-registering=1s", "it waits"),
		silent("closed-while-registering=1m"),
	}
	for _, stage := range reference.Stages {
		back := opens("restart-at="+string(stage)+",300ms", "the new process is triggered and verified")
		gone := silent("crash-at=" + string(stage))
		switch stage {
		case reference.StageOpen, reference.StageHealth, reference.StageReady, reference.StageStatus:
		default: // after the POST: it is given its time, then repeated once
			back = back.posted(2).lasting(grace)
			gone = gone.posted(1)
		}
		list = append(list, back, gone)
	}
	return list
}

// The same from the bus, once the models are verified.
func busRows() []row {
	return []row{
		ofBus(senseless("404")), ofBus(senseless("html")), ofBus(senseless("redirect")), ofBus(senseless("401")),
		ofBus(senseless("trailing-bytes")), ofBus(senseless("fat")), ofBus(senseless("endless")), ofBus(senseless("not-http")),
		ofBus(silent("500")), ofBus(silent("503")), ofBus(silent("hang-accept")), ofBus(silent("hang-headers")),
		ofBus(silent("drip-body")), ofBus(silent("reset")), ofBus(silent("starts-late=1m")),
		ofBus(opens("starts-late=1s", "it waits")),
	}
}
