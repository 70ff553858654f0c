// SPDX-License-Identifier: Apache-2.0

package diag

// hostEntries are about the bus, the needs and the machine around the gate.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var hostEntries = []Entry{
	{
		Code: BusUnreachable, Status: StatusUnavailable, MessageID: "668672924d4f5e6e9085f8eaa4163e51",
		Title: "the MCP bus did not answer",
		Cause: "Nothing listens on its port, or it answers errors only.",
		Check: []Command{Run("systemctl", "status", "justnews@mcp_bus.service"), Run("journalctl", "-u", "justnews@mcp_bus.service", "-e")},
		Fix:   Do(Run("systemctl", "reset-failed", "justnews@mcp_bus.service"), Run("systemctl", "restart", "justnews@mcp_bus.service"), Retry()),
	},
	{
		Code: BusNonsense, Status: StatusNonsense, MessageID: "5b4af49727c3594f82a5f396b5706381",
		Title: "the bus's answer is invalid",
		Cause: "Another program listens on its port, or a proxy answers in its place.",
		Check: []Command{Run("justnews-gate", "status")},
		Fix:   Advise("make sure that the MCP bus serves that port", Retry()),
	},
	{
		Code: BusUnit, Status: StatusUnavailable, MessageID: "bdd995a4f6f05a639c06dad58a956677",
		Title: "the bus's unit cannot become ready",
		Cause: "The unit is missing, masked or failed; waiting for it would be in vain.",
		Check: []Command{Run("systemctl", "status", "justnews@mcp_bus.service"), Run("journalctl", "-u", "justnews@mcp_bus.service", "-e")},
		Fix:   Advise("fix what its own log names", Retry()),
	},
	{
		Code: BusDegraded, Status: StatusReady, MessageID: "24f8b2f042f55c13b96efec4560079f9",
		Title: "the bus says that it is degraded",
		Cause: "It answers, but some of its agents do not.",
		Check: []Command{Run("justnews-gate", "status")},
		Fix:   Advise("look at the agents that the bus names"),
	},
	{
		Code: BusImpostor, Status: StatusNonsense, MessageID: "a0d37d0fb4a64bb28a2a2b1f2f6d8e51",
		Title: "another process answers instead of the MCP bus",
		Cause: "Its port needs no privilege: any process can listen there first. The socket that answered does not belong to the unit that bus.instance names.",
		Check: []Command{Run("ss", "-ltnpe")},
		Fix:   Advise("stop the process that holds the port", Retry()),
	},
	{
		Code: ServerUnproven, Status: StatusUnavailable, MessageID: "6b0c0d0a3c4e4f3a9d6f4f0d9a7f5c32",
		Title: "it could not be proven who answers",
		Cause: "An answer counts only if its socket belongs to the unit that the configuration names. Until the deadline systemd did not say what that unit is, or the kernel did not say whose socket it is.",
		Check: []Command{Run("systemctl", "status", "dbus.service"), Run("ss", "-ltnpe")},
		Fix:   Advise("make D-Bus and the control groups below /sys/fs/cgroup accessible again"),
	},
	{
		Code: NeedUnmet, Status: StatusUnavailable, MessageID: "d00527adbd4b501384768af0992c6bb9",
		Title: "something that the instance needs is not there",
		Cause: "A probe of [probes] did not pass before the deadline.",
		Check: []Command{Run("justnews-gate", "gate", "INSTANCE", "-v")},
		Fix:   Advise("start what the probe looks for", Retry()),
	},
	{
		Code: NoSystemd, Status: StatusReady, MessageID: "2d40618cfb3a58abba17d8a1e0a36029",
		Title: "systemd cannot be asked",
		Cause: "There is no system bus, or systemd does not answer on it. Unit states are left out of the judgement; everything else is checked.",
		Check: []Command{Run("busctl", "status", "org.freedesktop.systemd1")},
		Fix:   Advise("nothing to do in a container without systemd", Run("systemctl", "start", "dbus.socket")),
	},
	{
		Code: NoLock, Status: StatusReady, MessageID: "1b8e63b5319c5823a69bc6a3554e7b27",
		Title: "this run is not excluded from the services' gates",
		Cause: "The lock directory /run/justnews-gate is missing or closed to this user, so a gate of a service may trigger a preload at the same time.",
		Check: []Command{Run("ls", "-ld", "/run/justnews-gate"), Run("id")},
		Fix:   Advise("or run as a member of the group justnews", Run("systemd-tmpfiles", "--create", "justnews.conf")),
	},
	{
		Code: RecordUnwritten, Status: StatusReady, MessageID: "a291898f5820591db6915e342fbe831a",
		Title: "the summary could not be written",
		Cause: "The cache directory is full, read-only or not the caller's own. The verdict stands.",
		Check: []Command{Run("df"), Run("ls", "-ld", "${XDG_CACHE_HOME:-$HOME/.cache}/justnews", "/var/cache/justnews")},
		Fix:   Advise("free or own the directory that is named"),
	},
	{
		Code: Ungated, Status: StatusFailed, MessageID: "643494c0336b5b629ae855100ef3df9f",
		Title: "no gate stands before an instance",
		Cause: "The drop-in 50-justnews-gate.conf is masked, or a drop-in with an empty ExecStartPre= removed its line, or the package is not installed.",
		Check: []Command{Run("systemctl", "cat", "justnews@INSTANCE.service")},
		Fix:   Advise("remove what hides the drop-in", Reload()).Looking(Run("systemctl", "revert", "justnews@INSTANCE.service")),
	},
	{
		Code: UnitFailed, Status: StatusFailed, MessageID: "c8d0f4f3b7e15a0f9f0e6b52a1c47d39",
		Title: "an instance has failed",
		Cause: "Its gate refused, its program ended with an error, or it was restarted too often; systemd does not start it again by itself.",
		Check: []Command{Run("systemctl", "status", "justnews@INSTANCE.service"), Run("journalctl", "-b", "-u", "justnews@INSTANCE.service")},
		Fix:   Advise("fix what its log names", Retry()),
	},
	{
		Code: NeedReload, Status: StatusFailed, MessageID: "53f260857e275aa09374860bddd77139",
		Title: "systemd has not read the latest files",
		Cause: "justnews.toml, a unit or a drop-in changed on disk since the last daemon-reload.",
		Check: []Command{Run("systemctl", "show", "-p", "NeedDaemonReload", "justnews@INSTANCE.service")},
		Fix:   Do(Run("justnews-gate", "config", "check"), Reload()),
	},
	{
		Code: Interrupted, Status: StatusTimeout, MessageID: "d334bcf636465af1b6e12af22a0f2373",
		Title: "the run was ended by a signal",
		Cause: "systemctl stop, a restart, a shutdown, or ^C came before the verdict.",
		Check: []Command{Run("journalctl", "-u", "justnews@INSTANCE.service", "-e")},
		Fix:   Do(Retry()),
	},
	{
		Code: Hung, Status: StatusTimeout, MessageID: "e220d41332484f5a8b304ed9efc3e067",
		Title: "something does not return",
		Cause: "The deadline, or a signal that asked the run to end, came and went while the kernel did not return from what the message names: a file system or a device does not answer. A watchdog ended the process.",
		Check: []Command{Run("journalctl", "-k", "-b")},
		Fix:   Advise("repair or unmount what does not answer"),
	},
	{
		Code: Internal, Status: StatusInternal, MessageID: "653f00042a595e5aaf5e8a57217df675",
		Title: "internal error",
		Cause: "A bug, or the machine failed in a way that was not foreseen. The gate stays shut.",
		Check: []Command{Run("journalctl", "-u", "justnews@INSTANCE.service", "-e")},
		Fix:   Advise("report it, with the output of: justnews-gate -v --json"),
	},
	{
		Code: Usage, Status: StatusUsage, MessageID: "99eb5e90486c58fdbb4b5c7a3194db9f",
		Title: "the command line is wrong",
		Cause: "A misspelt command or flag, or a missing argument.",
		Check: []Command{Run("justnews-gate", "--help")},
		Fix:   Advise("correct the command line"),
	},
}
