package experiments

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/solver"
	"github.com/edgeshard/edgeshard/topologies"
)

// inputs are a point's settings, understood one by one but not yet put together.
type inputs struct {
	model     string
	precision string
	backend   string
	scenario  string
	seeded    bool // the workload's seed is a setting
	options   solver.Options
	workload  edgeshard.Workload
	topology  topologyInputs
}

// topologyInputs are the settings of a topology.
type topologyInputs struct {
	ref     string
	source  string
	cloud   string
	devices int    // of a random topology
	seed    uint64 // likewise
	device  []change
	link    []change
}

// A change sets one key of devices, or of links.
type change struct {
	ends      []string // a device's name, a class, source, cloud or *; two of a link
	direction bool     // of a link, only from the first to the second
	key, text string
}

// simpleKeys set what has no parts.
var simpleKeys = map[string]func(in *inputs, text string) error{
	"topology": func(in *inputs, t string) error { in.topology.ref = t; return nil },
	"source":   func(in *inputs, t string) error { in.topology.source = t; return nil },
	"cloud":    func(in *inputs, t string) error { in.topology.cloud = t; return nil },
	"devices":  func(in *inputs, t string) error { return setInt(&in.topology.devices, t, 1, topologies.MaxDevices) },
	"topology_seed": func(in *inputs, t string) (err error) {
		in.topology.seed, err = strconv.ParseUint(t, 10, 64)
		return numeric(err, t)
	},
	"model":     func(in *inputs, t string) error { in.model = t; return nil },
	"precision": func(in *inputs, t string) error { _, err := models.ParsePrecision(t); in.precision = t; return err },
	"scenario":  func(in *inputs, t string) error { in.scenario = t; return nil },
	"backend":   func(in *inputs, t string) error { in.backend = t; return oneOf(t, "sim", "exec") },
	"objective": func(in *inputs, t string) error {
		in.options.Objective = edgeshard.Objective(t)
		return oneOf(t, string(edgeshard.Latency), string(edgeshard.Throughput), string(edgeshard.Energy))
	},
	"solver":        func(in *inputs, t string) error { in.options.Solver = t; return oneOf(t, SolverNames()...) },
	"private_units": func(in *inputs, t string) error { return setInt(&in.options.Private, t, 0, 1<<20) },
	"tail_units":    func(in *inputs, t string) error { return setInt(&in.options.Tail, t, 0, 1<<20) },
	"max_batch":     func(in *inputs, t string) error { return setInt(&in.options.MaxBatch, t, 0, 1<<16) },
	"one_visit":     func(in *inputs, t string) (err error) { in.options.OneVisit, err = strconv.ParseBool(t); return err },
	"exclude":       func(in *inputs, t string) error { in.options.Exclude = words(t); return nil },
	"force":         func(in *inputs, t string) error { in.options.Force = words(t); return nil },
	"solver_deadline": func(in *inputs, t string) error {
		d, err := topologies.ParseDuration(t)
		in.options.Deadline = time.Duration(d)
		return err
	},
}

// words splits a list of names.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func oneOf(text string, choices ...string) error {
	if slices.Contains(choices, text) {
		return nil
	}
	return fmt.Errorf("found %q, want one of %s", text, strings.Join(choices, ", "))
}

func setInt(into *int, text string, least, most int) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return fmt.Errorf("found %q, want an integer, %d to %d", text, least, most)
	}
	*into = n
	return nil
}

func numeric(err error, text string) error {
	if err != nil {
		return fmt.Errorf("found %q, want a number of its kind", text)
	}
	return nil
}

// workloadKeys are the keys of a workload file that hold one value, those of
// tables in it with a point between.
var workloadKeys = fieldPaths(reflect.TypeFor[edgeshard.Workload](), nil)

// deviceKeys are the settings of devices.
var deviceKeys = deviceKeysOf()

func deviceKeysOf() []string {
	keys := []string{"count", "like"}
	for k := range fieldPaths(reflect.TypeFor[topologies.Device](), nil) {
		if k != "name" && k != "class" {
			keys = append(keys, k)
		}
	}
	return slices.Sorted(slices.Values(keys))
}

