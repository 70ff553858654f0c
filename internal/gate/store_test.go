// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/digest"
	"justnews/internal/facts"
	"justnews/internal/modelmap"
	"justnews/internal/requirement"
)

// shelf is a complete Model Store, apart from a test's changes.
type shelf struct {
	spoil   func(*facts.Store)
	proof   facts.StoreProof
	known   facts.StoreProof // what was found out before
	looks   int
	proofs  int
	hashing time.Duration
	proved  []string
	as      []int // users whose permissions were checked
}

func (s *shelf) Look(_ context.Context, wants []facts.StoreWant) facts.Store {
	s.looks++
	look := facts.Store{Root: "/store", User: "u", Loader: "u", Trees: []facts.StoreTree{{Owner: "scout", Name: "v1", Path: "/store/scout/versions/v1"}}}
	for _, w := range wants {
		look.Models = append(look.Models, facts.StoreModel{Want: w, Dir: "/store/scout", Files: 4, Bytes: 1000})
	}
	if s.spoil != nil {
		s.spoil(&look)
	}
	return look
}

func (s *shelf) As(uid int) ModelStore {
	s.as = append(s.as, uid)
	return s
}

func (s *shelf) Prove(ctx context.Context, trees []facts.StoreTree, tell func(digest.Progress)) []facts.StoreProof {
	s.proofs++
	for _, t := range trees {
		s.proved = append(s.proved, t.Path)
	}
	if tell != nil {
		tell(digest.Progress{Done: 1 << 20, Total: 4 << 20, Read: 1 << 20})
	}
	select {
	case <-ctx.Done():
		return []facts.StoreProof{{Path: "/store/scout/versions/v1", Verdict: facts.OutOfTime}}
	case <-time.After(s.hashing):
	}
	p := s.proof
	p.Path = "/store/scout/versions/v1"
	return []facts.StoreProof{p}
}

func (s *shelf) Recall(context.Context, []facts.StoreTree) []facts.StoreProof {
	p := s.known
	p.Path = "/store/scout/versions/v1"
	return []facts.StoreProof{p}
}

func corrupted(look *facts.Store) {
	look.Models[0].Faults = []facts.StoreFault{{Kind: facts.Cut, Path: "/store/w"}}
}

