// SPDX-License-Identifier: Apache-2.0

package requirement

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGPU_RequirementsOfEachInstance(t *testing.T) {
	const withMPS = instances + `mps = { enabled = true, memory = "4G" }
[instances.analyst]
port = 8004
mps = { enabled = true, memory = "6G" }
[instances.archive]
port = 8012
enabled = false
mps = { enabled = true, memory = "8G" }
`
	for name, c := range map[string]struct {
		toml           string
		instance, host GPU
	}{
		"none is required": {instances, GPU{Patience: time.Minute, Starting: true}, GPU{Patience: time.Minute}},
		"gpu.min_count needs it for everybody": {
			"[gpu]\nmin_count = 2\n" + instances,
			GPU{Needed: true, MinCount: 2, Patience: time.Minute, Starting: true}, GPU{Needed: true, MinCount: 2, Patience: time.Minute},
		},
		"MPS needs it, and instances that are switched off do not count": {
			withMPS,
			GPU{Needed: true, MPS: true, Patience: time.Minute, Limit: 4 << 30, Limits: 10 << 30, Clients: 2, Starting: true},
			GPU{Needed: true, MPS: true, Patience: time.Minute, Limit: 6 << 30, Limits: 10 << 30, Clients: 2},
		},
	} {
		cfg := load(t, c.toml)
		w, problems := ForInstance(cfg, "scout", environment(), Flags{})
		if len(problems) > 0 || cmp.Diff(c.instance, w.GPU) != "" {
			t.Errorf("%s: %+v, %v", name, w.GPU, problems)
		}
		h, problems := ForHost(cfg, environment(), Flags{})
		if len(problems) > 0 || cmp.Diff(c.host, h.GPU) != "" {
			t.Errorf("%s: host %+v, %v", name, h.GPU, problems)
		}
	}
	several := load(t, instances+`gpus = ["1"]
mps = { enabled = true, memory = "4G" }
[instances.analyst]
port = 8004
mps = { enabled = true, memory = { 0 = "6G", 1 = "3G" } }
`)
	w, _ := ForInstance(several, "analyst", environment(), Flags{})
	if w.GPU.Limit != 6<<30 || w.GPU.Limits != 7<<30 { // 6 on GPU 0, 4 and 3 on GPU 1
		t.Errorf("several GPUs: %+v", w.GPU)
	}
	if w, _ = ForInstance(several, "scout", environment(), Flags{}); w.VisibleDevices != "1" || !slices.Equal(w.GPU.Visible, []string{"1"}) {
		t.Errorf("%q %q", w.VisibleDevices, w.GPU.Visible)
	}
	bus, _ := ForInstance(load(t, withMPS), "mcp_bus", environment(), Flags{})
	if bus.GPU.Needed || bus.GPU.MPS || bus.GPU.Limit != 0 || bus.GPU.Clients != 2 {
		t.Errorf("an instance without MPS: %+v", bus.GPU)
	}
}
