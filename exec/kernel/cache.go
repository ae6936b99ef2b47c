package kernel

import "github.com/edgeshard/edgeshard/models"

// lanes is the number of outputs that the inner loops compute side by side.
const lanes = 16

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// A CacheShape is the shape of the keys and values of one sequence in one block.
type CacheShape struct {
	Precision  models.Precision // F32 or F16
	Heads, Dim int              // heads of keys, and the elements of one
	Positions  int
}

// Bytes returns the memory of a cache.
func (s CacheShape) Bytes() int { return s.keys() + s.values() }

func (s CacheShape) element() int { return s.Precision.BlockBytes() }
func (s CacheShape) keys() int    { return s.Heads * s.headKeys() }
func (s CacheShape) values() int  { return s.Heads * s.headValues() }

// headKeys and headValues are the bytes of one head's keys and values.
func (s CacheShape) headKeys() int { return s.element() * s.Dim * roundUp(s.Positions, lanes) }
func (s CacheShape) headValues() int {
	return s.element() * roundUp(s.Dim, lanes) * s.Positions
}

// A Cache holds keys and values. Both are kept in panels of 16 outputs, so that
// attention is two matrix products: keys [heads][positions/16][dim][16], values
// [heads][dim/16][positions][16].
type Cache struct {
	CacheShape
	k, v []byte
}

// New makes a cache in space, Bytes long and zero.
func (s CacheShape) New(space []byte) *Cache {
	return &Cache{CacheShape: s, k: space[:s.keys()], v: space[s.keys():]}
}

// Store keeps a position's keys and values, rows of heads × dim. Different
// positions may be stored concurrently.
func (c *Cache) Store(pos int, k, v []float32) {
	for h := range c.Heads {
		if c.Precision == models.F16 {
			storeF16(c, h, pos, k[h*c.Dim:][:c.Dim], v[h*c.Dim:][:c.Dim])
		} else {
			storeF32(c, h, pos, k[h*c.Dim:][:c.Dim], v[h*c.Dim:][:c.Dim])
		}
	}
}

func storeF32(c *Cache, h, pos int, k, v []float32) {
	keys := floats(c.headOf(c.k, h))[pos/lanes*lanes*c.Dim+pos%lanes:]
	for i, x := range k {
		keys[i*lanes] = x
	}
	values := floats(c.headOf(c.v, h))
	for i := 0; i < c.Dim; i += lanes {
		copy(values[i*c.Positions+pos*lanes:][:lanes], v[i:])
	}
}

func storeF16(c *Cache, h, pos int, k, v []float32) {
	keys := c.headOf(c.k, h)[2*(pos/lanes*lanes*c.Dim+pos%lanes):]
	for i, x := range k {
		le.PutUint16(keys[2*i*lanes:], F32ToF16(x))
	}
	values := c.headOf(c.v, h)
	for i, x := range v {
		le.PutUint16(values[2*(i/lanes*lanes*c.Positions+pos*lanes+i%lanes):], F32ToF16(x))
	}
}

// headOf returns head h's part of the keys or the values.
func (c *Cache) headOf(all []byte, h int) []byte {
	size := len(all) / c.Heads
	return all[h*size:][:size]
}