func TestStore_IsCheckedBeforeThePreload(t *testing.T) {
	whole := facts.StoreProof{Verdict: facts.Whole}
	for name, c := range map[string]struct {
		verify string
		shelf  shelf
		change func(*requirement.Run, *World)
		status diag.Status
		code   diag.Code
		posts  int
		proofs int
		looks  int
	}{
		"presence looks and does not hash": {verify: "presence", status: diag.StatusReady, posts: 1, looks: 1},
		"manifest hashes":                  {verify: "manifest", shelf: shelf{proof: whole}, status: diag.StatusReady, posts: 1, proofs: 1, looks: 1},
		"presence does not pass what the preload found": {
			verify: "presence", shelf: shelf{known: facts.StoreProof{Verdict: facts.Differs, Orders: 1, Tried: 1}}, status: diag.StatusStoreCorrupt, code: diag.StoreCorrupt, looks: 1,
		},
		"presence passes what is undecided": {
			verify: "presence", shelf: shelf{known: facts.StoreProof{Verdict: facts.Undecided, Orders: 1e9}}, status: diag.StatusReady, posts: 1, looks: 1,
		},
		"off does neither": {verify: "off", shelf: shelf{spoil: corrupted}, status: diag.StatusReady, posts: 1},
		"what is missing ends it before a preload": {
			verify: "presence", shelf: shelf{spoil: corrupted}, status: diag.StatusStoreCorrupt, code: diag.StoreCorrupt, looks: 1,
		},
		"what is not there is not hashed either": {
			verify: "manifest", shelf: shelf{spoil: corrupted}, status: diag.StatusStoreCorrupt, code: diag.StoreCorrupt, looks: 1,
		},
		"another content ends it": {
			verify: "manifest", shelf: shelf{proof: facts.StoreProof{Verdict: facts.Differs, Orders: 1, Tried: 1}}, status: diag.StatusStoreCorrupt, code: diag.StoreCorrupt, looks: 1, proofs: 1,
		},
		"what cannot be verified is not opened, and not called corrupt": {
			verify: "manifest", shelf: shelf{proof: facts.StoreProof{Verdict: facts.Undecided, Orders: 1e9}}, status: diag.StatusStoreIncomplete, code: diag.StoreUnverified, looks: 1, proofs: 1,
		},
		"an undecided proof does not open": {
			verify: "manifest", shelf: shelf{proof: facts.StoreProof{Verdict: facts.NoManifest, Name: "v1"}}, status: diag.StatusStoreIncomplete, code: diag.StoreManifest, looks: 1, proofs: 1,
		},
		"hashing ends with the budget": {
			verify: "manifest", shelf: shelf{hashing: time.Hour}, status: diag.StatusTimeout, code: diag.StoreTimeout, looks: 1, proofs: 1,
		},
		"an incomplete look opens nothing": {
			verify: "presence", shelf: shelf{spoil: func(s *facts.Store) { s.Models = s.Models[:1] }}, status: diag.StatusTimeout, code: diag.StoreTimeout, looks: 1,
		},
		"without a map there is nothing to ask for": {
			verify: "manifest", shelf: shelf{spoil: corrupted}, change: func(_ *requirement.Run, w *World) { w.Map.Models = nil }, status: diag.StatusReady, posts: 1,
		},
		"a store on another host is not asked": {
			verify: "manifest", change: func(_ *requirement.Run, w *World) { w.Store = nil }, status: diag.StatusReady, posts: 1,
		},
		"scope = own asks for its own models alone": {
			verify: "presence", shelf: shelf{spoil: func(s *facts.Store) {
				if len(s.Models) != 1 || s.Models[0].Want.Agent != "memory" {
					corrupted(s)
				}
			}}, change: func(w *requirement.Run, _ *World) { w.OnlyAgent = "memory" }, status: diag.StatusReady, posts: 1, looks: 1,
		},
		"downloads allowed: a missing model is a warning": {
			verify: "presence", shelf: shelf{spoil: func(s *facts.Store) { s.Models[0].Faults = []facts.StoreFault{{Kind: facts.NoSnapshot, Path: "/x"}} }},
			change: func(w *requirement.Run, _ *World) { w.Models.Strict = false }, status: diag.StatusReady, posts: 1, looks: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(2, time.Second)
				world, w := newHost(s).world(), scoutRun(time.Minute)
				world.Store = &c.shelf
				world.Map.Models = twoModels(t)
				w.Verify, w.Models.Strict = c.verify, true
				if c.change != nil {
					c.change(&w, &world)
				}
				res := Run(t.Context(), w, world)
				if res.Status != c.status || c.code != "" && (len(res.Problems) == 0 || res.Problems[0].Code != c.code) {
					t.Errorf("status %d, %v", res.Status, res.Problems)
				}
				if s.posts != c.posts || c.shelf.looks != c.looks || c.shelf.proofs != c.proofs {
					t.Errorf("%d posts, %d looks, %d proofs; want %d, %d, %d", s.posts, c.shelf.looks, c.shelf.proofs, c.posts, c.looks, c.proofs)
				}
			})
		})
	}
}

func twoModels(t testing.TB) *modelmap.Map {
	t.Helper()
	m, problems := modelmap.Parse([]byte(`{"scout":["bert"],"memory":["mini"]}`))
	if m == nil {
		t.Fatal(problems)
	}
	return m
}

func TestStore_OrchestratorErrorIsExplainedByTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(2, time.Second)
		s.broken = 1
		world, w := newHost(s).world(), scoutRun(time.Minute)
		broken := false
		world.Map.Models = twoModels(t)
		world.Store = &shelf{spoil: func(look *facts.Store) {
			if broken { // after the look that let it pass
				corrupted(look)
			}
			broken = true
		}}
		w.Verify, w.FailFast = "presence", true
		res := Run(t.Context(), w, world)
		p := res.Problems[0]
		if p.Code != diag.StoreCorrupt || res.Status != diag.StatusStoreCorrupt || p.Subject != "scout: bert" || !strings.Contains(p.Seen, "/store/w ends early") {
			t.Errorf("%+v", res.Problems)
		}
	})
}

func TestStore_WithoutUnitTheSocketsUserIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(2, time.Second)
		s.broken, s.server = 1, facts.Server{Local: true, Accepted: true, UID: 998}
		world, w := newHost(s).world(), scoutRun(time.Minute)
		world.Map.Models = twoModels(t)
		rack := &shelf{}
		world.Store = rack
		w.Orchestrator.Unit, w.Verify, w.FailFast = "", "off", true
		if Run(t.Context(), w, world); !slices.Equal(rack.as, []int{998}) {
			t.Errorf("looked at as %v", rack.as)
		}
		w.Loader.User = "justnews"
		rack.as = nil
		if Run(t.Context(), w, world); len(rack.as) > 0 {
			t.Errorf("looked at as %v, although the unit names the user", rack.as)
		}
	})
}

