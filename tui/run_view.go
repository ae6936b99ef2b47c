package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard"
)

// drawRun draws a run at the time that is shown.
func (m *Model) drawRun(a area) {
	r, t := &m.run, &m.theme
	if r.plan == nil {
		a.text(2, 1, t.dim, "nothing has been run: r simulates the plan, R runs it on real workers")
		return
	}
	head, rest := a.top(2)
	m.drawRunHead(head)
	lanes := r.lanes()
	room := rest.h - 11
	if r.ghost == nil {
		room -= pipelineRows // blocks grow where nothing is lost by it
	}
	height := laneRows(lanes, room, r.ghost != nil).total(lanes)
	gantt, foot := rest.top(min(height+3, rest.h-8))
	m.drawGantt(gantt, lanes)
	if foot.h >= pipelineRows+8 {
		var pipeline area
		pipeline, foot = foot.top(pipelineRows)
		m.drawPipeline(pipeline)
	}
	left, right := foot.left(foot.w * 45 / 100)
	m.drawSoFar(left)
	if len(r.tape.texts) > 0 {
		m.drawText(right)
		return
	}
	m.drawRunMemory(right)
}

func (m *Model) drawRunHead(a area) {
	r, t := &m.run, &m.theme
	who := "simulated"
	if r.source == measured {
		who = "real workers"
	}
	state, look := "▶", t.good
	over := !r.playing && r.ended && r.at >= r.tape.end
	switch {
	case r.err != nil:
		state, look = "✗", t.bad
	case over:
		state, look = "■ ended", t.dim
	case !r.playing:
		state, look = "‖ paused", t.warn
	case r.follow:
		state = "● live"
	}
	x := a.spans(0, part{t.text.strong(), who + " "}, part{look, state + " "})
	if !r.follow && !over {
		x = a.text(x, 0, t.dim, "×"+speedText(r.speed)+" ")
	}
	x = a.text(x+1, 0, t.text, fmt.Sprintf("%s of %s", secondsText(r.at), secondsText(r.tape.end)))
	if n := len(r.faults); n > 0 && r.source == simulated {
		x = a.text(x+2, 0, t.bad, fmt.Sprintf("✗ %s at %s", faultText(r.faults[n-1]), secondsText(r.faults[n-1].At)))
	}
	if r.cut {
		a.text(x+2, 0, t.warn, fmt.Sprintf("the first %d spans", maxSpans))
	}
	track := a.at(1, 1, a.w-2, 1)
	track.fill(t.border, "─")
	if r.tape.end > 0 {
		at := int(float64(track.w-1) * float64(r.at) / float64(r.tape.end))
		track.text(0, 0, t.focus, strings.Repeat("━", at))
		track.put(at, 0, t.focus.strong(), "●")
	}
}

func speedText(v float64) string {
	if v < 0.01 {
		return fmt.Sprintf("%.2g", v)
	}
	return digits(v)
}

