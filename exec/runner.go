package exec

import (
	"context"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A Runner runs plans on workers. The zero value runs them on workers within
// the process.
type Runner struct {
	Options
}

var _ edgeshard.Runner = (*Runner)(nil)

// Run runs the plan's workload on a worker for each device that has a stage: it
// opens an Engine and submits the requests as they arrive.
// All of a run that fails is torn down before Run returns: sessions, connections
// and the processes of local workers. A *DeviceError names the device at fault;
// it wraps an *edgeshard.OutOfMemory where a worker refused its shards.
//
// Times are by the coordinator's clock, with 0 when all shards were loaded; what
// workers report is set by handshakes, within half their round trip.
func (r *Runner) Run(ctx context.Context, p *edgeshard.Plan, obs edgeshard.Observer) error {
	e, err := r.newEngine(ctx, p, obs)
	if err != nil {
		return err
	}
	talks, err := newTalks(p, e.tokenizer)
	if err != nil {
		e.cancel(err)
		return err
	}
	for _, k := range talks {
		k.reader.unread = true
	}
	if talks, err = e.restore(talks); err != nil || len(talks) == 0 {
		e.cancel(err)
		return err
	}
	go e.run()
	e.play(talks)
	return e.Close()
}

// play submits requests when they arrive and returns when all have ended, or
// the engine has.
func (e *Engine) play(talks []*talk) {
	select {
	case <-e.opened:
	case <-e.done:
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for rest := talks; len(rest) > 0; {
		n := 0
		for n < len(rest) && rest[n].request.Arrival <= e.now() {
			n++
		}
		if e.enqueue(rest[:n]...) != nil {
			return
		}
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
		timer.Reset(rest[0].request.Arrival - e.now())
		select {
		case <-timer.C:
		case <-e.done:
			return
		}
	}
	for _, k := range talks {
		select {
		case <-k.reader.done:
		case <-e.done:
			return
		}
	}
}
