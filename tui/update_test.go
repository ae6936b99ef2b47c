package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/edgeshard/edgeshard/topologies"
)

// onScreen tells whether a text is on screen.
func (d *driver) onScreen(text string) bool { return strings.Contains(d.plain(), text) }

func (d *driver) want(text string) {
	d.Helper()
	if !d.onScreen(text) {
		d.Errorf("no %q on the screen:\n%s", text, d.plain())
	}
}

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

// TestLateAnswers: an answer to an older question changes nothing, and the last
// answer stays until the new one is there.
func TestLateAnswers(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	shown := d.m.answer.Plan
	next, cmd := d.m.Update(press("-"))
	d.m = next.(Model)
	if d.m.answer.Plan != shown || !d.m.pending {
		t.Fatal("the last answer is not kept while the next is sought")
	}
	d.want("solving")
	d.send(answerMsg{d.m.rev - 1, Answer{Err: errors.New("late")}})
	if d.m.answer.Plan != shown {
		t.Error("a late answer is shown")
	}
	d.do(cmd)
	if d.m.pending || d.m.answer.Plan == shown {
		t.Error("the new answer is not shown")
	}
	if d.m.before.Plan != shown {
		t.Error("changes are not against the answer before")
	}
}

// TestUpdateIsPure: a model that was given a message is as it was.
func TestUpdateIsPure(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	for _, k := range []string{"-", ">", "space", "tab", "u", "m", ":", "?", "+", "a"} {
		before, was := d.plain(), d.m
		d.keys(k)
		now := d.m
		d.m = was
		if after := d.plain(); after != before {
			t.Fatalf("%q changed the model it was given:\n%s\n%s", k, before, after)
		}
		d.m = now
	}
}

