package solver

import (
	"fmt"
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
		"%s lacks %s: its units need %s, it has %s for them", device, gib(missing), gib(need), gib(max(budget, 0)))}
}

// gib writes an amount of memory with its bytes, for a reader who must add them.
func gib(n int64) string { return fmt.Sprintf("%.3f GiB (%d bytes)", float64(n)/(1<<30), n) }

// infeasibleMemory names what the whole lacks where it lacks anything, and says
// that nothing fits where it does not.
func infeasibleMemory(p *Problem) error {
	return &Infeasible{Reasons: []Reason{{Text: "no plan keeps to the constraints"}}}
}
