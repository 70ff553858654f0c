// SPDX-License-Identifier: Apache-2.0

package diag

// recordEntries are about what runs leave behind: summaries and metrics. None
// of them shuts a gate.
//
//nolint:gochecknoglobals // a constant table, which Go cannot declare const
var recordEntries = []Entry{
	{
		Code: RecordBroken, Status: StatusReady, MessageID: "e63996c0d936d097c7439cb5268207b8",
		Title: "a file among the summaries is not what a run left",
		Cause: "Something else was put there, the file is of another user or was changed by hand, or a newer version wrote it. It is named, and nothing in it is believed.",
		Check: []Command{Run("sh", "-c", "ls -l /var/cache/justnews/*/preflight ~/.cache/justnews/preflight")},
		Fix:   Advise("find out who put it there, then remove it"),
	},
	{
		Code: RecordUnreadable, Status: StatusReady, MessageID: "4ae50c249d885ea7dc07e31c46dda679",
		Title: "summaries of units need root",
		Cause: "A unit's summaries belong to its user, and nobody else but root may read them.",
		Check: []Command{Run("sh", "-c", "ls -ld /var/cache/justnews/*/preflight"), Run("id")},
		Fix:   Do(Run("sudo", "justnews-gate", "history")),
	},
	{
		Code: RecordMissing, Status: StatusFailed, MessageID: "1b2b78dc8e88768e00e7d24cf95007e5",
		Title: "there is nothing to draw",
		Cause: "No run of this boot has left a summary that this user may read, and systemd cannot be asked, or knows of no start of an instance.",
		Check: []Command{Run("justnews-gate", "history")},
		Fix:   Advise("or name the files with --run", Run("sudo", "justnews-gate", "plot")),
	},
	{
		Code: MetricsUnwritten, Status: StatusReady, MessageID: "f7f5a45e880d37e725c9137d4dc271fc",
		Title: "the metrics of a run could not be written",
		Cause: "The directory /run/justnews-gate/metrics is missing, full or closed to the user of the unit, so monitoring sees the run before. The verdict stands.",
		Check: []Command{Run("ls", "-ld", "/run/justnews-gate", "/run/justnews-gate/metrics")},
		Fix:   Do(Run("systemd-tmpfiles", "--create", "justnews.conf")),
	},
}
