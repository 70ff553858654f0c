// SPDX-License-Identifier: Apache-2.0

package completion_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"justnews/internal/completion"
)

// asProgram makes the test binary the program that the scripts call; it is also a
// file with the names that the program knows.
const asProgram = "JUSTNEWS_COMPLETION_NAMES"

func TestMain(m *testing.M) {
	names := os.Getenv(asProgram)
	if names == "" {
		os.Exit(m.Run())
	}
	at := slices.Index(os.Args, "--")
	if at != 2 || os.Args[1] != "candidates" {
		fmt.Println("called as", os.Args)
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "noise")
	for _, l := range completion.Lines(model(), os.Args[at+1:], map[string]completion.Values{
		"INSTANCE": {Names: func() ([]string, error) {
			text, err := os.ReadFile(names)
			if err != nil {
				return nil, err
			}
			return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
		}},
		"CODE": {Names: func() ([]string, error) { return []string{"MODEL-FAILED", "MODEL-MISSING"}, nil }},
		"FILE": {Shell: completion.Files},
		"DIR":  {Shell: completion.Directories},
	}) {
		fmt.Println(l)
	}
	os.Exit(64)
}

func model() *kong.Application {
	parser, err := kong.New(new(line), kong.Name("justnews-gate"))
	if err != nil {
		panic(err)
	}
	return parser.Model
}

// line has one of everything that a command line of ours can have.
type line struct {
	File   string `name:"config" placeholder:"FILE" help:"Read only this file."`
	Root   string `placeholder:"DIR" help:"Read below it."`
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
	text, err := completion.Script(shell)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// host is an empty directory with the program, which knows these names, and the environment
// in which a shell finds it.
func host(t *testing.T, names ...string) (dir string, env []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, bin, list := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "names")
	if err := os.Symlink(self, filepath.Join(bin, "justnews-gate")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, []byte(strings.Join(names, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C", "PATH="+bin+":"+os.Getenv("PATH"), asProgram+"="+list)
}

func shellOrSkip(t *testing.T, shell string) {
	t.Helper()
	if _, err := exec.LookPath(shell); err != nil {
		t.Skip("there is no " + shell)
	}
}

var shells = []string{"bash", "zsh", "fish"}

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
	if _, err := completion.Script("tcsh"); err == nil {
		t.Error("there is a script for tcsh")
	}
}

// completions are lines in a directory with the file data and the directory docs, and
// what every shell offers for the last word.
var completions = []struct{ line, want string }{
	{"justnews-gate g", "gate"},
	{"justnews-gate ", "check config gate"},
	{"justnews-gate conf", "config"},
	{"justnews-gate --color ", "always auto never"},
	{"justnews-gate --color=al", "--color=always"},
	{"justnews-gate --color=al gate s", "scout"},
	{"justnews-gate -c n", "never"},
	{"justnews-gate -c never g", "gate"},
	{"justnews-gate --config gate con", "config"},
	{"justnews-gate --config da", "data"},
	{"justnews-gate --config=da", "--config=data"},
	{"justnews-gate --root d", "docs/"},
	{"justnews-gate --no-q", "--no-quiet"},
	{"justnews-gate --ti", "--timeout"},
	{"justnews-gate --ti gate ", "memory scout"},
	{"justnews-gate config ", "show verify"},
	{"justnews-gate -q config sh", "show"},
	{"justnews-gate config show --or", "--origin"},
	{"justnews-gate gate --ori", ""},
	{"justnews-gate gate ", "memory scout"},
	{"justnews-gate gate s", "scout"},
	{"justnews-gate gate scout MODEL-M", "MODEL-MISSING"},
	{"justnews-gate gate scout MODEL-MISSING ", ""},
	{"justnews-gate config verify scout memory s", "scout"},
	{"justnews-gate config nothing ", ""},
	{"justnews-gate in", ""},
	{"justnews-gate --sec", ""},
}

const (
	askBash = `
compopt() { :; }
while IFS= read -r line; do
	read -ra COMP_WORDS <<<"${line//=/ = }"
	[[ $line == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_justnews_gate
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
done`
	askFish = `
while read -l line
	echo (complete -C $line | string replace -r '\t.*' '' | sort)
end`
	// zsh completes only on a terminal: it gets one, and is asked for its line after a tab.
	askZsh = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=($SCRIPTS $fpath); autoload -Uz compinit; compinit -u -D; tell() { print -r -- "<$BUFFER>"; BUFFER=; }; zle -N tell; bindkey "^X" tell; bindkey "^I" complete-word; setopt no_beep; print -r -- "<rea""dy>"'
until zpty -r z line '*<ready>*'; do :; done
while IFS= read -r ask; do
	zpty -w -n z "$ask"$'\t\x18'
	zpty -r z answer '*<*>*'
	print -r -- "${${answer##*<}%%>*}"
done
zpty -d z`
)

// answers has a shell answer each line on one line: what is offered, or with zsh what the
// line becomes.
func answers(t *testing.T, shell, dir string, env []string, lines ...string) []string {
	t.Helper()
	text := script(t, shell)
	switch shell {
	case "bash":
		text += askBash
	case "fish":
		text += askFish
	case "zsh":
		scripts := t.TempDir()
		if err := os.WriteFile(filepath.Join(scripts, "_justnews-gate"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		text, env = askZsh, append(env, "SCRIPTS="+scripts, "TERM=dumb")
	}
	cmd := exec.CommandContext(t.Context(), shell, "-c", text)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	cmd.Dir, cmd.Env = dir, env
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || said.Len() > 0 || len(got) != len(lines) {
		t.Fatalf("%d answers to %d lines: %v\n%s%s", len(got), len(lines), err, out, said.String())
	}
	return got
}

func TestCompletion_ShellsOfferWhatCanBeEntered(t *testing.T) {
	var lines []string
	for _, c := range completions {
		lines = append(lines, c.line)
	}
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			shellOrSkip(t, shell)
			dir, env := host(t, "memory", "scout")
			if err := errors.Join(os.WriteFile(filepath.Join(dir, "data"), nil, 0o644), os.Mkdir(filepath.Join(dir, "docs"), 0o755)); err != nil {
				t.Fatal(err)
			}
			for i, got := range answers(t, shell, dir, env, lines...) {
				line, want := completions[i].line, completions[i].want
				begun := line[strings.LastIndex(line, " ")+1:]
				switch {
				case shell == "bash": // it has cut the word, and readline adds the slash of a directory
					want = strings.TrimSuffix(want[strings.Index(want, "=")+1:], "/")
				case shell == "zsh" && (want == "" || strings.Contains(want, " ")):
					want = line
				case shell == "zsh":
					want = strings.TrimSuffix(line, begun) + want
				}
				if strings.TrimRight(got, " ") != strings.TrimRight(want, " ") {
					t.Errorf("%q: %q, want %q", line, got, want)
				}
			}
		})
	}
}

// A name comes from a file that anybody may have written. Pressing tab must not run its
// text, and neither must running a line with the completed word.
func TestCompletion_QuotesAreNoPartOfAName(t *testing.T) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			shellOrSkip(t, shell)
			dir, env := host(t, "memory", "scout", "zz top")
			lines := []string{`justnews-gate gate 'sc`, `justnews-gate "gate" "sc`, `justnews-gate "gate" sc`}
			for i, got := range answers(t, shell, dir, env, lines...) {
				want := "scout"
				if shell == "zsh" {
					line := lines[i]
					want = line + "out" + strings.Trim(line[len(line)-3:len(line)-2], " ")
				}
				if strings.TrimRight(got, " ") != want {
					t.Errorf("%s: %q, want %q", lines[i], got, want)
				}
			}
			if got := answers(t, shell, dir, env, `justnews-gate gate "z`)[0]; shell == "bash" && got != "" { // "zz\ top" is another name
				t.Errorf("%q is offered", got)
			}
		})
	}
}

