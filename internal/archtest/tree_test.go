package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// modulePath is the path in go.mod.
const modulePath = "fleetfuse"

// A tree is the module's Go files that are not tests, for every platform and
// build tag. It is parsed here, not asked of the go command, so that the test
// cache notices a changed file.
type tree struct {
	set      *token.FileSet
	folders  []folder
	problems []string // what could not be read
}

// A folder is one package.
type folder struct {
	path  string // from the module's root
	files []*ast.File
}

// load reads the tree below root, without nested modules.
func load(root fs.FS) tree {
	t := tree{set: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(root, p)
		case strings.HasSuffix(p, ".go") && !ignored(d.Name()):
			t.add(root, p)
		}
		return nil
	})
	if err != nil {
		t.problems = append(t.problems, err.Error())
	}
	return t
}

// enter skips what the go command skips below a module's root.
func enter(root fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	_, err := fs.Stat(root, dir+"/go.mod")
	if err == nil || base == "testdata" || base == "vendor" || ignored(base) {
		return fs.SkipDir
	}
	return nil
}

// ignored reports what the go command does not look at.
func ignored(base string) bool {
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

// add parses a file. A folder counts as a package although all its files are
// tests; their content does not count.
func (t *tree) add(root fs.FS, p string) {
	i := t.index(path.Dir(p))
	if i < 0 {
		i = len(t.folders)
		t.folders = append(t.folders, folder{path: path.Dir(p)})
	}
	if strings.HasSuffix(p, "_test.go") {
		return
	}
	text, err := fs.ReadFile(root, p)
	if err != nil {
		t.problems = append(t.problems, err.Error())
		return
	}
	f, err := parser.ParseFile(t.set, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.problems = append(t.problems, fmt.Sprintf("%v (an edit under way?)", err))
		return
	}
	t.folders[i].files = append(t.folders[i].files, f)
}

func (t *tree) index(dir string) int {
	return slices.IndexFunc(t.folders, func(f folder) bool { return f.path == dir })
}

// has reports whether the tree has a package.
func (t tree) has(dir string) bool { return t.index(dir) >= 0 }

// imports lists a file's imports, each with its place.
func (t *tree) imports(f *ast.File) map[string]token.Position {
	m := make(map[string]token.Position, len(f.Imports))
	for _, spec := range f.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			m[p] = t.set.Position(spec.Pos())
		}
	}
	return m
}

// own returns the path from the module's root of a package of this module.
func own(importPath string) (dir string, ok bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// inModule reports whether an import is of a module or a package below it.
func inModule(importPath, module string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// standard reports whether an import is of the standard library: its first
// element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return first != modulePath && !strings.Contains(first, ".")
}

// linked asks the go command for every package that one links, with cgo and
// without: a file that needs cgo hides what it imports from a build without.
func linked(t *testing.T, from string) (packages []string) {
	t.Helper()
	for _, cgo := range []string{"CGO_ENABLED=0", "CGO_ENABLED=1"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "./"+from)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), cgo)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s go list -deps ./%s: %v", cgo, from, err)
		}
		packages = append(packages, strings.Fields(string(out))...)
	}
	return packages
}
