// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"strings"

	"justnews/internal/strictjson"
)

// MPSFile is mps_allocation_config.json.
type MPSFile struct {
	Path          string
	Comments      []int      // lines that hold a "#" comment and no JSON
	TotalGB       float64    // total_gpu_memory_gb; 0: not stated
	AvailableGB   float64    // available_memory_gb; 0: not stated
	PipeDirectory string     // mps_configuration.pipe_directory
	Limits        []MPSLimit // in the order of the file
}

// MPSLimit is the limit of one agent.
type MPSLimit struct {
	Agent string
	GB    float64
	Line  int
}

// allocations reads the limits. The newer file of JustNews contains a "#" comment,
// which no JSON parser accepts (its own orchestrator included, so that the limits
// never applied): such lines are skipped and reported.
func (r *reader) allocations(name, text string) {
	f := &MPSFile{Path: name}
	var kept strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			f.Comments = append(f.Comments, n)
			line = "\n" // the lines below keep their numbers
		}
		kept.WriteString(line)
	}
	top, err := strictjson.Parse([]byte(kept.String()), strictjson.Limits{Bytes: maxFile, Depth: 16})
	if err != nil {
		r.fail(name, err.Error())
		return
	}
	if err := f.read(top, []byte(kept.String())); err != nil {
		r.fail(name, err.Error())
		return
	}
	r.host.MPS = f
}

func (f *MPSFile) read(top strictjson.Object, text []byte) error {
	all, err := top.Object("mps_resource_allocation")
	if err != nil {
		return err
	}
	for key, into := range map[string]*float64{"total_gpu_memory_gb": &f.TotalGB, "available_memory_gb": &f.AvailableGB} {
		if err := optional(all, key, strictjson.Value.Float, into); err != nil {
			return err
		}
	}
	if v, found, err := all.Optional("mps_configuration"); err != nil {
		return err
	} else if found {
		o, err := v.Object()
		if err != nil {
			return err
		}
		if err := optional(o, "pipe_directory", strictjson.Value.Text, &f.PipeDirectory); err != nil {
			return err
		}
	}
	agents, err := all.Object("agent_allocations")
	if err != nil {
		return err
	}
	for _, m := range agents.Members() {
		o, err := m.Value.Object()
		if err != nil {
			return err
		}
		l := MPSLimit{Agent: m.Key}
		l.Line, _ = strictjson.LineColumn(text, m.Offset)
		if err := optional(o, "mps_memory_limit_gb", strictjson.Value.Float, &l.GB); err != nil {
			return err
		}
		f.Limits = append(f.Limits, l)
	}
	return nil
}

// optional reads a key where there is one.
func optional[T any](o strictjson.Object, key string, as func(strictjson.Value) (T, error), into *T) error {
	v, found, err := o.Optional(key)
	if err != nil || !found {
		return err
	}
	*into, err = as(v)
	return err
}
