// SPDX-License-Identifier: Apache-2.0

package gpu

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"justnews/internal/facts"
)

// FuzzAnswer reads what a helper may print with either of its exit statuses. The second
// judge takes the object apart token by token, and knows of an answer only what must be
// true of it.
func FuzzAnswer(f *testing.F) {
	states := map[bool]*os.ProcessState{}
	for failed, script := range map[bool]string{false: "exit 0", true: "exit 71"} {
		cmd := exec.CommandContext(f.Context(), "sh", "-c", script)
		_ = cmd.Run() // the status is what is wanted
		states[failed] = cmd.ProcessState
	}
	for _, text := range []string{
		object,
		`{"schema":1,"outcome":"NO_CGO","gpus":[],"detail":"d"}`,
		`{"schema":1,"outcome":"SUCCESS","count":0,"gpus":[]}`,
		`{"schema":1,"program":"0.9.0","outcome":"SUCCESS","driver_version":"550.54.15","count":2,"gpus":[{"index":0,"uuid":"GPU-1","memory":{"total":85520809984},"mig":{"enabled":false},"unanswered":{"fabric":"ERROR_NOT_SUPPORTED"}},{"index":1,"unanswered":{"handle":"ERROR_GPU_IS_LOST"}}]}`,
	} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, failed bool) {
		e := &ended{state: states[failed], out: bounded{max: maxOutput}, errs: bounded{max: maxComplaint}}
		_, _ = e.out.Write(text)
		look := e.answer()
		fields, valid := fieldsOf(text)
		valid = valid && fields["schema"] == float64(facts.NVMLSchema)
		count, counted := fields["count"].(float64)
		gpus, _ := fields["gpus"].([]any)
		success := valid && !failed && fields["outcome"] == "SUCCESS" && counted
		switch look.Kind {
		case facts.GPUAnswered:
			if !success || count == 0 || len(gpus) == 0 || look.NVML == nil || len(look.NVML.GPUs) != len(gpus) {
				t.Fatalf("answered, and the second judge read %+v of %q", fields, text)
			}
		case facts.HelperNonsense:
			var found facts.NVML
			if !success || count == 0 || len(gpus) == 0 || json.Unmarshal(text, &found) != nil {
				break
			}
			// Written as the helper writes it, it is an answer.
			canonical, err := json.Marshal(found)
			e := &ended{state: states[false], out: bounded{max: maxOutput}, errs: bounded{max: maxComplaint}}
			_, _ = e.out.Write(canonical)
			if look := e.answer(); err != nil || look.Kind != facts.GPUAnswered {
				t.Fatalf("%+v of %q", look, canonical)
			}
		default:
			if !valid || !success && !failed {
				t.Fatalf("%+v, and the second judge read %+v of %q", look, fields, text)
			}
		}
	})
}

// fieldsOf returns the fields of one object, each of which occurs once.
func fieldsOf(text []byte) (fields map[string]any, valid bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	fields = map[string]any{}
	for d.More() {
		key, err := d.Token()
		name, is := key.(string)
		for _, known := range []string{"schema", "outcome", "count", "gpus"} { // as encoding/json compares
			if strings.EqualFold(name, known) {
				name = known
			}
		}
		if _, twice := fields[name]; err != nil || !is || twice {
			return nil, false
		}
		var value any
		if d.Decode(&value) != nil {
			return nil, false
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return fields, err != nil // io.EOF: nothing follows
}
