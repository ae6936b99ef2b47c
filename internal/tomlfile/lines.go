package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

const maxDepth = 16 // of tables and arrays in one another

// Lines are the lines of a file's keys and tables. A path is written as
// "device[2].memory": keys joined by points, elements of arrays counted from 0.
type Lines struct {
	at     map[string]int // by path
	bare   map[string]int // the first line, by path without indices
	counts map[string]int // of array tables seen
}

// Line returns the line of a path, or of what it lies in; 0 if there is none.
func (l *Lines) Line(path string) int {
	for {
		if line, ok := l.at[path]; ok {
			return line
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
}

// first returns the line where a key first stands, whatever its array elements.
func (l *Lines) first(key toml.Key) int { return l.bare[strings.Join(key, ".")] }

// index finds the lines of a file, or its first syntax error.
func index(data []byte) (*Lines, *Fault) {
	w := &walker{
		Lines: Lines{at: make(map[string]int), bare: make(map[string]int), counts: make(map[string]int)},
		data:  data, line: 1,
	}
	p := unstable.Parser{}
	p.Reset(data)
	prefix := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			prefix = w.header(e)
		case unstable.KeyValue:
			w.keyValue(prefix, e, 0)
		}
		if w.fault != nil {
			return nil, w.fault
		}
	}
	return &w.Lines, w.syntax(p.Error())
}

// walker goes through a file's syntax tree in order.
type walker struct {
	Lines
	data         []byte
	offset, line int // line of offset
	fault        *Fault
}

// header notes a table's header and returns the table's path.
func (w *walker) header(e *unstable.Node) string {
	path := ""
	for it, depth := e.Key(), 0; it.Next() && w.within(depth); depth++ {
		path = w.note(path, it.Node())
		last := it.IsLast()
		if last && e.Kind == unstable.ArrayTable {
			w.counts[path]++
		}
		if n := w.counts[path]; n > 0 {
			path = fmt.Sprintf("%s[%d]", path, n-1)
			if last {
				w.at[path] = w.line
			}
		}
	}
	return path
}

// keyValue notes a key and what its value holds.
func (w *walker) keyValue(path string, e *unstable.Node, depth int) {
	for it := e.Key(); it.Next() && w.within(depth); depth++ {
		path = w.note(path, it.Node())
	}
	w.value(path, e.Value(), depth)
}

func (w *walker) value(path string, v *unstable.Node, depth int) {
	if !w.within(depth) || v.Kind != unstable.InlineTable && v.Kind != unstable.Array {
		return
	}
	n := 0
	for it := v.Children(); it.Next() && w.fault == nil; {
		switch child := it.Node(); {
		case child.Kind == unstable.Comment:
		case v.Kind == unstable.InlineTable:
			w.keyValue(path, child, depth+1)
		default:
			w.value(fmt.Sprintf("%s[%d]", path, n), child, depth+1)
			n++
		}
	}
}

// note adds a key to a path and keeps its line.
func (w *walker) note(path string, key *unstable.Node) string {
	w.seek(int(key.Raw.Offset))
	if path != "" {
		path += "."
	}
	path += string(key.Data)
	if _, ok := w.at[path]; !ok {
		w.at[path] = w.line
	}
	if bare := withoutIndices(path); w.bare[bare] == 0 {
		w.bare[bare] = w.line
	}
	return path
}

func withoutIndices(path string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(path, ".") {
		if i := strings.LastIndexByte(part, '['); i > 0 && strings.HasSuffix(part, "]") {
			part = part[:i]
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

// seek moves to an offset at or after the present one.
func (w *walker) seek(offset int) {
	if offset > w.offset {
		w.line += bytes.Count(w.data[w.offset:offset], []byte("\n"))
		w.offset = offset
	}
}

func (w *walker) within(depth int) bool {
	if depth < maxDepth {
		return true
	}
	if w.fault == nil {
		w.fault = &Fault{Line: w.line, Text: fmt.Sprintf("expected tables and arrays nested at most %d deep, found more", maxDepth)}
	}
	return false
}

// syntax returns the parser's error as a fault.
func (w *walker) syntax(err error) *Fault {
	if err == nil {
		return nil
	}
	f := &Fault{Line: w.line, Text: err.Error()}
	var p *unstable.ParserError
	if errors.As(err, &p) && p.Highlight != nil {
		f.Line = lineOf(w.data, p.Highlight)
	}
	return f
}

// lineOf returns the line of part, a slice of data: what of data's memory lies
// before it is the difference of their capacities.
func lineOf(data, part []byte) int {
	offset := min(max(cap(data)-cap(part), 0), len(data))
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}
