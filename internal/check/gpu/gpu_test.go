// SPDX-License-Identifier: Apache-2.0

package gpu_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/gpu"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
	"justnews/test/findings"
)

const uuid = "GPU-5a5c3a3c-1111-2222-3333-444455556666"

// card is a GPU without findings under MPS.
func card() facts.GPU {
	on := true
	return facts.GPU{
		Index: 0, UUID: uuid, Name: "NVIDIA L4", ComputeCapability: "8.9", Persistence: &on, MIG: &facts.GPUMIG{},
		ComputeMode: "EXCLUSIVE_PROCESS", Memory: &facts.GPUMemory{Total: 24 << 30, Free: 20 << 30, Used: 4 << 30},
	}
}

func gpus(cards ...facts.GPU) facts.GPULook {
	n := len(cards)
	return facts.GPULook{
		Kind: facts.GPUAnswered, Module: "550.163.01", Control: facts.DeviceNode{State: facts.NodeOpens}, UVM: facts.DeviceNode{State: facts.NodeOpens},
		NVML: &facts.NVML{Schema: 1, Outcome: facts.NVMLSuccess, DriverVersion: "550.163.01", CUDAVersion: "12.4", Count: &n, GPUs: cards},
	}
}

// underMPS is the requirement of an instance that has a limit of 4 GiB.
func underMPS() requirement.GPU {
	return requirement.GPU{Needed: true, MPS: true, Limit: 4 << 30, Limits: 12 << 30, Clients: 3, Starting: true}
}

func codes(problems []diag.Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Severity.String()+" "+string(p.Code))
	}
	return all
}

func TestGPU_EachFailedLookHasItsCodeAndStatus71(t *testing.T) {
	seen := map[diag.Code]facts.GPUKind{}
	for kind := facts.GPUUnknown; kind < facts.GPUAnswered; kind++ {
		got := gpu.Judge(facts.GPULook{Kind: kind, Detail: "evidence\n\x1b[2J"}, requirement.GPU{Needed: true})
		if len(got) != 1 || got[0].Severity != diag.Error || got[0].Status() != diag.StatusGPU {
			t.Errorf("%d: %+v", kind, got)
			continue
		}
		findings.Sound(t, got[0])
		if !strings.Contains(got[0].Seen, "evidence") || got[0].Expected == "" {
			t.Errorf("%d: %+v", kind, got[0])
		}
		if other, taken := seen[got[0].Code]; taken {
			t.Errorf("%d and %d share %s", kind, other, got[0].Code)
		}
		seen[got[0].Code] = kind
	}
	if len(seen) != 15 {
		t.Errorf("%d kinds", len(seen))
	}
}

func TestGPU_UnknownLookIsAnError(t *testing.T) {
	for _, l := range []facts.GPULook{{Kind: 99}, {Kind: facts.GPUAnswered}, {}} {
		if got := gpu.Judge(l, requirement.GPU{Needed: true}); len(diag.Errors(got)) == 0 {
			t.Errorf("%+v: %+v", l, got)
		}
	}
}

func TestGPU_WithoutRequirementNothingBlocks(t *testing.T) {
	for kind := facts.GPUUnknown; kind < facts.GPUAnswered; kind++ {
		for _, p := range gpu.Judge(facts.GPULook{Kind: kind}, requirement.GPU{}) {
			absent := slices.Contains([]diag.Code{
				diag.GPUUnknown, diag.GPUHelperMissing, diag.GPUHelperNoCgo, diag.GPULibraryMissing, diag.GPUDriverNotLoaded, diag.GPUNone,
			}, p.Code)
			if want := map[bool]diag.Severity{true: diag.Notice, false: diag.Warning}[absent]; p.Severity != want {
				t.Errorf("%s: %s, want %s", p.Code, p.Severity, want)
			}
		}
	}
	c := card()
	c.ComputeMode, c.RecoveryAction = "PROHIBITED", "NODE_REBOOT"
	c.RowRemap, c.Fabric = &facts.GPURemap{Failed: true}, &facts.GPUFabric{State: "NOT_STARTED"}
	if got := gpu.Judge(gpus(c), requirement.GPU{}); len(got) == 0 || len(diag.Errors(got)) > 0 {
		t.Error(codes(got))
	}
}

