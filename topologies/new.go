package topologies

import (
	"cmp"
	"fmt"
	"slices"
)

// New returns a topology of devices, with the links that a function gives for
// each pair of different devices. Class, Usable and Slowdown default as in a
// file; the cloud is the device with the most FLOPS that is not the source.
func New(name string, devices []Device, source int, link func(from, to int) Link) (*Topology, error) {
	if source < 0 || source >= len(devices) {
		return nil, fmt.Errorf("topology %s: source: expected a device's index, 0 to %d, found %d", name, len(devices)-1, source)
	}
	d := &draft{Name: name, Source: devices[source].Name, Devices: make([]entry, len(devices))}
	for i := range devices {
		d.Devices[i].Device = devices[i]
	}
	d.Links = entriesOf(rulesOf(devices, link))
	return fromDraft(d)
}

// fromDraft builds a topology that no file describes.
func fromDraft(d *draft) (*Topology, error) {
	var faults plain
	t := (&builder{draft: d, reporter: &faults}).build()
	if err := faults.err(d.Name); err != nil {
		return nil, err
	}
	return t, nil
}

// rulesOf writes links as rules: the most frequent link for every pair, the most
// frequent one of two classes where it differs, then the pairs that differ still.
func rulesOf(devices []Device, link func(from, to int) Link) []rule {
	all, byClass := make(tally), make(map[[2]string]tally)
	pairs(devices, func(from, to int) {
		l := link(from, to)
		all[l]++
		c := classesOf(devices, from, to)
		if byClass[c] == nil {
			byClass[c] = make(tally)
		}
		byClass[c][l]++
	})
	if len(all) == 0 {
		return nil
	}
	usual, usualOf := all.most(), make(map[[2]string]Link, len(byClass))
	rules := []rule{ruleOf(usual)}
	var single []rule
	pairs(devices, func(from, to int) {
		c := classesOf(devices, from, to)
		l, known := usualOf[c]
		if !known {
			l = byClass[c].most()
			usualOf[c] = l
			if l != usual {
				rules = append(rules, directedRule(c[0], c[1], l))
			}
		}
		if other := link(from, to); other != l {
			single = append(single, directedRule(devices[from].Name, devices[to].Name, other))
		}
	})
	return mirrored(append(rules, single...))
}

func pairs(devices []Device, do func(from, to int)) {
	for from := range devices {
		for to := range devices {
			if from != to {
				do(from, to)
			}
		}
	}
}

func classesOf(devices []Device, from, to int) [2]string {
	return [2]string{or(devices[from].Class, devices[from].Name), or(devices[to].Class, devices[to].Name)}
}

// A tally counts links.
type tally map[Link]int

// most returns the most frequent link, of equals the fastest with the least latency and energy.
func (t tally) most() Link {
	var best Link
	for l, n := range t {
		m := t[best]
		order := cmp.Or(cmp.Compare(m, n), cmp.Compare(best.Bandwidth, l.Bandwidth), cmp.Compare(l.Latency, best.Latency), cmp.Compare(l.JoulesPerByte, best.JoulesPerByte),
			cmp.Compare(l.Jitter, best.Jitter), cmp.Compare(l.Trace, best.Trace))
		if order < 0 {
			best = l
		}
	}
	return best
}

func ruleOf(l Link) rule {
	return rule{Bandwidth: l.Bandwidth, Latency: Duration(l.Latency), Jitter: Duration(l.Jitter), Trace: l.Trace, JoulesPerByte: l.JoulesPerByte}
}

func directedRule(from, to string, l Link) rule {
	r := ruleOf(l)
	r.From, r.To = from, to
	return r
}

// mirrored joins directed rules that hold alike in both directions.
func mirrored(rules []rule) []rule {
	type key struct{ from, to string }
	at := make(map[key]int, len(rules))
	for i, r := range rules {
		if r.directed() {
			at[key{r.From, r.To}] = i
		}
	}
	var kept []rule
	for i, r := range rules {
		back, ok := at[key{r.To, r.From}]
		if !r.directed() || !ok || rules[back].link() != r.link() {
			kept = append(kept, r)
			continue
		}
		if i <= back {
			joined := ruleOf(r.link())
			joined.Between = []string{r.From, r.To}
			kept = append(kept, joined)
		}
	}
	return kept
}

// WithLink returns a copy whose link from one device to another is l.
func (t *Topology) WithLink(from, to int, l Link) (*Topology, error) {
	d := t.draft()
	r := directedRule(t.Devices[from].Name, t.Devices[to].Name, l)
	same := func(o linkEntry) bool { return o.From == r.From && o.To == r.To }
	d.Links = append(slices.DeleteFunc(d.Links, same), linkEntry{rule: r})
	return fromDraft(d)
}

// WithDevice returns a copy in which device i is d; it keeps its name and class.
func (t *Topology) WithDevice(i int, d Device) (*Topology, error) {
	c := *t
	c.Devices = slices.Clone(t.Devices)
	d.Name, d.Class = t.Devices[i].Name, t.Devices[i].Class
	c.Devices[i] = d
	return fromDraft(c.draft())
}

func (g Segment) equal(o Segment) bool {
	return g.Name == o.Name && g.Capacity == o.Capacity && g.Trace == o.Trace && slices.Equal(g.Devices, o.Devices) && slices.Equal(g.Between, o.Between)
}

// Equal tells whether two topologies describe the same devices and links,
// however their links are written.
func (t *Topology) Equal(o *Topology) bool {
	if t == nil || o == nil {
		return t == o
	}
	if t.Name != o.Name || t.Description != o.Description || t.MeasuredLinks != o.MeasuredLinks || t.Source != o.Source || t.Cloud != o.Cloud ||
		!slices.Equal(t.Devices, o.Devices) {
		return false
	}
	equal := slices.EqualFunc(t.Segments, o.Segments, Segment.equal)
	pairs(t.Devices, func(from, to int) { equal = equal && t.Link(from, to) == o.Link(from, to) })
	return equal
}
