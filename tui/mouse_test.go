package tui

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

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
