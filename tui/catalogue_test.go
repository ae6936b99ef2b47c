package tui

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard/topologies"
)

// TestCatalogue: every value has a source, every device can be one of a cluster,
// and the documentation's table says what the catalogue says.
func TestCatalogue(t *testing.T) {
	all, err := topologies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	table := "| device | | value | source |\n|---|---|---|---|\n"
	for _, c := range all {
		if _, err := topologies.New("one", []topologies.Device{c.Device()}, 0, nil); err != nil {
			t.Error(err)
		}
		name := c.What
		for _, v := range c.Values() {
			if v[2] == "" {
				t.Errorf("%s: %s %s has no source", c.Name, v[0], v[1])
			}
			table += fmt.Sprintf("| %s | %s | %s | %s |\n", name, v[0], v[1], v[2])
			name = ""
		}
	}
	const file, mark = "../docs/tui.md", "<!-- the catalogue -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(data), mark)
	if len(parts) != 3 {
		t.Fatalf("%s: found %d marks of the catalogue: want 2", file, len(parts)-1)
	}
	if updating() {
		parts[1] = table
		if err := os.WriteFile(file, []byte(strings.Join(parts, mark)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(table, parts[1]); diff != "" {
		t.Errorf("%s (−want +got): run with -update\n%s", file, diff)
	}
}
