package sim

import (
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/models"
)

// A row is what one pass costs on idle devices and links.
type row struct {
	compute []time.Duration      // by stage
	send    []edgeshard.Transfer // into each stage; the last one is the return
	bytes   []int64              // likewise
}

// A costTable keeps the rows of the passes met so far, for a plan's stages.
type costTable struct {
	costs  *rates
	spec   edgeshard.Spec
	stages []edgeshard.Stage
	back   edgeshard.Return
	decode [][]*row // by batch and past
	others map[models.Pass]*row
}

func newCostTable(p *edgeshard.Plan, c *rates) *costTable {
	return &costTable{
		costs: c, spec: p.Spec(), stages: p.Stages, back: p.Workload.Return,
		decode: make([][]*row, p.Workload.MicroBatch+1), others: make(map[models.Pass]*row),
	}
}

// row returns the costs of a pass.
func (t *costTable) row(p models.Pass) *row {
	if p.Tokens != 1 || p.Batch >= len(t.decode) {
		r := t.others[p]
		if r == nil {
			r = t.make(p)
			t.others[p] = r
		}
		return r
	}
	past := t.decode[p.Batch]
	if p.Past >= len(past) {
		past = append(past, make([]*row, p.Past+64-len(past))...)
		t.decode[p.Batch] = past
	}
	if past[p.Past] == nil {
		past[p.Past] = t.make(p)
	}
	return past[p.Past]
}

func (t *costTable) make(p models.Pass) *row {
	n := len(t.stages)
	r := &row{compute: make([]time.Duration, n), send: make([]edgeshard.Transfer, n+1), bytes: make([]int64, n+1)}
	bytes, encode, decode := t.costs.compress(t.spec.Model.ActivationBytes(p))
	at := t.spec.Topology.Source
	for i, s := range t.stages {
		r.compute[i] += edgeshard.StageTime(t.costs, s, p)
		if i > 0 {
			r.bytes[i] = bytes
			r.send[i] = t.costs.Transfer(at, s.Device, bytes)
		}
		if i > 0 && at != s.Device {
			r.compute[i-1] += encode
			r.compute[i] += decode
		}
		at = s.Device
	}
	r.bytes[n] = t.spec.ReturnBytes(p.Batch, t.back)
	r.send[n] = t.costs.Transfer(at, t.spec.Topology.Source, r.bytes[n])
	return r
}
