package edgeshard

import (
	"slices"
	"time"
)

// A Recorder makes a Report of what it observes, in memory that grows with
// requests and devices, not with spans.
type Recorder struct {
	plan       *Plan
	requests   []requestTally // by identifier
	devices    []deviceTally
	outputs    map[int]*Output
	oom        []OOMReport
	recovery   []recoveryTally
	preempts   int
	migrations int
	tokens     int
	makespan   time.Duration
	paths      paths
}

type requestTally struct {
	arrival, first, last time.Duration
	queue                time.Duration
	tokens               int
	failed, dropped      bool
}

type deviceTally struct {
	passes      int
	busy        time.Duration
	first, last time.Duration // start of the first pass, end of the last
	memory      int64         // peak
	load, down  time.Duration
	links       []linkTally // to other devices, in the order of their first message
}

type linkTally struct {
	to, messages int
	bytes        int64
	busy         time.Duration
}

var _ Observer = (*Recorder)(nil)

// NewRecorder returns a Recorder of a run of p.
func NewRecorder(p *Plan) *Recorder {
	return &Recorder{plan: p, devices: make([]deviceTally, len(p.Topology.Devices)), outputs: make(map[int]*Output)}
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
		r.devices[s.Device].compute(s)
		r.paths.span(s)
	case Send, Back:
		r.devices[s.Device].send(s)
		r.paths.span(s)
	case Token:
		r.token(s)
	case Queue:
		r.request(s.Request).queue += s.End - s.Start
	case Memory:
		d := &r.devices[s.Device]
		d.memory = max(d.memory, s.Bytes)
	case Load:
		r.devices[s.Device].load += s.End - s.Start
		r.recovering(s)
	case Replan, Rebuild, Lost:
		r.recovering(s)
	case Down:
		if s.To < 0 {
			r.devices[s.Device].down += s.End - s.Start
		}
	case Preempt:
		r.preempts++
	case Migrate:
		r.migrations++
		r.recovering(s)
	case Failed:
		r.request(s.Request).failed = true
	case Detection:
		r.recovery = append(r.recovery, recoveryTally{device: s.Device, to: s.To, died: s.Start, known: s.End})
	case OOM:
		r.oom = append(r.oom, OOMReport{Device: r.name(s.Device), Request: s.Request, AtS: s.Start.Seconds(), Missing: s.Bytes})
		if s.Request >= 0 {
			r.request(s.Request).dropped = true
		}
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

func (r *Recorder) request(id int) *requestTally {
	if id >= len(r.requests) {
		r.requests = append(r.requests, make([]requestTally, id+1-len(r.requests))...)
	}
	return &r.requests[id]
}

func (d *deviceTally) compute(s Span) {
	if d.passes == 0 {
		d.first = s.Start
	}
	d.first, d.last = min(d.first, s.Start), max(d.last, s.End)
	d.busy += s.End - s.Start
	d.passes++
}

func (d *deviceTally) send(s Span) {
	i := slices.IndexFunc(d.links, func(l linkTally) bool { return l.to == s.To })
	if i < 0 {
		i = len(d.links)
		d.links = append(d.links, linkTally{to: s.To})
	}
	l := &d.links[i]
	l.messages++
	l.bytes += s.Bytes
	l.busy += s.Free - s.Start
}

func (r *Recorder) token(s Span) {
	q := r.request(s.Request)
	if s.Step == 0 {
		q.arrival, q.first = s.Start, s.End
	}
	q.last = s.End
	q.tokens++
	r.tokens++
	r.makespan = max(r.makespan, s.End)
}

// Report returns the report of what has been observed so far.
func (r *Recorder) Report(backend string) *Report {
	seconds := r.makespan.Seconds()
	rep := &Report{Backend: backend, Tokens: r.tokens, MakespanS: seconds, OOM: append([]OOMReport{}, r.oom...)}
	r.latencies(rep)
	r.goodput(rep)
	rep.Path = r.paths.report(r.name)
	rep.Preemptions, rep.Migrations = r.preempts, r.migrations
	for i := range r.recovery {
		rep.Recoveries = append(rep.Recoveries, r.recovery[i].report(r.name))
	}
	if seconds > 0 {
		rep.Throughput = float64(r.tokens) / seconds
	}
	for i := range r.devices {
		if d, ok := r.device(i, seconds); ok {
			rep.Devices = append(rep.Devices, d)
			rep.EnergyJ += d.EnergyJ
		}
		links := r.linksFrom(i, seconds)
		for _, l := range links {
			rep.EnergyJ += l.EnergyJ
		}
		rep.Links = append(rep.Links, links...)
	}
	if r.tokens > 0 {
		rep.EnergyPerToken = rep.EnergyJ / float64(r.tokens)
	}
	for _, o := range r.outputs {
		rep.Outputs = append(rep.Outputs, *o)
	}
	slices.SortFunc(rep.Outputs, func(a, b Output) int { return a.Request - b.Request })
	return rep
}

// latencies fills in what is told of requests.
func (r *Recorder) latencies(rep *Report) {
	var first, per, whole, queue []float64
	var moments []moment
	for i := range r.requests {
		q := &r.requests[i]
		if q.failed {
			rep.Failed++
		}
		if q.tokens == 0 || q.failed || q.dropped {
			continue
		}
		rep.Requests++
		q.collect(&first, &per)
		whole = append(whole, Milliseconds(q.last-q.arrival))
		queue = append(queue, Milliseconds(q.queue))
		moments = append(moments, moment{q.arrival, 1}, moment{q.last, -1})
	}
	rep.TTFT, rep.TPOT = distribution(first), distribution(per)
	rep.Latency, rep.Queue = distribution(whole), distribution(queue)
	rep.InSystem = average(moments, r.makespan)
}

// A moment is when a number changes.
type moment struct {
	at    time.Duration
	delta int
}

// average returns the mean over [0, end) of the number that starts at 0 and
// changes as moments say.
func average(moments []moment, end time.Duration) float64 {
	if end <= 0 {
		return 0
	}
	slices.SortFunc(moments, func(a, b moment) int { return int(a.at - b.at) })
	n, area, since := 0, 0.0, time.Duration(0)
	for _, m := range moments {
		area += float64(n) * float64(m.at-since)
		n, since = n+m.delta, m.at
	}
	return (area + float64(n)*float64(end-since)) / float64(end)
}

func (r *Recorder) device(i int, makespan float64) (DeviceReport, bool) {
	t := &r.devices[i]
	d := DeviceReport{Name: r.name(i), Passes: t.passes, BusyS: t.busy.Seconds(), Memory: t.memory, LoadMS: Milliseconds(t.load), DownS: t.down.Seconds()}
	if makespan > 0 {
		d.Utilisation = d.BusyS / makespan
	}
	if p := r.plan.Topology.Devices[i]; p.ActivePower > 0 || p.IdlePower > 0 {
		d.EnergyJ = float64(p.IdlePower)*makespan + float64(max(p.ActivePower, p.IdlePower)-p.IdlePower)*d.BusyS
	}
	if window := t.last - t.first; window > 0 {
		d.BubbleShare = float64(window-t.busy) / float64(window)
	}
	return d, d.Passes > 0 || d.Memory > 0 || t.load > 0
}

// linksFrom returns the reports of a device's outgoing links, by destination.
func (r *Recorder) linksFrom(device int, makespan float64) []LinkReport {
	tallies := slices.Clone(r.devices[device].links)
	slices.SortFunc(tallies, func(a, b linkTally) int { return a.to - b.to })
	var reports []LinkReport
	for _, t := range tallies {
		l := LinkReport{From: r.name(device), To: r.name(t.to), Messages: t.messages, Bytes: t.bytes, BusyS: t.busy.Seconds()}
		l.EnergyJ = r.plan.Topology.Link(device, t.to).JoulesPerByte * float64(t.bytes)
		if makespan > 0 {
			l.Utilisation = l.BusyS / makespan
		}
		reports = append(reports, l)
	}
	return reports
}

// distribution sorts values and summarises them.
func distribution(values []float64) Distribution {
	if len(values) == 0 {
		return Distribution{}
	}
	slices.Sort(values)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	rank := func(p int) float64 { return values[(len(values)*p+99)/100-1] }
	return Distribution{Mean: sum / float64(len(values)), P50: rank(50), P90: rank(90), P99: rank(99), Max: values[len(values)-1]}
}
