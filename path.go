package edgeshard

import (
	"slices"
	"time"
)

// A Part is a part of a pass's way, in which its time is spent.
type Part string

// The parts. Their times are one after another, so that they add up to the time
// from one token of a micro-batch to the next.
const (
	Computing   Part = "compute"      // a stage
	Waiting     Part = "device queue" // of a pass for the device of its stage
	LinkWaiting Part = "link queue"   // of a message for its link
	Sending     Part = "link"         // of a message into a stage: occupation and latency
	Returning   Part = "return"       // of the token, or the logits, to the source
	// Turning is from a token at the source to the next pass's start there: what the
	// coordinator takes, and where micro-batches wait for their turn. At a first
	// pass, whose wait the queue is, it is left out.
	Turning Part = "coordinator"
)

// A PathReport is the mean time that passes spent in a part of their way.
type PathReport struct {
	Part      Part    `json:"part"`
	Stage     int     `json:"stage"` // computed, or sent into; −1 for the return
	From      string  `json:"device"`
	To        string  `json:"to,omitempty"` // of a link
	PrefillMS float64 `json:"prefill_ms"`   // of a first pass
	DecodeMS  float64 `json:"decode_ms"`    // of a later one
}

// paths adds up the parts of passes.
type paths struct {
	batches []progress // by micro-batch
	places  [][]tally  // by stage, 0 for the return
	passes  [2]int     // first ones, later ones
}

// progress is how far a micro-batch is.
type progress struct {
	known bool
	step  int
	last  time.Duration // when what it did last ended
}

// A place is a part of a stage's way.
type place struct {
	part       Part
	device, to int
}

// A tally is the time spent in a place by first passes, and by later ones.
type tally struct {
	place
	time [2]time.Duration
}

// span takes a computation or a message into account, and the wait for it.
func (p *paths) span(s Span) {
	own, wait := place{Computing, s.Device, -1}, place{Waiting, s.Device, -1}
	switch s.What {
	case Send:
		own, wait = place{Sending, s.Device, s.To}, place{LinkWaiting, s.Device, s.To}
	case Back:
		own, wait = place{Returning, s.Device, s.To}, place{LinkWaiting, s.Device, s.To}
	}
	if n := s.MicroBatch + 1; n > len(p.batches) {
		p.batches = append(p.batches, make([]progress, n-len(p.batches))...)
	}
	b, phase := &p.batches[s.MicroBatch], min(s.Step, 1)
	known := b.known
	if s.What == Compute && s.Stage == 0 {
		p.passes[phase]++
		wait.part = Turning
		known = known && b.step < s.Step
	}
	if known && s.Start > b.last {
		*p.at(s.Stage, wait, phase) += s.Start - b.last
	}
	*p.at(s.Stage, own, phase) += s.End - s.Start
	*b = progress{known: true, step: s.Step, last: s.End}
}

// at returns the time spent in a place.
func (p *paths) at(stage int, at place, phase int) *time.Duration {
	if n := stage + 2; n > len(p.places) {
		p.places = append(p.places, make([][]tally, n-len(p.places))...)
	}
	list := &p.places[stage+1]
	for i := range *list {
		if t := &(*list)[i]; t.place == at {
			return &t.time[phase]
		}
	}
	*list = append(*list, tally{place: at})
	return &(*list)[len(*list)-1].time[phase]
}

// report returns the parts in the order of the way.
func (p *paths) report(name func(device int) string) []PathReport {
	mean := func(t *tally, phase int) float64 {
		return Milliseconds(t.time[phase]) / float64(max(p.passes[phase], 1))
	}
	var reports []PathReport
	for i := range p.places {
		stage := (i + 1) % len(p.places) // the return is last
		slices.SortStableFunc(p.places[stage], func(a, b tally) int { return order[a.part] - order[b.part] })
		for j := range p.places[stage] {
			t := &p.places[stage][j]
			r := PathReport{Part: t.part, Stage: stage - 1, From: name(t.device), PrefillMS: mean(t, 0), DecodeMS: mean(t, 1)}
			if t.to >= 0 {
				r.To = name(t.to)
			}
			reports = append(reports, r)
		}
	}
	return reports
}

// order is where in a stage's way a part comes.
var order = map[Part]int{Turning: 0, LinkWaiting: 1, Sending: 2, Returning: 2, Waiting: 3, Computing: 4}
