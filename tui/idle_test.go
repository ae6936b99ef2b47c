package tui

import (
	"cmp"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// An alarm is a message that is to come later.
type alarm struct {
	at      time.Duration
	message func(time.Time) tea.Msg
}

// TestIdle: a screen on which nothing happens looks at its files now and then, and
// does nothing else.
func TestIdle(t *testing.T) {
	d := drive(t, ask(t, "edgeshard-testbed", "llama2-7b"), 200, 60)
	var now time.Duration
	var due []alarm
	d.m.clock = func(after time.Duration, message func(time.Time) tea.Msg) tea.Cmd {
		due = append(due, alarm{now + after, message})
		return nil
	}
	d.keys("3", "1", "r", "1") // what is animated elsewhere stops
	const watched = time.Minute
	before, woken := d.plain(), 0
	for len(due) > 0 && now < watched {
		slices.SortStableFunc(due, func(a, b alarm) int { return cmp.Compare(a.at, b.at) })
		a := due[0]
		due = due[1:]
		now = max(now, a.at)
		next, cmd := d.m.Update(a.message(time.Time{}))
		d.m = next.(Model)
		d.do(cmd)
		woken++
	}
	if most := int(watched / time.Second); woken > most {
		t.Errorf("woken %d times in a minute: want at most %d", woken, most)
	}
	if d.plain() != before {
		t.Error("the screen changed by itself")
	}
	t.Logf("woken %d times in %s", woken, now)
}
