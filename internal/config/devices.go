// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/lists"
)

// Memory is a memory limit of MPS: "4G" for the first GPU that a program sees, or
// limits by GPU, "0=4G,1=8G", sorted. A GPU is named by its index or its UUID, as
// in Instance.GPUs.
type Memory string

// Limit is the limit of one GPU.
type Limit struct {
	GPU   string // index or UUID, "": the first that a program sees
	Size  string // "4G"
	Bytes uint64
}

// Each returns the limits, one for each GPU.
func (m Memory) Each() []Limit {
	if m == "" {
		return nil
	}
	var all []Limit
	for part := range strings.SplitSeq(string(m), ",") {
		gpu, size, found := strings.Cut(part, "=")
		if !found {
			gpu, size = "", part
		}
		bytes, _ := parseSize(size)
		all = append(all, Limit{gpu, size, bytes})
	}
	return all
}

// ByOrdinal returns the limits as MPS counts: by the position of the GPU among
// those that a program sees, in that order. seen is nil where a program sees every
// GPU of the host; then an index is the position.
func (m Memory) ByOrdinal(seen []string) []Limit {
	all := m.Each()
	for i := range all {
		if at := slices.Index(seen, all[i].GPU); at >= 0 {
			all[i].GPU = strconv.Itoa(at)
		}
		all[i].GPU = cmp.Or(all[i].GPU, "0")
	}
	slices.SortFunc(all, func(a, b Limit) int { return compareGPUs(a.GPU, b.GPU) })
	return all
}

// Variable is CUDA_MPS_PINNED_DEVICE_MEM_LIMIT, "" without a limit. It takes no
// UUIDs (observed by NVIDIA/k8s-device-plugin, which writes indexes for this
// reason), so they are translated.
func (m InstanceMPS) Variable() string {
	return strings.Join(lists.Map(m.Memory.ByOrdinal(m.Seen), func(l Limit) string { return l.GPU + "=" + l.Size }), ",")
}

func memoryOf(v any) (Memory, bool) {
	switch v := v.(type) {
	case string:
		return Memory(v), true
	case map[string]any:
		var parts []string
		for _, gpu := range slices.SortedFunc(maps.Keys(v), compareGPUs) {
			size, ok := v[gpu].(string)
			if !ok {
				return "", false
			}
			parts = append(parts, gpu+"="+size)
		}
		return Memory(strings.Join(parts, ",")), true
	}
	return "", false
}

// compareGPUs sorts indexes by number, before UUIDs.
func compareGPUs(a, b string) int {
	if isIndex(a) && isIndex(b) {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}
	return cmp.Compare(a, b)
}

func isIndex(gpu string) bool { return gpu != "" && only(gpu, digit) }

