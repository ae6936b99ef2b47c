package tui

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
)

func runActions() []action {
	walk := func(cells time.Duration) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd { return m.scrub(m.run.at + cells*m.run.window/40) }
	}
	step := func(forward bool) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd {
			if m.run.tape == nil {
				return nil
			}
			return m.scrub(m.run.tape.step(m.run.at, forward))
		}
	}
	set := func(change func(r *run)) func(*Model) tea.Cmd {
		return func(m *Model) tea.Cmd { change(&m.run); return nil }
	}
	lanes := func(by int) func(*Model) tea.Cmd {
		return set(func(r *run) {
			if r.plan != nil {
				r.lane = min(max(r.lane+by, 0), len(r.lanes())-1)
			}
		})
	}
	return []action{
		{"run-pause", []string{"space"}, "space pause", "pause, or go on", onRun, (*Model).pause},
		{"run-back", []string{"left", "h"}, "←→ scrub", "back in time", onRun, walk(-1)},
		{"run-forth", []string{"right", "l"}, "", "forth in time", onRun, walk(1)},
		{"run-before", []string{","}, ",. step", "to what happened before", onRun, step(false)},
		{"run-next", []string{"."}, "", "to what happens next", onRun, step(true)},
		{"run-slower", []string{"-", "_"}, "-+ speed", "slower", onRun, set(func(r *run) { r.speed = max(rung(r.speed, -2), 1e-6) })},
		{"run-faster", []string{"+", "="}, "", "faster", onRun, set(func(r *run) { r.speed = min(rung(r.speed, 2), 1e6) })},
		{"run-in", []string{"]"}, "[] zoom", "a shorter time span", onRun, set(func(r *run) { r.window = max(r.window*2/3, time.Microsecond) })},
		{"run-out", []string{"["}, "", "a longer time span", onRun, set(func(r *run) { r.window = min(r.window*3/2+1, 100*time.Hour) })},
		{"run-start", []string{"home", "0"}, "", "to the start", onRun, func(m *Model) tea.Cmd { return m.scrub(0) }},
		{"run-end", []string{"end", "G"}, "", "to the end", onRun, (*Model).toEnd},
		{"run-up", []string{"up", "k"}, "", "choose a device or link", onRun, lanes(-1)},
		{"run-down", []string{"down", "j"}, "", "choose a device or link", onRun, lanes(1)},
		{"run-fault", []string{"f"}, "f fault", "kill the device, or cut the link, at the time that is shown", breaks, (*Model).breakLane},
	}
}

func breaks(m *Model) bool { return onRun(m) && m.backend.Faulty != nil && m.run.source == simulated }

func (m *Model) pause() tea.Cmd {
	r := &m.run
	switch {
	case r.plan == nil:
		return nil
	case r.playing:
		r.playing = false
		r.follow = false
		return nil
	case r.ended && r.at >= r.tape.end:
		r.at = 0
	}
	return m.play()
}

// scrub goes to a time and stays there.
func (m *Model) scrub(at time.Duration) tea.Cmd {
	r := &m.run
	if r.tape == nil {
		return nil
	}
	r.at, r.playing, r.follow = min(max(at, 0), r.tape.end), false, false
	return nil
}

// toEnd goes to the end; of a run that still goes on, it follows it.
func (m *Model) toEnd() tea.Cmd {
	r := &m.run
	if r.tape == nil {
		return nil
	}
	cmd := m.scrub(r.tape.end)
	r.follow = !r.ended
	return cmd
}

// breakLane simulates the run again with the selected device or link failing now.
func (m *Model) breakLane() tea.Cmd {
	r := &m.run
	if r.plan == nil {
		return nil
	}
	l, d, at := r.lanes()[r.lane], r.plan.Topology.Devices, r.at
	f := Fault{At: at, Device: d[l.device].Name}
	if l.to >= 0 {
		f = Fault{At: at, From: d[l.device].Name, To: d[l.to].Name}
	} else if l.device == r.plan.Topology.Source {
		m.say("the source cannot be killed: the requests are there")
		return nil
	}
	selected := r.lane
	r.faults = append(slices.Clone(r.faults), f)
	cmd := m.watch(r.plan, simulated)
	r.lane, r.at = selected, max(at-r.window/8, 0)
	m.say(fmt.Sprintf("%s at %s; r on the plan's screen runs without faults", faultText(f), durationText(at)))
	return cmd
}

func faultText(f Fault) string {
	if f.Device != "" {
		return f.Device + " dies"
	}
	return f.From + " ↔ " + f.To + " is cut"
}
