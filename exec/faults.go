package exec

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard/scenarios"
	"github.com/edgeshard/edgeshard/topologies"
)

// A player does a scenario's faults to local workers and the links between them,
// at their times of the run or when so many tokens have been generated.
type player struct {
	engine   *Engine
	topology *topologies.Topology
	faults   []scenarios.Fault

	mu      sync.Mutex
	due     []cue // in order
	byToken []int // faults, in the order of their tokens
	tokens  int
	changed chan struct{}
	links   []*scenarios.Fault    // in force
	slow    map[int]float64       // devices
	since   map[int]time.Duration // when a device was killed, frozen or slowed
	cuts    map[[2]int]time.Duration
}

// A cue is when a fault starts or ends.
type cue struct {
	at    time.Duration
	fault int
	ends  bool
}

// newPlayer returns the player of the options' scenario; nil without faults.
func newPlayer(e *Engine) (*player, error) {
	if e.options.Scenario == nil || len(e.options.Scenario.Faults) == 0 {
		return nil, nil
	}
	p := &player{
		engine: e, topology: e.plan.Topology, faults: e.options.Scenario.Faults, changed: make(chan struct{}, 1),
		slow: make(map[int]float64), since: make(map[int]time.Duration), cuts: make(map[[2]int]time.Duration),
	}
	for i, f := range p.faults {
		if err := p.check(&f); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		if f.At != nil {
			p.due = append(p.due, cue{at: time.Duration(*f.At), fault: i})
		} else {
			p.byToken = append(p.byToken, i)
		}
	}
	p.sort()
	slices.SortStableFunc(p.byToken, func(a, b int) int { return cmp.Compare(p.faults[a].Token, p.faults[b].Token) })
	return p, nil
}

// check reports a fault that cannot be done.
func (p *player) check(f *scenarios.Fault) error {
	o := p.engine.options
	if f.Device == "" {
		if !o.Emulate && !p.engine.cluster.inMemory() && f.Do != scenarios.Recover {
			return fmt.Errorf("%s of a link: only emulated links can be cut or degraded", f.Do)
		}
		return nil
	}
	d, _ := p.topology.Index(f.Device)
	if address := p.topology.Devices[d].Address; address != "" {
		return fmt.Errorf("%s of %s: it has an address, and only local workers can be hurt", f.Do, f.Device)
	}
	return nil
}

func (p *player) sort() {
	slices.SortStableFunc(p.due, func(a, b cue) int { return cmp.Compare(a.at, b.at) })
}

// begin starts the play; it is the beginning of the run.
func (p *player) begin() {
	if p != nil {
		p.engine.cluster.tasks.Go(func() { p.run(p.engine.cluster.ctx) })
	}
}

func (p *player) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		left := p.next()
		if left == 0 {
			p.play()
			continue
		}
		timer.Reset(left)
		select {
		case <-timer.C:
			p.play()
		case <-p.changed:
		case <-ctx.Done():
		}
	}
}

// next returns the time until the next cue.
func (p *player) next() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due) == 0 {
		return time.Hour
	}
	return max(p.due[0].at-p.engine.now(), 0)
}

// play does what is due.
func (p *player) play() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.engine.now()
	for len(p.due) > 0 && p.due[0].at <= now {
		c := p.due[0]
		p.due = p.due[1:]
		f := &p.faults[c.fault]
		if c.ends {
			p.end(f)
			continue
		}
		p.start(f, now)
		if f.For > 0 && f.Do != scenarios.Recover {
			p.due = append(p.due, cue{at: now + time.Duration(f.For), fault: c.fault, ends: true})
			p.sort()
		}
	}
}

// token tells that a token has been generated.
func (p *player) token() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens++
	reached := false
	for len(p.byToken) > 0 && p.faults[p.byToken[0]].Token <= p.tokens {
		p.due = append([]cue{{at: p.engine.now(), fault: p.byToken[0]}}, p.due...)
		p.byToken, reached = p.byToken[1:], true
	}
	if reached {
		p.sort()
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// start does a fault.
func (p *player) start(f *scenarios.Fault, now time.Duration) {
	p.engine.cluster.log.Info("fault", "do", f.Do, "device", f.Device, "between", f.Between, "from", f.From, "to", f.To, "factor", f.Factor)
	device, _ := p.topology.Index(f.Device)
	switch f.Do {
	case scenarios.Kill:
		p.hurts(device, now)
		p.engine.cluster.member(device).slay()
	case scenarios.Freeze:
		p.hurts(device, now)
		p.engine.cluster.member(device).freeze(true)
	case scenarios.Slow:
		p.hurts(device, now)
		p.pace(device, f.Factor)
	case scenarios.Cut, scenarios.Degrade:
		p.links = append(p.links, f)
		p.relink(now)
	case scenarios.Recover:
		p.end(f)
	}
}

func (p *player) hurts(device int, now time.Duration) {
	if _, ok := p.since[device]; !ok {
		p.since[device] = now
	}
}

// end undoes a fault, or all of a device or a link.
func (p *player) end(f *scenarios.Fault) {
	if f.Device != "" {
		device, _ := p.topology.Index(f.Device)
		delete(p.since, device)
		p.pace(device, 1)
		m := p.engine.cluster.member(device)
		m.freeze(false)
		m.mend()
		return
	}
	p.links = slices.DeleteFunc(p.links, func(g *scenarios.Fault) bool {
		return g == f || f.Do == scenarios.Recover && slices.Equal(g.Between, f.Between) && g.From == f.From && g.To == f.To
	})
	p.relink(p.engine.now())
}

// pace slows a device down by a factor.
func (p *player) pace(device int, factor float64) {
	if p.slowdown(device) == factor {
		return
	}
	p.slow[device] = factor
	p.engine.cluster.member(device).slow(factor)
}

func (p *player) slowdown(device int) float64 {
	if f, ok := p.slow[device]; ok {
		return f
	}
	return 1
}

// relink applies the link faults in force.
func (p *player) relink(now time.Duration) {
	p.engine.cluster.arbiter.setFaults(p.links)
	for from := range p.topology.Devices {
		for to := range p.topology.Devices {
			cut := slices.ContainsFunc(p.links, func(f *scenarios.Fault) bool {
				return f.Do == scenarios.Cut && f.Joins(p.topology, from, to)
			})
			key := [2]int{from, to}
			if _, was := p.cuts[key]; cut == was || from == to {
				continue
			}
			if cut {
				p.cuts[key] = now
			} else {
				delete(p.cuts, key)
				p.engine.mended(key)
			}
			p.engine.cluster.sever(from, to, cut)
		}
	}
}

// told says that a device's failure is known: another is from another fault.
func (p *player) told(device int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.since, device)
}

// hurt returns since when a device, or the link to another, has not worked as it
// should, if the script knows.
func (e *Engine) hurt(device, to int) (at time.Duration, ok bool) {
	if e.faults == nil {
		return 0, false
	}
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	if to < 0 {
		at, ok = e.faults.since[device]
		return at, ok
	}
	if at, ok = e.faults.cuts[[2]int{device, to}]; !ok {
		at, ok = e.faults.cuts[[2]int{to, device}]
	}
	return at, ok
}
