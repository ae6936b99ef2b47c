package serve

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/edgeshard/edgeshard"
)

// A Monitor keeps the metrics of a server and of the cluster beneath, whose
// engine it observes.
type Monitor struct {
	devices  []string
	registry *prometheus.Registry

	requests                    *prometheus.CounterVec
	ttft, tpot                  prometheus.Histogram
	prompt, generated           prometheus.Counter
	recoveries                  prometheus.Counter
	recovery                    prometheus.Histogram
	busy, passes, links, frames *prometheus.CounterVec
	weights                     *prometheus.GaugeVec

	mu    sync.Mutex
	meter meter
	done  int // sequences
}

var _ edgeshard.Observer = (*Monitor)(nil)

const space = "edgeshard" // of names

// NewMonitor returns a Monitor of a plan's run.
func NewMonitor(p *edgeshard.Plan) *Monitor {
	m := &Monitor{registry: prometheus.NewRegistry()}
	for _, d := range p.Topology.Devices {
		m.devices = append(m.devices, d.Name)
	}
	m.ofClients()
	m.ofCluster()
	m.registry.MustRegister(m.requests, m.ttft, m.tpot, m.prompt, m.generated, m.recoveries, m.recovery,
		m.busy, m.passes, m.links, m.frames, m.weights, planned(p),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// counter, counters and histogram make metrics of this program's.
func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: space, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: space, Name: name, Help: help}, labels)
}

// histogram has sixteen buckets, from the first on each twice as wide.
func histogram(name, help string, first float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: space, Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(first, 2, 16),
	})
}

// ofClients makes the metrics of requests.
func (m *Monitor) ofClients() {
	m.requests = counters("requests_total", "HTTP requests answered; code 499: the client did not wait.", "endpoint", "code")
	m.ttft = histogram("time_to_first_token_seconds", "From a request's admission to the queue to its first token.", 0.005)
	m.tpot = histogram("time_per_output_token_seconds", "Mean time between the tokens of a sequence, after the first.", 0.001)
	m.prompt = counter("prompt_tokens_total", "Tokens of prompts.")
	m.generated = counter("generated_tokens_total", "Tokens generated.")
	m.recoveries = counter("recoveries_total", "Devices that died and were recovered from.")
	m.recovery = histogram("detection_seconds", "From a device's last sign of life to the knowledge of its death.", 0.05)
}

// ofCluster makes those of devices and links.
func (m *Monitor) ofCluster() {
	m.busy = counters("device_busy_seconds_total", "Time a device computed; its rate is the utilisation.", "device")
	m.passes = counters("device_passes_total", "Passes a device computed.", "device")
	m.links = counters("link_bytes_total", "Bytes of activations and tokens that a link carried.", "from", "to")
	m.frames = counters("link_messages_total", "Messages that a link carried.", "from", "to")
	m.weights = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: space, Name: "device_weight_bytes", Help: "Weights a device has loaded.",
	}, []string{"device"})
}

// planned returns the memory that the plan foresees for each device.
func planned(p *edgeshard.Plan) prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: space, Name: "device_planned_memory_bytes", Help: "Memory the plan foresees for a device with all sequences in flight.",
	}, []string{"device"})
	for device, bytes := range p.Predicted.Memory {
		g.WithLabelValues(device).Set(float64(bytes))
	}
	return g
}

// watch shows how many sequences run and wait.
func (m *Monitor) watch(g *gate) {
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: space, Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	m.registry.MustRegister(
		gauge("sequences_running", "Sequences that run.", func() int { n, _ := g.count(); return n }),
		gauge("sequences_waiting", "Sequences that wait for a place.", func() int { _, n := g.count(); return n }),
	)
}

func (m *Monitor) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// answered counts a request by the pattern that took it.
func (m *Monitor) answered(pattern string, status int) {
	m.requests.WithLabelValues(pattern, fmt.Sprint(status)).Inc()
}

// Span takes what the engine did into account.
func (m *Monitor) Span(s edgeshard.Span) {
	switch s.What {
	case edgeshard.Compute:
		m.busy.WithLabelValues(m.devices[s.Device]).Add((s.End - s.Start).Seconds())
		m.passes.WithLabelValues(m.devices[s.Device]).Inc()
	case edgeshard.Send, edgeshard.Back:
		m.links.WithLabelValues(m.devices[s.Device], m.devices[s.To]).Add(float64(s.Bytes))
		m.frames.WithLabelValues(m.devices[s.Device], m.devices[s.To]).Inc()
	case edgeshard.Load:
		m.weights.WithLabelValues(m.devices[s.Device]).Set(float64(s.Bytes))
	case edgeshard.Detection:
		m.recoveries.Inc()
		m.recovery.Observe((s.End - s.Start).Seconds())
		m.mu.Lock()
		m.meter.recoveries++
		m.mu.Unlock()
	}
}

// Text is of no interest here.
func (m *Monitor) Text(int, int, string) {}

// A sequenceTimer measures a sequence as its client sees it.
type sequenceTimer struct {
	monitor     *Monitor
	begin       time.Time
	first, last time.Time
	tokens      int
}

func (m *Monitor) sequence(prompt int, begin time.Time) *sequenceTimer {
	m.prompt.Add(float64(prompt))
	return &sequenceTimer{monitor: m, begin: begin}
}

func (t *sequenceTimer) token() {
	now := time.Now()
	if t.tokens == 0 {
		t.first = now
		t.monitor.ttft.Observe(now.Sub(t.begin).Seconds())
	}
	t.last = now
	t.tokens++
	t.monitor.generated.Inc()
	t.monitor.mu.Lock()
	defer t.monitor.mu.Unlock()
	t.monitor.meter.add(now)
}

func (t *sequenceTimer) end() {
	if t.tokens > 1 {
		t.monitor.tpot.Observe(t.last.Sub(t.first).Seconds() / float64(t.tokens-1))
	}
	t.monitor.mu.Lock()
	defer t.monitor.mu.Unlock()
	t.monitor.done++
}
