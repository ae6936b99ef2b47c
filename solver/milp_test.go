package solver

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/edgeshard/edgeshard"
)

// The optima of testdata/milp were found by COIN-OR cbc; make.py there made them.
func TestExactIsMILP(t *testing.T) {
	data, err := os.ReadFile("testdata/milp/fixtures.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixtures []struct {
		Name         string
		Objective    string
		MicroBatches int `json:"micro_batches"`
		Weight       []int64
		Budget       []int64
		Time         [][]int64
		Link         [][]int64
		Return       []int64
		Optimum      int64
	}
	if err := json.Unmarshal(data, &fixtures); err != nil {
		t.Fatal(err)
	}
	link := func(x int64) Link { return Link{Request: x, Step: x, Occupancy: x, Traffic: x} }
	for _, f := range fixtures {
		p := table{
			weight: f.Weight, budget: f.Budget, request: f.Time,
			link: func(a, b int) Link { return link(f.Link[a][b]) },
			ret:  func(a int) Link { return link(f.Return[a]) },
			edit: func(p *Problem) {
				p.MicroBatches, p.Revisits = f.MicroBatches, f.Objective == "revisits"
				if f.Objective == "throughput" {
					p.Objective = edgeshard.Throughput
				}
			},
		}.problem()
		want := f.Optimum
		if want < 0 {
			want = never
		}
		if got := solved(t, p); got != want {
			t.Errorf("%s, %s: got %d, cbc found %d", f.Name, f.Objective, got, want)
		}
	}
	if len(fixtures) < 30 {
		t.Errorf("%d fixtures", len(fixtures))
	}
}
