// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Stage is a point at which the orchestrator can restart or crash.
type Stage string

// The stages, in the order in which a start and a preload pass them.
const (
	StageOpen    Stage = "open"    // the port has just opened
	StageHealth  Stage = "health"  // GET /health was read, not answered
	StageReady   Stage = "ready"   // GET /ready was read, not answered
	StageStatus  Stage = "status"  // GET /models/status was read, not answered
	StagePreload Stage = "preload" // POST /models/preload was read, nothing was started
	StageStarted Stage = "started" // the job was started, the trigger not answered
	StageLoading Stage = "loading" // the first model is loaded
	StageLast    Stage = "last"    // all but the last model are loaded
	StageDone    Stage = "done"    // the job has just ended
)

// Stages is all of them, in order.
var Stages = []Stage{StageOpen, StageHealth, StageReady, StageStatus, StagePreload, StageStarted, StageLoading, StageLast, StageDone}

const (
	startsLate  = "starts-late"
	registering = "closed-while-registering"
	restartAt   = "restart-at"
	crashAt     = "crash-at"
)

const stageValue = "STAGE[,how long it is down]"

var lifeBehaviours = []Behaviour{
	{Name: startsLate, Value: "duration", check: checkDuration, Doc: "the port stays closed for that long after each start"},
	{Name: registering, Value: "duration", check: checkDuration, Doc: "the port stays closed for that long while it waits for a bus that does not exist"},
	{Name: restartAt, Value: stageValue, Times: 1, check: checkStage, Doc: "the process is replaced at that stage: every connection is closed, all state is lost"},
	{Name: crashAt, Value: stageValue, Times: 1, check: checkStage, Doc: "the process exits at that stage with status 1 and is not restarted"},
}

func checkStage(value string) error {
	stage, down, _ := strings.Cut(value, ",")
	if !slices.Contains(Stages, Stage(stage)) {
		return fmt.Errorf("%q is not a stage; the stages are %v", stage, Stages)
	}
	return checkDuration(down)
}

// stage passes a stage and reports whether the life ended there.
func (s *Server) stage(now Stage) (ended bool) {
	var crash bool
	var down time.Duration
	s.conduct.take("", func(sp *spec) bool {
		stage, _, _ := strings.Cut(sp.value, ",")
		return (sp.Name == restartAt || sp.Name == crashAt) && Stage(stage) == now
	}, func(sp *spec) {
		_, pause, _ := strings.Cut(sp.value, ",")
		ended, crash, down = true, sp.Name == crashAt, duration(pause, 0)
	})
	switch {
	case !ended:
	case crash:
		s.opt.Log("crash at stage %s", now)
		s.Crash()
	default:
		s.opt.Log("restart at stage %s, down for %v", now, down)
		s.Restart(down)
	}
	return ended
}

// pathStage is the stage of the arrival of a request for path.
var pathStage = map[string]Stage{
	"/health":   StageHealth,
	"/ready":    StageReady,
	statusPath:  StageStatus,
	preloadPath: StagePreload,
}

// closedFor is how long the port stays closed before anything else happens.
func (s *Server) closedFor() time.Duration {
	var d time.Duration
	for _, name := range []string{startsLate, registering} {
		if v, on := s.conduct.value(name); on {
			d += duration(v, 3*time.Second)
		}
	}
	return d
}
