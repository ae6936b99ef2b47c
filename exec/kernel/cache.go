package kernel

// lanes is the number of outputs that the inner loops compute side by side.
const lanes = 16

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// A Cache holds the keys and values of one sequence in one block, as f32. Both
// are kept in panels of 16 outputs, so that attention is two matrix products:
// keys [heads][positions/16][dim][16], values [heads][dim/16][positions][16].
type Cache struct {
	heads, dim, positions int
	keys, values          []float32
}

// NewCache allocates a cache for positions of heads × dim keys and values.
func NewCache(heads, dim, positions int) *Cache {
	return &Cache{
		heads: heads, dim: dim, positions: positions,
		keys:   make([]float32, heads*dim*roundUp(positions, lanes)),
		values: make([]float32, heads*roundUp(dim, lanes)*positions),
	}
}

// Bytes returns the memory the cache takes.
func (c *Cache) Bytes() int64 { return int64(4 * (len(c.keys) + len(c.values))) }

// Store keeps a position's keys and values, rows of heads × dim.
func (c *Cache) Store(pos int, k, v []float32) {
	for h := range c.heads {
		keys := c.headKeys(h)[pos/lanes*lanes*c.dim+pos%lanes:]
		for i, x := range k[h*c.dim:][:c.dim] {
			keys[i*lanes] = x
		}
		values, row := c.headValues(h), v[h*c.dim:][:c.dim]
		for i := 0; i < c.dim; i += lanes {
			copy(values[i*c.positions+pos*lanes:][:lanes], row[i:])
		}
	}
}

func (c *Cache) headKeys(h int) []float32 {
	size := c.dim * roundUp(c.positions, lanes)
	return c.keys[h*size:][:size]
}

func (c *Cache) headValues(h int) []float32 {
	size := roundUp(c.dim, lanes) * c.positions
	return c.values[h*size:][:size]
}
