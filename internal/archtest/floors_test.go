// SPDX-License-Identifier: Apache-2.0

// Package archtest holds no code, only the tests that keep the packages in
// order. They read the sources themselves: go list would answer from a cache.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module     = "justnews/"
	repository = "../.."
	// tools are not released: they may import anything, and nothing that is
	// released may import them. Only tests import what is below test/.
	tools = -2
	// cellar is below every floor.
	cellar = -1
	// programs are on top, and may exit.
	programs = 100
)

// floors says on which floor each package stands. A package imports lower
// floors only: neither upward nor sideways.
var floors = map[string]int{
	"internal/lists": cellar, "internal/safefile": cellar, "internal/unitname": cellar,

	"internal/diag": 0, "internal/unitfile": 0, "internal/facts": 0, "internal/timespan": 0, "internal/spell": 0,
	"internal/tomlpos": 0, "internal/strictjson": 0, "internal/envfile": 0,
	"internal/kernelcmdline": 0, "internal/process": 0, "internal/journal": 0, "internal/notify": 0, "internal/version": 0,
	"internal/digest": 0, "internal/weights": 0, "internal/seal": 0, "internal/asuser": 0, "internal/account": 0,

	"internal/catalogue": 1, "internal/config": 1, "internal/modelmap": 1, "internal/hostlock": 1, "internal/records": 1,
	"internal/probe/systemd": 1, "internal/probe/orchestrator": 1, "internal/probe/host": 1,
	"internal/probe/need": 2, "internal/probe/mps": 1, "internal/probe/gpu": 1, "internal/nvml": 1, "internal/probe/store": 1,
	"internal/probe/environ": 1, "internal/probe/unitfiles": 1,

	"internal/plan": 2, "internal/requirement": 2, "internal/operators": 2, "internal/migrate": 2,
	"internal/check": 1, "internal/check/host": 2, "internal/check/gpu": 3, "internal/check/store": 3,
	"internal/check/unit": 3, "internal/check/mps": 4, "internal/check/orchestrator": 4,
	"internal/gate": 5, "internal/emit": 3,
	"internal/report": 6, "internal/completion": 6, "internal/timeline": 6, "internal/screen": 6,
	"internal/status": 7, "internal/preflight": 8,
	"internal/cli": 9,

	"cmd/justnews-generator": programs, "cmd/justnews-gate": programs, "cmd/justnews-nvml": programs,

	"internal/archtest": tools,
}

// forbidden is what the generator must not even link: it runs before the
// network, the bus and the name services, within milliseconds.
var forbidden = []string{
	"net", "net/http", "os/user", "os/exec", "os/signal", "regexp", "plugin", "C",
	"github.com/alecthomas/kong", "github.com/godbus/dbus/v5",
}

// source is what a package's files other than tests contain.
type source struct {
	imports map[string][]token.Position // path -> where
	exits   []token.Position            // os.Exit, log.Fatal and the like
	raw     []token.Position            // O_NONBLOCK, Stat_t: what safefile is for
	early   []token.Position            // regular expressions that are compiled before main begins
}

// packages reads every package below cmd, internal and test.
func packages(t *testing.T) map[string]*source {
	t.Helper()
	found := map[string]*source{}
	for _, top := range []string{"cmd", "internal", "packaging", "test"} {
		err := filepath.WalkDir(filepath.Join(repository, top), func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case d.IsDir() || !strings.HasSuffix(name, ".go"):
				return nil
			}
			dir, err := filepath.Rel(repository, filepath.Dir(name))
			if err != nil {
				return err
			}
			if found[dir] == nil {
				found[dir] = &source{imports: map[string][]token.Position{}}
			}
			if strings.HasSuffix(name, "_test.go") {
				return nil
			}
			return found[dir].read(name)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func (s *source) read(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return s.parse(name, text)
}

func (s *source) parse(name string, text []byte) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	alias := map[string]string{} // name in this file -> path
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		s.imports[p] = append(s.imports[p], set.Position(spec.Pos()))
		alias[path.Base(p)] = p
		if spec.Name != nil {
			alias[spec.Name.Name] = p
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := sel.X.(*ast.Ident); ok && exits(alias[of.Name], sel.Sel.Name) {
				s.exits = append(s.exits, set.Position(sel.Pos()))
			}
			if sel.Sel.Name == "O_NONBLOCK" || sel.Sel.Name == "Stat_t" {
				s.raw = append(s.raw, set.Position(sel.Pos()))
			}
		}
		return true
	})
	for _, decl := range file.Decls {
		if global, is := decl.(*ast.GenDecl); is {
			s.early = append(s.early, compiled(global, set)...)
		}
	}
	return nil
}

