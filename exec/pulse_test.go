package exec

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/topologies"
)

// TestPulse: a worker that falls silent counts as dead a fifth of the timeout
// before its end, or by its end where ticks are late; and none does for the
// coordinator's own standing still.
func TestPulse(t *testing.T) {
	const timeout = 2 * time.Second
	for name, c := range map[string]struct {
		answers func(at time.Duration) bool
		late    map[int]time.Duration // by the beat
		dead    time.Duration         // 0: never
	}{
		"lives":                     {func(time.Duration) bool { return true }, nil, 0},
		"silent from 1s on":         {func(at time.Duration) bool { return at < time.Second }, nil, time.Second + timeout*4/5},
		"never heard":               {func(time.Duration) bool { return false }, nil, timeout * 4 / 5},
		"answers to some beats":     {func(at time.Duration) bool { return at%(1400*time.Millisecond) == 0 }, nil, 0},
		"the coordinator stands":    {func(time.Duration) bool { return true }, map[int]time.Duration{7: 5 * time.Second}, 0},
		"it stands, then no answer": {func(at time.Duration) bool { return at < time.Second }, map[int]time.Duration{7: 5 * time.Second}, 6200 * time.Millisecond},
		"it is always late":         {func(time.Duration) bool { return true }, lateEach(250 * time.Millisecond), 0},
		"late, and silent from 1s":  {func(at time.Duration) bool { return at < time.Second }, lateEach(250 * time.Millisecond), 2600 * time.Millisecond},
		"both are late":             {func(at time.Duration) bool { return at%(1860*time.Millisecond) < 320*time.Millisecond }, lateEach(210 * time.Millisecond), 0},
	} {
		now := time.Duration(0)
		p := newPulse(timeout, now)
		dead := time.Duration(0)
		for beat := 1; beat < 100 && dead == 0; beat++ {
			now += p.interval + c.late[beat]
			if p.tick(now) { // what has come meanwhile is heard only now
				dead = now
			}
			if c.answers(now) {
				p.answer(now)
			}
		}
		if dead > c.dead || (dead == 0) != (c.dead == 0) || dead > 0 && dead < c.dead-3*p.interval {
			t.Errorf("%s: dead at %s: want %s", name, dead, c.dead)
		}
	}
}

// lateEach makes every beat late.
func lateEach(by time.Duration) map[int]time.Duration {
	late := make(map[int]time.Duration)
	for beat := range 100 {
		late[beat] = by
	}
	return late
}

// failed is a failure for a condition to learn from.
func failed(b blame, device, peer int, need *wire.Need) *failure {
	return &failure{DeviceError: &DeviceError{Device: "x", Err: errors.New("y")}, blame: b, device: device, peer: peer, need: need}
}

// three is a plan on devices a, b and c, of which b is slow.
func three(t *testing.T) *edgeshard.Plan {
	t.Helper()
	list := []topologies.Device{{Name: "a", Memory: 100, Usable: 100}, {Name: "b", Memory: 100, Usable: 100, Slowdown: 2}, {Name: "c", Memory: 100, Usable: 100}}
	for i := range list {
		list[i].FLOPS, list[i].MemoryBandwidth = 1, 1
	}
	top, err := topologies.New("t", list, 0, func(int, int) topologies.Link { return topologies.Link{Bandwidth: 1e9, Latency: 1} })
	if err != nil {
		t.Fatal(err)
	}
	return &edgeshard.Plan{Topology: top}
}

