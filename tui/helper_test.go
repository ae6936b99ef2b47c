package tui

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// updating tells whether to rewrite the golden files: -update, a flag of teatest.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// ask returns a question about a built-in topology and model.
func ask(t testing.TB, topology, model string) Question {
	t.Helper()
	top, err := topologies.Load(topology)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := models.Builtin(model)
	if !ok {
		t.Fatalf("no model %s", model)
	}
	return Question{
		Topology: top, Model: edgeshard.ModelRef{Ref: model, Config: c}, Workload: edgeshard.DefaultWorkload(),
		Objective: edgeshard.Latency, Solver: "greedy",
	}
}

// A driver drives a model as the runtime would, but one message after another.
type driver struct {
	testing.TB
	m Model
}

func drive(t testing.TB, q Question, w, h int) *driver {
	t.Helper()
	d := &driver{t, New(fakeBackend(), Options{Start: q})}
	d.m.clock = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	d.do(func() tea.Msg { return tea.ColorProfileMsg{Profile: colorprofile.TrueColor} })
	d.do(func() tea.Msg { return tea.WindowSizeMsg{Width: w, Height: h} })
	d.do(d.m.Init())
	return d
}

// do does a command and all that follow from it, but for clocks.
func (d *driver) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.send(cmd())
}

func (d *driver) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil, spinMsg, frameMsg, changedOnDiskMsg:
		return
	case tea.BatchMsg:
		for _, c := range msg {
			d.do(c)
		}
		return
	}
	next, cmd := d.m.Update(msg)
	d.m = next.(Model)
	d.do(cmd)
}

// keys presses keys, named as bubbletea names them.
func (d *driver) keys(names ...string) *driver {
	for _, n := range names {
		d.send(press(n))
	}
	return d
}

var named = map[string]rune{
	"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
	"right": tea.KeyRight, "space": tea.KeySpace, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "home": tea.KeyHome, "end": tea.KeyEnd,
}

func press(name string) tea.KeyPressMsg {
	if code, ok := named[name]; ok {
		k := tea.KeyPressMsg{Code: code}
		if name == "space" {
			k.Text = " "
		}
		return k
	}
	if name == "shift+tab" {
		return tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift}
	}
	if len(name) > 5 && name[:5] == "ctrl+" {
		return tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// plain is what is on screen, without escape codes.
func (d *driver) plain() string {
	d.Helper()
	a := d.m.render()
	return a.buf.String() + "\n"
}

func (d *driver) golden(name string) {
	d.Helper()
	d.m.answer.Took = 0
	file := filepath.Join("testdata", name+".txt")
	got := d.plain()
	if updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			d.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		d.Fatalf("%v: run with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		d.Errorf("%s (−want +got):\n%s", name, diff)
	}
}
