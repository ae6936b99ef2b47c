package solver

import (
	"context"

	"github.com/edgeshard/edgeshard"
)

// solo is the paper's Edge-Solo: all units on the source.
func solo(_ context.Context, p *Problem) ([]edgeshard.Stage, error) {
	return evenly(p, []int{p.Source}), nil
}

// cloudEven is the paper's Cloud-Edge-Even: two equal halves, source and cloud.
func cloudEven(_ context.Context, p *Problem) ([]edgeshard.Stage, error) {
	return evenly(p, []int{p.Source, p.Cloud}), nil
}

// cloudOpt is the paper's Cloud-Edge-Opt: its dynamic program over source and cloud.
func cloudOpt(ctx context.Context, p *Problem) ([]edgeshard.Stage, error) {
	return paper(ctx, p.restrict([]int{p.Source, p.Cloud}))
}

// even is EdgeShard-Even: equal shares over the devices edgeshard uses, in its order.
func even(ctx context.Context, p *Problem) ([]edgeshard.Stage, error) {
	stages, err := paper(ctx, p)
	if err != nil {
		return nil, err
	}
	var devices []int
	seen := make(map[int]bool)
	for _, s := range stages {
		if !seen[s.Device] {
			devices, seen[s.Device] = append(devices, s.Device), true
		}
	}
	return evenly(p, devices), nil
}

// paper is the paper's algorithm for the problem's objective.
func paper(ctx context.Context, p *Problem) ([]edgeshard.Stage, error) {
	if p.Objective == edgeshard.Throughput {
		return paperThroughput(ctx, p)
	}
	var devices []int
	for d := range p.Devices {
		if p.Devices[d].Class >= 0 {
			devices = append(devices, d)
		}
	}
	return paperLatency(ctx, p, devices)
}

// evenly gives each of the devices an equal number of units, the first ones one
// more where they do not divide.
func evenly(p *Problem, devices []int) []edgeshard.Stage {
	at := make([]int, p.Units)
	n := len(devices)
	for i, d := range devices {
		from, to := (i*p.Units+n-1)/n, ((i+1)*p.Units+n-1)/n
		for u := from; u < to; u++ {
			at[u] = d
		}
	}
	return stagesOf(p, at)
}

// restrict returns the problem with only those devices taking part.
func (p *Problem) restrict(devices []int) *Problem {
	r := *p
	keep := make(map[int]bool)
	for _, d := range devices {
		keep[d] = true
	}
	r.Devices = append([]Device(nil), p.Devices...)
	r.Classes, r.Links, r.Return = nil, nil, nil
	var from []int
	for k, c := range p.Classes {
		var members []int
		for _, d := range c.Members {
			r.Devices[d].Class = -1
			if keep[d] {
				members = append(members, d)
				r.Devices[d].Class = len(r.Classes)
			}
		}
		if c.Members = members; len(members) > 0 {
			r.Classes, from = append(r.Classes, c), append(from, k)
		}
	}
	for _, a := range from {
		row := make([]Link, 0, len(from))
		for _, b := range from {
			row = append(row, p.Links[a][b])
		}
		r.Links, r.Return = append(r.Links, row), append(r.Return, p.Return[a])
	}
	return &r
}
