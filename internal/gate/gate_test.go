// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/process"
	"justnews/internal/requirement"
)

// each case is one gate over one orchestrator, in virtual time.
func TestGate_OneGateAgainstOneOrchestrator(t *testing.T) {
	const timeout = time.Minute
	for name, c := range map[string]struct {
		prepare func(*server, *host, *requirement.Run)
		status  diag.Status
		code    diag.Code
		posts   int
		within  time.Duration
	}{
		"it triggers an idle orchestrator once and follows the job to its end": {
			status: diag.StatusReady, posts: 1, within: 11 * time.Second,
		},
		"it waits for an orchestrator that starts late": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				s.down = true
				s.at(20*time.Second, func(s *server) { s.down = false })
			},
			status: diag.StatusReady, posts: 1, within: 31 * time.Second,
		},
		"it never opens on all_ready over zero models": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.ignore = true },
			status:  diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 11 * time.Second,
		},
		"a server whose preload is simulated is named": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.total, s.each = 0, 0 },
			status:  diag.StatusFailed, code: diag.PreloadEmpty, posts: 2, within: 11 * time.Second,
		},
		"accept_empty opens for a server whose preload is simulated, and says so": {
			prepare: func(s *server, _ *host, w *requirement.Run) { s.total, s.each, w.AcceptEmpty = 0, 0, true },
			status:  diag.StatusReady, code: diag.PreloadEmpty, posts: 1, within: 11 * time.Second,
		},
		"accept_empty does not open for a server that has read no map": {
			prepare: func(s *server, _ *host, w *requirement.Run) {
				s.total, s.each, w.AcceptEmpty = 0, 0, true
				id := 1795439866.0
				s.preloadAnswer = &facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: facts.ModelsState{
					HasStartedAt: true, StartedAt: &id, InProgress: true,
				}}
				s.started = &id
			},
			status: diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 11 * time.Second,
		},
		"a record of an empty preload that an agent forged opens nothing": {
			prepare: func(s *server, h *host, w *requirement.Run) {
				s.total, s.each, w.AcceptEmpty = 0, 0, true
				id := 1795439866.0
				s.started = &id
				s.preloadAnswer = &facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: facts.ModelsState{
					HasStartedAt: true, StartedAt: &id, InProgress: true,
				}}
				h.memory.history = History{Job: &id, Empty: true}
			},
			status: diag.StatusFailed, posts: 2, within: 11 * time.Second,
		},
		"accept_empty asks for itself where another run was answered with an empty preload, also without refreshes": {
			prepare: func(s *server, h *host, w *requirement.Run) {
				s.total, s.each, w.AcceptEmpty, w.Gate.RefreshAttempts = 0, 0, true, 0
				id := 1795439866.0
				s.started, s.startedAt = &id, time.Now()
				h.memory.history = History{Job: &id, Empty: true, Triggers: 1, LastPost: time.Since(h.boot)}
			},
			status: diag.StatusReady, code: diag.PreloadEmpty, posts: 1, within: 11 * time.Second,
		},
		"another empty job than the one that answered our POST opens nothing": {
			prepare: func(s *server, _ *host, w *requirement.Run) {
				s.total, s.each, w.AcceptEmpty = 0, 0, true
				id, other := 1795439866.0, 1795439867.0
				s.preloadAnswer = &facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: facts.ModelsState{
					HasStartedAt: true, StartedAt: &id, AllReady: true,
				}}
				s.started = &other
			},
			status: diag.StatusFailed, posts: 2, within: 11 * time.Second,
		},
		"accept_empty opens without a POST where the preload passed in the orchestrator that is running": {
			prepare: func(s *server, h *host, w *requirement.Run) {
				s.total, s.each, w.AcceptEmpty = 0, 0, true
				id := 1795439866.0
				s.started = &id
				h.units = unitFunc(func(name string) (facts.Unit, error) {
					u, err := activeUnit(name)
					u.Times = facts.UnitTimes{ExecMainStart: time.Second, ActiveEnter: 2 * time.Second}
					u.ExecMainCode = facts.CodeExited
					return u, err
				})
			},
			status: diag.StatusReady, code: diag.PreloadEmpty, posts: 0, within: 2 * time.Second,
		},
		"accept_empty does not open on a job that loaded fewer models than the map lists": {
			prepare: func(s *server, h *host, w *requirement.Run) { s.total, h.models, w.AcceptEmpty = 3, 10, true },
			status:  diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 8 * time.Second,
		},
		"accept_empty does not open before a preload": {
			prepare: func(s *server, _ *host, w *requirement.Run) { s.ignore, w.AcceptEmpty = true, true },
			status:  diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 11 * time.Second,
		},
		"it never opens on a job that loaded fewer models than the map lists": {
			prepare: func(s *server, h *host, _ *requirement.Run) { s.total, h.models = 3, 10 },
			status:  diag.StatusFailed, code: diag.ModelsIncomplete, posts: 2, within: 8 * time.Second,
		},
		"it refreshes a failed job once and then names the model": {
			prepare: func(s *server, _ *host, w *requirement.Run) { s.broken, w.FailFast = 1, false },
			status:  diag.StatusFailed, code: diag.ModelFailed, posts: 2, within: 22 * time.Second,
		},
		"fail_fast ends the wait while the job still runs": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.broken = 1 },
			status:  diag.StatusFailed, code: diag.ModelFailed, posts: 1, within: 2 * time.Second,
		},
		"refresh_attempts = 0 never refreshes": {
			prepare: func(s *server, _ *host, w *requirement.Run) {
				s.broken, w.Gate.RefreshAttempts, w.FailFast = 1, 0, false
			},
			status: diag.StatusFailed, code: diag.ModelFailed, posts: 1, within: 12 * time.Second,
		},
		"a failed job is not refreshed where that cannot be recorded": {
			prepare: func(s *server, h *host, w *requirement.Run) { s.broken, h.memory.broken, w.FailFast = 1, true, false },
			status:  diag.StatusFailed, code: diag.ModelFailed, posts: 1, within: 12 * time.Second,
		},
		"an orchestrator that restarts in the middle is triggered again": {
			prepare: func(s *server, h *host, _ *requirement.Run) {
				var mu sync.Mutex
				invocation := "a"
				s.at(5*time.Second, func(s *server) { s.down = true; s.restart() })
				s.at(8*time.Second, func(s *server) {
					s.down = false
					mu.Lock()
					defer mu.Unlock()
					invocation = "b"
				})
				h.units = unitFunc(func(name string) (facts.Unit, error) {
					u, err := activeUnit(name)
					mu.Lock()
					defer mu.Unlock()
					u.InvocationID = invocation
					return u, err
				})
			},
			status: diag.StatusReady, posts: 2, within: 20 * time.Second,
		},
		"a job that is still running at the deadline is a timeout": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.each = time.Minute },
			status:  diag.StatusTimeout, code: diag.ModelsTimeout, posts: 1, within: timeout + time.Second,
		},
		"an orchestrator that never answers is unreachable at the deadline": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.down = true },
			status:  diag.StatusUnavailable, code: diag.OrchestratorUnreachable, within: timeout + time.Second,
		},
		"ready:false until the deadline is named": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.ready = false },
			status:  diag.StatusUnavailable, code: diag.OrchestratorNotReady, within: timeout + time.Second,
		},
		"an invalid answer ends the wait after three": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				s.override = func() facts.ModelsLook {
					return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Nonsense, Status: 200, Detail: "not an object"}}
				}
			},
			status: diag.StatusNonsense, code: diag.OrchestratorNonsense, within: 2 * time.Second,
		},
		"a single invalid answer among good ones does not end the wait": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				n := 0
				s.override = func() facts.ModelsLook {
					if n++; n%5 == 0 {
						return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Nonsense}}
					}
					return s.look()
				}
			},
			status: diag.StatusReady, posts: 1, within: 15 * time.Second,
		},
		"500 without a state is retried until the deadline": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				s.override = func() facts.ModelsLook {
					return facts.ModelsLook{Answer: facts.Answer{Kind: facts.ServerError, Status: 500, Detail: "Internal Server Error"}}
				}
			},
			status: diag.StatusUnavailable, code: diag.OrchestratorUnreachable, within: timeout + time.Second,
		},
		"two workers that disagree never open it": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.each, s.workers = 0, 2 },
			status:  diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 2, within: timeout + time.Second,
		},
		"two workers that are ready with different jobs never open it": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				n := 0
				s.override = func() facts.ModelsLook {
					n++
					id := float64(100 + n%2)
					return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: facts.ModelsState{
						HasStartedAt: true, StartedAt: &id, AllReady: true, Total: 10, Done: 10,
					}}
				}
			},
			status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: timeout + time.Second,
		},
		"done above total is inconsistent": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				at := 1.0
				s.override = func() facts.ModelsLook {
					return facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: facts.ModelsState{
						HasStartedAt: true, StartedAt: &at, Total: 8, Done: 16,
					}}
				}
			},
			status: diag.StatusNonsense, code: diag.ModelsInconsistent, posts: 1, within: 10 * time.Second,
		},
		"a POST that is refused ends the wait": {
			prepare: func(s *server, _ *host, _ *requirement.Run) {
				s.preloadAnswer = &facts.ModelsLook{Answer: facts.Answer{Kind: facts.Nonsense, Status: 422, Detail: "unprocessable"}}
			},
			status: diag.StatusNonsense, code: diag.PreloadRefused, posts: 1, within: 2 * time.Second,
		},
		"a failed unit ends the wait at once": {
			prepare: func(s *server, h *host, _ *requirement.Run) {
				s.down = true
				h.units = unitFunc(func(name string) (facts.Unit, error) {
					return facts.Unit{Name: name, LoadState: "loaded", ActiveState: "failed", SubState: "failed", Result: "exit-code"}, nil
				})
			},
			status: diag.StatusUnavailable, code: diag.OrchestratorUnit, within: time.Second,
		},
		"a unit between two automatic restarts is waited for": {
			prepare: func(s *server, h *host, _ *requirement.Run) {
				s.down = true
				s.at(10*time.Second, func(s *server) { s.down = false })
				h.units = unitFunc(func(name string) (facts.Unit, error) {
					return facts.Unit{Name: name, LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart", Result: "exit-code"}, nil
				})
			},
			status: diag.StatusReady, posts: 1, within: 22 * time.Second,
		},
		"a unit that dry-runs is never ready": {
			prepare: func(_ *server, h *host, _ *requirement.Run) {
				h.units = unitFunc(func(name string) (facts.Unit, error) {
					u, err := activeUnit(name)
					u.Environment = []string{"MODEL_STORE_DRY_RUN=1"}
					return u, err
				})
			},
			status: diag.StatusFailed, code: diag.OrchestratorDryRun, within: time.Second,
		},
		"safe mode counts only where the configuration honours it": {
			prepare: func(s *server, _ *host, _ *requirement.Run) { s.safeMode = true },
			status:  diag.StatusReady, posts: 1, within: 11 * time.Second,
		},
		"honoured safe mode skips the preload": {
			prepare: func(s *server, _ *host, w *requirement.Run) { s.safeMode, w.HonorSafeMode = true, true },
			status:  diag.StatusReady, code: diag.OrchestratorSafeMode, within: time.Second,
		},
		"without systemd the units are left out": {
			prepare: func(_ *server, h *host, _ *requirement.Run) { h.units = nil },
			status:  diag.StatusReady, code: diag.NoSystemd, posts: 1, within: 11 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(10, time.Second)
				h := newHost(s)
				w := scoutRun(timeout)
				if c.prepare != nil {
					c.prepare(s, h, &w)
				}
				began := time.Now()
				r := Run(t.Context(), w, h.world())
				if r.Status != c.status {
					t.Errorf("status %d, want %d; problems: %v", r.Status, c.status, r.Problems)
				}
				if c.code != "" && !hasCode(r, c.code) {
					t.Errorf("no %s among %v", c.code, r.Problems)
				}
				if s.posts != c.posts || r.Models.Triggers != c.posts {
					t.Errorf("%d POSTs (%d told), want %d", s.posts, r.Models.Triggers, c.posts)
				}
				if s.duringJob > 0 {
					t.Errorf("%d POSTs while a job ran", s.duringJob)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("took %v, want at most %v", took, c.within)
				}
				if !r.Passed() && len(diag.Errors(r.Problems)) == 0 {
					t.Error("refused without an error")
				}
			})
		})
	}
}

