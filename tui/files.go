package tui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/edgeshard/edgeshard/internal/wholefile"
)

// A SetFile is a file of scenarios; the session's file is one too, with the
// question that was on screen.
type SetFile struct {
	Question *Question `json:"question,omitempty"`
	Entries  []Entry   `json:"scenarios"`
}

// ParseSet reads a scenario set. Errors name the file, and the line or key.
func ParseSet(file string, data []byte) (*SetFile, error) {
	var s SetFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, 1+bytes.Count(data[:dec.InputOffset()], []byte("\n")), err)
	}
	if s.Question != nil {
		if err := s.Question.Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	for i := range s.Entries {
		if err := s.Entries[i].Question.Validate(); err != nil {
			return nil, fmt.Errorf("%s: scenarios[%d] %s: %w", file, i, s.Entries[i].Name, err)
		}
	}
	return &s, nil
}

// LoadSet reads a scenario set from a file.
func LoadSet(file string) (*SetFile, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParseSet(file, data)
}

// SessionFile returns where what is on screen is kept.
func SessionFile() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	return filepath.Join(dir, "edgeshard", "session.json"), nil
}

// writeFile writes a file whole or not at all.
func writeFile(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return wholefile.Write(file, data)
}

// writeJSON writes v as indented JSON.
func writeJSON(file string, v any) error {
	data, err := wholefile.JSON(v)
	if err != nil {
		return err
	}
	return writeFile(file, data)
}
