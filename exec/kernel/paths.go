package kernel

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// Paths returns the paths that this CPU can run, the plain one first.
func Paths() []*Path { return append([]*Path{Plain}, nativePaths()...) }

// Named returns the path of that name.
func Named(name string) (*Path, error) {
	var names []string
	for _, p := range Paths() {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return nil, fmt.Errorf("kernel path %q: this CPU has %s", name, strings.Join(names, ", "))
}

// Default returns the path that EDGESHARD_KERNEL names or else the fastest one.
func Default() (*Path, error) { return choose() }

var choose = sync.OnceValues(func() (*Path, error) {
	if name := os.Getenv("EDGESHARD_KERNEL"); name != "" {
		return Named(name)
	}
	all := Paths()
	return all[len(all)-1], nil
})
