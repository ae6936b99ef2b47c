package sim

import (
	"context"
	"math/rand/v2"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/scenarios/network"
	"github.com/edgeshard/edgeshard/sim/des"
)

// A pipeline is a run in progress: micro-batches move from device to device.
type pipeline struct {
	des.Engine[event]
	runner   *Runner
	plan     *edgeshard.Plan // replaced when the run is planned anew
	scenario *scenarios.Scenario
	rates    *rates
	table    *costTable
	batcher  *edgeshard.Batcher
	obs      edgeshard.Observer
	memory   *ledger
	devices  []station
	links    []link
	hops     []*link          // into each stage, and the return; nil where nothing moves
	network  *network.Network // nil where nothing about the links changes
	tick     des.Handle       // of the network
	rng      *rand.Rand       // of accepted tokens

	requests []edgeshard.Request // in order of arrival
	arrived  int                 // of requests
	open     int                 // requests that have not ended
	tokens   int                 // generated
	flows    []flow
	free     []int32 // flows without a micro-batch
	byBatch  map[*edgeshard.MicroBatch]int32
	waiting  []int32  // flows that lack memory
	disks    [][]bool // which units' weights each device has; nil: none
	faults   faults
	idle     int // events since something was told

	slow   bool
	replay template
}

// An event is what happens to a flow, a device or the run.
type event struct {
	kind  kind
	flow  int32 // or device, or index of a fault
	epoch int32 // of the flow; an event of an earlier one is void
}

type kind uint8

const (
	arrival     kind = iota // requests arrive
	computed                // a device ends a stage of a flow
	delivered               // a message of a flow reaches its stage, or the source
	returned                // the tokens of a flow are with the coordinator
	networkTick             // a message leaves a link, or a trace changes
	thermalTick             // a device reaches a bound of its temperature
	batteryTick             // a device's battery is empty
	speedTick               // a device's trace changes
	faultStart
	faultEnd
	detection     // a device's death is known
	linkDetection // a link's silence is; epoch is where it leads to
	slowDetection // a device's slowness is
	resumption
	started // weights are delivered
)

func newPipeline(r *Runner, p *edgeshard.Plan, c *rates, obs edgeshard.Observer) (*pipeline, error) {
	s := &pipeline{
		runner: r, plan: p, scenario: c.scenario, rates: c, obs: obs, slow: r.SlowPath || !c.scenario.Steady(),
		batcher: edgeshard.NewBatcher(&p.Workload), requests: p.Workload.Arrivals(),
		byBatch: make(map[*edgeshard.MicroBatch]int32), rng: rand.New(rand.NewPCG(c.scenario.Seed, 0x616363657074)),
	}
	s.open = len(s.requests)
	if err := s.equip(); err != nil {
		return nil, err
	}
	return s, s.install(p)
}

// install makes what depends on the plan's stages.
func (s *pipeline) install(p *edgeshard.Plan) error {
	s.plan, s.rates.plan = p, p
	s.table = newCostTable(p, s.rates)
	s.memory = newLedger(p, s.rates, s.tell)
	return s.connect()
}

// run simulates to the end of the last request.
func (s *pipeline) run(ctx context.Context) error {
	if err := s.memory.load(); err != nil {
		return err
	}
	s.scheduleFaults()
	s.deliverWeights()
	for n := 0; s.open > 0; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		e, ok := s.Next()
		if !ok {
			return s.stalled()
		}
		if s.Now() > horizon {
			return errHorizon
		}
		if s.idle++; s.idle > maxIdle {
			return s.stalled()
		}
		if err := s.handle(ctx, e); err != nil {
			return err
		}
	}
	s.memory.close(s.Now())
	s.endFaults()
	return nil
}

func (s *pipeline) handle(ctx context.Context, e event) error {
	switch e.kind {
	case computed, delivered, returned:
		if s.flows[e.flow].epoch != e.epoch || !s.advance(e) {
			return nil
		}
	case arrival:
		s.arrive()
	case networkTick:
		s.advanceNetwork()
		return nil
	case thermalTick:
		s.crossed(int(e.flow))
		return nil
	case speedTick:
		s.turn(int(e.flow))
		return nil
	case started:
		s.faults.delivered = true
	default:
		if err := s.handleFault(ctx, e); err != nil {
			return err
		}
	}
	return s.admit(ctx)
}

// advance takes a flow to where it is next, and reports whether its pass is over.
func (s *pipeline) advance(e event) (over bool) {
	switch e.kind {
	case computed:
		s.leave(e.flow)
		return false
	case delivered:
		return s.deliver(e.flow)
	}
	s.token(e.flow, 0)
	return true
}

// tell passes a span on, and remembers it where the batch is a template.
func (s *pipeline) tell(span edgeshard.Span) {
	s.idle = 0
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
	if s.faults.halted || !s.faults.delivered {
		return nil
	}
	s.readmit()
	for {
		if err := s.fastForward(ctx); err != nil {
			return err
		}
		m, ok := s.batcher.Next()
		if !ok {
			break
		}
		grows := s.scenario.KV == scenarios.Grow
		if m.Step == 0 && !grows && !s.reserve(m) {
			continue
		}
		f := s.flowOf(m)
		if m.Step == 0 && grows && len(s.waiting) > 0 || !s.enter(f) {
			s.waiting = append(s.waiting, f)
		}
	}
	if !s.crowded(-1) {
		s.readmit()
	}
	return nil
}

// reserve takes the whole memory of m's sequences, drops those there is none
// for, and reports whether any remain.
func (s *pipeline) reserve(m *edgeshard.MicroBatch) bool {
	for i := 0; i < len(m.Requests); {
		r := m.Requests[i]
		if d, missing := s.memory.take(0, r.Prompt+r.Tokens, s.Now()); missing > 0 {
			s.drop(m, r.ID, d, missing)
			continue
		}
		i++
	}
	return len(m.Requests) > 0
}

// drop gives up a request for which a device lacks memory.
func (s *pipeline) drop(m *edgeshard.MicroBatch, request, device int, missing int64) {
	now := s.Now()
	s.tell(edgeshard.Span{What: edgeshard.OOM, Request: request, Stage: -1, Device: device, To: -1, Bytes: missing, Start: now, End: now})
	s.batcher.Drop(m, request)
	s.open--
}

// leave ends a flow's stage: the device turns to the next in its queue, and the
// flow to the link onward.
func (s *pipeline) leave(f int32) {
	fl := &s.flows[f]
	at := s.plan.Stages[fl.stage].Device
	s.tell(s.span(edgeshard.Compute, f, fl.stage, at, -1))
	if fl.stage == 0 && fl.chunk.of > 0 {
		s.nextChunk(f)
		fl = &s.flows[f] // flows may have grown
	}
	fl.stage++
	if fl.stage == len(s.plan.Stages) && fl.parent >= 0 {
		s.forget(f)
	} else {
		s.send(f, s.hops[fl.stage])
	}
	s.next(at)
}

// arriveAt queues a flow at the device of its stage.
func (s *pipeline) arriveAt(f int32) {
	device := s.plan.Stages[s.flows[f].stage].Device
	if d := &s.devices[device]; d.busy {
		d.queue.Push(f)
		return
	}
	s.compute(device, f)
}
