package tui

import (
	"fmt"
	"maps"
	"slices"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Question is what a plan is asked for: the plan command's inputs. It is never
// changed in place; what changes it makes a copy.
type Question struct {
	Topology  *topologies.Topology          `json:"topology"`
	Profiles  map[string]*edgeshard.Profile `json:"profiles,omitempty"`
	Model     edgeshard.ModelRef            `json:"model"`
	Workload  edgeshard.Workload            `json:"workload"`
	Objective edgeshard.Objective           `json:"objective"`
	Solver    string                        `json:"solver"`

	Off     []string       `json:"off,omitempty"`           // devices that take no part, sorted
	Private int            `json:"private_units,omitempty"` // leading units that stay at the source; 0 counts as 1
	Tail    int            `json:"tail_units,omitempty"`    // trailing ones
	Pins    map[int]string `json:"pins,omitempty"`          // device that must run a unit

	// File is the topology's file or built-in name; Edited says that the topology
	// has been changed since it was read.
	File   string `json:"file,omitempty"`
	Edited bool   `json:"edited,omitempty"`
}

var objectives = []edgeshard.Objective{edgeshard.Latency, edgeshard.Throughput, edgeshard.Energy}

// Validate reports why the question cannot be asked.
func (q *Question) Validate() error {
	switch {
	case q.Topology == nil || len(q.Topology.Devices) == 0:
		return fmt.Errorf("question: no topology")
	case !slices.Contains(objectives, q.Objective):
		return fmt.Errorf("question: objective is %q: want one of %v", q.Objective, objectives)
	}
	if err := q.Model.Config.Validate(); err != nil {
		return fmt.Errorf("question: %w", err)
	}
	if err := q.Workload.Validate(); err != nil {
		return fmt.Errorf("question: %w", err)
	}
	if need := q.Workload.Positions(); need > q.Model.Config.Context {
		return fmt.Errorf("question: %d prompt and %d generated tokens exceed the context of %s, %d positions",
			q.Workload.PromptTokens, q.Workload.Tokens, q.Model.Config.Name, q.Model.Config.Context)
	}
	return nil
}

// Spec returns what the question's costs are drawn from.
func (q *Question) Spec() edgeshard.Spec {
	return edgeshard.Spec{Model: q.Model.Config, Precision: q.Model.Precision, Topology: q.Topology, Profiles: q.Profiles}
}

// off tells whether a device takes no part.
func (q *Question) off(device int) bool {
	return slices.Contains(q.Off, q.Topology.Devices[device].Name)
}

// toggled returns the question with a device in or out. The source stays in.
func (q Question) toggled(device int) Question {
	name := q.Topology.Devices[device].Name
	q.Off = slices.Clone(q.Off)
	if i := slices.Index(q.Off, name); i >= 0 {
		q.Off = slices.Delete(q.Off, i, i+1)
		return q
	}
	if device == q.Topology.Source {
		return q
	}
	q.Off = append(q.Off, name)
	slices.Sort(q.Off)
	return q.withoutPinsTo(name)
}

// withTopology returns the question with an edited topology.
func (q Question) withTopology(t *topologies.Topology) Question {
	q.Topology, q.Edited = t, true
	return q
}

// withSource returns the question with another source device.
func (q Question) withSource(device int) Question {
	t := *q.Topology
	t.Source = device
	q = q.withTopology(&t)
	if q.off(device) {
		q = q.toggled(device)
	}
	q.Pins = nil
	return q
}

// withDevice returns the question with a device changed.
func (q Question) withDevice(i int, change func(*topologies.Device)) (Question, error) {
	d := q.Topology.Devices[i]
	change(&d)
	t, err := q.Topology.WithDevice(i, d)
	if err != nil {
		return q, err
	}
	return q.withTopology(t), nil
}

// withLink returns the question with a link changed, and the way back as well
// unless one way is meant.
func (q Question) withLink(from, to int, oneWay bool, change func(*topologies.Link)) (Question, error) {
	t, ways := q.Topology, [][2]int{{from, to}, {to, from}}
	if oneWay {
		ways = ways[:1]
	}
	for _, pair := range ways {
		l := t.Link(pair[0], pair[1])
		change(&l)
		next, err := t.WithLink(pair[0], pair[1], l)
		if err != nil {
			return q, err
		}
		t = next
	}
	return q.withTopology(t), nil
}

// withPin returns the question with a unit pinned to a device, or free where it
// was pinned there.
func (q Question) withPin(unit int, device string) Question {
	was := q.Pins[unit]
	q.Pins = maps.Clone(q.Pins)
	delete(q.Pins, unit)
	if was != device {
		if q.Pins == nil {
			q.Pins = make(map[int]string)
		}
		q.Pins[unit] = device
	}
	return q
}

func (q Question) withoutPinsTo(device string) Question {
	q.Pins = maps.Clone(q.Pins)
	maps.DeleteFunc(q.Pins, func(_ int, name string) bool { return name == device })
	return q
}

// withModel returns the question with another model; pins are of the old one.
func (q Question) withModel(ref edgeshard.ModelRef) Question {
	if ref.Config.Units() != q.Model.Config.Units() {
		q.Pins, q.Private, q.Tail = nil, 0, 0
	}
	q.Model = ref
	return q
}

func (q Question) withPrecision(p models.Precision) Question { q.Model.Precision = p; return q }

// rebuilt returns a topology of devices with the links of t, a device's row and
// column of links being those of the device it was (was[i] in t), or what link says.
func rebuilt(t *topologies.Topology, devices []topologies.Device, was []int, link topologies.Link) (*topologies.Topology, error) {
	source := max(slices.Index(was, t.Source), 0)
	next, err := topologies.New(t.Name, devices, source, func(from, to int) topologies.Link {
		if was[from] < 0 || was[to] < 0 {
			return link
		}
		return t.Link(was[from], was[to])
	})
	if err != nil {
		return nil, err
	}
	next.Description = t.Description
	if i := slices.Index(was, t.Cloud); i >= 0 {
		next.Cloud = i
	}
	return next, nil
}

// with returns the question with a device added, whose links are like those of
// most pairs.
func (q Question) with(d topologies.Device) (Question, error) {
	t := q.Topology
	d.Name = freeName(t, d.Name)
	devices, was := append(slices.Clone(t.Devices), d), indices(len(t.Devices))
	next, err := rebuilt(t, devices, append(was, -1), usualLink(t))
	if err != nil {
		return q, err
	}
	return q.withTopology(next), nil
}

// without returns the question with a device removed.
func (q Question) without(device int) (Question, error) {
	t := q.Topology
	name := t.Devices[device].Name
	if device == t.Source {
		return q, fmt.Errorf("%s is the source: choose another one first", name)
	}
	devices, was := slices.Delete(slices.Clone(t.Devices), device, device+1), slices.Delete(indices(len(t.Devices)), device, device+1)
	next, err := rebuilt(t, devices, was, topologies.Link{})
	if err != nil {
		return q, err
	}
	q = q.withTopology(next).withoutPinsTo(name)
	q.Off = slices.DeleteFunc(slices.Clone(q.Off), func(n string) bool { return n == name })
	return q, nil
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// freeName returns base, or base-2 and so on, that no device has.
func freeName(t *topologies.Topology, base string) string {
	name := base
	for i := 2; ; i++ {
		if _, taken := t.Index(name); !taken {
			return name
		}
		name = fmt.Sprintf("%s-%d", base, i)
	}
}

// usualLink returns the link most pairs have, or 1 Gbps where there is none.
func usualLink(t *topologies.Topology) topologies.Link {
	count := make(map[topologies.Link]int)
	best := topologies.Link{Bandwidth: 1e9, Latency: 500_000}
	eachLink(t, func(_, _ int, l topologies.Link) {
		if count[l]++; count[l] > count[best] {
			best = l
		}
	})
	return best
}
