// SPDX-License-Identifier: Apache-2.0

package report

import (
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// HostStatus is the JSON of justnews-gate status.
type HostStatus struct {
	Schema  int    `json:"schema"`
	State   string `json:"state"`   // up, starting, stopped, degraded, down
	Summary string `json:"summary"` // the same as a line for people
	// Causes are the errors, without those that follow from another one.
	Causes       []Cause        `json:"causes"`
	Orchestrator ServerStatus   `json:"orchestrator"`
	Models       ModelsStatus   `json:"models"`
	MPS          *MPSStatus     `json:"mps"` // null: no instance has MPS
	Bus          ServerStatus   `json:"bus"`
	GPU          GPUs           `json:"gpu"`
	Units        []UnitStatus   `json:"units"`
	Watch        *UnitStatus    `json:"watch"` // null: justnews-watch.service is not running
	Problems     []diag.Problem `json:"problems"`
	Status       int            `json:"status"`
}

// Cause is one error and the instances that are not up because of it.
type Cause struct {
	Problem diag.Problem `json:"problem"`
	Holds   []string     `json:"holds"`
}

// ServerStatus is a server that instances wait for.
type ServerStatus struct {
	URL   string      `json:"url"`
	State string      `json:"state"` // answers, or what came instead
	Unit  *UnitStatus `json:"unit"`  // null: no unit of this host, or nobody to ask
}

// ModelsStatus is the preload as judged.
type ModelsStatus struct {
	State    string             `json:"state"`
	Reason   string             `json:"reason"`
	Done     int                `json:"done"`
	Total    int                `json:"total"`
	Expected int                `json:"expected"` // by AGENT_MODEL_MAP, -1: unknown
	Errors   []facts.ModelError `json:"errors"`   // at most 50
}

// UnitStatus is the unit of an instance.
type UnitStatus struct {
	Instance string    `json:"instance"`
	Name     string    `json:"name"`
	State    unit.Word `json:"state"`
	For      float64   `json:"for_s,omitempty"` // seconds in that state, absent: not known
	Cause    diag.Code `json:"cause,omitempty"` // what keeps it from being up
	Active   string    `json:"active"`
	Sub      string    `json:"sub"`
	Result   string    `json:"result"`
	Text     string    `json:"text,omitempty"`
	Gated    bool      `json:"gated"`
}

// MPSOutput is the JSON of justnews-gate mps status.
type MPSOutput struct {
	Schema   int            `json:"schema"`
	MPS      *MPSStatus     `json:"mps"` // null: the configuration cannot be read, or no instance uses it
	Problems []diag.Problem `json:"problems"`
	Status   int            `json:"status"`
}

// MPSStatus is what one look at NVIDIA MPS found.
type MPSStatus struct {
	PipeDirectory string       `json:"pipe_directory"`
	Require       string       `json:"require"` // mps.require: daemon, control or server
	Reached       string       `json:"reached"` // none, daemon, control or server
	Instances     []string     `json:"instances"`
	Unit          *UnitStatus  `json:"unit"`                        // null: no unit of this host, or nobody to ask
	Daemon        *MPSProcess  `json:"daemon"`                      // null: none is running, or it is not visible
	Server        int          `json:"server"`                      // PID, 0: not checked
	Static        bool         `json:"static_partitions,omitempty"` // the daemon was started with -S
	Partitions    []string     `json:"partitions,omitempty"`
	MLOPart       []string     `json:"mlopart,omitempty"` // parts of GPUs that are devices of their own
	Elsewhere     []string     `json:"elsewhere"`
	Others        []MPSProcess `json:"others"`
}

// MPSProcess is a process of nvidia-cuda-mps-control.
type MPSProcess struct {
	PID           int    `json:"pid"`
	UID           int    `json:"uid"`
	Unit          string `json:"unit"`
	State         string `json:"state"`
	Command       string `json:"command"`
	PipeDirectory string `json:"pipe_directory"`
}
