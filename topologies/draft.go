package topologies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
)

// MaxDevices is the most devices a topology may have.
const MaxDevices = 10_000

// A draft is a topology as it is written, in TOML or JSON: entries that stand
// for several devices, and rules for their links.
type draft struct {
	Name        string         `json:"name" toml:"name"`
	Description string         `json:"description,omitempty" toml:"description"`
	Source      string         `json:"source,omitempty" toml:"source"`
	Cloud       string         `json:"cloud,omitempty" toml:"cloud"`
	Measured    string         `json:"measured_links,omitempty" toml:"measured_links"`
	Devices     []entry        `json:"devices" toml:"-"`
	Links       []linkEntry    `json:"links,omitempty" toml:"-"`
	Segments    []segmentEntry `json:"segments,omitempty" toml:"-"`
}

// An entry is a device, or with a count that many equal ones, NAME-1 and so on.
type entry struct {
	Device
	Count int `json:"count,omitempty" toml:"count"`

	origin
}

// A rule gives the links between two ends, each a device's name, a class or *.
// Between holds for both directions, From and To for one; none of them is every pair.
type rule struct {
	Between   []string `json:"between,omitempty" toml:"between"`
	From      string   `json:"from,omitempty" toml:"from"`
	To        string   `json:"to,omitempty" toml:"to"`
	Bandwidth BitRate  `json:"bandwidth" toml:"bandwidth"`
	Latency   Duration `json:"latency" toml:"latency"`
	Jitter    Duration `json:"jitter,omitempty" toml:"jitter"`
	Trace     string   `json:"trace,omitempty" toml:"trace"`

	JoulesPerByte float64 `json:"joules_per_byte,omitempty" toml:"joules_per_byte"`
}

// A linkEntry is a rule as it is written.
type linkEntry struct {
	rule
	origin
}

// A segmentEntry is a segment as it is written.
type segmentEntry struct {
	Segment
	origin
}

func (r *rule) directed() bool { return r.From != "" || r.To != "" }

func (r *rule) ends() (from, to string) {
	switch {
	case r.directed():
		return r.From, r.To
	case len(r.Between) == 2:
		return r.Between[0], r.Between[1]
	}
	return anyDevice, anyDevice
}

func (r *rule) link() Link {
	return Link{
		Bandwidth: r.Bandwidth, Latency: time.Duration(r.Latency), Jitter: time.Duration(r.Jitter), Trace: r.Trace, JoulesPerByte: r.JoulesPerByte,
	}
}

// An origin is where an entry or a rule stands in a file. The zero origin is
// nowhere, and trusts all keys.
type origin struct {
	path  string            // of its table
	paths map[string]string // of its keys, those of its defaults among them
	bad   map[string]bool   // keys whose value a fault has made unknown; "" is all that are not given
}

func (o *origin) at(key string) string {
	if p, ok := o.paths[key]; ok {
		return p
	}
	return o.path
}

// trust tells whether the keys have the values that were meant.
func (o *origin) trust(keys ...string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool {
		_, given := o.paths[k]
		return o.bad[k] || o.bad[""] && !given
	})
}

// A reporter collects faults; path is where in the file, key what it concerns.
type reporter interface {
	report(path, key, format string, args ...any)
}

// plain collects faults of what is no file.
type plain struct{ faults tomlfile.List }

func (p *plain) report(_, key, format string, args ...any) {
	p.faults.Add(0, key, format, args...)
}

func (p *plain) err(name string) error {
	return p.faults.Err(strings.TrimSpace("topology " + name))
}

// builder makes a topology from a draft, and reports all that is wrong with it.
type builder struct {
	draft *draft
	reporter
	topology *Topology
	byName   map[string]int
	hasClass map[string]bool
	paths    []string // of each device's entry
	members  [][]int  // of each group of the link table
	doubtful []string // entries whose devices are not known; "" may be any
}

// build returns the topology, which is whole only if nothing was reported.
func (b *builder) build() *Topology {
	d := b.draft
	b.topology = &Topology{Name: d.Name, Description: d.Description, MeasuredLinks: d.Measured}
	if len(d.Name) > maxText || len(d.Description) > 16*maxText || len(d.Measured) > maxText || !utf8.ValidString(d.Name+d.Description+d.Measured) {
		b.report("name", "name", "expected at most %d bytes of name and %d of description, in UTF-8", maxText, 16*maxText)
	}
	b.devices()
	t := b.topology
	t.Source = b.role("source", d.Source, 0)
	t.Cloud = b.role("cloud", d.Cloud, fastest(t.Devices, t.Source))
	b.links()
	b.segments()
	return t
}