func TestGPU_MissingDriverIsDistinguishedByItsNodes(t *testing.T) {
	look := func(module string, control facts.NodeState) facts.GPULook {
		return facts.GPULook{
			Kind: facts.DriverNotLoaded, Module: module, Control: facts.DeviceNode{State: control},
			NVML: &facts.NVML{Outcome: "ERROR_DRIVER_NOT_LOADED", LibraryVersion: "12.550.163.01"},
		}
	}
	for _, c := range []struct {
		look facts.GPULook
		code diag.Code
		say  string
		wait bool
	}{
		{look("", facts.NodeMissing), diag.GPUDriverNotLoaded, "is not loaded\nmodprobe nvidia", true},
		{look("", facts.NodeUnknown), diag.GPUDriverNotLoaded, "is not loaded\nmodprobe nvidia", true}, // a node without a driver: ENXIO
		{look("550.163.01", facts.NodeUnknown), diag.GPUDriverNotLoaded, "is not loaded\nmodprobe nvidia", true},
		{look("550.163.01", facts.NodeMissing), diag.GPUDriverNotLoaded, "nodes are missing\nnvidia-modprobe -c=0", true},
		{look("550.163.01", facts.NodeDenied), diag.GPUPermission, "DeviceAllow", false},
	} {
		got := gpu.Judge(c.look, requirement.GPU{Needed: true})
		said := got[0].Message + "\n" + got[0].Fix.String()
		if got[0].Code != c.code || !strings.Contains(said, c.say) || (gpu.MayCome(c.look) != "") != c.wait {
			t.Errorf("%+v: %+v", c.look, got)
		}
		findings.Sound(t, got[0])
	}
}

func TestGPU_OnlyALateDriverIsAwaited(t *testing.T) {
	for kind := facts.GPUUnknown; kind < facts.GPUAnswered; kind++ {
		if got := gpu.MayCome(facts.GPULook{Kind: kind}); (got != "") != (kind == facts.DriverNotLoaded) {
			t.Errorf("%d: %q", kind, got)
		}
	}
	l := gpus(card())
	for state, want := range map[facts.NodeState]bool{
		facts.NodeMissing: true, facts.NodeUnknown: true, facts.NodeOpens: false, facts.NodeDenied: false,
	} {
		if l.UVM.State = state; (gpu.MayCome(l) != "") != want {
			t.Errorf("nvidia-uvm %d: %v", state, !want)
		}
	}
}

