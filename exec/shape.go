package exec

import (
	"context"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// noTime is when a message is sent of which it is not known when, or that waits
// for a link without bandwidth. The sum of two does not overflow.
const noTime = math.MaxInt64 / 4

// A shape holds the messages of a link back as long as the topology's link would
// need for them. It is occupied by one message at a time and delivers it the
// latency later. Where something about the link is shared or changes, the
// coordinator does the reckoning, and tells.
type shape struct {
	peer    *wire.Peer
	clock   func() int64 // the worker's
	offered int64        // messages
	free    int64        // when an unchanging link's last message has left
	changed chan struct{}

	mu       sync.Mutex
	expected map[int64]*wire.Expect // of the messages offered, where the coordinator has told
	sums     wire.ShapedLink
}

// A slot is when a message has the link, and when it arrives, by the worker's clock.
type slot struct{ start, free, arrival int64 }

func newShape(p *wire.Peer, clock func() int64) *shape {
	if !p.GetShaped() && !p.GetArbitrated() {
		return nil
	}
	return &shape{peer: p, clock: clock, changed: make(chan struct{}, 1), expected: make(map[int64]*wire.Expect)}
}

// take gives a message of an unchanging link its slot.
func (h *shape) take(bytes int64) slot {
	t := slot{start: max(h.clock(), h.free)}
	t.free = t.start + occupancy(bytes, h.peer.GetBandwidthBps())
	t.arrival = t.free + h.peer.GetLatencyNs()
	h.free = t.free
	return t
}

// offer returns the offer of a message to the coordinator.
func (h *shape) offer(bytes int64) *wire.Offer {
	o := &wire.Offer{To: h.peer.GetDevice(), Id: h.offered, Bytes: bytes, AtNs: h.clock()}
	h.offered++
	return o
}

// expect takes note of what the coordinator says of a message.
func (h *shape) expect(e *wire.Expect) {
	h.mu.Lock()
	h.expected[e.GetId()] = e
	h.mu.Unlock()
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// await waits until the message of an offer has arrived, or ctx ends.
func (h *shape) await(ctx context.Context, id int64) slot {
	waitUntil(ctx, func() time.Duration { return time.Duration(h.slot(id).arrival - h.clock()) }, h.changed)
	t := h.slot(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	for old := range h.expected {
		if old <= id {
			delete(h.expected, old)
		}
	}
	return t
}

func (h *shape) slot(id int64) slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.expected[id]
	if e == nil {
		return slot{arrival: noTime}
	}
	return slot{start: e.GetStartNs(), free: e.GetFreeNs(), arrival: min(e.GetArrivalNs(), noTime)}
}

// sent takes a message into account that was sent so many ns after its time.
func (h *shape) sent(late int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sums.Messages++
	h.sums.LateNs += max(late, 0)
	h.sums.LatestNs = max(h.sums.LatestNs, late)
}

// account returns what became of the link's messages.
func (h *shape) account() *wire.ShapedLink {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &wire.ShapedLink{To: h.peer.GetDevice(), Messages: h.sums.Messages, LateNs: h.sums.LateNs, LatestNs: h.sums.LatestNs}
}

// occupancy returns how long bytes occupy a link, in ns.
func occupancy(bytes, bandwidth int64) int64 {
	if bandwidth <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(bytes), 8e9)
	if hi >= uint64(bandwidth) {
		return int64(time.Hour)
	}
	q, _ := bits.Div64(hi, lo, uint64(bandwidth))
	return int64(min(q, uint64(time.Hour)))
}

// cut reports that a message is held back for good, as things stand: an imitated
// link shows no sign of life then.
func (h *shape) cut() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.expected {
		if e.GetArrivalNs() >= noTime {
			return true
		}
	}
	return false
}
