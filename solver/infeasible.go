package solver

import (
	"fmt"
	"slices"
	"strings"
)

// Infeasible says why a problem has no plan, or a baseline's plan does not fit.
type Infeasible struct{ Reasons []Reason }

// A Reason is one thing that stands in the way.
type Reason struct {
	Device  string // that lacks something; "" where no single device does
	Missing int64  // bytes it lacks, 0 where memory is not the reason
	Text    string // one line for people
}

func (e *Infeasible) Error() string {
	lines := make([]string, len(e.Reasons))
	for i, r := range e.Reasons {
		lines[i] = r.Text
	}
	return "no plan fits: " + strings.Join(lines, "; ")
}

func memoryReason(device string, need, budget int64) Reason {
	missing := need - max(budget, 0)
	return Reason{Device: device, Missing: missing, Text: fmt.Sprintf(
		"%s lacks %s: its units need %s, it has %s for them", device, amount(missing), amount(need), amount(max(budget, 0)))}
}

// amount writes an amount of memory with its bytes, for a reader who must add them.
func amount(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%.1f MiB (%d bytes)", float64(n)/(1<<20), n)
	}
	return fmt.Sprintf("%.3f GiB (%d bytes)", float64(n)/(1<<30), n)
}

// hopeless tells, without a search, whether memory alone rules every plan out.
func (p *Problem) hopeless() bool {
	return p.held() < p.Units || p.short() || len(p.pinnedReasons()) > 0 || len(p.largestReasons()) > 0
}

// pinnedReasons finds the devices that cannot hold what must be there.
func (p *Problem) pinnedReasons() []Reason {
	need := make([]int64, len(p.Devices))
	for u, w := range p.Weight {
		if d := p.Pin(u); d >= 0 {
			need[d] += w
		}
	}
	var reasons []Reason
	for d, n := range need {
		if n > 0 && n > p.Class(d).Budget {
			r := memoryReason(p.Devices[d].Name, n, p.Class(d).Budget)
			r.Text += ": these units are pinned there"
			reasons = append(reasons, r)
		}
	}
	return reasons
}

// largestReasons tells whether some unit fits no device at all, by the roomiest device.
func (p *Problem) largestReasons() []Reason {
	d, budget := p.roomiest()
	for u, w := range p.Weight {
		if p.Pin(u) < 0 && w > budget {
			r := memoryReason(p.Devices[d].Name, w, budget)
			r.Text = fmt.Sprintf("unit %d fits no device: even %s", u, r.Text)
			return []Reason{r}
		}
	}
	return nil
}

func (p *Problem) roomiest() (device int, budget int64) {
	device, budget = p.Source, p.Class(p.Source).Budget
	for k := range p.Classes {
		if c := &p.Classes[k]; c.Budget > budget {
			device, budget = c.Members[0], c.Budget
		}
	}
	return device, budget
}

// held returns how many units all devices hold at most: each counts for what it
// can hold by itself, the lightest first, and for no more than the bytes it has.
func (p *Problem) held() int {
	weights := slices.Sorted(slices.Values(p.Weight))
	need, room, units := sum(weights), int64(0), 0
	for k := range p.Classes {
		held, n := int64(0), 0
		for n < len(weights) && held+weights[n] <= p.Classes[k].Budget {
			held, n = held+weights[n], n+1
		}
		count := min(len(p.Classes[k].Members), p.Units)
		room += min(max(p.Classes[k].Budget, 0), need) * int64(count)
		units += n * count
	}
	for units > p.Units || units > 0 && room < sum(weights[:min(units, p.Units)]) {
		units--
	}
	return units
}

// short tells whether the units of the commonest weight, the blocks, are more
// than fit: each device holds a whole number of them beside what is pinned to it.
func (p *Problem) short() bool {
	count := make(map[int64]int)
	var common int64
	for _, w := range p.Weight {
		if count[w]++; count[w] > count[common] || count[w] == count[common] && w > common {
			common = w
		}
	}
	beside := make([]int64, len(p.Devices))
	for u, w := range p.Weight {
		if d := p.Pin(u); d >= 0 && w != common {
			beside[d] += w
		}
	}
	fit := 0
	for k := range p.Classes {
		c := &p.Classes[k]
		for _, d := range c.Members {
			fit += min(int(max(c.Budget-beside[d], 0)/max(common, 1)), p.Units)
		}
	}
	return fit < count[common]
}
