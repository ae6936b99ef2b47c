package topologies

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// Parse reads a topology from TOML; file is for messages, and its base is the
// topology's name where it gives none. The error is an *Error with every fault.
func Parse(file string, data []byte) (*Topology, error) {
	t, _, err := parse(file, data)
	return t, err
}

// parse also returns what Check looks into.
func parse(file string, data []byte) (*Topology, *parser, error) {
	values, lines, err := tomlfile.Read(file, data)
	if err != nil {
		return nil, nil, err
	}
	p := &parser{lines: lines, used: make(map[string]bool)}
	p.builder = builder{draft: p.draft(values), reporter: p}
	p.builder.draft.Name = or(p.builder.draft.Name, baseName(file))
	t := p.builder.build()
	if err := p.faults.Err(file); err != nil {
		return nil, nil, err
	}
	return t, p, nil
}

// parser turns a file's values into a draft, and keeps every fault on the way.
type parser struct {
	lines  *tomlfile.Lines
	faults tomlfile.List
	used   map[string]bool // paths of tables that others are like

	templates []*node
	builder   builder
}

func (p *parser) report(path, key, format string, args ...any) {
	p.faults.Add(p.lines.Line(path), key, format, args...)
}

func (p *parser) draft(values map[string]any) *draft {
	d := &draft{}
	top := node{values: values, merged: values}
	kinds, media := p.named(&top, "kind"), p.named(&top, "medium")
	devices, links := p.tables(&top, "device"), p.tables(&top, "link")
	segments := p.tables(&top, "segment")
	p.decode(&top, reflect.ValueOf(d).Elem(), "device", "link", "segment", "kind", "medium")

	for i, n := range devices {
		if name, ok := n.values["name"].(string); ok {
			n.label = "device " + clip(name)
			if k, ok := kinds[name]; ok && strings.HasPrefix(k.path, "kind.") {
				p.report(n.path+".name", n.label+": name", "expected a word that is no kind's name, found %q", clip(name))
			}
			kinds[name] = n
		} else {
			n.label = fmt.Sprintf("device %d", i+1)
		}
	}
	d.Devices = make([]entry, len(devices))
	for i, n := range devices {
		p.inherit(n, kinds, "a kind or a device")
		d.Devices[i].origin = p.decode(n, reflect.ValueOf(&d.Devices[i]).Elem(), "like")
	}
	d.Links = make([]linkEntry, len(links))
	for i, n := range links {
		n.label = n.linkLabel(i)
		p.inherit(n, media, "a medium")
		d.Links[i].origin = p.decode(n, reflect.ValueOf(&d.Links[i]).Elem(), "like")
	}
	d.Segments = make([]segmentEntry, len(segments))
	for i, n := range segments {
		n.label, n.merged = fmt.Sprintf("segment %d", i+1), n.values
		d.Segments[i].origin = p.decode(n, reflect.ValueOf(&d.Segments[i]).Elem())
	}
	p.checkTemplates(kinds, media)
	return d
}

// checkTemplates reports the faults of templates that no device or link has brought up.
func (p *parser) checkTemplates(kinds, media map[string]*node) {
	for _, n := range p.templates {
		if strings.HasPrefix(n.path, "kind.") {
			p.inherit(n, kinds, "a kind or a device")
			p.decode(n, reflect.ValueOf(&entry{}).Elem(), "like")
			p.forbid(n, "name", "count", "address")
		} else {
			p.inherit(n, media, "a medium")
			p.decode(n, reflect.ValueOf(&linkEntry{}).Elem(), "like")
			p.forbid(n, "between", "from", "to")
		}
	}
}

// forbid reports keys that a template cannot give.
func (p *parser) forbid(n *node, keys ...string) {
	for _, k := range keys {
		if _, ok := n.values[k]; ok {
			p.report(n.at(k), n.label+": "+k, "expected in the entry itself, found in a template")
		}
	}
}

