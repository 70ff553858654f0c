// SPDX-License-Identifier: Apache-2.0

// Package unitname defines the names of the units, and maps instances to units
// and back.
package unitname

import "strings"

// The static units.
const (
	Target   = "justnews.target"
	Preload  = "justnews-preload.service"
	MPS      = "justnews-mps.service"
	Watch    = "justnews-watch.service"
	Template = prefix + suffix
)

const (
	prefix = "justnews@"
	suffix = ".service"
)

// Of returns the unit of an instance, "" for no instance. A guarded unit, which stands
// for itself, is returned as it is: no instance has a dot in its name.
func Of(instance string) string {
	if instance == "" || IsUnit(instance) {
		return instance
	}
	return prefix + instance + suffix
}

// IsUnit distinguishes the name of a service from that of an instance.
func IsUnit(name string) bool { return strings.HasSuffix(name, suffix) }

// Instance returns the instance of a unit, "" for a unit of none.
func Instance(unit string) string {
	name, ours := strings.CutPrefix(unit, prefix)
	name, service := strings.CutSuffix(name, suffix)
	if !ours || !service {
		return ""
	}
	return name
}

// In returns the first instance whose unit a text names, "" if it names none.
func In(text string) string {
	_, after, _ := strings.Cut(text, prefix)
	name, _, found := strings.Cut(after, suffix)
	if !found {
		return ""
	}
	return name
}
