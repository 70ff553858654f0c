// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strings"
	"testing"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestOfModel_ReportsOnlyWhatKeepsThatModelFromLoading(t *testing.T) {
	differs := facts.StoreProof{Owner: "scout", Name: "v1", Path: root + "/scout/versions/v1", By: "seal", Verdict: facts.Differs}
	other := facts.StoreProof{Owner: "base_models", Name: "v7", Path: root + "/base_models/versions/v7", By: "seal", Verdict: facts.Differs}
	unsealed := facts.StoreProof{Owner: "scout", Name: "v1", Path: differs.Path, Verdict: facts.NoManifest}
	for name, c := range map[string]struct {
		model  string
		spoil  func(*facts.Store)
		proofs []facts.StoreProof
		want   diag.Code // "": nothing
	}{
		"whole":                    {model: "org/bert"},
		"no store":                 {model: "org/bert", spoil: storeCases["no root"].spoil, want: diag.StoreRoot},
		"no store for any model":   {model: "other", spoil: storeCases["no root"].spoil, want: diag.StoreRoot},
		"its own fault":            {model: "org/bert", spoil: modelFault(facts.Cut, "/w"), want: diag.StoreCorrupt},
		"a fault of a sibling":     {model: "org/roberta", spoil: modelFault(facts.Cut, "/w")},
		"a model that is not seen": {model: "other", spoil: danglingCurrent},
		"no version":               {model: "org/bert", spoil: danglingCurrent, want: diag.StoreVersion},
		"in no version": {model: "org/bert", spoil: func(s *facts.Store) {
			s.Models[0].Tree = -1
			danglingCurrent(s)
		}, proofs: []facts.StoreProof{differs}},
		"other content":          {model: "org/bert", proofs: []facts.StoreProof{other, differs}, want: diag.StoreCorrupt},
		"another version's":      {model: "org/bert", proofs: []facts.StoreProof{other}},
		"content without a seal": {model: "org/bert", proofs: []facts.StoreProof{unsealed}},
		"a warning":              {model: "org/bert", spoil: modelFault(facts.Unfinished, "/b.incomplete")},
	} {
		look, w := whole(t)
		if c.spoil != nil {
			c.spoil(&look)
		}
		p := OfModel("scout", c.model, look, c.proofs, w)
		if c.want == "" && len(p) > 0 || c.want != "" && (len(p) != 1 || p[0].Code != c.want) {
			t.Errorf("%s: %v, want %s", name, p, c.want)
		}
	}
	look, w := whole(t)
	modelFault(facts.Cut, "/w")(&look)
	if p := OfModel("critic", "org/bert", look, nil, w); len(p) > 0 {
		t.Errorf("a model of the same name of another agent: %v", p)
	}
}

func TestNamed_ReportsARootThatIsKnownToBeUnreachable(t *testing.T) {
	for name, c := range map[string]struct {
		reach facts.Reach
		want  int
	}{
		"there":   {facts.Reach{Path: "/m", Known: true, OK: true}, 0},
		"unknown": {facts.Reach{Path: "/m"}, 0},
		"absent":  {facts.Reach{Path: "/m", Known: true}, 1},
	} {
		p := Named(c.reach)
		if len(p) != c.want || len(p) > 0 && (p[0].Severity != diag.Warning || !strings.Contains(p[0].Fix.String(), "copy the Model Store to /m")) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestStore_OneIsSingular(t *testing.T) {
	look, w := whole(t)
	look.Models[0].Faults = []facts.StoreFault{{Kind: facts.Cut, Path: "/a"}, {Kind: facts.Cut, Path: "/b"}}
	if p := Judge(look, w); len(p) != 1 || !strings.HasSuffix(p[0].Seen, "; and 1 more file of this model") {
		t.Errorf("%+v", p)
	}
	look.Models = look.Models[:1]
	late := Late(look, time.Minute)
	findings.Sound(t, late)
	if late.Seen != "1 model after 1m0s" {
		t.Errorf("%+v", late)
	}
}

func TestProofs_ListsAsManyFilesAsThereAreUpToItsLimit(t *testing.T) {
	for n, want := range map[int]string{maxNamed: "f, f", maxNamed + 1: "f, 1 more"} {
		var all []string
		for range n {
			all = append(all, "f")
		}
		if got := list(all); !strings.HasSuffix(got, want) || strings.Contains(got, "0 more") {
			t.Errorf("%d: %s", n, got)
		}
	}
	look, w := whole(t)
	p := Proofs([]facts.StoreProof{{Owner: "scout", Name: "v1", Path: "/v", Verdict: facts.Undecided, Orders: 6, Tried: 2}}, look, w)
	if len(p) != 1 || !strings.HasSuffix(p[0].Seen, "of 6") {
		t.Errorf("no file proves itself: %+v", p)
	}
}
