package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// onScreen tells whether a text is on screen.
func (d *driver) onScreen(text string) bool { return strings.Contains(d.plain(), text) }

func (d *driver) want(text string) {
	d.Helper()
	if !d.onScreen(text) {
		d.Errorf("no %q on the screen:\n%s", text, d.plain())
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
