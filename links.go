package edgeshard

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/edgeshard/edgeshard/internal/tomlfile"
	"github.com/edgeshard/edgeshard/topologies"
)

// A LinkProfile is what the links between workers were measured to be. The same
// keys in TOML and JSON.
type LinkProfile struct {
	Name       string `json:"name" toml:"name"`
	Provenance string `json:"provenance,omitempty" toml:"provenance,omitempty"`
	Origin
	// Software is what messages take on top of the links, measured without any: the
	// links' own figures leave it out.
	Software
	// Noise is the standard deviation of what a message takes there: the links'
	// jitter leaves it out.
	Noise time.Duration  `json:"noise_ns,omitempty" toml:"noise_ns,omitempty"`
	Links []MeasuredLink `json:"links" toml:"link"`
}

// A MeasuredLink is one direction between two devices.
type MeasuredLink struct {
	From      string              `json:"from" toml:"from"`
	To        string              `json:"to" toml:"to"`
	Latency   topologies.Duration `json:"latency" toml:"latency"`
	Bandwidth topologies.BitRate  `json:"bandwidth" toml:"bandwidth"`
	// Jitter is the standard deviation of a small message's time. Uncertainty is how
	// far the latencies of the two directions may be wrong against each other: their
	// sum is certain, but no clock tells where the half lies.
	Jitter      topologies.Duration `json:"jitter" toml:"jitter"`
	Uncertainty topologies.Duration `json:"uncertainty" toml:"uncertainty"`
	Points      []LinkPoint         `json:"points,omitempty" toml:"points,omitempty"`
}

// A LinkPoint is the times of messages of one size, the software's part included.
type LinkPoint struct {
	Bytes    int64   `json:"bytes" toml:"bytes"`
	Messages int     `json:"messages" toml:"messages"`
	MS       float64 `json:"ms" toml:"ms"`         // typical
	Spread   float64 `json:"sd_ms" toml:"sd_ms"`   // standard deviation
	Least    float64 `json:"min_ms" toml:"min_ms"` // the shortest
}

// Validate reports the first link that makes no sense.
func (p *LinkProfile) Validate() error {
	if err := p.Software.validate(); err != nil {
		return fmt.Errorf("link profile %s: %w", p.Name, err)
	}
	if err := p.Origin.validate(); err != nil {
		return fmt.Errorf("link profile %s: %w", p.Name, err)
	}
	for i, l := range p.Links {
		switch {
		case l.From == "" || l.To == "" || l.From == l.To:
			return fmt.Errorf("link profile %s: link %d: from %q to %q: want two devices", p.Name, i+1, l.From, l.To)
		case l.Bandwidth <= 0:
			return fmt.Errorf("link profile %s: link %d: bandwidth is %s: want more than 0", p.Name, i+1, l.Bandwidth)
		case l.Latency < 0 || time.Duration(l.Latency) > time.Hour || l.Jitter < 0 || l.Uncertainty < 0:
			return fmt.Errorf("link profile %s: link %d: latency %s, jitter %s, uncertainty %s: want a latency of 0 to an hour, and the others of 0 or more",
				p.Name, i+1, l.Latency, l.Jitter, l.Uncertainty)
		}
	}
	if len(p.Links) == 0 {
		return fmt.Errorf("link profile %s: it has no links", p.Name)
	}
	return nil
}

// ParseLinkProfile reads a link profile from TOML; file is for messages.
func ParseLinkProfile(file string, data []byte) (*LinkProfile, error) {
	p := &LinkProfile{Name: strings.TrimSuffix(filepath.Base(file), ".toml")}
	if err := tomlfile.Decode(file, data, p); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// TOML returns the profile as a file.
func (p *LinkProfile) TOML() ([]byte, error) {
	var b bytes.Buffer
	err := toml.NewEncoder(&b).Encode(p)
	return b.Bytes(), err
}

// Apply returns a topology whose links are those measured, where both devices are
// its own; the energy of a byte stays.
func (p *LinkProfile) Apply(t *topologies.Topology) (*topologies.Topology, error) {
	var err error
	for _, l := range p.Links {
		from, ok := t.Index(l.From)
		to, too := t.Index(l.To)
		if !ok || !too {
			continue
		}
		link := t.Link(from, to)
		link.Latency, link.Bandwidth, link.Jitter = time.Duration(l.Latency), l.Bandwidth, time.Duration(l.Jitter)
		if t, err = t.WithLink(from, to, link); err != nil {
			return nil, fmt.Errorf("link profile %s: %w", p.Name, err)
		}
	}
	return t, nil
}

// applyLinks gives a topology the links of the profile that it refers to, a file
// relative to baseDir. It refers to none then.
func applyLinks(t *topologies.Topology, baseDir string) error {
	if t.MeasuredLinks == "" {
		return nil
	}
	file := t.MeasuredLinks
	if !filepath.IsAbs(file) {
		file = filepath.Join(baseDir, file)
	}
	data, err := tomlfile.ReadFile(file)
	if err != nil {
		return fmt.Errorf("topology %s: measured links: %w", t.Name, err)
	}
	p, err := ParseLinkProfile(file, data)
	if err != nil {
		return fmt.Errorf("topology %s: %w", t.Name, err)
	}
	measured, err := p.Apply(t)
	if err != nil {
		return fmt.Errorf("topology %s: %w", t.Name, err)
	}
	*t = *measured
	t.MeasuredLinks = ""
	return nil
}
