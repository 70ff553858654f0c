// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"justnews/internal/check/host"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/test/findings"
)

func TestEnvironment_WindowsLineEndsAreReportedOncePerFile(t *testing.T) {
	f := facts.EnvFile{Path: "/etc/justnews/global.env"}
	for n, name := range []string{"A", "B", "C"} {
		f.Systemd = append(f.Systemd, facts.EnvVar{Name: name, Value: "1", Line: n + 1})
		f.Shell = append(f.Shell, facts.EnvVar{Name: name, Value: "1\r", Line: n + 1, Why: "keeps the carriage return"})
	}
	problems := host.EnvFile(f)
	if len(problems) != 1 || problems[0].Code != diag.EnvDiffers || !strings.Contains(problems[0].Seen, "carriage return") {
		t.Errorf("%v", problems)
	}
}

func TestEnvUnused_FileWithAMisspeltNameIsReported(t *testing.T) {
	instances := []string{"scout", "fact_checker"}
	for name, c := range map[string]struct {
		files, named []string
		want         string // the name that was meant, "": no finding
	}{
		"the files of units":    {files: []string{"global", "scout", "fact_checker"}},
		"two letters swapped":   {files: []string{"scuot"}, want: "scout"},
		"another sign":          {files: []string{"fact-checker"}, want: "fact_checker"},
		"upper case":            {files: []string{"Global"}, want: "global"},
		"a copy":                {files: []string{"scout", "scout2"}},
		"another program's":     {files: []string{"database"}},
		"a unit names it":       {files: []string{"scuot"}, named: []string{"/etc/justnews/scuot.env"}},
		"a pattern of a unit's": {files: []string{"scuot"}, named: []string{"/etc/justnews/sc*.env"}},
		"a pattern for others":  {files: []string{"scuot"}, named: []string{"/etc/justnews/x*.env"}, want: "scout"},
	} {
		var files []facts.EnvFile
		for _, f := range c.files {
			files = append(files, facts.EnvFile{Path: "/etc/justnews/" + f + ".env"})
		}
		problems := host.EnvUnused(files, instances, c.named)
		if len(problems) > 1 || (len(problems) == 1) != (c.want != "") {
			t.Errorf("%s: %v", name, problems)
			continue
		}
		for _, p := range problems {
			findings.Sound(t, p)
			if p.Code != diag.EnvUnused || p.Severity != diag.Warning || !strings.Contains(p.Fix.String(), "mv -n -- "+files[0].Path+" /etc/justnews/"+c.want+".env") {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
}

func TestEnvFile_NamesEachLineThatTheReadersTakeDifferently(t *testing.T) {
	vars := func(all ...facts.EnvVar) []facts.EnvVar { return all }
	for name, c := range map[string]struct {
		file facts.EnvFile
		want []string // code, line and evidence
	}{
		"nothing":           {facts.EnvFile{}, nil},
		"not for this user": {facts.EnvFile{Denied: true, Err: "permission denied"}, nil},
		"unreadable":        {facts.EnvFile{Err: "is a directory"}, []string{"ENV-UNREADABLE:0 is a directory"}},
		"lost":              {facts.EnvFile{Lost: "a NUL byte", Bare: []int{1}}, []string{"ENV-UNREADABLE:0 a NUL byte"}},
		"a quote": {facts.EnvFile{Open: 3, ShellError: "no closing quote", Systemd: vars(facts.EnvVar{Name: "A", Value: "1", Line: 1})},
			[]string{"ENV-SYNTAX:3 an unterminated quote"}},
		"a quote that a shell does not mind": {facts.EnvFile{Open: 3, Systemd: vars(facts.EnvVar{Name: "A", Value: "1", Line: 1})},
			[]string{"ENV-SYNTAX:3 an unterminated quote"}},
		"what a shell does not take": {facts.EnvFile{ShellError: "a stray )", ErrorLine: 2, Systemd: vars(facts.EnvVar{Name: "A", Value: "1", Line: 1})},
			[]string{"ENV-SYNTAX:2 a stray )"}},
		"a line with two faults": {facts.EnvFile{Bare: []int{1}, Commands: []int{1, 2}},
			[]string{"ENV-SYNTAX:1 a bare word, or no name", "ENV-SYNTAX:2 a space outside quotes, or one of & ; | < >"}},
		"one value":            {facts.EnvFile{Systemd: vars(facts.EnvVar{Name: "A", Value: "1", Line: 1}), Shell: vars(facts.EnvVar{Name: "A", Value: "1", Line: 1})}, nil},
		"a byte order mark":    {facts.EnvFile{Mark: true, Bare: []int{1}}, []string{"ENV-SYNTAX:1 U+FEFF"}},
		"too long for a shell": {facts.EnvFile{ShellError: "it is longer than 128 KiB"}, []string{"ENV-SYNTAX:0 it is longer than 128 KiB"}},
		"a home directory":     {facts.EnvFile{Systemd: vars(facts.EnvVar{Name: "A", Value: "~/x", Line: 1}), Shell: vars(facts.EnvVar{Name: "A", Value: "~/x", Line: 1, Why: "expands ~"})}, []string{"ENV-DIFFERS:1 only a shell expands ~"}},
		"the last one counts": {facts.EnvFile{
			Systemd: vars(facts.EnvVar{Name: "A", Value: "0", Line: 1}, facts.EnvVar{Name: "A", Value: "1", Line: 2}),
			Shell:   vars(facts.EnvVar{Name: "A", Value: "x", Line: 1}, facts.EnvVar{Name: "A", Value: "1", Line: 2}),
		}, nil},
		"two values": {facts.EnvFile{
			Systemd: vars(facts.EnvVar{Name: "A", Value: "$X", Line: 1}, facts.EnvVar{Name: "B", Value: `\\`, Line: 2}, facts.EnvVar{Name: "C", Value: "$Y", Line: 3}, facts.EnvVar{Name: "D", Line: 4}),
			Shell: vars(facts.EnvVar{Name: "A", Value: "", Line: 1, Why: "expands $X"}, facts.EnvVar{Name: "B", Value: `\`, Line: 2},
				facts.EnvVar{Name: "C", Value: "", Line: 3, Why: "expands $Y"}),
		}, []string{
			"ENV-DIFFERS:1 only a shell expands $X", "ENV-DIFFERS:2 they interpret a backslash, a quote or a comment differently",
			"ENV-DIFFERS:3 only a shell expands $Y", "ENV-DIFFERS:4 a shell does not set it",
		}},
		"an exported one": {facts.EnvFile{Systemd: vars(facts.EnvVar{Name: "export A", Value: "1", Line: 1}), Shell: vars(facts.EnvVar{Name: "A", Value: "1", Line: 1})},
			[]string{"ENV-SYNTAX:1 export"}},
	} {
		c.file.Path = "/etc/justnews/global.env"
		var got []string
		for _, p := range host.EnvFile(c.file) {
			findings.Sound(t, p)
			got = append(got, fmt.Sprintf("%s:%d %s", p.Code, p.Position.Line, p.Seen))
			at := "correct /etc/justnews/global.env"
			if p.Position.Line > 0 {
				at = fmt.Sprintf("correct line %d of /etc/justnews/global.env", p.Position.Line)
			}
			if !strings.HasPrefix(p.Fix.String(), at) {
				t.Errorf("%s: %s", name, p.Fix)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// systemd's env_name_is_valid().
func TestEnvFile_NamesOfVariablesAreSystemds(t *testing.T) {
	for name, valid := range map[string]bool{
		"A": true, "a": true, "z": true, "Z": true, "_": true, "A0": true, "A9": true, "azAZ_09": true,
		"": false, "0": false, "9A": false, "A-B": false, "A B": false, "A/": false, "A:": false, "A@": false, "A[": false, "A`": false, "A{": false, "\u00c4": false,
	} {
		v := []facts.EnvVar{{Name: name, Value: "1", Line: 1}}
		if got := host.EnvFile(facts.EnvFile{Path: "/e", Systemd: v, Shell: v}); (len(got) == 0) != valid {
			t.Errorf("%q: %v", name, got)
		}
		u := facts.Unit{EnvironmentFiles: []string{"/e"}}
		if got := host.Environment(u, []facts.EnvFile{{Path: "/e", Systemd: v}}); (len(got) == 1) != valid {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestEnvironment_FilesBeatTheUnitInItsOrder(t *testing.T) {
	u := facts.Unit{Environment: []string{"A=unit", "B=unit"}, EnvironmentFiles: []string{"/1", "/2"}}
	set := func(path, value string) facts.EnvFile {
		return facts.EnvFile{Path: path, Systemd: []facts.EnvVar{{Name: "A", Value: value}}, Shell: []facts.EnvVar{{Name: "A", Value: value + " of a shell"}}}
	}
	files := []facts.EnvFile{set("/2", "two"), set("/other", "other"), set("/1", "one")}
	if got := host.Environment(u, files); got["A"] != "two" || got["B"] != "unit" {
		t.Errorf("%v", got)
	}
	if got := host.Sourced(u, files); got["A"] != "two of a shell" || got["B"] != "unit" {
		t.Errorf("%v", got)
	}
}

func TestEnvFile_PatternAppliesToEveryFileThatMatches(t *testing.T) {
	of := func(path, value string) facts.EnvFile {
		return facts.EnvFile{Path: path, Systemd: []facts.EnvVar{{Name: "A", Value: value, Line: 1}}}
	}
	files := []facts.EnvFile{of("/e/b.env", "b"), of("/e/a.env", "a"), of("/f/c.env", "c"), of("/e/[x].env", "x")}
	for pattern, want := range map[string]string{"/e/*.env": "b", "/e/a.*": "a", "/f/*.env": "c", "/e/[x].env": "x", "/g/*.env": ""} {
		if got := host.Environment(facts.Unit{EnvironmentFiles: []string{pattern}}, files)["A"]; got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}
