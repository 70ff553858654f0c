// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
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

// documents are for users of the programs, ofTheRepository for developers.
var (
	documents = []string{
		"README.md", "CHANGELOG.md", "SECURITY.md", "docs/operations.md", "docs/migration.md", "docs/runbook.md",
		"docs/packaging.md", "docs/release.md", "examples/kubernetes/README.md",
	}
	ofTheRepository = []string{"README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"}
)

func TestReadme_IsShort(t *testing.T) {
	if n := strings.Count(read(t, "README.md"), "\n"); n > 150 {
		t.Errorf("%d lines, at most 150: details belong in docs/", n)
	}
}

func TestDocuments_ConfigurationsLoad(t *testing.T) {
	for _, name := range []string{"README.md", "docs/operations.md", "docs/model-servers.md"} {
		found := 0
		for _, b := range blocks(t, read(t, name)) {
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
				t.Errorf("%s: the block in line %d: %v", name, b.line, problems)
			}
		}
		if found == 0 {
			t.Errorf("%s shows no configuration", name)
		}
	}
}

func TestDocuments_CommandLinesParse(t *testing.T) {
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

// code matches a problem code in a text.
var code = regexp.MustCompile(`^[A-Z]+(-[A-Z]+)+$`)

func TestDocuments_CodesAreInTheCatalogue(t *testing.T) {
	found := 0
	for _, name := range documents {
		for _, span := range spans(read(t, name)) {
			if !code.MatchString(span) {
				continue
			}
			found++
			if !diag.Code(span).Known() {
				t.Errorf("%s: there is no code %s", name, span)
			}
		}
	}
	if found == 0 {
		t.Error("no code found")
	}
}

func TestOperations_PageListsTheExitStatuses(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`)
	var got []diag.StatusMeaning
	for _, m := range row.FindAllStringSubmatch(read(t, "docs/operations.md"), -1) {
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

func TestDocuments_PathsExist(t *testing.T) {
	for _, name := range slices.Concat(ofTheRepository, documents) {
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

// A figure without the commit that it is about cannot be compared with a later one. Other
// programs' commits are named as well.
func TestFigures_EachSectionNamesACommit(t *testing.T) {
	_, err := os.Stat(filepath.Join(repository, ".git"))
	shallow, _ := exec.CommandContext(t.Context(), "git", "-C", repository, "rev-parse", "--is-shallow-repository").Output()
	inGit := err == nil && string(shallow) == "false\n"
	hash := regexp.MustCompile(`\b[0-9a-f]{7}\b`)
	sections := strings.Split(read(t, "docs/figures.md"), "\n## ")[1:]
	if len(sections) < 10 {
		t.Fatalf("%d sections", len(sections))
	}
	for _, section := range sections {
		named := slices.ContainsFunc(hash.FindAllString(section, -1), func(commit string) bool {
			return !inGit || exec.CommandContext(t.Context(), "git", "-C", repository, "merge-base", "--is-ancestor", commit, "HEAD").Run() == nil
		})
		if title, _, _ := strings.Cut(section, "\n"); !named {
			t.Errorf("%s: no commit of this repository", title)
		}
	}
}

func TestDocuments_MakeTargetsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, name := range slices.Concat(ofTheRepository, documents) {
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
		if found == 0 && (name == "README.md" || name == "CONTRIBUTING.md") {
			t.Errorf("%s: no make target found", name)
		}
	}
}

// A link to a file leads from the directory of its document, one to a section to
// a heading.
func TestDocuments_LinksResolve(t *testing.T) {
	all, err := filepath.Glob(filepath.Join(repository, "docs/*/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range all {
		all[i], _ = filepath.Rel(repository, file)
	}
	found := 0
	for _, name := range slices.Concat(all, ofTheRepository, documents) {
		for _, m := range regexp.MustCompile(`\]\(([^)#]*)(?:#([a-z-]+))?\)`).FindAllStringSubmatch(read(t, name), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			found++
			target := name
			if m[1] != "" {
				target = path.Join(path.Dir(name), m[1])
			}
			if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if m[2] != "" && !slices.Contains(anchors(read(t, target)), m[2]) {
				t.Errorf("%s: %s has no section %s", name, target, m[2])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d links found", found)
	}
}

// anchors returns the names by which a link points to the headings of a page.
func anchors(markdown string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(markdown, -1) {
		kept := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(kept, " ", "-"))
	}
	return all
}

func TestDemo_EndsWithASectionOfTheReadme(t *testing.T) {
	m := regexp.MustCompile(`README\.md, (.*)\.\\n`).FindStringSubmatch(read(t, "demo/demo.sh"))
	if len(m) < 2 || !strings.Contains(read(t, "README.md"), "\n## "+m[1]+"\n") {
		t.Errorf("demo/demo.sh ends with %q", m)
	}
}
