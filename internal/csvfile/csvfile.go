// Package csvfile reads CSV files that have a header, and comments after #.
package csvfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// Read calls header with the first record of a file and row with each of the
// others, which must not keep them. Errors name the file, and the line.
func Read(file string, r io.Reader, header, row func([]string) error) error {
	rows := csv.NewReader(r)
	rows.Comment, rows.TrimLeadingSpace, rows.ReuseRecord = '#', true, true
	first, err := rows.Read()
	if err != nil {
		return fmt.Errorf("%s:1: expected a header, found %w", file, err)
	}
	if err := header(first); err != nil {
		return fmt.Errorf("%s:1: %w", file, err)
	}
	for {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		line, _ := rows.FieldPos(0)
		if err := row(record); err != nil {
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
}