// tables takes the array of tables under a key.
func (p *parser) tables(top *node, key string) []*node {
	value, ok := top.values[key]
	if !ok {
		return nil
	}
	var nodes []*node
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
		for i := range list.Len() {
			values, ok := list.Index(i).Interface().(map[string]any)
			if !ok {
				p.report(fmt.Sprintf("%s[%d]", key, i), key, "expected [[%s]] tables, found %s", key, kindOf(list.Index(i).Interface()))
				continue
			}
			nodes = append(nodes, &node{path: fmt.Sprintf("%s[%d]", key, i), values: values})
		}
		return nodes
	}
	p.report(key, key, "expected [[%s]] tables, found %s", key, kindOf(value))
	return nil
}

// named takes the tables under a key by their names.
func (p *parser) named(top *node, key string) map[string]*node {
	nodes := make(map[string]*node)
	value, ok := top.values[key]
	if !ok {
		return nodes
	}
	byName, ok := value.(map[string]any)
	if !ok {
		p.report(key, key, "expected [%s.NAME] tables, found %s", key, kindOf(value))
		return nodes
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		path := key + "." + name
		values, ok := byName[name].(map[string]any)
		if !ok {
			p.report(path, path, "expected a [%s] table, found %s", path, kindOf(byName[name]))
			continue
		}
		nodes[name] = &node{path: path, label: key + " " + clip(name), values: values}
		p.templates = append(p.templates, nodes[name])
	}
	return nodes
}

// decode sets the fields of a struct by their toml keys, and reports keys it
// does not know, but those in also, and values that do not fit.
func (p *parser) decode(n *node, into reflect.Value, also ...string) origin {
	o := origin{path: n.path, paths: make(map[string]string), bad: make(map[string]bool)}
	o.bad[""] = n.broken
	fields := fieldsOf(into)
	for _, k := range slices.Sorted(maps.Keys(n.merged)) {
		label := strings.TrimPrefix(n.owner(k).label+": "+k, ": ")
		field, ok := fields[k]
		switch {
		case ok:
			o.paths[k] = n.at(k)
			if err := set(field, n.merged[k]); err != nil {
				o.bad[k] = true
				p.report(n.at(k), label, "%s", err)
			}
		case !slices.Contains(also, k):
			known := append(slices.Collect(maps.Keys(fields)), also...)
			near, _ := tomlfile.Nearest(clip(k), known)
			if _, given := n.merged[near]; !given && near != "" {
				o.bad[near] = true
			}
			p.report(n.at(k), label, "%s", tomlfile.UnknownKey(k, known))
		}
	}
	return o
}

// fieldsOf returns a struct's fields by their toml keys, embedded ones too.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value)
	for _, f := range reflect.VisibleFields(v.Type()) {
		if key := f.Tag.Get("toml"); key != "" && key != "-" {
			fields[key] = v.FieldByIndex(f.Index)
		}
	}
	return fields
}

// set gives a field a value of the file.
func set(field reflect.Value, value any) error {
	if text, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return text.UnmarshalText([]byte(strings.Trim(quote(value), `"`)))
	}
	switch v := value.(type) {
	case string:
		if field.Kind() == reflect.String {
			field.SetString(v)
			return nil
		}
	case int64:
		if field.Kind() == reflect.Int {
			field.SetInt(v)
			return nil
		}
		if field.Kind() == reflect.Float64 {
			field.SetFloat(float64(v))
			return nil
		}
	case float64:
		if field.Kind() == reflect.Float64 {
			field.SetFloat(v)
			return nil
		}
	case []any:
		if list, ok := texts(v); ok && field.Kind() == reflect.Slice {
			field.Set(reflect.ValueOf(list))
			return nil
		}
	}
	return errors.New("expected " + kindNames[field.Kind()] + ", found " + quote(value))
}

var kindNames = map[reflect.Kind]string{
	reflect.String: "a text", reflect.Int: "an integer", reflect.Float64: "a number", reflect.Slice: "an array of texts",
}

func texts(values []any) ([]string, bool) {
	list := make([]string, 0, len(values))
	for _, v := range values {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// quote shows a value in a message.
func quote(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", clip(v))
	case int64, float64, bool:
		return fmt.Sprint(v)
	}
	return kindOf(v)
}

// kindOf names a value's kind.
func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "an array"
	case string:
		return "a text"
	case int64, float64:
		return "a number"
	case bool:
		return "a truth value"
	}
	return "a date"
}
