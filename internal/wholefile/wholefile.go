// Package wholefile writes files whole or not at all.
package wholefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
)

// Write writes data beside file and then puts it in its place. What cannot be
// written whole leaves nothing behind.
func Write(file string, data []byte) error {
	part := file + ".part"
	err := os.WriteFile(part, data, 0o644)
	if err == nil {
		err = os.Rename(part, file)
	}
	if err != nil {
		if gone := os.Remove(part); !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// JSON returns v as indented JSON, with a newline at its end.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