// TestCondition: what a failure teaches, and what is planned with it.
func TestCondition(t *testing.T) {
	p, c := three(t), newCondition()
	c.learn(failed(gone, 1, -1, nil), []int{1}, 0, 0)
	c.learn(failed(gone, 0, -1, nil), []int{0}, 0, 0) // the source is started again
	c.learn(failed(hearsay, 0, 2, nil), nil, 0, 0)
	c.learn(failed(reported, 2, -1, &wire.Need{Budget: 50}), nil, 0, 0)
	if got := c.without(); !slices.Equal(got, []int{1}) {
		t.Errorf("without %v: want the lost device alone", got)
	}
	q, err := c.job(p)
	if err != nil {
		t.Fatal(err)
	}
	if b := q.Topology.Link(0, 2).Bandwidth; b != cutBandwidth || q.Topology.Link(2, 0).Bandwidth != cutBandwidth || q.Topology.Link(1, 2).Bandwidth != 1e9 {
		t.Errorf("the cut link has %s", b)
	}
	if u := q.Topology.Devices[2].Usable; u != 50 || p.Topology.Devices[2].Usable != 100 {
		t.Errorf("the device that lacked memory has %s", u)
	}
	c.back(1)
	c.slower[1] = 3
	if q, err = c.job(p); err != nil || q.Topology.Devices[1].Slowdown != 6 || slices.Contains(c.without(), 1) {
		t.Errorf("a device that is back and slow: error %v, slowdown %g", err, q.Topology.Devices[1].Slowdown)
	}
}

// TestFailsAgain: a worker that lives is left out when it fails twice in a minute.
func TestFailsAgain(t *testing.T) {
	c := newCondition()
	c.learn(failed(reported, 2, -1, &wire.Need{Budget: 50}), nil, 0, 0)
	c.learn(failed(reported, 2, -1, nil), nil, 0, time.Second)
	c.learn(failed(reported, 2, -1, nil), nil, 0, 10*time.Minute)
	if slices.Contains(c.without(), 2) {
		t.Error("two failures long apart count together")
	}
	c.learn(failed(reported, 2, -1, nil), nil, 0, 10*time.Minute+time.Second)
	if !slices.Contains(c.without(), 2) {
		t.Error("a worker that fails again and again is kept")
	}
}

// from is a factor that changes at a time.
func from(at time.Duration, f float64) func(time.Duration) float64 {
	return func(now time.Duration) float64 {
		if now >= at {
			return f
		}
		return 1
	}
}

// TestMonitor feeds a monitor with factors, one every 100 ms, and wants it to
// find a drift, or a failure, when it should.
func TestMonitor(t *testing.T) {
	for name, c := range map[string]struct {
		factor  func(time.Duration) float64
		adapts  bool
		found   int // how often something is
		after   time.Duration
		failure bool
	}{
		"steady":                   {from(0, 1), true, 0, 0, false},
		"twice as slow":            {from(10*time.Second, 2), true, 1, 10*time.Second + driftAfter, false},
		"twice as slow, no adapt":  {from(10*time.Second, 2), false, 0, 0, false},
		"ten times as slow":        {from(10*time.Second, 10), false, 1, 11 * time.Second, true},
		"a rare stall":             {func(now time.Duration) float64 { return 1 + 50*float64(now/(100*time.Millisecond)%10/9) }, true, 0, 0, false},
		"a little slower":          {from(0, 1.2), true, 0, 0, false},
		"twice as fast":            {from(10*time.Second, 0.5), true, 1, 10*time.Second + driftAfter, false},
		"back and forth every 2 s": {func(now time.Duration) float64 { return 1 + float64(now/(2*time.Second)%2) }, true, 0, 0, false},
		"back and forth each 10 s": {func(now time.Duration) float64 { return 1 + float64(now/(10*time.Second)%2) }, true, 4, 10*time.Second + driftAfter, false},
	} {
		m := newMonitor(2*time.Second, c.adapts)
		found, first, failure := 0, time.Duration(0), false
		for now := 100 * time.Millisecond; now < 2*time.Minute; now += 100 * time.Millisecond {
			m.measure(part{1, -1}, c.factor(now), true, now)
			if f := m.find(now); f != nil {
				if found++; found == 1 {
					first, failure = now, f[0].failed
				}
				m.acted(f, now)
			}
		}
		if found > c.found || (found == 0) != (c.found == 0) || failure != c.failure {
			t.Errorf("%s: found %d times, as a failure: %v: want at most %d and %v", name, found, failure, c.found, c.failure)
		}
		if late := first - c.after; found > 0 && (late < 0 || late > 2*time.Second) {
			t.Errorf("%s: found at %s: want from %s on", name, first, c.after)
		}
	}
}

