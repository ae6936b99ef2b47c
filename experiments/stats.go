package experiments

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Mean is a sample's mean with its 95 % confidence interval by Student's t;
// of one value the interval is the value.
type Mean struct {
	N               int
	Mean, Low, High float64
	Deviation       float64
}

func meanOf(values []float64) Mean {
	m := Mean{N: len(values)}
	if m.N == 0 {
		return m
	}
	m.Mean = stat.Mean(values, nil)
	m.Low, m.High = m.Mean, m.Mean
	if m.N > 1 {
		m.Deviation = stat.StdDev(values, nil)
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(m.N - 1)}.Quantile(0.975)
		half := t * m.Deviation / math.Sqrt(float64(m.N))
		m.Low, m.High = m.Mean-half, m.Mean+half
	}
	return m
}

// A Paired is a comparison of two values of a column over the points that differ
// in nothing else.
type Paired struct {
	*Pairing
	Pairs      int
	Unpaired   int     // points of either that have no figure, or no partner
	Difference Mean    // a − b
	Ratio      Mean    // a / b: the geometric mean, and the interval of its logarithm
	Wins       int     // pairs in which a is the smaller
	Effect     float64 // Cohen's d of the pairs: mean difference / its standard deviation
	P          float64 // of the two-sided paired t-test; NaN with fewer than 2 pairs
}

// ComparePairs compares as the spec says. Settings are all columns that are
// neither figures nor told of a row itself.
func ComparePairs(s *Spec, t *Table) ([]Paired, error) {
	var list []Paired
	for i := range s.Compare {
		p, err := comparePair(&s.Compare[i], t)
		if err != nil {
			return nil, fmt.Errorf("compare %d: %w", i+1, err)
		}
		list = append(list, p)
	}
	return list, nil
}

func comparePair(p *Pairing, t *Table) (Paired, error) {
	r := Paired{Pairing: p, P: math.NaN()}
	t, err := t.Where(p.Where)
	if err != nil {
		return r, err
	}
	sides, all, err := t.sides(p)
	if err != nil {
		return r, err
	}
	var differences, ratios []float64
	for _, id := range all {
		a, inA := sides[0][id]
		b, inB := sides[1][id]
		if !inA || !inB {
			r.Unpaired++
			continue
		}
		differences = append(differences, a-b)
		if a > 0 && b > 0 {
			ratios = append(ratios, math.Log(a/b))
		}
		if a < b {
			r.Wins++
		}
	}
	r.Pairs, r.Difference = len(differences), meanOf(differences)
	m := meanOf(ratios)
	r.Ratio = Mean{N: m.N, Mean: math.Exp(m.Mean), Low: math.Exp(m.Low), High: math.Exp(m.High)}
	if d := r.Difference; d.N > 1 && d.Deviation > 0 {
		r.Effect = d.Mean / d.Deviation
		score := r.Effect * math.Sqrt(float64(d.N))
		r.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(d.N - 1)}.CDF(-math.Abs(score))
	}
	return r, nil
}

// sides returns the figure of each point of a and of b, by its other settings,
// and all these settings in order.
func (t *Table) sides(p *Pairing) (sides [2]map[string]float64, all []string, err error) {
	column, err := t.Column(p.Column)
	if err != nil {
		return sides, nil, err
	}
	value, err := t.Column(p.Figure)
	if err != nil {
		return sides, nil, err
	}
	sides = [2]map[string]float64{{}, {}}
	seen := make(map[string]bool)
	for _, row := range t.Rows {
		side := slices.Index([]string{p.A, p.B}, cellText(row[column]))
		if side < 0 {
			continue
		}
		id := t.others(row, column)
		if !seen[id] {
			seen[id], all = true, append(all, id)
		}
		if v, ok := number(row[value]); ok {
			sides[side][id] = v
		}
	}
	return sides, all, nil
}

// others writes a row's settings but for one column, and its repeat.
func (t *Table) others(row []any, but int) string {
	id := ""
	for c, name := range t.Columns {
		told := slices.Contains(fixedColumns, name) && name != "repeat" || slices.Contains(figureNames(), name)
		if c != but && !told {
			id += name + "=" + cellText(row[c]) + "\x00"
		}
	}
	return id
}

// Where returns the rows for which conditions hold.
func (t *Table) Where(conditions []string) (*Table, error) {
	f, err := newFilter(conditions)
	if err != nil || len(conditions) == 0 {
		return t, err
	}
	kept := &Table{Columns: t.Columns}
	for _, row := range t.Rows {
		env := make(map[string]any, len(row))
		for c, name := range t.Columns {
			env[name] = row[c]
		}
		ok, err := f.holds(env)
		if err != nil {
			return nil, err
		}
		if ok {
			kept.Rows = append(kept.Rows, row)
		}
	}
	return kept, nil
}

// pairedTable writes comparisons as a table of texts.
func pairedTable(list []Paired) *Table {
	t := &Table{Columns: []string{"figure", "a", "b", "pairs", "no pair", "a / b", "95 % interval", "a smaller in", "Cohen's d", "p"}}
	for i := range list {
		p := &list[i]
		test := "–"
		if !math.IsNaN(p.P) {
			test = fmt.Sprintf("%.2g", p.P)
		}
		t.Rows = append(t.Rows, []any{p.Figure, p.A, p.B, int64(p.Pairs), int64(p.Unpaired), short(p.Ratio.Mean),
			fmt.Sprintf("%s to %s", short(p.Ratio.Low), short(p.Ratio.High)), fmt.Sprintf("%d of %d", p.Wins, p.Pairs), fmt.Sprintf("%.2f", p.Effect), test})
	}
	return t
}
