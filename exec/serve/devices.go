package serve

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeshard/edgeshard/exec"
)

// devices asks the workers how they are whenever metrics are read.
type devices struct {
	status                                                func(context.Context) []exec.DeviceStatus
	up, resident, budget, temperature, sequences, uptimes *prometheus.Desc
}

var _ prometheus.Collector = (*devices)(nil)

// scrapeTimeout is how long workers may take to tell.
const scrapeTimeout = 3 * time.Second

func newDevices(status func(context.Context) []exec.DeviceStatus) *devices {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(space, "device", name), help, []string{"device"}, nil)
	}
	return &devices{
		status: status,
		up:     describe("up", "1 if the device's worker answers."), resident: describe("resident_bytes", "Memory of the worker's process."),
		budget: describe("memory_budget_bytes", "Memory the worker may use by its own word."), temperature: describe("temperature_celsius", "Of its hottest sensor."),
		sequences: describe("sequences", "Sequences with a KV cache."), uptimes: describe("uptime_seconds", "Since the worker started."),
	}
}

// Describe tells nothing beforehand: which values there are depends on the devices.
func (d *devices) Describe(chan<- *prometheus.Desc) {}

// Collect asks all workers.
func (d *devices) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	for _, s := range d.status(ctx) {
		tell := func(desc *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, s.Device)
		}
		if s.Health != exec.Healthy {
			tell(d.up, 0)
			continue
		}
		tell(d.up, 1)
		tell(d.resident, float64(s.Resident))
		tell(d.sequences, float64(s.Sequences))
		tell(d.uptimes, s.UptimeS)
		if s.MemoryBudget > 0 {
			tell(d.budget, float64(s.MemoryBudget))
		}
		if s.TemperatureC != nil {
			tell(d.temperature, *s.TemperatureC)
		}
	}
}