func TestGPU_AreJudgedByTheRequirement(t *testing.T) {
	off := false
	clients := func(n int) *facts.GPUClients { c := make(facts.GPUClients, n); return &c }
	type world struct {
		card *facts.GPU
		look *facts.GPULook
		req  *requirement.GPU
	}
	for name, c := range map[string]struct {
		change func(world)
		want   []string
	}{
		"all is well":                    {func(world) {}, nil},
		"too few":                        {func(w world) { w.req.MinCount = 2 }, []string{"error GPU-COUNT"}},
		"as many as needed":              {func(w world) { w.req.MinCount = 1 }, nil},
		"lost":                           {func(w world) { w.card.Unanswered = map[string]string{"handle": "ERROR_GPU_IS_LOST"} }, []string{"error GPU-FAILED"}},
		"lost while it was asked":        {func(w world) { w.card.Unanswered = map[string]string{"memory": "ERROR_GPU_IS_LOST"} }, []string{"error GPU-FAILED"}},
		"prohibited":                     {func(w world) { w.card.ComputeMode = "PROHIBITED" }, []string{"error GPU-PROHIBITED"}},
		"shared under MPS":               {func(w world) { w.card.ComputeMode = "DEFAULT" }, []string{"notice GPU-SHARED"}},
		"shared without MPS":             {func(w world) { w.card.ComputeMode = "DEFAULT"; *w.req = requirement.GPU{Needed: true} }, nil},
		"exclusive without MPS":          {func(w world) { *w.req = requirement.GPU{Needed: true} }, []string{"warning GPU-EXCLUSIVE"}},
		"exclusive for another instance": {func(w world) { *w.req = requirement.GPU{Needed: true, Clients: 1} }, nil},
		"compute mode is not known":      {func(w world) { w.card.ComputeMode = "" }, nil},
		"MIG":                            {func(w world) { w.card.MIG = &facts.GPUMIG{Current: true, Pending: true} }, []string{"error GPU-MIG"}},
		"MIG after a reset":              {func(w world) { w.card.MIG = &facts.GPUMIG{Pending: true} }, []string{"warning GPU-MIG"}},
		"MIG that is allowed": {func(w world) {
			w.card.MIG, w.req.MIG = &facts.GPUMIG{Current: true, Pending: true}, true
		}, nil},
		"MIG without MPS": {func(w world) {
			w.card.MIG, *w.req = &facts.GPUMIG{Current: true}, requirement.GPU{Needed: true, Clients: 1}
		}, nil},
		"a card without MIG":               {func(w world) { w.card.MIG = nil }, nil},
		"persistence is not known":         {func(w world) { w.card.Persistence = nil }, nil},
		"persistence off":                  {func(w world) { w.card.Persistence = &off }, []string{"notice GPU-PERSISTENCE"}},
		"no nvidia-uvm":                    {func(w world) { w.look.UVM.State = facts.NodeMissing }, []string{"error GPU-UVM-MISSING"}},
		"no module behind nvidia-uvm":      {func(w world) { w.look.UVM = facts.DeviceNode{Detail: "ENXIO"} }, []string{"error GPU-UVM-MISSING"}},
		"nvidia-uvm is closed":             {func(w world) { w.look.UVM = facts.DeviceNode{State: facts.NodeDenied, Detail: "EACCES"} }, []string{"error GPU-PERMISSION"}},
		"47 clients on Ada":                {func(w world) { w.card.MPSProcesses = clients(47) }, nil},
		"48 clients on Ada":                {func(w world) { w.card.MPSProcesses = clients(48) }, []string{"error GPU-MPS-CLIENTS"}},
		"48 clients with CUDA 13.1":        {func(w world) { w.card.MPSProcesses, w.look.NVML.CUDAVersion = clients(48), "13.1" }, nil},
		"60 clients with CUDA 13.1":        {func(w world) { w.card.MPSProcesses, w.look.NVML.CUDAVersion = clients(60), "13.1" }, []string{"error GPU-MPS-CLIENTS"}},
		"48 clients with CUDA 13.0":        {func(w world) { w.card.MPSProcesses, w.look.NVML.CUDAVersion = clients(48), "13.0" }, []string{"error GPU-MPS-CLIENTS"}},
		"48 clients with CUDA 14.0":        {func(w world) { w.card.MPSProcesses, w.look.NVML.CUDAVersion = clients(48), "14.0" }, nil},
		"48 clients with an odd CUDA":      {func(w world) { w.card.MPSProcesses, w.look.NVML.CUDAVersion = clients(48), "x.9" }, []string{"error GPU-MPS-CLIENTS"}},
		"16 clients on Volta":              {func(w world) { w.card.MPSProcesses, w.card.ComputeCapability = clients(16), "7.0" }, nil},
		"clients of an odd generation":     {func(w world) { w.card.MPSProcesses, w.card.ComputeCapability = clients(99), "x.1" }, nil},
		"clients of half a generation":     {func(w world) { w.card.MPSProcesses, w.card.ComputeCapability = clients(99), "9.x" }, nil},
		"16 clients on Pascal":             {func(w world) { w.card.MPSProcesses, w.card.ComputeCapability = clients(16), "6.1" }, []string{"error GPU-MPS-CLIENTS"}},
		"clients of an unknown generation": {func(w world) { w.card.MPSProcesses, w.card.ComputeCapability = clients(99), "" }, nil},
		"49 instances on Ada":              {func(w world) { w.req.Clients = 49 }, []string{"warning GPU-MPS-CLIENTS"}},
		"17 instances on Pascal":           {func(w world) { w.req.Clients, w.card.ComputeCapability = 17, "6.1" }, []string{"warning GPU-MPS-CLIENTS"}},
		"60 instances with CUDA 13.1":      {func(w world) { w.req.Clients, w.look.NVML.CUDAVersion = 60, "13.1" }, nil},
		"a limit above the card":           {func(w world) { w.req.Limit, w.req.Limits = 25<<30, 25<<30 }, []string{"error GPU-MEMORY-LIMIT"}},
		"a limit as large as the card":     {func(w world) { w.req.Limit, w.req.Limits, w.card.Memory.Free = 24<<30, 24<<30, 24<<30 }, nil},
		"limits above the card together":   {func(w world) { w.req.Limits = math.MaxUint64 }, []string{"warning GPU-MEMORY-LIMIT"}},
		"limits of other instances":        {func(w world) { w.req.Limit, w.req.Limits = 0, math.MaxUint64 }, []string{"warning GPU-MEMORY-LIMIT"}},
		"less is free than the limit":      {func(w world) { w.card.Memory.Free = 3 << 30 }, []string{"warning GPU-MEMORY-FREE"}},
		"less is free on a host that runs": {func(w world) { w.card.Memory.Free, w.req.Starting = 3<<30, false }, nil},
		"memory that is not known":         {func(w world) { w.card.Memory = nil }, []string{"notice GPU-MEMORY-LIMIT"}},
		"nothing to recover":               {func(w world) { w.card.RecoveryAction = "NONE" }, nil},
		"to be reset":                      {func(w world) { w.card.RecoveryAction = "GPU_RESET" }, []string{"error GPU-RECOVERY"}},
		"to be reset, of one needed":       {func(w world) { w.card.RecoveryAction, w.req.MinCount = "GPU_RESET", 1 }, []string{"error GPU-COUNT", "error GPU-RECOVERY"}},
		"a reboot":                         {func(w world) { w.card.RecoveryAction = "NODE_REBOOT" }, []string{"error GPU-RECOVERY"}},
		"a bus reset":                      {func(w world) { w.card.RecoveryAction = "BUS_RESET" }, []string{"error GPU-RECOVERY"}},
		"to be drained":                    {func(w world) { w.card.RecoveryAction = "DRAIN_AND_RESET" }, []string{"warning GPU-RECOVERY"}},
		"peers to be drained":              {func(w world) { w.card.RecoveryAction = "DRAIN_P2P" }, []string{"warning GPU-RECOVERY"}},
		"IMEX to be recovered":             {func(w world) { w.card.RecoveryAction = "RECOVER_IMEX_DOMAIN" }, []string{"warning GPU-RECOVERY"}},
		"an unknown action":                {func(w world) { w.card.RecoveryAction = "recovery action 9\x1b" }, []string{"error GPU-RECOVERY"}},
		"rows in order":                    {func(w world) { w.card.RowRemap = &facts.GPURemap{} }, nil},
		"a row is pending":                 {func(w world) { w.card.RowRemap = &facts.GPURemap{Pending: true} }, []string{"warning GPU-REMAP-PENDING"}},
		"a row failed":                     {func(w world) { w.card.RowRemap = &facts.GPURemap{Failed: true} }, []string{"error GPU-REMAP-FAILED"}},
		"a row failed, another is pending": {func(w world) { w.card.RowRemap = &facts.GPURemap{Failed: true, Pending: true} }, []string{"error GPU-REMAP-FAILED", "warning GPU-REMAP-PENDING"}},
		"the fabric is complete":           {func(w world) { w.card.Fabric = &facts.GPUFabric{State: "COMPLETED", Status: "SUCCESS"} }, nil},
		"the fabric is not started":        {func(w world) { w.card.Fabric = &facts.GPUFabric{State: "NOT_STARTED"} }, []string{"error GPU-FABRIC"}},
		"the fabric failed":                {func(w world) { w.card.Fabric = &facts.GPUFabric{State: "COMPLETED", Status: "ERROR_UNKNOWN"} }, []string{"warning GPU-FABRIC"}},
		"health is not supported": {func(w world) {
			w.card.Unanswered = map[string]string{"recovery_action": "not supported", "row_remap": "not supported", "fabric": "not supported"}
		}, nil},
		"health is not answered": {func(w world) {
			w.card.Unanswered = map[string]string{"recovery_action": "ERROR_UNKNOWN", "row_remap": "ERROR_NO_PERMISSION", "fabric": "the library has no nvmlDeviceGetGpuFabricInfo"}
		}, nil},
		"no limits and no memory": {func(w world) { w.card.Memory, w.req.Limit, w.req.Limits = nil, 0, 0 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l, w := gpus(card()), underMPS()
			c.change(world{&l.NVML.GPUs[0], &l, &w})
			got := gpu.Judge(l, w)
			if !slices.Equal(codes(got), c.want) {
				t.Errorf("%q, want %q", codes(got), c.want)
			}
			for _, p := range got {
				findings.Sound(t, p)
			}
		})
	}
}

