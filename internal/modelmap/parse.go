// SPDX-License-Identifier: Apache-2.0

package modelmap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"justnews/internal/lists"
	"justnews/internal/spell"
	"justnews/internal/strictjson"
)

// The sections of the newer layout. In the older one every other key is an
// agent (_agents_section in JustNews' gpu_orchestrator_engine.py).
const (
	agentsKey = "agents"
	basesKey  = "base_models"
	vllmKey   = "vllm_agents" // served by vLLM, never preloaded
)

// Parse reads the text of a map. With an error among the problems the map is
// nil; warnings come with a map. Every problem of the file is returned; for a
// file that is not JSON, only the first.
func Parse(data []byte) (*Map, []Problem) {
	r := reader{data: data}
	root, err := strictjson.Parse(data, strictjson.Limits{Bytes: maxBytes, Depth: 16})
	if err != nil {
		r.report(err)
		return nil, r.problems
	}
	m := r.read(root)
	if slices.ContainsFunc(r.problems, func(p Problem) bool { return !p.Warning }) {
		return nil, r.problems
	}
	return m, r.problems
}

type reader struct {
	data     []byte
	problems []Problem
}

func (r *reader) read(root strictjson.Object) *Map {
	m := &Map{}
	members := root.Members()
	section := slices.IndexFunc(members, func(e strictjson.Member) bool { return e.Key == agentsKey })
	for _, e := range members {
		switch {
		case e.Key == basesKey:
			m.BaseModels = r.bases(e.Value)
		case e.Key == vllmKey:
			// Checked later, when every base model is known.
		case e.Key == agentsKey:
			r.each(e.Value, "agents", func(a strictjson.Member) { m.Agents = append(m.Agents, r.agent(a)) })
		case section < 0:
			m.Agents = append(m.Agents, r.agent(e))
		case e.Value.IsList() || e.Value.IsObject():
			r.warn(e.Value, "not read: the orchestrator takes agents only from the section %q", agentsKey)
		}
	}
	r.references(m.Agents, m)
	if i := slices.IndexFunc(members, func(e strictjson.Member) bool { return e.Key == vllmKey }); i >= 0 {
		r.vllm(members[i].Value, m)
	}
	return m
}

// each calls f for every member of a section, which must be an object.
func (r *reader) each(v strictjson.Value, what string, f func(strictjson.Member)) {
	o, err := v.Object()
	if err != nil {
		r.fail(v, "expected an object of %s", what)
		return
	}
	for _, e := range o.Members() {
		f(e)
	}
}

func (r *reader) agent(e strictjson.Member) Agent {
	a := Agent{Name: e.Key}
	if e.Key == "" || !printable(e.Key) {
		r.fail(e.Value, "%q cannot be an agent's name", e.Key)
	}
	items := []strictjson.Value{e.Value}
	switch {
	case e.Value.IsList():
		items, _ = e.Value.List()
	case !e.Value.IsObject():
		r.fail(e.Value, "expected the list of the agent's models%s", spell.Hint(e.Key, sections))
		return a
	}
	for i, item := range items {
		model := r.model(item, fmt.Sprintf("%s-%d", a.Name, i))
		if _, twice := a.Model(model.ID); twice {
			r.warn(item, "the agent lists %q twice: the orchestrator counts both and reports one", model.ID)
		}
		a.Models = append(a.Models, model)
	}
	return a
}

// model reads one entry: an id, a pair [type, id], or an object.
func (r *reader) model(v strictjson.Value, unnamed string) Model {
	m := Model{Key: v.Path()}
	m.Line, m.Column = strictjson.LineColumn(r.data, v.Offset())
	switch {
	case v.IsText():
		m.ModelID = r.name(v)
		m.ID = m.ModelID
	case v.IsList():
		r.pair(v, &m)
	case v.IsObject():
		r.entry(v, &m)
	default:
		r.fail(v, "expected a model id, a pair [type, id] or an object")
	}
	m.ID = cmp.Or(m.ID, unnamed)
	return m
}

// pair reads [type, id]. JustNews also accepts a longer list and ignores the
// rest, so ids in too many brackets would be lost: rejected.
func (r *reader) pair(v strictjson.Value, m *Model) {
	items, _ := v.List()
	if len(items) != 2 {
		r.fail(v, "expected a pair [type, id], found a list of %d", len(items))
		return
	}
	m.Type, m.ModelID = r.name(items[0]), r.name(items[1])
	m.ID = m.ModelID
}

func (r *reader) entry(v strictjson.Value, m *Model) {
	o, _ := v.Object()
	hubID := ""
	r.field(o, "id", &m.ID)
	r.field(o, "type", &m.Type)
	r.field(o, "base_ref", &m.Base)
	r.field(o, "adapter_name", &m.Adapter)
	r.field(o, "adapter_model_store_path", &m.StorePath)
	r.field(o, "variant_preference", &m.Variant)
	r.field(o, "legacy_model_id", &m.ModelID)
	r.field(o, "model_id", &hubID)
	if m.Base == "" && m.ModelID == "" && hubID == "" {
		r.fail(v, "the entry names no model: expected base_ref, legacy_model_id or model_id%s", misspelt(o, entryKeys))
	} else {
		r.warnMisspelt(o, entryKeys)
	}
	// JustNews loads model_id too, but does not report the entry by it.
	m.ID = cmp.Or(m.ID, m.Adapter, m.ModelID)
	m.ModelID = cmp.Or(m.ModelID, hubID)
}

