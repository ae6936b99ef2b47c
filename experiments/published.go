package experiments

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// A Verdict says what became of a published figure.
type Verdict string

const (
	Reproduced   Verdict = "reproduced"   // within the tolerance, with inputs that were not chosen for it
	Fitted       Verdict = "fitted"       // the inputs were chosen so that it comes out
	Inconsistent Verdict = "inconsistent" // cannot be had from what is in print
	Differs      Verdict = "differs"
	New          Verdict = "new" // nobody published one
)

// A Judgement is a published figure beside ours.
type Judgement struct {
	*Published
	Ours    any     // a number, or "OOM"
	Error   float64 // (ours − published) / published; NaN where one of them is no number
	Verdict Verdict
}

// Judge holds the table to the figures that were published; a cell of several
// rows counts with their mean.
func Judge(s *Spec, t *Table) ([]Judgement, error) {
	var list []Judgement
	for i := range s.Published {
		p := &s.Published[i]
		rows, err := t.match(p.Where)
		if err != nil {
			return nil, fmt.Errorf("published %d: %w", i+1, err)
		}
		if len(rows) == 0 {
			continue // the small version may lack it
		}
		ours, err := t.cellOf(rows, p.Figure)
		if err != nil {
			return nil, fmt.Errorf("published %d: %w", i+1, err)
		}
		list = append(list, judge(p, ours, s.Tolerance))
	}
	return list, nil
}

// match returns the rows whose columns have those values.
func (t *Table) match(where map[string]any) ([]int, error) {
	var found []int
	at := make(map[int]string)
	for k, v := range where {
		c, err := t.Column(k)
		if err != nil {
			return nil, err
		}
		at[c] = cellText(v)
	}
	for i, row := range t.Rows {
		ok := true
		for c, text := range at {
			ok = ok && cellText(row[c]) == text
		}
		if ok {
			found = append(found, i)
		}
	}
	return found, nil
}

// cellOf returns the mean of a figure over rows, or "OOM" where a row has no
// plan that fits.
func (t *Table) cellOf(rows []int, figure string) (any, error) {
	c, err := t.Column(figure)
	if err != nil {
		return nil, err
	}
	status, err := t.Column("status")
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for _, i := range rows {
		switch s := Status(cellText(t.Rows[i][status])); s {
		case Infeasible, OOM:
			return outOfMemory, nil
		case OK:
		default:
			return nil, fmt.Errorf("row %d is %s", i, s)
		}
		v, ok := number(t.Rows[i][c])
		if !ok {
			return nil, fmt.Errorf("row %d has no %s", i, figure)
		}
		sum += v
	}
	return sum / float64(len(rows)), nil
}

func judge(p *Published, ours any, tolerance float64) Judgement {
	j := Judgement{Published: p, Ours: ours, Error: math.NaN(), Verdict: Differs}
	a, isNumber := number(ours)
	b, published := number(p.Value)
	if isNumber && published && b != 0 {
		j.Error = (a - b) / b
	}
	near := math.Abs(j.Error) <= tolerance || !isNumber && p.Value == outOfMemory
	switch {
	case p.Value == nil:
		j.Verdict = New
	case p.Inconsistent != "":
		j.Verdict = Inconsistent
	case p.Fitted && near:
		j.Verdict = Fitted
	case near:
		j.Verdict = Reproduced
	}
	return j
}

// publishedTable writes judgements as a table of texts.
func publishedTable(list []Judgement) *Table {
	t := &Table{Columns: []string{"cell", "figure", "published", "ours", "error", "verdict", "why"}}
	for i := range list {
		j := &list[i]
		var where []string
		for _, k := range sortedKeys(j.Where) {
			where = append(where, cellText(j.Where[k]))
		}
		relative := "–"
		if !math.IsNaN(j.Error) {
			relative = fmt.Sprintf("%+.1f %%", 100*j.Error)
		}
		t.Rows = append(t.Rows, []any{strings.Join(where, ", "), j.Figure, cmp.Or(short(j.Value), "–"), short(j.Ours), relative, string(j.Verdict), orNil(strings.TrimSpace(cmp.Or(j.Inconsistent, j.Note) + " " + j.Source))})
	}
	return t
}

// short writes a cell with four significant digits.
func short(v any) string {
	x, isNumber := v.(float64)
	switch {
	case !isNumber:
		return cellText(v)
	case x == math.Trunc(x) && math.Abs(x) < 1e6:
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) >= 1000 && math.Abs(x) < 1e7:
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.4g", x)
}

// Markdown writes the table in Markdown, numbers with four significant digits.
func (t *Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.Columns)
	rule := make([]string, len(t.Columns))
	for c := range rule {
		rule[c] = "---"
		if t.numeric(c) {
			rule[c] = "---:"
		}
	}
	line(rule)
	cells := make([]string, len(t.Columns))
	for _, row := range t.Rows {
		for c, v := range row {
			cells[c] = strings.NewReplacer("|", "\\|", "\n", " ").Replace(short(v))
		}
		line(cells)
	}
	return b.String()
}

// numeric tells whether a column has numbers and no text.
func (t *Table) numeric(c int) bool {
	found := false
	for _, row := range t.Rows {
		if row[c] == nil {
			continue
		}
		if _, ok := number(row[c]); !ok {
			return false
		}
		found = true
	}
	return found
}
