// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"justnews/internal/cli"
	"justnews/internal/config"
	"justnews/internal/diag"
)

var documents = []string{"README.md", "CHANGELOG.md", "docs/packaging.md", "docs/release.md", "examples/kubernetes/README.md"}

func TestEveryConfigurationInTheReadmeLoads(t *testing.T) {
	found := 0
	for _, b := range blocks(t, read(t, "README.md")) {
		if b.language != "toml" {
			continue
		}
		found++
		file := filepath.Join(t.TempDir(), "justnews.toml")
		if err := os.WriteFile(file, []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
		cfg, problems := config.Load(config.Source{File: file, Owner: os.Getuid()})
		if cfg == nil || len(problems) > 0 {
			t.Errorf("the block in line %d: %v", b.line, problems)
		}
	}
	if found == 0 {
		t.Error("the README shows no configuration")
	}
}

func TestEveryCommandLineOfTheGateParses(t *testing.T) {
	found := 0
	for _, name := range documents {
		text := read(t, name)
		for _, line := range append(shell(t, text), spans(text)...) {
			for _, args := range gateCommands(line) {
				found++
				if err := cli.Parse(args); err != nil {
					t.Errorf("%s: %s: %v", name, line, err)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d command lines found", found)
	}
}

// gateCommands returns the arguments of each justnews-gate in a shell line. An
// upper-case word stands for an argument, [--flag] for what may be left out.
func gateCommands(line string) [][]string {
	var all [][]string
	for _, part := range regexp.MustCompile(`&&|\|\||[|;]`).Split(line, -1) {
		words := strings.Fields(part)
		at := slices.IndexFunc(words, func(w string) bool { return path.Base(w) == "justnews-gate" })
		if at < 0 || at > 0 && words[0] != "sudo" {
			continue
		}
		var args []string
		for _, w := range words[at+1:] {
			w = strings.Trim(w, "[]'\"")
			switch w {
			case "INSTANCE":
				w = "scout"
			case "CODE":
				w = string(diag.ModelFailed)
			}
			args = append(args, w)
		}
		all = append(all, args)
	}
	return all
}

// code is what a problem code looks like in a text.
var code = regexp.MustCompile(`^[A-Z]+(-[A-Z]+)+$`)

func TestEveryCodeInTheDocumentsIsInTheCatalogue(t *testing.T) {
	found := 0
	for _, name := range documents {
		for _, span := range spans(read(t, name)) {
			if !code.MatchString(span) {
				continue
			}
			found++
			if _, ok := diag.Lookup(diag.Code(span)); !ok {
				t.Errorf("%s: there is no code %s", name, span)
			}
		}
	}
	if found == 0 {
		t.Error("no code found")
	}
}

func TestTheReadmeListsTheExitStatuses(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`)
	var got []diag.StatusMeaning
	for _, m := range row.FindAllStringSubmatch(read(t, "README.md"), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, diag.StatusMeaning{Status: diag.Status(n), Meaning: m[2]})
	}
	if diff := cmp.Diff(diag.Statuses(), got); diff != "" {
		t.Error(diff)
	}
}

// ofTheRepository are the documents about the source tree.
var ofTheRepository = []string{"README.md", "CONTRIBUTING.md"}

func TestEveryPathOfTheRepositoryInTheDocumentsExists(t *testing.T) {
	for _, name := range ofTheRepository {
		for _, span := range spans(read(t, name)) {
			first, _, nested := strings.Cut(span, "/")
			if _, err := os.Stat(filepath.Join(repository, first)); !nested || first == "" || err != nil || strings.ContainsAny(span, " *") {
				continue
			}
			if _, err := os.Stat(filepath.Join(repository, span)); err != nil {
				t.Errorf("%s: %s: %v", name, span, err)
			}
		}
	}
}

func TestEveryMakeTargetInTheDocumentsExists(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, name := range ofTheRepository {
		found := 0
		for _, text := range append(shell(t, read(t, name)), spans(read(t, name))...) {
			target, ok := strings.CutPrefix(text, "make ")
			if target, _, _ = strings.Cut(target, " "); !ok || strings.Contains(target, "=") {
				continue
			}
			found++
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).MatchString(makefile) {
				t.Errorf("%s: make %s: there is no such target", name, target)
			}
		}
		if found == 0 {
			t.Errorf("%s: no make target found", name)
		}
	}
}

func TestTheDemonstrationEndsWithAChapterOfTheReadme(t *testing.T) {
	m := regexp.MustCompile(`README\.md, (.*)\.\\n`).FindStringSubmatch(read(t, "demo/demo.sh"))
	if len(m) < 2 || !strings.Contains(read(t, "README.md"), "\n## "+m[1]+"\n") {
		t.Errorf("demo/demo.sh ends with %q", m)
	}
}
