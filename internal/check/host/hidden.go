// SPDX-License-Identifier: Apache-2.0

package host

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

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
