// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"justnews/internal/diag"
)

// mpsLimits rejects limits that nothing would enforce.
func (s *state) mpsLimits(c *Config, in *Instance) {
	if in.MPS.Enabled {
		s.aboveDefault(c, in)
		return
	}
	for _, key := range [...]string{"memory", "threads", "priority", "partition"} {
		path := []string{"instances", in.Name, "mps", key}
		v, ok := s.written(path...)
		if !ok || v == "" {
			continue
		}
		s.fail(diag.ConfigConflict, path, atKey, dotted(path)+" limits an instance for which MPS is disabled",
			seenOf(v), "mps.enabled = true for that instance", "add enabled = true to the same table, or remove the limit")
	}
}

// memory adds up, for each GPU, the limits of all instances with MPS, the daemon's
// default for one without a limit of its own. Instances without either are
// unlimited and not counted.
func (s *state) memory(c *Config) {
	if c.GPU.Memory == 0 {
		return
	}
	sums, terms := map[string]uint64{}, map[string][]string{}
	for _, in := range c.Instances {
		if !in.MPS.Enabled {
			continue
		}
		for gpu, l := range c.LimitOn(in) {
			sums[gpu] = addSizes(sums[gpu], l.Bytes)
			terms[gpu] = append(terms[gpu], in.Name+" "+l.Size)
		}
	}
	gpus := slices.SortedFunc(maps.Keys(sums), compareGPUs)
	for _, gpu := range gpus {
		sum, on := sums[gpu], ""
		if gpu != "0" || len(gpus) > 1 {
			on = " on GPU " + gpu
		}
		if sum > c.GPU.Memory {
			s.fail(diag.ConfigMemory, []string{"gpu", "memory"}, atValue,
				fmt.Sprintf("the memory limits of the instances%s add up to %s, gpu.memory is %s: %s too much", on, formatSize(sum), formatSize(c.GPU.Memory), formatSize(sum-c.GPU.Memory)),
				strings.Join(terms[gpu], " + ")+" = "+formatSize(sum), "at most "+formatSize(c.GPU.Memory), "lower mps.memory of some instances, or correct gpu.memory")
		}
	}
}

// aboveDefault rejects a limit above the daemon's default: a client can only
// lower that (NVIDIA, Multi-Process Service), so the limit would have no
// effect.
func (s *state) aboveDefault(c *Config, in *Instance) {
	const expected, fix = "at most the daemon's default", "lower it, or raise "
	path := []string{"instances", in.Name, "mps", "memory"}
	for _, l := range in.MPS.Memory.Each() {
		for _, d := range c.MPS.DefaultMemory.Each() {
			if l.Bytes > d.Bytes && firstOf(l.GPU, in.MPS.Seen) == firstOf(d.GPU, c.MPS.Devices) {
				s.fail(diag.ConfigConflict, path, atValue,
					fmt.Sprintf("%s is %s%s, above mps.default_memory, which is %s: a client can only lower it", dotted(path), l.Size, onGPU(l.GPU), d.Size),
					quote(l.Size), expected, fix+"mps.default_memory")
			}
		}
	}
	path = []string{"instances", in.Name, "mps", "threads"}
	if d := c.MPS.DefaultThreads; d > 0 && in.MPS.Threads > d {
		s.fail(diag.ConfigConflict, path, atValue,
			fmt.Sprintf("%s is %d, above mps.default_threads, which is %d: a client can only lower it", dotted(path), in.MPS.Threads, d),
			strconv.Itoa(in.MPS.Threads), expected, fix+"mps.default_threads")
	}
}

func onGPU(gpu string) string {
	if gpu == "" {
		return ""
	}
	return " on GPU " + gpu
}

// clients compares the number of instances with the clients that the GPU
// supports; any further client gets CUDA error 808. Each instance is at least
// one client.
func (s *state) clients(c *Config) {
	names, path := c.MPSInstances(), []string{"mps", "max_clients"}
	if len(names) <= c.MPS.MaxClients || s.isBad(path) {
		return
	}
	if !s.isWritten(path...) { // report it at the first instance above the limit
		path = []string{"instances", names[c.MPS.MaxClients]}
	}
	s.fail(diag.ConfigConflict, path, atKey,
		fmt.Sprintf("%d instances use MPS, but the GPU supports %d clients (mps.max_clients)", len(names), c.MPS.MaxClients),
		strconv.Itoa(len(names)), fmt.Sprintf("at most %d instances with MPS", c.MPS.MaxClients),
		"disable MPS for some instances, or correct mps.max_clients (16 before Volta, 48 from Volta on, 60 with CUDA 13.1)")
}

// users rejects clients of two users: the server of one makes clients of the
// other wait without a message.
func (s *state) users(c *Config) {
	first := -1
	for i := range c.Instances {
		in := &c.Instances[i]
		if !in.MPS.Enabled {
			continue
		}
		if first < 0 {
			first = i
			continue
		}
		one := &c.Instances[first]
		if in.Service.User == one.Service.User {
			continue
		}
		path, seen := []string{"instances", in.Name, "service", "user"}, in.Service.User
		if !s.isWritten(path...) {
			path, seen = []string{"instances", one.Name, "service", "user"}, one.Service.User
		}
		s.fail(diag.ConfigConflict, path, atValue,
			fmt.Sprintf("%s and %s use MPS as different users, %s and %s, but a server serves one user at a time", one.Name, in.Name, one.Service.User, in.Service.User),
			quote(seen), "one user for all instances with MPS", "give "+one.Name+" and "+in.Name+" the same service.user, or disable MPS for one")
		return
	}
}