func TestFaultsStayOnScreen(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-70b"), 80, 24)
	d.want("no plan fits")
	d.keys("tab", "tab", "tab") // to the question
	d.keys("enter")
	for range 12 {
		d.keys("backspace")
	}
	d.keys("n", "o", "enter")
	d.want(`model "no": no such model`)
	d.keys("esc")
	if d.m.overlay != nil {
		t.Error("esc does not leave the prompt")
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

// TestSliders follow the pointer until it lets go; a drag is one step of undo.
func TestSliders(t *testing.T) {
	for _, size := range [][2]int{{120, 40}, {200, 60}} {
		d := drive(t, ask(t, "home-lab", "llama2-7b"), size[0], size[1])
		d.keys("tab", "tab", "tab", "right", "right", "right", "right", "right") // to the batch
		l := d.m.layoutPlan(area{y: 1, w: size[0], h: size[1] - 2})
		all := d.m.sliders(l)
		if len(all) != 5 {
			t.Fatalf("%d sliders: want those of device, link and field", len(all))
		}
		for _, s := range all {
			d.m.pane = s.pane
			was, steps := d.m.question, len(d.m.past)
			d.send(tea.MouseClickMsg{X: s.track.x + 1, Y: s.track.y, Button: tea.MouseLeft})
			low := s.knob.share(&d.m.question)
			d.send(tea.MouseMotionMsg{X: s.track.x + s.track.w/2, Y: s.track.y, Button: tea.MouseLeft})
			d.send(tea.MouseMotionMsg{X: s.track.x + s.track.w + 30, Y: s.track.y + 3, Button: tea.MouseLeft})
			d.send(tea.MouseReleaseMsg{X: 1, Y: 1, Button: tea.MouseLeft})
			high := s.knob.share(&d.m.question)
			if low > 0.3 || high < 0.9 {
				t.Errorf("%s: the pointer at the ends leads to %.2f and %.2f", s.knob.label(), low, high)
			}
			if got := len(d.m.past); got != steps+1 {
				t.Errorf("%s: %d steps to undo: want one", s.knob.label(), got-steps)
			}
			d.send(tea.MouseMotionMsg{X: s.track.x, Y: s.track.y})
			if got := s.knob.share(&d.m.question); got != high {
				t.Errorf("%s follows a pointer that has let go", s.knob.label())
			}
			d.keys("u")
			if !sameQuestion(&d.m.question, &was) {
				t.Errorf("%s: undo does not lead back", s.knob.label())
			}
		}
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

// TestWhyComesInParts: what is found is shown while more is sought, and leaving
// the page ends the work.
func TestWhyComesInParts(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	ended := make(chan struct{})
	d.m.backend.Explain = func(ctx context.Context, _ *Question, _ Subject, tell func([]string)) error {
		tell([]string{"it is slow"})
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	}
	next, cmd := d.m.Update(press("w"))
	d.m = next.(Model)
	batch := cmd().(tea.BatchMsg)
	go batch[0]()
	next, more := d.m.Update(batch[1]())
	d.m = next.(Model)
	d.want("it is slow")
	d.want("asking the solver")
	d.keys("esc")
	<-ended
	if d.m.overlay != nil {
		t.Error("esc does not leave the page")
	}
	d.do(more)
	if d.m.overlay != nil || d.m.notice.text != "" {
		t.Errorf("what came late is shown: %T, %q", d.m.overlay, d.m.notice.text)
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

func TestMouse(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	l := d.m.layoutPlan(area{x: 0, y: 1, w: 120, h: 34})
	d.send(tea.MouseClickMsg{X: l.devices.x + 5, Y: l.devices.y + 3, Button: tea.MouseLeft})
	if d.m.device != 2 || d.m.pane != devicesPane {
		t.Errorf("device %d, pane %d: want the third device", d.m.device, d.m.pane)
	}
	d.send(tea.MouseClickMsg{X: l.devices.x + 2, Y: l.devices.y + 3, Button: tea.MouseLeft})
	if !d.m.question.off(2) {
		t.Error("a click on the dot does not take the device out")
	}
	d.send(tea.MouseClickMsg{X: l.fields.x + 30, Y: l.fields.y, Button: tea.MouseLeft})
	if d.m.pane != questionPane {
		t.Error("a click on the question does not go there")
	}
	before := d.m.question
	d.send(tea.MouseClickMsg{X: l.devices.x + 5, Y: l.devices.y + 1, Button: tea.MouseLeft})
	d.send(tea.MouseWheelMsg{X: l.devices.x + 5, Y: l.devices.y + 1, Button: tea.MouseWheelUp})
	if d.m.question.Topology.Devices[0].Usable <= before.Topology.Devices[0].Usable {
		t.Error("the wheel does not turn the memory")
	}
}

// TestNoColour: without colour the screen tells stages apart by their pattern.
func TestNoColour(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 120, 36)
	d.send(tea.ColorProfileMsg{Profile: colorprofile.ASCII})
	if text := d.m.render().String(); strings.Contains(text, "38;2;") || strings.Contains(text, "38;5;") {
		t.Error("there are colours")
	}
	d.golden("plain-120x36")
}

// TestTour has six steps and can be left.
func TestTour(t *testing.T) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), 80, 24)
	d.do(func() tea.Msg { return overlayMsg{tour{}} })
	for range tourSteps {
		if d.m.overlay == nil {
			t.Fatal("the tour is over early")
		}
		d.keys("enter")
	}
	if d.m.overlay != nil || len(tourSteps) != 6 {
		t.Error("the tour does not have six steps")
	}
}

// TestEveryAction can be found in the help, has a key or is in the palette, and
// keeps every hint in use.
func TestEveryAction(t *testing.T) {
	ids := make(map[string]bool)
	for _, a := range actions() {
		if ids[a.id] || a.help == "" || a.do == nil || a.here == nil {
			t.Errorf("action %q is double or lacks something", a.id)
		}
		ids[a.id] = true
	}
}

// TestWorker: a newer task ends an older one, whose result is not wanted.
func TestWorker(t *testing.T) {
	w := &worker{}
	started, first := make(chan struct{}), make(chan bool)
	go func() {
		first <- w.do(1, func(ctx context.Context) {
			close(started)
			<-ctx.Done()
		})
	}()
	<-started
	if !w.do(2, func(context.Context) {}) {
		t.Error("the newer task is not wanted")
	}
	if <-first {
		t.Error("the older task is still wanted")
	}
	if w.do(1, func(context.Context) { t.Error("an old task was begun") }) {
		t.Error("an old task is wanted")
	}
}