func (r *reader) field(o strictjson.Object, key string, into *string) {
	v, ok, err := o.Optional(key)
	if err != nil {
		r.report(err)
	}
	if ok {
		*into = r.name(v)
	}
}

func (r *reader) name(v strictjson.Value) string {
	s, err := v.Text()
	switch {
	case err != nil:
		r.report(err)
	case s == "":
		r.fail(v, "expected a name, found an empty string")
	case !printable(s):
		r.fail(v, "a control character in %q", s)
	}
	return s
}

func (r *reader) bases(v strictjson.Value) []Base {
	var bases []Base
	r.each(v, "base models", func(e strictjson.Member) {
		b := Base{Name: e.Key}
		o, err := e.Value.Object()
		if err != nil {
			r.report(err)
			return
		}
		r.warnMisspelt(o, baseKeys)
		r.field(o, "hf_id", &b.HubID)
		r.field(o, "model_store_agent", &b.StoreAgent)
		r.field(o, "model_store_version", &b.StoreVersion)
		r.field(o, "model_store_path", &b.StorePath)
		bases = append(bases, b)
	})
	return bases
}

// vllm checks the references of agents that are not preloaded: errors there do
// not affect gates, so they are warnings.
func (r *reader) vllm(v strictjson.Value, m *Map) {
	aside := reader{data: r.data}
	var agents []Agent
	aside.each(v, "agents", func(e strictjson.Member) { agents = append(agents, aside.agent(e)) })
	aside.references(agents, m)
	m.VLLM = append(m.VLLM, lists.Map(agents, func(a Agent) string { return a.Name })...)
	for _, p := range aside.problems {
		p.Warning = true
		r.problems = append(r.problems, p)
	}
}

// references warns of a base_ref that base_models does not define.
// One problem is enough for all that refer to the same.
func (r *reader) references(agents []Agent, m *Map) {
	said := map[string]bool{}
	for _, a := range agents {
		for _, model := range a.Models {
			if _, ok := m.BaseModel(model.Base); ok || model.Base == "" || said[model.Base] {
				continue
			}
			said[model.Base] = true
			r.problems = append(r.problems, Problem{
				Line: model.Line, Column: model.Column, Key: model.Key + ".base_ref",
				Message: fmt.Sprintf("%q is not defined in %s%s", model.Base, basesKey, spell.Hint(model.Base, lists.Map(m.BaseModels, func(b Base) string { return b.Name }))), Warning: true,
			})
		}
	}
}

func (r *reader) fail(v strictjson.Value, format string, args ...any) {
	r.report(v.Fail(format, args...))
}

func (r *reader) warn(v strictjson.Value, format string, args ...any) {
	r.report(v.Fail(format, args...))
	r.problems[len(r.problems)-1].Warning = true
}

func (r *reader) report(err error) {
	p := Problem{Line: 1, Column: 1, Message: err.Error()}
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		p.Key, p.Message = e.Path, e.Message
		p.Line, p.Column = strictjson.LineColumn(r.data, e.Offset)
	}
	r.problems = append(r.problems, p)
}

func printable(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// The keys of the map's objects. JustNews silently ignores unknown keys.
var (
	sections  = []string{agentsKey, basesKey, vllmKey}
	entryKeys = []string{
		"id", "type", "base_ref", "adapter_name", "adapter_model_store_path", "variant_preference", "legacy_model_id", "model_id",
		"adapter_version", "adapter_agent", "adapter_subdir",
	}
	baseKeys = []string{
		"hf_id", "model_store_agent", "model_store_version", "model_store_path", "agent", "quantized_variants", "approx_vram_mb",
	}
)

// warnMisspelt warns of unknown keys that are similar to a known one. Others may
// be notes.
func (r *reader) warnMisspelt(o strictjson.Object, known []string) {
	for _, e := range o.Members() {
		if near, ok := nearKnown(e.Key, known); ok {
			r.warn(e.Value, "not read; did you mean %q?", near)
		}
	}
}

// misspelt returns a hint about the first key of an object that is similar to a
// known one.
func misspelt(o strictjson.Object, known []string) string {
	for _, e := range o.Members() {
		if near, ok := nearKnown(e.Key, known); ok {
			return fmt.Sprintf("; did you mean %q instead of %q?", near, e.Key)
		}
	}
	return ""
}

func nearKnown(key string, known []string) (string, bool) {
	if slices.Contains(known, key) {
		return "", false
	}
	return spell.Nearest(key, known)
}