func TestGate_AnswerToThePOSTIsEvidence(t *testing.T) {
	failing := &facts.ModelsLook{Answer: facts.Answer{Kind: facts.ServerError, Status: 500, Detail: "500: the driver is too old"}}
	ignored := &facts.ModelsLook{Answer: facts.Answer{Kind: facts.Answered, Status: 200}}
	for name, c := range map[string]struct {
		answer  *facts.ModelsLook
		timeout time.Duration
		code    diag.Code
		want    bool
	}{
		"an error, at the deadline":        {failing, 2 * time.Second, diag.PreloadTimeout, true},
		"an error, twice":                  {failing, time.Minute, diag.ModelsIncomplete, true},
		"nothing is wrong with the answer": {ignored, time.Minute, diag.ModelsIncomplete, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(2, time.Second)
				s.ignore, s.preloadAnswer = true, c.answer
				r := Run(t.Context(), scoutRun(c.timeout), newHost(s).world())
				p := diag.Errors(r.Problems)[0]
				if p.Code != c.code || strings.Contains(p.Seen, "the request to load the models: 500: the driver is too old") != c.want || strings.Contains(p.Fix.String(), "AGENT_MODEL_MAP") {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func hasCode(r Result, code diag.Code) bool {
	for _, p := range r.Problems {
		if p.Code == code {
			return true
		}
	}
	return false
}

// together runs n gates of one host at once.
func together(t *testing.T, h *host, n int, w requirement.Run) []Result {
	results := make([]Result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i] = Run(t.Context(), w, h.world()) })
	}
	wg.Wait()
	return results
}

func TestGate_SeventeenGatesCostOnePreloadAndOneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, 10*time.Second)
		h := newHost(s)
		began := time.Now()
		for _, r := range together(t, h, 17, scoutRun(3*time.Minute)) {
			if !r.Passed() {
				t.Errorf("refused: %v", r.Problems)
			}
		}
		seconds := time.Since(began).Seconds()
		if s.posts != 1 {
			t.Errorf("%d POSTs for 17 gates, want 1", s.posts)
		}
		if rate := float64(s.looks+s.healthLooks) / seconds; rate > 20 {
			t.Errorf("%.1f requests a second, want at most 20", rate)
		}
	})
}

