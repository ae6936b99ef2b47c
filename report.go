package edgeshard

import (
	"slices"
	"time"
)

// A Report is what a run came to, computed from its spans alone.
type Report struct {
	Backend    string         `json:"backend"`
	Requests   int            `json:"requests"` // that got all their tokens
	Tokens     int            `json:"tokens"`   // generated
	TTFT       Distribution   `json:"ttft_ms"`
	TPOT       Distribution   `json:"tpot_ms"`
	Throughput float64        `json:"throughput_tokens_per_s"` // Tokens / makespan
	MakespanS  float64        `json:"makespan_s"`              // until the last token is at the source
	Devices    []DeviceReport `json:"devices"`                 // those that did something, in the topology's order
	Links      []LinkReport   `json:"links"`                   // likewise, by from and to
	OOM        []OOMReport    `json:"oom"`
	Outputs    []Output       `json:"outputs,omitempty"`
}

// A Distribution summarises a metric over requests; percentiles are exact, by nearest rank.
type Distribution struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// A DeviceReport is one device's part in a run.
type DeviceReport struct {
	Name        string  `json:"name"`
	Passes      int     `json:"passes"`
	BusyS       float64 `json:"busy_s"`
	Utilisation float64 `json:"utilisation"`  // busy / makespan
	BubbleShare float64 `json:"bubble_share"` // idle share between its first and last pass
	Memory      int64   `json:"memory_bytes"` // peak
	LoadMS      float64 `json:"load_ms,omitempty"`
}

// A LinkReport is one directed link's part in a run.
type LinkReport struct {
	From        string  `json:"from"`
	To          string  `json:"to"`
	Messages    int     `json:"messages"`
	Bytes       int64   `json:"bytes"`
	BusyS       float64 `json:"busy_s"`
	Utilisation float64 `json:"utilisation"`
}

// An OOMReport tells of memory that was not there.
type OOMReport struct {
	Device  string  `json:"device"`
	Request int     `json:"request"` // −1: the weights alone do not fit
	AtS     float64 `json:"at_s"`
	Missing int64   `json:"missing_bytes"`
}

// An Output is what a model generated for a request.
type Output struct {
	Request int    `json:"request"`
	Text    string `json:"text"`
	Tokens  []int  `json:"tokens"`
}

// A Recorder makes a Report of what it observes, in memory that grows with
// requests and devices, not with spans.
type Recorder struct {
	plan     *Plan
	first    map[int]request
	devices  []deviceTally
	links    map[[2]int]*LinkReport
	outputs  map[int]*Output
	oom      []OOMReport
	tokens   int
	makespan time.Duration
}

type request struct {
	ttft, first, last time.Duration
	tokens            int
}

type deviceTally struct {
	report      DeviceReport
	busy        time.Duration
	first, last time.Duration
}

var _ Observer = (*Recorder)(nil)

// NewRecorder returns a Recorder of a run of p.
func NewRecorder(p *Plan) *Recorder {
	return &Recorder{
		plan: p, first: make(map[int]request), devices: make([]deviceTally, len(p.Topology.Devices)),
		links: make(map[[2]int]*LinkReport), outputs: make(map[int]*Output),
	}
}

// NewReport returns the report of a finished run's spans.
func NewReport(backend string, p *Plan, spans []Span) *Report {
	r := NewRecorder(p)
	for _, s := range spans {
		r.Span(s)
	}
	return r.Report(backend)
}

// Span takes a span into account.
func (r *Recorder) Span(s Span) {
	switch s.What {
	case Compute:
		r.compute(s)
	case Send, Back:
		r.send(s)
	case Token:
		r.token(s)
	case Memory:
		d := &r.devices[s.Device].report
		d.Memory = max(d.Memory, s.Bytes)
	case Load:
		r.devices[s.Device].report.LoadMS += Milliseconds(s.End - s.Start)
	case OOM:
		r.oom = append(r.oom, OOMReport{Device: r.name(s.Device), Request: s.Request, AtS: s.Start.Seconds(), Missing: s.Bytes})
	}
}

