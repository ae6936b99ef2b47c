package tui

import (
	"fmt"
	"testing"
)

// views are all there are to see, and the keys that lead there.
var views = []struct {
	name string
	keys []string
}{
	{"plan", nil},
	{"help", []string{"?"}},
	{"commands", []string{":", "m", "e", "m"}},
	{"catalogue", []string{"a", "down"}},
	{"question", []string{"tab", "tab", "tab", "right"}},
	{"links", []string{"tab", "right", "down", "+"}},
	{"units", []string{"tab", "tab", "down", "right"}},
	{"changed", []string{"-", "-", "down", "space", ">"}},
	{"infeasible", []string{"tab", "tab", "tab", "+", "+", "+"}},
	{"scenarios", []string{"m", "enter", "-", "-", "-", "m", "enter", "2", "right"}},
	{"curve", []string{"3", "right"}},
	{"front", []string{"4", "right"}},
	{"run", []string{"r", "end", "left"}},
	{"real", []string{"R", "end"}},
	{"why", []string{"w"}},
	{"sweeps", []string{"6"}},
	{"save", []string{"s"}},
}

// TestViews holds every screen to its golden files, from the smallest terminal
// to a large one.
func TestViews(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
		for _, s := range views {
			name := fmt.Sprintf("%s-%dx%d", s.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				d := drive(t, ask(t, "home-lab", "llama2-7b"), size[0], size[1])
				d.keys(s.keys...)
				d.golden(name)
			})
		}
		t.Run(fmt.Sprintf("tour-%d", size[0]), func(t *testing.T) { viewTour(t, size[0], size[1]) })
	}
}

func viewTour(t *testing.T, w, h int) {
	d := drive(t, ask(t, "home-lab", "llama2-7b"), w, h)
	d.keys("4")
	d.m.startTour()
	for i := range tourSteps {
		d.golden(fmt.Sprintf("tour%d-%dx%d", i+1, w, h))
		d.keys("space")
	}
	if d.m.overlay != nil {
		t.Error("the tour does not end after its last step")
	}
}