func TestGate_SeventeenGatesRefreshABrokenModelOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		s.broken = 1
		h := newHost(s)
		w := scoutRun(3 * time.Minute)
		w.FailFast = false
		for _, r := range together(t, h, 17, w) {
			if r.Status != diag.StatusFailed || !hasCode(r, diag.ModelFailed) {
				t.Errorf("status %d, %v; want MODEL-FAILED", r.Status, r.Problems)
			}
		}
		if s.posts != 2 {
			t.Errorf("%d POSTs, want the trigger and one refresh", s.posts)
		}
		// Restart=on-failure for ten minutes more.
		for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(3 * time.Second) {
			together(t, h, 17, w)
		}
		if s.posts > 8 {
			t.Errorf("%d POSTs in ten minutes of restarts", s.posts)
		}
		if s.duringJob > 0 {
			t.Errorf("%d POSTs while a job ran", s.duringJob)
		}
	})
}

func TestGate_FollowerTakesOverWhenTheLeaderExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		h := newHost(s)
		ctx, kill := context.WithCancelCause(t.Context())
		var leader, second Result
		var wg sync.WaitGroup
		wg.Go(func() { leader = Run(ctx, scoutRun(time.Minute), h.world()) })
		synctest.Wait()
		wg.Go(func() { second = Run(t.Context(), scoutRun(time.Minute), h.world()) })
		time.Sleep(3 * time.Second)
		kill(errors.New("terminated"))
		wg.Wait()
		if leader.Passed() || !hasCode(leader, diag.Interrupted) {
			t.Errorf("the killed leader: status %d, %v", leader.Status, leader.Problems)
		}
		if !second.Passed() || !second.Models.Led {
			t.Errorf("the follower: status %d, led %v, %v", second.Status, second.Models.Led, second.Problems)
		}
		if s.posts != 1 {
			t.Errorf("%d POSTs, want 1: the job goes on without its leader", s.posts)
		}
	})
}

func TestGate_FollowerReportsTheCauseAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		s.down = true
		h := newHost(s)
		var long, short Result
		var wg sync.WaitGroup
		wg.Go(func() { long = Run(t.Context(), scoutRun(2*time.Minute), h.world()) })
		synctest.Wait()
		wg.Go(func() { short = Run(t.Context(), scoutRun(20*time.Second), h.world()) })
		wg.Wait()
		for _, r := range []Result{long, short} {
			if r.Status != diag.StatusUnavailable || !hasCode(r, diag.OrchestratorUnreachable) {
				t.Errorf("status %d, %v; want ORCHESTRATOR-UNREACHABLE", r.Status, r.Problems)
			}
		}
		if short.Elapsed > 21*time.Second {
			t.Errorf("the follower took %v", short.Elapsed)
		}
	})
}

func TestRefresh_RepeatsAFinishedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, 100*time.Millisecond)
		h := newHost(s)
		w := scoutRun(time.Minute)
		if r := Preload(t.Context(), w, h.world()); !r.Passed() {
			t.Fatalf("first: %v", r.Problems)
		}
		w.ForceRefresh = true
		if r := Preload(t.Context(), w, h.world()); !r.Passed() || s.posts != 2 {
			t.Errorf("refresh: status %d, %d POSTs in all, want 2; %v", r.Status, s.posts, r.Problems)
		}
		w.ForceRefresh = false
		if r := Preload(t.Context(), w, h.world()); !r.Passed() || s.posts != 2 {
			t.Errorf("ready already: status %d, %d POSTs in all, want 2", r.Status, s.posts)
		}
	})
}