func TestStore_IntactLookingModelIsHashedOnceToExplainItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(2, time.Second)
		s.broken = 1
		world, w := newHost(s).world(), scoutRun(time.Minute)
		world.Map.Models = twoModels(t)
		rack := &shelf{proof: facts.StoreProof{Verdict: facts.Differs, Orders: 1, Tried: 1, By: "manifest"}}
		world.Store = rack
		w.Verify, w.FailFast = "presence", true
		res := Run(t.Context(), w, world)
		if p := res.Problems[0]; p.Code != diag.StoreCorrupt || rack.proofs != 1 {
			t.Errorf("%d proofs, %+v", rack.proofs, res.Problems)
		}
	})
}

func TestStore_HashingProgressHasAmountRateAndTime(t *testing.T) {
	for _, c := range []struct {
		p    digest.Progress
		want string
		left time.Duration
	}{
		{digest.Progress{Done: 2 << 30, Total: 4 << 30, Read: 1 << 30}, "2.0 GiB of 4.0 GiB verified, 1.0 GiB/s, 2 s left", 2 * time.Second},
		{digest.Progress{Done: 2 << 30, Total: 4 << 30}, "2.0 GiB of 4.0 GiB verified", 0},
		{digest.Progress{Done: 4 << 30, Total: 4 << 30, Read: 1 << 30}, "4.0 GiB of 4.0 GiB verified, 1.0 GiB/s, 0 s left", 0},
	} {
		if text, left := HashingText(c.p, time.Second); text != c.want || left != c.left {
			t.Errorf("%q %v, want %q %v", text, left, c.want, c.left)
		}
	}
}

// What an instance sees of the store may differ from what the next preload will see.
func TestStore_IsRememberedByThePreloadOnly(t *testing.T) {
	for instance, want := range map[string]bool{"": true, "scout": false} {
		r := &runner{req: scoutRun(time.Minute), world: World{Store: &shelf{}, Map: ModelMap{Models: twoModels(t)}}}
		r.req.Instance = instance
		if out := auditStore(t.Context(), r); !out.passed || out.detail != "2 of 2 models in the store" || (r.store != "") != want {
			t.Errorf("%q: %+v, remembers %q", instance, out, r.store)
		}
	}
	one, other := shelf{}, shelf{spoil: corrupted}
	wants := store.Wants(twoModels(t))
	if a, b := fingerprint(one.Look(t.Context(), wants)), fingerprint(other.Look(t.Context(), wants)); a == b || a != fingerprint(one.Look(t.Context(), wants)) {
		t.Errorf("%q and %q", a, b)
	}
}

func TestStore_GlanceReportsWhatOneLookFinds(t *testing.T) {
	late := shelf{spoil: func(s *facts.Store) {
		s.Models = s.Models[:1]
		s.Models[0].Faults = []facts.StoreFault{{Kind: facts.Cut, Path: "/w"}}
	}}
	gone := shelf{spoil: func(s *facts.Store) {
		*s = facts.Store{Root: "/store", Fault: &facts.StoreFault{Kind: facts.Absent, Path: "/store"}}
	}}
	corrupt := shelf{spoil: corrupted}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx   context.Context
		store ModelStore
		noMap bool
		want  diag.Code
	}{
		"whole":                  {t.Context(), &shelf{}, false, ""},
		"corrupt":                {t.Context(), &corrupt, false, diag.StoreCorrupt},
		"no root":                {t.Context(), &gone, false, diag.StoreRoot},
		"a look that was cut":    {t.Context(), &late, false, ""},
		"the run has ended":      {ended, &corrupt, false, ""},
		"no store":               {t.Context(), nil, false, ""},
		"no map, and a bad root": {t.Context(), &gone, true, ""},
	} {
		x := World{Store: c.store, Map: ModelMap{Models: twoModels(t)}}
		if c.noMap {
			x.Map.Models = nil
		}
		w := scoutRun(time.Minute)
		w.Models.Strict = true
		if p := GlanceStore(c.ctx, w, x); (len(p) == 0) != (c.want == "") || len(p) > 0 && p[0].Code != c.want {
			t.Errorf("%s: %v", name, p)
		}
	}
}

// A survey names what is known to be wrong besides what is missing.
func TestStore_SurveyReportsProofsAndFaults(t *testing.T) {
	for survey, want := range map[bool]int{true: 2, false: 1} {
		rack := &shelf{spoil: corrupted, known: facts.StoreProof{Verdict: facts.Differs, Orders: 1, Tried: 1}}
		r := &runner{req: scoutRun(time.Minute), survey: survey, world: World{Store: rack, Map: ModelMap{Models: twoModels(t)}}}
		if out := auditStore(t.Context(), r); out.passed || out.detail != "the store is not complete" || len(diag.Errors(out.problems)) != want {
			t.Errorf("survey %t: %+v", survey, out)
		}
	}
}
