package scenarios

import (
	"slices"

	"github.com/edgeshard/edgeshard/topologies"
)

// On returns a scenario, nil for none, with what the topology of a run says itself
// of shared segments and links whose times vary; nil where neither says anything.
func On(t *topologies.Topology, s *Scenario) (*Scenario, error) {
	if !t.Varies() {
		return s, nil
	}
	both := Scenario{}
	if s != nil {
		both = *s
	}
	both.varies = true
	both.Segments = slices.Concat(t.Segments, both.Segments)
	both.traces = make(map[string]*Trace)
	if s != nil {
		for name, trace := range s.traces {
			both.traces[name] = trace
		}
	}
	for _, name := range t.Traces() {
		trace, ok := Synthetic(name, both.Seed)
		if !ok {
			var err error
			if trace, err = ReadTrace(name); err != nil {
				return nil, err
			}
		}
		both.traces[name] = trace
	}
	return &both, nil
}
