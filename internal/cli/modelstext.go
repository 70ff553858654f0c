// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/report"
)

// verified is the JSON of models verify.
type verified struct {
	Schema   int             `json:"schema"`
	Root     string          `json:"root"`
	User     string          `json:"user"` // as whom it was looked at
	Elapsed  float64         `json:"elapsed_s"`
	Free     int64           `json:"free_bytes"` // -1: not known
	Trees    []verifiedTree  `json:"trees"`
	Models   []verifiedModel `json:"models"`
	Problems []diag.Problem  `json:"problems"`
	Status   int             `json:"status"`
}

// verifiedTree is one version, or a directory that the map names.
type verifiedTree struct {
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
	Flaws     []verifiedFlaw `json:"flaws"`
}

// verifiedModel is one model of the map.
type verifiedModel struct {
	Agent  string         `json:"agent"`
	Model  string         `json:"model"`
	Path   string         `json:"path"` // what the loader opens, "" where it finds nothing
	Files  int            `json:"files"`
	Bytes  int64          `json:"bytes"`
	Faults []verifiedFlaw `json:"faults"`
}

// verifiedFlaw is one thing that is wrong with one path.
type verifiedFlaw struct {
	Kind   string `json:"kind"`
	Path   string `json:"path"`
	Detail string `json:"detail,omitempty"`
}

func verifiedTrees(look facts.Store, proofs []facts.StoreProof) []verifiedTree {
	trees := make([]verifiedTree, len(look.Trees))
	for i, t := range look.Trees {
		p := proofs[i]
		trees[i] = verifiedTree{
			Agent: diag.Clean(t.Owner), Version: diag.Clean(t.Name), Path: diag.Clean(cmp.Or(t.Path, t.Named)), Adapter: t.Adapter,
			Files: p.Files, Bytes: p.Bytes, Read: p.Read, Verdict: string(p.Verdict), By: p.By,
			Expected: p.Expected, Found: p.Found, Reordered: p.Reordered, Orders: p.Orders, Tried: p.Tried, Flaws: []verifiedFlaw{},
		}
		if p.Verdict == facts.Unproven {
			trees[i].Verdict = "absent"
		}
		for _, f := range p.Flaws {
			trees[i].Flaws = append(trees[i].Flaws, verifiedFlaw{string(f.Kind), diag.Clean(f.Path), diag.Clean(f.Detail)})
		}
	}
	for _, m := range look.Models {
		if m.Tree >= 0 {
			trees[m.Tree].Models++
		}
	}
	return trees
}

func verifiedModels(look facts.Store) []verifiedModel {
	models := make([]verifiedModel, len(look.Models))
	for i, m := range look.Models {
		models[i] = verifiedModel{
			Agent: diag.Clean(m.Want.Agent), Model: diag.Clean(m.Want.Model), Path: diag.Clean(m.Dir),
			Files: m.Files, Bytes: m.Bytes, Faults: []verifiedFlaw{},
		}
		for _, f := range m.Faults {
			models[i].Faults = append(models[i].Faults, verifiedFlaw{string(f.Kind), diag.Clean(f.Path), diag.Clean(f.Detail)})
		}
	}
	return models
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// seconds rounds to microseconds.
func inSeconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

// words says a verdict in a table.
var words = map[string]string{
	"absent": "not there", string(facts.Whole): "whole", string(facts.Differs): "not as manifested",
	string(facts.Undecided): "cannot be verified", string(facts.NoManifest): "nothing to compare with",
	string(facts.Unchecked): "could not be read", string(facts.OutOfTime): "not finished",
}

// printTrees prints a row for each version, and the sum.
func printTrees(out io.Writer, v *verified) {
	if len(v.Trees) == 0 {
		return
	}
	var bytes, read int64
	files := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range v.Trees {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", report.Brief(cmp.Or(t.Agent, t.Path)), report.Brief(t.label()), diag.Count(t.Models, "model"), check.Size(t.Bytes), t.word())
		bytes, read, files = bytes+t.Bytes, read+t.Read, files+t.Files
	}
	_ = w.Flush()
	fmt.Fprintf(out, "%s, %s, %s, of which %s were read, in %s\n",
		diag.Count(len(v.Models), "model"), diag.Count(files, "file"), check.Size(bytes), check.Size(read), report.Span(time.Duration(v.Elapsed*float64(time.Second))))
}

func (t verifiedTree) label() string {
	switch {
	case t.Adapter:
		return "adapter"
	case t.Verdict == "absent":
		return "-"
	}
	return cmp.Or(t.Version, t.Path)
}

// word says how a tree was proven, if it was.
func (t verifiedTree) word() string {
	word := words[t.Verdict]
	switch {
	case t.Verdict == string(facts.Whole) && t.Reordered:
		return word + " (manifest, made in another order of directories)"
	case t.Verdict == string(facts.Whole):
		return word + " (" + t.By + ")"
	}
	return word
}
