// SPDX-License-Identifier: Apache-2.0

package orchestrator_test

import (
	"slices"
	"testing"

	"justnews/internal/facts"
	"justnews/internal/probe/orchestrator"
)

// The first two are the old bus's own answers (transcripts), the others what a
// newer one may make of them.
func TestBus_ListsRegisteredAgents(t *testing.T) {
	for _, c := range []struct {
		body string
		kind facts.AnswerKind
		want []string
	}{
		{`{}`, facts.Answered, nil},
		{`{"gpu_orchestrator":"http://localhost:8014"}`, facts.Answered, []string{"gpu_orchestrator"}},
		{`{"agents":{"gpu_orchestrator":"http://localhost:8014","scout":"x"}}`, facts.Answered, []string{"gpu_orchestrator", "scout"}},
		{`{"agents":["scout"]}`, facts.Answered, []string{"scout"}},
		{`{"agents":"http://localhost:1"}`, facts.Answered, []string{"agents"}},
		{`{"agents":null}`, facts.Answered, nil},
		{`{"agents":{}}`, facts.Answered, nil},
		{`{"agents":["scout","scout"],"total":2}`, facts.Answered, []string{"scout", "scout"}},
		{`{"agents":3}`, facts.Nonsense, nil},
		{`{"agents":true}`, facts.Nonsense, nil},
		{`{"agents":{"scout":1},"agents":{}}`, facts.Nonsense, nil},
		{`{"agents":{"scout":1,"scout":1}}`, facts.Nonsense, nil},
		{`{"agents":[{"name":"scout"}]}`, facts.Nonsense, nil},
		{`{"agents":[1]}`, facts.Nonsense, nil},
		{`["scout"]`, facts.Nonsense, nil},
	} {
		b, err := orchestrator.NewBus(serve(t, text(ok(c.body))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		got := b.Agents(t.Context())
		if got.Kind != c.kind || c.kind == facts.Answered && !slices.Equal(got.Agents, c.want) {
			t.Errorf("%s: %+v, want %q", c.body, got, c.want)
		}
	}
}
