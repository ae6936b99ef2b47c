package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Options say how the screen starts.
type Options struct {
	Config  Config
	Start   Question
	Entries []Entry // scenarios kept from an earlier session
	Tour    bool    // begin with the tour
	Session string  // file that keeps what is on screen, for after a crash; "" keeps nothing
	Notice  string  // shown at the start
}

// A pane is a part of the plan's screen that keys act on.
type pane int

const (
	questionPane pane = iota
	devicesPane
	linksPane
	planPane
	panes
)

// A screenID is one of the screens, in the order of their number keys.
type screenID int

const (
	planScreen screenID = iota
	scenarioScreen
	curveScreen
	frontScreen
	runScreen
	sweepScreen
	screens
)

// An overlay is drawn over the screen and takes the keys while it is there.
type overlay interface {
	key(m *Model, k tea.KeyPressMsg) tea.Cmd
	draw(m *Model, screen area)
}

// A Model is the state of the screen.
type Model struct {
	backend Backend
	options Options
	actions []action
	worker  *worker // of questions
	clock   clock

	sessionWorker *worker
	fileTime      time.Time // of the topology's file, when it was last looked at
	watching      int       // counts the files watched

	width, height int
	dark          bool
	profile       colorprofile.Profile
	theme         theme
	config        Config

	question     Question
	past, future []step
	answer       Answer            // the last one, while the next is sought
	before       Answer            // the one the last step changed
	baselines    map[string]Answer // by solver
	rev          int               // of the question; answers to others are late
	pending      bool
	spin         int

	screen  screenID
	pane    pane
	knob    int // selected in the question's pane
	device  int // selected in the devices' pane
	from    int // selected in the links' pane
	to      int
	oneWay  bool   // the links' keys change the selected direction alone
	unit    int    // selected in the plan's pane
	dragged string // label of the slider the pointer holds
	overlay overlay
	notice  notice

	scenarios scenarioList
	curve     curve
	front     front
	run       run
	why       why
	sweeps    sweepList
}

// A notice is a line for people at the bottom of the screen.
type notice struct {
	text string
	bad  bool
}

// A step is a question that was on screen, with its answer.
type step struct {
	question Question
	answer   Answer
	label    string // of what changed it; steps of one slider are one step
}

var _ tea.Model = Model{}

// New returns a screen that starts with a question.
func New(b Backend, o Options) Model {
	m := Model{
		backend: b, options: o, config: o.Config, question: o.Start, dark: true, width: 80, height: 24,
		worker: &worker{}, clock: tea.Tick, sessionWorker: &worker{}, pane: devicesPane, notice: notice{text: o.Notice},
	}
	m.actions = o.Config.apply(actions())
	m.scenarios.entries = o.Entries
	m.run.worker, m.why.worker = &worker{}, &worker{}
	m.curve.worker, m.front.worker = &worker{}, &worker{}
	m.restyle()
	m.settle()
	if o.Tour {
		m.overlay = tour{}
	}
	m.rev, m.pending = 1, true
	return m
}

// Init asks the first question and what the terminal looks like.
func (m Model) Init() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, m.ask(), m.spinLater(), m.keepSession(), lookAt(m.question.File, m.watching))
}

func (m *Model) restyle() {
	dark := m.dark
	if m.config.Theme != "" {
		dark = m.config.Theme == "dark"
	}
	m.theme = newTheme(m.config.palette(), dark, m.profile)
}

// settle brings the selections back to what there is.
func (m *Model) settle() {
	n := len(m.question.Topology.Devices)
	for _, i := range []*int{&m.device, &m.from, &m.to} {
		*i = min(max(*i, 0), n-1)
	}
	if m.from == m.to && n > 1 {
		m.to = (m.from + 1) % n
	}
	m.knob = min(max(m.knob, 0), len(m.backend.knobs())-1)
	m.unit = min(max(m.unit, 0), m.question.Model.Config.Units()-1)
}

// say shows a notice.
func (m *Model) say(text string) { m.notice = notice{text: text} }

// fail shows an error.
func (m *Model) fail(err error) { m.notice = notice{text: err.Error(), bad: true} }

// change makes a question the present one, as a step that can be undone. Steps
// of one label in a row are one step.
func (m *Model) change(label string, q Question, err error) tea.Cmd {
	if err == nil {
		err = q.Validate()
	}
	if err != nil {
		m.fail(err)
		return nil
	}
	if n := len(m.past); n == 0 || label == "" || m.past[n-1].label != label || len(m.future) > 0 {
		m.past = append(m.past[:n:n], step{m.question, m.answer, label})
		m.past = m.past[max(0, len(m.past)-maxSteps):]
		if !m.pending {
			m.before = m.answer
		}
	}
	m.future = nil
	return m.become(q)
}

const maxSteps = 500

// become asks a question and keeps the last answer until the next is there.
func (m *Model) become(q Question) tea.Cmd {
	m.question = q
	m.notice = notice{}
	m.settle()
	m.rev++
	m.pending = true
	m.baselines = nil
	return tea.Batch(m.ask(), m.spinLater(), m.keepSession())
}

// travel goes back or forth in the history; the answers there are shown at once.
func (m *Model) travel(from, to *[]step, what string) tea.Cmd {
	n := len(*from)
	if n == 0 {
		m.say("nothing to " + what)
		return nil
	}
	s := (*from)[n-1]
	*from = (*from)[: n-1 : n-1]
	*to = append((*to)[:len(*to):len(*to)], step{m.question, m.answer, s.label})
	m.before = m.answer
	if s.answer.Plan != nil {
		m.answer = s.answer
	}
	cmd := m.become(s.question)
	m.say(what + ": " + s.label)
	return cmd
}

// selected returns the knob that the keys + and − turn, and the one of < and >.
func (m *Model) selected() (first, second *knob) {
	t := m.question.Topology
	switch m.pane {
	case questionPane:
		k := m.backend.knobs()[m.knob]
		return &k, nil
	case devicesPane:
		a, b := memoryKnob(t, m.device), speedKnob(t, m.device)
		return &a, &b
	case linksPane:
		if len(t.Devices) < 2 {
			return nil, nil
		}
		a, b := bandwidthKnob(t, m.from, m.to, m.oneWay), latencyKnob(t, m.from, m.to, m.oneWay)
		return &a, &b
	}
	return nil, nil
}

// turn turns a knob.
func (m *Model) turn(k *knob, by int) tea.Cmd {
	if k == nil {
		return nil
	}
	q, err := k.step(m.question, by)
	return m.change(k.label(), q, err)
}
