package edgeshard

// An Imitation is how local workers stood for a topology's devices.
type Imitation struct {
	Machine string           `json:"machine,omitempty"` // profile of this machine, by which devices were slowed
	Devices []ImitatedDevice `json:"devices"`
	Links   []ImitatedLink   `json:"links"`
}

// An ImitatedDevice is a local worker in the place of a device.
type ImitatedDevice struct {
	Name string `json:"name"`
	// Slowdown is how many times longer decode passes were to take than on this
	// machine, PrefillSlowdown prefill passes.
	Slowdown        float64 `json:"slowdown"`
	PrefillSlowdown float64 `json:"prefill_slowdown"`
	// Achieved is how many times longer the work of all passes took, idling included.
	Achieved float64 `json:"achieved_slowdown,omitempty"`
	Cores    string  `json:"cores,omitempty"`       // it was pinned to
	Budget   int64   `json:"budget_bytes"`          // beyond which it refused its shards
	Enforced string  `json:"enforced_by,omitempty"` // what kept it to the budget while it ran
	Address  string  `json:"instead_of,omitempty"`  // of the device's own worker, which was left alone
}

// An ImitatedLink is a shaped link.
type ImitatedLink struct {
	From      string  `json:"from"`
	To        string  `json:"to"`
	Bandwidth int64   `json:"bandwidth_bps"`
	LatencyMS float64 `json:"latency_ms"`
	By        string  `json:"by"` // "sender", or "coordinator" where a scenario changes it
	Messages  int64   `json:"messages"`
	LateMS    float64 `json:"late_ms"`   // sent after their time, on average
	LatestMS  float64 `json:"latest_ms"` // and at most
}
