package simulation

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed scenarios/*.yaml scenarios/*.csv
var library embed.FS

const (
	libraryDir = "scenarios"
	ending     = ".yaml"
)

// Names are the scenarios that come with the program, sorted.
func Names() []string {
	files, err := fs.Glob(library, libraryDir+"/*"+ending)
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ending))
	}
	return names
}

// Named is a scenario that comes with the program.
func Named(name string) (Scenario, error) {
	text, err := library.ReadFile(path.Join(libraryDir, name+ending))
	if err != nil {
		return Scenario{}, fmt.Errorf("no scenario is called %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return parse(name+ending, text, func(file string) ([]byte, error) { return library.ReadFile(path.Join(libraryDir, file)) })
}