// compiled returns where a declaration compiles a regular expression, not counting
// functions, which run later.
func compiled(decl *ast.GenDecl, set *token.FileSet) []token.Position {
	var found []token.Position
	ast.Inspect(decl, func(n ast.Node) bool {
		if sel, is := n.(*ast.SelectorExpr); is && sel.Sel.Name == "MustCompile" {
			found = append(found, set.Position(sel.Pos()))
		}
		_, function := n.(*ast.FuncLit)
		return !function
	})
	return found
}

// mayOpen are the files outside safefile that open without blocking or read what
// stat says themselves.
var mayOpen = map[string]string{
	"internal/journal/stream.go":      "compares stderr with the journal's stream, and opens nothing",
	"internal/probe/gpu/nodes.go":     "opens device nodes on purpose: whether that works is the question",
	"internal/emit/say.go":            "writes to /dev/kmsg",
	"internal/probe/gpu/kernellog.go": "reads /dev/kmsg",
	// internal/emit/render.go makes its files with names of its own, in systemd's
	// directory, and reads nothing: one system call a step, for speed.
}

// unsafeOpens returns the files that open, without safefile, what other users may have
// put there.
func unsafeOpens(all map[string]*source) []string {
	var wrong []string
	for _, pkg := range slices.Sorted(maps.Keys(all)) {
		if f, _ := floor(pkg); f == tools || f == cellar {
			continue
		}
		for _, at := range all[pkg].raw {
			name, _ := filepath.Rel(repository, at.Filename)
			if mayOpen[name] == "" {
				wrong = append(wrong, at.String()+": O_NONBLOCK or Stat_t outside internal/safefile")
			}
		}
	}
	return wrong
}

// A regular expression that is compiled before main begins costs every gate of a boot,
// whether it is used or not: together they took 13 % of the CPU of --version.
func TestLayout_NoRegularExpressionIsCompiledAtStart(t *testing.T) {
	for name, pkg := range packages(t) {
		if f, _ := floor(name); f == tools {
			continue
		}
		for _, at := range pkg.early {
			t.Errorf("%v: use sync.OnceValue", at)
		}
	}
	s := &source{imports: map[string][]token.Position{}}
	text := `package x; import "regexp"; var a, b = regexp.MustCompile("a"), func() any { return regexp.MustCompile("b") }`
	if err := s.parse("x.go", []byte(text)); err != nil || len(s.early) != 1 {
		t.Errorf("%v %v", s.early, err)
	}
}

