// SPDX-License-Identifier: Apache-2.0

// Package modelmap reads AGENT_MODEL_MAP.json, which lists the models of each
// agent, and counts them as the orchestrator does. Both layouts of JustNews are
// supported:
//
//	{"base_models": {…}, "agents": {"critic": [{"base_ref": …, "adapter_name": …}]}}
//	{"scout": ["google/bert_uncased_L-2_H-128_A-2", ["transformers", "roberta-base"]]}
//
// A text that JustNews would count differently than its author meant (a
// duplicate key, a bare string, a list of three instead of a pair) is rejected
// with line, column and key. The package does not access the store.
package modelmap

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"justnews/internal/lists"
	"justnews/internal/safefile"
)

// maxBytes is the largest map that Parse accepts. JustNews' own are below 5
// KiB.
const maxBytes = 1 << 20

// Map is AGENT_MODEL_MAP: what a complete preload loads.
type Map struct {
	VLLM       []string // agents that vLLM serves, which no preload loads
	Agents     []Agent  // in the order of the file, which is the order of loading
	BaseModels []Base   // in the order of the file
}

// Agent is one agent and its models, in the order of the file.
type Agent struct {
	Name   string
	Models []Model
}

// Model is one entry of an agent's list.
type Model struct {
	// ID is the name under which the orchestrator reports the model: the
	// entry's own id, its adapter's name, the model id, or AGENT-INDEX, in this
	// order.
	ID        string
	ModelID   string // of a model without an adapter, the hub's id
	Type      string // "transformers", "sentence-transformers" or "" if not given
	Base      string // base_ref: a name in base_models
	Adapter   string // adapter_name
	StorePath string // adapter_model_store_path, relative to MODEL_STORE_ROOT
	Variant   string // variant_preference
	Key       string // path of the entry, such as agents.critic[0]
	Line      int    // line of the entry, from 1
	Column    int    // in bytes, from 1
}

// Names returns the IDs of all models, each once, in the order of the file.
func (m *Map) Names() []string {
	var names []string
	for _, a := range m.Agents {
		for _, model := range a.Models {
			if !slices.Contains(names, model.ID) {
				names = append(names, model.ID)
			}
		}
	}
	return names
}

// Base is one entry of base_models. It is loaded with the adapters that refer
// to it and not counted separately.
type Base struct {
	Name         string
	HubID        string // hf_id
	StoreAgent   string // model_store_agent
	StoreVersion string // model_store_version
	StorePath    string // model_store_path
}

// Problem is something wrong in the file.
type Problem struct {
	Line    int    // from 1
	Column  int    // in bytes, from 1
	Key     string // as in agents.scout[1].base_ref; "" is the whole file
	Message string // lowercase, no full stop
	// Warning marks what JustNews still accepts. The zero value is an error.
	Warning bool
}

// Error returns line:column: key: message.
func (p Problem) Error() string {
	if p.Key == "" {
		return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message)
	}
	return fmt.Sprintf("%d:%d: %s: %s", p.Line, p.Column, p.Key, p.Message)
}

// Total returns the number of models of all agents: summary.total of a job
// that loads the whole map.
func (m *Map) Total() int {
	total := 0
	for _, a := range m.Agents {
		total += len(a.Models)
	}
	return total
}

// Count returns the number of models of one agent, 0 for one that the map does
// not list.
func (m *Map) Count(agent string) int {
	a, _ := m.Agent(agent)
	return len(a.Models)
}

// Agent returns the agent of that name.
func (m *Map) Agent(name string) (Agent, bool) {
	return lists.Find(m.Agents, func(a Agent) bool { return a.Name == name })
}

// Model returns the agent's model with that id.
func (a Agent) Model(id string) (Model, bool) {
	return lists.Find(a.Models, func(m Model) bool { return m.ID == id })
}

// BaseModel returns the base model of that name.
func (m *Map) BaseModel(name string) (Base, bool) {
	return lists.Find(m.BaseModels, func(b Base) bool { return b.Name == name })
}

// File is what was found at the path of AGENT_MODEL_MAP.json.
type File struct {
	Path    string
	Missing bool  // there is no file
	Err     error // it could not be read; nil if Missing
	// Map is its content, nil if it could not be read or is invalid; warnings
	// come with a map.
	Map      *Map
	Problems []Problem
}

// ReadFile reads AGENT_MODEL_MAP.json. It opens without blocking, so that a
// FIFO cannot hold the gate, and reads at most the maximum size of a map.
func ReadFile(path string) File {
	f := File{Path: path}
	text, err := safefile.Read(path, maxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Missing = true
	case err != nil:
		f.Err = err
	default:
		f.Map, f.Problems = Parse(text)
	}
	return f
}
