// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/spell"
	"justnews/internal/unitfile"
)

// bothReadings is the syntax of an environment file that systemd and a
// shell read the same way.
const bothReadings = `NAME=value, quoted if it contains spaces; no $, no backslash, no "export", no comment after it`

// EnvFile judges one environment file of the units: systemd reads it for
// EnvironmentFile=, and the start scripts source it. No value is ever shown.
func EnvFile(f facts.EnvFile) []diag.Problem {
	switch {
	case f.Denied:
		return nil // nothing is known: the caller says so
	case f.Err != "":
		return []diag.Problem{envProblem(f, diag.EnvUnreadable, 0, "the environment file cannot be read", f.Err, "a regular file")}
	case f.Lost != "":
		return []diag.Problem{envProblem(f, diag.EnvUnreadable, 0, "systemd ignores this whole environment file", f.Lost, "text in UTF-8")}
	}
	e := envReader{file: f, said: map[int]bool{}}
	if f.Mark {
		e.add(diag.Warning, diag.EnvSyntax, 1, "systemd ignores the first line: the file begins with a byte order mark", "U+FEFF")
	}
	e.names()
	e.syntax()
	e.differences()
	return e.problems
}

type envReader struct {
	file     facts.EnvFile
	said     map[int]bool
	problems []diag.Problem
}

func (e *envReader) add(severity diag.Severity, code diag.Code, line int, message, seen string) {
	if e.said[line] {
		return
	}
	e.said[line] = true
	p := envProblem(e.file, code, line, message, seen, bothReadings)
	p.Severity = severity
	e.problems = append(e.problems, p)
}

func envProblem(f facts.EnvFile, code diag.Code, line int, message, seen, expected string) diag.Problem {
	where := diag.Bare(f.Path)
	if line > 0 {
		where = fmt.Sprintf("line %d of %s", line, diag.Bare(f.Path))
	}
	return diag.Found(code, "", message, diag.Clean(seen), expected, diag.Advise("correct "+where, diag.Reload())).At(f.Path, line, 0)
}

func (e *envReader) syntax() {
	f := e.file
	switch {
	case f.Open > 0:
		e.add(diag.Error, diag.EnvSyntax, f.Open, "an unterminated quote: systemd reads the rest of the file as one value", "an unterminated quote")
	case f.ShellError != "" && f.ErrorLine == 0:
		e.add(diag.Notice, diag.EnvSyntax, 0, "how a shell reads the file is not checked", f.ShellError)
	case f.ShellError != "":
		e.add(diag.Error, diag.EnvSyntax, f.ErrorLine, "a shell cannot parse the file, so a start script that sources it fails here", f.ShellError)
	}
	for _, line := range f.Bare {
		e.add(diag.Warning, diag.EnvSyntax, line, "systemd ignores the line: it is not NAME=value", "a bare word, or no name")
	}
	for _, line := range f.Commands {
		e.add(diag.Warning, diag.EnvSyntax, line, "a shell runs part of the line as a command, systemd reads it as part of the value", "a space outside quotes, or one of & ; | < >")
	}
}

// EnvUnused judges whether units read the environment files: global.env, those of the
// instances, and those that units name, as paths or patterns. A file whose name resembles none of these, or one that
// exists as well, may be for other programs, or a copy.
func EnvUnused(files []facts.EnvFile, instances, named []string) []diag.Problem {
	instances = append(slices.Clone(instances), "global")
	var problems []diag.Problem
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f.Path), ".env")
		near, ok := spell.Nearest(name, instances)
		meant := path.Join(path.Dir(f.Path), near+".env")
		there := slices.ContainsFunc(files, func(f facts.EnvFile) bool { return f.Path == meant })
		if !ok || there || slices.Contains(instances, name) || slices.ContainsFunc(named, func(setting string) bool { return names(setting, f.Path) }) {
			continue
		}
		problems = append(problems, diag.Found(diag.EnvUnused, f.Path, "no unit reads this environment file; did you mean "+near+".env?",
			path.Base(f.Path), "global.env, or the name of an instance", diag.Do(diag.Run("mv", "-n", "--", f.Path, meant), diag.Reload())).As(diag.Warning))
	}
	return problems
}

