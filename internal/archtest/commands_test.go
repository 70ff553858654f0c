// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// constants are the names of all string constants of the repository, by directory.
// A name that is a constant in one place of a package and a variable in another
// counts as a variable.
type constants map[string]bool

// exceptions are words that only look as if they came from outside.
var exceptions = map[string]string{
	`"-" + signal`:                         "the callers write the signal",
	`verb`:                                 "install or uninstall",
	`database`:                             "passwd or group",
	`c.What`:                               "one of the arguments that the command line takes",
	`cmp.Or(class, "o") + "+" + d.Needs`:   "u, g or o, and rwx",
	`cmp.Or(class, "o") + "+rX"`:           "u, g or o",
	`cmp.Or(classes[d.Class], "o") + "+r"`: "u, g or o",
}

// A command of a fix is an argument vector. A word that is not written in the
// source may have come from anywhere: it must not be read as an option, nor be
// part of a script.
func TestCommands_OutsideWordsAreNeverOptionsOrScripts(t *testing.T) {
	files := sources(t)
	known := constants{}
	for _, f := range files {
		known.add(f)
	}
	calls, used := 0, map[string]bool{}
	for _, f := range files {
		j := judge{known, f}
		ast.Inspect(f.file, func(n ast.Node) bool {
			words, ok := vector(n)
			if !ok {
				return true
			}
			calls++
			wrong := j.vector(words)
			if wrong == nil {
				return true
			}
			var text strings.Builder
			_ = printer.Fprint(&text, f.set, wrong)
			if used[text.String()] = true; exceptions[text.String()] == "" {
				t.Errorf("%s: a word from outside, %s: put -- before it, or make it the value of an option", f.set.Position(wrong.Pos()), &text)
			}
			return true
		})
	}
	for text := range exceptions {
		if !used[text] {
			t.Errorf("no command has %s", text)
		}
	}
	if calls < 100 {
		t.Errorf("only %d commands were found", calls)
	}
}

type parsed struct {
	set  *token.FileSet
	file *ast.File
	dir  string
}

// imported returns the directory of the package that a name stands for in a file.
func (p parsed) imported(name string) string {
	for _, spec := range p.file.Imports {
		from, _ := strconv.Unquote(spec.Path.Value)
		if as := path.Base(from); spec.Name == nil && as == name || spec.Name != nil && spec.Name.Name == name {
			return strings.TrimPrefix(from, module)
		}
	}
	return ""
}

// sources are all files that are released.
func sources(t *testing.T) []parsed {
	t.Helper()
	set := token.NewFileSet()
	var all []parsed
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(repository, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			dir, _ := filepath.Rel(repository, filepath.Dir(name))
			all = append(all, parsed{set, file, dir})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// vector returns the words of diag.Run(…), Run(…) within diag, Command{…} and
// append of words to one.
func vector(n ast.Node) ([]ast.Expr, bool) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if isRun(n.Fun) && len(n.Args) > 0 {
			return spread(n), true
		}
	case *ast.CompositeLit:
		if named(n.Type) == "Command" {
			return n.Elts, true
		}
	}
	return nil, false
}

// spread returns the arguments of a call, and in the place of append(words, …)...
// what it appends to what.
func spread(call *ast.CallExpr) []ast.Expr {
	if !call.Ellipsis.IsValid() {
		return call.Args
	}
	last := call.Args[len(call.Args)-1]
	words := slices.Clone(call.Args[:len(call.Args)-1])
	if inner, ok := last.(*ast.CallExpr); ok && named(inner.Fun) == "append" {
		if lit, ok := inner.Args[0].(*ast.CompositeLit); ok {
			return slices.Concat(words, lit.Elts, inner.Args[1:])
		}
	}
	return append(words, last)
}

// isRun distinguishes diag.Run, also within its package, from others of that name.
func isRun(fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name == "Run"
	case *ast.SelectorExpr:
		return fun.Sel.Name == "Run" && named(fun.X) == "diag"
	}
	return false
}

func named(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func (c constants) add(f parsed) {
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			for _, spec := range n.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					c.declare(f.dir, v.Names, n.Tok == token.CONST)
				}
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
					c.declare(f.dir, []*ast.Ident{id}, false)
				}
			}
		case *ast.Field:
			c.declare(f.dir, n.Names, false)
		}
		return true
	})
}

func (c constants) declare(dir string, names []*ast.Ident, constant bool) {
	for _, name := range names {
		before, known := c[dir+"."+name.Name]
		c[dir+"."+name.Name] = constant && (before || !known)
	}
}

// judge judges the commands of a file.
type judge struct {
	known constants
	in    parsed
}

// fixed reports whether an expression is the same string in every run.
func (j judge) fixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return j.known[j.in.dir+"."+e.Name]
	case *ast.SelectorExpr:
		return j.known[j.in.imported(named(e.X))+"."+e.Sel.Name]
	case *ast.BinaryExpr:
		return j.fixed(e.X) && j.fixed(e.Y)
	case *ast.CallExpr: // of a unit that justnews.toml names: a checked name with a prefix
		return slices.Contains([]string{"InstanceUnit", "Of"}, named(e.Fun))
	}
	return false
}

// valued are the options whose next word is their value, whatever it begins with.
var valued = []string{"-u", "-g", "-t", "-d", "-i", "-p", "-s", "-c", "-aG", "-m", "-T"}

// vector returns a word of a command that may be read as an option or a script.
func (j judge) vector(words []ast.Expr) ast.Expr {
	before := ""
	script := false
	for i, w := range words {
		text := literal(w)
		switch {
		case text == "--", script && i > 2: // what follows a script is $0, $1, …
			return nil
		case text == "-c" && literal(words[0]) == "sh":
			script = true
		case j.fixed(w):
		case script && i == 2:
			return w
		case slices.Contains(valued, before):
		case strings.HasSuffix(prefix(w), "="), number(w), strings.HasPrefix(prefix(w), "/"), strings.HasPrefix(prefix(w), "sport"):
		default:
			return w
		}
		before = text
	}
	return nil
}

func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		text, _ := strconv.Unquote(lit.Value)
		return text
	}
	return ""
}

// prefix returns the constant beginning of a concatenated word.
func prefix(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return prefix(e.X)
	case *ast.CallExpr:
		if named(e.Fun) == "Sprintf" && len(e.Args) > 0 {
			text, _, _ := strings.Cut(literal(e.Args[0]), "%")
			return text
		}
	}
	return literal(e)
}

func number(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && (named(call.Fun) == "Itoa" || named(call.Fun) == "FormatInt")
}
