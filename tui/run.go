package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/edgeshard/edgeshard"
)

// A source is who runs the plan that is watched.
type source int

const (
	simulated source = iota
	measured
)

// A run is a plan being watched.
type run struct {
	worker *worker
	rev    int
	plan   *edgeshard.Plan
	source source
	tape   *tape
	ghost  *tape // of the simulation of the same plan, beside a real run
	faults []Fault
	err    error
	ended  bool
	cut    bool // there was more than is kept

	at      time.Duration // shown
	playing bool
	follow  bool    // at is the end of what has come
	speed   float64 // of playing; 1 is real time
	window  time.Duration
	lane    int // selected
	frames  int // counts the frame loops started; older ones end
}

// maxSpans is how many spans of a run are kept.
const maxSpans = 400_000

// A Fault is something that goes wrong at a time of a run.
type Fault struct {
	At     time.Duration
	Device string // that dies; or
	From   string // the link that is cut
	To     string
}

// watch goes to the run's screen and has a plan run.
func (m *Model) watch(p *edgeshard.Plan, s source) tea.Cmd {
	if p == nil {
		m.say("no plan to run")
		return nil
	}
	m.screen = runScreen
	r := &m.run
	runner := m.backend.Sim
	switch {
	case s == measured:
		runner = m.backend.Real
	case len(r.faults) > 0:
		runner = m.backend.Faulty(r.faults)
	}
	if s == measured && r.plan == p && r.source == simulated && r.ended && r.err == nil && len(r.faults) == 0 {
		r.ghost = r.tape
	} else if r.plan != p {
		r.ghost = nil
	}
	if s == simulated {
		r.ghost = nil
	}
	r.rev++
	r.plan, r.source, r.tape, r.err, r.ended, r.cut = p, s, newTape(), nil, false, false
	r.at, r.playing, r.follow, r.lane = 0, true, s == measured, 0
	r.window, r.speed = windowOf(p), 1
	if s == simulated {
		r.speed = speedOf(p)
	}
	f := newFeed()
	return tea.Batch(m.perform(runner, f), f.next(r.rev), m.play())
}

// windowOf is a time span of some tokens.
func windowOf(p *edgeshard.Plan) time.Duration {
	loop := p.Predicted.TPOTMS
	if loop <= 0 {
		loop = p.Predicted.TTFTMS
	}
	return max(time.Duration(6*loop*1e6), time.Microsecond)
}

// speedOf shows a run in about half a minute.
func speedOf(p *edgeshard.Plan) float64 {
	return max(rung(max(p.Predicted.MakespanS, 1e-6)/30, 0), 1e-6)
}

// perform runs the plan and feeds what happens.
func (m *Model) perform(runner edgeshard.Runner, f *feed) tea.Cmd {
	p, rev, w := m.run.plan, m.run.rev, m.run.worker
	return func() tea.Msg {
		if !w.do(rev, func(ctx context.Context) {
			ctx, f.stop = context.WithCancelCause(ctx)
			f.end(runner.Run(ctx, p, f))
			f.stop(nil)
		}) {
			f.end(context.Canceled)
		}
		return nil
	}
}

func (m *Model) watchSimulation() tea.Cmd {
	if m.screen == planScreen || m.run.plan == nil {
		if m.pending {
			m.say("still solving")
			return nil
		}
		m.run.faults = nil
		return m.watch(m.answer.Plan, simulated)
	}
	return m.watch(m.run.plan, simulated)
}

func (m *Model) watchReal() tea.Cmd {
	p := m.answer.Plan
	if m.screen == runScreen || m.screen == frontScreen {
		p = m.run.plan
	} else if m.pending {
		m.say("still solving")
		return nil
	}
	return m.watch(p, measured)
}

// feed takes what a run tells, for the screen to fetch in portions.
type feed struct {
	mu    sync.Mutex
	spans []edgeshard.Span
	texts []textAt
	total int
	last  time.Duration
	done  bool
	err   error
	stop  context.CancelCauseFunc
	ready chan struct{} // has an element while there is something to fetch
}

var _ edgeshard.Observer = (*feed)(nil)

// errEnough ends a run of which no more can be kept.
var errEnough = errors.New("enough")

func newFeed() *feed { return &feed{ready: make(chan struct{}, 1)} }

// Span keeps a span.
func (f *feed) Span(s edgeshard.Span) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total++; f.total > maxSpans {
		f.stop(errEnough)
		return
	}
	f.spans = append(f.spans, s)
	f.last = max(f.last, s.End)
	f.signal()
}

// Text keeps a text, at the time of the last span.
func (f *feed) Text(request, _ int, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts = append(f.texts, textAt{f.last, request, text})
	f.signal()
}

func (f *feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done, f.err = true, err
	f.signal()
}

func (f *feed) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// A spansMsg is a portion of what happened.
type spansMsg struct {
	rev   int
	feed  *feed
	spans []edgeshard.Span
	texts []textAt
	done  bool
	cut   bool
	err   error
}

// portionEvery is how long at least a portion is waited for, so that many spans come in one.
const portionEvery = 25 * time.Millisecond

// next waits for a portion.
func (f *feed) next(rev int) tea.Cmd {
	return func() tea.Msg {
		<-f.ready
		time.Sleep(portionEvery)
		f.mu.Lock()
		defer f.mu.Unlock()
		select {
		case <-f.ready:
		default:
		}
		msg := spansMsg{rev, f, f.spans, f.texts, f.done, f.total > maxSpans, f.err}
		f.spans, f.texts = nil, nil
		return msg
	}
}

// ran takes a portion in.
func (m *Model) ran(msg spansMsg) tea.Cmd {
	r := &m.run
	if msg.rev != r.rev {
		return nil // of a run that is no longer watched
	}
	for _, s := range msg.spans {
		r.tape.span(s)
	}
	r.tape.texts = append(r.tape.texts, msg.texts...)
	if r.follow {
		r.at = r.tape.end
	}
	if !msg.done {
		return msg.feed.next(r.rev)
	}
	r.ended, r.cut = true, msg.cut
	if msg.err != nil && !errors.Is(msg.err, context.Canceled) && !msg.cut {
		r.err = msg.err
	}
	if r.follow {
		r.playing = false
	}
	return nil
}

// frameEvery is the time from one frame of an animation to the next.
const frameEvery = 33 * time.Millisecond

type frameMsg struct{ loop int }

// play starts the animation.
func (m *Model) play() tea.Cmd {
	m.run.playing = true
	m.run.frames++
	return m.frameLater(m.run.frames)
}

func (m *Model) frameLater(loop int) tea.Cmd {
	return m.clock(frameEvery, func(time.Time) tea.Msg { return frameMsg{loop} })
}

// frame moves the time that is shown.
func (m *Model) frame(msg frameMsg) tea.Cmd {
	r := &m.run
	if msg.loop != r.frames || !r.playing || m.screen != runScreen {
		return nil
	}
	if !r.follow {
		r.at += time.Duration(float64(frameEvery) * r.speed)
		if r.at >= r.tape.end {
			r.at = r.tape.end
			if r.ended {
				r.playing = false
				return nil
			}
		}
	}
	return m.frameLater(msg.loop)
}

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
				r.lane = min(max(r.lane+by, 0), len(lanesOf(r.plan))-1)
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
	l, d, at := lanesOf(r.plan)[r.lane], r.plan.Topology.Devices, r.at
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
