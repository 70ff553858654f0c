// SPDX-License-Identifier: Apache-2.0

// Package environ reads the environment files of the units in two ways: as
// systemd does, which expands nothing, and as a shell that sources them does,
// like JustNews' start scripts. It runs no shell and nothing that a file may
// name, and it judges nothing.
package environ

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"justnews/internal/envfile"
	"justnews/internal/facts"
	"justnews/internal/lists"
)

// Dir is the directory of the units' environment files.
const Dir = "/etc/justnews"

// Files reads every *.env file in Dir below root, global.env first: its
// variables are set when the others are sourced.
func Files(root string) []facts.EnvFile {
	names, _ := filepath.Glob(filepath.Join(root, Dir, "*.env"))
	var all []facts.EnvFile
	known := map[string]string{}
	for _, global := range []bool{true, false} {
		for _, name := range names {
			if (filepath.Base(name) == "global.env") != global {
				continue
			}
			seen := known
			if !global {
				seen = maps.Clone(known)
			}
			all = append(all, file(root, name, seen))
		}
	}
	return all
}

// Named reads the files that units name, patterns included, but for those that Files reads and
// those that do not exist.
func Named(root string, names []string) []facts.EnvFile {
	var all []facts.EnvFile
	for _, name := range names {
		if filepath.Dir(name) == Dir && strings.HasSuffix(name, ".env") {
			continue
		}
		paths, _ := filepath.Glob(filepath.Join(root, name))
		for _, path := range paths {
			f := file(root, path, map[string]string{})
			f.Shell, f.ShellError, f.ErrorLine, f.Commands = f.Systemd, "", 0, nil // no script sources it
			all = append(all, f)
		}
	}
	return all
}

// file reads one file; known are the variables that a shell has by then; those
// of the file are added.
func file(root, name string, known map[string]string) facts.EnvFile {
	f := facts.EnvFile{Path: strings.TrimPrefix(name, root)}
	text, err := envfile.Text(name)
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Denied = true
		return f
	case err != nil:
		f.Err = err.Error()
		return f
	}
	detail, err := envfile.Details(text)
	if err != nil {
		f.Lost = err.Error()
		return f
	}
	f.Mark, f.Bare, f.Open = strings.HasPrefix(text, "\ufeff"), detail.Bare, detail.Open
	f.Systemd = lists.Map(detail.Assignments, func(a envfile.Assignment) facts.EnvVar {
		return facts.EnvVar{Name: a.Name, Value: a.Value, Line: a.Line}
	})
	source(&f, text, known)
	return f
}

// maxShell limits the text that is parsed as shell code, in bytes: the parser recurses,
// and a file full of parentheses must not crash the program.
const maxShell = 128 << 10

// carriageReturn stands for one while a file is parsed: a character for private
// use.
const carriageReturn = "\uE00D"

// source does what "set -a; . FILE" does in bash for assignments; commands are
// reported and not run.
func source(f *facts.EnvFile, text string, known map[string]string) {
	if len(text) > maxShell {
		f.ShellError = "it is longer than 128 KiB"
		return
	}
	// The parser drops the carriage return of a line that ends in two characters,
	// bash keeps it as a part of the value.
	text = strings.ReplaceAll(text, "\r", carriageReturn)
	parsed, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		f.ShellError = err.Error()
		if p, ok := errors.AsType[syntax.ParseError](err); ok {
			f.ShellError, f.ErrorLine = p.Text, line(p.Pos)
		}
		return
	}
	for _, statement := range parsed.Stmts {
		if statement.Background || statement.Negated || len(statement.Redirs) > 0 {
			// An & in a URL: the assignment happens in a subshell.
			f.Commands = append(f.Commands, line(statement.Pos()))
			continue
		}
		switch c := statement.Cmd.(type) {
		case *syntax.CallExpr:
			if len(c.Assigns) == 0 && len(c.Args) == 1 && c.Args[0].Lit() == carriageReturn {
				continue // an empty line: a command that bash does not find
			}
			if len(c.Args) > 0 {
				// NAME=a b: the variable is only set for the command.
				f.Commands = append(f.Commands, line(c.Args[0].Pos()))
				continue
			}
			f.Shell = append(f.Shell, assign(c.Assigns, known)...)
		case *syntax.DeclClause: // export, declare, …
			f.Shell = append(f.Shell, assign(c.Args, known)...)
		default:
			f.Commands = append(f.Commands, line(statement.Pos()))
		}
	}
}

func assign(assigns []*syntax.Assign, known map[string]string) []facts.EnvVar {
	var all []facts.EnvVar
	for _, a := range assigns {
		if a.Name == nil || a.Naked {
			continue
		}
		v := facts.EnvVar{Name: a.Name.Value, Line: line(a.Pos())}
		if a.Array != nil {
			v.Why = "reads an array"
		} else {
			v.Value, v.Why = value(a.Value, known)
			if before, ended := strings.CutSuffix(v.Value, carriageReturn); ended {
				v.Value, v.Why = before+"\r", "keeps the carriage return at the end of the line (the file has Windows line endings: dos2unix)"
			}
		}
		if a.Append {
			v.Value = known[v.Name] + v.Value
			v.Why = "appends (+=)"
		}
		known[v.Name] = v.Value
		all = append(all, v)
	}
	return all
}

// value expands a word, and returns what only a shell understands in it.
func value(word *syntax.Word, known map[string]string) (text, why string) {
	if word == nil {
		return "", ""
	}
	why = construct(word)
	// An assignment is neither split nor globbed: no IFS, and no directories to
	// read. Braces are not expanded either, and have to be restored.
	environ := []string{"IFS="}
	for name, value := range known {
		environ = append(environ, name+"="+value)
	}
	fields, err := expand.Fields(&expand.Config{Env: expand.ListEnviron(environ...)}, word)
	switch {
	case err != nil && why == "":
		why = "contains something that cannot be evaluated without running it"
	case len(fields) > 1:
		text, _ = expand.Literal(&expand.Config{Env: expand.ListEnviron(environ...)}, word)
		return text, why
	}
	return strings.Join(fields, ""), why
}

// construct returns the first part of a word that systemd takes literally.
func construct(word *syntax.Word) string {
	why := ""
	syntax.Walk(word, func(node syntax.Node) bool {
		if why != "" {
			return false
		}
		switch n := node.(type) {
		case *syntax.ParamExp:
			why = "expands ${" + n.Param.Value + "…}"
			if n.Short {
				why = "expands $" + n.Param.Value
			}
		case *syntax.CmdSubst:
			why = "runs a command for its output"
		case *syntax.ArithmExp:
			why = "computes"
		}
		return true
	})
	if lit, ok := word.Parts[0].(*syntax.Lit); ok && why == "" && strings.HasPrefix(lit.Value, "~") {
		why = "expands ~"
	}
	return why
}

func line(p syntax.Pos) int { return int(p.Line()) }
