package experiments

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/edgeshard/edgeshard/topologies"
)

// randomRef is the topology that topologies.Random draws.
const randomRef = "random"

// build loads the topology and makes the changes: devices added or taken away
// first, then devices, then links, the least specific change first.
func (in *topologyInputs) build(path func(string) string) (*topologies.Topology, error) {
	t, err := in.load(path)
	if err != nil {
		return nil, err
	}
	e := &edit{Topology: t, devices: slices.Clone(t.Devices), source: t.Source, cloud: t.Cloud, link: t.Link}
	if err := e.role(&e.source, "source", in.source); err != nil {
		return nil, err
	}
	if err := e.role(&e.cloud, "cloud", in.cloud); err != nil {
		return nil, err
	}
	for _, c := range bySpecificity(e, in.device) {
		if err := e.changeDevices(c); err != nil {
			return nil, fmt.Errorf("device.%s.%s: %w", c.ends[0], c.key, err)
		}
	}
	rules, err := e.rules(bySpecificity(e, in.link))
	if err != nil {
		return nil, err
	}
	return e.finish(rules)
}

func (in *topologyInputs) load(path func(string) string) (*topologies.Topology, error) {
	if in.ref != randomRef {
		return topologies.Load(path(in.ref))
	}
	if in.devices == 0 {
		return nil, fmt.Errorf("a random topology wants the setting devices")
	}
	return topologies.Random(in.seed, in.devices), nil
}

// edit is a topology on its way to another.
type edit struct {
	*topologies.Topology
	devices       []topologies.Device
	source, cloud int
	link          func(from, to int) topologies.Link
}

func (e *edit) role(into *int, key, name string) error {
	if name == "" {
		return nil
	}
	i := slices.IndexFunc(e.devices, func(d topologies.Device) bool { return d.Name == name })
	if i < 0 {
		return fmt.Errorf("%s: topology %s has no device %q", key, e.Name, name)
	}
	*into = i
	return nil
}

// covers tells whether an end stands for a device, and how specifically.
func (e *edit) covers(end string, device int) bool {
	d := &e.devices[device]
	return end == "*" || end == d.Class || end == d.Name || end == "source" && device == e.source || end == "cloud" && device == e.cloud
}

func (e *edit) rank(end string) int {
	switch {
	case end == "*":
		return 0
	case slices.ContainsFunc(e.devices, func(d topologies.Device) bool { return d.Class == end && d.Name != end }):
		return 2
	}
	return 4
}

func bySpecificity(e *edit, changes []change) []change {
	rank := func(c change) int {
		r := 0
		for _, end := range c.ends {
			r += e.rank(end)
		}
		if c.direction {
			r++
		}
		switch c.key { // before what is said of its devices
		case "count":
			r -= 100
		case "like":
			r -= 50
		}
		return r
	}
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b change) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted
}

var devicePaths = fieldPaths(reflect.TypeFor[topologies.Device](), nil)

func (e *edit) changeDevices(c change) error {
	if c.key == "count" {
		return e.count(c.ends[0], c.text)
	}
	found := false
	for i := range e.devices {
		if !e.covers(c.ends[0], i) {
			continue
		}
		found = true
		if c.key == "like" {
			if err := liken(&e.devices[i], c.text); err != nil {
				return err
			}
			continue
		}
		if err := setField(reflect.ValueOf(&e.devices[i]).Elem(), devicePaths[c.key], c.text); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("topology %s has no such device or class", e.Name)
	}
	return nil
}

// liken gives a device the values of a catalogued one.
func liken(d *topologies.Device, name string) error {
	all, err := topologies.Catalogue()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c topologies.Catalogued) bool { return c.Name == name })
	if i < 0 {
		return fmt.Errorf("the catalogue has no device %q", name)
	}
	sheet := all[i].Device()
	d.Memory, d.Usable, d.FLOPS, d.MemoryBandwidth, d.ActivePower = sheet.Memory, sheet.Usable, sheet.FLOPS, sheet.MemoryBandwidth, sheet.ActivePower
	return nil
}

