package edgeshard

import "context"

// A Runner runs a plan's workload: sim in virtual time, exec on real workers.
type Runner interface {
	// Run runs the plan's workload to its end and tells obs what happens. It
	// returns early with an error when the run cannot be completed or ctx ends.
	Run(ctx context.Context, p *Plan, obs Observer) error
}
