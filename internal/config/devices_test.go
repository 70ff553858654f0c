// SPDX-License-Identifier: Apache-2.0

package config

import "testing"

func TestDevices_LimitsUseTheIndexThatAProgramSees(t *testing.T) {
	for name, c := range map[string]struct {
		memory Memory
		seen   []string
		want   string
	}{
		"none":                              {"", nil, ""},
		"the first GPU":                     {"4G", nil, "0=4G"},
		"the first of a list":               {"4G", []string{"3", "1"}, "0=4G"},
		"by index":                          {"0=4G,1=8G", nil, "0=4G,1=8G"},
		"by index, in a list":               {"1=4G,3=8G", []string{"3", "1"}, "0=8G,1=4G"},
		"by UUID":                           {"GPU-a=4G,GPU-b=8G", []string{"GPU-b", "GPU-c", "GPU-a"}, "0=8G,2=4G"},
		"ten and more are numbers, no text": {"10=1G,2=2G", nil, "2=2G,10=1G"},
	} {
		if got := (InstanceMPS{Memory: c.memory, Seen: c.seen}).Variable(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDevices_NamesOfGPUs(t *testing.T) {
	const uuid = "5a5c3a3c-1111-2222-3333-444455556666"
	for name, want := range map[string]bool{
		"0": true, "9": true, "10": true, "99": true, "100": false, "00": false, "01": false, "-1": false, "": false, "x": false,
		"GPU-" + uuid: true, "MIG-" + uuid: true, uuid: false, "GPU-": false, "GPU-" + uuid + "0": false, "GPU-" + uuid + "-1": false,
		"GPU-5A5C3A3C-1111-2222-3333-444455556666": false, "GPU-" + uuid[1:]: false, "GPU-GPU-" + uuid: false, "GPU-" + uuid + ",1": false,
	} {
		if gpuName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
