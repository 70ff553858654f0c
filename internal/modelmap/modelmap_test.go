// SPDX-License-Identifier: Apache-2.0

package modelmap_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/modelmap"
)

func read(t *testing.T, name string) (*modelmap.Map, []modelmap.Problem) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return modelmap.Parse(data)
}

func TestModelMap_OldUpstreamMapHasNineAgentsAndSixteenModels(t *testing.T) {
	m, problems := read(t, "old.json")
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	if len(m.Agents) != 9 || m.Total() != 16 || m.Count("scout") != 3 || m.Count("nobody") != 0 {
		t.Errorf("%d agents, %d models, scout %d", len(m.Agents), m.Total(), m.Count("scout"))
	}
	analyst, _ := m.Agent("analyst")
	want := modelmap.Model{ID: "en_core_web_sm", ModelID: "en_core_web_sm", Key: "analyst[1]", Line: 15, Column: 52}
	if got, _ := analyst.Model("en_core_web_sm"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestModelMap_NewUpstreamMapHasEightAdaptersAndWarnsOfAnUndefinedBase(t *testing.T) {
	m, problems := read(t, "new.json")
	if m == nil || len(m.Agents) != 8 || m.Total() != 8 || m.Agents[0].Name != "synthesizer" {
		t.Fatalf("%+v %v", m, problems)
	}
	critic, _ := m.Agent("critic")
	got := critic.Models[0]
	want := modelmap.Model{
		ID: "mistral_critic_v1", Base: "mistral-7b-v0.3", Adapter: "mistral_critic_v1",
		StorePath: "critic/adapters/mistral_critic_v1", Variant: "bnb-int8",
		Key: "agents.critic[0]", Line: got.Line, Column: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	base, ok := m.BaseModel("mistral-7b-v0.3")
	if !ok || base.StoreVersion != "v20251123-mistral-v0.3" || base.HubID != "mistralai/Mistral-7B-Instruct-v0.3" {
		t.Errorf("base model: %+v %v", base, ok)
	}
	if len(problems) != 1 {
		t.Fatalf("%d problems, want one for all of vllm_agents: %v", len(problems), problems)
	}
	for _, p := range problems {
		if !p.Warning || !strings.Contains(p.Error(), `"qwen2-32b-awq" is not defined in base_models`) {
			t.Errorf("%v", p)
		}
	}
}

func TestModelMap_EveryEntryShapeCountsAsUpstreamCounts(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		ids        []string
	}{
		{"ids", `{"a":["x","y"]}`, []string{"x", "y"}},
		{"a pair", `{"a":[["transformers","x"]]}`, []string{"x"}},
		{"a single object", `{"a":{"base_ref":"b","adapter_name":"ad"},"base_models":{"b":{}}}`, []string{"ad"}},
		{"an object without an adapter", `{"agents":{"a":[{"base_ref":"b"}]},"base_models":{"b":{}}}`, []string{"a-0"}},
		{"a legacy id", `{"a":[{"legacy_model_id":"x"}]}`, []string{"x"}},
		{"model_id is loaded but not the name", `{"a":["w",{"model_id":"x"}]}`, []string{"w", "a-1"}},
		{"its own id wins", `{"a":[{"id":"own","base_ref":"b","adapter_name":"ad"}],"base_models":{"b":{}}}`, []string{"own"}},
		{"no models", `{"a":[]}`, nil},
		{"no agents", `{"agents":{}}`, nil},
		{"an empty map", `{}`, nil},
		{"vllm agents are not preloaded", `{"vllm_agents":{"a":["x"]},"agents":{"a":["y"]}}`, []string{"y"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, problems := modelmap.Parse([]byte(tc.text))
			if m == nil || len(problems) != 0 {
				t.Fatal(problems)
			}
			var ids []string
			for _, a := range m.Agents {
				for _, model := range a.Models {
					ids = append(ids, model.ID)
				}
			}
			if diff := cmp.Diff(tc.ids, ids); diff != "" || m.Total() != len(tc.ids) || m.Count("a") != len(tc.ids) {
				t.Errorf("total %d: %s", m.Total(), diff)
			}
		})
	}
}

var broken = []struct{ name, text, want string }{
	{"an empty file", "", "1:1: unexpected end of JSON input"},
	{"a list", `["scout"]`, "1:1: expected an object, found a list"},
	{"a key twice", "{\n \"scout\": [],\n \"scout\": [\"x\"]\n}", "3:2: scout: the key occurs twice"},
	{"keys that differ in case", "{\"agents\":{\"scout\":[],\n\"Scout\":[]}}", `2:1: agents.Scout: the key differs from "scout" only in case`},
	{"a comment", "{\n  # agents\n}", "2:3: invalid character '#' looking for beginning of object key string"},
	{"a bare id", `{"scout":"x"}`, "1:10: scout: expected the list of the agent's models"},
	{"null for an agent", `{"agents":{"scout":null}}`, "1:20: agents.scout: expected the list of the agent's models"},
	{"a list for agents", `{"agents":["scout"]}`, "1:11: agents: expected an object of agents"},
	{"null for agents", `{"agents":null}`, "1:11: agents: expected an object of agents"},
	{"a number for a model", "{\"scout\":[\"x\",\n 3]}", "2:2: scout[1]: expected a model id, a pair [type, id] or an object"},
	{"an empty id", `{"scout":[""]}`, "1:11: scout[0]: expected a name, found an empty string"},
	{"a control character in an id", `{"scout":["a\u001bb"]}`, "1:11: scout[0]: a control character in"},
	{"a list of three", `{"scout":[["x","y","z"]]}`, "1:11: scout[0]: expected a pair [type, id], found a list of 3"},
	{"a pair of numbers", `{"scout":[["x",1]]}`, "1:16: scout[0][1]: expected a string, found a number"},
	{"an object without a model", `{"scout":[{"adapter_name":"x"}]}`, "1:11: scout[0]: the entry names no model"},
	{"a field of the wrong type", `{"scout":[{"base_ref":7}]}`, "1:23: scout[0].base_ref: expected a string, found a number"},
	{"a field in upper case", `{"scout":[{"Base_Ref":"x","model_id":"y"}]}`, `1:12: scout[0].Base_Ref: the key differs from "base_ref" only in case`},
	{"a list for base models", `{"base_models":[]}`, "1:16: base_models: expected an object of base models"},
	{"a string for a base model", `{"base_models":{"b":"x"}}`, "1:21: base_models.b: expected an object, found a string"},
	{"an agent without a name", `{"":["x"]}`, `1:5: "" cannot be an agent's name`},
}

func TestModelMap_ErrorsHaveLineColumnAndKey(t *testing.T) {
	for _, tc := range broken {
		t.Run(tc.name, func(t *testing.T) {
			m, problems := modelmap.Parse([]byte(tc.text))
			if m != nil {
				t.Errorf("a broken map was returned: %+v", m)
			}
			if len(problems) == 0 || !strings.HasPrefix(problems[0].Error(), tc.want) {
				t.Errorf("got %v, want %q", problems, tc.want)
			}
		})
	}
}

func TestModelMap_SimilarNameIsSuggested(t *testing.T) {
	for text, want := range map[string]string{
		`{"agents":{"a":[{"base_ref":"bass"}]},"base_models":{"base":{}}}`: `"bass" is not defined in base_models; did you mean "base"?`,
		`{"agents":{"a":[{"base_reff":"b"}]}}`:                             `did you mean "base_ref" instead of "base_reff"?`,
		`{"agents":{"a":[{"model_id":"b","adaptor_name":"c"}]}}`:           `agents.a[0].adaptor_name: not read; did you mean "adapter_name"?`,
		`{"agents":{},"base_models":{"b":{"hfid":"x"}}}`:                   `base_models.b.hfid: not read; did you mean "hf_id"?`,
		`{"base_model":"x"}`: `did you mean "base_models"?`,
	} {
		_, problems := modelmap.Parse([]byte(text))
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

func TestModelMap_ReportsEveryProblemOfAFile(t *testing.T) {
	_, problems := modelmap.Parse([]byte("{\"agents\":{\n\"a\":[1,\n[]],\n\"b\":\"x\"},\n\"base_models\":3}"))
	var lines []string
	for _, p := range problems {
		lines = append(lines, fmt.Sprint(p.Line))
	}
	if got := strings.Join(lines, ","); got != "2,3,4,5" {
		t.Errorf("lines %s: %v", got, problems)
	}
}

func TestModelMap_WarningsDoNotRejectTheMap(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":["x","x"]}`: `1:11: a[1]: the agent lists "x" twice`,
		`{"agents":{"a":[{"base_ref":"b","adapter_name":"c"}]}}`: `1:17: agents.a[0].base_ref: "b" is not defined`,
		`{"agents":{"a":["x"]},"scout":["y"]}`:                   "1:31: scout: not read: the orchestrator takes agents only",
		`{"agents":{"a":["x"]},"vllm_agents":3}`:                 "1:37: vllm_agents: expected an object of agents",
	} {
		m, problems := modelmap.Parse([]byte(text))
		if m == nil || len(problems) != 1 || !problems[0].Warning || !strings.HasPrefix(problems[0].Error(), want) {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

// FuzzParse counts with encoding/json as upstream does (_agents_section and
// _normalize_agent_entries): what Parse takes, upstream must count alike.
func FuzzParse(f *testing.F) {
	for _, tc := range broken {
		f.Add([]byte(tc.text))
	}
	f.Add([]byte(`{"agents":{"a":["x",["t","y"],{"base_ref":"b"}],"c":{"model_id":"z"}},"base_models":{"b":{}},"vllm_agents":{}}`))
	f.Add([]byte(`{"a":["x"],"vllm_agents":{"a":["y"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, problems := modelmap.Parse(data)
		if m == nil {
			if len(problems) == 0 {
				t.Fatal("no map and no problem")
			}
			return
		}
		var judge map[string]any
		if err := json.Unmarshal(data, &judge); err != nil {
			t.Fatalf("took %q: %v", data, err)
		}
		if got, want := m.Total(), upstreamTotal(judge); got != want {
			t.Fatalf("%q: %d models, upstream counts %d", data, got, want)
		}
	})
}

// upstreamTotal leaves vllm_agents out also of the older layout: upstream
// would take that section for an agent there.
func upstreamTotal(m map[string]any) int {
	agents, ok := m["agents"].(map[string]any)
	if !ok {
		agents = map[string]any{}
		for key, v := range m {
			if key != "base_models" && key != "vllm_agents" {
				agents[key] = v
			}
		}
	}
	total := 0
	for _, v := range agents {
		if list, ok := v.([]any); ok {
			total += len(list)
		} else {
			total++
		}
	}
	return total
}

func TestModelMap_FindsAgentsAndModelsByName(t *testing.T) {
	m, problems := modelmap.Parse([]byte(`{"vllm_agents":{"c":["x"]},"a":["x","y"],"b":["y","z"]}`))
	if m == nil {
		t.Fatal(problems)
	}
	if diff := cmp.Diff([]string{"x", "y", "z"}, m.Names()); diff != "" {
		t.Error(diff)
	}
	if len(m.VLLM) != 1 {
		t.Errorf("%q", m.VLLM)
	}
	b, ok := m.Agent("b")
	if model, found := b.Model("z"); !ok || !found || model.ID != "z" {
		t.Errorf("%t %t %+v", ok, found, model)
	}
	if model, found := b.Model("x"); found {
		t.Errorf("another agent's: %+v", model)
	}
	if _, ok := m.Agent("c"); ok {
		t.Error("an agent that is not preloaded")
	}
}
