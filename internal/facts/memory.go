// SPDX-License-Identifier: Apache-2.0

package facts

// Memory is what the kernel says of memory, in bytes; -1 where it says nothing.
type Memory struct {
	Total     int64
	Available int64 // without swapping
	SwapTotal int64
	SwapFree  int64
	// Kills is how many processes were killed for memory since the boot, on the
	// whole machine; GroupKills, in the control group that was asked for.
	Kills      int64
	GroupKills int64
	GroupLimit int64 // -1 also for no limit
}

// Environment is what a unit's process was started with.
type Environment struct {
	Values map[string]string
	// Exact is true where it was read from the process itself. Else it is what
	// the unit says, and what is not in it may stand in a file that could not be
	// read.
	Exact bool
	// Others are those of the other processes of the unit's control group, as
	// far as they could be read: a start script that does not replace itself
	// leaves its program with another environment than its own.
	Others []map[string]string
}
