// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/gate"
)

// instance is an argument that names an instance: scout, or its unit as
// systemctl prints it, justnews@scout.service.
type instance string

// UnmarshalText accepts any text; whether such an instance exists is checked with the
// configuration.
func (i *instance) UnmarshalText(text []byte) error {
	*i = instance(bareInstance(string(text)))
	return nil
}

func bareInstance(name string) string {
	if unit, ok := strings.CutPrefix(name, "justnews@"); ok {
		return strings.TrimSuffix(unit, ".service")
	}
	return name
}

// ofNobody reports whether a run was refused because there is no such instance:
// it leaves no record, since no instance has done anything.
func ofNobody(r gate.Result) bool {
	return r.Refused && slices.ContainsFunc(r.Problems, func(p diag.Problem) bool { return p.Code == diag.InstanceUnknown })
}

func instanceNames(cfg *config.Config) []string {
	var names []string
	for _, i := range cfg.Instances {
		names = append(names, i.Name)
	}
	return names
}
