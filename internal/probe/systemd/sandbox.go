// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/facts"
	"justnews/internal/lists"
)

func sandbox(b *bag) facts.Sandbox {
	binds, bindsReadOnly := may[[][]any](b, "BindPaths"), may[[][]any](b, "BindReadOnlyPaths")
	bound, readOnly, own := column(binds, 1), column(bindsReadOnly, 1), ownDirectories(b)
	s := facts.Sandbox{
		ProtectHome:    may[string](b, "ProtectHome"),
		ProtectSystem:  may[string](b, "ProtectSystem"),
		PrivateTmp:     may[bool](b, "PrivateTmp"),
		PrivateDevices: may[bool](b, "PrivateDevices"),
		PrivateNetwork: may[bool](b, "PrivateNetwork"),
		NetworkPath:    may[string](b, "NetworkNamespacePath"),
		DevicePolicy:   may[string](b, "DevicePolicy"),
		DeviceAllow:    devices(may[[][]any](b, "DeviceAllow")),
		Inaccessible:   paths(may[[]string](b, "InaccessiblePaths")),
		Emptied:        column(may[[][]any](b, "TemporaryFileSystem"), 0),
		ReadOnly:       slices.Concat(paths(may[[]string](b, "ReadOnlyPaths")), readOnly),
		Writable:       slices.Concat(paths(may[[]string](b, "ReadWritePaths")), bound, own),
		Bound:          slices.Concat(bound, readOnly, own),
		Source:         sources(slices.Concat(binds, bindsReadOnly)),
		RootDirectory:  strings.TrimSuffix(may[string](b, "RootDirectory"), "/"),
		RootImage:      may[string](b, "RootImage"),
		IPAllow:        prefixes(may[[][]any](b, "IPAddressAllow")),
		IPDeny:         prefixes(may[[][]any](b, "IPAddressDeny")),
	}
	if families := may[[]any](b, "RestrictAddressFamilies"); len(families) == 2 {
		s.OnlyFamilies, _ = families[0].(bool)
		s.Families, _ = families[1].([]string)
	}
	return s
}

// paths cleans a list of paths, each with prefixes such as "-".
func paths(prefixed []string) []string {
	return lists.Map(prefixed, func(p string) string { return filepath.Clean(strings.TrimLeft(p, "-+")) })
}

// column reads one path of each row: of BindPaths, rows of a source, a
// destination, whether the source may be missing, and flags; of
// TemporaryFileSystem, rows of a path and mount options; and of EnvironmentFiles,
// rows of a path and whether the file may be missing.
func column(rows [][]any, n int) []string {
	var all []string
	for _, row := range rows {
		if len(row) <= n {
			continue
		}
		if p, ok := row[n].(string); ok {
			all = append(all, filepath.Clean(p))
		}
	}
	return all
}

// sources maps the destinations of bind mounts to their sources.
func sources(rows [][]any) map[string]string {
	from, to := column(rows, 0), column(rows, 1)
	if len(to) == 0 || len(from) != len(to) {
		return nil
	}
	all := map[string]string{}
	for i := range to {
		all[to[i]] = from[i]
	}
	return all
}

// devices reads DeviceAllow, pairs of a node or class and what is allowed.
func devices(rows [][]any) []string {
	var all []string
	for _, row := range rows {
		if len(row) < 2 {
			continue
		}
		node, _ := row[0].(string)
		access, _ := row[1].(string)
		all = append(all, node+" "+access)
	}
	return all
}

// prefixes reads IPAddressDeny, rows of a family, an address and the length of
// the prefix.
func prefixes(rows [][]any) []netip.Prefix {
	var all []netip.Prefix
	for _, row := range rows {
		if len(row) < 3 {
			continue
		}
		raw, _ := row[1].([]byte)
		bits, _ := row[2].(uint32)
		if addr, ok := netip.AddrFromSlice(raw); ok {
			all = append(all, netip.PrefixFrom(addr, int(bits)))
		}
	}
	return all
}
