// SPDX-License-Identifier: Apache-2.0

package check

import (
	"path/filepath"
	"slices"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// baseDropIn is the fail-closed drop-in; the generator's hides the package's.
const baseDropIn = "50-justnews-gate.conf"

// Gated judges whether the gate stands before an instance's unit, and whether
// systemd knows its latest files.
func Gated(u facts.Unit) []diag.Problem {
	const reload = "systemctl daemon-reload"
	switch {
	case u.LoadState != "loaded":
		return []diag.Problem{{
			Code: diag.Ungated, Severity: diag.Warning, Subject: u.Name, Message: "systemd has no such unit",
			Seen: u.LoadState, Expected: "loaded", Fix: "install the package justnews, then: " + reload,
		}}
	case !slices.ContainsFunc(u.DropInPaths, func(p string) bool { return filepath.Base(p) == baseDropIn }):
		return []diag.Problem{{
			Code: diag.Ungated, Subject: u.Name, Message: "no gate stands before this instance",
			Seen: "no drop-in " + baseDropIn, Expected: "ExecStartPre=/usr/bin/justnews-gate --gate-only %i",
			Fix: "systemctl cat " + u.Name + "; unmask " + baseDropIn + " or install the package justnews, then: " + reload,
		}}
	case u.NeedDaemonReload:
		return []diag.Problem{{
			Code: diag.NeedReload, Severity: diag.Warning, Subject: u.Name,
			Message: "its files or justnews.toml changed since systemd read them",
			Fix:     "justnews-gate config check && " + reload,
		}}
	}
	return nil
}
