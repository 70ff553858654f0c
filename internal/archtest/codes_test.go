// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"maps"
	"slices"
	"testing"

	"justnews/internal/diag"
)

// A code that nothing reports is dead: the manual would describe what cannot
// happen.
func TestCodes_AreAllReported(t *testing.T) {
	declared, used := map[string]string{}, map[string]bool{} // by the constant's name
	for _, f := range sources(t) {
		ast.Inspect(f.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if named(n.Type) == "Code" && f.file.Name.Name == "diag" {
					declared[n.Names[0].Name] = n.Values[0].(*ast.BasicLit).Value
				}
			case *ast.CallExpr: // in package diag itself
				if constructor(n) {
					used[named(n.Args[0])] = true
				}
			case *ast.SelectorExpr:
				if named(n.X) == "diag" {
					used[n.Sel.Name] = true
				}
			}
			return true
		})
	}
	if len(declared) != len(diag.Codes()) {
		t.Errorf("%d constants, %d codes in the catalogue", len(declared), len(diag.Codes()))
	}
	for name, code := range declared {
		if !used[name] {
			t.Errorf("diag.%s: nothing reports %s", name, code)
		}
	}
}

// judgedTwice are the codes that more than one package reports, and why.
var judgedTwice = map[string]string{
	"Internal":     "a bug is reported where it shows",
	"Interrupted":  "a signal is reported where it ends something",
	"ConfigValue":  "a URL is tried where a server is to be asked",
	"LimitNOFILE":  "the kernel's limit is the host's, a unit's is the unit's",
	"UnitText":     "a value is refused where it becomes text",
	"OperatorUser": "who asks is known to the command line alone",
}

// Each code is reported by one package, so that its origin is easy to find and each
// case has one sentence.
func TestCodes_AreEachReportedByOnePackage(t *testing.T) {
	by := map[string]map[string]bool{}
	for _, f := range sources(t) {
		ast.Inspect(f.file, func(n ast.Node) bool {
			code := literalCode(n)
			if code == "" {
				return true
			}
			if by[code] == nil {
				by[code] = map[string]bool{}
			}
			by[code][f.dir] = true
			return true
		})
	}
	if len(by) < 100 {
		t.Errorf("problems with only %d codes were found", len(by))
	}
	for code, dirs := range by {
		if len(dirs) > 1 && judgedTwice[code] == "" {
			t.Errorf("diag.%s is reported by %v: give it one constructor", code, slices.Sorted(maps.Keys(dirs)))
		}
	}
	for code := range judgedTwice {
		if len(by[code]) < 2 {
			t.Errorf("diag.%s is reported by one package, and need not be named", code)
		}
	}
}

// constructor reports whether a call makes a Problem.
func constructor(call *ast.CallExpr) bool {
	return slices.Contains([]string{"New", "Found"}, named(call.Fun)) && len(call.Args) > 3
}

// literalCode returns the code of a Problem that is written out, or made by
// a constructor, "" for anything else.
func literalCode(n ast.Node) string {
	if call, ok := n.(*ast.CallExpr); ok && constructor(call) {
		if sel, ok := call.Args[0].(*ast.SelectorExpr); ok && named(sel.X) == "diag" {
			return sel.Sel.Name
		}
	}
	lit, ok := n.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	code, said := "", false
	for _, e := range lit.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return ""
		}
		switch named(field.Key) {
		case "Code":
			if sel, ok := field.Value.(*ast.SelectorExpr); ok && named(sel.X) == "diag" {
				code = sel.Sel.Name
			}
		case "Message":
			said = true
		}
	}
	if !said {
		return ""
	}
	return code
}
