// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/safefile"
)

// homes are what ProtectHome= is about.
var homes = []string{"/home", "/root", "/run/user"}

// shared are what PrivateDevices= and a root directory of the unit's own still
// show of the host.
var shared = []string{
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/shm",
	"/dev/pts", "/dev/ptmx", "/dev/mqueue", "/dev/hugepages", "/dev/log", "/proc", "/sys",
}

// Hidden returns the setting of a unit that hides one of the paths of the host from
// its processes, such as "PrivateTmp=yes", "" where none does. As systemd mounts it,
// the setting about the nearest parent counts, and nothing can be bound in below
// a path that is inaccessible.
func Hidden(s facts.Sandbox, paths ...string) string {
	for _, p := range paths {
		if by := hidden(s, safefile.Canonical(p)); p != "" && by != "" {
			return by
		}
	}
	return ""
}

func hidden(s facts.Sandbox, p string) string {
	for _, dir := range s.Inaccessible {
		if safefile.Within(dir, p) {
			return "InaccessiblePaths=" + dir
		}
	}
	if s.ProtectHome == "yes" && inside(homes, p) {
		return "ProtectHome=yes"
	}
	by, depth := "", -1
	hide := func(setting string, dirs ...string) {
		for _, dir := range dirs {
			if safefile.Within(dir, p) && len(dir) > depth {
				by, depth = setting, len(dir)
			}
		}
	}
	// A setting that makes the same path read-only or writable overrides one that empties it.
	kept := slices.Clone(s.Writable)
	for _, r := range readOnlyRules(s) {
		kept = append(kept, r.dirs...)
	}
	empty := func(setting string, dirs ...string) {
		for _, dir := range dirs {
			if !slices.Contains(kept, dir) {
				hide(setting, dir)
			}
		}
	}
	if s.RootDirectory != "" {
		hide("RootDirectory="+s.RootDirectory, "/")
	}
	if s.RootImage != "" {
		hide("RootImage="+s.RootImage, "/")
	}
	if s.PrivateTmp {
		hide("PrivateTmp=yes", "/tmp", "/var/tmp")
	}
	if s.ProtectHome == "tmpfs" {
		empty("ProtectHome=tmpfs", homes...)
	}
	for _, dir := range s.Emptied {
		empty("TemporaryFileSystem="+dir, dir)
	}
	if s.PrivateDevices {
		hide("PrivateDevices=yes", "/dev")
	}
	shown := slices.Concat(s.Bound, shared)
	if ownRoot(by) && !s.PrivateDevices {
		shown = append(shown, "/dev")
	}
	for _, dir := range shown {
		if safefile.Within(dir, p) && len(dir) >= depth {
			return ""
		}
	}
	return by
}

// Source returns where on the host a path is that the processes of a unit see: elsewhere,
// if a bind mount brings it in.
func Source(s facts.Sandbox, p string) string {
	at, depth := p, -1
	for to, from := range s.Source {
		if safefile.Within(to, p) && len(to) > depth {
			at, depth = path.Join(from, strings.TrimPrefix(p, to)), len(to)
		}
	}
	return at
}

// ownRoot reports whether a setting gives the unit its own root directory, whose content
// is not known.
func ownRoot(setting string) bool { return strings.HasPrefix(setting, "Root") }

// ReadOnly returns the unit's setting that makes a host path read-only to its processes,
// "" if none does. The unit may name the path or the target of its links.
func ReadOnly(s facts.Sandbox, paths ...string) string {
	by := ""
	for _, p := range paths {
		if p == "" {
			continue
		}
		if by = readOnly(s, safefile.Canonical(p)); by == "" {
			return ""
		}
	}
	return by
}