// count leaves a class its first n devices, or adds devices like its last ones.
func (e *edit) count(class, text string) error {
	n := 0
	if err := setInt(&n, text, 1, topologies.MaxDevices); err != nil {
		return err
	}
	var members []int
	for i := range e.devices {
		if e.devices[i].Class == class {
			members = append(members, i)
		}
	}
	if len(members) == 0 {
		return fmt.Errorf("topology %s has no such class", e.Name)
	}
	origin := e.kept(members, n)
	for i := len(members); i < n; i++ {
		d := e.devices[members[len(members)-1]]
		d.Name, d.Address = class+"-"+strconv.Itoa(i+1), ""
		e.devices = append(e.devices, d)
		origin = append(origin, members[len(members)-1])
	}
	return e.reindex(origin, members)
}

// kept returns the devices without the class's beyond its first n.
func (e *edit) kept(members []int, n int) []int {
	var origin []int
	for i := range e.devices {
		if at := slices.Index(members, i); at < n {
			origin = append(origin, i)
		}
	}
	return origin
}

// reindex makes device i of the edit the one that was origin[i]; those beyond the
// old ones are new. Two copies of one device are linked as its class is inside.
func (e *edit) reindex(origin, members []int) error {
	old, link := e.devices, e.link
	e.devices = nil
	source, cloud := -1, -1
	for i, o := range origin {
		d := old[o]
		switch {
		case i > 0 && slices.Contains(origin[:i], o):
			d = old[len(old)-(len(origin)-i)]
		case o == e.source:
			source = i
		case o == e.cloud:
			cloud = i
		}
		e.devices = append(e.devices, d)
	}
	if source < 0 {
		return fmt.Errorf("it would leave out the source")
	}
	if len(members) == 1 && len(origin) != len(slices.Compact(slices.Sorted(slices.Values(origin)))) {
		return fmt.Errorf("it has one device: its copies would have no link between them")
	}
	e.source, e.cloud = source, max(cloud, 0)
	e.link = func(from, to int) topologies.Link {
		a, b := origin[from], origin[to]
		if a == b {
			a, b = members[0], members[1]
		}
		return link(a, b)
	}
	return nil
}

// A linkRule is a change of links, understood.
type linkRule struct {
	change
	bandwidth topologies.BitRate
	latency   topologies.Duration
}

func (e *edit) rules(changes []change) ([]linkRule, error) {
	var rules []linkRule
	for _, c := range changes {
		r := linkRule{change: c, latency: -1}
		var err error
		if c.key == "bandwidth" {
			r.bandwidth, err = topologies.ParseBitRate(c.text)
		} else {
			r.latency, err = topologies.ParseDuration(c.text)
		}
		if err != nil {
			return nil, fmt.Errorf("link.%s: %w", c.key, err)
		}
		for _, end := range c.ends {
			if !slices.ContainsFunc(indices(e.devices), func(i int) bool { return e.covers(end, i) }) {
				return nil, fmt.Errorf("link.%s: topology %s has no device or class %q", c.key, e.Name, end)
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func indices[T any](list []T) []int {
	at := make([]int, len(list))
	for i := range at {
		at[i] = i
	}
	return at
}

func (e *edit) holds(r *linkRule, from, to int) bool {
	return e.covers(r.ends[0], from) && e.covers(r.ends[1], to) || !r.direction && e.covers(r.ends[1], from) && e.covers(r.ends[0], to)
}

// finish builds the topology of the edit.
func (e *edit) finish(rules []linkRule) (*topologies.Topology, error) {
	t, err := topologies.New(e.Name, e.devices, e.source, func(from, to int) topologies.Link {
		l := e.link(from, to)
		for i := range rules {
			if r := &rules[i]; e.holds(r, from, to) {
				if r.bandwidth > 0 {
					l.Bandwidth = r.bandwidth
				}
				if r.latency >= 0 {
					l.Latency = time.Duration(r.latency)
				}
			}
		}
		return l
	})
	if err != nil {
		return nil, err
	}
	t.Cloud = e.cloud
	return t, nil
}
