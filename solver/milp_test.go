package solver

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/edgeshard/edgeshard"
)

// A milpFixture is a problem of testdata/milp and its optimum as COIN-OR cbc found
// it, below 0 if there is none; make.py there made them.
type milpFixture struct {
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

func (f *milpFixture) problem() *Problem {
	link := func(x int64) Link { return Link{Request: x, Step: x, Occupancy: x, Traffic: x} }
	return table{
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
}

func TestExactIsMILP(t *testing.T) {
	data, err := os.ReadFile("testdata/milp/fixtures.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixtures []milpFixture
	if err := json.Unmarshal(data, &fixtures); err != nil {
		t.Fatal(err)
	}
	for _, f := range fixtures {
		want := f.Optimum
		if want < 0 {
			want = never
		}
		if got := solved(t, f.problem()); got != want {
			t.Errorf("%s, %s: got %d, cbc found %d", f.Name, f.Objective, got, want)
		}
	}
	if len(fixtures) < 30 {
		t.Errorf("%d fixtures: want 30 or more", len(fixtures))
	}
}
