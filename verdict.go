package edgeshard

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metrics are what tolerances can be stated for, with the fields they mean.
var metrics = []struct{ name, field string }{
	{"ttft", "ttft_ms.mean"}, {"tpot", "tpot_ms.mean"}, {"throughput", "throughput_tokens_per_s"},
	{"makespan", "makespan_s"}, {"memory", "memory_bytes"},
}

// MetricNames returns the metrics that tolerances can be stated for.
func MetricNames() []string {
	var names []string
	for _, m := range metrics {
		names = append(names, m.name)
	}
	return names
}

// A Tolerance is how far predictions may be off, relative, by metric.
type Tolerance map[string]float64

// ParseTolerance reads tolerances such as "10%", for all metrics, and "tpot=5%",
// for one; the later holds.
func ParseTolerance(texts []string) (Tolerance, error) {
	t := make(Tolerance)
	for _, text := range texts {
		name, amount, one := strings.Cut(text, "=")
		if !one {
			name, amount = "", text
		}
		v, err := strconv.ParseFloat(strings.TrimSuffix(amount, "%"), 64)
		if err != nil || !strings.HasSuffix(amount, "%") || !(v >= 0 && v <= 1000) {
			return nil, fmt.Errorf("tolerance %q: want a share such as 10%%, or one of a metric such as tpot=5%%", text)
		}
		if one && !slices.Contains(MetricNames(), name) {
			return nil, fmt.Errorf("tolerance %q: want one of %s, found %q", text, strings.Join(MetricNames(), ", "), name)
		}
		for _, m := range metrics {
			if !one || m.name == name {
				t[m.name] = v / 100
			}
		}
	}
	return t, nil
}

// A Verdict says whether two reports are alike.
type Verdict struct {
	OK     bool     `json:"ok"`
	Beyond []string `json:"beyond"` // what is not, in words
}

// Judge holds the differences of two reports to tolerances. Requests that were
// answered in one of them only, and memory that lacked, are never alike.
func Judge(differences []Difference, t Tolerance) Verdict {
	v := Verdict{Beyond: []string{}}
	for i := range differences {
		d := &differences[i]
		if d.Field == "requests" || d.Field == "oom" {
			if d.A != d.B {
				v.Beyond = append(v.Beyond, fmt.Sprintf("%s: %g and %g", d.Field, d.A, d.B))
			}
			continue
		}
		most, ok := t.of(d.Field)
		switch {
		case !ok:
		case !d.Defined:
			v.Beyond = append(v.Beyond, fmt.Sprintf("%s: %.4g, where the other has none", d.Field, d.A))
		case math.Abs(d.Error) > most:
			v.Beyond = append(v.Beyond, fmt.Sprintf("%s is off by %+.1f %%: %.3g %% allowed", d.Field, 100*d.Error, 100*most))
		}
	}
	v.OK = len(v.Beyond) == 0
	return v
}

// of returns the tolerance of a field, if it has one.
func (t Tolerance) of(field string) (float64, bool) {
	for _, m := range metrics {
		if field == m.field || m.name == "memory" && strings.HasSuffix(field, "."+m.field) {
			v, ok := t[m.name]
			return v, ok
		}
	}
	return 0, false
}
