package exec

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// passTimeout is the longest a pass may take: workers that live but do not come
// to an end of it are not waited for.
const passTimeout = 10 * time.Minute

// A driver lets the passes of a workload into the pipeline and takes their
// tokens out, as the Batcher says.
type driver struct {
	cluster *cluster
	obs     edgeshard.Observer
	batcher *edgeshard.Batcher
	begin   time.Duration // of the run, by the coordinator's clock

	talks   []*talk
	byID    map[int]*talk
	arrived int // of talks
	flying  map[uint32]*edgeshard.MicroBatch
	release []int64 // sequences that have ended: the next pass tells all stages
}

func newDriver(c *cluster, talks []*talk, obs edgeshard.Observer, begin time.Duration) *driver {
	d := &driver{
		cluster: c, obs: obs, batcher: edgeshard.NewBatcher(&c.plan.Workload), begin: begin,
		talks: talks, byID: make(map[int]*talk), flying: make(map[uint32]*edgeshard.MicroBatch),
	}
	for _, k := range talks {
		d.byID[k.request.ID] = k
	}
	return d
}

// now is the time since the run's start.
func (d *driver) now() time.Duration { return time.Duration(d.cluster.now()) - d.begin }

// run drives the workload to its end.
func (d *driver) run(ctx context.Context) error {
	for {
		d.arrive()
		for m, ok := d.batcher.Next(); ok; m, ok = d.batcher.Next() {
			if err := d.enter(m); err != nil {
				return d.cluster.cause(d.cluster.source, err)
			}
		}
		if d.batcher.Idle() && d.arrived == len(d.talks) {
			return nil
		}
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
}

// arrive takes in the requests that have come.
func (d *driver) arrive() {
	for now := d.now(); d.arrived < len(d.talks) && d.talks[d.arrived].request.Arrival <= now; d.arrived++ {
		d.batcher.Arrive(d.talks[d.arrived].request)
	}
}

// wait returns when a pass is back or a request has come.
func (d *driver) wait(ctx context.Context) error {
	patience := passTimeout
	arrives := d.arrived < len(d.talks)
	if arrives {
		patience = min(patience, d.talks[d.arrived].request.Arrival-d.now())
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case p := <-d.cluster.passes:
		return d.back(p)
	case <-timer.C:
		if !arrives || len(d.flying) > 0 && patience == passTimeout {
			return fmt.Errorf("no pass came back within %s", passTimeout)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// enter sends a micro-batch's next pass to the source.
func (d *driver) enter(m *edgeshard.MicroBatch) error {
	p := &wire.Pass{MicroBatch: uint32(m.ID), Step: uint32(m.Step), Release: d.release}
	d.release = nil
	for _, r := range m.Requests {
		k := d.byID[r.ID]
		q := &wire.Sequence{Request: int64(r.ID), New: 1, Past: uint32(r.Prompt + m.Step - 1), Sampling: k.sampling.message()}
		if m.Step > 0 {
			q.Tokens = []uint32{uint32(k.last)}
		} else {
			q.New, q.Past, q.Reserve = uint32(r.Prompt), 0, uint32(r.Prompt+r.Tokens)
			q.Tokens = uint32s(k.prompt)
			d.obs.Span(edgeshard.Span{What: edgeshard.Queue, Request: r.ID, Stage: -1, Device: -1, To: -1, Start: r.Arrival, End: d.now()})
		}
		p.Sequences = append(p.Sequences, q)
	}
	d.flying[p.MicroBatch] = m
	return d.cluster.source.send(&wire.Command{Kind: &wire.Command_Pass{Pass: p}})
}

func uint32s(ids []int) []uint32 {
	out := make([]uint32, len(ids))
	for i, id := range ids {
		out[i] = uint32(id)
	}
	return out
}

// back takes a pass that is back at the source with its tokens.
func (d *driver) back(p *wire.Pass) error {
	now := d.now()
	m := d.flying[p.GetMicroBatch()]
	if m == nil || len(p.GetSequences()) != len(m.Requests) {
		return &DeviceError{d.cluster.source.name, fmt.Errorf("a pass came back that was not sent: micro-batch %d", p.GetMicroBatch())}
	}
	delete(d.flying, p.GetMicroBatch())
	for _, s := range p.GetSpans() {
		d.span(m, s)
	}
	for i, q := range p.GetSequences() {
		if len(q.GetTokens()) != 1 || q.GetRequest() != int64(m.Requests[i].ID) {
			return &DeviceError{d.cluster.source.name, fmt.Errorf("a pass came back without the token of request %d", m.Requests[i].ID)}
		}
		d.token(m, d.byID[m.Requests[i].ID], int(q.GetTokens()[0]), now)
	}
	for _, r := range d.batcher.Done(m, func(id int) bool { return d.byID[id].ended }) {
		d.release = append(d.release, int64(r.ID))
		delete(d.byID, r.ID)
	}
	return nil
}

func (d *driver) token(m *edgeshard.MicroBatch, k *talk, id int, now time.Duration) {
	d.obs.Span(edgeshard.Span{
		What: edgeshard.Token, Request: k.request.ID, Step: m.Step, Stage: -1, Device: -1, To: -1, Start: k.at, End: now,
	})
	k.at = now
	d.obs.Text(k.request.ID, id, k.take(id, m.Step))
}

// span tells of what a worker did for a pass.
func (d *driver) span(m *edgeshard.MicroBatch, s *wire.Span) {
	out := edgeshard.Span{
		What: edgeshard.Compute, Request: m.Requests[0].ID, MicroBatch: m.ID, Batch: len(m.Requests), Step: m.Step,
		Stage: int(s.GetStage()), Device: int(s.GetDevice()), To: -1,
		Start: d.at(s.GetDevice(), s.GetStartNs()), End: d.at(s.GetTo(), s.GetEndNs()),
	}
	if s.GetTo() != s.GetDevice() {
		out.What, out.To, out.Bytes = edgeshard.Send, int(s.GetTo()), s.GetBytes()
		out.End = max(out.End, out.Start) // their order is certain, their distance is not
		out.Free = out.End
		if s.GetBusyNs() > 0 {
			out.Free = out.Start + time.Duration(s.GetBusyNs())
		}
		if out.Stage == len(d.cluster.plan.Stages) {
			out.What, out.Stage = edgeshard.Back, -1
		}
	}
	d.obs.Span(out)
}

// at brings a time of a device's clock to the run's.
func (d *driver) at(device uint32, ns int64) time.Duration {
	for _, m := range d.cluster.members {
		if m.device == int(device) {
			offset, _ := m.clock.offset()
			return time.Duration(ns-offset) - d.begin
		}
	}
	return 0
}
