// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// again runs a second job, through to its end.
func again(t *testing.T, s *Server) (total, done, failed int) {
	t.Helper()
	loaded(t, s)
	return s.present().counts()
}

func loadsNothing(t *testing.T, s *Server) {
	again(t, s)
	answers(200, `{"all_ready":true,"in_progress":false,"summary":{"total":0,"done":0,"failed":0}`, `"started_at":1`).check(t, s)
}

func loadsThree(t *testing.T, s *Server) {
	if total, done, failed := again(t, s); total != 3 || done != 3 || failed != 0 {
		t.Errorf("%d of %d, %d failed", done, total, failed)
	}
	sequence(true)(t, s)
}

func holdsBack(t *testing.T, s *Server) {
	flips := len(s.Counters().FlipsNS)
	trigger(t, s, `{"refresh":true}`)
	until(t, "all but the last model", func() bool { _, done, _ := s.present().counts(); return done == 15 })
	sequence(false, false)(t, s)
	before := Monotonic()
	s.Release()
	until(t, "the end of the job", s.present().idle)
	sequence(true)(t, s)
	c := s.Counters()
	if len(c.FlipsNS) != flips+1 || c.FlipsNS[flips] < before || c.FlipsNS[flips] > Monotonic() {
		t.Errorf("flips %v, released at %d", c.FlipsNS, before)
	}
}

func loadsSlowly(t *testing.T, s *Server) {
	begun := time.Now()
	again(t, s)
	if took := time.Since(begun); took < 16*2*time.Millisecond {
		t.Errorf("16 models in %v", took)
	}
}

func failsCritic(t *testing.T, s *Server) {
	if total, done, failed := again(t, s); total != 16 || done != 14 || failed != 2 {
		t.Errorf("%d of %d, %d failed", done, total, failed)
	}
	answers(200, "STRICT_MODEL_STORE=1 but failed to load model for agent=critic from "+s.opt.Root+"/critic/current").check(t, s)
}

// readsNothing moves the store away, which a dry run does not notice.
func readsNothing(t *testing.T, s *Server) {
	s.opt.Root = t.TempDir()
	if _, done, failed := again(t, s); done != 16 || failed != 0 {
		t.Errorf("%d done, %d failed", done, failed)
	}
}

// twoStates: one worker ran the job, the other does not know of it.
func twoStates(t *testing.T, s *Server) {
	first, second := status(t, s).body, status(t, s).body
	if !strings.Contains(first, summary16) || !strings.Contains(second, `"started_at":null`) {
		t.Errorf("%s\n%s", first, second)
	}
}

func TestEngine_ConcurrentTriggerCountsBeyondTheTotal(t *testing.T) {
	s := start(t, nil, "load-delay=3ms")
	trigger(t, s, `{"refresh":false}`)
	until(t, "some models", func() bool { _, done, _ := s.present().counts(); return done >= 3 })
	trigger(t, s, `{"refresh":false}`)
	if c := s.Counters(); c.Jobs != 2 {
		t.Fatalf("%d jobs", c.Jobs)
	}
	until(t, "the end of both jobs", func() bool { return s.Counters().Loads == 32 })
	until(t, "more done than there are", func() bool { total, done, _ := s.present().counts(); return done > total })
	answers(200, `"all_ready":false,"in_progress":false`, `"failed":0},"errors":[]`).check(t, s)
}

func TestEngine_TriggerWithoutRefreshIgnoresAgents(t *testing.T) {
	s := start(t, nil)
	loaded(t, s)
	if got := trigger(t, s, `{"agents":["scout"]}`); !strings.Contains(got.body, summary16) {
		t.Error(got.body)
	}
	if c := s.Counters(); c.Jobs != 1 || c.Preloads != 2 || c.Refreshes != 1 {
		t.Errorf("%+v", c)
	}
}

func TestEngine_PartialJobIsReadyForItsModelsOnly(t *testing.T) {
	s := start(t, nil)
	trigger(t, s, `{"agents":["scout"],"refresh":true}`)
	until(t, "the end of the job", s.present().idle)
	answers(200, `"all_ready":true`, `{"total":3,"done":3,"failed":0}`).check(t, s)
}

func TestEngine_ErrorsOfAnEarlierJobRemainAfterAReadyOne(t *testing.T) {
	s := start(t, nil, "fail-model=critic")
	loaded(t, s)
	if err := s.Misbehave(); err != nil {
		t.Fatal(err)
	}
	trigger(t, s, `{"agents":["scout"],"refresh":true}`)
	until(t, "the end of the job", s.present().idle)
	answers(200, `"all_ready":true`, `"agent":"critic"`).check(t, s)
}

func TestEngine_MissingMapIsAVacuousJob(t *testing.T) {
	s := start(t, func(o *Options) { o.Map = os.DevNull })
	loaded(t, s)
	answers(200, `{"all_ready":true,"in_progress":false,"summary":{"total":0,"done":0,"failed":0}`).check(t, s)
}

func readsTheMapOnce(t *testing.T, s *Server) {
	s.opt.Map = filepath.Join(t.TempDir(), "AGENT_MODEL_MAP.json") // only a job reads it
	totals := func() (before, after int) {
		text, err := os.ReadFile(filepath.Join(whole.Root, "AGENT_MODEL_MAP.json"))
		if err == nil {
			err = os.WriteFile(s.opt.Map, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ = again(t, s)
		if err := os.WriteFile(s.opt.Map, []byte(`{"agents":{}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		after, _, _ = again(t, s)
		return before, after
	}
	if before, after := totals(); before != 16 || after != 16 {
		t.Errorf("%d models, then %d", before, after)
	}
	if err := s.Misbehave(); err != nil {
		t.Fatal(err)
	}
	if before, after := totals(); before != 16 || after != 0 {
		t.Errorf("without it: %d models, then %d", before, after)
	}
}
