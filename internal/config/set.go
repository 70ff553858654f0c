// SPDX-License-Identifier: Apache-2.0

package config

import (
	"time"

	"justnews/internal/safefile"
)

// The set methods set a field to a decoded value or a default of the schema,
// and return whether there is such a key. A value of the wrong type does not
// change the field.

func (g *Gate) set(name string, v any) bool {
	switch name {
	case "timeout":
		setSpan(&g.Timeout, v)
	case "scope":
		setAs(&g.Scope, v)
	case "refresh_attempts":
		setInt(&g.RefreshAttempts, v)
	case "fail_fast":
		setAs(&g.FailFast, v)
	default:
		return false
	}
	return true
}

func (o *Orchestrator) set(name string, v any) bool {
	switch name {
	case "url":
		setURL(&o.URL, v)
	case "instance":
		setAs(&o.Instance, v)
	case "honor_safe_mode":
		setAs(&o.HonorSafeMode, v)
	default:
		return false
	}
	return true
}

func (b *Bus) set(name string, v any) bool {
	switch name {
	case "url":
		setURL(&b.URL, v)
	case "instance":
		setAs(&b.Instance, v)
	default:
		return false
	}
	return true
}

func (m *Models) set(name string, v any) bool {
	switch name {
	case "root":
		setAs(&m.Root, v)
	case "base_dir":
		setAs(&m.BaseDir, v)
	case "map":
		setAs(&m.Map, v)
	case "strict":
		setAs(&m.Strict, v)
	case "verify":
		setAs(&m.Verify, v)
	case "verify_preload":
		setAs(&m.VerifyPreload, v)
	case "accept_empty":
		setAs(&m.AcceptEmpty, v)
	default:
		return false
	}
	return true
}

func (m *MPS) set(name string, v any) bool {
	switch name {
	case "enabled":
		setAs(&m.Enabled, v)
	case "unit":
		setAs(&m.Unit, v)
	case "pipe_directory":
		setAs(&m.PipeDirectory, v)
		m.PipeDirectory = safefile.Canonical(m.PipeDirectory)
	case "log_directory":
		setAs(&m.LogDirectory, v)
	case "require":
		setAs(&m.Require, v)
	case "mig":
		setAs(&m.MIG, v)
	case "max_clients":
		setInt(&m.MaxClients, v)
	case "default_memory":
		setAs(&m.DefaultMemory, v)
		setSize(&m.DefaultBytes, v)
	case "default_threads":
		setInt(&m.DefaultThreads, v)
	default:
		return false
	}
	return true
}

func (g *GPU) set(name string, v any) bool {
	switch name {
	case "min_count":
		setInt(&g.MinCount, v)
	case "patience":
		setSpan(&g.Patience, v)
	case "memory":
		setSize(&g.Memory, v)
	default:
		return false
	}
	return true
}

func (p *Probe) set(name string, v any) bool {
	switch name {
	case "kind":
		setAs(&p.Kind, v)
	case "address":
		setAs(&p.Address, v)
	case "url":
		setAs(&p.URL, v)
	case "unit":
		setAs(&p.Unit, v)
	case "path":
		setAs(&p.Path, v)
	default:
		return false
	}
	return true
}

func (i *Instance) set(name string, v any) bool {
	table, _ := v.(map[string]any)
	switch name {
	case "port":
		setInt(&i.Port, v)
	case "enabled":
		setAs(&i.Enabled, v)
	case "require_bus":
		setAs(&i.RequireBus, v)
	case "require_models":
		setAs(&i.RequireModels, v)
	case "after":
		setList(&i.After, v)
	case "needs":
		setList(&i.Needs, v)
	case "gate":
		apply(table, i.Gate.set)
	case "mps":
		apply(table, i.MPS.set)
	case "service":
		apply(table, i.Service.set)
	case "environment":
		i.Environment = make(map[string]string, len(table))
		for key, value := range table {
			i.Environment[key], _ = value.(string)
		}
	default:
		return false
	}
	return true
}

func (m *InstanceMPS) set(name string, v any) bool {
	switch name {
	case "enabled":
		setAs(&m.Enabled, v)
	case "memory":
		setAs(&m.Memory, v)
		setSize(&m.Bytes, v)
	case "threads":
		setInt(&m.Threads, v)
	default:
		return false
	}
	return true
}

func (s *Service) set(name string, v any) bool {
	switch name {
	case "exec":
		setList(&s.Exec, v)
	case "user":
		setAs(&s.User, v)
	case "group":
		setAs(&s.Group, v)
	case "working_directory":
		setAs(&s.WorkingDirectory, v)
	case "restart_sec":
		setSpan(&s.Restart, v)
	case "limit_nofile":
		setInt(&s.LimitNOFILE, v)
	case "memory_max":
		setAs(&s.MemoryMax, v)
	case "start_grace":
		setSpan(&s.StartGrace, v)
	case "protect_home":
		setAs(&s.ProtectHome, v)
	case "read_only_paths":
		setList(&s.ReadOnlyPaths, v)
	case "read_write_paths":
		setList(&s.ReadWritePaths, v)
	default:
		return false
	}
	return true
}

func setAs[T any](to *T, v any) {
	if t, ok := v.(T); ok {
		*to = t
	}
}

func setInt(to *int, v any) {
	if n, ok := v.(int64); ok {
		*to = int(n)
	}
}

func setSpan(to *time.Duration, v any) {
	if d, err := spanOf(v); err == nil {
		*to = d
	}
}

func setSize(to *uint64, v any) {
	if s, ok := v.(string); ok {
		*to, _ = parseSize(s) // "" is 0: unknown
	}
}

func setURL(to *string, v any) {
	if s, ok := v.(string); ok {
		if url, valid := serverURL(s); valid {
			*to = url
		}
	}
}

// setList copies: no two instances share an array that a caller could change.
func setList(to *[]string, v any) {
	switch v := v.(type) {
	case []string:
		*to = append([]string{}, v...)
	case []any:
		items := make([]string, 0, len(v))
		for _, item := range v {
			if s, ok := item.(string); ok {
				items = append(items, s)
			}
		}
		*to = items
	}
}
