// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"go/ast"
	"testing"

	"justnews/internal/diag"
)

// A code that nothing reports is dead: the manual would describe what cannot
// happen.
func TestCodesAreEachReportedSomewhere(t *testing.T) {
	declared, used := map[string]string{}, map[string]bool{} // by the constant's name
	for _, f := range sources(t) {
		ast.Inspect(f.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if named(n.Type) == "Code" && f.file.Name.Name == "diag" {
					declared[n.Names[0].Name] = n.Values[0].(*ast.BasicLit).Value
				}
			case *ast.KeyValueExpr: // in package diag itself
				if code, ok := n.Value.(*ast.Ident); ok && named(n.Key) == "Code" {
					used[code.Name] = true
				}
			case *ast.SelectorExpr:
				if named(n.X) == "diag" {
					used[n.Sel.Name] = true
				}
			}
			return true
		})
	}
	if len(declared) != len(diag.Catalog()) {
		t.Errorf("%d constants, %d codes in the catalogue", len(declared), len(diag.Catalog()))
	}
	for name, code := range declared {
		if !used[name] {
			t.Errorf("diag.%s: nothing reports %s", name, code)
		}
	}
}
