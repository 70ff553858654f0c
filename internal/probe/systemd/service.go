// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"path/filepath"
	"strings"

	"justnews/internal/facts"
)

// service reads what only a full validation checks.
func service(b *bag) facts.Service {
	return facts.Service{
		FileState:        may[string](b, "UnitFileState"),
		ExecStart:        commands(may[[][]any](b, "ExecStart")),
		Restart:          may[string](b, "Restart"),
		RestartDelay:     timespan(may[uint64](b, "RestartUSec")),
		StartLimit:       timespan(may[uint64](b, "StartLimitIntervalUSec")),
		StartBurst:       int(may[uint32](b, "StartLimitBurst")),
		LimitNOFILE:      may[uint64](b, "LimitNOFILESoft"),
		WorkingDirectory: strings.TrimPrefix(may[string](b, "WorkingDirectory"), "!"),
		ProtectHome:      may[string](b, "ProtectHome"),
		ProtectSystem:    may[string](b, "ProtectSystem"),
		Writable:         writable(b),
		Readable:         sources(may[[][]any](b, "BindReadOnlyPaths")),
	}
}

// writable returns the paths that a unit with ProtectSystem=strict can write
// to.
func writable(b *bag) []string {
	var all []string
	for _, p := range may[[]string](b, "ReadWritePaths") {
		all = append(all, strings.TrimLeft(p, "-+"))
	}
	all = append(all, sources(may[[][]any](b, "BindPaths"))...)
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
