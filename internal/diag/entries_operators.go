// SPDX-License-Identifier: Apache-2.0

package diag

// operatorEntries are about who may operate JustNews without a password.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var operatorEntries = []Entry{
	{
		Code: OperatorUser, Status: StatusUsage, MessageID: "e2b20b59a17e2f3992194a4b8ddfc31d",
		Title: "no user that an exemption can be given to",
		Cause: "The name is not one ordinary user's (sudo reads ALL, %group, #uid and lists as something else), there is no such user, it is root's, or agents run as it: an operator may do what an agent must not.",
		Check: []Command{Run("getent", "passwd", "USER")},
		Fix:   Do(Run("justnews-gate", "nopasswd", "install", "--user", "USER")),
	},
	{
		Code: OperatorGroup, Status: StatusConfig, MessageID: "7f48afcc12a2affa52da1f93d7a6e447",
		Title: "the group of the operators is missing",
		Cause: "systemd-sysusers has not made justnews-operators yet, or the group database cannot be asked.",
		Check: []Command{Run("getent", "group", "justnews-operators")},
		Fix:   Advise("run the same again after this", Run("systemd-sysusers", "justnews.conf")),
	},
	{
		Code: OperatorRule, Status: StatusReady, MessageID: "73610b0f30b93d490b09614a13e396ce",
		Title: "polkit's rule for the operators is missing or replaced",
		Cause: "The polkit rule of the package is missing, or a file of the same name stands in for it.",
		Check: []Command{Run("ls", "-l", "/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d")},
		Fix:   Advise("install the package again, and polkit with it"),
	},
	{
		Code: OperatorDenied, Status: StatusPermission, MessageID: "4ca9d2c579a4c0cd7007ae815bbf28f2",
		Title: "only root can give or take an exemption",
		Cause: "The command was run without privileges. --dry-run needs none.",
		Check: []Command{Run("id", "-u")},
		Fix:   Do(Run("sudo", "justnews-gate", "nopasswd", "install", "--user", "USER")),
	},
	{
		Code: OperatorTool, Status: StatusUnavailable, MessageID: "eeef71a9e995a857ad139046a48fe007",
		Title: "a tool of this host is missing or failed",
		Cause: "gpasswd, usermod, visudo or sudo could not be run, ended with an error, or had no effect.",
		Check: []Command{Run("ls", "-l", "/usr/bin/gpasswd", "/usr/sbin/usermod", "/usr/sbin/visudo")},
		Fix:   Advise("fix what the tool names, and run the same again"),
	},
	{
		Code: SudoUnusable, Status: StatusConfig, MessageID: "5c77959031481089c962683e4d874712",
		Title: "sudo cannot carry the rule",
		Cause: "It is missing, has no visudo, is older than 1.9.10 (the first with regular expressions), or is another program of that name.",
		Check: []Command{Run("sudo", "-V")},
		Fix:   Do(Run("justnews-gate", "nopasswd", "install", "--user", "USER")),
	},
	{
		Code: SudoUnsafe, Status: StatusPermission, MessageID: "1178febb700fd2821f76484e4e8ef117",
		Title: "others than root could replace the program of the rule",
		Cause: "The program or a directory above it belongs to another user or is writable by others. A rule for it would make them root.",
		Check: []Command{Run("ls", "-ld", "/", "/usr", "/usr/bin", "/usr/bin/justnews-gate")},
		Fix:   Advise("run the same again after this", Run("chown", "root:root", "PATH"), Run("chmod", "go-w", "PATH")),
	},
	{
		Code: SudoForeign, Status: StatusConfig, MessageID: "9ea6e8aaaa4edceb6b6625d4e2b1d4ca",
		Title: "the sudo drop-in is of another hand",
		Cause: "/etc/sudoers.d/justnews-gate was written or edited by somebody else, or cannot be read. It is left alone.",
		Check: []Command{Run("visudo", "-cf", "/etc/sudoers.d/justnews-gate")},
		Fix:   Advise("look at it, move it out of /etc/sudoers.d, and run the same again"),
	},
	{
		Code: SudoRefused, Status: StatusConfig, MessageID: "f861a3e6ef6c2604385191def358719b",
		Title: "visudo finds an error in the configuration of sudo",
		Cause: "Either the configuration was broken before, and nothing was changed; or it would be with the new rule, and the former state was put back.",
		Check: []Command{Run("visudo", "-c")},
		Fix:   Advise("fix what visudo names, and run the same again"),
	},
	{
		Code: SudoIneffective, Status: StatusConfig, MessageID: "a48ccdfa8905373862c028c6b1e98f28",
		Title: "sudo does not know the rule that was written",
		Cause: "/etc/sudoers does not include /etc/sudoers.d, or takes its rules from elsewhere. The rule was taken away again.",
		Check: []Command{Run("sudo", "-l", "-U", "USER")},
		Fix:   Advise("add the line @includedir /etc/sudoers.d at the end of /etc/sudoers (visudo), and run the same again"),
	},
	{
		Code: SudoLeftover, Status: StatusReady, MessageID: "fa82a8bf07f0cb0cd3c1ef0aaf72d12a",
		Title: "the sudo rule of the old helper is still there",
		Cause: "setup_preflight_nopasswd.sh of upstream allowed a script with any arguments as any user: whoever can write the script or its directory is root.",
		Check: []Command{Run("cat", "/etc/sudoers.d/justnews-preflight")},
		Fix:   Do(Run("rm", "/etc/sudoers.d/justnews-preflight"), Run("visudo", "-c")),
	},
}
