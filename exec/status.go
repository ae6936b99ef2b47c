package exec

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/exec/wire"
)

// A DeviceStatus is how a device's worker is.
type DeviceStatus struct {
	Device       string   `json:"device"`
	Address      string   `json:"address"`
	Health       string   `json:"health"`          // ok, or what is wrong
	State        string   `json:"state,omitempty"` // idle, loading or serving
	Version      string   `json:"version,omitempty"`
	Kernel       string   `json:"kernel,omitempty"`
	Threads      int      `json:"threads,omitempty"`
	UptimeS      float64  `json:"uptime_s,omitempty"`
	MemoryBudget int64    `json:"memory_budget_bytes,omitempty"` // the worker's own; 0: none
	Resident     int64    `json:"resident_bytes,omitempty"`
	TemperatureC *float64 `json:"temperature_c,omitempty"`

	Model       string            `json:"model,omitempty"`
	Stages      []edgeshard.Stage `json:"stages,omitempty"`
	WeightBytes int64             `json:"weight_bytes,omitempty"`
	Sequences   int               `json:"sequences,omitempty"`
	Passes      uint64            `json:"passes,omitempty"`
	PassesPerS  float64           `json:"passes_per_s,omitempty"` // since the session began
	Utilisation float64           `json:"utilisation,omitempty"`  // busy share of the session
}

// Healthy is the Health of a worker that answers.
const Healthy = "ok"

// AskStatus asks the worker at an address, which must show a certificate of the
// device's name, unless c is nil. It waits for no longer than within.
func AskStatus(ctx context.Context, device, address string, c *wire.Credentials, within time.Duration) DeviceStatus {
	d := wire.TCP
	if c == nil {
		d = wire.Loopback
	}
	conn, err := wire.Dial(address, device, c, d)
	if err != nil {
		return DeviceStatus{Device: device, Address: address, Health: err.Error()}
	}
	defer func() { _ = conn.Close() }()
	return askStatus(ctx, wire.NewWorkerClient(conn), device, address, within)
}

// statusTimeout is how long a worker may take to tell how it is.
const statusTimeout = 2 * time.Second

// Status asks all workers that were needed so far how they are.
func (e *Engine) Status(ctx context.Context) []DeviceStatus {
	members := e.cluster.all()
	all := make([]DeviceStatus, len(members))
	var group sync.WaitGroup
	for i, m := range members {
		group.Go(func() { all[i] = m.status(ctx) })
	}
	group.Wait()
	return all
}

func (m *member) status(ctx context.Context) DeviceStatus {
	m.mu.Lock()
	conn, address, failure := m.watching, m.watched.GetAddress(), m.failure
	m.mu.Unlock()
	switch {
	case failure != nil:
		return DeviceStatus{Device: m.name, Address: address, Health: failure.Error()}
	case conn == nil:
		return DeviceStatus{Device: m.name, Address: address, Health: string(Starting)}
	}
	return askStatus(ctx, wire.NewWorkerClient(conn), m.name, address, statusTimeout)
}

// Done is closed when the engine has ended, by Close or because it failed.
func (e *Engine) Done() <-chan struct{} { return e.done }

func askStatus(ctx context.Context, w wire.WorkerClient, device, address string, within time.Duration) DeviceStatus {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s := DeviceStatus{Device: device, Address: address, Health: Healthy}
	r, err := w.Status(ctx, &wire.StatusRequest{})
	if err != nil {
		s.Health = plainError(err).Error()
		return s
	}
	s.take(r)
	return s
}

func (s *DeviceStatus) take(r *wire.StatusReply) {
	h := r.GetWorker()
	s.Version, s.Kernel, s.Threads, s.MemoryBudget = h.GetVersion(), h.GetKernel(), int(h.GetThreads()), h.GetMemoryBytes()
	s.UptimeS = time.Duration(r.GetUptimeNs()).Seconds()
	s.State, s.Resident, s.TemperatureC = r.GetState(), r.GetResidentBytes(), r.TemperatureC
	s.Model, s.WeightBytes, s.Sequences, s.Passes = r.GetModel(), r.GetWeightBytes(), int(r.GetSequences()), r.GetPasses()
	for _, g := range r.GetStages() {
		s.Stages = append(s.Stages, edgeshard.Stage{Name: s.Device, Device: int(g.GetDevice()), From: int(g.GetFrom()), To: int(g.GetTo())})
	}
	if t := time.Duration(r.GetSessionNs()).Seconds(); t > 0 {
		s.PassesPerS = float64(r.GetPasses()) / t
		s.Utilisation = time.Duration(r.GetBusyNs()).Seconds() / t
	}
}

// Status tells a coordinator how the worker is and what it does.
func (w *Worker) Status(ctx context.Context, _ *wire.StatusRequest) (*wire.StatusReply, error) {
	if err := w.onlyCoordinator(ctx); err != nil {
		return nil, err
	}
	r := &wire.StatusReply{Worker: w.self(), UptimeNs: w.clock(), State: "idle", ResidentBytes: residentSet()}
	if t, ok := temperature(thermalZones); ok {
		r.TemperatureC = &t
	}
	w.mu.Lock()
	s := w.session
	w.mu.Unlock()
	if s != nil {
		s.tell(r)
	}
	return r, nil
}

// thermalZones is where Linux shows what its sensors measure.
const thermalZones = "/sys/class/thermal/thermal_zone*/temp"

// temperature returns that of the hottest sensor in °C, if there is one.
func temperature(pattern string) (hottest float64, ok bool) {
	files, _ := filepath.Glob(pattern)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue // a zone that is switched off
		}
		milli, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if t := float64(milli) / 1000; err == nil && (!ok || t > hottest) {
			hottest, ok = t, true
		}
	}
	return hottest, ok
}