func TestLayout_FilesAreOpenedBySafefileOnly(t *testing.T) {
	for _, wrong := range unsafeOpens(packages(t)) {
		t.Error(wrong)
	}
	s := &source{imports: map[string][]token.Position{}}
	if err := s.parse("x.go", []byte(`package x; import "os"; import "syscall"; var f, _ = os.OpenFile("", syscall.O_NONBLOCK, 0)`)); err != nil {
		t.Fatal(err)
	}
	if got := unsafeOpens(map[string]*source{"internal/check": s}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// exits reports whether a function ends the process.
func exits(pkg, name string) bool {
	switch pkg {
	case "os", "syscall":
		return name == "Exit"
	case "log":
		return strings.HasPrefix(name, "Fatal") || strings.HasPrefix(name, "Panic")
	case "runtime":
		return name == "Goexit"
	}
	return false
}

// floor returns the floor of a package; everything below packaging and test is
// a tool.
func floor(pkg string) (int, bool) {
	if strings.HasPrefix(pkg, "packaging/") || strings.HasPrefix(pkg, "test/") {
		return tools, true
	}
	f, ok := floors[pkg]
	return f, ok
}

// complaints returns what is wrong with the imports of all packages.
func complaints(all map[string]*source) []string {
	var wrong []string
	for _, pkg := range slices.Sorted(maps.Keys(all)) {
		mine, ok := floor(pkg)
		if !ok {
			wrong = append(wrong, pkg+" stands on no floor: add it to the table")
			continue
		}
		for _, imported := range slices.Sorted(maps.Keys(all[pkg].imports)) {
			at := all[pkg].imports[imported][0].String()
			other, ours := strings.CutPrefix(imported, module)
			theirs, known := floor(other)
			switch {
			case ours && strings.HasPrefix(other, "test/") && !strings.HasPrefix(pkg, "test/"):
				wrong = append(wrong, at+": imports "+other+", which is for tests only")
			case imported == "C" && pkg != "cmd/justnews-nvml":
				wrong = append(wrong, at+": cgo outside cmd/justnews-nvml")
			case !ours || mine == tools || !known:
			case theirs == tools:
				wrong = append(wrong, at+": imports "+other+", which is for tests only")
			case theirs >= mine:
				wrong = append(wrong, at+": floor "+strconv.Itoa(mine)+" imports "+other+" on floor "+strconv.Itoa(theirs))
			}
		}
		if mine != tools && mine < programs {
			for _, at := range all[pkg].exits {
				wrong = append(wrong, at.String()+": ends the process: only cmd may")
			}
		}
	}
	return wrong
}

func TestFloors_EveryPackageImportsLowerFloorsOnlyAndOnlyCommandsExit(t *testing.T) {
	all := packages(t)
	if len(all) < 25 {
		t.Fatalf("found only %d packages", len(all))
	}
	for _, wrong := range complaints(all) {
		t.Error(wrong)
	}
}

func TestFloors_GeneratorLinksNothingThatAGeneratorMustNotUse(t *testing.T) {
	all := packages(t)
	for _, wrong := range forbiddenBelow(all, "cmd/justnews-generator") {
		t.Error(wrong)
	}
}

// forbiddenBelow follows a command's imports through our own packages.
func forbiddenBelow(all map[string]*source, command string) []string {
	var wrong []string
	seen := map[string]bool{}
	var visit func(pkg string)
	visit = func(pkg string) {
		if seen[pkg] || all[pkg] == nil {
			return
		}
		seen[pkg] = true
		for _, imported := range slices.Sorted(maps.Keys(all[pkg].imports)) {
			if slices.Contains(forbidden, imported) {
				wrong = append(wrong, all[pkg].imports[imported][0].String()+": "+command+" links "+imported)
			}
			if ours, ok := strings.CutPrefix(imported, module); ok {
				visit(ours)
			}
		}
	}
	visit(command)
	return wrong
}

// TestFloors_RulesFindWhatTheyForbid plants one breach of each rule.
func TestFloors_RulesFindWhatTheyForbid(t *testing.T) {
	for what, c := range map[string]struct{ pkg, text, want string }{
		"upward":    {"internal/diag", `package x; import _ "justnews/internal/config"`, "floor 0 imports internal/config on floor 1"},
		"sideways":  {"internal/plan", `package x; import _ "justnews/internal/requirement"`, "floor 2 imports internal/requirement on floor 2"},
		"homeless":  {"internal/utils", `package x`, "stands on no floor"},
		"test only": {"internal/gate", `package x; import _ "justnews/test/reference"`, "for tests only"},
		"tool":      {"internal/archtest", `package x; import _ "justnews/test/reference"`, "for tests only"},
		"packaging": {"packaging/pack", `package x; import _ "justnews/test/pty"`, "for tests only"},
		"cgo":       {"internal/probe/host", `package x; import "C"`, "cgo outside"},
		"exit":      {"internal/cli", `package x; import "os"; func f() { os.Exit(1) }`, "only cmd may"},
		"renamed":   {"internal/cli", `package x; import o "os"; var f = o.Exit`, "only cmd may"},
		"fatal":     {"internal/cli", `package x; import "log"; func f() { log.Fatalf("") }`, "only cmd may"},
	} {
		s := &source{imports: map[string][]token.Position{}}
		if err := s.parse("x.go", []byte(c.text)); err != nil {
			t.Fatal(err)
		}
		if got := complaints(map[string]*source{c.pkg: s}); len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%s: %q", what, got)
		}
	}
	main, below := &source{imports: map[string][]token.Position{}}, &source{imports: map[string][]token.Position{}}
	if err := main.parse("m.go", []byte(`package x; import _ "justnews/internal/emit"`)); err != nil {
		t.Fatal(err)
	}
	if err := below.parse("b.go", []byte(`package x; import _ "net/http"`)); err != nil {
		t.Fatal(err)
	}
	all := map[string]*source{"cmd/justnews-generator": main, "internal/emit": below}
	if got := forbiddenBelow(all, "cmd/justnews-generator"); len(got) != 1 || !strings.Contains(got[0], "links net/http") {
		t.Errorf("%q", got)
	}
}
