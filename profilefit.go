package edgeshard

import (
	"fmt"
	"strings"
	"time"

	"github.com/edgeshard/edgeshard/models"
)

// stale is the age at which a profile should be measured again: drivers, kernels
// and the machine's other work change.
const stale = 90 * 24 * time.Hour

// Beyond tells how far a pass lies outside what the profile measured; "" where it
// lies within. Costs do not refuse such a pass, but what they say of it is a guess.
func (p *Profile) Beyond(pass models.Pass) string {
	var rows int64
	past, inGrid := -1, false
	for _, q := range p.Points {
		rows = max(rows, int64(q.Batch)*int64(q.Tokens))
		if (q.Tokens == 1) == (pass.Tokens == 1) {
			past = max(past, q.Past)
		}
	}
	for _, u := range p.times() {
		_, inGrid = u.within(pass)
		if !inGrid {
			break
		}
	}
	what := fmt.Sprintf("passes of %d × %d tokens", pass.Batch, pass.Tokens)
	switch {
	case pass.Rows() > rows:
		return fmt.Sprintf("%s have %.3g times the rows of the largest measured, %d", what, float64(pass.Rows())/float64(rows), rows)
	case !inGrid:
		return what + " were not measured: they count as others of as many rows"
	case pass.Past > past:
		return fmt.Sprintf("%s after %d positions go beyond the %d measured", what, pass.Past, past)
	}
	return ""
}

// Misfits returns why a profile should not be trusted for a model at a precision:
// what it was measured with is different, or what is asked was not measured.
func (p *Profile) Misfits(m models.Config, precision models.Precision, w *Workload) []string {
	var why []string
	if p.Precision != "" && p.Precision != precision.String() {
		why = append(why, fmt.Sprintf("it was measured with weights in %s, the plan's are in %s", p.Precision, precision))
	}
	if p.Model != "" && p.Model != m.Name {
		why = append(why, fmt.Sprintf("it was measured with %s, the plan is for %s", p.Model, m.Name))
	}
	sequences := min(w.Batch, w.Requests)
	micro := min(w.MicroBatch, sequences)
	passes := []models.Pass{{Batch: micro, Tokens: w.PromptTokens}}
	if w.Tokens > 1 {
		passes = append(passes, models.Pass{Batch: micro, Tokens: 1, Past: w.Positions() - 2})
	}
	for _, pass := range passes {
		if far := p.Beyond(pass); far != "" {
			why = append(why, far)
		}
	}
	return why
}

// Outdated returns why a profile may not hold for a program that computes here
// and now: another kernel path, number of threads or version, or its age. What
// is not known of either is not compared.
func (p *Profile) Outdated(now Origin, at time.Time) []string {
	var why []string
	differ := func(what, measured, here string) {
		if measured != "" && here != "" && measured != here {
			why = append(why, fmt.Sprintf("it was measured with %s %s, here it is %s", what, measured, here))
		}
	}
	differ("the kernel path", p.Kernel, now.Kernel)
	differ("version", p.Version, now.Version)
	if p.Threads > 0 && now.Threads > 0 && p.Threads != now.Threads {
		why = append(why, fmt.Sprintf("it was measured with %d threads, here it is %d", p.Threads, now.Threads))
	}
	if date, err := time.Parse(time.RFC3339, p.Date); err == nil && at.Sub(date) > stale {
		why = append(why, fmt.Sprintf("it is %.0f days old", at.Sub(date).Hours()/24))
	}
	return why
}

// Warnings returns what a reader of the plan's prediction should know of the
// profiles of the devices that take part: device by device, in the plan's order.
func (p *Plan) Warnings() []string {
	return p.warnings(func(q *Profile) []string { return q.Misfits(p.Model.Config, p.Model.Precision, &p.Workload) })
}

// OutdatedProfiles is Warnings of what differs between the profiles of devices
// and where they run now, which now tells by device; nil where that is not known.
func (p *Plan) OutdatedProfiles(now func(device int) *Origin, at time.Time) []string {
	byProfile := make(map[*Profile]*Origin)
	for _, s := range p.Stages {
		if q := p.Profiles[p.Topology.Devices[s.Device].Profile]; q != nil {
			byProfile[q] = now(s.Device)
		}
	}
	return p.warnings(func(q *Profile) []string {
		if o := byProfile[q]; o != nil {
			return q.Outdated(*o, at)
		}
		return q.Outdated(Origin{}, at)
	})
}

// warnings asks once about each profile that the plan's stages rest on, and puts
// together what it says of several.
func (p *Plan) warnings(ask func(*Profile) []string) []string {
	var reasons []string
	of := make(map[string][]string) // profiles by reason
	asked := make(map[string]bool)
	for _, s := range p.Stages {
		name := p.Topology.Devices[s.Device].Profile
		q := p.Profiles[name]
		if q == nil || asked[name] {
			continue
		}
		asked[name] = true
		for _, why := range ask(q) {
			if of[why] == nil {
				reasons = append(reasons, why)
			}
			of[why] = append(of[why], q.Name)
		}
	}
	for i, why := range reasons {
		reasons[i] = fmt.Sprintf("profile %s: %s", strings.Join(of[why], ", "), why)
	}
	return reasons
}