// names finds what systemd omits from a service's environment.
func (e *envReader) names() {
	for _, v := range e.file.Systemd {
		switch rest, exported := strings.CutPrefix(v.Name, "export "); {
		case exported && unitfile.CheckVariable(strings.TrimSpace(rest)) == nil:
			e.add(diag.Warning, diag.EnvSyntax, v.Line, "systemd ignores the variable "+strings.TrimSpace(rest)+": it does not support export", "export")
		case unitfile.CheckVariable(v.Name) != nil:
			e.add(diag.Warning, diag.EnvSyntax, v.Line, "systemd ignores the line: the text before the equals sign is not a variable name", "a name that is not letters, digits and _")
		}
	}
}

// differences compares the results of the two readers.
func (e *envReader) differences() {
	if e.file.ShellError != "" || e.file.Open > 0 {
		return
	}
	systemd, shell := lastOf(e.file.Systemd), lastOf(e.file.Shell)
	said := false // of line ends, which are those of the whole file
	for _, v := range e.file.Systemd {
		if v != systemd[v.Name] {
			continue // a later one counts
		}
		other, set := shell[v.Name]
		switch {
		case set && other.Value == v.Value && other.Why == "": // ~ stands for a home that is not known here
		case set && strings.HasSuffix(other.Value, "\r"):
			if !said {
				e.differ(v.Line, v.Name, "only a shell "+other.Why)
			}
			said = true
		case set && other.Why != "":
			e.differ(v.Line, v.Name, "only a shell "+other.Why)
		case set:
			e.differ(v.Line, v.Name, "they interpret a backslash, a quote or a comment differently")
		default:
			e.differ(v.Line, v.Name, "a shell does not set it")
		}
	}
}

func (e *envReader) differ(line int, name, why string) {
	e.add(diag.Warning, diag.EnvDiffers, line, "systemd and a shell read different values of "+name, why)
}

func lastOf(vars []facts.EnvVar) map[string]facts.EnvVar {
	last := map[string]facts.EnvVar{}
	for _, v := range vars {
		last[v.Name] = v
	}
	return last
}

// Sourced returns the variables of a program that is started by systemd and then sources
// the files: the shell's reading, if there is one.
func Sourced(u facts.Unit, files []facts.EnvFile) map[string]string {
	return environment(u, files, func(f facts.EnvFile) []facts.EnvVar { return slices.Concat(f.Systemd, f.Shell) })
}

// Environment returns the variables of a unit as systemd sets them:
// environment files beat Environment=, a later file an earlier one, and UnsetEnvironment= all.
// EnvironmentFile= may be a pattern.
func Environment(u facts.Unit, files []facts.EnvFile) map[string]string {
	return environment(u, files, func(f facts.EnvFile) []facts.EnvVar { return f.Systemd })
}

func environment(u facts.Unit, files []facts.EnvFile, reading func(facts.EnvFile) []facts.EnvVar) map[string]string {
	all := u.Variables()
	files = slices.SortedFunc(slices.Values(files), func(a, b facts.EnvFile) int { return strings.Compare(a.Path, b.Path) })
	for _, name := range u.EnvironmentFiles {
		for _, f := range files {
			if !names(name, f.Path) {
				continue
			}
			for _, v := range reading(f) {
				if unitfile.CheckVariable(v.Name) == nil {
					all[v.Name] = v.Value
				}
			}
		}
	}
	u.RemoveUnset(all)
	return all
}

// names reports whether EnvironmentFile= names a file, by its path or a pattern.
func names(setting, file string) bool {
	matches, _ := filepath.Match(setting, file)
	return matches || setting == file
}
