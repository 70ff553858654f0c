// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// ConfigCheck is the JSON of justnews-gate config check.
type ConfigCheck struct {
	Schema    int            `json:"schema"`
	Files     []string       `json:"files"`
	Instances []string       `json:"instances"`
	Problems  []diag.Problem `json:"problems"`
	Status    int            `json:"status"`
}

// Explanation is the JSON of justnews-gate explain.
type Explanation struct {
	Schema int          `json:"schema"`
	Codes  []diag.Entry `json:"codes"`
}

// History is the JSON of justnews-gate history.
type History struct {
	Schema   int            `json:"schema"`
	Runs     []HistoryRun   `json:"runs"`    // the newest first
	Omitted  int            `json:"omitted"` // older ones, beyond --limit
	Problems []diag.Problem `json:"problems"`
}

// HistoryRun is one run in a line.
type HistoryRun struct {
	Started  string  `json:"started"` // RFC 3339, UTC
	Instance string  `json:"instance,omitempty"`
	Run      string  `json:"run"`
	Verdict  string  `json:"verdict"`
	Status   int     `json:"status"`
	Code     string  `json:"code,omitempty"` // of the problem that shut the gate
	Elapsed  float64 `json:"elapsed_s"`
	Path     string  `json:"path"`
}

// Sealing is the JSON of justnews-gate models seal.
type Sealing struct {
	Schema   int            `json:"schema"`
	Status   int            `json:"status"`
	Agent    string         `json:"agent"`
	Seals    []SealedTree   `json:"seals"`
	Problems []diag.Problem `json:"problems"`
}

// SealedTree is one version that was sealed.
type SealedTree struct {
	Version string `json:"version"`
	Path    string `json:"path"` // of the seal
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
}

// Verification is the JSON of justnews-gate models verify.
type Verification struct {
	Schema   int             `json:"schema"`
	Root     string          `json:"root"`
	User     string          `json:"user"` // as whom it was looked at
	Elapsed  float64         `json:"elapsed_s"`
	Free     int64           `json:"free_bytes"` // -1: not known
	Trees    []VerifiedTree  `json:"trees"`
	Models   []VerifiedModel `json:"models"`
	Problems []diag.Problem  `json:"problems"`
	Status   int             `json:"status"`
}

// VerifiedTree is one version, or a directory that the map names.
type VerifiedTree struct {
	Agent     string         `json:"agent"`
	Version   string         `json:"version"` // "" for a directory that is not a version
	Path      string         `json:"path"`
	Adapter   bool           `json:"adapter"`
	Models    int            `json:"models"`
	Files     int            `json:"files"`
	Bytes     int64          `json:"bytes"`
	Read      int64          `json:"read_bytes"` // 0 where all was remembered
	Verdict   string         `json:"verdict"`
	By        string         `json:"by"` // seal, manifest or nothing
	Expected  string         `json:"expected,omitempty"`
	Found     string         `json:"found,omitempty"`
	Reordered bool           `json:"reordered"`
	Orders    float64        `json:"orders"`
	Tried     int            `json:"tried"`
	Flaws     []VerifiedFlaw `json:"flaws"`
}

// VerifiedModel is one model of the map.
type VerifiedModel struct {
	Agent  string         `json:"agent"`
	Model  string         `json:"model"`
	Path   string         `json:"path"` // what the loader opens, "" where it finds nothing
	Files  int            `json:"files"`
	Bytes  int64          `json:"bytes"`
	Faults []VerifiedFlaw `json:"faults"`
}

// VerifiedFlaw is one thing that is wrong with one path.
type VerifiedFlaw struct {
	Kind   string `json:"kind"`
	Path   string `json:"path"`
	Detail string `json:"detail,omitempty"`
}

// VerifiedTrees puts what a look and the proofs of its versions say side by side.
func VerifiedTrees(look facts.Store, proofs []facts.StoreProof) []VerifiedTree {
	trees := make([]VerifiedTree, len(look.Trees))
	for i, t := range look.Trees {
		p := proofs[i]
		trees[i] = VerifiedTree{
			Agent: diag.Clean(t.Owner), Version: diag.Clean(t.Name), Path: diag.Clean(cmp.Or(t.Path, t.Named)), Adapter: t.Adapter,
			Files: p.Files, Bytes: p.Bytes, Read: p.Read, Verdict: string(p.Verdict), By: p.By,
			Expected: p.Expected, Found: p.Found, Reordered: p.Reordered, Orders: p.Orders, Tried: p.Tried, Flaws: []VerifiedFlaw{},
		}
		if p.Verdict == facts.Unproven {
			trees[i].Verdict = "absent"
		}
		for _, f := range p.Flaws {
			trees[i].Flaws = append(trees[i].Flaws, VerifiedFlaw{string(f.Kind), diag.Clean(f.Path), diag.Clean(f.Detail)})
		}
	}
	for _, m := range look.Models {
		if m.Tree >= 0 {
			trees[m.Tree].Models++
		}
	}
	return trees
}

// VerifiedModels is what a look says of each model.
func VerifiedModels(look facts.Store) []VerifiedModel {
	models := make([]VerifiedModel, len(look.Models))
	for i, m := range look.Models {
		models[i] = VerifiedModel{
			Agent: diag.Clean(m.Want.Agent), Model: diag.Clean(m.Want.Model), Path: diag.Clean(m.Dir),
			Files: m.Files, Bytes: m.Bytes, Faults: []VerifiedFlaw{},
		}
		for _, f := range m.Faults {
			models[i].Faults = append(models[i].Faults, VerifiedFlaw{string(f.Kind), diag.Clean(f.Path), diag.Clean(f.Detail)})
		}
	}
	return models
}

// verdictText says a verdict in a table.
var verdictText = map[string]string{
	"absent": "not there", string(facts.Whole): "whole", string(facts.Differs): "not as manifested",
	string(facts.Undecided): "cannot be verified", string(facts.NoManifest): "nothing to compare with",
	string(facts.Unchecked): "could not be read", string(facts.OutOfTime): "not finished",
}

// Label names a version in a table.
func (t VerifiedTree) Label() string {
	switch {
	case t.Adapter:
		return "adapter"
	case t.Verdict == "absent":
		return "-"
	}
	return cmp.Or(t.Version, t.Path)
}

// Word says how a tree was proven, if it was.
func (t VerifiedTree) Word() string {
	word := verdictText[t.Verdict]
	switch {
	case t.Verdict == string(facts.Whole) && t.Reordered:
		return word + " (manifest, computed in another directory order)"
	case t.Verdict == string(facts.Whole):
		return word + " (" + t.By + ")"
	}
	return word
}
