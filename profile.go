package edgeshard

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// A Profile is what a device was measured to need for the units of a model, and
// what the software around them takes. The same keys in TOML and JSON.
type Profile struct {
	Name       string `json:"name" toml:"name"`
	Provenance string `json:"provenance,omitempty" toml:"provenance,omitempty"` // in words, where the keys of Origin do not say it
	Origin
	Model string `json:"model" toml:"model"`
	Units int    `json:"units" toml:"units"` // of that model, Layers + 2
	// Gap is the latency between the workers it was measured on; 0: not known.
	Gap time.Duration `json:"gap_ns,omitempty" toml:"gap_ns,omitempty"`

	Software
	Overhead topologies.Bytes    `json:"overhead,omitempty" toml:"overhead,omitempty"` // memory of the runtime; replaces the device's where above 0
	Load     topologies.ByteRate `json:"load,omitempty" toml:"load,omitempty"`         // weights read in and packed, a second
	// Alone is how many times as long a pass takes on a device that is alone: its worker
	// has no gaps to sleep in, and caches stay warm; 0: not known.
	Alone float64 `json:"alone,omitempty" toml:"alone,omitempty"`
	// Packing is what a worker holds beyond each byte of its blocks' weights: they are
	// packed, and lie on huge pages.
	Packing float64 `json:"packing,omitempty" toml:"packing,omitempty"`
	Spread  Spread  `json:"spread,omitzero" toml:"spread,omitempty"`
	Points  []Point `json:"points" toml:"points"`
	Rounds  []Round `json:"rounds,omitempty" toml:"rounds,omitempty"` // that all this sums up; none: not known
}

// An Origin is where, when and with what a profile was measured; what is not
// known is empty.
type Origin struct {
	Host      string `json:"host,omitempty" toml:"host,omitempty"`
	CPU       string `json:"cpu,omitempty" toml:"cpu,omitempty"`
	Kernel    string `json:"kernel,omitempty" toml:"kernel,omitempty"` // path of the arithmetic
	Threads   int    `json:"threads,omitempty" toml:"threads,omitempty"`
	Precision string `json:"precision,omitempty" toml:"precision,omitempty"` // of the weights
	Date      string `json:"date,omitempty" toml:"date,omitempty"`           // RFC 3339
	Version   string `json:"version,omitempty" toml:"version,omitempty"`     // of the program
}

// Software is what the program takes beyond the units and the links.
type Software struct {
	// Hop and HopByte are the cost of a message between devices on top of the
	// link's time: serialising, encrypting, handing over; per message and byte.
	Hop     time.Duration `json:"hop_ns,omitempty" toml:"hop_ns,omitempty"`
	HopByte float64       `json:"hop_ns_per_byte,omitempty" toml:"hop_ns_per_byte,omitempty"`
	// Stage is what a pass costs a stage beyond its units, at the device's full speed.
	Stage time.Duration `json:"stage_ns,omitempty" toml:"stage_ns,omitempty"`
	// Enter, Onward and Token are those of a Turn.
	Enter  time.Duration `json:"enter_ns,omitempty" toml:"enter_ns,omitempty"`
	Onward time.Duration `json:"onward_ns,omitempty" toml:"onward_ns,omitempty"`
	Token  time.Duration `json:"token_ns,omitempty" toml:"token_ns,omitempty"`
}

// Spread is how far single measurements lie from the profile, as standard deviations.
type Spread struct {
	Each float64       `json:"each,omitempty" toml:"each,omitempty"`     // of one pass's time, relative, each on its own
	Run  float64       `json:"run,omitempty" toml:"run,omitempty"`       // relative, of all passes of a run together
	Hop  time.Duration `json:"hop_ns,omitempty" toml:"hop_ns,omitempty"` // of a message's cost, of all messages of a run together
	Runs int           `json:"runs,omitempty" toml:"runs,omitempty"`     // that Run and Hop are known as well as by; 0: many
	// Together is the correlation of what a run's passes take more and its messages.
	Together float64          `json:"together,omitempty" toml:"together,omitempty"`
	Memory   topologies.Bytes `json:"memory,omitempty" toml:"memory,omitempty"` // of the overhead
}

