// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
	"justnews/internal/modelmap"
	"justnews/internal/spell"
)

type meaning struct {
	says     string // what follows the path
	code     diag.Code
	message  string
	expected string
	first    string // of the fix; %s is the model's directory
}

const copyAgain = "copy the snapshot again to %s"

var meanings = map[facts.FaultKind]meaning{
	facts.NoModel:     {"does not exist", diag.StoreSnapshot, "the model is not in the store", "a directory with a snapshot of the model", "copy the snapshot to %s"},
	facts.NoSnapshot:  {"contains no snapshot", diag.StoreSnapshot, "the model has no snapshot", "snapshots/REVISION with the model's files", "copy the snapshot to %s"},
	facts.NoConfig:    {"contains no config.json", diag.StoreSnapshot, "the snapshot contains no model", "a config.json", copyAgain},
	facts.NoWeights:   {"contains no weights", diag.StoreFile, "the snapshot contains no weights", "model.safetensors, or weights of another format", copyAgain},
	facts.NoTokenizer: {"does not exist", diag.StoreFile, "the snapshot has no vocabulary for its tokenizer", "tokenizer.json, or the vocabulary that the model's type has", copyAgain},
	facts.PartMissing: {"does not exist", diag.StoreFile, "part of the model is missing", "every part that an index, a list or the numbers of the others name", copyAgain},
	facts.Odd:         {"is neither a file nor a directory", diag.StoreFile, "a file of the model is not a regular file", "a regular file", copyAgain},
	facts.Dangling:    {"is a dangling link", diag.StoreLink, "a file of the model is a dangling link", "a link to a file in blobs", "copy the model again with its blobs (rsync -a) to %s"},
	facts.Escaping:    {"points outside the store", diag.StoreLink, "a file of the model is outside the store", "links within the store", "copy the target of the link into the store, to %s"},
	facts.Absent:      {"does not exist", diag.StoreFile, "a file of the model is missing", "the file", copyAgain},
	facts.NoDirectory: {"is not a directory", diag.StoreFile, "a directory of the model is not a directory", "a directory", copyAgain},
	facts.Pointer:     {"is a git-lfs pointer", diag.StorePointer, "a file is only a git-lfs pointer", "the content of the file", "fetch the content (git lfs pull) and copy the snapshot again to %s"},
	facts.EmptyFile:   {"has 0 bytes", diag.StoreEmpty, "a file of the model is empty", "a file with content", copyAgain},
	facts.BadContent:  {"cannot be parsed", diag.StoreCorrupt, "a file of the model cannot be parsed", "a valid file of its format", copyAgain},
	facts.Cut:         {"ends early", diag.StoreCorrupt, "a file of the model is truncated", "as many bytes as its header specifies", copyAgain},
	facts.Unreadable:  {"cannot be read", diag.StoreRead, "a file of the model cannot be read", "a disk that can be read", "check the kernel log for disk errors, and copy the snapshot again to %s"},
	facts.Unfinished:  {"was never finished", diag.StoreStaged, "a download was never finished", "no file called .incomplete", copyAgain},
	facts.NoAdapter:   {"does not exist", diag.StoreAdapter, "the adapter is not in the store", "the directory that adapter_model_store_path names", "copy the adapter to %s"},
	facts.Denied:      {says: "cannot be read by this user"}, // judge.denied has the rest
}

// model judges one model. Faults of one kind are one problem: a copy without the
// blobs lacks all of them.
func (j *judge) model(m facts.StoreModel) {
	said := map[facts.FaultKind]bool{}
	for _, f := range m.Faults {
		switch {
		case f.Kind == facts.Denied:
			j.say(deniedAt(f), j.denied(f, name(m.Want)+" cannot load"))
		case f.Kind == facts.NoBase:
			j.noBase(m.Want)
		case f.Kind == facts.NoModel:
			j.missing(m, f)
		case !said[f.Kind]:
			said[f.Kind] = true
			j.fault(m, f)
		}
	}
	if len(m.Snapshots) > 1 && m.Main != "" && m.Main != m.Snapshots[0] {
		j.say(m.Dir, diag.Found(diag.StoreSnapshot, name(m.Want), fmt.Sprintf("the loader uses the first of %d snapshots, but refs/main names another", len(m.Snapshots)),
			diag.Clean(m.Snapshots[0]), diag.Clean(m.Main), diag.Advise("remove the snapshots that are not wanted")).As(diag.Warning))
	}
}

func name(w facts.StoreWant) string { return diag.Clean(w.Agent + ": " + w.Model) }

