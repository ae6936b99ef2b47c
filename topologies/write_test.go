package topologies

import "testing"

// TestTOML: a topology says the same when its file is read again.
func TestTOML(t *testing.T) {
	var all []*Topology
	for _, name := range Names() {
		top, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, top)
	}
	for seed := range uint64(20) {
		all = append(all, Random(seed, 2+int(seed)))
	}
	for _, want := range all {
		data, err := want.TOML()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse("written.toml", data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if !got.Equal(want) {
			t.Errorf("%s differs when read again:\n%s", want.Name, data)
		}
	}
}
