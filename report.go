package edgeshard

// A Report is what a run came to, computed from its spans alone.
type Report struct {
	Backend    string         `json:"backend"`
	Requests   int            `json:"requests"` // that got tokens and were not given up
	Tokens     int            `json:"tokens"`   // generated
	TTFT       Distribution   `json:"ttft_ms"`
	TPOT       Distribution   `json:"tpot_ms"`
	Latency    Distribution   `json:"latency_ms"`              // from arrival to the last token
	Queue      Distribution   `json:"queue_ms"`                // from arrival to the first pass
	InSystem   float64        `json:"requests_in_system"`      // on average over the makespan; by Little's law arrivals a second × mean latency
	Throughput float64        `json:"throughput_tokens_per_s"` // Tokens / makespan
	MakespanS  float64        `json:"makespan_s"`              // until the last token is at the source
	Devices    []DeviceReport `json:"devices"`                 // those that did something, in the topology's order
	Links      []LinkReport   `json:"links"`                   // likewise, by from and to
	OOM        []OOMReport    `json:"oom"`
	Path       []PathReport   `json:"path,omitempty"` // where passes spent their time, in the order of their way

	// Goodput counts the requests that kept the workload's objectives, if it has any.
	Goodput    float64       `json:"goodput_requests_per_s,omitempty"`
	Attainment float64       `json:"slo_attainment,omitempty"` // part of all requests
	Classes    []ClassReport `json:"classes,omitempty"`

	Failed      int              `json:"failed,omitempty"`      // requests given up because a device died
	Preemptions int              `json:"preemptions,omitempty"` // of micro-batches, for lack of memory
	Migrations  int              `json:"migrations,omitempty"`  // changes of plan that nothing forced
	Recoveries  []RecoveryReport `json:"recoveries,omitempty"`
	// EnergyJ is what the devices that took part used over the makespan, where the
	// topology gives their power, and the links; EnergyPerToken divides it by Tokens.
	EnergyJ        float64 `json:"energy_j,omitempty"`
	EnergyPerToken float64 `json:"energy_per_token_j,omitempty"`

	Imitation *Imitation `json:"imitation,omitempty"` // where local workers stood for devices

	Outputs []Output `json:"outputs,omitempty"`

	// Warnings say what of a prediction rests on nothing that was measured so.
	Warnings []string `json:"warnings,omitempty"`
	// Bands are the bounds within which a prediction's figures lie with a
	// probability of 90 %, by field, as Compare names them.
	Bands map[string]Band `json:"bands_90,omitempty"`
}

// A Band is the bounds of a predicted figure.
type Band struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Holds tells whether a measured figure is within the band.
func (b Band) Holds(v float64) bool { return b.Low <= v && v <= b.High }

// Headline returns the figures that bands are given for, by field, but for memory.
func (r *Report) Headline() map[string]float64 {
	return map[string]float64{
		"ttft_ms.mean": r.TTFT.Mean, "tpot_ms.mean": r.TPOT.Mean,
		"throughput_tokens_per_s": r.Throughput, "makespan_s": r.MakespanS,
	}
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
	EnergyJ     float64 `json:"energy_j,omitempty"` // idle power over the makespan, and what active power adds while busy
	DownS       float64 `json:"down_s,omitempty"`
}

// A LinkReport is one directed link's part in a run.
type LinkReport struct {
	From        string  `json:"from"`
	To          string  `json:"to"`
	Messages    int     `json:"messages"`
	Bytes       int64   `json:"bytes"`
	BusyS       float64 `json:"busy_s"`
	Utilisation float64 `json:"utilisation"`
	EnergyJ     float64 `json:"energy_j,omitempty"`
}

// A RecoveryReport tells what the failure of a device, or of a link, cost.
type RecoveryReport struct {
	Device      string  `json:"device"`
	To          string  `json:"to,omitempty"` // where it was the link to another device that failed
	AtS         float64 `json:"at_s"`         // when it died
	DetectionMS float64 `json:"detection_ms"` // until that was known
	ReplanMS    float64 `json:"replan_ms"`    // until there was a new plan
	LoadMS      float64 `json:"load_ms"`      // until the last weights were loaded
	RebuildMS   float64 `json:"rebuild_ms"`   // from the first pass that computed KV caches again to the end of the last
	LostMS      float64 `json:"lost_ms"`      // spent in passes thrown away, all together
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