func readOnly(s facts.Sandbox, p string) string {
	by, depth := "", -1
	rule := func(setting string, dirs ...string) {
		for _, dir := range dirs {
			if safefile.Within(dir, p) && len(dir) >= depth {
				by, depth = setting, len(dir)
			}
		}
	}
	if s.ProtectSystem == "strict" {
		rule("", "/dev", "/proc", "/sys")
		rule("", homes...)
	}
	if s.PrivateTmp {
		rule("", "/tmp", "/var/tmp")
	}
	rule("", s.Writable...)
	// If several settings are about the same path, one that makes it read-only wins
	// (drop_duplicates in systemd's namespace.c).
	if s.ProtectHome == "tmpfs" { // read-only even if bound in or granted, except with systemd 252
		rule("ProtectHome=tmpfs", homes...)
	}
	for _, r := range readOnlyRules(s) {
		rule(r.setting, r.dirs...)
	}
	return by
}

// readOnlyRule is a setting that makes directories read-only.
type readOnlyRule struct {
	setting string
	dirs    []string
}

func readOnlyRules(s facts.Sandbox) []readOnlyRule {
	var rules []readOnlyRule
	switch s.ProtectSystem {
	case "strict":
		rules = append(rules, readOnlyRule{"ProtectSystem=strict", []string{"/"}})
	case "full":
		rules = append(rules, readOnlyRule{"ProtectSystem=full", []string{"/usr", "/boot", "/efi", "/etc"}})
	case "yes":
		rules = append(rules, readOnlyRule{"ProtectSystem=yes", []string{"/usr", "/boot", "/efi"}})
	}
	if s.ProtectHome == "read-only" {
		rules = append(rules, readOnlyRule{"ProtectHome=read-only", homes})
	}
	for _, dir := range s.ReadOnly {
		name := "ReadOnlyPaths="
		if slices.Contains(s.Bound, dir) {
			name = "BindReadOnlyPaths="
		}
		rules = append(rules, readOnlyRule{name + dir, []string{dir}})
	}
	return rules
}

func inside(dirs []string, p string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return safefile.Within(dir, p) })
}

// Forbidden returns the setting of a unit that keeps its processes from
// connecting to a server, "" where none does. A server is HOST:PORT, a URL or the
// path of a socket. A name may have addresses of both families.
func Forbidden(s facts.Sandbox, server string) string {
	if strings.HasPrefix(server, "/") {
		if !allowsFamily(s, "AF_UNIX") {
			return families(s)
		}
		return Hidden(s, server)
	}
	if s.PrivateNetwork {
		return "PrivateNetwork=yes"
	}
	if !allowsFamily(s, "AF_INET") && !allowsFamily(s, "AF_INET6") {
		return families(s)
	}
	why := ""
	for _, addr := range addresses(hostOf(server)) {
		if why = forbidsAddress(s, addr); why == "" {
			return ""
		}
	}
	return why
}

func forbidsAddress(s facts.Sandbox, addr netip.Addr) string {
	family := "AF_INET6"
	if addr.Is4() {
		family = "AF_INET"
	}
	if !allowsFamily(s, family) {
		return families(s)
	}
	covers := func(p netip.Prefix) bool { return p.Contains(addr) }
	if slices.ContainsFunc(s.IPAllow, covers) {
		return ""
	}
	if n := slices.IndexFunc(s.IPDeny, covers); n >= 0 {
		if s.IPDeny[n].Bits() == 0 {
			return "IPAddressDeny=any"
		}
		return "IPAddressDeny=" + s.IPDeny[n].String()
	}
	return ""
}

func allowsFamily(s facts.Sandbox, family string) bool {
	return slices.Contains(s.Families, family) == s.OnlyFamilies
}

func families(s facts.Sandbox) string {
	list := strings.Join(s.Families, " ")
	switch {
	case !s.OnlyFamilies:
		list = "~" + list
	case list == "":
		list = "none"
	}
	return "RestrictAddressFamilies=" + list
}

func hostOf(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		return u.Hostname()
	}
	if host, _, err := net.SplitHostPort(server); err == nil {
		return host
	}
	return server
}

// addresses of a host, none of a name that has to be looked up.
func addresses(host string) []netip.Addr {
	if host == "localhost" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return []netip.Addr{addr.Unmap().WithZone("")}
}

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
