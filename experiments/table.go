package experiments

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Table is rows of columns. A cell is nil, a string, a float64, an int64 or a
// bool; a column's cells that are not nil are of one kind.
type Table struct {
	Columns []string
	Rows    [][]any
}

// fixedColumns stand in every table of results: first what names a row, then,
// after the settings, how it ended.
var fixedColumns = []string{"point", "repeat", "seed", "id", "version", "status", "error", "plan"}

// NewTable returns the table of a sweep's results: a row for each point, with
// every setting, the base's too, and every figure.
func NewTable(s *Spec, version string, results []Result) *Table {
	base, axes := s.settingColumns()
	t := &Table{Columns: slices.Concat(fixedColumns[:4], base, axes, fixedColumns[4:], figureNames())}
	for i := range results {
		t.Rows = append(t.Rows, s.row(&results[i], base, version))
	}
	t.unify()
	return t
}

// settingColumns returns the base's keys that no axis sets, and the axes' columns.
func (s *Spec) settingColumns() (base, axes []string) {
	set := make(map[string]bool)
	for i := range s.Axes {
		axes = append(axes, s.Axes[i].names()...)
		for _, k := range append(s.Axes[i].keys(), s.Axes[i].names()...) {
			set[k] = true
		}
	}
	for _, k := range sortedKeys(s.Base) {
		if !set[k] && !slices.Contains(fixedColumns, k) {
			base = append(base, k)
		}
	}
	return base, axes
}

func (s *Spec) row(r *Result, base []string, version string) []any {
	row := []any{int64(r.Index), int64(r.Repeat), int64(r.Seed), r.ID[:min(16, len(r.ID))]}
	for _, k := range base {
		row = append(row, s.Base[k])
	}
	for _, x := range r.Settings {
		row = append(row, x.Value)
	}
	row = append(row, version, string(r.Status), orNil(r.Error), orNil(r.Plan))
	for _, f := range figures {
		v, ok := r.Figures[f.name]
		if !ok {
			row = append(row, nil)
			continue
		}
		row = append(row, v)
	}
	return row
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// unify gives each column one kind: integers become numbers beside numbers, and
// all becomes text beside text.
func (t *Table) unify() {
	for c := range t.Columns {
		kinds := make(map[string]bool)
		for _, row := range t.Rows {
			if row[c] != nil {
				kinds[fmt.Sprintf("%T", row[c])] = true
			}
		}
		if len(kinds) < 2 {
			continue
		}
		for _, row := range t.Rows {
			n, isInt := row[c].(int64)
			switch {
			case len(kinds) == 2 && kinds["int64"] && kinds["float64"] && isInt:
				row[c] = float64(n)
			case row[c] != nil && (len(kinds) > 2 || !kinds["float64"] || !kinds["int64"]):
				row[c] = cellText(row[c])
			}
		}
	}
}

// cellText writes a cell as CSV does; nil is empty.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// Column returns a column's index, or an error that names those there are.
func (t *Table) Column(name string) (int, error) {
	if i := slices.Index(t.Columns, name); i >= 0 {
		return i, nil
	}
	return -1, fmt.Errorf("no column %q: want one of %s", name, strings.Join(t.Columns, ", "))
}

// WriteCSV writes the table with a header line.
func (t *Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.Columns); err != nil {
		return err
	}
	line := make([]string, len(t.Columns))
	for _, row := range t.Rows {
		for i, v := range row {
			line[i] = cellText(v)
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// ReadTable reads a .csv or .parquet file that a sweep wrote.
func ReadTable(file string) (*Table, error) {
	if filepath.Ext(file) == ".parquet" {
		return readParquet(file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s: want a line of column names, found nothing", file)
	}
	t := &Table{Columns: lines[0]}
	for _, line := range lines[1:] {
		row := make([]any, len(line))
		for i, text := range line {
			row[i] = orNil(text)
		}
		t.Rows = append(t.Rows, row)
	}
	t.recognise()
	return t, nil
}

// recognise makes the columns of numbers numbers.
func (t *Table) recognise() {
	for c := range t.Columns {
		parse := kindOf(t, c)
		for _, row := range t.Rows {
			if text, ok := row[c].(string); ok {
				row[c] = parse(text)
			}
		}
	}
}

func kindOf(t *Table, c int) func(string) any {
	for _, parse := range []func(string) (any, bool){parseInt, parseFloat, parseBool} {
		all := !slices.ContainsFunc(t.Rows, func(row []any) bool {
			text, isText := row[c].(string)
			if !isText {
				return false
			}
			_, ok := parse(text)
			return !ok
		})
		if all {
			return func(text string) any { v, _ := parse(text); return v }
		}
	}
	return func(text string) any { return text }
}

func parseInt(text string) (any, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}

func parseFloat(text string) (any, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

func parseBool(text string) (any, bool) { return text == "true", text == "true" || text == "false" }

// number returns a cell as a number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case bool:
		return truth(v), true
	}
	return 0, false
}
