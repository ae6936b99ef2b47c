package models

import "fmt"

// A Config is the shape of a Llama 2 model. Its JSON and TOML keys are the same.
//
// A model of L decoder blocks has L+2 units, the grains of partition: unit 0 is
// the token embedding, units 1..L the blocks, unit L+1 the final norm and the
// output head.
type Config struct {
	Name      string  `json:"name" toml:"name"`
	Vocab     int     `json:"vocab" toml:"vocab"`
	Dim       int     `json:"dim" toml:"dim"`           // hidden size
	Hidden    int     `json:"hidden" toml:"hidden"`     // feed-forward size
	Layers    int     `json:"layers" toml:"layers"`     // decoder blocks
	Heads     int     `json:"heads" toml:"heads"`       // query heads; a head has Dim/Heads elements
	KVHeads   int     `json:"kv_heads" toml:"kv_heads"` // key and value heads, a divisor of Heads
	Context   int     `json:"context" toml:"context"`   // positions
	NormEps   float64 `json:"norm_eps" toml:"norm_eps"`
	RopeTheta float64 `json:"rope_theta" toml:"rope_theta"`
	// RopeHalf tells how rotary embeddings pair the elements of a head:
	// (i, i+head/2), as Hugging Face checkpoints are laid out, or (2i, 2i+1),
	// as GGUF and llama2.c files are.
	RopeHalf bool `json:"rope_half,omitempty" toml:"rope_half"`
	// Tied says that the head's matrix is the embedding's.
	Tied bool `json:"tied,omitempty" toml:"tied"`
	BOS  int  `json:"bos" toml:"bos"`
	EOS  int  `json:"eos" toml:"eos"`
}

// Units returns the number of units, Layers + 2.
func (c Config) Units() int { return c.Layers + 2 }

// HeadDim returns the elements of an attention head.
func (c Config) HeadDim() int { return c.Dim / c.Heads }

// KVDim returns the elements of a position's keys, or values, in one block.
func (c Config) KVDim() int { return c.HeadDim() * c.KVHeads }

// Validate reports the first field that no model can have.
func (c Config) Validate() error {
	for _, f := range []struct {
		key string
		v   int
	}{
		{"vocab", c.Vocab}, {"dim", c.Dim}, {"hidden", c.Hidden}, {"layers", c.Layers},
		{"heads", c.Heads}, {"kv_heads", c.KVHeads}, {"context", c.Context},
	} {
		if f.v <= 0 || f.v > 1<<24 {
			return fmt.Errorf("model %s: %s is %d: want 1 to 2^24", c.Name, f.key, f.v)
		}
	}
	switch {
	case c.Dim%c.Heads != 0 || c.HeadDim()%2 != 0:
		return fmt.Errorf("model %s: dim %d does not divide into %d heads of even size", c.Name, c.Dim, c.Heads)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("model %s: heads %d is not a multiple of kv_heads %d", c.Name, c.Heads, c.KVHeads)
	case !(c.NormEps > 0 && c.NormEps < 1):
		return fmt.Errorf("model %s: norm_eps is %g: want between 0 and 1", c.Name, c.NormEps)
	case !(c.RopeTheta > 0 && c.RopeTheta < 1e12):
		return fmt.Errorf("model %s: rope_theta is %g: want above 0", c.Name, c.RopeTheta)
	case c.BOS < 0 || c.BOS >= c.Vocab || c.EOS < 0 || c.EOS >= c.Vocab:
		return fmt.Errorf("model %s: bos %d or eos %d is no token of a vocabulary of %d", c.Name, c.BOS, c.EOS, c.Vocab)
	}
	return nil
}
