package topologies

import (
	"fmt"
	"path/filepath"
)

// segments checks the media that links share.
func (b *builder) segments() {
	for i := range b.draft.Segments {
		e := &b.draft.Segments[i]
		label := fmt.Sprintf("segment %d", i+1)
		if e.Name != "" {
			label = "segment " + clip(e.Name)
		}
		fault := func(key, format string, args ...any) {
			if e.trust(key) {
				b.report(e.at(key), label+": "+key, format, args...)
			}
		}
		if e.Capacity <= 0 {
			fault("capacity", "expected a bit rate such as 300Mbps, found %s", e.Capacity)
		}
		switch {
		case (len(e.Devices) > 0) == (len(e.Between) > 0):
			fault("devices", "expected either devices or between")
		case len(e.Between) > 0 && len(e.Between) != 2:
			fault("between", "expected two ends, found %d", len(e.Between))
		}
		for key, names := range map[string][]string{"devices": e.Devices, "between": e.Between} {
			for _, name := range names {
				if _, ok := b.end(name); !ok && !b.doubt(name) {
					fault(key, "expected a device, a class or *, found %q%s", clip(name), b.suggestEnd(name))
				}
			}
		}
		if len(e.Name) > maxText || len(e.Trace) > maxText {
			fault("name", "expected at most %d bytes of name and trace", maxText)
		}
		b.topology.Segments = append(b.topology.Segments, e.Segment)
	}
}

// locate makes the names of trace files, which a topology's file gives relative to
// itself, paths.
func (t *Topology) locate(file string) {
	path := func(trace string) string {
		if filepath.Ext(trace) == "" || filepath.IsAbs(trace) {
			return trace // none, or a built-in one
		}
		return filepath.Join(filepath.Dir(file), trace)
	}
	for i := range t.links.rules {
		t.links.rules[i].Trace = path(t.links.rules[i].Trace)
	}
	for i := range t.Segments {
		t.Segments[i].Trace = path(t.Segments[i].Trace)
	}
}