func (j *judge) fault(m facts.StoreModel, f facts.StoreFault) {
	means, known := meanings[f.Kind]
	if !known {
		means = meaning{"", diag.StoreFile, "the model has an unknown problem", "a complete model", copyAgain}
	}
	p := diag.Found(means.code, name(m.Want), means.message,
		describe(f), means.expected, diag.Advise(fmt.Sprintf(means.first, diag.Quote(target(m, f))), diag.Retry()))
	if n := others(m, f); n > 0 {
		p.Seen += "; and " + diag.Count(n, "more file") + " of this model"
	}
	if f.Kind == facts.Unfinished {
		p.Severity = diag.Warning // what is missing is a fault of its own
	}
	j.say(f.Path, j.covered(f, p))
}

// others counts the model's other faults of the same kind.
func others(m facts.StoreModel, f facts.StoreFault) int {
	n := -1
	for _, other := range m.Faults {
		if other.Kind == f.Kind {
			n++
		}
	}
	return n
}

// target is the destination of a copy: the directory of the model in its version,
// not the blob that a link points to.
func target(m facts.StoreModel, f facts.StoreFault) string {
	switch f.Kind {
	case facts.NoModel, facts.NoAdapter:
		return f.Path
	case facts.NoSnapshot:
		return filepath.Dir(f.Path)
	}
	if m.Dir == "" {
		return filepath.Dir(f.Path)
	}
	dir, _, _ := strings.Cut(m.Dir, "/snapshots/")
	return dir
}

// missing is a model that its version does not contain: it was never copied, or is
// misspelt in the map.
func (j *judge) missing(m facts.StoreModel, f facts.StoreFault) {
	unlisted := lists.Filter(j.look.Trees[m.Tree].IDs, func(id string) bool { return !j.wanted(m.Tree, id) })
	near, ok := meant(m.Want.ID, unlisted)
	switch {
	case ok && m.Want.Base != "":
		j.say(m.Want.ID, diag.Problem{
			Code: diag.MapName, Subject: name(m.Want), Position: j.place(m.Want), Message: "the map names a base model that is not in the store",
			Seen:     fmt.Sprintf("%s, but the version contains %s", describe(f), diag.Quote(near)),
			Expected: "the hf_id of a model that is there", Fix: j.correctMap("hf_id of ", m.Want.Base, near),
		})
	case ok:
		j.say(m.Want.ID, diag.Problem{
			Code: diag.MapName, Subject: name(m.Want), Position: j.place(m.Want), Message: "the map names a model that is not in the store",
			Seen:     fmt.Sprintf("%s, but the version contains %s, which the map does not list", describe(f), diag.Quote(near)),
			Expected: "the id of a model that is there", Fix: j.correctMap("", m.Want.Model, near),
		})
	case m.Want.Base != "":
		j.say(f.Path, diag.Found(diag.StoreBase, name(m.Want), "the adapter's base model is not in the store",
			describe(f), "a snapshot of "+diag.Quote(m.Want.ID), diag.Advise(fmt.Sprintf("copy the base model to %s", diag.Quote(f.Path)), diag.Retry())))
	default:
		j.fault(m, f)
	}
}

// meant finds the id that one in the map most likely means: a misspelt one, or one
// without its organization, with another, or with the hub's address.
func meant(id string, ids []string) (string, bool) {
	if near, ok := spell.Nearest(id, ids); ok {
		return near, true
	}
	i := slices.IndexFunc(ids, func(other string) bool { return path.Base(other) == path.Base(id) })
	if i < 0 {
		return "", false
	}
	return ids[i], true
}

// correctMap returns the fix for a name in the map that is nearly that of something in
// the store; key precedes it.
func (j *judge) correctMap(key, name, near string) diag.Fix {
	return diag.Advise(fmt.Sprintf("correct %s%s to %s in the orchestrator's AGENT_MODEL_MAP.json and in %s",
		key, diag.Quote(name), diag.Quote(near), diag.Quote(j.want.Map)), diag.Retry())
}

func (j *judge) wanted(tree int, id string) bool {
	return slices.ContainsFunc(j.look.Models, func(m facts.StoreModel) bool { return m.Tree == tree && m.Want.ID == id })
}

func (j *judge) noBase(w facts.StoreWant) {
	var bases []string
	if j.want.Listed != nil {
		bases = lists.Map(j.want.Listed.BaseModels, func(b modelmap.Base) string { return b.Name })
	}
	seen := fmt.Sprintf("base_models does not define %s", diag.Quote(w.Base))
	if near, ok := spell.Nearest(w.Base, bases); ok {
		seen += ", the nearest is " + diag.Quote(near)
	}
	j.say(w.Agent+w.Model, diag.Problem{
		Code: diag.StoreBase, Subject: name(w), Position: j.place(w), Message: "the adapter has no base model",
		Seen: seen, Expected: "a base_ref that base_models defines",
		Fix: diag.Advise(fmt.Sprintf("define %s under base_models in AGENT_MODEL_MAP.json, or correct base_ref", diag.Quote(w.Base)), diag.Retry()),
	})
}