// gpuName is an index as nvidia-smi has it, or the UUID of a GPU or MIG instance.
func gpuName(s string) bool {
	if isIndex(s) {
		return len(s) <= 2 && (s == "0" || s[0] != '0')
	}
	rest, ok := strings.CutPrefix(s, "GPU-")
	if !ok {
		rest, ok = strings.CutPrefix(s, "MIG-")
	}
	groups := strings.Split(rest, "-")
	for i, length := range [...]int{8, 4, 4, 4, 12} {
		if len(groups) != 5 || len(groups[i]) != length || !only(groups[i], func(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' }) {
			return false
		}
	}
	return ok
}

// partition is the name of a static partition: the (partial) UUID of its GPU, and
// what the daemon called it.
func partition(s string) bool {
	gpu, name, found := strings.Cut(s, "/")
	uuid, ok := strings.CutPrefix(gpu, "GPU-")
	hexOrDash := func(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' || c == '-' }
	return found && ok && uuid != "" && len(uuid) <= 64 && only(uuid, hexOrDash) &&
		name != "" && len(name) <= 200 && only(name, func(c byte) bool { return word(c) || strings.IndexByte("+/=-", c) >= 0 })
}

// CountsByIndex reports whether the configuration names GPUs by index, so that CUDA
// and MPS have to count as NVML does: without CUDA_DEVICE_ORDER=PCI_BUS_ID, CUDA
// counts the fastest GPU first.
func (c *Config) CountsByIndex() bool {
	byIndex := func(m Memory) bool {
		return slices.ContainsFunc(m.Each(), func(l Limit) bool { return isIndex(l.GPU) })
	}
	if slices.ContainsFunc(c.MPS.Devices, isIndex) || byIndex(c.MPS.DefaultMemory) {
		return true
	}
	return slices.ContainsFunc(c.Instances, func(i Instance) bool {
		return slices.ContainsFunc(i.GPUs, isIndex) || byIndex(i.MPS.Memory)
	})
}

// VisibleDevices is CUDA_VISIBLE_DEVICES of an instance, "" where it is not set. A
// client of MPS counts the GPUs that the daemon shows (NVIDIA, Multi-Process
// Service, CUDA_VISIBLE_DEVICES), unless they are named by UUID.
func (c *Config) VisibleDevices(i Instance) string {
	list := slices.Clone(i.GPUs)
	for n, gpu := range list {
		if at := slices.Index(c.MPS.Devices, gpu); i.MPS.Enabled && isIndex(gpu) && at >= 0 {
			list[n] = strconv.Itoa(at)
		}
	}
	return strings.Join(list, ",")
}

// LimitOn returns the limit of an instance on each GPU, by its name: its own, or
// the daemon's default.
func (c *Config) LimitOn(i Instance) map[string]Limit {
	on := map[string]Limit{}
	for _, l := range c.MPS.DefaultMemory.Each() {
		if gpu := firstOf(l.GPU, c.MPS.Devices); len(i.MPS.Seen) == 0 || slices.Contains(i.MPS.Seen, gpu) {
			on[gpu] = l
		}
	}
	for _, l := range i.MPS.Memory.Each() {
		on[firstOf(l.GPU, i.MPS.Seen)] = l
	}
	return on
}

// firstOf names the GPU of a limit: without one, the first of a list, or of the
// host.
func firstOf(gpu string, list []string) string {
	if gpu == "" && len(list) > 0 {
		return list[0]
	}
	return cmp.Or(gpu, "0")
}

func (s *state) devices(c *Config) {
	s.namedGPUs([]string{"mps", "devices"}, c.MPS.Devices)
	s.limited([]string{"mps", "default_memory"}, c.MPS.DefaultMemory, c.MPS.Devices, "mps.devices")
	for i := range c.Instances {
		in := &c.Instances[i]
		path := []string{"instances", in.Name, "gpus"}
		s.namedGPUs(path, in.GPUs)
		s.limited([]string{"instances", in.Name, "mps", "memory"}, in.MPS.Memory, in.MPS.Seen, dotted(path))
		if _, both := in.Environment["CUDA_VISIBLE_DEVICES"]; both && len(in.GPUs) > 0 {
			s.fail(diag.ConfigConflict, path, atKey, dotted(path)+" and CUDA_VISIBLE_DEVICES in environment both name the GPUs of "+in.Name,
				strings.Join(in.GPUs, ", "), "one of the two", "remove CUDA_VISIBLE_DEVICES from environment")
		}
		if !in.MPS.Enabled || len(c.MPS.Devices) == 0 {
			continue
		}
		for _, gpu := range in.GPUs {
			if !slices.Contains(c.MPS.Devices, gpu) && !s.isBad(path) {
				s.fail(diag.ConfigConflict, path, atValue, fmt.Sprintf("%s names %s, which is not in mps.devices: MPS does not serve it", dotted(path), gpu),
					quote(gpu), "GPUs of mps.devices, named in the same way", "add it to mps.devices, or remove it")
			}
		}
	}
}

func (s *state) namedGPUs(path, list []string) {
	for n, gpu := range list {
		what := ""
		if slices.Contains(list[:n], gpu) {
			what = "names " + gpu + " twice"
		} else if isIndex(gpu) != isIndex(list[0]) {
			what = "names GPUs by index and by UUID"
		}
		if what != "" && !s.isBad(path) {
			s.fail(diag.ConfigConflict, path, atValue, dotted(path)+" "+what, quote(gpu), "each GPU once, all by index or all by UUID", "correct the list")
			return
		}
	}
}

// limited checks that a limit is for a GPU that the program sees, at a position
// that is known: MPS takes positions only.
func (s *state) limited(path []string, m Memory, seen []string, from string) {
	for _, l := range m.Each() {
		switch {
		case l.GPU == "" || s.isBad(path) || slices.Contains(seen, l.GPU):
		case len(seen) > 0:
			s.fail(diag.ConfigConflict, path, atValue, fmt.Sprintf("%s limits the memory of %s, which is not one of its GPUs", dotted(path), l.GPU),
				quote(l.GPU), "one of "+strings.Join(seen, ", "), "correct it, or "+from)
		case !isIndex(l.GPU):
			s.fail(diag.ConfigConflict, path, atValue, fmt.Sprintf("%s names a GPU by UUID, which is possible only if its GPUs are listed", dotted(path)),
				quote(l.GPU), from+" with the UUIDs of its GPUs", "set "+from)
		}
	}
}
