// SPDX-License-Identifier: Apache-2.0

package diag

// importEntries are about a host that was set up by hand.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var importEntries = []Entry{
	{
		Code: ImportNothing, Status: StatusConfig, MessageID: "84688d2d1bcc2efbe1bbc337ac2ccbc8",
		Title: "nothing shows an instance of JustNews",
		Cause: "config import looks for justnews@NAME.service, its drop-ins and links below /etc/systemd/system, and for /etc/justnews/NAME.env.",
		Check: []Command{Run("sh", "-c", "ls -d /etc/systemd/system/*justnews* /etc/systemd/system/*/*justnews* /etc/justnews/*")},
		Fix:   Advise("write /etc/justnews/justnews.toml yourself: man 5 justnews.toml"),
	},
	{
		Code: ImportUnreadable, Status: StatusReady, MessageID: "4d2f66421210726732512a4edc314c5a",
		Title: "a file of the old set-up cannot be read",
		Cause: "It is closed to the caller, too large, or not of the form that upstream's programs read. What it says is missing in the result.",
		Check: []Command{Run("sudo", "justnews-gate", "config", "import")},
		Fix:   Advise("look at the file that is named, by hand"),
	},
	{
		Code: ImportLeftOut, Status: StatusReady, MessageID: "1a9a1a3cb72de81d5cfd82137ad1a5f5",
		Title: "something of the old set-up was not taken over",
		Cause: "justnews.toml has no place for it, it never had the effect that it seems to have, or its value means nothing.",
		Check: []Command{Run("justnews-gate", "config", "import")},
		Fix:   Advise("do what the problem names, or leave it"),
	},
	{
		Code: ImportConflict, Status: StatusReady, MessageID: "dfa5ebbf252bc3c8ade53a0f5b7be24a",
		Title: "the old set-up contradicts itself, or the new gate",
		Cause: "Two places say different things, or the old gate did something that the new one does not do unasked.",
		Check: []Command{Run("justnews-gate", "config", "import")},
		Fix:   Advise("decide for one of the two, and run the same again"),
	},
	{
		Code: ImportOvercommit, Status: StatusReady, MessageID: "958d23792f755518276bf2545ec74c07",
		Title: "the MPS limits are more than the GPU has",
		Cause: "Upstream's allocations sum up to more than its own available_memory_gb. The limits are taken over, the GPU's memory is not stated.",
		Check: []Command{Run("justnews-gate", "config", "import")},
		Fix:   Advise("lower a limit, then state gpu.memory in /etc/justnews/justnews.toml"),
	},
}
