package results

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A Gantt is a chart of what devices and links did over time: a row for each
// that did anything, a column for each slice of the run.
type Gantt struct {
	End  time.Duration
	Rows []GanttRow
}

// A GanttRow is one device, or one link.
type GanttRow struct {
	Name  string
	Link  bool
	Cells []Cell
}

// A Cell is how much of a slice of time was spent on what: parts of 1.
type Cell struct {
	Prefill, Decode float64 // computing, or carrying activations and tokens
	Load, Down      float64
}

// Busy returns the part of the slice in which the device or link did anything.
func (c Cell) Busy() float64 { return c.Prefill + c.Decode + c.Load }

// NewGantt returns the chart of a run's spans in so many columns.
func NewGantt(p *edgeshard.Plan, spans []edgeshard.Span, columns int) *Gantt {
	g := &Gantt{}
	for _, s := range spans {
		if _, _, ok := kindOf(s); ok {
			g.End = max(g.End, s.End)
		}
	}
	if g.End == 0 || columns < 1 {
		return g
	}
	rows, order := make(map[[2]int]*GanttRow), [][2]int(nil)
	for _, s := range spans {
		part, key, ok := kindOf(s)
		if !ok {
			continue
		}
		row := rows[key]
		if row == nil {
			row = &GanttRow{Name: p.Topology.Devices[key[0]].Name, Link: key[1] >= 0, Cells: make([]Cell, columns)}
			if row.Link {
				row.Name += " → " + p.Topology.Devices[key[1]].Name
			}
			rows[key] = row
			order = append(order, key)
		}
		g.add(row.Cells, s, part)
	}
	slices.SortFunc(order, byKind)
	for _, key := range order {
		g.Rows = append(g.Rows, *rows[key])
	}
	return g
}

// byKind puts devices first, in the topology's order, then links.
func byKind(a, b [2]int) int {
	if (a[1] < 0) != (b[1] < 0) {
		return a[1] - b[1]
	}
	return slices.Compare(a[:], b[:])
}

// kindOf returns which part of a cell a span fills, and whose.
func kindOf(s edgeshard.Span) (part func(*Cell) *float64, key [2]int, ok bool) {
	key = [2]int{s.Device, -1}
	switch s.What {
	case edgeshard.Send, edgeshard.Back:
		key[1] = s.To
		part = ofStep(s.Step)
	case edgeshard.Compute:
		part = ofStep(s.Step)
	case edgeshard.Load:
		part = func(c *Cell) *float64 { return &c.Load }
	case edgeshard.Down:
		key[1] = s.To
		part = func(c *Cell) *float64 { return &c.Down }
	default:
		return nil, key, false
	}
	return part, key, true
}

func ofStep(step int) func(*Cell) *float64 {
	if step == 0 {
		return func(c *Cell) *float64 { return &c.Prefill }
	}
	return func(c *Cell) *float64 { return &c.Decode }
}

// add spreads a span over the cells it touches.
func (g *Gantt) add(cells []Cell, s edgeshard.Span, part func(*Cell) *float64) {
	end := s.End
	if s.What == edgeshard.Send || s.What == edgeshard.Back {
		end = s.Free
	}
	width := float64(g.End) / float64(len(cells))
	from, to := float64(s.Start)/width, float64(end)/width
	for i := int(from); i < len(cells) && float64(i) < to; i++ {
		*part(&cells[i]) += min(to, float64(i+1)) - max(from, float64(i))
	}
}

// shades are a cell's busy part in eighths, a glyph of a device's row each.
var shades = []rune(" ▁▂▃▄▅▆▇█")

// WriteText draws the chart in characters: the height of a column is the part of
// the time in which the device or link was busy; × is where it was down.
func (g *Gantt) WriteText(w io.Writer) error {
	widest := 0
	for _, r := range g.Rows {
		widest = max(widest, len([]rune(r.Name)))
	}
	for _, r := range g.Rows {
		line := make([]rune, len(r.Cells))
		for i, c := range r.Cells {
			if line[i] = shades[min(int(c.Busy()*8+0.999), 8)]; c.Down > 0.5 {
				line[i] = '×'
			}
		}
		pad := strings.Repeat(" ", widest-len([]rune(r.Name)))
		if _, err := fmt.Fprintf(w, "%s%s │%s│\n", r.Name, pad, string(line)); err != nil {
			return err
		}
	}
	if len(g.Rows) == 0 {
		_, err := fmt.Fprintln(w, "nothing happened")
		return err
	}
	end := g.End.Round(10 * time.Microsecond).String()
	gap := max(len(g.Rows[0].Cells)-len(end)-1, 1)
	_, err := fmt.Fprintf(w, "%s  0%s%s\n", strings.Repeat(" ", widest), strings.Repeat(" ", gap), end)
	return err
}
