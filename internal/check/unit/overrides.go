// SPDX-License-Identifier: Apache-2.0

package unit

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Overrides judges the files with which an administrator overrides those of the
// packages and the generator.
func Overrides(files []facts.UnitFile) []diag.Problem {
	var problems []diag.Problem
	for _, f := range files {
		problems = append(problems, broken(f)...)
		switch {
		case f.Dir == "": // a unit's own file: what it hides, the loaded unit tells
		case slices.Contains(ourDropIns, f.Name):
			problems = append(problems, masks(f))
		default:
			problems = append(problems, leftover(f)...)
		}
	}
	return problems
}

// ourDropIns are the names that the generator uses. systemd takes one file of a
// name, from the strongest directory.
var ourDropIns = []string{
	"50-justnews-gate.conf", "00-justnews-common.conf", "60-justnews-common.conf", "00-justnews-instance.conf", "60-justnews-instance.conf",
	"60-justnews-preload.conf", "60-justnews-mps.conf", "60-justnews-target.conf", "60-justnews-preflight.conf",
	"60-justnews-heal.conf", "60-justnews-watch.conf",
}

func masks(f facts.UnitFile) diag.Problem {
	seen := "a file of the same name"
	if f.Null {
		seen = "an empty file, or a link to /dev/null"
	}
	return diag.Found(diag.DropInMasks, f.Path, "this file hides the generator's drop-in of the same name",
		seen, "another name", unhide(f.Path))
}

// unhide is the fix for a file that hides a drop-in of the same name.
func unhide(file string) diag.Fix {
	return diag.Advise("move the settings that you need to a file with another name", diag.Run("rm", "--", file), diag.Reload())
}

// broken names what systemd drops of a file, logging a message and
// loading the unit without it.
func broken(f facts.UnitFile) []diag.Problem {
	var problems []diag.Problem
	for _, b := range f.Broken {
		what := "the line"
		if b.Rest {
			what = "the rest of the file"
		}
		problems = append(problems, diag.New(diag.DropInBroken, "", "systemd ignores "+what+": "+diag.Clean(b.Reason),
			diag.Advise(fmt.Sprintf("correct line %d of %s", b.Line, diag.Quote(f.Path)), diag.Reload())).At(f.Path, b.Line, 0).As(diag.Warning))
	}
	return problems
}

// byHand are the drop-ins of upstream's runbook, and what replaces them.
//
//nolint:gosec // G101: "bypass" is not a password
var byHand = map[string]string{
	"05-gate-timeout.conf":      "gate.timeout in justnews.toml",
	"05-bus-bypass.conf":        "require_bus = false in justnews.toml, which the orchestrator's instance does not need",
	"10-preflight-gating.conf":  "no gate of its own: the package has one",
	"10-deps.conf":              "after = [\"…\"] in justnews.toml",
	"20-restart-policy.conf":    "service.restart_sec in justnews.toml; no unit has a start limit any more",
	"01-root.conf":              "service.user in justnews.toml",
	"justnews-defaults.conf":    "[service] in justnews.toml",
	"00-justnews-defaults.conf": "[service] in justnews.toml",
}

// heavy are the settings that undo something that the generator writes: a file with
// one of them needs a warning.
var heavy = []string{
	"ExecStartPre", "ExecCondition", "User", "Group", "TimeoutStartSec", "NotifyAccess", "SuccessExitStatus",
	"StartLimitIntervalSec", "StartLimitBurst", "StartLimitInterval", "Requires", "BindsTo",
}

// leftover finds a drop-in of the runbook. One without a heavy setting is a notice;
// an administrator's own drop-ins are left alone.
func leftover(f facts.UnitFile) []diag.Problem {
	now, known := byHand[f.Name]
	if !known {
		return nil
	}
	var keys []string
	weight := diag.Notice
	for _, key := range f.Keys {
		if !slices.Contains(keys, key) {
			keys = append(keys, diag.Clean(key))
		}
		if slices.Contains(heavy, key) {
			weight = diag.Warning
		}
	}
	return []diag.Problem{diag.Found(diag.DropInLeftover, f.Path, "a manual drop-in sets something that is now configured in justnews.toml",
		strings.Join(keys, "=, ")+"=", now,
		diag.Advise("move the settings that still apply to it", diag.Run("rm", "--", f.Path), diag.Run("justnews-gate", "config", "check"), diag.Reload())).As(weight)}
}

// Rivals judges what starts instances or replaces their template besides our
// units. What is not enabled can only be started by hand, and is no more than a
// notice: it was retired.
func Rivals(found []facts.Rival) []diag.Problem {
	var problems []diag.Problem
	for _, r := range found {
		p := diag.Found(diag.UnitRival, r.Path, "it "+r.Does+" besides the gated units",
			"in "+diag.Clean(r.By)+", disabled", "nothing but justnews.target starts the instances", Retire(r)).As(diag.Notice)
		if r.Active {
			p.Severity, p.Seen = diag.Error, "in "+diag.Clean(r.By)+", enabled"
		}
		if r.Active && r.Gated {
			p.Severity = diag.Warning
		}
		problems = append(problems, p)
	}
	return problems
}

// Retire is how a rival is taken out of service.
func Retire(r facts.Rival) diag.Fix {
	if commands := diag.Retire(r.Units(), r.Template()); len(commands) > 0 {
		return diag.Do(commands...)
	}
	return diag.Advise("remove the lines that do so from "+diag.Quote(r.Path), diag.Run("justnews-gate", "preflight"))
}
