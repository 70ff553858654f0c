// SPDX-License-Identifier: Apache-2.0

package completion_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"justnews/internal/completion"
)

var update = flag.Bool("update", false, "rewrite the expected scripts")

// line has one of everything that a command line of ours can have.
type line struct {
	File   string `name:"config" placeholder:"FILE" help:"Read only this file."`
	Color  string `enum:"auto,always,never" default:"auto" short:"c" placeholder:"WHEN" help:"It's [a] colour: auto, \\ or never."`
	Quiet  bool   `short:"q" negatable:"" help:"Say less."`
	Secret bool   `hidden:""`

	Check struct {
		Timeout string `placeholder:"TIME" help:"How long."`
	} `cmd:"" default:"withargs" help:"Check the host."`
	Gate struct {
		Instance string `arg:""`
		Code     string `arg:"" optional:""`
	} `cmd:"" help:"One gate."`
	Config struct {
		Show struct {
			Origin bool `help:"Name the lines."`
		} `cmd:"" help:"Show it."`
		Verify struct {
			Instance []string `arg:"" optional:""`
		} `cmd:"" help:"Verify it."`
	} `cmd:"" help:"The configuration."`
	Inner struct{} `cmd:"" hidden:""`
}

func script(t *testing.T, shell string) string {
	t.Helper()
	return scriptWith(t, shell, "printf '%s\\n' memory scout")
}

// scriptWith has a command that names the instances.
func scriptWith(t *testing.T, shell, names string) string {
	t.Helper()
	parser, err := kong.New(new(line), kong.Name("try-it"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := completion.Script(shell, parser.Model, map[string]completion.Values{
		"INSTANCE": {Command: names},
		"CODE":     {Words: []string{"MODEL-FAILED", "MODEL-MISSING"}},
		"FILE":     {Files: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func shellOrSkip(t *testing.T, shell string) {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skip("there is no " + shell)
	}
}

var shells = []string{"bash", "zsh", "fish"}

func TestCompletion_ScriptsAreTheExpectedOnes(t *testing.T) {
	for _, shell := range shells {
		got, name := script(t, shell), filepath.Join("testdata", "try-it."+shell)
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: -want +got (-update writes them)\n%s", shell, diff)
		}
	}
}

func TestCompletion_EachShellReadsItsScript(t *testing.T) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			shellOrSkip(t, shell)
			name := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(name, []byte(script(t, shell)), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), shell, "-n", name).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s -n: %v\n%s", shell, err, out)
			}
		})
	}
}

func TestCompletion_UnknownShellIsAnError(t *testing.T) {
	parser, err := kong.New(new(line))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := completion.Script("tcsh", parser.Model, nil); err == nil {
		t.Error("there is a script for tcsh")
	}
}

