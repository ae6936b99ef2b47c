package sim

import (
	"context"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/sim/des"
)

// A pipeline is a run in progress: micro-batches move from station to station.
type pipeline struct {
	des.Engine[event]
	plan    *edgeshard.Plan
	source  int
	table   *costTable
	batcher *edgeshard.Batcher
	obs     edgeshard.Observer
	memory  *ledger
	devices []station
	links   []link
	hops    []*link // into each stage, and the return; nil where nothing moves

	requests []edgeshard.Request // in order of arrival
	arrived  int                 // of requests
	flows    []flow
	free     []int32 // flows without a micro-batch
	byBatch  map[*edgeshard.MicroBatch]int32

	slow   bool
	replay template
}

// An event is what happens to a flow, or the next arrival of a request.
type event struct {
	kind kind
	flow int32
}

type kind uint8

const (
	arrival   kind = iota // requests arrive
	computed              // a device ends a stage of a flow
	delivered             // a message of a flow reaches its stage, or the source
)

// A flow is a micro-batch on its way. In the pipeline it is at one place at a
// time: computing stage, or on the link into it.
type flow struct {
	batch *edgeshard.MicroBatch
	row   *row
	stage int
	start time.Duration // of what it does now: a stage, or the occupation of a link
	free  time.Duration // when the link it is on is free again
	token time.Duration // when its last token came
}

func newPipeline(p *edgeshard.Plan, c edgeshard.Costs, obs edgeshard.Observer) *pipeline {
	s := &pipeline{
		plan: p, source: p.Topology.Source, table: newCostTable(p, c), obs: obs,
		batcher: edgeshard.NewBatcher(&p.Workload), requests: p.Workload.Arrivals(),
		devices: make([]station, len(p.Topology.Devices)), byBatch: make(map[*edgeshard.MicroBatch]int32),
	}
	s.memory = newLedger(p, s.tell)
	s.connect()
	return s
}

// connect makes the links that the plan's stages use, a directed pair of devices once.
func (s *pipeline) connect() {
	n := len(s.plan.Stages)
	s.links, s.hops = make([]link, 0, n+1), make([]*link, n+1)
	pairs := make(map[[2]int]*link)
	at := s.source
	for i := range s.hops {
		to := s.source
		if i < n {
			to = s.plan.Stages[i].Device
		}
		if pair := [2]int{at, to}; at != to {
			if pairs[pair] == nil {
				s.links = append(s.links, link{from: at, to: to})
				pairs[pair] = &s.links[len(s.links)-1]
			}
			s.hops[i] = pairs[pair]
		}
		at = to
	}
}

// run simulates to the last event.
func (s *pipeline) run(ctx context.Context) error {
	if err := s.memory.load(); err != nil {
		return err
	}
	s.At(s.requests[0].Arrival, event{kind: arrival})
	for n := 0; ; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e, ok := s.Next()
		if !ok {
			break
		}
		if s.Now() > horizon {
			return errHorizon
		}
		if err := s.handle(ctx, e); err != nil {
			return err
		}
	}
	s.memory.close(s.Now())
	return nil
}

func (s *pipeline) handle(ctx context.Context, e event) error {
	switch e.kind {
	case arrival:
		s.arrive()
	case computed:
		s.leave(e.flow)
		return nil
	case delivered:
		if !s.deliver(e.flow) {
			return nil
		}
	}
	return s.admit(ctx)
}

// tell passes a span on, and remembers it where the batch is a template.
func (s *pipeline) tell(span edgeshard.Span) {
	if s.replay.recording {
		s.replay.record(span)
	}
	s.obs.Span(span)
}

// arrive takes in the requests that come now.
func (s *pipeline) arrive() {
	for s.arrived < len(s.requests) && s.requests[s.arrived].Arrival <= s.Now() {
		s.batcher.Arrive(s.requests[s.arrived])
		s.arrived++
	}
	if s.arrived < len(s.requests) {
		s.At(s.requests[s.arrived].Arrival, event{kind: arrival})
	}
}

// admit lets passes into the first stage as long as there are any.
func (s *pipeline) admit(ctx context.Context) error {
	for {
		if err := s.fastForward(ctx); err != nil {
			return err
		}
		m, ok := s.batcher.Next()
		if !ok {
			return nil
		}
		if m.Step == 0 && !s.reserve(m) {
			continue
		}
		f := s.flowOf(m)
		s.flows[f].row = s.table.row(m.Pass())
		s.flows[f].stage = 0
		s.arriveAt(f)
	}
}

