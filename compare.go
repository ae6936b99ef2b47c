package edgeshard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// A Difference is one field of two reports.
type Difference struct {
	Field string  `json:"field"` // as in the report's JSON, devices and links by name
	A     float64 `json:"a"`
	B     float64 `json:"b"`
	Error float64 `json:"error"` // (a − b) / b, 0 where both are 0; NaN is never written: see Defined
	// Defined is false where b is 0 and a is not, so that no relative error exists.
	Defined bool `json:"defined"`
	// Band is that of the prediction, nil where it has none.
	Band *Band `json:"band_90,omitempty"`
}

// Compare returns the reports' fields side by side, in the order of the report:
// a the prediction, b the measurement, the error relative to b.
func Compare(a, b *Report) []Difference {
	c := comparison{}
	c.add("ttft_ms.mean", a.TTFT.Mean, b.TTFT.Mean)
	c.add("ttft_ms.p50", a.TTFT.P50, b.TTFT.P50)
	c.add("ttft_ms.p99", a.TTFT.P99, b.TTFT.P99)
	c.add("tpot_ms.mean", a.TPOT.Mean, b.TPOT.Mean)
	c.add("tpot_ms.p50", a.TPOT.P50, b.TPOT.P50)
	c.add("tpot_ms.p99", a.TPOT.P99, b.TPOT.P99)
	c.add("throughput_tokens_per_s", a.Throughput, b.Throughput)
	c.add("makespan_s", a.MakespanS, b.MakespanS)
	c.add("requests", float64(a.Requests), float64(b.Requests))
	c.add("tokens", float64(a.Tokens), float64(b.Tokens))
	c.devices(a, b)
	c.links(a, b)
	c.recoveries(a, b)
	c.add("oom", float64(len(a.OOM)), float64(len(b.OOM)))
	for i := range c {
		if band, ok := a.Bands[c[i].Field]; ok {
			c[i].Band = &band
		}
	}
	return c
}

type comparison []Difference

func (c *comparison) add(field string, a, b float64) {
	d := Difference{Field: field, A: a, B: b, Defined: b != 0 || a == 0}
	if b != 0 {
		d.Error = (a - b) / math.Abs(b)
	}
	*c = append(*c, d)
}

func (c *comparison) devices(a, b *Report) {
	byName := func(r *Report) map[string]DeviceReport {
		m := make(map[string]DeviceReport)
		for _, d := range r.Devices {
			m[d.Name] = d
		}
		return m
	}
	inA, inB := byName(a), byName(b)
	for _, name := range union(a.Devices, b.Devices, func(d DeviceReport) string { return d.Name }) {
		x, y := inA[name], inB[name]
		c.add("devices."+name+".memory_bytes", float64(x.Memory), float64(y.Memory))
		c.add("devices."+name+".busy_s", x.BusyS, y.BusyS)
		c.add("devices."+name+".utilisation", x.Utilisation, y.Utilisation)
		c.add("devices."+name+".passes", float64(x.Passes), float64(y.Passes))
		if x.LoadMS > 0 || y.LoadMS > 0 {
			c.add("devices."+name+".load_ms", x.LoadMS, y.LoadMS)
		}
	}
}

func (c *comparison) links(a, b *Report) {
	key := func(l LinkReport) string { return l.From + ">" + l.To }
	byName := func(r *Report) map[string]LinkReport {
		m := make(map[string]LinkReport)
		for _, l := range r.Links {
			m[key(l)] = l
		}
		return m
	}
	inA, inB := byName(a), byName(b)
	for _, name := range union(a.Links, b.Links, key) {
		x, y := inA[name], inB[name]
		c.add("links."+name+".bytes", float64(x.Bytes), float64(y.Bytes))
		c.add("links."+name+".busy_s", x.BusyS, y.BusyS)
		c.add("links."+name+".messages", float64(x.Messages), float64(y.Messages))
	}
}

// recoveries sets the n-th recovery of a device, or link, beside the other
// report's n-th of it.
func (c *comparison) recoveries(a, b *Report) {
	keyed := func(r *Report) (map[string]RecoveryReport, []string) {
		m, keys, n := make(map[string]RecoveryReport), []string(nil), make(map[string]int)
		for _, x := range r.Recoveries {
			key := x.Device
			if x.To != "" { // whichever of its ends has told of it
				key = min(x.Device, x.To) + "–" + max(x.Device, x.To)
			}
			if n[key]++; n[key] > 1 {
				key = fmt.Sprintf("%s#%d", key, n[key])
			}
			m[key], keys = x, append(keys, key)
		}
		return m, keys
	}
	inA, keysA := keyed(a)
	inB, keysB := keyed(b)
	for _, key := range union(keysA, keysB, func(k string) string { return k }) {
		x, y, field := inA[key], inB[key], "recoveries."+key
		c.add(field+".detection_ms", x.DetectionMS, y.DetectionMS)
		c.add(field+".replan_ms", x.ReplanMS, y.ReplanMS)
		c.add(field+".load_ms", x.LoadMS, y.LoadMS)
		c.add(field+".rebuild_ms", x.RebuildMS, y.RebuildMS)
		c.add(field+".lost_ms", x.LostMS, y.LostMS)
	}
}

// union returns the keys of a, then those only b has.
func union[T any, K comparable](a, b []T, key func(T) K) []K {
	seen := make(map[K]bool)
	var keys []K
	for _, list := range [][]T{a, b} {
		for _, v := range list {
			if k := key(v); !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// ParseReport reads a report file.
func ParseReport(file string, data []byte) (*Report, error) {
	var r Report
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, lineAt(data, err, dec.InputOffset()), err)
	}
	if r.Backend == "" {
		return nil, fmt.Errorf("%s: backend is missing: this is not a report", file)
	}
	return &r, nil
}
