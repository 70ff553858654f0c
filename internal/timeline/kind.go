// SPDX-License-Identifier: Apache-2.0

package timeline

// Kind is what a part of a bar was spent on. The zero value is anything else.
type Kind int

// The kinds, in the order of the legend.
const (
	Gate  Kind = iota // a run with unknown steps
	Queue             // its job waited for those of other units
	Config
	MPS
	GPU
	Store
	Orchestrator
	Models
	Bus
	Needs
	Start
	Pause // between two attempts
)

// style is how a kind is drawn: one colour for a light page, one for a dark
// one, and what the legend says.
type style struct {
	kind        Kind
	name        string
	says        string
	light, dark string
}

// styles are in the order of the legend. Neighbours also differ in lightness,
// so that they can be distinguished without colours.
func styles() []style {
	return []style{
		{Queue, "queue", "queue", "#d5dae0", "#3c444d"},
		{Gate, "gate", "gate", "#8494a6", "#8494a6"},
		{Config, "config", "config", "#4d5966", "#b6c2cf"},
		{MPS, "mps", "MPS", "#147d70", "#2fb3a3"},
		{GPU, "gpu", "GPU", "#8bbf2f", "#9ccc4a"},
		{Store, "store", "store", "#96691b", "#c9973f"},
		{Orchestrator, "orchestrator", "orchestrator", "#5b9be0", "#6ba8ea"},
		{Models, "models", "models", "#6a45c2", "#9a7bea"},
		{Bus, "bus", "bus", "#f0a04b", "#f0a04b"},
		{Needs, "needs", "needs", "#b23a77", "#dd6aa4"},
		{Start, "start", "start", "#2f9e44", "#51c069"},
		{Pause, "pause", "not running", "#e8dfcb", "#463f30"},
	}
}

// kindOf returns the kind of a gate's step.
func kindOf(step string) Kind {
	for _, s := range styles() {
		if s.name == step && s.kind != Queue && s.kind != Start && s.kind != Pause {
			return s.kind
		}
	}
	return Gate
}

func (k Kind) style() style {
	for _, s := range styles() {
		if s.kind == k {
			return s
		}
	}
	return styles()[1]
}