func secondsText(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", edgeshard.Milliseconds(d))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// drawSoFar sets what the run has come to beside what was predicted.
func (m *Model) drawSoFar(a area) {
	r, t := &m.run, &m.theme
	title := "so far | predicted"
	if a.w < 30 {
		title = "so far"
	}
	inner := a.box(t.border, t.dim, title, "")
	if r.err != nil {
		for y, line := range wrap(r.err.Error(), inner.w-2) {
			inner.text(1, y, t.bad, line)
		}
		return
	}
	m.drawFigures(inner)
	m.drawEvents(inner.at(1, 6, inner.w-2, inner.h-6))
	if n := len(r.tape.oom); n > 0 && r.tape.oom[0].Start <= r.at {
		o := r.tape.oom[0]
		inner.text(1, 5, t.bad, clip(fmt.Sprintf("out of memory: %s lacked %s", r.plan.Topology.Devices[o.Device].Name, bytesText(o.Bytes)), inner.w-2))
	}
}

// drawFigures draws a run's figures at the time that is shown.
func (m *Model) drawFigures(a area) {
	r, t, w := &m.run, &m.theme, &m.run.plan.Workload
	s, p := r.tape.soFar(r.at), r.expected()
	waits := ""
	if n := r.tape.waiting(r.at); n > 0 {
		waits = fmt.Sprintf("  %d wait", n)
	}
	a.spans(0, part{t.dim, pad("tokens", 10)}, part{t.text.strong(), fmt.Sprintf("%d of %d", s.tokens, w.Requests*w.Tokens)})
	a.spans(1, part{t.dim, pad("requests", 10)}, part{t.text.strong(), fmt.Sprintf("%d of %d begun", s.requests, w.Requests)}, part{t.warn, waits})
	for i, l := range []struct {
		name            string
		value, expected float64
		text            func(float64) string
	}{
		{"TTFT", s.ttft, p.ttft, msText}, {"TPOT", s.tpot, p.tpot, msText}, {"tokens/s", s.throughput, p.throughput, digits},
	} {
		if l.value == 0 {
			a.text(1, 2+i, t.dim, pad(l.name, 10)+"–")
		} else {
			a.spans(2+i, part{t.dim, pad(l.name, 10)}, part{t.text.strong(), pad(l.text(l.value), 11)})
		}
		x := a.text(22, 2+i, t.dim, l.text(l.expected)+" ")
		if text := change(l.expected, l.value); l.value > 0 && x+textWidth(text) <= a.w {
			a.text(x, 2+i, t.dim, text)
		}
	}
}

// drawEvents lists the last things that went wrong, and what was done then.
func (m *Model) drawEvents(a area) {
	r, t := &m.run, &m.theme
	var lines []part
	for _, s := range slices.SortedStableFunc(slices.Values(r.tape.events), func(x, y edgeshard.Span) int { return cmp.Compare(known(x), known(y)) }) {
		if look, text := m.eventText(s); known(s) <= r.at {
			lines = append(lines, part{look, secondsText(known(s)) + "  " + text})
		}
	}
	lines = lines[max(0, len(lines)-a.h):]
	for y, l := range lines {
		a.text(0, y, l.style, l.text)
	}
	if len(lines) == 0 && !r.ended && r.tape.spans == 0 {
		a.text(0, 0, t.warn, clip(cmp.Or(r.state, "starting …"), a.w))
	}
}

// known is when what a span tells is known.
func known(s edgeshard.Span) time.Duration {
	if s.What == edgeshard.Down {
		return s.Start
	}
	return s.End
}

// eventText says what a span tells.
func (m *Model) eventText(s edgeshard.Span) (style, string) {
	t, name := &m.theme, ""
	if s.Device >= 0 {
		name = m.run.plan.Topology.Devices[s.Device].Name
	}
	switch s.What {
	case edgeshard.Down:
		if s.To >= 0 {
			return t.bad, name + " " + m.laneName(lane{s.Device, s.To}) + " is cut"
		}
		return t.bad, name + " is down"
	case edgeshard.Detection:
		return t.warn, "the death of " + name + " is known"
	case edgeshard.Replan:
		return t.good, "a new plan"
	case edgeshard.Load:
		return t.dim, name + " has loaded " + bytesText(s.Bytes)
	}
	return t.bad, fmt.Sprintf("request %d is given up", s.Request)
}

// expected is what a run should come to: a real one the simulated figures, a
// simulated one those of its first batch on an idle cluster.
func (r *run) expected() soFar {
	if r.ghost != nil {
		return r.ghost.soFar(r.ghost.end)
	}
	p := &r.plan.Predicted
	return soFar{ttft: p.TTFTMS, tpot: p.TPOTMS, throughput: p.Throughput}
}

// drawRunMemory draws what each working device holds.
func (m *Model) drawRunMemory(a area) {
	r, t := &m.run, &m.theme
	inner := a.box(t.border, t.dim, "memory", "")
	row, spec := 0, r.plan.Spec()
	for i := range r.plan.Topology.Devices {
		name := r.plan.Topology.Devices[i].Name
		if _, works := r.plan.Predicted.Memory[name]; !works && len(r.tape.memory[i]) == 0 || row >= inner.h {
			continue
		}
		inner.text(1, row, t.device(i), pad(name, 10))
		m.drawMemory(inner.at(12, row, inner.w-13, 1), r.tape.memoryAt(i, r.at), spec.Budget(i), t.device(i), i)
		row++
	}
}

// drawText shows what has been generated for the request that got the last token.
func (m *Model) drawText(a area) {
	r, t := &m.run, &m.theme
	request := r.tape.speaking(r.at)
	inner := a.box(t.border, t.dim, fmt.Sprintf("text of request %d", request), "")
	text := r.tape.textBy(request, r.at)
	if prompts := r.plan.Workload.Prompts; request < len(prompts) {
		text = prompts[request] + text
	}
	lines := wrap(strings.TrimSpace(text), inner.w-2)
	lines = lines[max(0, len(lines)-inner.h):]
	for y, line := range lines {
		inner.text(1, y, t.text, line)
	}
}
