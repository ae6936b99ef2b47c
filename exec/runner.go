package exec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// A Runner runs plans on workers. The zero value runs them on workers within
// the process.
type Runner struct {
	Options
}

var _ edgeshard.Runner = (*Runner)(nil)

// Run runs the plan's workload on a worker for each device that has a stage.
// All of a run that fails is torn down before Run returns: sessions, connections
// and the processes of local workers. A *DeviceError names the device at fault;
// it wraps an *edgeshard.OutOfMemory where a worker refused its shards.
//
// Times are by the coordinator's clock, with 0 when all shards were loaded; what
// workers report is set by handshakes, within half their round trip.
func (r *Runner) Run(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := CheckScenario(r.Scenario); err != nil {
		return err
	}
	talks, err := r.prepare(p)
	if err != nil {
		return err
	}
	c, err := newCluster(ctx, &r.Options, p)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.run(talks, obs); err != nil {
		c.cancel(err)
		c.tellShortage(err, obs)
		return err
	}
	return nil
}

func (c *cluster) run(talks []*talk, obs edgeshard.Observer) error {
	if err := c.start(); err != nil {
		return err
	}
	begin := time.Duration(c.now())
	if err := c.shape(begin); err != nil {
		return err
	}
	for _, s := range c.loads {
		s.Start -= begin
		s.End -= begin
		obs.Span(s)
	}
	d := newDriver(c, talks, obs, begin)
	if err := d.run(c.ctx); err != nil {
		return err
	}
	c.unload(obs, d.now())
	return nil
}

// tellShortage tells obs of the memory that lacked, if that ended the run.
func (c *cluster) tellShortage(err error, obs edgeshard.Observer) {
	var oom *edgeshard.OutOfMemory
	if !errors.As(err, &oom) {
		return
	}
	device, _ := c.plan.Topology.Index(oom.Device)
	obs.Span(edgeshard.Span{What: edgeshard.OOM, Request: -1, Stage: -1, Device: device, To: -1, Bytes: oom.Missing()})
}

// prepare opens the model for its tokenizer and makes the requests' prompts.
func (r *Runner) prepare(p *edgeshard.Plan) ([]*talk, error) {
	ref := p.Model.Ref
	if r.Model != "" {
		ref = r.Model
	}
	checkpoint, err := models.Open(ref)
	if err != nil {
		return nil, err
	}
	defer func() { _ = checkpoint.Close() }()
	tokenizer, err := checkpoint.Tokenizer()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", ref, err)
	}
	return newTalks(p, tokenizer)
}
