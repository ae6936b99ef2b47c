package topologies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// MarshalJSON writes the topology as a file would: equal devices counted, links
// as rules, amounts as text, source and cloud by name.
func (t *Topology) MarshalJSON() ([]byte, error) {
	if n := len(t.Devices); min(t.Source, t.Cloud) < 0 || n > 0 && max(t.Source, t.Cloud) >= n {
		return nil, fmt.Errorf("topology %s: source %d or cloud %d is not one of the %d devices", t.Name, t.Source, t.Cloud, n)
	}
	return json.Marshal(t.draft())
}

// draft returns what builds the topology.
func (t *Topology) draft() *draft {
	d := &draft{Name: t.Name, Description: t.Description, Measured: t.MeasuredLinks, Links: entriesOf(t.links.rules)}
	for _, g := range t.Segments {
		d.Segments = append(d.Segments, segmentEntry{Segment: g})
	}
	if len(t.Devices) > 0 {
		d.Source, d.Cloud = t.Devices[t.Source].Name, t.Devices[t.Cloud].Name
	}
	for i := 0; i < len(t.Devices); {
		n := t.run(i)
		d.Devices = append(d.Devices, t.entry(i, n))
		i += n
	}
	return d
}

func entriesOf(rules []rule) []linkEntry {
	entries := make([]linkEntry, len(rules))
	for i, r := range rules {
		entries[i].rule = r
	}
	return entries
}

// run returns how many devices from i on are one entry.
func (t *Topology) run(i int) int {
	first := t.Devices[i]
	base, ok := strings.CutSuffix(first.Name, "-1")
	if _, taken := t.Index(base); !ok || taken || first.Address != "" || !nameSyntax.MatchString(base) {
		return 1
	}
	n := 1
	for ; i+n < len(t.Devices); n++ {
		next := t.Devices[i+n]
		if next.Name != fmt.Sprintf("%s-%d", base, n+1) {
			break
		}
		next.Name = first.Name
		if next != first {
			break
		}
	}
	return n
}

// entry returns the entry of n devices from i on, without what is the default.
func (t *Topology) entry(i, n int) entry {
	e := entry{Device: t.Devices[i]}
	if n > 1 {
		e.Name, e.Count = strings.TrimSuffix(e.Name, "-1"), n
	}
	if e.Class == e.Name {
		e.Class = ""
	}
	if e.Slowdown == 1 {
		e.Slowdown = 0
	}
	return e
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown keys are errors, and all
// that Parse would not accept.
func (t *Topology) UnmarshalJSON(data []byte) error {
	var d draft
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return fmt.Errorf("topology: %w", err)
	}
	var faults plain
	built := (&builder{draft: &d, reporter: &faults}).build()
	if err := faults.err(d.Name); err != nil {
		return err
	}
	*t = *built
	return nil
}
