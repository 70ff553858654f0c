// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"justnews/test/bed"
)

const (
	mpsUnit = "justnews-mps.service"
	pipeDir = "/run/nvidia-mps"
	control = "/usr/bin/nvidia-cuda-mps-control"
)

// mpsConfig lists two instances with MPS, and neither models nor a bus to wait
// for: what is tested here is MPS alone.
func mpsConfig(mps string, instances ...string) string {
	var b strings.Builder
	b.WriteString("[gate]\ntimeout = \"20s\"\n\n[orchestrator]\ninstance = \"\"\n\n[bus]\ninstance = \"\"\n\n[mps]\nenabled = true\n" + mps + "\n\n[service]\nstart_grace = \"20s\"\n\n")
	for i, name := range instances {
		fmt.Fprintf(&b, "[instances.%s]\nport = %d\nrequire_models = false\nrequire_bus = false\n\n", name, 8101+i)
	}
	return b.String()
}

// bootMPS boots a host with NVIDIA's control daemon. No instance waits for the
// preload, which has no orchestrator to ask.
func bootMPS(t testing.TB, suite string, config string, change func(*bed.Tree)) *site {
	t.Helper()
	return boot(t, suite, host{config: config, change: func(tree *bed.Tree) {
		tree.Unpack("non-free", "nvidia-cuda-mps")
		tree.Symlink("/dev/null", "/etc/systemd/system/"+preload)
		tree.WriteFile("/etc/systemd/system/justnews@.service.d/96-no-limit.conf", noLimit)
		if change != nil {
			change(tree)
		}
	}})
}

func seventeen() []string { return slices.Sorted(maps.Keys(ports)) }

func TestSeventeenInstancesStartBehindOneProvenDaemon(t *testing.T) {
	bed.Each(t, func(t *testing.T, suite string) {
		s := bootMPS(t, suite, mpsConfig("", seventeen()...), nil)
		s.WaitUnit(mpsUnit, "active/running")
		s.WaitUnits("active/running", units(seventeen()...)...)
		t.Log(s.Must("justnews-gate", "mps", "status"))
	})
}
