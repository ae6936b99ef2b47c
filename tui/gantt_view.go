package tui

import (
	"fmt"
	"strings"
	"time"
)

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
	rows := laneRows(lanes, inner.h-1, r.ghost != nil)
	shown := (inner.h - 1) / rows.link
	top := 0
	if rows.total(lanes) > inner.h-1 {
		top = scroll(r.lane, len(lanes), max(shown, 1))
	}
	graph := inner.at(label+8, 0, inner.w-label-9, inner.h)
	y := 0
	for i, l := range lanes[top:] {
		h := rows.of(l)
		if y+h > inner.h-1 {
			break
		}
		m.labelLane(inner.at(0, y, inner.w, 1), l, label, top+i == r.lane)
		inner.right(label+6, y, t.dim, fmt.Sprintf("%.0f%%", 100*r.tape.use(l, max(from, 0), r.at)))
		for j := range h {
			ghost := r.ghost != nil && j == 1
			m.drawLane(graph.at(0, y+j, graph.w, 1), laneTape(r, ghost), l, from, ghost, j == 0)
		}
		y += h
	}
	now := graph.w * 3 / 4
	graph.text(now, inner.h-1, t.focus, "▲ now")
	graph.text(0, inner.h-1, t.dim, secondsText(max(from, 0)))
}

// labelLane writes a lane's name, marked if it is the one in focus.
func (m *Model) labelLane(a area, l lane, width int, focused bool) {
	look := m.theme.dim
	if l.to < 0 {
		look = m.theme.device(l.device)
	}
	if focused {
		a.text(0, 0, m.theme.focus, "▸")
		look = look.strong()
	}
	a.text(1, 0, look, clip(m.laneName(l), width))
}

func laneTape(r *run, ghost bool) *tape {
	if ghost {
		return r.ghost
	}
	return r.tape
}

// laneHeights are how many rows lanes take: two where the simulation is ghosted
// below; those of devices more where all have room.
type laneHeights struct{ device, link int }

// tallest is the most rows a device's lane takes.
const tallest = 4

func (h laneHeights) of(l lane) int {
	if l.to < 0 {
		return h.device
	}
	return h.link
}

func (h laneHeights) total(lanes []lane) int {
	n := 0
	for _, l := range lanes {
		n += h.of(l)
	}
	return n
}

func laneRows(lanes []lane, room int, ghosted bool) laneHeights {
	h := laneHeights{tallest, 1}
	if ghosted {
		h = laneHeights{2, 2}
	}
	for ; h.device > 1; h.device-- {
		if h.total(lanes) <= room {
			return h
		}
		if ghosted {
			break
		}
	}
	return laneHeights{1, 1}
}

func (m *Model) laneName(l lane) string {
	d := m.run.plan.Topology.Devices
	if l.to < 0 {
		return d[l.device].Name
	}
	return "→ " + d[l.to].Name
}

// drawLane draws a lane from a time on, with the micro-batches' digits if it is to
// be numbered. A ghost is what was predicted.
func (m *Model) drawLane(a area, tape *tape, l lane, from time.Duration, ghost, numbered bool) {
	r, t := &m.run, &m.theme
	end := from + r.window
	column := func(at time.Duration) int {
		return int(float64(a.w) * float64(at-from) / float64(r.window))
	}
	for _, d := range tape.down[l] {
		for x := max(column(d.start), 0); x < min(column(min(d.end, r.at)), a.w); x++ {
			a.put(x, 0, t.bad, "✗")
		}
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
		if b.start <= r.at && numbered && to-x >= 2 {
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