func TestRefresh_ReplacesAStatusThatNothingElseReplaces(t *testing.T) {
	for name, preload := range map[string]func(context.Context, requirement.Run, World) Result{"followed": Preload, "triggered": Trigger} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(10, 100*time.Millisecond)
				s.override = func() facts.ModelsLook {
					if s.posts > 0 {
						return s.look()
					}
					return facts.ModelsLook{Answer: facts.Answer{Kind: facts.ServerError, Status: 500, Detail: "Internal Server Error"}}
				}
				h := newHost(s)
				w := scoutRun(10 * time.Second)
				if r := preload(t.Context(), w, h.world()); r.Passed() || s.posts != 0 {
					t.Errorf("without --refresh: status %d, %d POSTs", r.Status, s.posts)
				}
				w.ForceRefresh = true
				if r := preload(t.Context(), w, h.world()); !r.Passed() || s.posts != 1 {
					t.Errorf("with --refresh: status %d, %d POSTs, %v", r.Status, s.posts, r.Problems)
				}
			})
		})
	}
}

func TestRefresh_ContinuesAfterAFailingJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		s.broken = 1
		h := newHost(s)
		w := scoutRun(time.Minute)
		if r := Run(t.Context(), w, h.world()); r.Status != diag.StatusFailed {
			t.Fatalf("fail_fast: status %d", r.Status)
		}
		// Fixed at once, and the printed fix pasted at once: the old job,
		// with its error, still runs.
		s.broken = 0
		w.ForceRefresh = true
		if r := Preload(t.Context(), w, h.world()); !r.Passed() || s.posts != 2 || s.duringJob != 0 {
			t.Errorf("status %d, %d POSTs, %d of them during a job; %v", r.Status, s.posts, s.duringJob, r.Problems)
		}
	})
}

func TestGate_OpensOnceAFixedModelIsRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, 100*time.Millisecond)
		s.broken = 1
		h := newHost(s)
		w := scoutRun(time.Minute)
		w.FailFast = false
		if r := Run(t.Context(), w, h.world()); r.Passed() {
			t.Fatal("opened with a broken model")
		}
		s.broken = 0
		if r := Run(t.Context(), w, h.world()); r.Passed() || r.Elapsed > time.Second {
			t.Errorf("within the back-off: status %d after %v, want the recorded failure at once", r.Status, r.Elapsed)
		}
		time.Sleep(31 * time.Second)
		if r := Run(t.Context(), w, h.world()); !r.Passed() {
			t.Errorf("after the back-off: %v", r.Problems)
		}
	})
}

