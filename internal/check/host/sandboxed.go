// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// Place is what a problem is about: a path or a server, "": neither.
type Place struct {
	What   string // "the Model Store", "models.map"
	Path   string
	Leads  string // where Path leads through links, "": not known
	Server string
}

// leads describes where the path leads, "" if it is not a link.
func (p Place) leads() string {
	if p.Leads == "" || p.Leads == safefile.Canonical(p.Path) {
		return ""
	}
	return ", which leads to " + diag.Clean(p.Leads)
}

// PlaceOf is what a probe of [probes.*] is about. A unit is neither a path nor a
// server.
func PlaceOf(p config.Probe) Place {
	at := Place{Path: p.Path}
	switch p.Kind {
	case "path":
		at.What = "the path of the probe " + diag.Quote(p.Name)
	case "tcp", "http":
		at.What, at.Server = "the server of the probe "+diag.Quote(p.Name), p.Address+p.URL
	}
	return at
}

// Sandboxed corrects a run's problem about a path that is hidden from its unit, or a
// server to which the unit may not connect: it is neither missing nor down.
func Sandboxed(problems []diag.Problem, u facts.Unit, place func(diag.Problem) Place) {
	for i := range problems {
		p := &problems[i]
		at := place(*p)
		setting := ""
		switch {
		case at.Path != "":
			setting = Hidden(u.Sandbox, at.Path, at.Leads)
		case at.Server != "":
			setting = Forbidden(u.Sandbox, at.Server)
		}
		if setting != "" {
			Cover(p, u.Name, at, setting)
		}
	}
}

// Cover makes a setting of the unit the cause of a problem.
func Cover(p *diag.Problem, unit string, at Place, setting string) {
	name, _, _ := strings.Cut(setting, "=")
	p.Message = fmt.Sprintf("%s is hidden by %s= of the unit", at.What, name)
	p.Expected = "a path that the unit can see"
	if at.Path == "" {
		p.Message = fmt.Sprintf("%s= of the unit forbids it to connect to %s", name, at.What)
		p.Expected = "a unit that may connect to " + diag.Clean(at.Server)
	}
	seen := diag.Clean(setting) + " of " + diag.Clean(unit)
	if at.Path != "" {
		seen = diag.Clean(at.Path) + at.leads() + ", " + seen
	}
	if p.Seen != "" && !strings.Contains(p.Seen, setting) {
		seen += "; " + p.Seen
	}
	p.Seen, p.Fix = seen, uncover(unit, at, name)
}

// uncover is what changes the configuration where it has a key for the setting,
// else the drop-in that has it.
func uncover(unit string, at Place, name string) diag.Fix {
	switch name {
	case "ProtectHome":
		return diag.Advise("set service.protect_home = \"read-only\" (or \"tmpfs\" and read_only_paths) in /etc/justnews/justnews.toml, or move it", diag.Reload())
	case "PrivateTmp":
		return diag.Advise(fmt.Sprintf("move it out of /tmp and /var/tmp, or add %s to service.read_only_paths in /etc/justnews/justnews.toml, which shows it to the units", diag.Quote(at.Path)), diag.Reload())
	}
	advice := "remove " + name + "= from the drop-in that sets it"
	switch {
	case name == "IPAddressDeny":
		advice += ", or allow the address with IPAddressAllow="
	case at.Path != "":
		advice += ", or show the path to the unit with BindReadOnlyPaths="
	}
	if name == "InaccessiblePaths" {
		advice = "remove the path from InaccessiblePaths= in the drop-in that sets it"
	}
	return diag.Advise(advice, diag.Reload()).Looking(diag.CatUnit(unit))
}
