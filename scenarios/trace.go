package scenarios

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/edgeshard/edgeshard/internal/csvfile"
)

// A Trace is a link's bandwidth and latency over time, constant between its
// points. After Period, if above 0, it starts again.
type Trace struct {
	Points []TracePoint // the first at 0, in order of time
	Period time.Duration
}

// A TracePoint is what a link does from a time on.
type TracePoint struct {
	At        time.Duration
	Factor    float64       // of the link's own bandwidth; NaN where Bandwidth is given
	Bandwidth int64         // bits a second
	Latency   time.Duration // added
}

// At returns the point in force at a time, and when the next one begins: a
// century later where there is none.
func (t *Trace) At(now time.Duration) (p TracePoint, until time.Duration) {
	const never = 100 * 365 * 24 * time.Hour
	round := time.Duration(0)
	if t.Period > 0 {
		round = now / t.Period * t.Period
	}
	i := sort.Search(len(t.Points), func(i int) bool { return t.Points[i].At > now-round })
	switch {
	case i < len(t.Points):
		until = round + t.Points[i].At
	case t.Period > 0:
		until = round + t.Period
	default:
		until = never
	}
	return t.Points[i-1], until
}

// Absolute reports whether the trace gives bandwidths, not factors.
func (t *Trace) Absolute() bool { return math.IsNaN(t.Points[0].Factor) }

// Rate returns the bandwidth at a point of a link of the given one.
func (p TracePoint) Rate(nominal int64) int64 {
	if math.IsNaN(p.Factor) {
		return p.Bandwidth
	}
	return int64(p.Factor * float64(nominal))
}

// TraceNames are the built-in traces: a Wi-Fi cell, a moving LTE modem, and an
// uplink that is congested at times.
var TraceNames = []string{"wifi", "lte", "uplink"}

// A synthetic trace is a first-order autoregressive process on the logarithm of
// the bandwidth, with a second one that switches between two states.
type synthetic struct {
	median, sigma float64       // of the factor, and of its logarithm
	memory        time.Duration // after which a deviation has shrunk to 1/e
	// While busy, the factor is multiplied by share, and latency added.
	share      float64
	idle, busy time.Duration // mean times in each state
	latency    time.Duration
}

var builtin = map[string]synthetic{
	"wifi":   {median: 0.85, sigma: 0.25, memory: 2 * time.Second, share: 0.4, idle: 8 * time.Second, busy: time.Second, latency: 4 * time.Millisecond},
	"lte":    {median: 0.6, sigma: 0.5, memory: 5 * time.Second, share: 0.25, idle: 20 * time.Second, busy: 2 * time.Second, latency: 30 * time.Millisecond},
	"uplink": {median: 1, sigma: 0.05, memory: time.Second, share: 0.3, idle: 30 * time.Second, busy: 15 * time.Second, latency: 15 * time.Millisecond},
}

// Built-in traces have a point every tracePoint and repeat after traceLength.
const (
	tracePoint  = 200 * time.Millisecond
	traceLength = 10 * time.Minute
)

// Synthetic returns a built-in trace, the same for the same seed.
func Synthetic(name string, seed uint64) (*Trace, bool) {
	s, ok := builtin[name]
	if !ok {
		return nil, false
	}
	rng := rand.New(rand.NewPCG(seed, 0x7472616365))
	t := &Trace{Period: traceLength}
	rho := math.Exp(-float64(tracePoint) / float64(s.memory))
	x, busy := s.sigma*rng.NormFloat64(), false
	for at := time.Duration(0); at < traceLength; at += tracePoint {
		p := TracePoint{At: at, Factor: min(1, s.median*math.Exp(x))}
		if busy {
			p.Factor, p.Latency = p.Factor*s.share, s.latency
		}
		t.Points = append(t.Points, p)
		x = float64(rho*x) + s.sigma*math.Sqrt(1-rho*rho)*rng.NormFloat64()
		dwell := s.idle
		if busy {
			dwell = s.busy
		}
		if rng.Float64() < float64(tracePoint)/float64(dwell) {
			busy = !busy
		}
	}
	return t, true
}

// maxTracePoints bounds a trace file.
const maxTracePoints = 1_000_000

// ReadTrace reads a CSV file with a header: time_s, then factor or
// bandwidth_mbps, then, if wanted, latency_ms. Times ascend from 0.
func ReadTrace(path string) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseTrace(path, f)
}

// ParseTrace reads what ReadTrace does; errors name the file and the line.
func ParseTrace(file string, r io.Reader) (*Trace, error) {
	t, absolute := &Trace{}, false
	err := csvfile.Read(file, r, func(header []string) error {
		n := len(header)
		absolute = n > 1 && header[1] == "bandwidth_mbps"
		if n < 2 || n > 3 || header[0] != "time_s" || !absolute && header[1] != "factor" || n == 3 && header[2] != "latency_ms" {
			return fmt.Errorf("expected the columns time_s, factor or bandwidth_mbps, and if wanted latency_ms, found %q", header)
		}
		return nil
	}, func(row []string) error { return t.add(row, absolute) })
	if err != nil {
		return nil, err
	}
	if len(t.Points) == 0 {
		return nil, fmt.Errorf("%s: no points", file)
	}
	return t, nil
}

func (t *Trace) add(row []string, absolute bool) error {
	var v [3]float64
	for i, text := range row {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= 0 && x <= 1e9) {
			return fmt.Errorf("column %d: expected a number from 0 to 1e9, found %q", i+1, text)
		}
		v[i] = x
	}
	p := TracePoint{At: time.Duration(v[0] * 1e9), Factor: v[1], Latency: time.Duration(v[2] * 1e6)}
	if absolute {
		p.Factor, p.Bandwidth = math.NaN(), int64(v[1]*1e6)
	}
	switch n := len(t.Points); {
	case n == 0 && p.At != 0:
		return fmt.Errorf("expected the first point at 0, found %v s", v[0])
	case n > 0 && p.At <= t.Points[n-1].At:
		return fmt.Errorf("expected a time after %v, found %v", t.Points[n-1].At, p.At)
	case n == maxTracePoints:
		return fmt.Errorf("expected at most %d points", maxTracePoints)
	}
	t.Points = append(t.Points, p)
	return nil
}