// TestMonitorUsual: without a profile the first measurements say what is usual.
func TestMonitorUsual(t *testing.T) {
	m := newMonitor(2*time.Second, true)
	for i := range 100 {
		now := time.Duration(i) * time.Second
		m.measure(part{0, 1}, 40, false, now)
		if f := m.find(now); f != nil {
			t.Fatalf("%v found though nothing changed", f)
		}
	}
}

// TestMonitorBusy: a computation that does not end is noticed, too.
func TestMonitorBusy(t *testing.T) {
	m := newMonitor(2*time.Second, false)
	m.measure(part{2, -1}, 1, true, 0)
	var at time.Duration
	for now := time.Second; now < 4*time.Second && at == 0; now += 200 * time.Millisecond {
		m.busy(part{2, -1}, float64(now)/float64(10*time.Millisecond), now)
		if f := m.find(now); f != nil && f[0].failed {
			at = now
		}
	}
	if at == 0 || at > 3*time.Second {
		t.Errorf("found at %s: want within two seconds", at)
	}
}

// bookOf returns a book with a talk for each prompt, of so many tokens.
func bookOf(prompts ...int) (*book, []*talk) {
	b := newBook(&edgeshard.Workload{Requests: 2, PromptTokens: 4, Tokens: 10, Batch: 2, MicroBatch: 2, Schedule: edgeshard.NoBubbles})
	var talks []*talk
	for id, n := range prompts {
		k := &talk{request: edgeshard.Request{ID: id, Prompt: n, Tokens: 10}, prompt: make([]int, n)}
		for i := range k.prompt {
			k.prompt[i] = 100*(id+1) + i
		}
		talks = append(talks, k)
		b.add(k)
	}
	return b, talks
}

// checkPart wants a sequence of a pass to be the next part of a talk's history.
func checkPart(t *testing.T, b *book, k *talk, q *wire.Sequence) {
	t.Helper()
	k.entered = true
	if int(q.GetNew()) > b.limit || len(q.GetTokens()) != int(q.GetNew()) || int(q.GetPast()+q.GetNew()) != k.cached {
		t.Fatalf("sequence %v", q)
	}
	for j, id := range q.GetTokens() { // the history at those positions
		at := int(q.GetPast()) + j
		if want := slices.Concat(k.prompt, k.said)[at]; int(id) != want {
			t.Fatalf("position %d has token %d: want %d", at, id, want)
		}
	}
}

// checkSaid wants a talk to have its tokens, each once.
func checkSaid(t *testing.T, k *talk) {
	t.Helper()
	id := k.request.ID
	if len(k.said) != 10 {
		t.Errorf("request %d has %d tokens", id, len(k.said))
	}
	for i, token := range k.said {
		if want := 1000*id + len(k.prompt) + i; token != want {
			t.Errorf("request %d: token %d is %d: want %d", id, i, token, want)
		}
	}
}

// TestBook: a micro-batch whose KV caches are gone goes on in parts that fit, and
// its talks lose and double no token.
func TestBook(t *testing.T) {
	b, talks := bookOf(4, 2)
	aborts := map[int]bool{3: true, 4: true, 9: true}
	parts := 0
	for step := 0; !b.idle(); step++ {
		p, f := b.next(1)
		for i, q := range p.GetSequences() {
			checkPart(t, b, f.talks[i], q)
		}
		if aborts[step] {
			b.abort()
			continue
		}
		for _, q := range p.GetSequences() {
			q.Tokens = []uint32{uint32(1000*q.GetRequest()) + q.GetPast() + q.GetNew()}
		}
		f, tokens, err := b.back(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(tokens) == 0 {
			parts++
			continue
		}
		for i, token := range tokens {
			f.talks[i].said = append(f.talks[i].said, token.ID)
		}
		b.done(f)
	}
	if parts == 0 {
		t.Error("no history went in parts")
	}
	for _, k := range talks {
		checkSaid(t, k)
	}
}
