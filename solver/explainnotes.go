package solver

import (
	"fmt"
	"slices"

	"github.com/edgeshard/edgeshard"
)

// notes says what binds, and whether sharding is of use at all.
func (x *explainer) notes(e *Explanation) []string {
	var notes []string
	if len(x.r.Stages) == 1 {
		note := "run solo: sharding is slower here"
		if least := x.nearest(e); least != nil {
			note += fmt.Sprintf(", by %.3f ms at least, with %s", least.CostMS, least.Devices[0])
		}
		notes = append(notes, note)
	}
	left := make(map[int]int64)
	for _, s := range x.r.Stages {
		left[s.Device] += sum(x.p.Weight[s.From:s.To])
	}
	smallest := slices.Min(x.p.Weight)
	for d := range x.p.Devices {
		if used := left[d]; used > 0 && x.p.Class(d).Budget-used < smallest {
			notes = append(notes, fmt.Sprintf("memory binds on %s: %s left, no unit fits", x.p.Devices[d].Name, amount(x.p.Class(d).Budget-used)))
		}
	}
	if x.p.Objective == edgeshard.Throughput {
		notes = append(notes, x.busiest())
	}
	return notes
}

func (x *explainer) nearest(e *Explanation) *Unused {
	var least *Unused
	for i := range e.Unused {
		if u := &e.Unused[i]; u.Possible && (least == nil || u.CostMS < least.CostMS) {
			least = u
		}
	}
	return least
}

// busiest says whether the loop or the busiest resource sets the period.
func (x *explainer) busiest() string {
	v, k := x.r.Value, x.p.MicroBatches
	if v.Loop >= int64(k)*v.Busy {
		return fmt.Sprintf("the loop binds: %.3f ms for %d micro-batches in flight; more of them would help", float64(v.Loop)/1e6, k)
	}
	return fmt.Sprintf("the busiest device or link binds: %.3f ms per micro-batch", float64(v.Busy)/1e6)
}
