// Package tomlfile reads TOML files a person wrote: strictly, and with the line
// of everything that is wrong with them.
package tomlfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// What is read and told of a file at most.
const (
	MaxBytes  = 1 << 20 // size of the largest file that is read
	MaxFaults = 1000    // most faults that an error lists
)

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
	More   int // that are not listed
}

// A List collects faults, of which it keeps the first MaxFaults.
type List struct {
	Faults []Fault
	More   int
}

// Add notes a fault; its text is made only where it is kept.
func (l *List) Add(line int, key, format string, args ...any) {
	if len(l.Faults) == MaxFaults {
		l.More++
		return
	}
	l.Faults = append(l.Faults, Fault{Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// Sorted returns the faults kept by line, each once.
func (l *List) Sorted() []Fault { return sorted(l.Faults) }

// Err returns the list as an error, or nil if it is empty.
func (l *List) Err(file string) error {
	if len(l.Faults) == 0 {
		return nil
	}
	return &Error{File: file, Faults: l.Sorted(), More: l.More}
}

// NewError returns the faults as an error, each once, or nil if there are none.
func NewError(file string, faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &Error{File: file, Faults: sorted(faults)}
}

// sorted returns the faults by line, each once.
func sorted(faults []Fault) []Fault {
	clone := slices.Clone(faults)
	slices.SortStableFunc(clone, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(clone)
}

// Error gives a line for each fault: file:line: key: text.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.In(e.File)
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", e.File, e.More))
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

// ReadFile returns the text of a file of at most MaxBytes; of a longer one it
// returns enough for Read and Decode to refuse it.
func ReadFile(path string) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
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
	var faults List
	for _, k := range meta.Undecoded() {
		faults.Add(lines.first(k), k.String(), "%s", UnknownKey(k[len(k)-1], keysOf(into)))
	}
	return faults.Err(file)
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
