// SPDX-License-Identifier: Apache-2.0

package gpu_test

import (
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/gpu"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
	"justnews/test/findings"
)

func TestXid_IsJudgedByNVIDIAsCatalogue(t *testing.T) {
	const here, other = "0000:65:00", "0000:ca:00"
	xid := func(code int) facts.Xid { return facts.Xid{PCI: here, Code: code, Count: 1, Message: "m\x1b"} }
	changed := func(to string) facts.Xid {
		x := xid(154)
		x.Message = "GPU recovery action changed from 0x0 (None) to 0x9 (" + to + ")"
		return x
	}
	type world struct {
		first  *facts.GPU
		look   *facts.GPULook
		second func() *facts.GPU // adds a GPU at the other address
	}
	for name, c := range map[string]struct {
		xids   facts.Xids
		change func(world)
		want   []string
	}{
		"none":                           {},
		"a fault of a program":           {xids: facts.Xids{xid(13), xid(31), xid(43), xid(45)}},
		"a row that was remapped":        {xids: facts.Xids{xid(63)}},
		"off the bus":                    {xids: facts.Xids{xid(79)}, want: []string{"error GPU-XID"}},
		"DBE":                            {xids: facts.Xids{xid(48)}, want: []string{"error GPU-XID"}},
		"uncontained":                    {xids: facts.Xids{xid(95)}, want: []string{"error GPU-XID"}},
		"contained":                      {xids: facts.Xids{xid(94)}, want: []string{"warning GPU-XID"}},
		"GSP":                            {xids: facts.Xids{xid(119), xid(120)}, want: []string{"error GPU-XID"}},
		"NVLink":                         {xids: facts.Xids{xid(74)}, want: []string{"warning GPU-XID"}},
		"both kinds are one finding":     {xids: facts.Xids{xid(94), xid(95)}, want: []string{"error GPU-XID"}},
		"a reboot that is required":      {xids: facts.Xids{changed("Node Reboot Required")}, want: []string{"error GPU-XID"}},
		"a reset that is required":       {xids: facts.Xids{changed("GPU Reset Required")}, want: []string{"error GPU-XID"}},
		"a drain":                        {xids: facts.Xids{changed("Drain and Reset")}, want: []string{"warning GPU-XID"}},
		"an unknown action":              {xids: facts.Xids{changed("Pray")}, want: []string{"error GPU-XID"}},
		"a recovery ends it":             {xids: facts.Xids{xid(95), changed("None")}},
		"an error after a recovery":      {xids: facts.Xids{changed("None"), xid(95)}, want: []string{"error GPU-XID"}},
		"of a GPU that NVML has not":     {xids: facts.Xids{{PCI: other, Code: 79}}, want: []string{"warning GPU-XID"}},
		"the driver has nothing to do":   {xids: facts.Xids{xid(95)}, change: func(w world) { w.first.RecoveryAction = "NONE" }, want: []string{"notice GPU-XID"}},
		"the driver says it itself":      {xids: facts.Xids{xid(95)}, change: func(w world) { w.first.RecoveryAction = "GPU_RESET" }, want: []string{"error GPU-RECOVERY"}},
		"another GPU is usable":          {xids: facts.Xids{xid(79)}, change: func(w world) { w.second() }, want: []string{"warning GPU-XID"}},
		"another GPU has one, too":       {xids: facts.Xids{xid(79), {PCI: other, Code: 48}}, change: func(w world) { w.second() }, want: []string{"error GPU-XID", "error GPU-XID"}},
		"another GPU has recovered":      {xids: facts.Xids{xid(79), {PCI: other, Code: 48}}, change: func(w world) { w.second().RecoveryAction = "NONE" }, want: []string{"warning GPU-XID", "notice GPU-XID"}},
		"another GPU can wait":           {xids: facts.Xids{xid(79), {PCI: other, Code: 94}}, change: func(w world) { w.second() }, want: []string{"warning GPU-XID", "warning GPU-XID"}},
		"the address is not known":       {xids: facts.Xids{xid(79)}, change: func(w world) { w.first.PCI = "" }, want: []string{"warning GPU-XID"}},
		"another function of the device": {xids: facts.Xids{{PCI: "0000:65:0", Code: 79}}, want: []string{"warning GPU-XID"}},
		"the GPU is lost": {
			xids: facts.Xids{xid(79)}, change: func(w world) { w.first.Unanswered = map[string]string{"name": "ERROR_GPU_IS_LOST"} },
			want: []string{"error GPU-FAILED"},
		},
		"the driver finds no GPU": {
			xids: facts.Xids{xid(79)}, change: func(w world) { w.look.Kind, w.look.NVML = facts.GPUNone, nil },
			want: []string{"error GPU-NONE", "error GPU-XID"},
		},
		"the log cannot be read": {change: func(w world) { w.look.Xids = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			first := card()
			first.PCI, first.ComputeMode = here+".0", "DEFAULT"
			l := gpus(first)
			l.Xids = &c.xids
			if c.change != nil {
				c.change(world{&l.NVML.GPUs[0], &l, func() *facts.GPU {
					g := card()
					g.Index, g.PCI, g.ComputeMode = 1, other+".0", "DEFAULT"
					l.NVML.GPUs = append(l.NVML.GPUs, g)
					return &l.NVML.GPUs[1]
				}})
			}
			got := gpu.Judge(l, requirement.GPU{Needed: true})
			if !slices.Equal(codes(got), c.want) {
				t.Errorf("%q, want %q", codes(got), c.want)
			}
			for _, p := range got {
				findings.Sound(t, p)
				if len(c.xids) > 0 && p.Code != "GPU-NONE" && !strings.Contains(p.Seen, "Xid ") {
					t.Errorf("the evidence is missing: %+v", p)
				}
			}
			for _, p := range gpu.Judge(l, requirement.GPU{}) {
				if p.Severity == 0 {
					t.Errorf("an error where no GPU is needed: %+v", p)
				}
			}
		})
	}
}