func TestGPU_ErrorsOfASpareGPUAreWarnings(t *testing.T) {
	for name, spoil := range map[string]func(*facts.GPU){
		"warning GPU-MIG":          func(g *facts.GPU) { g.MIG = &facts.GPUMIG{Current: true, Pending: true} },
		"warning GPU-FAILED":       func(g *facts.GPU) { g.Unanswered = map[string]string{"handle": "ERROR_GPU_IS_LOST"} },
		"warning GPU-RECOVERY":     func(g *facts.GPU) { g.RecoveryAction = "GPU_RESET" },
		"warning GPU-REMAP-FAILED": func(g *facts.GPU) { g.RowRemap = &facts.GPURemap{Failed: true} },
		// CUDA fails on every GPU while one is not registered.
		"error GPU-FABRIC": func(g *facts.GPU) { g.Fabric = &facts.GPUFabric{State: "IN_PROGRESS"} },
	} {
		bad := card()
		spoil(&bad)
		if got := codes(gpu.Judge(gpus(card(), bad), underMPS())); !slices.Equal(got, []string{name}) {
			t.Errorf("%q, want %s", got, name)
		}
	}
}

func TestGPU_AssignedGPUIsRequired(t *testing.T) {
	const second = "GPU-0a0b0c0d-1111-2222-3333-444455556666"
	for name, c := range map[string]struct {
		given []string
		spoil func(*facts.GPU) // the second
		want  []string
	}{
		"the other one is to be reset": {[]string{"0"}, func(g *facts.GPU) { g.RecoveryAction = "GPU_RESET" }, []string{"warning GPU-RECOVERY"}},
		"it is to be reset":            {[]string{"1"}, func(g *facts.GPU) { g.RecoveryAction = "GPU_RESET" }, []string{"error GPU-RECOVERY"}},
		"by UUID":                      {[]string{second}, func(g *facts.GPU) { g.RowRemap = &facts.GPURemap{Failed: true} }, []string{"error GPU-REMAP-FAILED"}},
		"both, and one is lost":        {[]string{uuid, second}, func(g *facts.GPU) { g.Unanswered = map[string]string{"name": "ERROR_GPU_IS_LOST"} }, []string{"error GPU-FAILED"}},
		"the other one is lost":        {[]string{uuid}, func(g *facts.GPU) { g.Unanswered = map[string]string{"name": "ERROR_GPU_IS_LOST"} }, []string{"warning GPU-FAILED"}},
		"the other one is prohibited":  {[]string{"0"}, func(g *facts.GPU) { g.ComputeMode = "PROHIBITED" }, []string{"warning GPU-PROHIBITED"}},
		"it is prohibited":             {[]string{"1"}, func(g *facts.GPU) { g.ComputeMode = "PROHIBITED" }, []string{"error GPU-PROHIBITED"}},
		"it does not exist":            {[]string{"0", "2"}, func(*facts.GPU) {}, []string{"error GPU-NOT-LISTED"}},
		"a MIG instance":               {[]string{"MIG-" + uuid[4:]}, func(*facts.GPU) {}, nil},
	} {
		g := card()
		g.Index, g.UUID = 1, second
		c.spoil(&g)
		w := underMPS()
		w.Visible = c.given
		got := gpu.Judge(gpus(card(), g), w)
		if !slices.Equal(codes(got), c.want) {
			t.Errorf("%s: %q, want %q", name, codes(got), c.want)
		}
		for _, p := range got {
			findings.Sound(t, p)
		}
	}
}

