package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/topologies"
)

// Load reads a scenario file, for runs on a topology. Trace files it names are
// relative to it.
func Load(path string, t *topologies.Topology) (*Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseIn(filepath.Dir(path), path, data, t)
}

// ParseIn reads a scenario for runs on a topology, and the trace files it names
// from the folder dir.
func ParseIn(dir, file string, data []byte, t *topologies.Topology) (*Scenario, error) {
	s, err := Parse(file, data, t)
	if err != nil {
		return nil, err
	}
	for name := range s.traceFiles() {
		if s.traces[name], err = ReadTrace(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Parse reads a scenario for runs on a topology; it opens no trace file. Its
// error lists every fault of the file, by line.
func Parse(file string, data []byte, t *topologies.Topology) (*Scenario, error) {
	s := &Scenario{}
	if err := tomlfile.Decode(file, data, s); err != nil {
		return nil, err
	}
	_, lines, err := tomlfile.Read(file, data)
	if err != nil {
		return nil, err
	}
	c := &checker{Scenario: s, topology: t, lines: lines}
	c.check()
	if err := tomlfile.NewError(file, c.faults); err != nil {
		return nil, err
	}
	s.traces = make(map[string]*Trace)
	for _, name := range s.traceNames() {
		if trace, ok := Synthetic(name, s.Seed); ok {
			s.traces[name] = trace
		}
	}
	return s, nil
}

// traceNames returns the traces that the scenario names, each once.
func (s *Scenario) traceNames() []string {
	var names []string
	for i := range s.Segments {
		names = append(names, s.Segments[i].Trace)
	}
	for i := range s.Links {
		names = append(names, s.Links[i].Trace)
	}
	for i := range s.Devices {
		names = append(names, s.Devices[i].Trace)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" })
}

// traceFiles yields the traces named that are not built in.
func (s *Scenario) traceFiles() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, name := range s.traceNames() {
			if !slices.Contains(TraceNames, name) && !yield(name) {
				return
			}
		}
	}
}

// Trace returns the trace of a name that the scenario uses; nil for "".
func (s *Scenario) Trace(name string) (*Trace, error) {
	if name == "" {
		return nil, nil
	}
	t, ok := s.traces[name]
	if !ok {
		return nil, fmt.Errorf("trace %q is neither built in nor loaded", name)
	}
	return t, nil
}

// AddTrace makes a trace known by a name.
func (s *Scenario) AddTrace(name string, t *Trace) {
	if s.traces == nil {
		s.traces = make(map[string]*Trace)
	}
	s.traces[name] = t
}

// means reports whether a name stands for a device: its own, its class or "*".
func means(name string, d *topologies.Device) bool {
	return name == "*" || name == d.Name || name == d.Class
}

// joins reports whether two ends, or one direction, mean the link from → to.
func joins(between []string, from, to string, a, b *topologies.Device) bool {
	if len(between) == 2 {
		return means(between[0], a) && means(between[1], b) || means(between[0], b) && means(between[1], a)
	}
	return means(from, a) && means(to, b)
}

// Carries reports whether the link from one device to another is on a segment.
func Carries(g *Segment, t *topologies.Topology, from, to int) bool {
	a, b := &t.Devices[from], &t.Devices[to]
	if len(g.Between) == 2 {
		return joins(g.Between, "", "", a, b)
	}
	return slices.ContainsFunc(g.Devices, func(name string) bool { return means(name, a) || means(name, b) })
}

// Joins reports whether the fault is one of the link from one device to another.
func (f *Fault) Joins(t *topologies.Topology, from, to int) bool {
	return f.Device == "" && joins(f.Between, f.From, f.To, &t.Devices[from], &t.Devices[to])
}

// Bandwidth returns the part of a link's bandwidth that the link faults in force
// leave: 0 where it is cut.
func Bandwidth(inForce []*Fault, t *topologies.Topology, from, to int) float64 {
	factor := 1.0
	for _, f := range inForce {
		switch {
		case !f.Joins(t, from, to):
		case f.Do == Cut:
			return 0
		default:
			factor *= f.Factor
		}
	}
	return factor
}

// LinkOf returns what the scenario, and the topology, add to a link.
func (s *Scenario) LinkOf(t *topologies.Topology, from, to int) Link {
	own := t.Link(from, to)
	l := Link{Trace: own.Trace, Around: topologies.Duration(own.Jitter)}
	for i := range s.Links {
		r := &s.Links[i]
		if !joins(r.Between, r.From, r.To, &t.Devices[from], &t.Devices[to]) {
			continue
		}
		l.HalfDuplex = l.HalfDuplex || r.HalfDuplex
		l.Trace, l.Jitter, l.Loss = or(r.Trace, l.Trace), or(r.Jitter, l.Jitter), or(r.Loss, l.Loss)
		l.Retransmit = or(r.Retransmit, l.Retransmit)
	}
	return l
}

// DeviceOf returns what the scenario adds to a device.
func (s *Scenario) DeviceOf(t *topologies.Topology, device int) Device {
	d := Device{Name: t.Devices[device].Name}
	for i := range s.Devices {
		r := &s.Devices[i]
		if !means(r.Name, &t.Devices[device]) {
			continue
		}
		d.Background, d.Speed, d.Noise = or(r.Background, d.Background), or(r.Speed, d.Speed), or(r.Noise, d.Noise)
		d.Thermal, d.Battery, d.Memory = or(r.Thermal, d.Thermal), or(r.Battery, d.Battery), or(r.Memory, d.Memory)
		d.Weights, d.KVBytes, d.Trace = or(r.Weights, d.Weights), or(r.KVBytes, d.KVBytes), or(r.Trace, d.Trace)
	}
	return d
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v != zero {
		return v
	}
	return fallback
}

// ChangesLink reports whether the scenario, or the topology, says anything of the
// link from one device to another that is not the same all the time.
func (s *Scenario) ChangesLink(t *topologies.Topology, from, to int) bool {
	a, b := &t.Devices[from], &t.Devices[to]
	return t.Link(from, to).Varies() || slices.ContainsFunc(s.Links, func(l Link) bool { return joins(l.Between, l.From, l.To, a, b) }) ||
		slices.ContainsFunc(s.Segments, func(g Segment) bool { return Carries(&g, t, from, to) }) ||
		slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Joins(t, from, to) })
}

// ChangesLinks reports whether the scenario says anything of links.
func (s *Scenario) ChangesLinks() bool {
	cut := slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Device == "" })
	return cut || s.varies || len(s.Links) > 0 || len(s.Segments) > 0
}

// Has reports whether a device has the weights already.
func (d *Delivery) Has(t *topologies.Topology, device int) bool {
	return slices.ContainsFunc(d.Cached, func(name string) bool { return means(name, &t.Devices[device]) })
}

// Steady reports whether nothing about the run depends on when it happens, or on
// chance.
func (s *Scenario) Steady() bool {
	moves := func(d Device) bool { return d.Noise != nil || d.Thermal != nil || d.Battery > 0 || d.Trace != "" }
	return !s.ChangesLinks() && len(s.Faults) == 0 && s.Speculative == nil && !slices.ContainsFunc(s.Devices, moves)
}
