// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "justnews.schema.json"

// jsonSchema renders the schema table as JSON Schema draft 4, which is what
// taplo checks a "#:schema" line with.
func jsonSchema(t *testing.T) []byte {
	root := objectOf(schema)
	root["$schema"] = "http://json-schema.org/draft-04/schema#"
	root["title"] = "justnews.toml"
	root["description"] = "The configuration of the JustNews gates, /etc/justnews/justnews.toml"
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func objectOf(fields []field) map[string]any {
	properties := map[string]any{}
	for i := range fields {
		properties[fields[i].name] = propertyOf(&fields[i])
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

func propertyOf(f *field) map[string]any {
	var p map[string]any
	switch f.kind {
	case boolean:
		p = map[string]any{"type": "boolean"}
	case integer:
		p = map[string]any{"type": "integer", "minimum": f.low, "maximum": f.high}
	case span:
		p = map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": f.low, "maximum": f.high},
			map[string]any{"type": "string", "pattern": `^[ ]*([0-9]+(\.[0-9]+)?[ ]*[A-Za-zµμ]*[ ]*)+$`},
		}}
	case text:
		p = textOf(f)
	case memory:
		p = map[string]any{"anyOf": []any{textOf(f), map[string]any{
			"type": "object", "additionalProperties": false,
			"patternProperties": map[string]any{formGPU.pattern: map[string]any{"type": "string", "pattern": `^[1-9][0-9]{0,8}[MG]$`}},
		}}}
	case list:
		p = map[string]any{"type": "array", "items": textOf(f)}
		if f.form == &formExec {
			p["minItems"] = 1
		}
	case variables:
		p = map[string]any{"type": "object", "additionalProperties": false,
			"patternProperties": map[string]any{f.form.pattern: map[string]any{"type": "string", "pattern": "^" + printable + "$"}},
			"properties":        reservedProperties()}
	case group:
		p = objectOf(f.fields)
	case named:
		p = map[string]any{"type": "object", "additionalProperties": false,
			"patternProperties": map[string]any{f.form.pattern: objectOf(f.fields)}}
	}
	p["description"] = f.doc
	if f.def != nil {
		p["default"] = f.def
	}
	return p
}

func textOf(f *field) map[string]any {
	if f.words != nil {
		return map[string]any{"type": "string", "enum": f.words}
	}
	return map[string]any{"type": "string", "pattern": f.form.pattern}
}

// reservedProperties forbids the variables that have a key of their own; the
// others that are reserved are the loader's to find.
func reservedProperties() map[string]any {
	never := map[string]any{}
	for _, name := range []string{
		"GATE_TIMEOUT", "REQUIRE_BUS", "GPU_ORCHESTRATOR_URL", "MCP_BUS_URL", "MODEL_STORE_ROOT", "BASE_MODEL_DIR",
		"AGENT_MODEL_MAP", "STRICT_MODEL_STORE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "CUDA_MPS_PIPE_DIRECTORY",
		"CUDA_MPS_LOG_DIRECTORY", "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",
	} {
		never[name] = map[string]any{"not": map[string]any{}, "description": "set " + keys[name] + " instead"}
	}
	return never
}

func TestJSONSchema_IsUpToDate(t *testing.T) {
	compareFile(t, schemaFile, string(jsonSchema(t)))
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsonSchema(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	if err := c.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// TestJSONSchema_AgreesWithTheLoader runs the loader's cases, file by file. Where
// the schema accepts what the loader refuses, the case says why in
// schema-accepts.txt.
func TestJSONSchema_AgreesWithTheLoader(t *testing.T) {
	compiled := compile(t)
	for _, dir := range caseDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files := tomlFiles(t, dir)
			accepted, judged := true, false
			for _, file := range files {
				value, ok := jsonOf(t, file)
				if !ok {
					continue // not TOML: no schema gets to see it
				}
				judged = true
				if err := compiled.Validate(value); err != nil {
					accepted = false
				}
			}
			if !judged {
				return
			}
			problems, _ := os.ReadFile(filepath.Join(dir, "problems.txt"))
			refused := strings.Contains("\n"+string(problems), "\nerror ")
			reason, _ := os.ReadFile(filepath.Join(dir, "schema-accepts.txt"))
			switch {
			case !accepted && !refused:
				t.Error("the schema refuses what the loader accepts")
			case accepted && refused && len(reason) == 0:
				t.Error("the schema accepts what the loader refuses, and schema-accepts.txt does not say why")
			case !(accepted && refused) && len(reason) > 0:
				t.Error("schema-accepts.txt gives a reason, but the two agree")
			}
		})
	}
}

func jsonOf(t *testing.T, file string) (any, bool) {
	t.Helper()
	var m map[string]any
	if _, err := toml.DecodeFile(file, &m); err != nil {
		return nil, false
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, false // NaN and the like
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value, true
}
