package experiments

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// WriteParquet writes the table: numbers as doubles, integers, truth values, and
// texts in UTF-8, each of them optional. Its columns are sorted by name.
func (t *Table) WriteParquet(w io.Writer) error {
	group := make(parquet.Group, len(t.Columns))
	for c, name := range t.Columns {
		group[name] = parquet.Optional(t.node(c))
	}
	schema := parquet.NewSchema("results", group)
	at := make([]int, len(t.Columns)) // of each leaf of the schema
	for i, path := range schema.Columns() {
		c, err := t.Column(path[0])
		if err != nil {
			return err
		}
		at[i] = c
	}
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Snappy))
	for _, row := range t.Rows {
		if _, err := out.WriteRows([]parquet.Row{parquetRow(row, at)}); err != nil {
			return err
		}
	}
	return out.Close()
}

// node is the kind of a column, text if it has no value.
func (t *Table) node(c int) parquet.Node {
	for _, row := range t.Rows {
		switch row[c].(type) {
		case float64:
			return parquet.Leaf(parquet.DoubleType)
		case int64:
			return parquet.Int(64)
		case bool:
			return parquet.Leaf(parquet.BooleanType)
		case string:
			return parquet.String()
		}
	}
	return parquet.String()
}

func parquetRow(row []any, at []int) parquet.Row {
	values := make(parquet.Row, len(at))
	for i, c := range at {
		v := parquet.ValueOf(row[c])
		defined := 1
		if row[c] == nil {
			v, defined = parquet.NullValue(), 0
		}
		values[i] = v.Level(0, defined, i)
	}
	return values
}

func readParquet(file string) (t *Table, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	pf, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	t = &Table{}
	for _, path := range pf.Schema().Columns() {
		t.Columns = append(t.Columns, path[0])
	}
	r := parquet.NewReader(pf)
	buffer := make([]parquet.Row, 256)
	for {
		n, err := r.ReadRows(buffer)
		for _, row := range buffer[:n] {
			t.Rows = append(t.Rows, cellsOf(row, len(t.Columns)))
		}
		if errors.Is(err, io.EOF) {
			return t, r.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
}

func cellsOf(row parquet.Row, columns int) []any {
	cells := make([]any, columns)
	for _, v := range row {
		switch {
		case v.IsNull() || v.Column() >= columns:
		case v.Kind() == parquet.Double:
			cells[v.Column()] = v.Double()
		case v.Kind() == parquet.Int64:
			cells[v.Column()] = v.Int64()
		case v.Kind() == parquet.Boolean:
			cells[v.Column()] = v.Boolean()
		default:
			cells[v.Column()] = string(v.ByteArray())
		}
	}
	return cells
}
