package tui

import (
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/topologies"
)

func TestUndoAndRedo(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	first := d.m.question
	d.keys("-", "-", "-") // one slider: one step
	lower := d.m.question.Topology.Devices[0].Usable
	d.keys("down", "space")
	if !d.m.question.off(1) || lower >= first.Topology.Devices[0].Usable {
		t.Fatalf("off %v, memory %s of %s", d.m.question.Off, lower, first.Topology.Devices[0].Usable)
	}
	d.keys("u", "u")
	if !sameQuestion(&d.m.question, &first) {
		t.Errorf("two undos do not lead back to the first question")
	}
	d.keys("u")
	d.want("nothing to undo")
	d.keys("U", "U")
	if !d.m.question.off(1) || d.m.question.Topology.Devices[0].Usable != lower {
		t.Error("two redos do not lead forth again")
	}
}

func TestTypedValues(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("enter")
	for range 20 {
		d.keys("backspace")
	}
	d.keys("1", "2", "G", "B", "enter")
	if got := d.m.question.Topology.Devices[0].Usable; got != 12e9 {
		t.Errorf("usable memory is %s: want 12GB", got)
	}
	d.keys("tab", "e")
	for range 20 {
		d.keys("backspace")
	}
	d.keys("7", "m", "s", "enter")
	if got := d.m.question.Topology.Link(0, 1).Latency; got != 7*time.Millisecond {
		t.Errorf("latency is %s: want 7ms", got)
	}
	if got := d.m.question.Topology.Link(1, 0).Latency; got != 7*time.Millisecond {
		t.Errorf("latency back is %s: want 7ms", got)
	}
}

// TestOneWay: a link's keys change both directions, or the selected one alone.
func TestOneWay(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("tab", "+")
	top := d.m.question.Topology
	if there, back := top.Link(0, 1), top.Link(1, 0); there != back {
		t.Errorf("the link is %v, and %v back: want both changed", there, back)
	}
	d.keys("d")
	d.want("laptop → desktop")
	d.keys("+", ">")
	next := d.m.question.Topology
	if next.Link(1, 0) != top.Link(1, 0) {
		t.Errorf("the way back is %v: want %v as before", next.Link(1, 0), top.Link(1, 0))
	}
	if a, b := top.Link(0, 1), next.Link(0, 1); b.Bandwidth <= a.Bandwidth || b.Latency <= a.Latency {
		t.Errorf("the link is %v: want more than %v", b, a)
	}
}

// TestEveryDeviceOfTheCatalogue can be added and planned with.
func TestEveryDeviceOfTheCatalogue(t *testing.T) {
	all, err := topologies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Errorf("%d devices", len(all))
	}
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	for _, c := range all {
		n := len(d.m.question.Topology.Devices)
		d.do(d.m.addDevice(c.Device()))
		if got := len(d.m.question.Topology.Devices); got != n+1 {
			t.Errorf("%s was not added: %s", c.Name, d.m.notice.text)
		}
	}
	d.keys("delete")
	if got := len(d.m.question.Topology.Devices); got != 5+len(all)-1 {
		t.Errorf("%d devices after one was removed", got)
	}
}

func TestPins(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.keys("tab", "tab", "right", "right", "p")
	if got := d.m.question.Pins[2]; got != "laptop" {
		t.Errorf("unit 2 is pinned to %q: want laptop", got)
	}
	d.want("unit 2: pinned to laptop")
	d.keys("p")
	if len(d.m.question.Pins) != 0 {
		t.Errorf("pins %v: want none", d.m.question.Pins)
	}
}
