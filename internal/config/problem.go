// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"justnews/internal/diag"
)

func missing(src Source) diag.Problem {
	p := diag.Problem{
		Code:     diag.ConfigMissing,
		Message:  "no justnews.toml below /etc/justnews, /run/justnews or /usr/lib/justnews",
		Expected: "/etc/justnews/justnews.toml",
		Fix:      diag.CopyExample(),
	}
	if src.File != "" {
		p.Position = &diag.Position{File: src.File}
		p.Message, p.Expected = "there is no such file", "a configuration file"
		p.Fix = diag.Advise("name a file that exists with --config")
	}
	return p
}

func unreadable(name, what string, err error) diag.Problem {
	p := diag.Problem{
		Code:     diag.ConfigUnreadable,
		Position: &diag.Position{File: name},
		Message:  what,
		Expected: "a regular file of at most 1 MiB that can be read",
		Fix:      diag.Advise("replace it with a regular file or remove it", diag.Reload()).Looking(diag.Run("ls", "-ld", "--", name)),
	}
	if err != nil {
		p.Seen = reason(err)
		p.Message += ": " + p.Seen
	}
	return p
}

// moreProblems reports that the list was cut.
func moreProblems(n int, docs []*document) diag.Problem {
	p := diag.Problem{
		Code:    diag.ConfigValue,
		Message: diag.Count(n, "more problem") + " not shown",
		Fix:     diag.Advise("correct those above", diag.Reload()),
	}
	if len(docs) > 0 {
		p.Position = &diag.Position{File: docs[0].path, Line: 1, Column: 1}
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

// sortProblems orders by file, line and column; problems without a place come
// first.
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
			cmp.Compare(pa.File, pb.File), cmp.Compare(pa.Line, pb.Line), cmp.Compare(pa.Column, pb.Column),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
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
