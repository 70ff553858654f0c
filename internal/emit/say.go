// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"justnews/internal/diag"
	"justnews/internal/journal"
)

// Voice is where a generator can log. systemd connects its stderr to /dev/null,
// so a run by systemd logs to the journal or, at boot, when there is no journal
// yet, to the kernel log.
type Voice struct {
	Stderr io.Writer
	// System is false for a run by hand (a terminal, --dry-run, --root), which
	// only uses stderr.
	System    bool
	Socket    string // path of the journal's native socket
	KernelLog string // path of /dev/kmsg
}

// Paths of a running system.
const (
	JournalSocket = journal.Socket
	KernelLog     = "/dev/kmsg"
)

// maxKernelLines stays below the ten lines in five seconds that the kernel
// accepts from all of user space together (printk_devkmsg=ratelimit).
const maxKernelLines = 8

// Say reports every problem. It fails silently, since there is nowhere left to
// report to.
func (v *Voice) Say(problems []diag.Problem) {
	for _, p := range problems {
		fmt.Fprintln(v.Stderr, Line(p))
	}
	if !v.System || len(problems) == 0 {
		return
	}
	if sendJournal(v.Socket, problems) != nil {
		writeKernelLog(v.KernelLog, problems)
	}
}

// sendJournal sends one entry per problem, and gives up at the first that
// journald does not accept: a generator must not wait repeatedly.
func sendJournal(path string, problems []diag.Problem) error {
	for _, p := range problems {
		if err := journal.Send(path, journal.Priority(p.Severity.Priority()), message(p), journalFields(p)...); err != nil {
			return err
		}
	}
	return nil
}

func journalFields(p diag.Problem) []journal.Field {
	fields := []journal.Field{{Name: "SYSLOG_IDENTIFIER", Value: Program}}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, journal.Field{Name: name, Value: diag.Clean(value)})
		}
	}
	add("JUSTNEWS_CODE", string(p.Code))
	add("MESSAGE_ID", p.Code.MessageID())
	if p.Position != nil {
		add("JUSTNEWS_CONFIG", p.Position.String())
	}
	add("JUSTNEWS_SUBJECT", p.Subject)
	fix := fixOf(p)
	add("JUSTNEWS_FIX", fix.Advice)
	for _, c := range fix.Commands {
		add("JUSTNEWS_COMMAND", c.String())
	}
	return fields
}

// writeKernelLog writes one record per message, each with one write.
func writeKernelLog(path string, problems []diag.Problem) {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	for i, p := range problems {
		if i == maxKernelLines {
			p = diag.Problem{Message: diag.Count(len(problems)-i, "more problem"), Fix: diag.Do(diag.Run("justnews-gate", "config", "check"))}
		}
		_, _ = f.WriteString("<" + strconv.Itoa(p.Severity.Priority()) + ">" + diag.Clip(Line(p), maxKernelLine) + "\n")
		if i == maxKernelLines {
			return
		}
	}
}

// maxKernelLine always fits into one record of the kernel log (1 KiB with its
// own header, printk.c: LOG_LINE_MAX).
const maxKernelLine = 900

// Program is the prefix of every message.
const Program = "justnews-generator"

// Line returns a problem as one line: the program, the level unless it is an
// error, where, what, and in parentheses the fix.
func Line(p diag.Problem) string {
	return diag.Clean(Program + ": " + message(p))
}

// message is Line without the program, which is a field in the journal.
func message(p diag.Problem) string {
	parts := make([]string, 0, 4)
	if p.Severity != diag.Error {
		parts = append(parts, p.Severity.String())
	}
	if p.Position != nil && p.Position.File != "" {
		parts = append(parts, p.Position.String())
	}
	if p.Subject != "" {
		parts = append(parts, p.Subject)
	}
	line := strings.Join(append(parts, p.Message), ": ")
	if fix := fixOf(p).String(); fix != "" {
		line += " (" + fix + ")"
	}
	return diag.Clean(line)
}

// fixOf appends the reload to the fix of an error, without which it has no
// effect.
func fixOf(p diag.Problem) diag.Fix {
	fix := p.Fix
	reloads := slices.ContainsFunc(fix.Commands, func(c diag.Command) bool { return slices.Equal(c, diag.Reload()) })
	if !fix.Empty() && p.Severity == diag.Error && !reloads {
		fix.Commands = append(slices.Clone(fix.Commands), diag.Reload())
	}
	return fix
}
