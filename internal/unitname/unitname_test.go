// SPDX-License-Identifier: Apache-2.0

package unitname_test

import (
	"testing"

	"justnews/internal/unitname"
)

func TestUnitName_OfAndInstanceAreInverse(t *testing.T) {
	for _, instance := range []string{"scout", "gpu_orchestrator", "a"} {
		if got := unitname.Instance(unitname.Of(instance)); got != instance {
			t.Errorf("%q came back as %q", instance, got)
		}
	}
	for _, unit := range []string{"", "justnews.target", unitname.Preload, unitname.Template, "justnews@scout", "justnews@scout.socket", "xjustnews@scout.service"} {
		if got := unitname.Instance(unit); got != "" {
			t.Errorf("%q is the unit of %q", unit, got)
		}
	}
	if got := unitname.Of(""); got != "" {
		t.Errorf("no instance has the unit %q", got)
	}
}

func TestUnitName_InIsTheFirstInstanceThatATextNames(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "scout": "", "justnews@scout": "", "justnews@.service": "",
		"justnews@scout.service and justnews@memory.service": "scout",
		"/etc/systemd/system/justnews@scout.service.d/x":     "scout",
		"justnews@service.service":                           "service",
	} {
		if got := unitname.In(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
