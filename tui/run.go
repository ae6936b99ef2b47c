package tui

import (
	"context"
	"errors"
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
	cut    bool   // there was more than is kept
	state  string // of the workers, while they start

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
	runner, f := m.backend.Sim, newFeed()
	switch {
	case s == measured:
		runner = m.backend.Real(f.progress)
	case len(r.faults) > 0:
		runner = m.backend.Faulty(r.faults)
	}
	r.ghost = nil
	r.rev++
	r.plan, r.source, r.tape, r.err, r.ended, r.cut, r.state = p, s, newTape(), nil, false, false, ""
	r.at, r.playing, r.follow, r.lane = 0, true, s == measured, 0
	r.window, r.speed = windowOf(p), 1
	if s == simulated {
		r.speed = speedOf(p)
	}
	return tea.Batch(m.perform(runner, f), f.next(r.rev), m.play(), m.haunt())
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

// A ghostMsg is the simulation of what runs for real, to be shown beside it.
type ghostMsg struct {
	rev  int
	tape *tape
}

// haunt simulates a real run's plan.
func (m *Model) haunt() tea.Cmd {
	r, sim := &m.run, m.backend.Sim
	if r.source != measured || sim == nil {
		return nil
	}
	p, rev := r.plan, r.rev
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), explainTimeout)
		defer cancel()
		f := newFeed()
		ctx, f.stop = context.WithCancelCause(ctx)
		if err := sim.Run(ctx, p, f); err != nil && f.total <= maxSpans {
			return nil // the plan's own run says what is wrong
		}
		t := newTape()
		for _, s := range f.spans {
			t.span(s)
		}
		return ghostMsg{rev, t}
	}
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

// ran takes a portion in.
func (m *Model) ran(msg spansMsg) tea.Cmd {
	r := &m.run
	if msg.rev != r.rev {
		return nil // of a run that is no longer watched
	}
	for _, s := range msg.spans {
		r.tape.span(s)
	}
	r.state = msg.state
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