// A Point is one measurement: the time of each of the units [From, To) in a pass.
type Point struct {
	From   int       `json:"from" toml:"from"`
	To     int       `json:"to" toml:"to"`
	Batch  int       `json:"batch" toml:"batch"`
	Tokens int       `json:"tokens" toml:"tokens"`
	Past   int       `json:"past" toml:"past"`
	MS     float64   `json:"ms" toml:"ms"`
	Raw    []float64 `json:"raw_ms,omitempty" toml:"raw_ms,omitempty"` // what MS sums up
}

// Validate reports the first thing that makes no sense, and the first unit that
// has no point.
func (p *Profile) Validate() error {
	if err := errors.Join(p.Software.validate(), p.Spread.validate(), p.Origin.validate(), p.validateRounds()); err != nil {
		return fmt.Errorf("profile %s: %w", p.Name, err)
	}
	if p.Gap < 0 || p.Gap > time.Hour {
		return fmt.Errorf("profile %s: gap_ns is %d: want 0 to an hour", p.Name, p.Gap)
	}
	if !(p.Alone >= 0 && p.Alone <= 100) {
		return fmt.Errorf("profile %s: alone is %g: want 0 to 100", p.Name, p.Alone)
	}
	if !(p.Packing >= 0 && p.Packing <= 1) {
		return fmt.Errorf("profile %s: packing is %g: want 0 to 1", p.Name, p.Packing)
	}
	covered := make([]bool, min(max(p.Units, 0), 1<<16))
	for i, q := range p.Points {
		if q.From < 0 || q.To > len(covered) || q.From >= q.To {
			return fmt.Errorf("profile %s: points[%d]: units [%d, %d) are not within [0, %d)", p.Name, i, q.From, q.To, p.Units)
		}
		if q.Batch < 1 || q.Tokens < 1 || q.Past < 0 || !(q.MS >= 0 && q.MS < 1e9) {
			return fmt.Errorf("profile %s: points[%d]: want batch and tokens of 1 or more, past and ms of 0 or more, found %d, %d, %d, %g", p.Name, i, q.Batch, q.Tokens, q.Past, q.MS)
		}
		for u := q.From; u < q.To; u++ {
			covered[u] = true
		}
	}
	if u := slices.Index(covered, false); u >= 0 || len(covered) == 0 {
		return fmt.Errorf("profile %s: no point measures unit %d of %d", p.Name, max(u, 0), p.Units)
	}
	return nil
}

func (s Software) validate() error {
	for _, f := range []struct {
		key string
		d   time.Duration
	}{{"hop_ns", s.Hop}, {"stage_ns", s.Stage}, {"enter_ns", s.Enter}, {"onward_ns", s.Onward}, {"token_ns", s.Token}} {
		if f.d < 0 || f.d > time.Hour {
			return fmt.Errorf("%s is %d: want 0 to an hour", f.key, f.d)
		}
	}
	if !(s.HopByte >= 0 && s.HopByte <= 1e9) {
		return fmt.Errorf("hop_ns_per_byte is %g: want 0 to 1e9", s.HopByte)
	}
	return nil
}

func (s Spread) validate() error {
	if !(s.Each >= 0 && s.Each <= 10) || !(s.Run >= 0 && s.Run <= 10) {
		return fmt.Errorf("spread: each is %g, run is %g: want 0 to 10", s.Each, s.Run)
	}
	if !(math.Abs(s.Together) <= 1) {
		return fmt.Errorf("spread: together is %g: want -1 to 1", s.Together)
	}
	if s.Runs < 0 {
		return fmt.Errorf("spread: runs is %d: want 0 or more", s.Runs)
	}
	if s.Hop < 0 || s.Hop > time.Hour || s.Memory < 0 {
		return fmt.Errorf("spread: hop_ns is %d, memory is %d: want 0 to an hour, and 0 or more", s.Hop, s.Memory)
	}
	return nil
}

func (o Origin) validate() error {
	if o.Threads < 0 {
		return fmt.Errorf("threads is %d: want 0 or more", o.Threads)
	}
	if o.Precision != "" {
		if _, err := models.ParsePrecision(o.Precision); err != nil {
			return err
		}
	}
	if o.Date != "" {
		if _, err := time.Parse(time.RFC3339, o.Date); err != nil {
			return fmt.Errorf("date is %q: want one such as 2026-11-27T17:00:00Z", o.Date)
		}
	}
	return nil
}
