package serve

import (
	"net/http"
	"time"

	"github.com/edgeshard/edgeshard/exec"
)

// A Status is how a server and the cluster beneath it are.
type Status struct {
	Model      string              `json:"model"`
	State      string              `json:"state"` // loading, ready or draining
	UptimeS    float64             `json:"uptime_s"`
	Running    int                 `json:"sequences_running"`
	Waiting    int                 `json:"sequences_waiting"`
	Done       int                 `json:"sequences_done"`
	Tokens     int                 `json:"tokens"`
	Throughput float64             `json:"throughput_tokens_per_s"` // of the last ten seconds
	Recoveries int                 `json:"recoveries"`
	Devices    []exec.DeviceStatus `json:"devices"`
}

// status answers /status.
func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	state := "ready"
	switch {
	case s.draining.Load():
		state = "draining"
	case s.generator.Load() == nil:
		state = "loading"
	}
	out := Status{Model: s.options.Model.Name, State: state, UptimeS: time.Since(s.started).Seconds()}
	out.Running, out.Waiting = s.gate.count()
	s.monitor.tell(&out)
	if s.options.Status != nil {
		out.Devices = s.options.Status(r.Context())
	}
	answer(w, http.StatusOK, out)
}

func (m *Monitor) tell(s *Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Done, s.Tokens, s.Recoveries = m.done, m.meter.total, m.meter.recoveries
	s.Throughput = m.meter.rate(time.Now())
}

// A meter counts tokens, and those of the last seconds.
type meter struct {
	total, recoveries int
	seconds           [meterWindow + 1]int // tokens of each second, in a ring
	latest            int64                // second, since 1970
	since             time.Time            // of the first token
}

// meterWindow is the seconds that a rate is taken over.
const meterWindow = 10

func (m *meter) add(now time.Time) {
	if m.total == 0 {
		m.since = now
	}
	m.advance(now)
	m.total++
	m.seconds[m.latest%int64(len(m.seconds))]++
}

// advance clears the seconds that have gone by without a token.
func (m *meter) advance(now time.Time) {
	n := int64(len(m.seconds))
	second := now.Unix()
	for at := max(m.latest+1, second-n+1); at <= second; at++ {
		m.seconds[at%n] = 0
	}
	m.latest = max(m.latest, second)
}

// rate returns the tokens per second of the window's whole seconds, or since the
// first token where that is less.
func (m *meter) rate(now time.Time) float64 {
	m.advance(now)
	sum := -m.seconds[m.latest%int64(len(m.seconds))] // of the second that is not over
	for _, n := range m.seconds {
		sum += n
	}
	window := min(now.Sub(m.since).Seconds(), meterWindow)
	if m.total == 0 || window < 1 {
		return 0
	}
	return float64(sum) / window
}
