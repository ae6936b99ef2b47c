package edgeshard

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// TOML returns the profile as a file, a point a line.
func (p *Profile) TOML() ([]byte, error) {
	head, spread := *p, p.Spread
	head.Points, head.Rounds, head.Spread = nil, nil, Spread{}
	var b bytes.Buffer
	enc := toml.NewEncoder(&b)
	if err := enc.Encode(head); err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	b.WriteString("points = [\n")
	for _, q := range p.Points {
		fmt.Fprintf(&b, "  {from = %d, to = %d, batch = %d, tokens = %d, past = %d, ms = %s", q.From, q.To, q.Batch, q.Tokens, q.Past, tomlFloat(q.MS))
		if len(q.Raw) > 0 {
			raw := make([]string, len(q.Raw))
			for i, ms := range q.Raw {
				raw[i] = tomlFloat(ms)
			}
			fmt.Fprintf(&b, ", raw_ms = [%s]", strings.Join(raw, ", "))
		}
		b.WriteString("},\n")
	}
	b.WriteString("]\n")
	if spread != (Spread{}) {
		b.WriteString("\n")
		if err := enc.Encode(struct {
			Spread Spread `toml:"spread"`
		}{spread}); err != nil {
			return nil, fmt.Errorf("profile %s: %w", p.Name, err)
		}
	}
	if len(p.Rounds) > 0 {
		b.WriteString("\n")
		if err := enc.Encode(struct {
			Rounds []Round `toml:"rounds"`
		}{p.Rounds}); err != nil {
			return nil, fmt.Errorf("profile %s: %w", p.Name, err)
		}
	}
	return b.Bytes(), nil
}

// tomlFloat writes a float as TOML wants it, exactly.
func tomlFloat(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