func TestGate_UnresponsiveBusIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(1, 0))
		x := h.world()
		x.Bus = busFunc(func() facts.BusHealth {
			return facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
		})
		r := Run(t.Context(), scoutRun(30*time.Second), x)
		if r.Status != diag.StatusUnavailable || !hasCode(r, diag.BusUnreachable) {
			t.Errorf("status %d, %v", r.Status, r.Problems)
		}
		if r.Models.State != "ready" {
			t.Errorf("the models were %q", r.Models.State)
		}
	})
}

func TestSurvey_ContinuesAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(1, 0)
		s.broken = 1
		h := newHost(s)
		x := h.world()
		x.Bus = busFunc(func() facts.BusHealth {
			return facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
		})
		r := Survey(t.Context(), scoutRun(30*time.Second), x)
		if !hasCode(r, diag.ModelFailed) || !hasCode(r, diag.BusUnreachable) {
			t.Errorf("findings are missing: %v", r.Problems)
		}
	})
}

func TestSurvey_DoesNotWaitForStoppedUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(1, 0)
		s.down = true
		x := newHost(s).world()
		x.Bus = busFunc(func() facts.BusHealth {
			return facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
		})
		x.Units = oneUnit{LoadState: "loaded", ActiveState: "inactive", SubState: "dead"}
		w := scoutRun(3 * time.Minute)
		w.Orchestrator.Unit, w.Bus.Unit = "justnews@gpu_orchestrator.service", "justnews@mcp_bus.service"
		r := Survey(t.Context(), w, x)
		if r.Passed() || r.Elapsed > time.Second || !hasCode(r, diag.OrchestratorUnit) || !hasCode(r, diag.BusUnit) || hasCode(r, diag.OrchestratorUnreachable) {
			t.Errorf("after %v: %v", r.Elapsed, r.Problems)
		}
		// A gate waits, since someone may start them.
		if r := Run(t.Context(), w, x); r.Elapsed < w.Timeout.Value {
			t.Errorf("after %v: %v", r.Elapsed, r.Problems)
		}
		x.Units = oneUnit{LoadState: "loaded", ActiveState: "inactive", SubState: "dead", Job: true}
		if r := Survey(t.Context(), w, x); r.Elapsed < 2*time.Minute {
			t.Errorf("with a job after %v: %v", r.Elapsed, r.Problems)
		}
	})
}

// oneUnit is systemd with one answer for every unit.
type oneUnit facts.Unit

func (u oneUnit) Unit(_ context.Context, name string, _ ...string) (facts.Unit, error) {
	found := facts.Unit(u)
	found.Name = name
	return found, nil
}

func TestSurvey_AsksEveryServerEvenIfOneIsDown(t *testing.T) {
	for _, budget := range []time.Duration{time.Second, 30 * time.Second, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(1, 0)
			s.down = true
			asked := false
			x := newHost(s).world()
			x.Bus = busFunc(func() facts.BusHealth {
				asked = true
				return facts.BusHealth{Answer: facts.Answer{Kind: facts.Answered, Status: 200}, State: "ok"}
			})
			r := Survey(t.Context(), scoutRun(budget), x)
			if !asked || hasCode(r, diag.BusUnreachable) || !hasCode(r, diag.OrchestratorUnreachable) || hasCode(r, diag.PreloadTimeout) {
				t.Errorf("%v: asked the bus: %v, %v", budget, asked, r.Problems)
			}
			if r.Elapsed > budget || r.Passed() {
				t.Errorf("%v: took %v, passed: %v", budget, r.Elapsed, r.Passed())
			}
		})
	}
}

func TestGate_NilResultHasNotPassed(t *testing.T) {
	var r Result
	r.Settle()
	if r.Passed() {
		t.Error("a run without steps passed")
	}
	r = Result{Steps: []StepResult{{Name: "models"}}}
	r.Settle()
	if r.Passed() {
		t.Error("a step that was not reached passed")
	}
	if got := Refusal("scout", "justnews@scout.service", time.Now(), nil); got.Passed() {
		t.Error("a refusal without problems passed")
	}
}

