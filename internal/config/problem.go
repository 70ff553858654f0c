// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"justnews/internal/diag"
	"justnews/internal/safefile"
	"justnews/internal/timespan"
)

func missing(src Source) diag.Problem {
	if src.File != "" {
		return inFile(diag.ConfigMissing, src.File, "there is no such file", "", "a configuration file", diag.Advise("name a file that exists with --config"))
	}
	return diag.Found(diag.ConfigMissing, "", "no justnews.toml below /etc/justnews, /run/justnews or /usr/lib/justnews",
		"", "/etc/justnews/justnews.toml", diag.CopyExample())
}

// inFile is the problem of a whole file or directory.
func inFile(code diag.Code, name, message, seen, expected string, fix diag.Fix) diag.Problem {
	return diag.Found(code, "", message, seen, expected, fix).At(name, 0, 0)
}

func ignored(src Source, dir string, names []string, weight diag.Severity) []diag.Problem {
	if len(names) == 0 {
		return nil
	}
	const most = 10
	which := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		which += fmt.Sprintf(" and %d more", more)
	}
	return []diag.Problem{inFile(diag.ConfigIgnored, dir, "files that are not read because of their names: "+which, "", "names that end in .toml and do not begin with a dot",
		diag.Advise("rename files that are to be read to NAME.toml, and remove the others", diag.Reload()).Looking(diag.Run("ls", "-la", "--", src.shown(dir)))).As(weight)}
}

func noRoot(src Source, err error) diag.Problem {
	p := inFile(diag.ConfigUnreadable, src.Root, "is not a directory", "", aDirectory, diag.Advise("name a directory that exists with --root"))
	if err != nil {
		p.Seen = reason(err)
		p.Message = "cannot be used as the root directory: " + p.Seen
	}
	return p
}

// What has to be where a configuration is read from.
const (
	aFile      = "a regular file of at most 1 MiB"
	aDirectory = "a directory"
)

// notTheFiles are errors of the process, the disk or the network.
var notTheFiles = []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EIO, unix.ESTALE, unix.ETIMEDOUT, unix.ENOTCONN}

func (s Source) unreadable(name, expected, what string, err error) diag.Problem {
	advice := "replace it with " + expected + " or remove it"
	switch {
	case name == s.File:
		advice = "name a readable file with --config"
	case errors.Is(err, fs.ErrPermission):
		advice = "make it readable for all users, with the directories above it, or run this as root"
	case slices.ContainsFunc(notTheFiles, func(e error) bool { return errors.Is(err, e) }):
		advice = "find out why the system cannot read it: the file itself may be intact"
	}
	p := inFile(diag.ConfigUnreadable, name, what, "", expected+" that can be read",
		diag.Advise(advice, diag.Reload()).Looking(diag.Run("ls", "-ld", "--", s.shown(name))))
	if _, searchable := os.Stat(s.shown(name)); errors.Is(err, fs.ErrPermission) && searchable == nil && name != s.File {
		p.Fix = diag.Do(diag.Run("chmod", "a+rX", "--", s.shown(name)), diag.Reload())
	}
	if err != nil {
		p.Seen = reason(err)
		p.Message += ": " + p.Seen
	}
	return p
}

// moreProblems reports that the list was cut.
func moreProblems(n int, docs []*document) diag.Problem {
	p := diag.New(diag.ConfigValue, "", diag.Count(n, "more problem")+" not shown",
		diag.Advise("correct those above", diag.Reload()))
	if len(docs) > 0 {
		p = p.At(docs[0].path, 1, 1)
	}
	return p
}

// reason is the system's error without the path, which is in the position.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// sortProblems puts what keeps the gates shut first, and orders by file, line and
// column; problems without a place come first.
func sortProblems(problems []diag.Problem) {
	slices.SortStableFunc(problems, func(a, b diag.Problem) int {
		var pa, pb diag.Position
		if a.Position != nil {
			pa = *a.Position
		}
		if b.Position != nil {
			pb = *b.Position
		}
		return cmp.Or(
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(pa.File, pb.File), cmp.Compare(pa.Line, pb.Line), cmp.Compare(pa.Column, pb.Column),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
		)
	})
}

// quoteList writes names as "a", "b" or "c".
func quoteList(names []string) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
	}
	return b.String()
}