func TestCompletion_FlagWithTwoMeaningsIsAnError(t *testing.T) {
	parser, err := kong.New(new(struct {
		One struct{ All bool }   `cmd:""`
		Two struct{ All string } `cmd:""`
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := completion.Script("bash", parser.Model, nil); err == nil {
		t.Error("--all takes a value in one command and none in another, and nothing is said")
	}
}

// completions returns everything that bash and fish offer.
var completions = []struct{ line, want string }{
	{"try-it g", "gate"},
	{"try-it ", "check config gate"},
	{"try-it --color ", "always auto never"},
	{"try-it -c n", "never"},
	{"try-it -c never g", "gate"},
	{"try-it --config gate con", "config"},
	{"try-it --no-q", "--no-quiet"},
	{"try-it --ti", "--timeout"},
	{"try-it config ", "show verify"},
	{"try-it -q config s", "show"},
	{"try-it config show --or", "--origin"},
	{"try-it gate --or", ""},
	{"try-it gate ", "memory scout"},
	{"try-it gate s", "scout"},
	{"try-it gate scout MODEL-M", "MODEL-MISSING"},
	{"try-it gate scout MODEL-MISSING ", ""},
	{"try-it config verify scout memory s", "scout"},
	{"try-it in", ""},
	{"try-it --sec", ""},
}

func TestCompletion_Bash(t *testing.T) {
	shellOrSkip(t, "bash")
	const ask = `
compopt() { :; }
while IFS= read -r line; do
	read -ra COMP_WORDS <<<"$line"
	[[ $line == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_try_it
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
done`
	compare(t, "bash", script(t, "bash")+ask)
}

func TestCompletion_Fish(t *testing.T) {
	shellOrSkip(t, "fish")
	const ask = `
while read -l line
	echo (complete -C $line | string replace -r '\t.*' '' | sort)
end`
	compare(t, "fish", script(t, "fish")+ask)
}

// compare has a shell answer every line on one line.
func compare(t *testing.T, shell, text string) {
	t.Helper()
	var lines strings.Builder
	for _, c := range completions {
		lines.WriteString(c.line + "\n")
	}
	cmd := exec.CommandContext(t.Context(), shell, "-c", text)
	cmd.Stdin = strings.NewReader(lines.String())
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || said.Len() > 0 {
		t.Fatalf("%v\n%s", err, said.String())
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(got) != len(completions) {
		t.Fatalf("%d answers to %d lines:\n%s", len(got), len(completions), out)
	}
	for i, c := range completions {
		if got[i] != c.want {
			t.Errorf("%q offers %q, want %q", c.line, got[i], c.want)
		}
	}
}

// A name comes from a file that anybody may have written. Pressing tab must not run its
// text, and neither must running a line with the completed word.
func TestCompletion_CompletedNameIsNotExecuted(t *testing.T) {
	for shell, ask := range map[string]string{
		"bash": "\ncompopt() { :; }\nCOMP_WORDS=(try-it gate z); COMP_CWORD=2; _try_it; printf '%s\\n' \"${COMPREPLY[@]}\"\neval \"printf '%s\\n' ${COMPREPLY[*]}\"\n",
		"fish": "\ncomplete -C 'try-it gate z'\n",
		"zsh":  "compadd() { shift; print -rl -- \"$@\" }\neval '",
	} {
		t.Run(shell, func(t *testing.T) {
			shellOrSkip(t, shell)
			dir := t.TempDir()
			names := filepath.Join(dir, "names")
			const name = "z$(touch ran)`touch ran`;touch ran;\"'\\"
			if err := os.WriteFile(names, []byte("#!/bin/sh\ncat <<'E'\n"+name+"\nE\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			text := scriptWith(t, shell, names) + ask
			if shell == "zsh" { // all but the action needs a terminal
				_, action, _ := strings.Cut(text, "{compadd")
				action, _, _ = strings.Cut(action, "}'")
				text = ask + "compadd" + action + "'"
			}
			cmd := exec.CommandContext(t.Context(), shell, "-c", text)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), name) {
				t.Errorf("%v: %s", err, out)
			}
			if _, err := os.Lstat(filepath.Join(dir, "ran")); err == nil {
				t.Error("a name was run")
			}
		})
	}
}

// zsh completes only on a terminal: it gets one, and is asked for its line after a tab.
func TestCompletion_Zsh(t *testing.T) {
	shellOrSkip(t, "zsh")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "_try-it"), []byte(script(t, "zsh")), 0o644); err != nil {
		t.Fatal(err)
	}
	const ask = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=($DIR $fpath); autoload -Uz compinit; compinit -u -D; tell() { print -r -- "<$BUFFER>"; BUFFER=; }; zle -N tell; bindkey "^X" tell; bindkey "^I" complete-word; setopt no_beep; try-it() { :; }; print -r -- "<rea""dy>"'
until zpty -r z line '*<ready>*'; do :; done
while IFS= read -r ask; do
	zpty -w -n z "$ask"$'\t\x18'
	zpty -r z answer '*<*>*'
	print -r -- "${${answer##*<}%%>*}"
done
zpty -d z`
	table := []struct{ line, want string }{
		{"try-it g", "try-it gate "},
		{"try-it conf", "try-it config "},
		{"try-it -c n", "try-it -c never "},
		{"try-it --color=al", "try-it --color=always "},
		{"try-it -q config sh", "try-it -q config show "},
		{"try-it config show --or", "try-it config show --origin "},
		{"try-it gate sc", "try-it gate scout "},
		{"try-it gate scout MODEL-F", "try-it gate scout MODEL-FAILED "},
		{"try-it config verify scout memory s", "try-it config verify scout memory scout "},
		{"try-it inn", "try-it inn"},
	}
	var lines strings.Builder
	for _, c := range table {
		lines.WriteString(c.line + "\n")
	}
	cmd := exec.CommandContext(t.Context(), "zsh", "-f", "-c", ask)
	cmd.Stdin = strings.NewReader(lines.String())
	cmd.Env = append(os.Environ(), "DIR="+dir, "TERM=dumb", "HOME="+dir)
	out, err := cmd.CombinedOutput()
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(got) != len(table) {
		t.Fatalf("%d answers to %d lines: %v\n%s", len(got), len(table), err, out)
	}
	for i, c := range table {
		if strings.TrimRight(got[i], " ") != strings.TrimRight(c.want, " ") {
			t.Errorf("%q becomes %q, want %q", c.line, got[i], c.want)
		}
	}
}
