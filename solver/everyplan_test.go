package solver

import "github.com/edgeshard/edgeshard"

// everyPlan calls do with the stages of every plan that a problem allows; do must
// not keep them.
func everyPlan(p *Problem, do func(stages []edgeshard.Stage)) {
	var stages []edgeshard.Stage
	var extend func(from int)
	extend = func(from int) {
		if from == p.Units {
			if p.Check(stages) == nil {
				do(stages)
			}
			return
		}
		for d := range p.Devices {
			if p.Devices[d].Class < 0 || len(stages) > 0 && stages[len(stages)-1].Device == d {
				continue
			}
			for to := from + 1; to <= p.Units; to++ {
				stages = append(stages, edgeshard.Stage{Name: p.Devices[d].Name, Device: d, From: from, To: to})
				extend(to)
				stages = stages[:len(stages)-1]
			}
		}
	}
	extend(0)
}
