package tui

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/edgeshard/edgeshard"
)

// A tape is what happened in a run, in order to be shown at any time of it.
type tape struct {
	lanes    map[lane][]beat       // by start
	memory   map[int][]level       // of each device, by time
	there    map[int]time.Duration // where each micro-batch was last, until when
	tokens   []tokenAt             // by time
	waits    []interval
	down     map[lane][]interval
	events   []edgeshard.Span // what went wrong and was done then
	texts    []textAt
	oom      []edgeshard.Span
	end      time.Duration
	spans    int
	requests int // that have been seen
}

// A lane is a device (to −1) or a link.
type lane struct{ device, to int }

// A beat is a lane being busy.
type beat struct {
	interval
	micro, stage int
	ready        time.Duration // when the micro-batch was there; until start it waited
}

// done is the share of the beat that is over at a time.
func (b beat) done(at time.Duration) float64 {
	return float64(at-b.start) / float64(max(b.end-b.start, 1))
}

type interval struct{ start, end time.Duration }

type level struct {
	at    time.Duration
	bytes int64
}

type tokenAt struct {
	at      time.Duration
	request int
	step    int
	since   time.Duration // the token before it, or the arrival
}

type textAt struct {
	at      time.Duration
	request int
	text    string
}

func newTape() *tape {
	return &tape{lanes: make(map[lane][]beat), memory: make(map[int][]level), there: make(map[int]time.Duration), down: make(map[lane][]interval)}
}

// span takes a span in; spans come roughly in the order of their ends.
func (t *tape) span(s edgeshard.Span) {
	t.spans++
	switch s.What {
	case edgeshard.Compute:
		t.beat(lane{s.Device, -1}, s, s.End)
	case edgeshard.Send, edgeshard.Back:
		t.beat(lane{s.Device, s.To}, s, max(s.Free, s.End))
	case edgeshard.Token:
		t.tokens = append(t.tokens, tokenAt{s.End, s.Request, s.Step, s.Start})
		t.requests = max(t.requests, s.Request+1)
	case edgeshard.Queue:
		t.waits = append(t.waits, interval{s.Start, s.End})
	case edgeshard.Memory:
		t.memory[s.Device] = append(t.memory[s.Device], level{s.Start, s.Bytes})
	case edgeshard.Load:
		if s.Start <= 0 {
			return // before the start
		}
		t.events = append(t.events, s)
	case edgeshard.Detection, edgeshard.Replan, edgeshard.Failed:
		t.events = append(t.events, s)
	case edgeshard.Down:
		l := lane{s.Device, s.To}
		t.down[l] = append(t.down[l], interval{s.Start, s.End})
		t.events = append(t.events, s)
	case edgeshard.OOM:
		t.oom = append(t.oom, s)
	}
	t.end = max(t.end, s.End)
}

// beat adds to a lane, which is kept sorted by start.
func (t *tape) beat(l lane, s edgeshard.Span, end time.Duration) {
	b := beat{interval{s.Start, end}, s.MicroBatch, s.Stage, min(t.there[s.MicroBatch], s.Start)}
	t.there[s.MicroBatch] = s.End
	t.lanes[l] = append(t.lanes[l], b)
	beats := t.lanes[l]
	for i := len(beats) - 1; i > 0 && beats[i-1].start > beats[i].start; i-- {
		beats[i-1], beats[i] = beats[i], beats[i-1]
	}
}

// activeIn returns what a lane does for a stage at a time.
func (t *tape) activeIn(l lane, stage int, at time.Duration) (beat, bool) {
	for _, b := range t.between(l, at, at+1) {
		if b.stage == stage {
			return b, true
		}
	}
	return beat{}, false
}

// queued returns how many micro-batches wait for a lane at a time.
func (t *tape) queued(l lane, at time.Duration) int {
	beats, n := t.lanes[l], 0
	for _, b := range beats[sort.Search(len(beats), func(i int) bool { return beats[i].start > at }):] {
		if b.ready > at {
			break // a lane is first come, first served
		}
		n++
	}
	return n
}

// between returns a lane's beats that touch a time span.
func (t *tape) between(l lane, from, to time.Duration) []beat {
	beats := t.lanes[l]
	i := sort.Search(len(beats), func(i int) bool { return beats[i].end > from })
	j := sort.Search(len(beats), func(j int) bool { return beats[j].start >= to })
	return beats[min(i, j):j]
}

