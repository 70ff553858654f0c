// SPDX-License-Identifier: Apache-2.0

package check

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// again starts everything again, what failed and what was never tried.
func again() []diag.Command { return []diag.Command{diag.Retry()} }

// reload applies a change of the configuration.
func reload() []diag.Command { return []diag.Command{diag.Reload()} }

// restart is again with a restart of a unit before, where there is one. A unit
// at its start limit refuses to start until it is reset.
func restart(unit string) []diag.Command {
	if unit == "" {
		return again()
	}
	return append([]diag.Command{
		diag.Run("systemctl", "reset-failed", "--", unit), diag.Run("systemctl", "restart", "--", unit),
	}, again()...)
}

// advise says what has to be done before commands.
func advise(commands []diag.Command, format string, args ...any) diag.Fix {
	return diag.Advise(fmt.Sprintf(format, args...), commands...)
}

// logOf shows a unit's log.
func logOf(unit string) diag.Command {
	if unit == "" {
		return nil
	}
	return diag.Run("journalctl", "-b", "-u", unit)
}

// settings shows a unit's files.
func settings(unit string) diag.Command { return diag.Run("systemctl", "cat", "--", unit) }

// namei shows who may go where on the way to a path.
func namei(path string) diag.Command { return diag.Run("namei", "-l", "--", path) }

// evidence describes an answer that was none.
func evidence(a facts.Answer) string {
	return diag.Clean(cmp.Or(a.Detail, "no answer"))
}

func quote(s string) string { return diag.Clean(strconv.Quote(s)) }

// bare is a name in a sentence, in quotes where it is more than a plain word or
// path.
func bare(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:./-"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return quote(s)
}
