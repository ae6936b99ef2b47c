package experiments

import (
	"fmt"
	"math"
	"slices"
)

// A FamilyError is how far the figures of a family are off that were not fitted,
// as shares of what was published.
type FamilyError struct {
	Family               string
	Figures              int
	Median, P90, Largest float64 // of the errors without their signs; by nearest rank
	Mean                 float64 // with them
}

// FamilyErrors summarises judgements by family, in the order of the first of each,
// and all families together at the end.
func FamilyErrors(list []Judgement) []FamilyError {
	var names []string
	errors := make(map[string][]float64)
	add := func(name string, e float64) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		errors[name] = append(errors[name], e)
	}
	var all []float64
	for i := range list {
		if j := &list[i]; j.Family != "" && !j.Fitted && !math.IsNaN(j.Error) {
			add(j.Family, j.Error)
			all = append(all, j.Error)
		}
	}
	var out []FamilyError
	for _, n := range names {
		out = append(out, familyError(n, errors[n]))
	}
	if len(names) > 1 {
		out = append(out, familyError("all", all))
	}
	return out
}

func familyError(name string, errors []float64) FamilyError {
	f := FamilyError{Family: name, Figures: len(errors)}
	sizes := make([]float64, len(errors))
	for i, e := range errors {
		f.Mean += e / float64(len(errors))
		sizes[i] = math.Abs(e)
	}
	slices.Sort(sizes)
	rank := func(p int) float64 { return sizes[(len(sizes)*p+99)/100-1] }
	f.Median, f.P90, f.Largest = rank(50), rank(90), rank(100)
	return f
}

// familyTable writes the errors of families as a table of texts.
func familyTable(list []Judgement) *Table {
	t := &Table{Columns: []string{"family", "figures", "median error", "90 % within", "largest", "mean, signed"}}
	for _, f := range FamilyErrors(list) {
		share := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
		t.Rows = append(t.Rows, []any{f.Family, int64(f.Figures), share(f.Median), share(f.P90), share(f.Largest), fmt.Sprintf("%+.1f %%", 100*f.Mean)})
	}
	return t
}

// agreementTable has a row for each figure that was published as a number.
func agreementTable(list []Judgement) *Table {
	t := &Table{Columns: []string{"published", "ours", "family"}}
	for i := range list {
		j := &list[i]
		published, ok := number(j.Value)
		ours, isNumber := number(j.Ours)
		if !ok || !isNumber {
			continue
		}
		family := j.Family
		if j.Fitted {
			family = string(Fitted)
		}
		t.Rows = append(t.Rows, []any{published, ours, family})
	}
	return t
}
