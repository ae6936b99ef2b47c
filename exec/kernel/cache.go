package kernel

// lanes is the number of outputs that the inner loops compute side by side.
const lanes = 16

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// A CacheShape is the shape of the keys and values of one sequence in one block.
type CacheShape struct {
	Heads, Dim int // heads of keys, and the elements of one
	Positions  int
}

// Bytes returns the memory of a cache.
func (s CacheShape) Bytes() int { return 4 * (s.keys() + s.values()) }

func (s CacheShape) keys() int   { return s.Heads * s.Dim * roundUp(s.Positions, lanes) }
func (s CacheShape) values() int { return s.Heads * roundUp(s.Dim, lanes) * s.Positions }

// A Cache holds keys and values as f32. Both are kept in panels of 16 outputs,
// so that attention is two matrix products: keys [heads][positions/16][dim][16],
// values [heads][dim/16][positions][16].
type Cache struct {
	CacheShape
	k, v []float32
}

// New makes a cache in space, Bytes long and zero.
func (s CacheShape) New(space []byte) *Cache {
	f := floats(space)
	return &Cache{CacheShape: s, k: f[:s.keys()], v: f[s.keys():]}
}

// Store keeps a position's keys and values, rows of heads × dim.
func (c *Cache) Store(pos int, k, v []float32) {
	for h := range c.Heads {
		keys := c.headKeys(h)[pos/lanes*lanes*c.Dim+pos%lanes:]
		for i, x := range k[h*c.Dim:][:c.Dim] {
			keys[i*lanes] = x
		}
		values, row := c.headValues(h), v[h*c.Dim:][:c.Dim]
		for i := 0; i < c.Dim; i += lanes {
			copy(values[i*c.Positions+pos*lanes:][:lanes], row[i:])
		}
	}
}

func (c *Cache) headKeys(h int) []float32 {
	size := c.Dim * roundUp(c.Positions, lanes)
	return c.k[h*size:][:size]
}

func (c *Cache) headValues(h int) []float32 {
	size := roundUp(c.Dim, lanes) * c.Positions
	return c.v[h*size:][:size]
}
