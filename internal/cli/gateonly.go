// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/requirement"
)

// gateOnly turns "--gate-only INSTANCE", the line of every unit, into
// "gate INSTANCE" before any flag is parsed. INSTANCE may also be a guarded unit. It
// is a name and never a flag: an instance called --version would otherwise print the
// version, exit 0 and so open its gate.
//
// It also reports whether it did: then nothing on the line may end with 0 but a
// verdict.
func gateOnly(args []string) ([]string, bool, *diag.Problem) {
	at := slices.IndexFunc(args, func(a string) bool {
		return a == "--" || a == "--gate-only" || strings.HasPrefix(a, "--gate-only=")
	})
	if at < 0 || args[at] == "--" {
		return args, false, nil
	}
	var name string
	rest := args[at+1:]
	if value, ok := strings.CutPrefix(args[at], "--gate-only="); ok {
		name = value
	} else if len(rest) > 0 {
		name, rest = rest[0], rest[1:]
	} else {
		return nil, true, &diag.Problem{
			Code: diag.Usage, Message: "--gate-only needs the name of an instance",
			Fix: diag.Do(diag.Run("justnews-gate", "--gate-only", "mcp_bus")),
		}
	}
	if name = bareInstance(name); !config.InstanceName(name) && !config.ServiceName(name) {
		p := requirement.NoInstanceName(name)
		return nil, true, &p
	}
	others := slices.Concat(args[:at], rest)
	if slices.ContainsFunc(others, func(a string) bool { return a == "--help" || a == "-h" || a == "--version" }) {
		return nil, true, askedOfAGate()
	}
	return slices.Concat(args[:at], []string{"gate", name}, rest), true, nil
}

func askedOfAGate() *diag.Problem {
	return &diag.Problem{
		Code: diag.Usage, Message: "--gate-only cannot be combined with --help or --version",
		Fix: diag.Do(diag.Run("justnews-gate", "--help")),
	}
}
