package edgeshard

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Round is what one round of a measurement showed. A profile that has rounds is
// their sum; that of its points are their Raw, a value a round.
type Round struct {
	Visit    int                 `json:"visit" toml:"visit"`   // in which the machine was visited, from 1
	Date     string              `json:"date" toml:"date"`     // RFC 3339
	Blocks   int                 `json:"blocks" toml:"blocks"` // of the stage that the blocks' points were measured on
	Software                     // may be below 0 by noise
	Overhead topologies.Bytes    `json:"overhead,omitempty" toml:"overhead,omitempty"`
	Packing  float64             `json:"packing,omitempty" toml:"packing,omitempty"`
	Alone    float64             `json:"alone,omitempty" toml:"alone,omitempty"`
	Load     topologies.ByteRate `json:"load,omitempty" toml:"load,omitempty"`
	Each     float64             `json:"each,omitempty" toml:"each,omitempty"`     // as Spread's
	Memory   topologies.Bytes    `json:"memory,omitempty" toml:"memory,omitempty"` // as Spread's
}

// leastOwn is the part of a measured time that is a unit's own at least, whatever
// its stage takes besides: no unit takes no time at all.
const leastOwn = 0.01

// Visits is how many times the machine was visited to measure the profile; 0 if
// that is not known, or there is no profile.
func (p *Profile) Visits() int {
	if p == nil || len(p.Rounds) == 0 {
		return 0
	}
	return p.Rounds[len(p.Rounds)-1].Visit
}

// Sum makes the profile the sum of its rounds.
func (p *Profile) Sum() {
	if len(p.Rounds) == 0 {
		return
	}
	of := func(value func(*Round) float64) []float64 {
		values := make([]float64, len(p.Rounds))
		for i := range p.Rounds {
			values[i] = value(&p.Rounds[i])
		}
		return values
	}
	mean := func(value func(*Round) float64) time.Duration {
		return time.Duration(math.Round(max(0, sample.Mean(of(value)))))
	}
	hops := of(func(r *Round) float64 { return float64(r.Hop) })
	p.Software = Software{
		Hop:     time.Duration(math.Round(max(0, sample.Mean(hops)))),
		HopByte: max(0, sample.Median(of(func(r *Round) float64 { return r.HopByte }))),
		Stage:   time.Duration(max(0, sample.Median(of(func(r *Round) float64 { return float64(r.Stage) })))),
		Enter:   mean(func(r *Round) float64 { return float64(r.Enter) }),
		Onward:  mean(func(r *Round) float64 { return float64(r.Onward) }),
		Token:   mean(func(r *Round) float64 { return float64(r.Token) }),
	}
	overheads := of(func(r *Round) float64 { return float64(r.Overhead) })
	p.Overhead = topologies.Bytes(sample.Median(overheads))
	p.Packing = max(0, sample.Median(of(func(r *Round) float64 { return r.Packing })))
	p.Alone = max(0, sample.Mean(of(func(r *Round) float64 { return r.Alone })))
	p.Load = topologies.ByteRate(sample.Median(of(func(r *Round) float64 { return float64(r.Load) })))
	p.Date = p.Rounds[len(p.Rounds)-1].Date
	p.sumPoints()
	p.Spread = Spread{
		Each:   sample.Mean(of(func(r *Round) float64 { return r.Each })),
		Memory: topologies.Bytes(math.Hypot(sample.Mean(of(func(r *Round) float64 { return float64(r.Memory) })), sample.Deviation(overheads))),
	}
	p.Spread = p.SpreadAt(p.Rounds[len(p.Rounds)-1].at(), false)
}

// sumPoints gives each point the mean of its rounds, less what its stage takes
// whatever its units.
func (p *Profile) sumPoints() {
	for i := range p.Points {
		q := &p.Points[i]
		units := 1
		if q.From > 0 && q.From < p.Units-1 {
			units = max(1, p.Rounds[0].Blocks)
		}
		ms := sample.Mean(q.Raw)
		q.MS = math.Round(1e6*max(ms-float64(p.Stage)/1e6/float64(units), leastOwn*ms)) / 1e6
	}
}

