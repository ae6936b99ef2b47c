package edgeshard

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// A TraceWriter is an Observer that writes spans in the trace event format of
// Chrome and Perfetto as they come: a track for each device and link, a counter
// of each device's memory, and a track of the tokens that reach the source.
// Times are in microseconds with three decimals, so exact.
type TraceWriter struct {
	out    *bufio.Writer
	plan   *Plan
	tracks map[track]bool // those named so far
	line   []byte
	events int
}

var _ Observer = (*TraceWriter)(nil)

// A track is a thread of a process, as the format calls them.
type track struct{ process, thread int }

const (
	devicesProcess = 1 + iota
	linksProcess
	requestsProcess
)

// WriteTrace writes a finished run's spans as a TraceWriter does.
func WriteTrace(w io.Writer, p *Plan, spans []Span) error {
	t := NewTraceWriter(w, p)
	for _, s := range spans {
		t.Span(s)
	}
	return t.Close()
}

// NewTraceWriter returns a TraceWriter of a run of p to w. Its Close must be called.
func NewTraceWriter(w io.Writer, p *Plan) *TraceWriter {
	t := &TraceWriter{out: bufio.NewWriterSize(w, 1<<16), plan: p, tracks: make(map[track]bool)}
	t.out.WriteString(`{"displayTimeUnit":"ms","traceEvents":[`)
	for process, name := range []string{devicesProcess: "devices", linksProcess: "links", requestsProcess: "requests"} {
		if name != "" {
			t.name("process_name", track{process, 0}, name)
		}
	}
	return t
}

// Close ends the trace and returns the first error of writing it.
func (t *TraceWriter) Close() error {
	t.out.WriteString("\n]}\n")
	return t.out.Flush()
}

// Text is not part of a trace.
func (t *TraceWriter) Text(int, int, string) {}

// Span writes a span.
func (t *TraceWriter) Span(s Span) {
	switch s.What {
	case Compute:
		t.slice(t.device(s.Device), phase(s.Step), s.Start, s.End)
		t.pass(s)
	case Load:
		t.slice(t.device(s.Device), "load", s.Start, s.End)
		t.arg(`"bytes":`, s.Bytes)
	case Send, Back:
		t.slice(t.link(s.Device, s.To), string(s.What), s.Start, s.Free)
		t.pass(s)
		t.arg(`,"bytes":`, s.Bytes)
		t.arg(`,"latency_ns":`, int64(s.End-s.Free))
	case Memory:
		t.event("C", track{devicesProcess, 0}, "memory "+t.plan.Topology.Devices[s.Device].Name, s.Start)
		t.args()
		t.arg(`"bytes":`, s.Bytes)
	case Token:
		t.instant(t.track(track{requestsProcess, 1}, "tokens"), "token", s.End)
		t.arg(`"request":`, int64(s.Request))
		t.arg(`,"step":`, int64(s.Step))
	case OOM:
		t.instant(t.device(s.Device), "out of memory", s.Start)
		t.arg(`"request":`, int64(s.Request))
		t.arg(`,"missing_bytes":`, s.Bytes)
	default:
		if !t.fault(s) {
			return
		}
	}
	t.end()
}

// fault writes what goes wrong and what is done then, and reports whether the
// span is one of these.
func (t *TraceWriter) fault(s Span) bool {
	switch s.What {
	case Down:
		k := t.device(s.Device)
		if s.To >= 0 {
			k = t.link(s.Device, s.To)
		}
		t.slice(k, "down", s.Start, s.End)
	case Detection:
		t.instant(t.device(s.Device), "found dead", s.End)
		t.arg(`"died_ns":`, int64(s.Start))
	case Replan:
		t.slice(t.track(track{requestsProcess, 2}, "recovery"), "replan", s.Start, s.End)
	case Rebuild, Lost, Preempt:
		t.async(s)
	case Failed:
		t.instant(t.track(track{requestsProcess, 1}, "tokens"), "failed", s.End)
		t.arg(`"request":`, int64(s.Request))
	default:
		return false
	}
	return true
}