// linkKeys are the settings of links.
var linkKeys = []string{"bandwidth", "latency"}

// fieldPaths returns the index path of each field with a toml key that a text can
// set.
func fieldPaths(t reflect.Type, at []int) map[string][]int {
	paths := make(map[string][]int)
	for f := range t.Fields() {
		key := f.Tag.Get("toml")
		path := append(slices.Clone(at), f.Index...)
		switch {
		case key == "" || key == "-":
		case f.Type.Kind() == reflect.Struct:
			for k, p := range fieldPaths(f.Type, path) {
				paths[key+"."+k] = p
			}
		case f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct:
			for k, p := range fieldPaths(f.Type.Elem(), path) {
				paths[key+"."+k] = p
			}
		case settable(f.Type):
			paths[key] = path
		}
	}
	return paths
}

func settable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64, reflect.Bool:
		return true
	}
	return false
}

// setField gives a field, found by its path, the value that a text stands for.
func setField(v reflect.Value, path []int, text string) error {
	for _, i := range path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	return setScalar(v, text)
}

func setScalar(v reflect.Value, text string) error {
	var err error
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 64)
		v.SetUint(n)
	case reflect.Float64:
		var x float64
		x, err = strconv.ParseFloat(text, 64)
		v.SetFloat(x)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	default:
		v.SetString(text)
	}
	return numeric(err, text)
}

// set takes a setting in.
func (in *inputs) set(key, text string) error {
	if f, ok := simpleKeys[key]; ok {
		return f(in, text)
	}
	if path, ok := workloadKeys[key]; ok {
		in.seeded = in.seeded || key == "seed"
		return setField(reflect.ValueOf(&in.workload).Elem(), path, text)
	}
	c, err := parseChange(key)
	if err != nil {
		return err
	}
	c.text = text
	if len(c.ends) == 1 {
		in.topology.device = append(in.topology.device, c)
	} else {
		in.topology.link = append(in.topology.link, c)
	}
	return nil
}

// knownKey reports a key that is no setting.
func knownKey(key string) error {
	if simpleKeys[key] != nil || workloadKeys[key] != nil {
		return nil
	}
	_, err := parseChange(key)
	return err
}

// parseChange reads a key such as device.agx.usable, link.*.latency,
// link.source<>cloud.bandwidth or link.a>b.bandwidth.
func parseChange(key string) (change, error) {
	what, rest, _ := strings.Cut(key, ".")
	i := strings.LastIndex(rest, ".")
	if what != "device" && what != "link" {
		known := slices.Concat(slices.Collect(maps.Keys(simpleKeys)), slices.Collect(maps.Keys(workloadKeys)), []string{"device.NAME.KEY", "link.A<>B.KEY"})
		return change{}, fmt.Errorf("%s: %s", key, tomlfile.UnknownKey(key, known))
	}
	if i < 1 {
		return change{}, fmt.Errorf("%s: want %s", key, map[string]string{"device": "device.NAME.KEY", "link": "link.A<>B.KEY or link.A>B.KEY"}[what])
	}
	c := change{key: rest[i+1:], ends: []string{rest[:i]}}
	known := deviceKeys
	if what == "link" {
		known = linkKeys
		if err := c.linkEnds(); err != nil {
			return c, fmt.Errorf("%s: %w", key, err)
		}
	}
	if !slices.Contains(known, c.key) {
		return c, fmt.Errorf("%s: %s: %s", key, c.key, tomlfile.UnknownKey(c.key, known))
	}
	return c, nil
}

func (c *change) linkEnds() error {
	ends := c.ends[0]
	if ends == "*" {
		c.ends = []string{"*", "*"}
		return nil
	}
	a, b, both := strings.Cut(ends, "<>")
	if !both {
		a, b, c.direction = strings.Cut(ends, ">")
	}
	if a == "" || b == "" {
		return errors.New("want two ends, A<>B or A>B, or *")
	}
	c.ends = []string{a, b}
	return nil
}
