package exec

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/edgeshard/edgeshard"
	"github.com/edgeshard/edgeshard/internal/sample"
	"github.com/edgeshard/edgeshard/models"
	"github.com/edgeshard/edgeshard/topologies"
)

// linkSizes are the prompts whose passes carry the messages that links are
// measured with, in batches of linkBatch: with the demo model 16 and 128 KiB of
// activations, and 2 KiB in the decode passes after them. Large ones say what the
// bandwidth is, and each prompt has but one.
var linkSizes = []int{8, 64, 64, 64, 64, 64}

const (
	linkBatch  = 4
	linkTokens = 6 // of each prompt: decode passes, for latency and jitter
)

// MeasureLinks measures every directed link between the workers of a topology,
// through the transport that runs use: the demo model's blocks go along paths
// that cover all pairs, and every message tells when it left and arrived. What the
// software takes of that is measured on local workers without links and left
// out. Local workers imitate the links if the options say so. Progress is told
// the part that is done. No path is begun after the budget.
func (r *Runner) MeasureLinks(ctx context.Context, t *topologies.Topology, budget time.Duration, progress func(float64)) (*edgeshard.LinkProfile, error) {
	if len(t.Devices) < 2 {
		return nil, fmt.Errorf("topology %s has one device: it has no links", t.Name)
	}
	begin := time.Now()
	software, noise, err := r.messageCost(ctx)
	if err != nil {
		return nil, err
	}
	o := &linkProbe{samples: make(map[[2]int]map[int64][]float64)}
	if err := r.alongPaths(ctx, t, o, begin.Add(budget), progress); err != nil {
		return nil, fmt.Errorf("measuring links: %w", err)
	}
	host, _ := os.Hostname() // "" where there is none
	p := &edgeshard.LinkProfile{
		Name: t.Name, Provenance: fmt.Sprintf("messages of the demo model between the workers of %s", t.Name),
		Origin:   edgeshard.Origin{Host: host, CPU: cpuName(), Date: time.Now().UTC().Format(time.RFC3339)},
		Software: software, Noise: noise, Links: o.links(t, software, noise),
	}
	return p, p.Validate()
}

// messageCost measures what the software takes of a message, and the standard
// deviation of that.
func (r *Runner) messageCost(ctx context.Context) (edgeshard.Software, time.Duration, error) {
	s, err := r.Survey(ctx, Measurement{Model: models.Demo, Batches: []int{linkBatch}, Prompts: linkSizes, Tokens: linkTokens})
	if err != nil {
		return edgeshard.Software{}, 0, err
	}
	defer s.Close()
	if err := s.Round(ctx, func(float64) {}); err != nil {
		return edgeshard.Software{}, 0, err
	}
	p, err := s.Profile()
	if err != nil {
		return edgeshard.Software{}, 0, err
	}
	return edgeshard.Software{Hop: p.Hop, HopByte: p.HopByte}, s.last.noise(), nil
}

// coveringPaths returns paths from the source, of at most most devices, that
// together use every directed pair. The way back to the source does not count: it
// carries tokens only.
func coveringPaths(devices, source, most int) [][]int {
	links := unusedLinks{devices: devices, left: devices * (devices - 1), used: make(map[[2]int]bool)}
	var paths [][]int
	for links.left > 0 {
		path := []int{source}
		for len(path) < most && links.left > 0 {
			at := path[len(path)-1]
			to := links.next(at)
			if to < 0 {
				break
			}
			links.use(at, to)
			path = append(path, to)
		}
		paths = append(paths, path)
	}
	return paths
}

// unusedLinks are the directed links between devices that no path has used yet.
type unusedLinks struct {
	devices, left int
	used          map[[2]int]bool
}

func (l *unusedLinks) use(from, to int) {
	if !l.used[[2]int{from, to}] {
		l.used[[2]int{from, to}] = true
		l.left--
	}
}

// next returns a device to go to: one with an unused link from here, or one that has
// some itself; -1 if there is none.
func (l *unusedLinks) next(from int) int {
	second := -1
	for to := range l.devices {
		switch {
		case to == from:
		case !l.used[[2]int{from, to}]:
			return to
		case l.leave(to):
			second = to
		}
	}
	return second
}

// leave tells whether a device has an unused link to another.
func (l *unusedLinks) leave(device int) bool {
	for to := range l.devices {
		if to != device && !l.used[[2]int{device, to}] {
			return true
		}
	}
	return false
}

// alongPaths sends the demo model's passes along paths that cover all pairs; none is
// begun after the deadline.
func (r *Runner) alongPaths(ctx context.Context, t *topologies.Topology, o *linkProbe, deadline time.Time, progress func(float64)) error {
	config, _ := models.Builtin(models.Demo)
	paths := coveringPaths(len(t.Devices), t.Source, config.Units())
	for i, path := range paths {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d paths were measured when time was up: give more", i, len(paths))
		}
		if err := r.alongPath(ctx, t, config, path, o); err != nil {
			return err
		}
		if progress != nil {
			progress(float64(i+1) / float64(len(paths)))
		}
	}
	return nil
}

