package tomlfile

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Names returns the names of the TOML files in a folder, without their endings, sorted.
func Names(files fs.FS, folder string) []string {
	names, err := fs.Glob(files, folder+"/*.toml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, f := range names {
		names[i] = strings.TrimSuffix(path.Base(f), ".toml")
	}
	slices.Sort(names)
	return names
}