// use is the share of a time span in which a lane is busy.
func (t *tape) use(l lane, from, to time.Duration) float64 {
	if to <= from {
		return 0
	}
	var busy, until time.Duration
	for _, b := range t.between(l, from, to) {
		start, end := max(b.start, from, until), min(b.end, to)
		if end > start {
			busy += end - start
			until = end
		}
	}
	return float64(busy) / float64(to-from)
}

// memoryAt returns what a device holds at a time, and its peak until then.
func (t *tape) memoryAt(device int, at time.Duration) int64 {
	levels := t.memory[device]
	i := sort.Search(len(levels), func(i int) bool { return levels[i].at > at })
	if i == 0 {
		return 0
	}
	return levels[i-1].bytes
}

// tokensBy returns the tokens there are at a time.
func (t *tape) tokensBy(at time.Duration) []tokenAt {
	return t.tokens[:sort.Search(len(t.tokens), func(i int) bool { return t.tokens[i].at > at })]
}

// waiting returns the requests that wait for their first pass at a time.
func (t *tape) waiting(at time.Duration) int {
	n := 0
	for _, w := range t.waits {
		if w.start <= at && at < w.end {
			n++
		}
	}
	return n
}

// speaking is the request that had got the last text at a time.
func (t *tape) speaking(at time.Duration) int {
	i := sort.Search(len(t.texts), func(i int) bool { return t.texts[i].at > at })
	return t.texts[max(i-1, 0)].request
}

// textBy returns what has been generated for a request at a time.
func (t *tape) textBy(request int, at time.Duration) string {
	var text []byte
	for _, x := range t.texts {
		if x.at > at {
			break
		}
		if x.request == request {
			text = append(text, x.text...)
		}
	}
	return string(text)
}

// step returns the time of the next, or previous, thing that happens.
func (t *tape) step(at time.Duration, forward bool) time.Duration {
	best := t.end
	if !forward {
		best = 0
	}
	for _, beats := range t.lanes {
		i := sort.Search(len(beats), func(i int) bool { return beats[i].start > at })
		if forward && i < len(beats) {
			best = min(best, beats[i].start)
		}
		if forward {
			continue
		}
		j := sort.Search(len(beats), func(i int) bool { return beats[i].start >= at }) - 1
		if j >= 0 {
			best = max(best, beats[j].start)
		}
	}
	return best
}

// lanesOf returns a plan's lanes in the order a token passes them, each once.
func lanesOf(p *edgeshard.Plan) []lane {
	var all []lane
	add := func(l lane) {
		if l.device != l.to && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	at := p.Topology.Source
	for _, s := range p.Stages {
		add(lane{at, s.Device})
		add(lane{s.Device, -1})
		at = s.Device
	}
	add(lane{at, p.Topology.Source})
	return all
}

// lanes returns the plan's lanes, then the others of the tape: those of a plan
// made anew during the run.
func (r *run) lanes() []lane {
	all := lanesOf(r.plan)
	var more []lane
	for l := range r.tape.lanes {
		if !slices.Contains(all, l) {
			more = append(more, l)
		}
	}
	slices.SortFunc(more, func(a, b lane) int { return cmp.Or(a.device-b.device, a.to-b.to) })
	return append(all, more...)
}

// A soFar is what a run has come to at a time.
type soFar struct {
	tokens, requests int
	ttft, tpot       float64 // means in ms, 0 where there are none yet
	throughput       float64
}

// soFar sums up the tokens until a time.
func (t *tape) soFar(at time.Duration) soFar {
	var s soFar
	var first, next time.Duration
	gaps := 0
	for _, k := range t.tokensBy(at) {
		s.tokens++
		if k.step == 0 {
			s.requests++
			first += k.at - k.since
		} else {
			gaps++
			next += k.at - k.since
		}
	}
	if s.requests > 0 {
		s.ttft = edgeshard.Milliseconds(first) / float64(s.requests)
	}
	if gaps > 0 {
		s.tpot = edgeshard.Milliseconds(next) / float64(gaps)
	}
	if now := min(at, t.end); now > 0 {
		s.throughput = float64(s.tokens) / now.Seconds()
	}
	return s
}