func TestCompletion_ShortFlagTakesItsValueWithoutAnEqualsSign(t *testing.T) {
	for _, l := range completion.Lines(model(), []string{"-c=al"}, nil) {
		if strings.HasPrefix(l, "-c=") {
			t.Errorf("%q is offered", l)
		}
	}
}

func TestCompletion_CompletedNameIsNotExecuted(t *testing.T) {
	const name = "z$(touch ran)`touch ran`;touch ran;:\"'\\"
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			shellOrSkip(t, shell)
			dir, env := host(t, "zz\x1b[2J", name)
			got := answers(t, shell, dir, env, "justnews-gate gate z")[0]
			word := strings.TrimPrefix(got, "justnews-gate gate ")
			if shell != "fish" { // which quotes the word when it is inserted
				cmd := exec.CommandContext(t.Context(), shell, "-c", "printf %s "+word)
				cmd.Dir, cmd.Env = dir, env
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Errorf("%s: %v", word, err)
				}
				word = string(out)
			}
			if word != name {
				t.Errorf("%q is offered, want %q", word, name)
			}
			if _, err := os.Lstat(filepath.Join(dir, "ran")); err == nil {
				t.Error("a name was run")
			}
		})
	}
}

func TestCompletion_WithoutTheProgramNothingIsOffered(t *testing.T) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			shellOrSkip(t, shell)
			_, failing := host(t)
			failing = append(failing, asProgram+"=/nowhere")
			for what, env := range map[string][]string{
				"missing": append(os.Environ(), "HOME="+t.TempDir(), "BASH_FUNC_command_not_found_handle%%=() { echo gate; }"),
				"failing": failing,
			} {
				if got := answers(t, shell, t.TempDir(), env, "justnews-gate gate ")[0]; strings.TrimSpace(strings.TrimPrefix(got, "justnews-gate gate")) != "" {
					t.Errorf("%s: %q", what, got)
				}
			}
		})
	}
}
