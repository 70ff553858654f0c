// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"

	"justnews/internal/catalogue"
	"justnews/internal/check/gpu"
	"justnews/internal/check/mps"
	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/lists"
)

// ConfigCheck is the JSON of justnews-gate config check.
type ConfigCheck struct {
	Schema    int            `json:"schema"`
	Files     []string       `json:"files"`
	Instances []string       `json:"instances"`
	Problems  []diag.Problem `json:"problems"`
	Status    int            `json:"status"`
}

// Explanation is the JSON of justnews-gate explain.
type Explanation struct {
	Schema int               `json:"schema"`
	Codes  []catalogue.Entry `json:"codes"`
}

// History is the JSON of justnews-gate history.
type History struct {
	Schema   int            `json:"schema"`
	Runs     []HistoryRun   `json:"runs"`    // the newest first
	Omitted  int            `json:"omitted"` // older ones, beyond --limit
	Problems []diag.Problem `json:"problems"`
}

// HistoryRun is one run in a line.
type HistoryRun struct {
	Started  string  `json:"started"` // RFC 3339, UTC
	Instance string  `json:"instance,omitempty"`
	Run      string  `json:"run"`
	Verdict  string  `json:"verdict"`
	Status   int     `json:"status"`
	Code     string  `json:"code,omitempty"` // of the problem that shut the gate
	Elapsed  float64 `json:"elapsed_s"`
	Path     string  `json:"path"`
}

// Sealing is the JSON of justnews-gate models seal.
type Sealing struct {
	Schema   int            `json:"schema"`
	Status   int            `json:"status"`
	Agent    string         `json:"agent"`
	Seals    []SealedTree   `json:"seals"`
	Problems []diag.Problem `json:"problems"`
}

// SealedTree is one version that was sealed.
type SealedTree struct {
	Version string `json:"version"`
	Path    string `json:"path"` // of the seal
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
}

// Verification is the JSON of justnews-gate models verify.
type Verification struct {
	Schema   int             `json:"schema"`
	Root     string          `json:"root"`
	User     string          `json:"user"` // whose permissions were checked
	Elapsed  float64         `json:"elapsed_s"`
	Free     int64           `json:"free_bytes"` // -1: not known
	Trees    []VerifiedTree  `json:"trees"`
	Models   []VerifiedModel `json:"models"`
	Problems []diag.Problem  `json:"problems"`
	Status   int             `json:"status"`
}

// VerifiedTree is one version, or a directory that the map names.
type VerifiedTree struct {
	Agent     string         `json:"agent"`
	Version   string         `json:"version"` // "" for a directory that is not a version
	Path      string         `json:"path"`
	Adapter   bool           `json:"adapter"`
	Models    int            `json:"models"`
	Files     int            `json:"files"`
	Bytes     int64          `json:"bytes"`
	Read      int64          `json:"read_bytes"` // 0 where all was remembered
	Verdict   string         `json:"verdict"`
	By        string         `json:"by"` // seal, manifest or nothing
	Expected  string         `json:"expected,omitempty"`
	Found     string         `json:"found,omitempty"`
	Reordered bool           `json:"reordered"`
	Orders    float64        `json:"orders"`
	Tried     int            `json:"tried"`
	Flaws     []VerifiedFlaw `json:"flaws"`
}

// VerifiedModel is one model of the map.
type VerifiedModel struct {
	Agent  string         `json:"agent"`
	Model  string         `json:"model"`
	Path   string         `json:"path"` // what the loader opens, "" where it finds nothing
	Files  int            `json:"files"`
	Bytes  int64          `json:"bytes"`
	Faults []VerifiedFlaw `json:"faults"`
}

// VerifiedFlaw is one thing that is wrong with one path.
type VerifiedFlaw struct {
	Kind   string `json:"kind"`
	Path   string `json:"path"`
	Detail string `json:"detail,omitempty"`
}

// VerifiedTrees combines a look with the proofs of its versions.
func VerifiedTrees(look facts.Store, proofs []facts.StoreProof) []VerifiedTree {
	trees := make([]VerifiedTree, len(look.Trees))
	for i, t := range look.Trees {
		p := proofs[i]
		trees[i] = VerifiedTree{
			Agent: diag.Clean(t.Owner), Version: diag.Clean(t.Name), Path: diag.Clean(cmp.Or(t.Path, t.Named)), Adapter: t.Adapter,
			Files: p.Files, Bytes: p.Bytes, Read: p.Read, Verdict: string(p.Verdict), By: p.By,
			Expected: p.Expected, Found: p.Found, Reordered: p.Reordered, Orders: p.Orders, Tried: p.Tried,
			Flaws: lists.Map(p.Flaws, func(f facts.ProofFlaw) VerifiedFlaw { return flaw(string(f.Kind), f.Path, f.Detail) }),
		}
		if p.Verdict == facts.Unproven {
			trees[i].Verdict = "absent"
		}
	}
	for _, m := range look.Models {
		if m.Tree >= 0 {
			trees[m.Tree].Models++
		}
	}
	return trees
}

// VerifiedModels is the result of a look for each model.
func VerifiedModels(look facts.Store) []VerifiedModel {
	return lists.Map(look.Models, func(m facts.StoreModel) VerifiedModel {
		return VerifiedModel{
			Agent: diag.Clean(m.Want.Agent), Model: diag.Clean(m.Want.Model), Path: diag.Clean(m.Dir), Files: m.Files, Bytes: m.Bytes,
			Faults: lists.Map(m.Faults, func(f facts.StoreFault) VerifiedFlaw { return flaw(string(f.Kind), f.Path, f.Detail) }),
		}
	})
}

