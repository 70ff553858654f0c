// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"justnews/internal/cli"
	"justnews/internal/report"
)

// schemas are the published ones, by name.
func schemaFile(name string) string {
	if name == "summary" {
		return filepath.Join("..", "report", "summary.schema.json")
	}
	return name + ".schema.json"
}

func validate(name, text string) error {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile(name))
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func TestSchema_HasExactlyTheFieldsOfTheTypes(t *testing.T) {
	types := cli.Outputs()
	types["summary"] = report.Summary{}
	for name, value := range types {
		var doc map[string]any
		text, err := os.ReadFile(schemaFile(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if doc["$schema"] != "http://json-schema.org/draft-04/schema#" {
			t.Errorf("%s: $schema is %v", name, doc["$schema"])
		}
		sameFields(t, name, doc, doc, reflect.TypeOf(value))
	}
}

// sameFields walks a type and its schema side by side.
func sameFields(t *testing.T, where string, doc, schema map[string]any, typ reflect.Type) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	schema = resolve(t, where, doc, schema)
	if typ.Kind() == reflect.Slice {
		items, ok := schema["items"].(map[string]any)
		if !ok {
			t.Errorf("%s: no items", where)
			return
		}
		sameFields(t, where+"[]", doc, items, typ.Elem())
		return
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	properties, _ := schema["properties"].(map[string]any)
	if schema["additionalProperties"] != false {
		t.Errorf("%s: additionalProperties is not false", where)
	}
	required := map[string]bool{}
	for _, name := range listed(schema["required"]) {
		required[name.(string)] = true
	}
	for i := range typ.NumField() {
		name, option, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "-" || !typ.Field(i).IsExported() {
			continue
		}
		property, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s: the schema has no %s", where, name)
			continue
		}
		if optional := option == "omitempty"; optional == required[name] {
			t.Errorf("%s.%s: omitempty is %v, required is %v", where, name, optional, required[name])
		}
		delete(properties, name)
		sameFields(t, where+"."+name, doc, property, typ.Field(i).Type)
	}
	for name := range properties {
		t.Errorf("%s: the type has no %s", where, name)
	}
}

// resolve follows a reference, also one that may be null; what it returns is a
// copy whose properties can be crossed off.
func resolve(t *testing.T, where string, doc, schema map[string]any) map[string]any {
	t.Helper()
	if either, ok := schema["anyOf"].([]any); ok {
		schema = either[0].(map[string]any)
	}
	if ref, ok := schema["$ref"].(string); ok {
		definitions := doc["definitions"].(map[string]any)
		if schema, ok = definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any); !ok {
			t.Fatalf("%s: %s leads nowhere", where, ref)
		}
	}
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var copied map[string]any
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestSchema_RefusesUnknownFields(t *testing.T) {
	const check = `{"schema":1,"files":[],"instances":[],"problems":[],"status":0`
	if err := validate("config-check", check+`}`); err != nil {
		t.Error(err)
	}
	for _, text := range []string{check + `,"more":1}`, `{}`, check[:len(check)-1] + `3}`} {
		if validate("config-check", text) == nil {
			t.Errorf("%s is valid", text)
		}
	}
}

// listed is a list of a schema, which may be left out.
func listed(v any) []any {
	list, _ := v.([]any)
	return list
}
