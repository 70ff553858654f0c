// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"slices"
	"strings"
)

// complaint is one entry of the detail list of a 422, as pydantic writes it.
func complaint(kind, message string, input any, loc ...any) *object {
	return &object{{"type", kind}, {"loc", append([]any{"body"}, loc...)}, {"msg", message}, {"input", input}}
}

func unprocessable(complaints ...any) *answer {
	return &answer{status: 422, body: appendJSON(nil, &object{{"detail", complaints}})}
}

// bodyObject reads a JSON object from a request's body as FastAPI does, or
// says why not.
func bodyObject(r *request) (map[string]any, *answer) {
	if len(r.body) == 0 {
		return nil, unprocessable(complaint("missing", "Field required", nil))
	}
	const notObject = "Input should be a valid dictionary or object to extract fields from"
	if t := r.Header.Get("Content-Type"); t != "" && !isJSON(t) {
		return nil, unprocessable(complaint("model_attributes_type", notObject, string(r.body)))
	}
	var value any
	dec := json.NewDecoder(strings.NewReader(string(r.body)))
	dec.UseNumber()
	err := dec.Decode(&value)
	if err == nil && !errors.Is(dec.Decode(new(any)), io.EOF) {
		return nil, unprocessable(badJSON(int(dec.InputOffset()), "Extra data"))
	}
	if err != nil {
		return nil, unprocessable(badJSON(pythonError(r.body)))
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, unprocessable(complaint("model_attributes_type", notObject, value))
	}
	return object, nil
}

func badJSON(at int, message string) *object {
	o := complaint("json_invalid", "JSON decode error", &object{}, at)
	o.add("ctx", &object{{"error", message}})
	return o
}

// pythonError is where and how Python's json module gives up, for the two
// kinds of broken text that clients really send.
func pythonError(body []byte) (at int, message string) {
	if body[0] == '{' {
		return 1, "Expecting property name enclosed in double quotes"
	}
	return 0, "Expecting value"
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json"))
}

// readPreload reads the body of a trigger. Unknown fields are ignored, each
// known one has a default.
func readPreload(r *request) (preloadRequest, *answer) {
	var req preloadRequest
	body, bad := bodyObject(r)
	if bad != nil {
		return req, bad
	}
	var complaints []any
	if v, given := body["agents"]; given && v != nil {
		req.named = true
		req.agents, complaints = readAgents(v)
	}
	if v, given := body["refresh"]; given {
		b, c := readBool(v)
		req.refresh = b
		if c != nil {
			complaints = append(complaints, c)
		}
	}
	if len(complaints) > 0 {
		return req, unprocessable(complaints...)
	}
	return req, nil
}

func readAgents(v any) (names []string, complaints []any) {
	list, ok := v.([]any)
	if !ok {
		return nil, []any{complaint("list_type", "Input should be a valid list", v, "agents")}
	}
	for i, item := range list {
		name, ok := item.(string)
		if !ok {
			complaints = append(complaints, complaint("string_type", "Input should be a valid string", item, "agents", i))
			continue
		}
		names = append(names, name)
	}
	return names, complaints
}

var (
	pydanticTrue  = []string{"1", "on", "t", "true", "y", "yes"}
	pydanticFalse = []string{"0", "off", "f", "false", "n", "no"}
)

// readBool takes for a bool what pydantic takes in its lax mode.
func readBool(v any) (value bool, refusal any) {
	var word string
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		word = strings.ToLower(v)
	case json.Number:
		word = strings.TrimSuffix(v.String(), ".0")
	default:
		return false, complaint("bool_type", "Input should be a valid boolean", v, "refresh")
	}
	if slices.Contains(pydanticTrue, word) {
		return true, nil
	}
	if slices.Contains(pydanticFalse, word) {
		return false, nil
	}
	return false, complaint("bool_parsing", "Input should be a valid boolean, unable to interpret input", v, "refresh")
}
