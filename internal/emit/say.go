// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"fmt"
	"io"
	"os"
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

// level is the syslog level of a problem (sd-daemon(3)).
func level(p diag.Problem) int {
	switch p.Severity {
	case diag.Warning:
		return 4
	case diag.Notice:
		return 5
	default:
		return 3
	}
}

// sendJournal sends one entry per problem, and gives up at the first that
// journald does not accept: a generator must not wait repeatedly.
func sendJournal(path string, problems []diag.Problem) error {
	for _, p := range problems {
		if err := journal.Send(path, journal.Priority(level(p)), message(p), journalFields(p)...); err != nil {
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
	if entry, ok := diag.Lookup(p.Code); ok {
		add("MESSAGE_ID", entry.MessageID)
	}
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
		_, _ = f.WriteString("<" + strconv.Itoa(level(p)) + ">" + cut(Line(p)) + "\n")
		if i == maxKernelLines {
			return
		}
	}
}

// maxKernelLine always fits into one record of the kernel log (1 KiB with its
// own header, printk.c: LOG_LINE_MAX).
const maxKernelLine = 900

func cut(line string) string {
	if len(line) <= maxKernelLine {
		return line
	}
	return strings.ToValidUTF8(line[:maxKernelLine], "") + "…"
}