func flaw(kind, path, detail string) VerifiedFlaw {
	return VerifiedFlaw{kind, diag.Clean(path), diag.Clean(detail)}
}

// verdictText is the text of a verdict in a table.
var verdictText = map[string]string{
	"absent": "not there", string(facts.Whole): "whole", string(facts.Differs): "not as manifested",
	string(facts.Undecided): "cannot be verified", string(facts.NoManifest): "nothing to compare with",
	string(facts.Unchecked): "could not be read", string(facts.OutOfTime): "not finished",
}

// Label names a version in a table.
func (t VerifiedTree) Label() string {
	switch {
	case t.Adapter:
		return "adapter"
	case t.Verdict == "absent":
		return "-"
	}
	return cmp.Or(t.Version, t.Path)
}

// Word describes how a tree was verified, if it was.
func (t VerifiedTree) Word() string {
	word := verdictText[t.Verdict]
	switch {
	case t.Verdict == string(facts.Whole) && t.Reordered:
		return word + " (manifest, computed in another directory order)"
	case t.Verdict == string(facts.Whole):
		return word + " (" + t.By + ")"
	}
	return word
}

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
	Require       mps.Rung     `json:"require"` // mps.require: daemon, control or server
	Reached       mps.Rung     `json:"reached"` // none, daemon, control or server
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

// GPUs is what was found about the GPUs, for status and the summary. Unknown
// values are absent.
type GPUs struct {
	State   string `json:"state"`            // in a few words: what there is, or why it is unknown
	Driver  string `json:"driver,omitempty"` // version
	Library string `json:"library,omitempty"`
	Module  string `json:"module,omitempty"` // version of the loaded kernel module
	CUDA    string `json:"cuda,omitempty"`   // latest version that the driver supports
	Devices []GPU  `json:"devices"`
}

// GPU is one of them.
type GPU struct {
	Index             int     `json:"index"`
	UUID              string  `json:"uuid,omitempty"`
	PCI               string  `json:"pci,omitempty"` // bus address, as in the kernel's log
	Name              string  `json:"name,omitempty"`
	Architecture      string  `json:"architecture,omitempty"`
	ComputeCapability string  `json:"compute_capability,omitempty"`
	MemoryTotal       *uint64 `json:"memory_total,omitempty"` // bytes
	MemoryFree        *uint64 `json:"memory_free,omitempty"`
	ComputeMode       string  `json:"compute_mode,omitempty"`
	MIG               *bool   `json:"mig,omitempty"`
	Persistence       *bool   `json:"persistence,omitempty"`
	Processes         *int    `json:"processes,omitempty"`       // with a compute context
	MPSProcesses      *int    `json:"mps_processes,omitempty"`   // the same, through MPS
	RecoveryAction    string  `json:"recovery_action,omitempty"` // NONE, GPU_RESET, NODE_REBOOT, …
	RowsPending       *bool   `json:"rows_pending,omitempty"`    // a row of its memory is replaced at the next reset
	RowsFailed        *bool   `json:"rows_failed,omitempty"`     // a row could not be replaced
	Fabric            string  `json:"fabric,omitempty"`          // state of the registration with the NVSwitch fabric
	Xids              []int   `json:"xids,omitempty"`            // numbers of the Xids in the kernel's log
	Lost              string  `json:"lost,omitempty"`            // why it is unusable
	Unfit             string  `json:"unfit,omitempty"`           // the same, or why no program should be started on it
}

// GPUsOf returns the record of a look, nil for none, with cleaned strings.
func GPUsOf(l *facts.GPULook) *GPUs {
	if l == nil {
		return nil
	}
	out := &GPUs{State: Brief(gpu.Summary(*l)), Module: Brief(l.Module), Devices: []GPU{}}
	if l.NVML == nil {
		return out
	}
	out.Driver, out.Library, out.CUDA = Brief(l.NVML.DriverVersion), Brief(l.NVML.LibraryVersion), Brief(l.NVML.CUDAVersion)
	for _, g := range l.NVML.GPUs {
		d := gpuOf(g)
		d.Xids = gpu.XidsOf(*l, g)
		out.Devices = append(out.Devices, d)
	}
	return out
}

func gpuOf(g facts.GPU) GPU {
	out := GPU{
		Index: g.Index, UUID: Brief(g.UUID), Name: Brief(g.Name), Architecture: Brief(g.Architecture),
		ComputeCapability: Brief(g.ComputeCapability), ComputeMode: Brief(g.ComputeMode), Persistence: g.Persistence,
		Processes: count(g.Processes), MPSProcesses: count(g.MPSProcesses), Lost: Brief(gpu.Lost(g)),
		PCI: Brief(g.PCI), RecoveryAction: Brief(g.RecoveryAction), Unfit: Brief(gpu.Unfit(g)),
	}
	if g.RowRemap != nil {
		out.RowsPending, out.RowsFailed = &g.RowRemap.Pending, &g.RowRemap.Failed
	}
	if g.Fabric != nil {
		out.Fabric = Brief(g.Fabric.State)
	}
	if g.Memory != nil {
		out.MemoryTotal, out.MemoryFree = &g.Memory.Total, &g.Memory.Free
	}
	if g.MIG != nil {
		out.MIG = &g.MIG.Current
	}
	return out
}

func count(c *facts.GPUClients) *int {
	if c == nil {
		return nil
	}
	return new(len(*c))
}