// Add adds the rounds of another profile: of the same visit to the machine, or of
// another one. It fails if they do not measure the same.
func (p *Profile) Add(more *Profile, sameVisit bool) error {
	if err := p.alike(more); err != nil {
		return err
	}
	before := p.Visits()
	if sameVisit {
		before--
	}
	for _, r := range more.Rounds {
		r.Visit += before
		p.Rounds = append(p.Rounds, r)
	}
	for i := range p.Points {
		p.Points[i].Raw = append(p.Points[i].Raw, more.Points[i].Raw...)
	}
	p.Sum()
	return nil
}

// alike returns why two profiles do not measure the same.
func (p *Profile) alike(o *Profile) error {
	if len(p.Rounds) == 0 || len(o.Rounds) == 0 {
		return errors.New("it does not have the single rounds of what it sums up")
	}
	if err := p.SameSource(o); err != nil {
		return err
	}
	const same = "measure the same batches, prompts and tokens"
	if len(p.Points) != len(o.Points) {
		return fmt.Errorf("it has %d points, now there are %d: %s", len(p.Points), len(o.Points), same)
	}
	for i := range p.Points {
		if a, b := shapeOf(&p.Points[i]), shapeOf(&o.Points[i]); a != b {
			return fmt.Errorf("points[%d] is of %+v, now it is of %+v: %s", i, a, b, same)
		}
	}
	return nil
}

// SameSource returns an error that says what of another profile was measured
// elsewhere, otherwise or of something else. What is not known of either is not
// compared.
func (p *Profile) SameSource(o *Profile) error {
	for _, c := range []struct{ what, had, have string }{
		{"of the model", p.Model, o.Model}, {"with weights in", p.Precision, o.Precision}, {"with", p.Provenance, o.Provenance},
		{"on the host", p.Host, o.Host}, {"on the processor", p.CPU, o.CPU}, {"with the kernel path", p.Kernel, o.Kernel},
		{"with threads:", positive(p.Threads), positive(o.Threads)}, {"with version", p.Version, o.Version}, {"with units:", positive(p.Units), positive(o.Units)},
		{"with a gap in ns:", positive(int(p.Gap)), positive(int(o.Gap))},
	} {
		if c.had != "" && c.have != "" && c.had != c.have {
			return fmt.Errorf("it was measured %s %s, now it is %s", c.what, c.had, c.have)
		}
	}
	return nil
}

// positive writes a number above 0.
func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// A pointShape is what a point measures.
type pointShape struct{ From, To, Batch, Tokens, Past int }

func shapeOf(q *Point) pointShape { return pointShape{q.From, q.To, q.Batch, q.Tokens, q.Past} }

// validateRounds reports rounds that do not fit the points, or one another.
func (p *Profile) validateRounds() error {
	visit := 0
	for i := range p.Rounds {
		r := &p.Rounds[i]
		if r.Visit != visit && r.Visit != visit+1 || r.Visit < 1 {
			return fmt.Errorf("rounds[%d]: visit is %d: want %d or %d", i, r.Visit, max(visit, 1), visit+1)
		}
		visit = r.Visit
		if err := (Origin{Date: r.Date}).validate(); err != nil {
			return fmt.Errorf("rounds[%d]: %w", i, err)
		}
		if !(r.Alone >= 0 && r.Alone <= 100) {
			return fmt.Errorf("rounds[%d]: alone is %g: want 0 to 100", i, r.Alone)
		}
		if !(r.Packing >= -1 && r.Packing <= 10) || !(r.Each >= 0 && r.Each <= 10) || !(math.Abs(r.HopByte) <= 1e9) || r.Memory < 0 {
			return fmt.Errorf("rounds[%d]: packing, each, memory or hop_ns_per_byte make no sense", i)
		}
	}
	for i := range p.Points {
		if n := len(p.Points[i].Raw); len(p.Rounds) > 0 && n != len(p.Rounds) {
			return fmt.Errorf("points[%d]: raw_ms has %d values: want one of each of %d rounds", i, n, len(p.Rounds))
		}
	}
	return nil
}