func (c *checker) refuse(code diag.Code, v any, message, expected, fix string) {
	if len(c.problems) >= maxProblems {
		c.more++
		return
	}
	c.markBad(c.path)
	if last := c.path[len(c.path)-1]; strings.HasPrefix(last, "[") {
		c.markBad(c.path[:len(c.path)-1])
	}
	name := dotted(c.path)
	c.report(code, atValue, name+" "+message, seenOf(v), expected, cmp.Or(fix, "correct the value of "+name))
}

func (c *checker) report(code diag.Code, w where, message, seen, expected, fix string) {
	c.state.report(c.doc, c.path, w, diag.Found(code, "", message,
		diag.Clean(seen), expected, diag.Advise(fix, diag.Reload())))
}

// maxProblems limits how many problems are reported: the generator has only seconds,
// and more would not be read.
const maxProblems = 1000

// report adds a problem with the place of a path in a document.
func (s *state) report(d *document, path []string, w where, p diag.Problem) {
	if len(s.problems) >= maxProblems {
		s.more++
		return
	}
	if d != nil {
		place := d.at(path)
		pos := place.Key
		if w == atValue {
			pos = place.Value
		}
		p = p.At(d.path, pos.Line, pos.Column)
		if d.dirty[pos.Line] && p.Code == diag.ConfigValue {
			return // its question marks were inserted by badBytes
		}
	}
	s.problems = append(s.problems, p)
}

// The rules for values that can also come from the environment and from flags.
// They are the same as in the file, except that redundant slashes in a path are
// allowed. Each error is an Expected.

// Expected is the error for a value without the expected form.
type Expected struct {
	Form string // the expected form
}

// Error returns what was expected.
func (e Expected) Error() string { return "expected " + e.Form }

// Timeout reads a timeout: whole seconds, from one second to one day.
func Timeout(s string) (time.Duration, error) {
	d, err := timespan.Seconds(s)
	if err != nil || d < time.Second || d > maxSpan*time.Second {
		return 0, Expected{"a duration in whole seconds from 1s to " + timespan.Format(maxSpan*time.Second) + ", such as 300, 300s or 5min"}
	}
	return d, nil
}

// ServerURL reads http://HOST:PORT and returns it without a trailing slash.
func ServerURL(s string) (string, error) {
	u, ok := serverURL(s)
	if !ok || !printed(s) {
		return "", Expected{formServerURL.expected()}
	}
	return u, nil
}

// Path reads an absolute path.
func Path(s string) (string, error) {
	if !strings.HasPrefix(s, "/") || !printed(s) {
		return "", Expected{"an absolute path"}
	}
	return path.Clean(s), nil
}

// PipeDirectory reads a path that CUDA_MPS_PIPE_DIRECTORY may have.
func PipeDirectory(s string) (string, error) {
	clean, err := Path(s)
	if err != nil || !pipePath(clean) {
		return "", Expected{fmt.Sprintf("an absolute path of at most %d bytes", maxPipe)}
	}
	return safefile.Canonical(clean), nil
}

func printed(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// ServiceKey writes the value of a key of [service] as TOML. ok is false for a
// text that the schema does not take.
func ServiceKey(key, value string) (toml string, ok bool) {
	f := find(serviceFields, key)
	switch f.kind {
	case integer:
		n, err := strconv.ParseInt(value, 10, 64)
		return literal(n), err == nil && n >= f.low && n <= f.high
	case span:
		d, err := timespan.Seconds(value)
		if _, bare := strconv.Atoi(value); bare == nil {
			value += "s"
		}
		return literal(value), err == nil && d >= time.Duration(f.low)*time.Second && d <= time.Duration(f.high)*time.Second
	case text:
		return literal(value), len(f.words) > 0 && slices.Contains(f.words, value) || f.form != nil && f.form.fits(value)
	}
	return "", false
}

// ExecWord reports whether service.exec may contain a word.
func ExecWord(s string) bool { return Printable(s) && placeholders(s) }

// Variable reports whether an instance's environment may set a variable.
func Variable(name string) bool {
	_, reserved := reservedVariable(name)
	return variableName(name) && !reserved
}

// Literal writes a string or a list of strings as TOML.
func Literal[T string | []string](v T) string { return literal(v) }
