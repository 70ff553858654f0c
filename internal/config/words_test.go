// SPDX-License-Identifier: Apache-2.0

package config

import "testing"

func TestSchema_ServiceKeysTakeTheirValues(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"user", "justnews", `"justnews"`}, {"user", "1000", ""}, {"working_directory", "/srv", `"/srv"`}, {"working_directory", "srv", ""},
		{"limit_nofile", "1024", "1024"}, {"limit_nofile", "0", ""}, {"limit_nofile", "infinity", ""},
		{"restart_sec", "3", `"3s"`}, {"restart_sec", "5min", `"5min"`}, {"restart_sec", "0", ""}, {"restart_sec", "soon", ""},
		{"memory_max", "8G", `"8G"`}, {"memory_max", "infinity", `"infinity"`}, {"memory_max", "1.5G", ""},
		{"protect_home", "tmpfs", `"tmpfs"`}, {"protect_home", "maybe", ""}, {"exec", "/bin/true", ""},
	} {
		toml, ok := ServiceKey(c.key, c.value)
		if ok != (c.want != "") || ok && toml != c.want {
			t.Errorf("%s = %s: %s, %v", c.key, c.value, toml, ok)
		}
	}
}

func TestVariable_ReservedNamesAreRefused(t *testing.T) {
	for name, want := range map[string]bool{
		"LOG_LEVEL": true, "_x1": true, "": false, "1A": false, "A-B": false, "AGENT_MODEL_MAP": false, "CUDA_MPS_X": false, "SYSTEMD_LOG_LEVEL": false, "NOTIFY_SOCKET": false,
	} {
		if Variable(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
