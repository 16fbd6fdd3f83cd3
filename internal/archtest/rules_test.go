package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// A row is one line of the architecture.
type row struct {
	layer int
	path  string // from the module's root
	kind  kind
	uses  uses
}

// kind says whether a package may act on the world.
type kind string

const (
	pure    kind = "pure"
	effects kind = "effects"
)

// uses names the third-party modules a package may import.
type uses []string

var none uses

// here is where the architecture is written down.
const here = "the table in internal/archtest/archtest_test.go"

// find is the index of a package's row, -1 if it has none.
func find(table []row, dir string) int {
	return slices.IndexFunc(table, func(r row) bool {
		base, below := strings.CutSuffix(r.path, "/...")
		return r.path == dir || below && inModule(dir, base)
	})
}

// checkTable finds rows that contradict the table's own order.
func checkTable(table []row) (problems []string) {
	for i, r := range table {
		if i > 0 && r.layer < table[i-1].layer {
			problems = append(problems, fmt.Sprintf("row %q: layer %d stands below layer %d; move it up", r.path, r.layer, table[i-1].layer))
		}
		if j := find(table, r.path); j != i {
			problems = append(problems, fmt.Sprintf("row %q: an earlier row covers it; remove one", r.path))
		}
		for _, m := range r.uses {
			if r.kind == pure && !slices.Contains(calculating, m) {
				problems = append(problems, fmt.Sprintf("row %q: a pure package uses no third-party module that does more than calculate", r.path))
			}
		}
	}
	return problems
}

// checkImports holds every import to the table.
func checkImports(t tree, table []row, apart [][2]string) (problems []string) {
	for _, f := range t.folders {
		i := find(table, f.path)
		if i < 0 {
			problems = append(problems, fmt.Sprintf(
				"package %s is not in the architecture: add a row for it to %s (and to DESIGN section 9), in its layer, below the packages it imports and above those that import it",
				f.path, here))
			continue
		}
		for _, file := range f.files {
			for p, at := range t.imports(file) {
				if why := refuse(table, i, f.path, p, apart); why != "" {
					problems = append(problems, fmt.Sprintf("%v: %s imports %s: %s", at, f.path, p, why))
				}
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// refuse says why the package of row i may not import p, "" if it may.
func refuse(table []row, i int, from, p string, apart [][2]string) string {
	to, ok := own(p)
	if !ok {
		if standard(p) || slices.ContainsFunc(table[i].uses, func(m string) bool { return inModule(p, m) }) {
			return ""
		}
		return fmt.Sprintf("its row does not name that module; use the package whose row does, or name it in %s", here)
	}
	switch j := find(table, to); {
	case j < 0:
		return fmt.Sprintf("which is not in the architecture; add a row to %s", here)
	case j >= i && to != from:
		return fmt.Sprintf("which does not stand above it in %s; turn the dependency round, with an interface declared where it is used", here)
	}
	if slices.Contains(apart, [2]string{from, to}) || slices.Contains(apart, [2]string{to, from}) {
		return "the two do not know each other; declare a small interface where it is used, node introduces them"
	}
	return ""
}

// checkReach finds linked packages of forbidden modules.
func checkReach(from string, linked, modules []string) (problems []string) {
	for _, m := range modules {
		if slices.ContainsFunc(linked, func(p string) bool { return inModule(p, m) }) {
			problems = append(problems, fmt.Sprintf("%s links %s; find the way with: go list -deps ./%s", from, m, from))
		}
	}
	return problems
}

// worldly lists packages of the standard library, with those below them, that
// a pure package does not import, and timely the functions of package time.
var (
	worldly = []string{"C", "context", "crypto/rand", "io/ioutil", "log", "math/rand", "net", "os", "runtime", "sync", "syscall", "unsafe"}
	timely  = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}
)

// checkPurity finds what makes a pure package act on the world.
func checkPurity(t tree, table []row) (problems []string) {
	for _, f := range t.folders {
		if i := find(table, f.path); i < 0 || table[i].kind != pure {
			continue
		}
		for _, file := range f.files {
			problems = append(problems, impureImports(t, table, file)...)
			problems = append(problems, impureActs(t, file)...)
		}
	}
	slices.Sort(problems)
	return problems
}

func impureImports(t tree, table []row, file *ast.File) (problems []string) {
	for p, at := range t.imports(file) {
		dir, ok := own(p)
		i := find(table, dir)
		switch {
		case ok && (i < 0 || table[i].kind != pure):
			problems = append(problems, fmt.Sprintf("%v: a pure package imports %s, which is not pure", at, p))
		case slices.ContainsFunc(worldly, func(w string) bool { return inModule(p, w) }):
			problems = append(problems, fmt.Sprintf("%v: a pure package imports %s; let the caller hand in what is needed", at, p))
		}
	}
	return problems
}

// impureActs finds goroutines and readings of the clock.
func impureActs(t tree, file *ast.File) (problems []string) {
	clock := localName(file, "time")
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			problems = append(problems, fmt.Sprintf("%v: a pure package starts a goroutine", t.set.Position(n.Pos())))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == clock && slices.Contains(timely, n.Sel.Name) {
				problems = append(problems, fmt.Sprintf("%v: a pure package uses time.%s; let the caller hand in the time", t.set.Position(n.Pos()), n.Sel.Name))
			}
		}
		return true
	})
	if clock == "." {
		problems = append(problems, fmt.Sprintf("%v: a pure package imports time with a dot, which hides its use", t.set.Position(file.Package)))
	}
	return problems
}

// localName is what a file calls a package of the standard library, "" if it
// does not import it.
func localName(file *ast.File, importPath string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != `"`+importPath+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// checkSizes finds hand-written files and functions that are too long.
func checkSizes(t tree, maxFile, maxFunction int) (problems []string) {
	for _, f := range t.folders {
		for _, file := range f.files {
			if ast.IsGenerated(file) {
				continue
			}
			if n := t.set.File(file.Pos()).LineCount(); n > maxFile {
				problems = append(problems, fmt.Sprintf("%s has %d lines; at most %d: split it by what it is about", t.set.Position(file.Package).Filename, n, maxFile))
			}
			for _, d := range file.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				from, to := t.set.Position(fn.Pos()), t.set.Position(fn.End())
				if n := to.Line - from.Line + 1; n > maxFunction {
					problems = append(problems, fmt.Sprintf("%v: function %s has %d lines; at most %d", from, fn.Name.Name, n, maxFunction))
				}
			}
		}
	}
	return problems
}

// checkNames finds folders whose name, in the singular, says nothing.
func checkNames(t tree, vague []string) (problems []string) {
	for _, f := range t.folders {
		for element := range strings.SplitSeq(f.path, "/") {
			if slices.Contains(vague, strings.TrimSuffix(element, "s")) || slices.Contains(vague, element) {
				problems = append(problems, fmt.Sprintf("package %s: %q says nothing; name what it is about (DESIGN section 11)", f.path, element))
			}
		}
	}
	return problems
}
