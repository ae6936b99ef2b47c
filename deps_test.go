package edgeshard_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/edgeshard/edgeshard"

// mayImport is a statement of policy: which of the project's packages each may
// import. A package is named by its path below the module, "" the root; an entry
// covers the packages below it.
var mayImport = map[string][]string{
	"internal":     {}, // serves all
	"models":       {"models"},
	"topologies":   {"topologies"},
	"scenarios":    {"topologies", "scenarios"},
	"":             {"models", "topologies"},
	"solver":       {"", "models", "topologies", "solver"},
	"sim/des":      {},
	"sim":          {"", "models", "topologies", "scenarios", "sim"},
	"exec/kernel":  {"models", "exec/kernel"},
	"exec/llama":   {"models", "exec/kernel", "exec/llama"},
	"exec/wire":    {"", "models", "topologies", "exec/wire"},
	"exec/journal": {},
	"exec":         {"", "models", "topologies", "scenarios", "exec"},
	"results":      {"", "models", "topologies", "results"},
	"tui":          {"", "models", "topologies", "tui"},
	"experiments":  {"", "models", "topologies", "scenarios", "results", "solver", "sim", "experiments"},
	"cmd":          {"", "models", "topologies", "scenarios", "results", "solver", "sim", "exec", "tui", "experiments", "cmd"},
}

func TestImports(t *testing.T) {
	for path, imports := range packages(t) {
		allowed, ok := policy(path)
		if !ok {
			t.Errorf("package %q has no policy: add it to mayImport", path)
			continue
		}
		for _, imp := range imports {
			if !permitted(imp, append([]string{"internal", path}, allowed...)) {
				t.Errorf("package %q imports %q", path, imp)
			}
		}
	}
}

// packages returns the project's packages and what each imports of the project.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]string)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		own := []string{}
		for _, i := range p.Imports {
			if rel, ok := below(i); ok {
				own = append(own, rel)
			}
		}
		rel, _ := below(p.ImportPath)
		found[rel] = own
	}
}

func below(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

// policy returns the entry of the longest path that covers a package.
func policy(path string) ([]string, bool) {
	for {
		if allowed, ok := mayImport[path]; ok {
			return allowed, true
		}
		i := strings.LastIndex(path, "/")
		if i < 0 {
			return nil, false
		}
		path = path[:i]
	}
}

func permitted(imp string, allowed []string) bool {
	for _, a := range allowed {
		if imp == a || a != "" && strings.HasPrefix(imp, a+"/") {
			return true
		}
	}
	return false
}
