package tui

import (
	"fmt"
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
	lanes := lanesOf(r.plan)
	height := len(lanes)
	if r.ghost != nil && 2*height+2 <= rest.h-8 {
		height *= 2
	}
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
	switch {
	case r.err != nil:
		state, look = "✗", t.bad
	case !r.playing && r.ended && r.at >= r.tape.end:
		state, look = "■ ended", t.dim
	case !r.playing:
		state, look = "‖ paused", t.warn
	case r.follow:
		state = "● live"
	}
	x := a.spans(0, part{t.text.strong(), who + " "}, part{look, state + " "})
	if !r.follow {
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
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f ms", edgeshard.Milliseconds(d))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// drawGantt draws what each device and link does around the time that is shown:
// time goes to the right, gaps are bubbles.
func (m *Model) drawGantt(a area, lanes []lane) {
	r, t := &m.run, &m.theme
	from := r.at - r.window*3/4
	inner := a.box(t.border, t.dim, "devices and links over "+secondsText(r.window), "a digit is a micro-batch; gaps are bubbles")
	label := 4
	for _, l := range lanes {
		label = max(label, textWidth(m.laneName(l)))
	}
	label = min(label, inner.w/4)
	per := 1
	if r.ghost != nil && inner.h >= 2*len(lanes) {
		per = 2
	}
	rows := (inner.h - 1) / per
	top := scroll(r.lane, len(lanes), max(rows, 1))
	graph := inner.at(label+3, 0, inner.w-label-4, inner.h)
	for row := range min(rows, len(lanes)-top) {
		l := lanes[top+row]
		look := t.dim
		if l.to < 0 {
			look = t.device(l.device)
		}
		if top+row == r.lane {
			inner.text(0, row*per, t.focus, "▸")
			look = look.strong()
		}
		inner.text(1, row*per, look, clip(m.laneName(l), label))
		m.drawLane(graph.at(0, row*per, graph.w, 1), r.tape, l, from, false)
		if per == 2 {
			m.drawLane(graph.at(0, row*per+1, graph.w, 1), r.ghost, l, from, true)
		}
	}
	now := graph.w * 3 / 4
	graph.text(now, inner.h-1, t.focus, "▲ now")
	graph.text(0, inner.h-1, t.dim, secondsText(max(from, 0)))
}

func (m *Model) laneName(l lane) string {
	d := m.run.plan.Topology.Devices
	if l.to < 0 {
		return d[l.device].Name
	}
	return "→ " + d[l.to].Name
}

// drawLane draws a lane from a time on. A ghost is what was predicted.
func (m *Model) drawLane(a area, tape *tape, l lane, from time.Duration, ghost bool) {
	r, t := &m.run, &m.theme
	end := from + r.window
	column := func(at time.Duration) int {
		return int(float64(a.w) * float64(at-from) / float64(r.window))
	}
	for _, b := range tape.between(l, max(from, 0), end) {
		if b.start > r.at && !ghost && r.source == measured {
			continue
		}
		x, to := max(column(b.start), 0), min(max(column(b.end), column(b.start)+1), a.w)
		look, text := t.dim, "━"
		switch {
		case ghost:
			text = "▔"
		case l.to < 0:
			look = t.device(l.device)
			look.reverse = true
			text = " "
		}
		if b.start > r.at {
			look = style{fg: t.border.fg, faint: t.mono}
			text = "░"
		}
		for i := x; i < to; i++ {
			a.put(i, 0, look, text)
		}
		if b.start <= r.at && !ghost && to-x >= 2 {
			a.text(x, 0, look, microText(b.micro))
		}
	}
}

const pipelineRows = 5

// drawPipeline draws where the micro-batches are: in a stage as far as they have
// come, or on the way to the next.
func (m *Model) drawPipeline(a area) {
	r, t := &m.run, &m.theme
	inner := a.box(t.border, t.dim, "micro-batches in the stages", "")
	inner = inner.at(1, 0, inner.w-2, inner.h)
	segments := placeStages(r.plan, inner.w)
	for i, s := range r.plan.Stages {
		look := t.device(s.Device)
		x := inner.text(segments[i].x, 0, look, stageName(s.Name, segments[i].w))
		if n := r.tape.queued(lane{s.Device, -1}, r.at); n > 0 && x+8 < segments[i].x+segments[i].w {
			inner.text(x+1, 0, t.warn, fmt.Sprintf("%d wait", n))
		}
		inner.text(segments[i].x, 2, look, strings.Repeat("▔", segments[i].w))
	}
	for i, s := range r.plan.Stages {
		if b, ok := r.tape.activeIn(lane{s.Device, -1}, i, r.at); ok {
			x := segments[i].x + int(float64(segments[i].w-1)*b.done(r.at))
			inner.text(x, 1, t.device(s.Device).strong(), microText(b.micro))
		}
		if i == 0 {
			continue
		}
		from := r.plan.Stages[i-1].Device
		if b, ok := r.tape.activeIn(lane{from, s.Device}, i, r.at); ok && from != s.Device {
			inner.text(segments[i].x-1, 1, t.warn, "›")
			inner.text(max(segments[i].x-2, 0), 1, t.warn, microText(b.micro))
		}
	}
}

func microText(micro int) string { return fmt.Sprint(micro % 10) }

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
	s, p := r.tape.soFar(r.at), r.expected()
	total := r.plan.Workload.Requests * r.plan.Workload.Tokens
	lines := []struct {
		name            string
		value, expected float64
		text            func(float64) string
	}{
		{"TTFT", s.ttft, p.ttft, msText}, {"TPOT", s.tpot, p.tpot, msText}, {"tokens/s", s.throughput, p.throughput, digits},
	}
	inner.spans(0, part{t.dim, pad("tokens", 10)}, part{t.text.strong(), fmt.Sprintf("%d of %d", s.tokens, total)})
	waits := ""
	if n := r.tape.waiting(r.at); n > 0 {
		waits = fmt.Sprintf("  %d wait", n)
	}
	inner.spans(1, part{t.dim, pad("requests", 10)}, part{t.text.strong(), fmt.Sprintf("%d of %d begun", s.requests, r.plan.Workload.Requests)}, part{t.warn, waits})
	for i, l := range lines {
		if l.value == 0 {
			inner.text(1, 2+i, t.dim, pad(l.name, 10)+"–")
		} else {
			inner.spans(2+i, part{t.dim, pad(l.name, 10)}, part{t.text.strong(), pad(l.text(l.value), 11)})
		}
		x := inner.text(22, 2+i, t.dim, l.text(l.expected)+" ")
		if text := change(l.expected, l.value); l.value > 0 && x+textWidth(text) <= inner.w {
			inner.text(x, 2+i, t.dim, text)
		}
	}
	if n := len(r.tape.oom); n > 0 && r.tape.oom[0].Start <= r.at {
		o := r.tape.oom[0]
		inner.text(1, 5, t.bad, clip(fmt.Sprintf("out of memory: %s lacked %s", r.plan.Topology.Devices[o.Device].Name, bytesText(o.Bytes)), inner.w-2))
	} else if !r.ended && r.tape.spans == 0 {
		inner.text(1, 5, t.warn, "starting …")
	}
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
		if _, works := r.plan.Predicted.Memory[name]; !works || row >= inner.h {
			continue
		}
		inner.text(1, row, t.device(i), pad(name, 10))
		m.drawMemory(inner.at(12, row, inner.w-13, 1), r.tape.memoryAt(i, r.at), spec.Budget(i), t.device(i), i)
		row++
	}
}

// drawText shows what has been generated for the request that was first to get a token.
func (m *Model) drawText(a area) {
	r, t := &m.run, &m.theme
	request := r.tape.texts[0].request
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
