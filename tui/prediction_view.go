package tui

import (
	"fmt"
	"strings"

	"github.com/edgeshard/edgeshard"
)

// predictionRows are the rows that drawPrediction fills.
const predictionRows = 7

// A figure is a line of the prediction.
type figure struct {
	name      string
	value     float64
	before    float64 // 0: not known
	text      string
	simulated string
	more      bool // more is better
}

// figures are the lines of a prediction, with what the simulation made of it.
func figures(a, before *Answer) []figure {
	p, r := &a.Plan.Predicted, a.Report
	var was edgeshard.Prediction
	if before.Plan != nil {
		was = before.Plan.Predicted
	}
	all := []figure{
		{name: "TTFT", value: p.TTFTMS, before: was.TTFTMS, text: msText(p.TTFTMS)},
		{name: "TPOT", value: p.TPOTMS, before: was.TPOTMS, text: msText(p.TPOTMS)},
		{name: "tokens/s", value: p.Throughput, before: was.Throughput, text: digits(p.Throughput), more: true},
		{name: "run", value: p.MakespanS, before: was.MakespanS, text: digits(p.MakespanS) + " s"},
	}
	if r != nil {
		all[0].simulated = band(r.TTFT, msText)
		all[1].simulated = band(r.TPOT, msText)
		all[2].simulated = digits(r.Throughput)
		all[3].simulated = digits(r.MakespanS) + " s"
		for i, field := range []string{"ttft_ms.mean", "tpot_ms.mean", "throughput_tokens_per_s", "makespan_s"} {
			if b, ok := r.Bands[field]; ok {
				all[i].simulated = digits(b.Low) + "–" + digits(b.High)
			}
		}
	}
	return append(all, energyFigure(a, before))
}

// band writes a distribution: its mean, or from the median to the 99th percentile.
func band(d edgeshard.Distribution, text func(float64) string) string {
	if d.P99 <= d.P50*1.005 {
		return text(d.Mean)
	}
	return digits(d.P50) + "–" + text(d.P99)
}

func energyFigure(a, before *Answer) figure {
	f := figure{name: "energy", text: "no power figures"}
	if a.Report == nil {
		f.text = "…"
		return f
	}
	if j := a.Report.EnergyPerToken; j > 0 {
		f.value, f.text = j, digits(j)+" J/token"
	}
	if before.Report != nil {
		f.before = before.Report.EnergyPerToken
	}
	return f
}

func (m *Model) drawPrediction(a area) {
	t := &m.theme
	title := "prediction, change, simulated"
	if m.answer.Report != nil && len(m.answer.Report.Bands) > 0 {
		title = "prediction, change, 90 % band"
	}
	if a.w < textWidth(title)+6 {
		title = "prediction"
	}
	inner := a.box(t.border, t.dim, title, "")
	if m.answer.Plan == nil {
		inner.text(1, 0, t.dim, "none")
		return
	}
	for y, f := range figures(&m.answer, &m.before) {
		m.drawFigure(inner.at(1, y, inner.w-2, 1), f)
	}
	m.drawTightest(inner.at(1, 5, inner.w-2, 1))
	m.drawBottleneck(inner.at(1, 6, inner.w-2, 1))
}

// figureName is the width of the names of figures.
const figureName = 9

// drawFigure draws a figure's value, its change, and the band that the simulation
// found around it, as far as there is room.
func (m *Model) drawFigure(a area, f figure) {
	t := &m.theme
	look := t.text.strong()
	if m.pending {
		look = t.dim
	}
	a.text(0, 0, t.dim, f.name)
	x := a.text(figureName, 0, look, f.text)
	if text := change(f.before, f.value); text != "" && f.value != 0 {
		better := (f.value > f.before) == f.more
		look := t.bad
		if better {
			look = t.good
		}
		x = a.text(max(x+1, figureName+9), 0, look, text)
	}
	for _, text := range []string{f.simulated, strings.TrimRight(f.simulated, " ms")} {
		if w := textWidth(text); text != "" && a.w-w > x {
			a.right(a.w, 0, t.dim, text)
			return
		}
	}
}

// drawTightest names the device with the least memory left.
func (m *Model) drawTightest(a area) {
	p := m.answer.Plan
	spec, name, most := p.Spec(), "", -1.0
	for i := range p.Topology.Devices {
		d := p.Topology.Devices[i].Name
		if n, ok := p.Predicted.Memory[d]; ok {
			if share := float64(n) / float64(max(spec.Budget(i), 1)); share > most {
				name, most = d, share
			}
		}
	}
	look, _ := m.colorOf(name)
	a.text(0, 0, m.theme.dim, "memory")
	x := a.text(figureName, 0, m.theme.text.strong(), fmt.Sprintf("%.0f %% of ", 100*most))
	a.text(x, 0, look, name)
}

// drawBottleneck names the place to improve first.
func (m *Model) drawBottleneck(a area) {
	b := bottleneck(m.answer.Parts, m.answer.Plan.Objective)
	if b.Device < 0 {
		return
	}
	t, d := &m.theme, m.answer.Plan.Topology.Devices
	where := d[b.Device].Name
	if b.To >= 0 {
		where += " → " + d[b.To].Name
	}
	a.text(0, 0, t.dim, "slowest")
	x := a.text(figureName, 0, t.warn.strong(), where)
	share := fmt.Sprintf("  %.0f %%", 100*b.Share)
	if long := "  " + durationText(b.Time) + share; x+textWidth(long) <= a.w {
		share = long
	}
	a.text(x, 0, t.text, share)
}
