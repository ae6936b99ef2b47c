package topologies

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

//go:embed builtin/*.toml
var builtin embed.FS

// Names returns the names of the built-in topologies, sorted.
func Names() []string { return tomlfile.Names(builtin, "builtin") }

// Builtin returns the text of a built-in topology.
func Builtin(name string) ([]byte, bool) {
	data, err := builtin.ReadFile("builtin/" + name + ".toml")
	return data, err == nil
}

// Load reads a built-in topology by its name, or a file by its path.
func Load(ref string) (*Topology, error) {
	data, err := Read(ref)
	if err != nil {
		return nil, err
	}
	t, err := Parse(ref, data)
	if err == nil {
		t.locate(ref)
	}
	return t, err
}

// Read returns the text of a built-in topology, or of a file.
func Read(ref string) ([]byte, error) {
	if data, ok := Builtin(ref); ok {
		return data, nil
	}
	data, err := tomlfile.ReadFile(ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("topology %q: %w, and no built-in one (%s)%s", ref, fs.ErrNotExist, strings.Join(Names(), ", "), didYouMean(ref, Names))
	}
	if err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	return data, nil
}

// baseName returns a file's name without folder and .toml.
func baseName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), ".toml")
}
