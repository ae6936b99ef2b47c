package topologies

import (
	"net"
	"slices"
	"time"
)

// Check loads a topology and looks for what is allowed but hardly meant. The
// warnings are lines of the form file:line: key: text.
func Check(ref string) (*Topology, []string, error) {
	data, err := Read(ref)
	if err != nil {
		return nil, nil, err
	}
	t, warnings, err := check(ref, data)
	lines := make([]string, len(warnings))
	for i, w := range warnings {
		lines[i] = w.In(ref)
	}
	return t, lines, err
}

func check(file string, data []byte) (*Topology, []Fault, error) {
	t, p, err := parse(file, data)
	if err != nil {
		return nil, nil, err
	}
	p.warnRoles()
	p.warnUnused()
	p.warnDevices()
	p.warnLinks()
	return t, p.faults.Sorted(), nil
}

func (p *parser) warnRoles() {
	t := p.builder.topology
	if p.builder.draft.Source == "" && len(t.Devices) > 1 {
		p.report("source", "source", "not given: the first device, %s, is taken", t.Devices[t.Source].Name)
	}
	if p.builder.draft.Cloud == "" && len(t.Devices) > 2 {
		p.report("cloud", "cloud", "not given: the fastest device but the source, %s, is taken", t.Devices[t.Cloud].Name)
	}
}

func (p *parser) warnUnused() {
	for _, n := range p.templates {
		if !p.used[n.path] {
			p.report(n.path, n.label, "nothing is like it")
		}
	}
	l := &p.builder.topology.links
	for _, i := range l.unused(p.builder.members) {
		r := &p.builder.draft.Links[i]
		p.report(r.path, r.label(i), "no effect: more specific or later rules hold for all its pairs")
	}
}

// warnDevices looks at profiles and at addresses: local processes stand for the
// devices that have none.
func (p *parser) warnDevices() {
	remote := slices.ContainsFunc(p.builder.draft.Devices, func(e entry) bool { return e.Address != "" && !loopback(e.Address) })
	for i := range p.builder.draft.Devices {
		e := &p.builder.draft.Devices[i]
		if e.Profile != "" && e.FLOPS == 0 {
			p.report(e.at("profile"), e.label(i)+": profile", "without flops nothing bounds passes larger than those measured")
		}
		switch {
		case remote && e.Address == "":
			p.report(e.path, e.label(i), "no address: a local process stands for it, while other devices have addresses")
		case remote && loopback(e.Address):
			p.report(e.at("address"), e.label(i)+": address", "%s cannot be reached from the other machines", clip(e.Address))
		}
	}
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// warnLinks looks for amounts that look like a slip of the unit.
func (p *parser) warnLinks() {
	const slow, activation = 1_000_000, 8 * 4 * 4096 // bps; bits of one position of a 7B model
	for i := range p.builder.draft.Links {
		r := &p.builder.draft.Links[i]
		if r.Bandwidth < slow {
			takes := time.Duration(activation * float64(time.Second) / float64(r.Bandwidth))
			p.report(r.at("bandwidth"), r.label(i)+": bandwidth", "%s is very slow: 16KiB, one position of a 7B model, take %s", r.Bandwidth, takes.Round(time.Millisecond))
		}
		if r.Latency > Duration(time.Second) {
			p.report(r.at("latency"), r.label(i)+": latency", "%s is very long: every token pays it", r.Latency)
		}
	}
}
