// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/facts"
)

// service reads what only a full validation checks.
func service(b *bag) facts.Service {
	return facts.Service{
		FileState:        may[string](b, "UnitFileState"),
		ExecStart:        commands(may[[][]any](b, "ExecStart")),
		Restart:          may[string](b, "Restart"),
		StartLimit:       timespan(may[uint64](b, "StartLimitIntervalUSec")),
		StartBurst:       int(may[uint32](b, "StartLimitBurst")),
		LimitNOFILE:      may[uint64](b, "LimitNOFILESoft"),
		WorkingDirectory: strings.TrimPrefix(may[string](b, "WorkingDirectory"), "!"),
		Writable:         writable(b),
	}
}

// writable returns the paths that a unit with ProtectSystem=strict can write
// to.
func writable(b *bag) []string {
	return slices.Concat(paths(may[[]string](b, "ReadWritePaths")), column(may[[][]any](b, "BindPaths"), 1), ownDirectories(b))
}

// ownDirectories are those that systemd makes for the unit.
func ownDirectories(b *bag) []string {
	var all []string
	for _, d := range []struct{ property, root string }{
		{"CacheDirectory", "/var/cache"}, {"StateDirectory", "/var/lib"},
		{"LogsDirectory", "/var/log"}, {"RuntimeDirectory", "/run"},
	} {
		for _, name := range may[[]string](b, d.property) {
			all = append(all, filepath.Join(d.root, name))
		}
	}
	return all
}
