package main

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// stripWidth is the most cells a strip of layers takes, for an 80-column terminal.
const stripWidth = 72

// colorOf gives each device of a plan its colour, in the order of first use.
func colorOf(p *edgeshard.Plan) map[int]lipgloss.Style {
	styles := make(map[int]lipgloss.Style)
	for _, s := range p.Stages {
		if _, ok := styles[s.Device]; !ok {
			styles[s.Device] = lipgloss.NewStyle().Foreground(lipgloss.Color(stageColors[len(styles)%len(stageColors)]))
		}
	}
	return styles
}

// strip draws the model's units as cells coloured by device, a stage apart from
// the next, with each stage's number above its first cell.
func (a *app) strip(p *edgeshard.Plan) {
	units, styles := p.Model.Config.Units(), colorOf(p)
	room := stripWidth - len(p.Stages)
	var numbers, cells strings.Builder
	for i, s := range p.Stages {
		width := max(1, s.To*room/units-s.From*room/units)
		if units <= room/2 {
			width = 2 * (s.To - s.From)
		}
		label := fmt.Sprint(i + 1)
		numbers.WriteString(label + strings.Repeat(" ", max(0, width+1-len(label))))
		cells.WriteString(styles[s.Device].Render(strings.Repeat("█", width)) + " ")
	}
	a.printf("  %s", faintStyle.Render(strings.TrimRight(numbers.String(), " ")))
	a.printf("  %s", strings.TrimRight(cells.String(), " "))
}

// stages lists a plan's stages with what each costs.
func (a *app) stages(p *edgeshard.Plan, c edgeshard.Costs) {
	w, styles := &p.Workload, colorOf(p)
	prefill := models.Pass{Batch: w.MicroBatch, Tokens: w.PromptTokens}
	decode := models.Pass{Batch: w.MicroBatch, Tokens: 1, Past: w.PromptTokens}
	var rows [][]string
	at := p.Topology.Source
	for i, s := range p.Stages {
		hop := "–"
		if s.Device != at {
			hop = msText(edgeshard.Milliseconds(c.Transfer(at, s.Device, p.Model.Config.ActivationBytes(decode)).Idle()))
		}
		at = s.Device
		rows = append(rows, []string{
			fmt.Sprintf("%d %s %s", i+1, styles[s.Device].Render("■"), s.Name), fmt.Sprintf("%d–%d", s.From, s.To-1), hop,
			msText(edgeshard.Milliseconds(edgeshard.StageTime(c, s, prefill))), msText(edgeshard.Milliseconds(edgeshard.StageTime(c, s, decode))),
		})
	}
	a.table([]string{"stage", "units", "hop", "prefill", "decode"}, rows)
	if at != p.Topology.Source {
		back := c.Transfer(at, p.Topology.Source, p.Spec().ReturnBytes(w.MicroBatch, w.Return)).Idle()
		a.printf("  %s", faintStyle.Render(fmt.Sprintf("the token returns to %s in %s", p.Topology.Devices[p.Topology.Source].Name, msText(edgeshard.Milliseconds(back)))))
	}
}

// memory lists what each device of a plan holds of its budget.
func (a *app) memory(p *edgeshard.Plan) {
	spec, styles := p.Spec(), colorOf(p)
	var rows [][]string
	for d := range p.Topology.Devices {
		name := p.Topology.Devices[d].Name
		need, ok := p.Predicted.Memory[name]
		if !ok {
			continue
		}
		budget := spec.Budget(d)
		rows = append(rows, []string{styles[d].Render("■") + " " + name, bytesText(need), bytesText(budget), bar(float64(need)/float64(budget), styles[d])})
	}
	a.table([]string{"memory", "needed", "usable", ""}, rows)
}

// bar draws a share of ten cells.
func bar(share float64, s lipgloss.Style) string {
	full := min(max(int(share*10+0.5), 0), 10)
	return s.Render(strings.Repeat("█", full)) + faintStyle.Render(strings.Repeat("░", 10-full)) + fmt.Sprintf(" %3.0f %%", 100*share)
}
