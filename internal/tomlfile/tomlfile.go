// Package tomlfile reads TOML files a person wrote: strictly, and with the line
// of everything that is wrong with them.
package tomlfile

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// MaxBytes is the size of the largest file that is read.
const MaxBytes = 1 << 20

// A Fault is one thing wrong with a file.
type Fault struct {
	Line int    // from 1; 0 if it has none
	Key  string // what it concerns; may be empty
	Text string // what was expected and what was found
}

// An Error lists the faults of a file, sorted by line.
type Error struct {
	File   string
	Faults []Fault
}

// NewError returns the faults as an error, each once, or nil if there are none.
func NewError(file string, faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	sorted := slices.Clone(faults)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Text, b.Text))
	})
	return &Error{File: file, Faults: slices.Compact(sorted)}
}

// Error gives a line for each fault: file:line: key: text.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.In(e.File)
	}
	return strings.Join(lines, "\n")
}

// In writes the fault in one line: file:line: key: text.
func (f Fault) In(file string) string {
	at := file
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d", file, f.Line)
	}
	if f.Key != "" {
		at += ": " + f.Key
	}
	return at + ": " + f.Text
}

// Read returns the values of a file and the lines of its keys.
func Read(file string, data []byte) (map[string]any, *Lines, error) {
	var values map[string]any
	_, lines, err := decode(file, data, &values)
	return values, lines, err
}

// Decode reads a file into a struct with toml tags. Keys the struct lacks are
// errors, all of them listed.
func Decode(file string, data []byte, into any) error {
	meta, lines, err := decode(file, data, into)
	if err != nil {
		return err
	}
	var faults []Fault
	for _, k := range meta.Undecoded() {
		faults = append(faults, Fault{Line: lines.first(k), Key: k.String(), Text: UnknownKey(k[len(k)-1], keysOf(into))})
	}
	return NewError(file, faults)
}

// decode checks the shape of a file before it decodes it: the decoder has no
// limit to the depth of nesting.
func decode(file string, data []byte, into any) (toml.MetaData, *Lines, error) {
	if len(data) > MaxBytes {
		text := fmt.Sprintf("expected at most %d bytes, found %d", MaxBytes, len(data))
		return toml.MetaData{}, nil, NewError(file, []Fault{{Text: text}})
	}
	lines, fault := index(data)
	if fault != nil {
		return toml.MetaData{}, nil, NewError(file, []Fault{*fault})
	}
	meta, err := toml.Decode(string(data), into)
	if err != nil {
		return meta, nil, NewError(file, []Fault{faultOf(err)})
	}
	return meta, lines, nil
}

// mismatch is how the decoder tells a value of another type than the field's.
var mismatch = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*?)"\): (?s:(.*))$`)

// faultOf returns the decoder's error as a fault.
func faultOf(err error) Fault {
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return Fault{Line: syntax.Position.Line, Key: syntax.LastKey, Text: syntax.Message}
	}
	if m := mismatch.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		return Fault{Line: line, Key: m[2], Text: m[3]}
	}
	return Fault{Text: strings.TrimPrefix(err.Error(), "toml: ")}
}