// alongPath sends the demo model's passes along a path.
func (r *Runner) alongPath(ctx context.Context, t *topologies.Topology, c models.Config, path []int, o *linkProbe) error {
	devices := slices.Clone(t.Devices)
	for i := range devices {
		d := &devices[i]
		d.Memory, d.Usable, d.Overhead, d.Slowdown = math.MaxInt64/4, math.MaxInt64/4, 0, 1
		d.Profile, d.FLOPS, d.MemoryBandwidth = "", 1, 1
	}
	ample, err := topologies.New(t.Name, devices, t.Source, t.Link)
	if err != nil {
		return err
	}
	w := edgeshard.Workload{
		Requests: linkBatch * len(linkSizes), PromptTokens: slices.Max(linkSizes), Tokens: linkTokens, Batch: linkBatch, MicroBatch: linkBatch,
		Schedule: edgeshard.Sequential, Return: edgeshard.ReturnToken, IgnoreEOS: true,
	}
	for i := range w.Requests {
		w.Replay = append(w.Replay, edgeshard.Request{ID: i, Prompt: linkSizes[i/linkBatch], Tokens: linkTokens})
	}
	ref, err := edgeshard.LoadModel(models.Demo)
	if err != nil {
		return err
	}
	p := &edgeshard.Plan{Model: ref, Topology: ample, Workload: w}
	for i, d := range path {
		s := edgeshard.Stage{Name: devices[d].Name, Device: d, From: i, To: i + 1}
		if i == len(path)-1 {
			s.To = c.Units()
		}
		p.Stages = append(p.Stages, s)
	}
	options := r.Options
	options.Model = ""
	return (&Runner{options}).Run(ctx, p, o)
}

// A linkProbe takes down how long messages took, by link and size.
type linkProbe struct {
	samples map[[2]int]map[int64][]float64
}

func (o *linkProbe) Text(int, int, string) {}

func (o *linkProbe) Span(s edgeshard.Span) {
	if s.What != edgeshard.Send && s.What != edgeshard.Back {
		return
	}
	pair := [2]int{s.Device, s.To}
	if o.samples[pair] == nil {
		o.samples[pair] = make(map[int64][]float64)
	}
	o.samples[pair][s.Bytes] = append(o.samples[pair][s.Bytes], float64(s.End-s.Start))
}

// links sums up what was seen of each link.
func (o *linkProbe) links(t *topologies.Topology, software edgeshard.Software, noise time.Duration) []edgeshard.MeasuredLink {
	var all []edgeshard.MeasuredLink
	for pair, sizes := range o.samples {
		l := measuredLink(t.Devices[pair[0]].Name, t.Devices[pair[1]].Name, sizes, software)
		l.Jitter = topologies.Duration(math.Sqrt(max(0, float64(l.Jitter)*float64(l.Jitter)-float64(noise)*float64(noise))))
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b edgeshard.MeasuredLink) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return all
}

// fastest is the bandwidth of a link on which size makes no difference.
const fastest = 1e12

// measuredLink makes a link of its messages' times: the bandwidth from the
// smallest and the largest, the latency from the smallest.
func measuredLink(from, to string, sizes map[int64][]float64, software edgeshard.Software) edgeshard.MeasuredLink {
	l := edgeshard.MeasuredLink{From: from, To: to, Bandwidth: fastest}
	for bytes, ns := range sizes {
		l.Points = append(l.Points, edgeshard.LinkPoint{
			Bytes: bytes, Messages: len(ns), MS: round3(sample.Mean(ns) / 1e6), Spread: round3(sample.Deviation(ns) / 1e6), Least: round3(slices.Min(ns) / 1e6),
		})
	}
	slices.SortFunc(l.Points, func(a, b edgeshard.LinkPoint) int { return cmp.Compare(a.Bytes, b.Bytes) })
	small, large := l.Points[0], l.Points[len(l.Points)-1]
	perByte := software.HopByte
	if large.Bytes > small.Bytes {
		perByte = (large.MS - small.MS) * 1e6 / float64(large.Bytes-small.Bytes)
	}
	if own := perByte - software.HopByte; own > 8e9/fastest {
		l.Bandwidth = topologies.BitRate(8e9 / own)
	}
	latency := small.MS*1e6 - perByte*float64(small.Bytes) - float64(software.Hop)
	l.Latency, l.Jitter = topologies.Duration(max(0, latency)), topologies.Duration(small.Spread*1e6)
	l.Uncertainty = topologies.Duration(small.Least * 1e6 / 2)
	return l
}
