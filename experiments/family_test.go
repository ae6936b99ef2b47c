package experiments_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/edgeshard/edgeshard/experiments"
)

// TestFamilyErrors: fitted figures, and those of no family, do not count.
func TestFamilyErrors(t *testing.T) {
	figure := func(family string, fitted bool, err float64) experiments.Judgement {
		return experiments.Judgement{Published: &experiments.Published{Family: family, Fitted: fitted}, Error: err}
	}
	got := experiments.FamilyErrors([]experiments.Judgement{
		figure("a", true, 0), figure("a", false, -0.3), figure("b", false, 0.5), figure("a", false, 0.1), figure("", false, 9),
		figure("a", false, 0.2), figure("a", false, math.NaN()),
	})
	want := []experiments.FamilyError{
		{Family: "a", Figures: 3, Median: 0.2, P90: 0.3, Largest: 0.3},
		{Family: "b", Figures: 1, Median: 0.5, P90: 0.5, Largest: 0.5, Mean: 0.5},
		{Family: "all", Figures: 4, Median: 0.2, P90: 0.5, Largest: 0.5, Mean: 0.125},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