func TestXid_EvidenceHasNumberMeaningAndTime(t *testing.T) {
	c := card()
	c.PCI = "0000:65:00.0"
	l := gpus(c)
	l.Xids = &facts.Xids{{PCI: "0000:65:00", Code: 48, Count: 3, Message: "pid=1", Seconds: 10}, {PCI: "0000:65:00", Code: 79, Count: 1, Message: "pid=2, off", Seconds: 3723}}
	got := gpu.Judge(l, requirement.GPU{Needed: true, Clients: 1})
	const want = "Xid 48 (double-bit ECC error), 3 times, Xid 79 (the GPU has fallen off the bus), the last 1h2m3s after the boot: pid=2, off"
	if len(got) != 1 || got[0].Seen != want || got[0].Subject != "gpu 0 (NVIDIA L4)" {
		t.Errorf("%+v", got)
	}
}

// A finding names the GPU that NVML lists at the address, and the address otherwise.
func TestXid_SubjectIsTheGPUOrItsAddress(t *testing.T) {
	xids := facts.Xids{{PCI: "0000:65:00", Code: 79}}
	listed, failed := gpus(card()), facts.GPULook{Kind: facts.GPUFailed}
	listed.NVML.GPUs[0].PCI = "0000:65:00.0"
	elsewhere := gpus(card())
	elsewhere.NVML.GPUs[0].PCI = "0000:ca:00.0"
	for want, l := range map[string]facts.GPULook{"gpu 0 (NVIDIA L4)": listed, "gpu at 0000:65:00": failed} {
		for _, l := range []facts.GPULook{l, elsewhere} {
			if l.NVML == elsewhere.NVML {
				want = "gpu at 0000:65:00"
			}
			l.Xids = &xids
			problems := gpu.Judge(l, requirement.GPU{Needed: true})
			if p := problems[len(problems)-1]; p.Code != diag.GPUXid || p.Subject != want {
				t.Errorf("%s of %q, want %q", p.Code, p.Subject, want)
			}
		}
	}
	if got := gpu.XidsOf(listed, listed.NVML.GPUs[0]); got != nil {
		t.Errorf("without a log: %v", got)
	}
	listed.Xids = &xids
	if got := gpu.XidsOf(listed, listed.NVML.GPUs[0]); !slices.Equal(got, []int{79}) {
		t.Errorf("%v, want 79", got)
	}
}
