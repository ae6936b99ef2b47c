package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/topologies"
)

// A checker finds what is wrong with a scenario.
type checker struct {
	*Scenario
	topology *topologies.Topology
	lines    *tomlfile.Lines
	faults   []tomlfile.Fault
}

func (c *checker) fault(path, format string, args ...any) {
	c.faults = append(c.faults, tomlfile.Fault{Line: c.lines.Line(path), Key: path, Text: fmt.Sprintf(format, args...)})
}

// within reports a number outside [least, most].
func (c *checker) within(path string, v, least, most float64) {
	if !(v >= least && v <= most) {
		c.fault(path, "expected %g to %g, found %g", least, most, v)
	}
}

// oneOf reports a word that is none of those allowed; "" always is.
func (c *checker) oneOf(path, word string, allowed ...string) {
	if word != "" && !slices.Contains(allowed, word) {
		c.fault(path, "expected %s, found %q", strings.Join(allowed, " or "), word)
	}
}

// end reports a name that stands for no device.
func (c *checker) end(path, name string) {
	if !slices.ContainsFunc(c.topology.Devices, func(d topologies.Device) bool { return means(name, &d) }) {
		c.fault(path, "expected a device, a class or * of topology %s, found %q", c.topology.Name, name)
	}
}

func (c *checker) device(path, name string) {
	if _, ok := c.topology.Index(name); !ok {
		c.fault(path, "expected a device of topology %s, found %q", c.topology.Name, name)
	}
}

// ends reports ends that say neither both directions nor one.
func (c *checker) ends(path string, between []string, from, to string) {
	switch {
	case between != nil && (len(between) != 2 || from != "" || to != ""):
		c.fault(path+".between", "expected two ends and neither from nor to")
	case between == nil && (from == "" || to == ""):
		c.fault(path, "expected between, or from and to")
	case between == nil:
		c.end(path+".from", from)
		c.end(path+".to", to)
	default:
		for _, name := range between {
			c.end(path+".between", name)
		}
	}
}

func (c *checker) check() {
	c.oneOf("kv_policy", string(c.KV), string(Reserve), string(Grow))
	c.within("prefill_chunk", float64(c.PrefillChunk), 0, 1<<20)
	for i := range c.Segments {
		c.segment(fmt.Sprintf("segment[%d]", i), &c.Segments[i])
	}
	for i := range c.Links {
		c.link(fmt.Sprintf("link[%d]", i), &c.Links[i])
	}
	for i := range c.Devices {
		c.deviceRule(fmt.Sprintf("device[%d]", i), &c.Devices[i])
	}
	for i := range c.Faults {
		c.checkFault(fmt.Sprintf("fault[%d]", i), &c.Faults[i])
	}
	c.recovery()
	c.whatIf()
}

func (c *checker) segment(path string, g *Segment) {
	if g.Capacity <= 0 {
		c.fault(path+".capacity", "expected a bit rate such as 300Mbps, found %s", g.Capacity)
	}
	if (len(g.Devices) > 0) == (len(g.Between) > 0) {
		c.fault(path, "expected either devices or between")
	}
	for _, name := range g.Devices {
		c.end(path+".devices", name)
	}
	if len(g.Between) > 0 {
		c.ends(path, g.Between, "", "")
	}
}

func (c *checker) link(path string, l *Link) {
	c.ends(path, l.Between, l.From, l.To)
	c.within(path+".loss", l.Loss, 0, 0.9)
	if l.Retransmit < 0 {
		c.fault(path+".retransmit", "expected 0s or more, found %s", l.Retransmit)
	}
	if l.Jitter != nil {
		if err := l.Jitter.Dist().Validate(); err != nil {
			c.fault(path+".jitter", "%v", err)
		}
	}
}

func (c *checker) deviceRule(path string, d *Device) {
	c.end(path+".name", d.Name)
	c.within(path+".background", d.Background, 0, 0.99)
	c.within(path+".speed", d.Speed, 0, 1000)
	c.within(path+".battery_wh", d.Battery, 0, 1e6)
	c.within(path+".kv_element_bytes", d.KVBytes, 0, 8)
	if d.Memory < 0 {
		c.fault(path+".usable", "expected 0B or more, found %s", d.Memory)
	}
	if d.Noise != nil {
		if err := d.Noise.Dist().Validate(); err != nil {
			c.fault(path+".noise", "%v", err)
		}
	}
	if t := d.Thermal; t != nil {
		path += ".thermal"
		c.within(path+".ambient_c", t.Ambient, -50, 100)
		c.within(path+".limit_c", t.Limit, t.Ambient+0.001, 200)
		c.within(path+".hysteresis_c", t.Hysteresis, 0.001, t.Limit-t.Ambient)
		c.within(path+".kelvin_per_watt", t.Resistance, 1e-6, 1e6)
		c.within(path+".joules_per_kelvin", t.Capacity, 1e-6, 1e9)
		c.within(path+".throttle", t.Throttle, 1, 1000)
		c.within(path+".throttled_power_w", t.Throttled, 0, 1e6)
	}
}

func (c *checker) checkFault(path string, f *Fault) {
	switch {
	case (f.At != nil) == (f.Token != 0):
		c.fault(path, "expected either at or token")
	case f.Token < 0:
		c.fault(path+".token", "expected 1 or more, found %d", f.Token)
	case f.At != nil && *f.At < 0:
		c.fault(path+".at", "expected 0s or more, found %s", *f.At)
	}
	if f.For < 0 {
		c.fault(path+".for", "expected 0s or more, found %s", f.For)
	}
	actions := []string{string(Cut), string(Degrade), string(Recover)}
	if f.Device != "" {
		actions = []string{string(Kill), string(Freeze), string(Slow), string(Recover)}
		c.device(path+".device", f.Device)
	} else {
		c.ends(path, f.Between, f.From, f.To)
	}
	if f.Do == "" {
		c.fault(path+".do", "expected %s, found none", strings.Join(actions, " or "))
	}
	c.oneOf(path+".do", string(f.Do), actions...)
	switch f.Do {
	case Slow:
		c.within(path+".factor", f.Factor, 1e-3, 1e6)
	case Degrade:
		c.within(path+".factor", f.Factor, 1e-6, 1)
	default:
		if f.Factor != 0 {
			c.fault(path+".factor", "expected none with %s, found %g", f.Do, f.Factor)
		}
	}
}

func (c *checker) recovery() {
	c.oneOf("recovery.policy", string(c.Recovery.Policy), string(Fail), string(Replan))
	if c.Recovery.Detect < 0 {
		c.fault("recovery.detect", "expected 0s or more, found %s", c.Recovery.Detect)
	}
	if c.Recovery.Plan < 0 {
		c.fault("recovery.plan", "expected 0s or more, found %s", c.Recovery.Plan)
	}
}

func (c *checker) whatIf() {
	if s := c.Speculative; s != nil {
		c.within("speculative.tokens", float64(s.Tokens), 1, 64)
		c.within("speculative.acceptance", s.Acceptance, 0, 1)
	}
	if z := c.Compression; z != nil {
		c.within("compression.factor", z.Factor, 0.001, 1)
		if z.Encode < 0 || z.Decode < 0 {
			c.fault("compression", "expected encode and decode of more than 0B/s, found %s and %s", z.Encode, z.Decode)
		}
	}
	if d := c.Delivery; d != nil {
		if d.From != "" {
			c.device("delivery.from", d.From)
		}
		for _, name := range d.Cached {
			c.end("delivery.cached", name)
		}
		c.within("delivery.shared", d.Shared, 0, 1)
	}
}