func TestGate_BudgetIsTheSmallerOfTheTwo(t *testing.T) {
	unit := &facts.Unit{Name: "justnews@scout.service", TimeoutStart: 60 * time.Second}
	for _, c := range []struct {
		want  time.Duration
		unit  *facts.Unit
		get   time.Duration
		noted bool
	}{
		{300 * time.Second, unit, 55 * time.Second, true},
		{55 * time.Second, unit, 55 * time.Second, false},
		{20 * time.Second, unit, 20 * time.Second, false},
		{300 * time.Second, nil, 300 * time.Second, false},
		{300 * time.Second, &facts.Unit{}, 300 * time.Second, false},
		{300 * time.Second, &facts.Unit{TimeoutStart: 6 * time.Second}, 3 * time.Second, true},
	} {
		got, problems := Budget(requirement.Timeout{Value: c.want, Origin: "test"}, c.unit)
		if got.Value != c.get || (len(problems) > 0) != c.noted {
			t.Errorf("Budget(%v, %+v) = %v, %v; want %v, noted %v", c.want, c.unit, got.Value, problems, c.get, c.noted)
		}
	}
}

func TestBudget_FixNamesTheKeysOfTheGuard(t *testing.T) {
	unit := &facts.Unit{Name: "model-client.service", TimeoutStart: 90 * time.Second}
	for origin, want := range map[string]string{
		"gate.timeout":          "set gate.timeout in /etc/justnews/justnews.toml, or TimeoutStartSec=305 in a drop-in of the unit",
		"guards.client.timeout": "set guards.client.timeout or guards.client.start_timeout in /etc/justnews/justnews.toml",
	} {
		_, problems := Budget(requirement.Timeout{Value: 300 * time.Second, Origin: origin}, unit)
		if len(problems) != 1 || problems[0].Fix.Advice != want {
			t.Errorf("%s: %+v, want %q", origin, problems, want)
		}
	}
}

func TestGate_RefusalNeverExitsWithAStatusThatOpensTheGate(t *testing.T) {
	all := make([]int, 0, 255)
	for i := 1; i < 255; i++ {
		if i != 200 {
			all = append(all, i)
		}
	}
	for _, success := range [][]int{{1}, {69, 70}, all} {
		r := Result{Status: diag.StatusFailed}
		if len(success) == 2 {
			r.Status = diag.StatusUnavailable
		}
		if signal := KeepShut(&r, Own{Unit: &facts.Unit{SuccessExitStatus: success}, Known: true}); signal != 0 {
			t.Errorf("signal %d, with a status left for %v", signal, success)
		}
		for _, s := range success {
			if int(r.Status) == s {
				t.Errorf("exits with %d, which is among %v", s, success)
			}
		}
		if r.Passed() || !strings.Contains(r.Problems[0].Message, "SuccessExitStatus") {
			t.Errorf("status %d, %v", r.Status, r.Problems)
		}
	}
}

func TestGate_HarmlessExitStatusIsKept(t *testing.T) {
	own := &facts.Unit{SuccessExitStatus: []int{69, 70, 71}}
	for refusal, want := range map[diag.Status]diag.Status{
		diag.StatusReady: diag.StatusReady, diag.StatusConfig: diag.StatusConfig, diag.StatusUnavailable: 72,
	} {
		if got, signal := Shut(refusal, Own{Unit: own, Known: true}); got != want || signal != 0 {
			t.Errorf("Shut(%d, %v) = %d, signal %d; want %d", refusal, own.SuccessExitStatus, got, signal, want)
		}
	}
	if got, signal := Shut(diag.StatusConfig, Own{Known: true}); got != diag.StatusConfig || signal != 0 {
		t.Errorf("Shut(78) of no unit = %d, signal %d", got, signal)
	}
}

