package sim

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/edgeshard/edgeshard/internal/dist"
	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/sim/des"
)

// A network is the links of a run whose bandwidth is shared or changes. A link
// carries one message at a time, in order; the messages under way divide the
// segments they pass through. Work is counted in whole bits·ns, so that a
// message alone on an unchanged link takes its idle time to the nanosecond.
type network struct {
	*pipeline
	ports    []*port
	segments []medium
	since    time.Duration // when the messages' work was brought up to date
	tick     des.Handle    // the next time a message ends or a trace changes
	rates    []flowRate    // scratch, as are
	active   []*port
	capacity []int64
}

// A medium is a shared segment.
type medium struct {
	capacity int64 // bits a second
	trace    *scenarios.Trace
}

// A port is one direction of a link.
type port struct {
	from, to   int
	bandwidth  int64 // nominal, bits a second
	trace      *scenarios.Trace
	segments   []int
	factor     float64 // of the bandwidth that faults leave
	jitter     *dist.Source
	loss       float64
	retransmit time.Duration
	rng        *rand.Rand

	queue   des.Queue[message]
	busy    bool
	current message
	left    work
	rate    int64
	delay   time.Duration // of the current message, by retransmissions
	arrival time.Duration // of the last message; they stay in order
}

// A message is what a flow sends over a link.
type message struct {
	flow, epoch        int32
	occupancy, latency time.Duration
}

// work is an amount of bits·ns.
type work struct{ hi, lo uint64 }

func workOf(d time.Duration, rate int64) (w work) {
	w.hi, w.lo = bits.Mul64(uint64(d), uint64(rate))
	return w
}

func (w *work) subtract(v work) {
	var borrow uint64
	w.lo, borrow = bits.Sub64(w.lo, v.lo, 0)
	if w.hi, borrow = bits.Sub64(w.hi, v.hi, borrow); borrow != 0 {
		*w = work{}
	}
}

// time returns how long the work takes at a rate, rounded up; beyond a bound it
// is the bound.
func (w work) time(rate int64) time.Duration {
	lo, carry := bits.Add64(w.lo, uint64(rate)-1, 0)
	hi := w.hi + carry
	if hi >= uint64(rate) {
		return never
	}
	q, _ := bits.Div64(hi, lo, uint64(rate))
	return time.Duration(min(q, uint64(never)))
}

// send queues a message on a port.
func (n *network) send(p *port, m message) {
	if p.busy {
		p.queue.Push(m)
		return
	}
	n.progress()
	n.start(p, m)
	n.reschedule()
}

// start puts a message on the link, which is free.
func (n *network) start(p *port, m message) {
	p.busy, p.current, p.delay = true, m, 0
	occupancy := m.occupancy
	if p.loss > 0 {
		again, rounds := n.retransmissions(p, m)
		occupancy += again
		p.delay = time.Duration(rounds) * max(p.retransmit, 2*m.latency*time.Duration(b2i(p.retransmit == 0)))
	}
	p.left = workOf(occupancy, p.bandwidth)
	n.flows[m.flow].start = n.Now()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// retransmissions draws how much longer a message occupies its link because
// packets are lost and sent again, and how many rounds of that there are.
func (n *network) retransmissions(p *port, m message) (again time.Duration, rounds int) {
	fl := &n.flows[m.flow]
	packets := int((fl.row.bytes[fl.stage] + scenarios.PacketBytes - 1) / scenarios.PacketBytes)
	sent := 0
	for lost := binomial(p.rng, packets, p.loss); lost > 0; lost = binomial(p.rng, lost, p.loss) {
		sent += lost
		rounds++
	}
	return time.Duration(float64(m.occupancy) * float64(sent) / float64(max(packets, 1))), rounds
}

// binomial draws how many of n trials of probability p succeed: one by one, or
// beyond 256 of them by the normal approximation.
func binomial(rng *rand.Rand, n int, p float64) int {
	if n > 256 {
		mean := float64(n) * p
		x := math.Round(mean + math.Sqrt(mean*(1-p))*rng.NormFloat64())
		return int(min(max(x, 0), float64(n)))
	}
	k := 0
	for range n {
		if rng.Float64() < p {
			k++
		}
	}
	return k
}

// progress brings the work of the messages under way up to now.
func (n *network) progress() {
	d := n.Now() - n.since
	n.since = n.Now()
	if d == 0 {
		return
	}
	for _, p := range n.ports {
		if p.busy {
			p.left.subtract(workOf(d, p.rate))
		}
	}
}

// advance is what happens at a tick: messages that are done leave, and the rates
// are set anew.
func (n *network) advance() {
	n.tick = 0
	n.progress()
	for _, p := range n.ports {
		for p.busy && p.left == (work{}) {
			n.leave(p)
		}
	}
	n.reschedule()
}

// leave ends the occupation of a link by a message and starts the next.
func (n *network) leave(p *port) {
	m := p.current
	p.busy = false
	if fl := &n.flows[m.flow]; fl.epoch == m.epoch {
		latency := m.latency + p.delay
		if p.trace != nil {
			point, _ := p.trace.At(n.Now())
			latency += point.Latency
		}
		if p.jitter != nil {
			latency += time.Duration(min(p.jitter.Next(), float64(horizon)))
		}
		p.arrival = max(p.arrival, n.Now()+latency)
		fl.free = n.Now()
		n.At(p.arrival, event{kind: delivered, flow: m.flow, epoch: m.epoch})
	}
	if p.queue.Len() > 0 {
		n.start(p, p.queue.Pop())
	}
}

// reschedule shares the bandwidth among the messages under way, and sets the
// tick to the first that ends or to the first change of a trace.
func (n *network) reschedule() {
	next := n.allot()
	for _, p := range n.active {
		if p.left == (work{}) {
			next = n.Now()
		} else if p.rate > 0 {
			next = min(next, n.Now()+p.left.time(p.rate))
		}
	}
	n.Cancel(n.tick)
	n.tick = 0
	if next < never {
		n.tick = n.At(next, event{kind: networkTick})
	}
}

// allot gives every message under way its rate, and returns when a trace of
// theirs changes.
func (n *network) allot() (until time.Duration) {
	until = never
	n.capacity, n.rates, n.active = n.capacity[:0], n.rates[:0], n.active[:0]
	at := func(t *scenarios.Trace, nominal int64) int64 {
		if t == nil {
			return nominal
		}
		point, change := t.At(n.Now())
		until = min(until, change)
		return point.Rate(nominal)
	}
	for _, p := range n.ports {
		if p.busy {
			limit := int64(float64(at(p.trace, p.bandwidth)) * p.factor)
			n.rates = append(n.rates, flowRate{limit: limit, segments: p.segments})
			n.active = append(n.active, p)
		}
	}
	if len(n.active) == 0 {
		return never
	}
	for _, m := range n.segments {
		n.capacity = append(n.capacity, at(m.trace, m.capacity))
	}
	share(n.rates, n.capacity)
	for i, p := range n.active {
		p.rate = n.rates[i].rate
	}
	return until
}

// drop clears every link, as when a run is planned anew.
func (n *network) drop() {
	n.progress()
	for _, p := range n.ports {
		p.busy, p.queue = false, des.Queue[message]{}
	}
	n.Cancel(n.tick)
	n.tick = 0
}
