package exec

import (
	"errors"
	"fmt"

	"github.com/edgeshard/edgeshard/exec/llama"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// compute runs the passes that arrive, one at a time and in order.
func (s *session) compute() error {
	for {
		select {
		case a := <-s.inbox:
			if err := s.run(a); err != nil {
				return err
			}
		case <-s.ctx.Done():
			return nil
		}
	}
}

// run takes a pass through its stage and sends it on.
func (s *session) run(a arrival) error {
	p := a.pass
	stage := int(p.GetStage())
	if stage == len(s.shards) {
		return s.returned(a)
	}
	effort := s.start(s.pace.of(p), p)
	s.worker.computing.Store(&computation{since: s.worker.clock(), stage: p.GetStage(), step: p.GetStep()})
	defer s.worker.computing.Store(nil)
	out, err := s.forward(s.shards[stage], p, a.values)
	s.spares.give(a.values)
	if err != nil {
		effort.release()
		return fmt.Errorf("stage %d: %w", stage, err)
	}
	s.tally.pass(s.worker.clock()-effort.begin, len(s.shards[stage].live))
	p.Stage++
	last := int(p.Stage) == len(s.shards)
	if last && !s.load.GetReturnLogits() {
		s.sample(p, out)
		out = nil
	}
	s.finish(effort, s.pace.of(p))
	device := s.load.GetDeviceIndex()
	p.Spans = append(p.Spans, &wire.Span{Stage: uint32(stage), Device: device, To: device, StartNs: effort.begin, EndNs: s.worker.clock()})
	return s.forwardTo(s.next(int(p.Stage)), p, out)
}

// next returns the device of a stage; past the last it is the source.
func (s *session) next(stage int) uint32 {
	if stages := s.load.GetStages(); stage < len(stages) {
		return stages[stage].GetDevice()
	}
	return s.load.GetSource()
}

func (s *session) forwardTo(device uint32, p *wire.Pass, values []float32) error {
	if device != s.load.GetDeviceIndex() {
		l := s.links[device]
		if l == nil {
			return fmt.Errorf("no connection to device %d", device)
		}
		return l.send(p, values)
	}
	if int(p.GetStage()) == len(s.shards) {
		return s.returned(arrival{p, values})
	}
	return s.queue(arrival{p, append(s.spares.take(), values...)})
}

// queue lets a pass wait for its turn. There is room for every pass of the run.
func (s *session) queue(a arrival) error {
	select {
	case s.inbox <- a:
		return nil
	default:
		return errors.New("more passes in flight than the load announced")
	}
}

// compute takes no time under a test's own clock, unless that has another.
var compute = (*llama.Shard).Forward

// forward frees the sequences that have ended, reserves for those that begin,
// and computes.
func (s *session) forward(sh *stageShard, p *wire.Pass, values []float32) ([]float32, error) {
	for _, id := range p.GetRelease() {
		sh.shard.Release(int(id))
		delete(sh.live, id)
	}
	batch := make([]llama.Seq, len(p.GetSequences()))
	for i, q := range p.GetSequences() {
		if n := q.GetReserve(); n > 0 {
			if err := s.admit(s.load.GetStages()[p.GetStage()], int(n)); err != nil {
				return nil, err
			}
			if err := sh.reserve(q.GetRequest(), int(n), int(s.load.GetInFlight())); err != nil {
				return nil, err
			}
			s.logSequence(q, p.GetStage())
		}
		batch[i] = llama.Seq{ID: int(q.GetRequest()), Past: int(q.GetPast()), N: int(q.GetNew()), Tokens: ints(q.GetTokens())}
		if p.GetStage() == 0 {
			q.Tokens = nil // they stay at the source
		}
	}
	out, err := compute(sh.shard, batch, values)
	s.peak.update(s)
	return out, err
}

func (sh *stageShard) reserve(id int64, positions, most int) error {
	if len(sh.live) >= most {
		return fmt.Errorf("more sequences in flight than the %d announced", most)
	}
	if err := sh.shard.Reserve(int(id), positions); err != nil {
		return err
	}
	sh.live[id] = struct{}{}
	return nil
}

func ints(ids []uint32) []int {
	if len(ids) == 0 {
		return nil
	}
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}

// sample picks each sequence's next token.
func (s *session) sample(p *wire.Pass, logits []float32) {
	vocab := s.config.Vocab
	for i, q := range p.GetSequences() {
		own, how := logits[i*vocab:][:vocab], q.GetSampling()
		r := llama.Rand(how.GetSeed(), int(q.GetPast()+q.GetNew()))
		id := llama.Sample(own, how.GetTemperature(), how.GetTopP(), r)
		q.Tokens = []uint32{uint32(id)}
		if how.GetLogProbs() {
			q.LogProbs = logProbs(own, id, int(how.GetAlternatives()))
		}
		q.Sampling = nil // it has served
	}
}

func logProbs(logits []float32, id, alternatives int) *wire.LogProbs {
	token, top := llama.LogProbs(logits, id, alternatives)
	l := &wire.LogProbs{Token: token}
	for _, a := range top {
		l.Alternatives = append(l.Alternatives, &wire.Alternative{Token: uint32(a.ID), LogProb: a.LogProb})
	}
	return l
}

// returned hands a pass that is back at the source to the coordinator, and lets
// the next one in where it may.
func (s *session) returned(a arrival) error {
	if a.values != nil {
		s.sample(a.pass, a.values)
	}
	if len(s.backs) > cap(s.backs)/2 {
		s.onward.halt() // the coordinator has fallen behind
	}
	next := s.onward.next(a.pass)
	a.pass.Onward = next != nil
	select {
	case s.backs <- a.pass:
	default:
		return errors.New("more passes in flight than the load announced")
	}
	if next == nil {
		return nil
	}
	return s.queue(arrival{pass: next})
}

// tellBacks hands passes that are back to the coordinator. It is not done where they
// come back: their successors need not wait for it.
func (s *session) tellBacks() error {
	for {
		select {
		case p := <-s.backs:
			if err := s.send(&wire.Event{Kind: &wire.Event_Pass{Pass: p}}); err != nil {
				return err
			}
		case <-s.ctx.Done():
			return nil
		}
	}
}