func TestGate_RefusalWithoutASafeStatusEndsBySignal(t *testing.T) {
	var every []int
	for i := 1; i < 256; i++ {
		every = append(every, i)
	}
	for what, c := range map[string]struct {
		own  Own
		want syscall.Signal
	}{
		"a unit that is not known":         {Own{}, process.Unlisted},
		"every status listed":              {Own{Unit: &facts.Unit{SuccessExitStatus: every}, Known: true}, syscall.SIGABRT},
		"every status and SIGABRT as well": {Own{Unit: &facts.Unit{SuccessExitStatus: every, SuccessSignals: []int{6}}, Known: true}, process.Unlisted},
	} {
		r := Result{Status: diag.StatusUnavailable}
		if got := KeepShut(&r, c.own); got != c.want || len(r.Problems) != 1 || r.Problems[0].Code != diag.StatusOpens {
			t.Errorf("%s: signal %d, want %d; %v", what, got, c.want, r.Problems)
		}
		if _, got := Shut(diag.StatusReady, c.own); got != 0 {
			t.Errorf("%s: signal %d for a gate that passed", what, got)
		}
	}
}

func TestGate_TimeCountsFromTheStartOfTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(newServer(10, time.Hour))
		x := h.world()
		x.Began = time.Now()
		var doing []string
		x.Doing = func(what string) { doing = append(doing, what) }
		time.Sleep(3 * time.Second) // D-Bus
		r := Run(t.Context(), scoutRun(5*time.Second), x)
		if total := time.Since(x.Began); r.Elapsed != total || total < 5*time.Second || total > 5*time.Second+afterwards {
			t.Errorf("ended after %v, and says %v; want 5s", total, r.Elapsed)
		}
		if !slices.Contains(doing, "models") {
			t.Errorf("the watchdog heard %q", doing)
		}
	})
}

func TestGate_LeaderThatLostItsLockDoesNotTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(10, time.Second)
		h := newHost(s)
		x := h.world()
		stolen := x.Lock.(*ticket)
		s.down = true
		s.at(5*time.Second, func(s *server) {
			// Somebody removes the file, and another gate locks the new one.
			stolen.lock.mu.Lock()
			stolen.lock.holder = stolen.lock.ticket()
			stolen.lock.mu.Unlock()
			s.down = false
		})
		r := Run(t.Context(), scoutRun(20*time.Second), x)
		if s.posts != 0 || r.Passed() {
			t.Errorf("%d POSTs without the lock, status %d", s.posts, r.Status)
		}
	})
}

// A gate that makes no progress looks whether a server was started with another
// configuration; one that only has to wait does not.
func TestGate_RequestsRenewalOnlyWithoutProgress(t *testing.T) {
	for name, c := range map[string]struct {
		silent bool
		want   bool
	}{
		"the models are being loaded": {},
		"the bus does not answer":     {silent: true, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost(newServer(2, 5*time.Second))
				x := h.world()
				asked := false
				x.Renew = func(context.Context) *diag.Problem { asked = true; return nil }
				if c.silent {
					x.Bus = busFunc(func() facts.BusHealth {
						return facts.BusHealth{Answer: facts.Answer{Kind: facts.Refused, Detail: "connection refused"}}
					})
				}
				r := Run(t.Context(), scoutRun(30*time.Second), x)
				if r.Passed() == c.silent || asked != c.want {
					t.Errorf("passed: %v, asked for a renewal: %v; %v", r.Passed(), asked, r.Problems)
				}
			})
		})
	}
}

// In a manual run, the environment is how the caller configures it.
func TestSelf_OverridesOfAUnitsEnvironmentAreNamed(t *testing.T) {
	const url = "http://127.0.0.1:9900"
	set := func(string) (string, bool) { return url, true }
	unset := func(string) (string, bool) { return "", false }
	for what, c := range map[string]struct {
		self  Self
		named bool
	}{
		"in a unit":                     {Self{InUnit: true, Environment: set}, true},
		"in a unit, not in the own":     {Self{InUnit: true, Environment: unset}, true},
		"by hand":                       {Self{Environment: set}, false},
		"by hand, not in the own":       {Self{Environment: unset}, true},
		"by hand, the own is not known": {Self{}, false},
	} {
		problems := []diag.Problem{{Code: diag.BusUnreachable, Subject: url}}
		c.self.Overridden(problems, requirement.Run{Overrides: []requirement.Override{{Name: "MCP_BUS_URL", Value: url, Configured: "http://127.0.0.1:8000"}}})
		if named := strings.Contains(problems[0].Fix.String(), "MCP_BUS_URL"); named != c.named {
			t.Errorf("%s: %s", what, problems[0].Fix)
		}
	}
}