// reserve takes the memory of m's sequences, drops those there is none for, and
// reports whether any remain.
func (s *pipeline) reserve(m *edgeshard.MicroBatch) bool {
	now := s.Now()
	for i := 0; i < len(m.Requests); {
		r := m.Requests[i]
		if d, missing := s.memory.reserve(r, now); missing > 0 {
			s.tell(edgeshard.Span{What: edgeshard.OOM, Request: r.ID, Stage: -1, Device: d, To: -1, Bytes: missing, Start: now, End: now})
			s.batcher.Drop(m, r.ID)
			continue
		}
		s.tell(edgeshard.Span{What: edgeshard.Queue, Request: r.ID, Stage: -1, Device: -1, To: -1, Start: r.Arrival, End: now})
		i++
	}
	return len(m.Requests) > 0
}

// flowOf returns the flow of a micro-batch, a new one before its first pass.
func (s *pipeline) flowOf(m *edgeshard.MicroBatch) int32 {
	if f, ok := s.byBatch[m]; ok {
		return f
	}
	if len(s.free) == 0 {
		s.flows = append(s.flows, flow{})
		s.free = append(s.free, int32(len(s.flows)-1))
	}
	f := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.flows[f] = flow{batch: m}
	s.byBatch[m] = f
	return f
}

// arriveAt queues a flow at the device of its stage.
func (s *pipeline) arriveAt(f int32) {
	d := &s.devices[s.plan.Stages[s.flows[f].stage].Device]
	if d.busy {
		d.queue.Push(f)
		return
	}
	s.compute(d, f)
}

func (s *pipeline) compute(d *station, f int32) {
	d.busy = true
	fl := &s.flows[f]
	fl.start = s.Now()
	s.After(fl.row.compute[fl.stage], event{kind: computed, flow: f})
}

// leave ends a flow's stage: the device turns to the next in its queue, and the
// flow to the link onward.
func (s *pipeline) leave(f int32) {
	fl := &s.flows[f]
	at := s.plan.Stages[fl.stage].Device
	s.tell(s.span(edgeshard.Compute, f, fl.stage, at, -1))
	fl.stage++
	hop := s.hops[fl.stage]
	switch {
	case hop != nil:
		t := fl.row.send[fl.stage]
		fl.start = max(s.Now(), hop.free)
		fl.free = fl.start + t.Occupancy
		hop.free = fl.free
		s.At(fl.free+t.Latency, event{kind: delivered, flow: f})
	default:
		s.After(0, event{kind: delivered, flow: f})
	}
	d := &s.devices[at]
	d.busy = false
	if d.queue.Len() > 0 {
		s.compute(d, d.queue.Pop())
	}
}

// deliver ends a flow's message and reports whether it was the return.
func (s *pipeline) deliver(f int32) (back bool) {
	fl := &s.flows[f]
	hop := s.hops[fl.stage]
	if fl.stage < len(s.plan.Stages) {
		if hop != nil {
			s.tell(s.span(edgeshard.Send, f, fl.stage, hop.from, hop.to))
		}
		s.arriveAt(f)
		return false
	}
	if hop != nil {
		s.tell(s.span(edgeshard.Back, f, -1, hop.from, hop.to))
	}
	s.token(f)
	return true
}

// token gives every request of a flow its token, and ends those that have all.
func (s *pipeline) token(f int32) {
	fl, now := &s.flows[f], s.Now()
	m := fl.batch
	for i := range m.Requests {
		r := &m.Requests[i]
		start := fl.token
		if m.Step == 0 {
			start = r.Arrival
		}
		s.tell(edgeshard.Span{What: edgeshard.Token, Request: r.ID, Step: m.Step, Stage: -1, Device: -1, To: -1, Start: start, End: now})
	}
	fl.token = now
	for _, r := range s.batcher.Done(m, nil) {
		s.memory.release(r, now)
	}
	if len(m.Requests) == 0 {
		delete(s.byBatch, m)
		s.flows[f] = flow{}
		s.free = append(s.free, f)
	}
}

// span describes what a flow has just ended.
func (s *pipeline) span(what edgeshard.What, f int32, stage, device, to int) edgeshard.Span {
	fl := &s.flows[f]
	span := edgeshard.Span{
		What: what, Request: fl.batch.Requests[0].ID, MicroBatch: fl.batch.ID, Batch: len(fl.batch.Requests), Step: fl.batch.Step,
		Stage: stage, Device: device, To: to, Start: fl.start, End: s.Now(),
	}
	if to >= 0 {
		span.Bytes, span.Free = fl.row.bytes[fl.stage], fl.free
	}
	return span
}

// A station is a device: it serves one flow at a time, the others in order.
type station struct {
	queue des.Queue[int32]
	busy  bool
}

// A link is one direction between two devices: it is occupied by one message at
// a time, in order, and a message arrives its latency after.
type link struct {
	from, to int
	free     time.Duration // when the last message of its queue has left
}
