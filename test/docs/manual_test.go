// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"justnews/internal/cli"
	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/facts"
)

// section returns the text of one .Sh or .Ss of a page.
func section(t *testing.T, page, macro, name string) string {
	t.Helper()
	_, after, found := strings.Cut(page, "\n."+macro+" "+name+"\n")
	if !found {
		t.Fatalf("the page has no section %s", name)
	}
	if end := regexp.MustCompile(`\n\.S[hs] `).FindStringIndex(after); end != nil {
		after = after[:end[0]+1]
	}
	return after
}

// items returns the heads of the lists of a section.
func items(section string) []string {
	var heads []string
	for _, m := range regexp.MustCompile(`(?m)^\.It (.*)$`).FindAllStringSubmatch(section, -1) {
		heads = append(heads, m[1])
	}
	return heads
}

var longFlag = regexp.MustCompile(`Fl -([a-z-]+)`)

// longFlags returns the long flags that a text names, sorted, each once.
func longFlags(text string) []string {
	names := map[string]bool{}
	for _, m := range longFlag.FindAllStringSubmatch(text, -1) {
		names[m[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// flagNames returns the long flags of one node of the command line, sorted.
func flagNames(node *kong.Node) []string {
	var names []string
	for _, f := range node.Flags {
		if f.Name == "help" {
			continue
		}
		names = append(names, f.Name)
		if f.Tag.Negatable != "" {
			names = append(names, "no-"+f.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestManual_GatePageHasCommandsAndFlags(t *testing.T) {
	model := cli.Model()
	page := read(t, "man/justnews-gate.8")
	want, got := map[string][]string{}, map[string][]string{}
	all := flagNames(model.Node)
	for _, leaf := range model.Leaves(true) {
		name := strings.TrimPrefix(leaf.FullPath(), "justnews-gate ")
		want[name] = flagNames(leaf)
		all = append(all, want[name]...)
	}
	command := regexp.MustCompile(`^Cm ((?:[a-z]+ ?)+?)(?: (?:Ar|Op|Oo)\b.*)?$`)
	for _, head := range items(section(t, page, "Sh", "COMMANDS")) {
		m := command.FindStringSubmatch(head)
		if m == nil {
			t.Fatalf("cannot read: .It %s", head)
		}
		got[m[1]] = longFlags(head)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands: -program +page\n%s", diff)
	}
	slices.Sort(all)
	heads := strings.Join(items(section(t, page, "Sh", "OPTIONS")), "\n") + strings.Join(items(section(t, page, "Sh", "COMMANDS")), "\n")
	listed := slices.DeleteFunc(longFlags(heads), func(name string) bool { return name == "help" })
	if diff := cmp.Diff(slices.Compact(all), listed); diff != "" {
		t.Errorf("flags: -program +page\n%s", diff)
	}
}

func TestManual_GatePageHasExitStatuses(t *testing.T) {
	var got []diag.StatusMeaning
	lines := strings.Split(section(t, read(t, "man/justnews-gate.8"), "Sh", "EXIT STATUS"), "\n")
	for i, line := range lines {
		number, ok := strings.CutPrefix(line, ".It ")
		if !ok {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, diag.StatusMeaning{Status: diag.Status(n), Meaning: lines[i+1]})
	}
	if diff := cmp.Diff(diag.Statuses(), got); diff != "" {
		t.Error(diff)
	}
}

func TestManual_GeneratorPageHasFlags(t *testing.T) {
	help, err := exec.CommandContext(t.Context(), "go", "run", "../../cmd/justnews-generator", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  --([a-z-]+)`).FindAllStringSubmatch(string(help), -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	got := longFlags(strings.Join(items(section(t, read(t, "man/justnews-generator.8"), "Sh", "OPTIONS")), "\n"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-program +page\n%s", diff)
	}
}

func TestManual_HelperPageHasFlagsAndFields(t *testing.T) {
	help, err := exec.CommandContext(t.Context(), "go", "run", "../../cmd/justnews-nvml", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  --([a-z-]+)`).FindAllStringSubmatch(string(help), -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	page := read(t, "man/justnews-nvml.8")
	if diff := cmp.Diff(want, longFlags(section(t, page, "Sh", "OPTIONS"))); diff != "" {
		t.Errorf("-program +page\n%s", diff)
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[facts.NVML](), reflect.TypeFor[facts.GPU]()} {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name != "program" && !regexp.MustCompile(`Li (\S+ , )*`+name+`\b`).MatchString(page) {
				t.Errorf("the page has no %s", name)
			}
		}
	}
}

func TestManual_ConfigurationPageHasKeysAndDefaults(t *testing.T) {
	page := read(t, "man/justnews.toml.5")
	var names []string
	for _, table := range config.Tables() {
		if table.Name == "" {
			table.Name = "outside all tables"
		}
		names = append(names, table.Name)
		var want, got []string
		for _, k := range table.Keys {
			if k.Default != "" {
				k.Name += " = " + k.Default
			}
			want = append(want, k.Name)
		}
		for _, head := range items(section(t, page, "Ss", table.Name)) {
			got = append(got, strings.ReplaceAll(strings.TrimPrefix(head, "Li "), `\(dq`, `"`))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("[%s]: -program +page\n%s", table.Name, diff)
		}
	}
	var heads []string
	for _, m := range regexp.MustCompile(`(?m)^\.Ss (.*)$`).FindAllStringSubmatch(page, -1) {
		heads = append(heads, m[1])
	}
	if diff := cmp.Diff(names, heads); diff != "" {
		t.Errorf("tables: -program +page\n%s", diff)
	}
}

func TestManual_ConfigurationExampleLoads(t *testing.T) {
	_, text, _ := strings.Cut(section(t, read(t, "man/justnews.toml.5"), "Sh", "EXAMPLES"), ".Bd -literal -offset indent\n")
	text, _, found := strings.Cut(text, ".Ed\n")
	if !found {
		t.Fatal("the page has no example")
	}
	file := filepath.Join(t.TempDir(), "justnews.toml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(config.Source{File: file, Owner: os.Getuid()})
	if cfg == nil || len(problems) > 0 {
		t.Error(problems)
	}
}

func TestManual_CommandLinesParse(t *testing.T) {
	found := 0
	for _, name := range pages(t) {
		for _, m := range regexp.MustCompile(`(?m)^(?:\.Li )?((?:sudo )?justnews-gate .*)$`).FindAllStringSubmatch(read(t, name), -1) {
			for _, args := range gateCommands(m[1]) {
				found++
				if err := cli.Parse(args); err != nil {
					t.Errorf("%s: %s: %v", name, m[1], err)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no command line found")
	}
}

func TestManual_ReferencesResolve(t *testing.T) {
	own := pages(t)
	for _, name := range own {
		for _, m := range regexp.MustCompile(`(?m)^\.Xr (justnews\S*) (\d)`).FindAllStringSubmatch(read(t, name), -1) {
			if !slices.Contains(own, "man/"+m[1]+"."+m[2]) {
				t.Errorf("%s: there is no %s(%s)", name, m[1], m[2])
			}
		}
	}
}

func TestManual_UnitsNameExistingPages(t *testing.T) {
	own := pages(t)
	units, err := filepath.Glob(filepath.Join(repository, "units/*.*"))
	if err != nil || len(units) == 0 {
		t.Fatal("no units", err)
	}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			continue // a directory of drop-ins
		}
		for _, m := range regexp.MustCompile(`man:(justnews\S*)\((\d)\)`).FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(own, "man/"+m[1]+"."+m[2]) {
				t.Errorf("%s: there is no %s(%s)", filepath.Base(unit), m[1], m[2])
			}
		}
	}
}

func TestManual_MandocLint(t *testing.T) {
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("there is no mandoc")
	}
	for _, name := range pages(t) {
		out, _ := exec.CommandContext(t.Context(), "mandoc", "-T", "lint", filepath.Join(repository, name)).Output()
		for line := range strings.Lines(string(out)) {
			// Which other pages are installed depends on the machine.
			if !strings.Contains(line, "referenced manual not found") {
				t.Error(strings.TrimSpace(line))
			}
		}
	}
}

// pages returns every manual page, as man/NAME.SECTION.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(repository, "man/*.[1-9]"))
	if err != nil || len(found) == 0 {
		t.Fatal("there are no pages", err)
	}
	var names []string
	for _, f := range found {
		names = append(names, "man/"+filepath.Base(f))
	}
	return names
}

// mdoc(7) takes "An" at the start of a heading for a macro and drops it.
func TestManual_NoHeadingBeginsWithAMacro(t *testing.T) {
	macro := regexp.MustCompile(`(?m)^\.S[sh] [A-Z][a-z]( .*)?$`)
	for _, name := range pages(t) {
		for _, heading := range macro.FindAllString(read(t, name), -1) {
			t.Errorf("%s: %s", name, heading)
		}
	}
}
