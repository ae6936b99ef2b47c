// Package wholefile writes files whole or not at all.
package wholefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write writes data beside file and then puts it in its place. What cannot be
// written whole leaves nothing behind.
func Write(file string, data []byte) error {
	return Stream(file, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// Stream writes what a function writes, as Write does. Several processes may write
// one file: the last one's stands.
func Stream(file string, write func(io.Writer) error) error {
	return stream(file, 0o644, write)
}

// WritePrivate is Write of a file that only its owner may read.
func WritePrivate(file string, data []byte) error {
	return stream(file, 0o600, func(w io.Writer) error { _, err := w.Write(data); return err })
}

func stream(file string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".part-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err == nil {
		err = os.Chmod(f.Name(), mode)
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
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
