// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one change of one expression.
type mutant struct {
	ID   int
	File string // below the root of the module
	Func string
	Line int
	From string
	To   string
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d: %s -> %s", m.File, m.Line, m.From, m.To) }

// opposite are the replacements of an operator: the boundary of a comparison, its negation,
// and the other connective.
var opposite = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
}

// selector is added to every package with mutants. MUTANT is the number of the active one, and
// MUTANTS_RUN a file to which those that were run are appended.
const selector = `package %s

import (
	mutantOS "os"
	mutantStrconv "strconv"
	mutantSync "sync"
)

var (
	mutantActive, _ = mutantStrconv.Atoi(mutantOS.Getenv("MUTANT"))
	mutantFile      = mutantOS.Getenv("MUTANTS_RUN")
	mutantSeen      mutantSync.Map
)

func mutantIs(id int) bool {
	if mutantFile != "" {
		if _, seen := mutantSeen.LoadOrStore(id, true); !seen {
			if f, err := mutantOS.OpenFile(mutantFile, mutantOS.O_APPEND|mutantOS.O_CREATE|mutantOS.O_WRONLY, 0o666); err == nil {
				_, _ = f.WriteString(mutantStrconv.Itoa(id) + "\n")
				_ = f.Close()
			}
		}
	}
	return id == mutantActive
}

func mutantOr(id int, other, own func() bool) bool {
	if mutantIs(id) {
		return other()
	}
	return own()
}
`

// rewriter rewrites a file so that it has all its mutants, of which the environment selects
// one: so a package is compiled only once.
type rewriter struct {
	name    string
	source  []byte
	set     *token.FileSet
	mutants *[]mutant
	within  string          // the function that is rewritten
	skip    map[string]bool // FILE:LINE of expressions that cannot be rewritten
}

// rewriteDir returns the new text of each file of a package, by path, and the
// selector's.
func rewriteDir(root, dir string, mutants *[]mutant, skip map[string]bool) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return nil, err
	}
	made := map[string]string{}
	pkg := ""
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		r := &rewriter{name: filepath.Join(dir, filepath.Base(path)), source: source, set: token.NewFileSet(), mutants: mutants, skip: skip}
		file, err := parser.ParseFile(r.set, path, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		made[path], pkg = r.file(file), file.Name.Name
	}
	made[filepath.Join(root, dir, "zz_mutants.go")] = fmt.Sprintf(selector, pkg)
	return made, nil
}

// file returns the text with every function rewritten.
func (r *rewriter) file(f *ast.File) string {
	var edits []edit
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			r.within = fn.Name.Name
			edits = append(edits, r.edits(fn.Body)...)
		}
	}
	return apply(r.source, 0, len(r.source), edits)
}

// edit replaces a part of a text.
type edit struct {
	from, to int
	text     string
}

// edits finds the outermost expressions below a node that have mutants.
func (r *rewriter) edits(n ast.Node) []edit {
	var all []edit
	ast.Inspect(n, func(n ast.Node) bool {
		switch e := n.(type) {
		case *ast.GenDecl:
			return e.Tok != token.CONST
		case *ast.BinaryExpr:
			if to, ok := opposite[e.Op]; ok && !r.skip[r.line(e)] {
				all = append(all, edit{r.at(e.Pos()), r.at(e.End()), r.binary(e, to)})
				return false
			}
		case *ast.UnaryExpr:
			if e.Op == token.NOT && !r.skip[r.line(e)] {
				inner := r.text(e.X)
				all = append(all, edit{r.at(e.Pos()), r.at(e.End()), r.choice(e, "!x", "x", inner, "!("+inner+")")})
				return false
			}
		case *ast.ReturnStmt:
			all = append(all, r.constants(e)...)
		}
		return true
	})
	return all
}

// constants are those of a return statement that are true or false.
func (r *rewriter) constants(s *ast.ReturnStmt) []edit {
	var all []edit
	for _, e := range s.Results {
		name, ok := e.(*ast.Ident)
		if ok && (name.Name == "true" || name.Name == "false") && !r.skip[r.line(e)] {
			other := map[string]string{"true": "false", "false": "true"}[name.Name]
			all = append(all, edit{r.at(e.Pos()), r.at(e.End()), r.choice(e, "return "+name.Name, "return "+other, other, name.Name)})
		}
	}
	return all
}

func (r *rewriter) binary(e *ast.BinaryExpr, to token.Token) string {
	x, y := r.text(e.X), r.text(e.Y)
	return r.choice(e, e.Op.String(), to.String(), x+" "+to.String()+" "+y, x+" "+e.Op.String()+" "+y)
}

// choice makes a mutant of an expression.
func (r *rewriter) choice(e ast.Expr, from, to, other, own string) string {
	id := len(*r.mutants) + 1
	shown := strings.Join(strings.Fields(string(r.source[r.at(e.Pos()):r.at(e.End())])), " ")
	*r.mutants = append(*r.mutants, mutant{id, r.name, r.within, r.set.Position(e.Pos()).Line, from + " in " + shown[:min(len(shown), 100)], to})
	return fmt.Sprintf("mutantOr(%d, func() bool { return %s }, func() bool { return %s })", id, other, own)
}

// text is that of a node, with its own mutants.
func (r *rewriter) text(n ast.Node) string {
	return apply(r.source, r.at(n.Pos()), r.at(n.End()), r.edits(n))
}

func (r *rewriter) at(p token.Pos) int { return r.set.Position(p).Offset }

func (r *rewriter) line(n ast.Node) string {
	return fmt.Sprintf("%s:%d", r.name, r.set.Position(n.Pos()).Line)
}

func apply(source []byte, from, to int, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var b strings.Builder
	for _, e := range edits {
		b.Write(source[from:e.from])
		b.WriteString(e.text)
		from = e.to
	}
	b.Write(source[from:to])
	return b.String()
}
