package sim

import (
	"fmt"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/scenarios"
)

// rates are the costs and sizes of a plan as a scenario changes them: other
// precisions on some devices, drafted tokens, compressed activations.
type rates struct {
	edgeshard.Costs
	plan     *edgeshard.Plan
	devices  []scenarios.Device
	own      []edgeshard.Costs // of devices with a precision of their own
	scenario *scenarios.Scenario

	draft      edgeshard.Costs // nil without speculation
	draftModel models.Config
	draftBytes int64
}

var _ edgeshard.Costs = (*rates)(nil)

func newRates(p *edgeshard.Plan, c edgeshard.Costs, sc *scenarios.Scenario) (*rates, error) {
	r := &rates{Costs: c, plan: p, scenario: sc, devices: make([]scenarios.Device, len(p.Topology.Devices)), own: make([]edgeshard.Costs, len(p.Topology.Devices))}
	for d := range r.devices {
		r.devices[d] = sc.DeviceOf(p.Topology, d)
		if err := r.setPrecision(d); err != nil {
			return nil, err
		}
	}
	if sc.Speculative != nil {
		if err := r.setDraft(sc.Speculative); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rates) setPrecision(d int) error {
	name := r.devices[d].Weights
	if name == "" {
		return nil
	}
	precision, err := models.ParsePrecision(name)
	if err != nil {
		return fmt.Errorf("scenario: device %s: %w", r.devices[d].Name, err)
	}
	spec := r.plan.Spec()
	spec.Precision = precision
	if r.own[d], err = edgeshard.NewCosts(spec); err != nil {
		return fmt.Errorf("scenario: device %s at %s: %w", r.devices[d].Name, precision, err)
	}
	return nil
}

func (r *rates) setDraft(s *scenarios.Speculative) error {
	model, ok := models.Builtin(s.Draft)
	if !ok {
		return fmt.Errorf("scenario: speculative: draft is %q: want a built-in model", s.Draft)
	}
	precision := r.plan.Model.Precision
	if s.Precision != "" {
		var err error
		if precision, err = models.ParsePrecision(s.Precision); err != nil {
			return fmt.Errorf("scenario: speculative: %w", err)
		}
	}
	spec := r.plan.Spec()
	spec.Model, spec.Precision = model, precision
	costs, err := edgeshard.NewCosts(spec)
	if err != nil {
		return fmt.Errorf("scenario: speculative: %w", err)
	}
	r.draft, r.draftModel = costs, model
	for u := range model.Units() {
		r.draftBytes += model.WeightBytes(u, precision) + int64(r.plan.Workload.InFlight())*model.KVBytes(u, r.plan.Workload.Positions())
	}
	return nil
}

// Compute returns the time of a unit at the device's own precision.
func (r *rates) Compute(device, unit int, p models.Pass) time.Duration {
	if c := r.own[device]; c != nil {
		return c.Compute(device, unit, p)
	}
	return r.Costs.Compute(device, unit, p)
}

// weights returns the weight bytes of a unit on a device.
func (r *rates) weights(device, unit int) int64 {
	precision := r.plan.Model.Precision
	if r.own[device] != nil {
		precision, _ = models.ParsePrecision(r.devices[device].Weights) // parsed before
	}
	return r.plan.Model.Config.WeightBytes(unit, precision)
}

// kv returns the KV cache of a sequence in a unit on a device.
func (r *rates) kv(device, unit, positions int) int64 {
	n := r.plan.Model.Config.KVBytes(unit, positions)
	if element := r.devices[device].KVBytes; element > 0 {
		return int64(float64(n) * element / models.KVElement)
	}
	return n
}

func (r *rates) budget(device int) int64 {
	if b := r.devices[device].Memory; b > 0 {
		return int64(b)
	}
	return r.plan.Spec().Budget(device)
}

// draftMemory returns what the draft model takes of a device: of the source only.
func (r *rates) draftMemory(device int) int64 {
	if device == r.plan.Topology.Source {
		return r.draftBytes
	}
	return 0
}

// drafting returns the time in which the source runs the draft model before a
// pass: over tokens that are known, or one by one over those to be verified.
func (r *rates) drafting(p models.Pass, drafted int) (t time.Duration) {
	if r.draft == nil {
		return 0
	}
	source := edgeshard.Stage{Device: r.plan.Topology.Source, To: r.draftModel.Units()}
	if drafted == 0 {
		return edgeshard.StageTime(r.draft, source, p)
	}
	for i := 1; i <= drafted; i++ {
		t += edgeshard.StageTime(r.draft, source, models.Pass{Batch: p.Batch, Tokens: 1, Past: p.Past + i - 1})
	}
	return t
}

// compress returns the bytes that activations take on a link, and the times of
// making and undoing that.
func (r *rates) compress(bytes int64) (sent int64, encode, decode time.Duration) {
	z := r.scenario.Compression
	if z == nil {
		return bytes, 0, 0
	}
	codec := func(rate int64) time.Duration {
		if rate <= 0 {
			return 0
		}
		return time.Duration(float64(bytes) / float64(rate) * 1e9)
	}
	return int64(float64(bytes)*z.Factor) + 1, codec(int64(z.Encode)), codec(int64(z.Decode))
}
