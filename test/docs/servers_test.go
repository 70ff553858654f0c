// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"strings"
	"testing"

	"justnews/internal/probe/orchestrator"
)

// A kind of model server that can be configured can be asked, is documented twice, and
// has been tried with the answers of a server that lies.
func TestModelServers_EachKindIsWhereverOneIsExpected(t *testing.T) {
	var schema struct {
		Properties struct {
			Orchestrator struct {
				Properties struct {
					Kind struct{ Enum []string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, "internal/config/justnews.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	kinds := schema.Properties.Orchestrator.Properties.Kind.Enum
	if len(kinds) < 6 {
		t.Fatalf("the schema has the kinds %q", kinds)
	}
	for _, kind := range kinds {
		if _, err := orchestrator.Open(kind, "http://127.0.0.1:8014", []string{"m"}); err != nil {
			t.Error(err)
		}
		wanted := map[string]string{"docs/model-servers.md": "\n| `" + kind + "` | ", "man/justnews.toml.5": "\n.It Li " + kind + "\n"}
		if kind != orchestrator.JustNews { // JustNews' own has all other tables of test/hostile
			wanted["test/hostile/kinds_test.go"] = "\n\t\t{kind: \"" + kind + "\", "
		}
		for file, text := range wanted {
			if !strings.Contains(read(t, file), text) {
				t.Errorf("%s does not have %q", file, text)
			}
		}
	}
}
