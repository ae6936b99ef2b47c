package topologies

import (
	"fmt"
	"time"
)

const maxLatency = Duration(time.Hour) // so that no sum of times overflows

// links checks the rules and lays out the table.
func (b *builder) links() {
	t := b.topology
	t.links.rules = make([]rule, len(b.draft.Links))
	strokes, used, sure := make([]stroke, 0, len(b.draft.Links)), make(map[end]bool), len(b.doubtful) == 0
	for i := range b.draft.Links {
		r := &b.draft.Links[i]
		t.links.rules[i] = r.rule
		b.checkLink(r, i)
		s, ok := b.stroke(r, i)
		if !ok {
			sure = false
			continue
		}
		strokes = append(strokes, s)
		used[s.from], used[s.to] = true, true
	}
	groups, members := t.links.assign(t.Devices, used)
	if t.links.n > maxGroups {
		b.report("link", "link", "expected rules that tell at most %d devices and classes apart, found %d", maxGroups, t.links.n)
		return
	}
	t.links.paint(strokes, groups)
	if from, to, n := t.links.uncovered(members); n > 0 && sure {
		b.reportUncovered(from, to, n)
	}
	b.members = members
}

func (b *builder) reportUncovered(from, to, n int) {
	more := ""
	if n > 1 {
		more = fmt.Sprintf(" (%d pairs lack one)", n)
	}
	devices := b.topology.Devices
	b.report(b.paths[from], "link", "expected a link for every pair of devices, found none from %s to %s%s",
		devices[from].Name, devices[to].Name, more)
}

func (b *builder) checkLink(r *linkEntry, i int) {
	fault := func(key, format string, args ...any) {
		if r.trust(key) {
			b.report(r.at(key), r.label(i)+": "+key, format, args...)
		}
	}
	_, given := r.paths["bandwidth"]
	switch {
	case r.Bandwidth == 0 && !given:
		fault("bandwidth", "expected a bit rate such as 50Mbps, found none")
	case r.Bandwidth <= 0:
		fault("bandwidth", "expected more than 0bps, found %s", r.Bandwidth)
	}
	if r.Latency < 0 || r.Latency > maxLatency {
		fault("latency", "expected 0s to %s, found %s", maxLatency, r.Latency)
	} else if _, given := r.paths["latency"]; !given && r.paths != nil {
		fault("latency", "expected a time such as 2.1ms, found none")
	}
	if r.Jitter < 0 || r.Jitter > maxLatency {
		fault("jitter", "expected 0s to %s, found %s", maxLatency, r.Jitter)
	}
	if len(r.Trace) > maxText {
		fault("trace", "expected at most %d bytes", maxText)
	}
	if !(r.JoulesPerByte >= 0 && r.JoulesPerByte <= 1) {
		fault("joules_per_byte", "expected 0 to 1, found %g", r.JoulesPerByte)
	}
}

// label names rule i in messages.
func (r *rule) label(i int) string {
	from, to := r.ends()
	switch {
	case r.directed():
		return fmt.Sprintf("link from %s to %s", clip(or(from, "?")), clip(or(to, "?")))
	case len(r.Between) == 2:
		return fmt.Sprintf("link between %s and %s", clip(from), clip(to))
	}
	return fmt.Sprintf("link %d", i+1)
}

// stroke understands a rule's ends, or reports what is wrong with them.
func (b *builder) stroke(r *linkEntry, i int) (stroke, bool) {
	if !r.trust("between", "from", "to") || !b.checkEnds(r, i) {
		return stroke{}, false
	}
	names := [2]string{}
	names[0], names[1] = r.ends()
	s := stroke{directed: r.directed(), rule: i}
	ok := true
	for k, into := range []*end{&s.from, &s.to} {
		var known bool
		if *into, known = b.end(names[k]); !known {
			ok = false
			if !b.doubt(names[k]) {
				key := r.endKey(k)
				b.report(r.at(key), r.label(i)+": "+key, "expected a device, a class or *, found %q%s", clip(names[k]), b.suggestEnd(names[k]))
			}
		}
	}
	return s, ok
}

// endKey is the key that gives end k of the rule.
func (r *rule) endKey(k int) string {
	if !r.directed() {
		return "between"
	}
	return [2]string{"from", "to"}[k]
}

// checkEnds reports keys that do not go together.
func (b *builder) checkEnds(r *linkEntry, i int) bool {
	key, text := "", ""
	switch from, to := r.ends(); {
	case r.directed() && r.Between != nil:
		key, text = "between", "expected either between, or from and to, found both"
	case r.directed() && from == "":
		key, text = "from", "expected a device, a class or *, found none"
	case r.directed() && to == "":
		key, text = "to", "expected a device, a class or *, found none"
	case !r.directed() && r.Between != nil && len(r.Between) != 2:
		key, text = "between", fmt.Sprintf("expected two ends, found %d", len(r.Between))
	case b.isDevice(from) && from == to:
		key, text = r.endKey(1), "expected two devices, found "+from+" twice"
	default:
		return true
	}
	b.report(r.at(key), r.label(i)+": "+key, "%s", text)
	return false
}

func (b *builder) isDevice(name string) bool { _, ok := b.byName[name]; return ok }

// end understands a name: a device's, else a class.
func (b *builder) end(name string) (end, bool) {
	switch {
	case name == anyDevice:
		return end{}, true
	case b.isDevice(name):
		return end{oneDevice, name}, true
	case b.hasClass[name]:
		return end{oneClass, name}, true
	}
	return end{}, false
}