// Text takes a generated token into account.
func (r *Recorder) Text(request, token int, text string) {
	o := r.outputs[request]
	if o == nil {
		o = &Output{Request: request}
		r.outputs[request] = o
	}
	o.Text += text
	o.Tokens = append(o.Tokens, token)
}

func (r *Recorder) name(device int) string { return r.plan.Topology.Devices[device].Name }

func (r *Recorder) compute(s Span) {
	d := &r.devices[s.Device]
	if d.report.Passes == 0 {
		d.first = s.Start
	}
	d.first, d.last = min(d.first, s.Start), max(d.last, s.End)
	d.busy += s.End - s.Start
	d.report.Passes++
}

func (r *Recorder) send(s Span) {
	key := [2]int{s.Device, s.To}
	l := r.links[key]
	if l == nil {
		l = &LinkReport{From: r.name(s.Device), To: r.name(s.To)}
		r.links[key] = l
	}
	l.Messages++
	l.Bytes += s.Bytes
	l.BusyS += (s.Free - s.Start).Seconds()
}

func (r *Recorder) token(s Span) {
	q := r.first[s.Request]
	if s.Step == 0 {
		q.ttft, q.first = s.End-s.Start, s.End
	}
	q.last = s.End
	q.tokens++
	r.first[s.Request] = q
	r.tokens++
	r.makespan = max(r.makespan, s.End)
}

// Report returns the report of what has been observed so far.
func (r *Recorder) Report(backend string) *Report {
	seconds := r.makespan.Seconds()
	rep := &Report{Backend: backend, Requests: len(r.first), Tokens: r.tokens, MakespanS: seconds, OOM: r.oom}
	if seconds > 0 {
		rep.Throughput = float64(r.tokens) / seconds
	}
	rep.TTFT, rep.TPOT = r.latencies()
	for i := range r.devices {
		if d, ok := r.device(i, seconds); ok {
			rep.Devices = append(rep.Devices, d)
		}
	}
	rep.Links = r.linkReports(seconds)
	for _, o := range r.outputs {
		rep.Outputs = append(rep.Outputs, *o)
	}
	slices.SortFunc(rep.Outputs, func(a, b Output) int { return a.Request - b.Request })
	return rep
}

func (r *Recorder) latencies() (ttft, tpot Distribution) {
	var first, per []float64
	for _, q := range r.first {
		first = append(first, Milliseconds(q.ttft))
		if q.tokens > 1 {
			per = append(per, Milliseconds(q.last-q.first)/float64(q.tokens-1))
		}
	}
	return distribution(first), distribution(per)
}

func (r *Recorder) device(i int, makespan float64) (DeviceReport, bool) {
	t := &r.devices[i]
	d := t.report
	d.Name, d.BusyS = r.name(i), t.busy.Seconds()
	if makespan > 0 {
		d.Utilisation = d.BusyS / makespan
	}
	if window := (t.last - t.first).Seconds(); window > 0 {
		d.BubbleShare = 1 - d.BusyS/window
	}
	return d, d.Passes > 0 || d.Memory > 0 || d.LoadMS > 0
}

func (r *Recorder) linkReports(makespan float64) []LinkReport {
	keys := make([][2]int, 0, len(r.links))
	for k := range r.links {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	reports := make([]LinkReport, len(keys))
	for i, k := range keys {
		reports[i] = *r.links[k]
		if makespan > 0 {
			reports[i].Utilisation = reports[i].BusyS / makespan
		}
	}
	return reports
}

// distribution sorts values and summarises them.
func distribution(values []float64) Distribution {
	if len(values) == 0 {
		return Distribution{}
	}
	slices.Sort(values) // also makes the sum independent of map order
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	rank := func(p int) float64 { return values[(len(values)*p+99)/100-1] }
	return Distribution{Mean: sum / float64(len(values)), P50: rank(50), P90: rank(90), P99: rank(99), Max: values[len(values)-1]}
}