func phase(step int) string {
	if step == 0 {
		return "prefill"
	}
	return "decode"
}

func (t *TraceWriter) device(d int) track {
	return t.track(track{devicesProcess, d + 1}, t.plan.Topology.Devices[d].Name)
}

func (t *TraceWriter) link(from, to int) track {
	devices := t.plan.Topology.Devices
	return t.track(track{linksProcess, from*len(devices) + to + 1}, devices[from].Name+" → "+devices[to].Name)
}

// track returns k, named before its first event.
func (t *TraceWriter) track(k track, name string) track {
	if !t.tracks[k] {
		t.tracks[k] = true
		t.name("thread_name", k, name)
	}
	return k
}

func (t *TraceWriter) name(what string, k track, name string) {
	t.event("M", k, what, 0)
	t.args()
	t.line = append(append(t.line, `"name":`...), quote(name)...)
	t.end()
}

func (t *TraceWriter) slice(k track, name string, start, end time.Duration) {
	t.event("X", k, name, start)
	t.line = micros(append(t.line, `,"dur":`...), end-start)
	t.args()
}

func (t *TraceWriter) instant(k track, name string, at time.Duration) {
	t.event("i", k, name, at)
	t.line = append(t.line, `,"s":"t"`...)
	t.args()
}

// async writes a span of a micro-batch that may overlap with others of its kind.
func (t *TraceWriter) async(s Span) {
	k := track{requestsProcess, 0}
	t.event("b", k, string(s.What), s.Start)
	t.flow(s)
	t.end()
	t.event("e", k, string(s.What), s.End)
	t.flow(s)
}

// flow names what begins or ends by the micro-batch.
func (t *TraceWriter) flow(s Span) {
	t.line = append(t.line, `,"cat":"recovery","id":`...)
	t.line = strconv.AppendInt(t.line, int64(s.MicroBatch), 10)
	t.args()
	t.pass(s)
}

func (t *TraceWriter) pass(s Span) {
	t.arg(`"micro_batch":`, int64(s.MicroBatch))
	t.arg(`,"batch":`, int64(s.Batch))
	t.arg(`,"request":`, int64(s.Request))
	t.arg(`,"step":`, int64(s.Step))
	t.arg(`,"stage":`, int64(s.Stage))
}

// event begins a line: its phase in the format's letters, its track and name.
func (t *TraceWriter) event(letter string, k track, name string, at time.Duration) {
	t.line = append(t.line[:0], '\n')
	if t.events++; t.events > 1 {
		t.line = append(t.line[:0], ",\n"...)
	}
	t.line = append(append(append(t.line, `{"ph":"`...), letter...), `","pid":`...)
	t.line = strconv.AppendInt(t.line, int64(k.process), 10)
	t.line = strconv.AppendInt(append(t.line, `,"tid":`...), int64(k.thread), 10)
	t.line = append(append(t.line, `,"name":`...), quote(name)...)
	t.line = micros(append(t.line, `,"ts":`...), at)
}

func (t *TraceWriter) args() { t.line = append(t.line, `,"args":{`...) }

func (t *TraceWriter) arg(key string, v int64) {
	t.line = strconv.AppendInt(append(t.line, key...), v, 10)
}

func (t *TraceWriter) end() {
	t.out.Write(append(t.line, "}}"...)) // an error is kept for Close
}

// micros appends d in microseconds. Loading comes before the run's start: its
// times are negative.
func micros(line []byte, d time.Duration) []byte {
	if d < 0 {
		line, d = append(line, '-'), -d
	}
	line = strconv.AppendInt(line, int64(d/1000), 10)
	if ns := d % 1000; ns != 0 {
		line = append(line, '.', byte('0'+ns/100), byte('0'+ns/10%10), byte('0'+ns%10))
	}
	return line
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string always can be
	return b
}