const (
	maxText  = 1024
	maxWords = 1000 // among which a misspelt one is sought
)

var nameSyntax = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// devices checks the entries and expands them.
func (b *builder) devices() {
	b.byName, b.hasClass = make(map[string]int), make(map[string]bool)
	if len(b.draft.Devices) == 0 {
		b.report("", "device", "expected at least one device, found none")
	}
	entries := make(map[string]bool)
	for i := range b.draft.Devices {
		e := &b.draft.Devices[i]
		label := e.label(i)
		if _, given := e.paths["count"]; !e.trust("name", "count") || e.Name == "" || e.Count < 1 && (given || e.Count != 0) {
			b.doubtful = append(b.doubtful, e.Name)
		}
		e.check(func(key, format string, args ...any) {
			if e.trust(key) {
				b.report(e.at(key), label+": "+key, format, args...)
			}
		})
		if e.Name == "" {
			continue
		}
		if entries[e.Name] {
			b.report(e.at("name"), label+": name", "expected a name of its own, found that of an earlier device")
			continue
		}
		entries[e.Name] = true
		b.expand(e, label)
	}
	b.classes()
}

// label names entry i in messages.
func (e *entry) label(i int) string {
	if e.Name == "" {
		return fmt.Sprintf("device %d", i+1)
	}
	return "device " + clip(e.Name)
}

// expand adds the entry's devices.
func (b *builder) expand(e *entry, label string) {
	d := e.Device
	d.Usable, d.Slowdown, d.Class = or(d.Usable, d.Memory), or(d.Slowdown, 1), or(d.Class, d.Name)
	n := max(e.Count, 1)
	if n > MaxDevices-len(b.topology.Devices) {
		if e.Count <= MaxDevices { // more is that key's own fault
			b.report(e.at("count"), label+": count", "expected at most %d devices in all, found more", MaxDevices)
		}
		b.doubtful = append(b.doubtful, e.Name)
		return
	}
	for i := range n {
		if e.Count > 0 {
			d.Name = fmt.Sprintf("%s-%d", e.Name, i+1)
		}
		if _, ok := b.byName[d.Name]; ok {
			b.report(e.at("name"), label+": name", "expected names of their own, found %s twice", d.Name)
			return
		}
		b.byName[d.Name] = len(b.topology.Devices)
		b.hasClass[d.Class] = true
		b.topology.Devices, b.paths = append(b.topology.Devices, d), append(b.paths, e.path)
	}
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// classes reports words that would stand for a device and for others' class.
func (b *builder) classes() {
	seen := make(map[string]bool)
	for i := range b.topology.Devices {
		d := &b.topology.Devices[i]
		if j, ok := b.byName[d.Class]; ok && j != i && !seen[d.Class] {
			seen[d.Class] = true
			b.report("", "device "+d.Name+": class", "expected a word that is no device's name, found %q", d.Class)
		}
	}
}

// doubt tells whether a name that is not known may be that of a device whose
// entry has a fault.
func (b *builder) doubt(name string) bool {
	return slices.ContainsFunc(b.doubtful, func(entry string) bool {
		return entry == "" || strings.HasPrefix(name, entry)
	})
}

// role returns the device a top-level key names.
func (b *builder) role(key, name string, fallback int) int {
	if name == "" {
		return fallback
	}
	i, ok := b.byName[name]
	if !ok && !b.doubt(name) {
		b.report(key, key, "expected a device's name, found %q%s", clip(name), b.suggest(name))
	}
	return i
}

// fastest returns the device with the most FLOPS, of equal ones that with the
// fastest memory, the source left out where there are others.
func fastest(devices []Device, source int) int {
	best := -1
	for i := range devices {
		if i == source && len(devices) > 1 {
			continue
		}
		if best < 0 || devices[i].FLOPS > devices[best].FLOPS ||
			devices[i].FLOPS == devices[best].FLOPS && devices[i].MemoryBandwidth > devices[best].MemoryBandwidth {
			best = i
		}
	}
	return max(best, 0)
}
