// SPDX-License-Identifier: Apache-2.0

package facts

// Memory are the kernel's memory figures, in bytes; -1 if unknown.
type Memory struct {
	Total     int64
	Available int64 // without swapping
	SwapTotal int64
	SwapFree  int64
	// Kills is how many processes were killed for memory since boot, on the
	// whole machine; GroupKills, in the given control group.
	Kills      int64
	GroupKills int64
	GroupLimit int64 // -1 also for no limit
}

// Environment is the environment of a unit's process.
type Environment struct {
	Values map[string]string
	// Exact is true if it was read from the process itself. Otherwise it is
	// that of the unit, and a missing variable may be in a file that could not
	// be read.
	Exact bool
	// Others are those of the other processes of the unit's control group, as
	// far as they could be read: a start script that does not use exec may give
	// its program another environment.
	Others []map[string]string
}