func TestGPU_NoFixDestroysTheMIGInstancesOfOthers(t *testing.T) {
	for _, mig := range []facts.GPUMIG{{Current: true}, {Pending: true}, {Current: true, Pending: true}} {
		c := card()
		c.MIG = &mig
		for _, p := range gpu.Judge(gpus(c), underMPS()) {
			for _, command := range p.Fix.Commands {
				if command[0] == "nvidia-smi" {
					t.Errorf("%+v: %s", mig, p.Fix.String())
				}
			}
			if !strings.Contains(p.Fix.Advice, "mps.mig = true") {
				t.Errorf("%+v: %s", mig, p.Fix.String())
			}
		}
	}
}

func TestGPU_FixNamesOnlyTheGPU(t *testing.T) {
	for id, want := range map[string]string{
		uuid:                "nvidia-smi -i " + uuid + " -c EXCLUSIVE_PROCESS",
		"":                  "nvidia-smi -i 0 -c EXCLUSIVE_PROCESS",
		"GPU-1; rm -rf /":   "nvidia-smi -i 0 -c EXCLUSIVE_PROCESS",
		"GPU-":              "nvidia-smi -i 0 -c EXCLUSIVE_PROCESS",
		"MIG-5a5c3a3c-1111": "nvidia-smi -i 0 -c EXCLUSIVE_PROCESS",
	} {
		c := card()
		c.UUID, c.ComputeMode = id, "DEFAULT"
		if got := gpu.Judge(gpus(c), underMPS()); len(got) != 1 || got[0].Fix.String() != want {
			t.Errorf("%q: %+v", id, got)
		}
	}
}

