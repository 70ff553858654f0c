// SPDX-License-Identifier: Apache-2.0

// Package preflight is the full validation of a host: what a gate would wait for
// (Run), everything around the gates (Look: units and what overrides them,
// environment files, users, paths, ports, disks, databases), and the severity and
// exit status of the findings (Settle). It looks at everything concurrently, within
// one time limit, and lets the packages below internal/check judge. It changes
// nothing, except that it frees ports on request.
package preflight

import (
	"context"
	"net"

	"justnews/internal/facts"
	"justnews/internal/probe/host"
	"justnews/internal/safefile"
)

// Host is how the machine is looked at. Real is this one.
type Host struct {
	Root    string // "" or the directory that stands for /
	Account func(user, group string) facts.Account
	Reach   func(as facts.Account, path string, want facts.Access) facts.Reach
	Space   func(path string) facts.Space
	Limits  func() facts.Limits
	Ports   func(ports []int) (map[int]facts.Port, error)
	Dial    func(ctx context.Context, address string) error
	GateOff func() (evidence string, off bool)
}

// Real looks at this machine. A run in a unit sees it through the unit's own
// sandbox: what that hides is not known to be missing.
func Real(root string, sandboxed bool) Host {
	h := host.Host{Root: root}
	reach := h.Reach
	if sandboxed {
		reach = func(as facts.Account, path string, want facts.Access) facts.Reach {
			return unlessHidden(h.Reach(as, path, want))
		}
	}
	return Host{
		Root: root, Account: h.Account, Reach: reach, Space: h.Space, Limits: h.Limits,
		Ports: h.Ports, Dial: dial, GateOff: h.GateOff,
	}
}

// unlessHidden withdraws a denial that may be due to our own sandbox.
func unlessHidden(r facts.Reach) facts.Reach {
	hidden := false
	for _, dir := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"} {
		hidden = hidden || safefile.Within(dir, r.Path) || safefile.Within(dir, r.Leads)
	}
	if r.Known && !r.OK && (hidden || r.Detail == "read-only file system") {
		r.Known, r.Detail = false, "the sandbox of this run hides it"
	}
	return r
}

func dial(ctx context.Context, address string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}
