package experiments

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"text": short, "class": cellClass, "join": strings.Join,
	"head": func(t *Table, c int) string {
		if t.numeric(c) {
			return "n"
		}
		return ""
	},
}).Parse(reportPage))

// cellClass tells numbers, and texts that may take several lines.
func cellClass(v any) string {
	if _, ok := number(v); ok {
		return "n"
	}
	if text, ok := v.(string); ok && len(text) > 40 {
		return "long"
	}
	return ""
}

// mostRows is how many rows of results a report shows; the files beside it have all.
const mostRows = 2000

// An Analysis is what an experiment makes of its results.
type Analysis struct {
	Spec      *Spec
	Table     *Table
	Published []Judgement
	Paired    []Paired
	Pictures  []Picture
}

// A Picture is a plot, drawn.
type Picture struct {
	*Plot
	Data []byte
}

// Analyse judges, compares and draws as the spec says. A plot for which the
// results have no row, as after a failed sweep, is left out.
func Analyse(s *Spec, t *Table) (*Analysis, error) {
	a := &Analysis{Spec: s, Table: t}
	var err error
	if a.Published, err = Judge(s, t); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	if a.Paired, err = ComparePairs(s, t); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	for i := range s.Plots {
		var b bytes.Buffer
		of := t
		if s.Plots[i].Kind == agreement {
			of = agreementTable(a.Published)
		}
		if err := s.Plots[i].Draw(&b, of); err != nil {
			return nil, fmt.Errorf("%s: plot %d: %w", s.File, i+1, err)
		}
		a.Pictures = append(a.Pictures, Picture{&s.Plots[i], b.Bytes()})
	}
	return a, nil
}

// HTML returns the picture as a part of a page that needs nothing else.
func (p Picture) HTML() template.HTML {
	if filepath.Ext(p.File) == ".svg" {
		svg := string(p.Data)
		return template.HTML(svg[max(strings.Index(svg, "<svg"), 0):]) //nolint:gosec // our own drawing, its texts escaped
	}
	return template.HTML(`<img alt="" src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(p.Data) + `">`) //nolint:gosec // base64
}

// tables returns the analysis's tables with their headings.
func (a *Analysis) tables() []section {
	var list []section
	if len(a.Published) > 0 {
		list = append(list, section{"Published and ours", publishedTable(a.Published)})
		if t := familyTable(a.Published); len(t.Rows) > 0 {
			list = append(list, section{"Errors by family, fitted figures left out", t})
		}
	}
	if len(a.Paired) > 0 {
		list = append(list, section{"In pairs, all else equal", pairedTable(a.Paired)})
	}
	return list
}

type section struct {
	Heading string
	Table   *Table
}

// WriteHTML writes the report as one page that opens from disk, without a network.
func (a *Analysis) WriteHTML(w io.Writer) error {
	all, same := a.Table.telling()
	left := max(len(all.Rows)-mostRows, 0)
	all.Rows = all.Rows[:len(all.Rows)-left]
	return reportTemplate.Execute(w, map[string]any{
		"Spec": a.Spec, "Status": a.Table.count("status"), "Sections": a.tables(), "Pictures": a.Pictures,
		"Rows": all, "Same": same, "Left": left,
	})
}

// Markdown writes the analysis's tables, and its pictures by their files.
func (a *Analysis) Markdown() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "# %s\n\n", a.Spec.Name)
	if a.Spec.Question != "" {
		b.WriteString(a.Spec.Question + "\n\n")
	}
	b.WriteString(a.Table.count("status") + "\n")
	for _, s := range a.tables() {
		_, _ = fmt.Fprintf(&b, "\n## %s\n\n%s", s.Heading, s.Table.Markdown())
	}
	for _, p := range a.Pictures {
		_, _ = fmt.Fprintf(&b, "\n![%s](%s)\n", cmp.Or(p.Title, p.File), p.File)
	}
	return b.String()
}

// lastColumns are those that one looks at last.
var lastColumns = []string{"error", "plan", "seed", "id", "version"}

// telling returns the table without the columns that have no value, or the same in
// all of several rows; the latter are told of by themselves.
func (t *Table) telling() (u *Table, same []string) {
	var keep, last []int
	for c, name := range t.Columns {
		switch value, constant := t.constant(c); {
		case constant && value == nil:
		case constant && len(t.Rows) > 1:
			same = append(same, name+" "+short(value))
		case slices.Contains(lastColumns, name):
			last = append(last, c)
		default:
			keep = append(keep, c)
		}
	}
	return t.columns(append(keep, last...)), same
}

// constant returns the value that all rows have in a column, if they have.
func (t *Table) constant(c int) (value any, is bool) {
	for i, row := range t.Rows {
		if i == 0 {
			value = row[c]
		} else if row[c] != value {
			return nil, false
		}
	}
	return value, true
}

// columns returns the table of some columns.
func (t *Table) columns(keep []int) *Table {
	u := &Table{}
	for _, c := range keep {
		u.Columns = append(u.Columns, t.Columns[c])
	}
	for _, row := range t.Rows {
		cells := make([]any, len(keep))
		for i, c := range keep {
			cells[i] = row[c]
		}
		u.Rows = append(u.Rows, cells)
	}
	return u
}

// count says how often a column has each value: "12 ok, 3 infeasible".
func (t *Table) count(column string) string {
	c, err := t.Column(column)
	if err != nil {
		return fmt.Sprintf("%d rows", len(t.Rows))
	}
	n := make(map[string]int)
	var order []string
	for _, row := range t.Rows {
		text := cellText(row[c])
		if n[text]++; n[text] == 1 {
			order = append(order, text)
		}
	}
	parts := make([]string, len(order))
	for i, text := range order {
		parts[i] = fmt.Sprintf("%d %s", n[text], text)
	}
	return fmt.Sprintf("%d points: %s", len(t.Rows), strings.Join(parts, ", "))
}