func TestGPU_StateIsShort(t *testing.T) {
	for want, l := range map[string]facts.GPULook{
		"1 GPU, driver 550.163.01, CUDA 12.4":  gpus(card()),
		"2 GPUs, driver 550.163.01, CUDA 12.4": gpus(card(), card()),
		"the NVIDIA driver is not loaded":      {Kind: facts.DriverNotLoaded},
		"the GPU could not be queried":         {},
	} {
		if got := gpu.Summary(l); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The evidence and the fix of each finding.
func TestGPU_EvidenceAndFix(t *testing.T) {
	asks := func(action string) facts.GPULook {
		c := card()
		c.RecoveryAction = action
		return gpus(c)
	}
	mig := func(now, then bool) facts.GPULook {
		c := card()
		c.MIG = &facts.GPUMIG{Current: now, Pending: then}
		return gpus(c)
	}
	answered := func(kind facts.GPUKind, outcome string) facts.GPULook {
		return facts.GPULook{Kind: kind, NVML: &facts.NVML{Outcome: outcome, LibraryVersion: "12.550"}}
	}
	unknown, pascal := card(), card()
	unknown.ComputeCapability, pascal.ComputeCapability = "", "6.1"
	second := card()
	second.Index = 1
	for name, c := range map[string]struct {
		look facts.GPULook
		has  string
		not  string
	}{
		"NVML's own error":        {answered(facts.DriverMismatch, "ERROR_LIB_RM_VERSION_MISMATCH"), "NVML: ERROR_LIB_RM_VERSION_MISMATCH, library 12.550", "not loaded"},
		"no NVML to ask":          {answered(facts.HelperNoCgo, facts.NVMLNoCgo), "library", "NVML: "},
		"a driver that is absent": {answered(facts.DriverNotLoaded, "ERROR_DRIVER_NOT_LOADED"), "kernel module not loaded", ""},
		"an IMEX domain":          {asks("RECOVER_IMEX_DOMAIN"), "nvidia-imex.service", "--gpu-reset"},
		"a drain":                 {asks("DRAIN_AND_RESET"), "--gpu-reset", "nvidia-imex.service"},
		"a reset":                 {asks("GPU_RESET"), "--gpu-reset", "reboot"},
		"a reboot":                {asks("NODE_REBOOT"), "systemctl reboot", "documentation"},
		"another action":          {asks("BUS_RESET"), "documentation", "--gpu-reset"},
		"MIG":                     {mig(true, true), "MIG is enabled", "reset"},
		"MIG until a reset":       {mig(true, false), "MIG enabled, after a reset disabled", "will be"},
		"MIG after a reset":       {mig(false, true), "MIG will be enabled", "MIG is enabled"},
		"the smallest cap":        {gpus(pascal, card(), unknown), "at most 16 clients", "48"},
		"the first of two equals": {gpus(card(), second), "gpu 0", "gpu 1"},
	} {
		w := underMPS()
		w.Clients = 49
		var all strings.Builder
		for _, p := range gpu.Judge(c.look, w) {
			all.WriteString(strings.Join([]string{p.Subject, p.Message, p.Seen, p.Expected, p.Fix.String(), ""}, "\n"))
		}
		if got := all.String(); !strings.Contains(got, c.has) || c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%s: without %q, or with %q:\n%s", name, c.has, c.not, got)
		}
	}
	if got := gpu.Summary(answered(facts.DriverMismatch, "ERROR_LIB_RM_VERSION_MISMATCH")); strings.Contains(got, "0 GPUs") {
		t.Error(got)
	}
}
