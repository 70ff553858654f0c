// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"

	"justnews/internal/check/store"
	"justnews/internal/diag"
	"justnews/internal/modelmap"
	"justnews/test/findings"
)

func TestMap_ConfiguredMapMustExistAndBeValid(t *testing.T) {
	parsed := func(text string) modelmap.File {
		m, problems := modelmap.Parse([]byte(text))
		return modelmap.File{Path: "/m.json", Map: m, Problems: problems}
	}
	for _, tc := range []struct {
		name    string
		file    modelmap.File
		written bool
		errors  int
		code    diag.Code
		text    string
	}{
		{"missing at the default path", modelmap.File{Path: "/m.json", Missing: true}, false, 0, diag.MapMissing, "not checked"},
		{"missing although named", modelmap.File{Path: "/m.json", Missing: true}, true, 1, diag.MapUnreadable, "does not exist"},
		{"unreadable", modelmap.File{Path: "/m.json", Err: errors.New("permission denied")}, false, 1, diag.MapUnreadable, "permission denied"},
		{"wrong", parsed("{\n\"scout\": [1, 2]}"), false, 2, diag.MapInvalid, "/m.json:2:11: scout[0]: "},
		{"a warning", parsed(`{"scout":["x","x"]}`), true, 0, diag.MapInvalid, "twice"},
		{"no agent", parsed("{}"), true, 0, diag.MapInvalid, "it lists no model"},
		{"agents without models", parsed(`{"agents":{"scout":[]}}`), true, 0, diag.MapInvalid, "it lists no model"},
		{"nothing at all", modelmap.File{Path: "/m.json"}, false, 1, diag.MapInvalid, "cannot parse the model map"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			problems := store.Map(tc.file, tc.written)
			if len(problems) == 0 || len(diag.Errors(problems)) != tc.errors || problems[0].Code != tc.code || !strings.Contains(problems[0].String(), tc.text) {
				t.Fatalf("%v", problems)
			}
			for _, p := range problems {
				findings.Sound(t, p)
			}
		})
	}
	if problems := store.Map(parsed(`{"scout":["x"]}`), true); len(problems) != 0 {
		t.Errorf("a good map has problems: %v", problems)
	}
	if problems := store.Map(parsed(`{"base_models":{"b":{"hf_id":"x/y"}},"agents":{},"vllm_agents":{"scout":[{"base_ref":"b"}]}}`), true); len(problems) != 0 {
		t.Errorf("a map for vLLM has problems: %v", problems)
	}
}

func TestMap_WhatIsNoFileIsReplacedAndNotMadeReadable(t *testing.T) {
	if p := store.Map(modelmap.ReadFile(t.TempDir()), true)[0]; p.Code != diag.MapUnreadable || !strings.Contains(p.Fix.Advice, "AGENT_MODEL_MAP.json there") {
		t.Errorf("%s: %s", p, p.Fix.Advice)
	}
}
