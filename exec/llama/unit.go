package llama

import (
	"fmt"

	"github.com/edgeshard/edgeshard/exec/kernel"
	"github.com/edgeshard/edgeshard/models"
)

// A Unit is the weights of one unit, packed to compute with. Several shards may
// use it, one after the other or at once.
type Unit struct {
	index     int
	bytes     int64
	memory    *region
	embedding models.Tensor // of unit 0
	block     *block        // of a decoder block
	head      *head         // of the last unit
}

// Index returns which unit of the model it is.
func (u *Unit) Index() int { return u.index }

// Bytes returns the bytes of the weights held.
func (u *Unit) Bytes() int64 { return u.bytes }

// Free gives back the unit's memory; it must not be used any more.
func (u *Unit) Free() {
	if u.memory != nil {
		u.memory.release()
		u.memory = nil
	}
	u.block, u.head, u.embedding = nil, nil, models.Tensor{}
}

// A region holds the packed matrices of a few units, so that those of a small
// model share huge pages. It is freed with the last of them.
type region struct {
	*kernel.Memory
	users int
}

// regionBytes is what units share a region up to.
const regionBytes = 16 << 20

func (r *region) release() {
	if r.users--; r.users == 0 {
		r.Memory.Free()
	}
}

// A packer makes units of a checkpoint.
type packer struct {
	checkpoint models.Checkpoint
	config     models.Config
	path       *kernel.Path
	pool       *kernel.Pool
	progress   func(bytes int64) error
	memory     *region
	bytes      int64    // of the unit being packed
	buffers    [][]byte // rows read from the checkpoint, one for each thread
}

// Units checks and packs units [from, to) of a checkpoint, which must stay open
// as long as unit 0 is used. Units of one call are to be freed by one goroutine
// at a time. On error they are freed already.
func Units(c models.Checkpoint, from, to int, o Options) ([]*Unit, error) {
	cfg := c.Config()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if from < 0 || to > cfg.Units() || from >= to {
		return nil, fmt.Errorf("shard of units [%d, %d): model %s has units 0 to %d", from, to, cfg.Name, cfg.Units()-1)
	}
	p := &packer{checkpoint: c, config: cfg, path: o.Path, pool: o.Pool, progress: o.Progress}
	if p.path == nil {
		var err error
		if p.path, err = kernel.Default(); err != nil {
			return nil, err
		}
	}
	if p.pool == nil {
		p.pool = kernel.NewPool(0)
		defer p.pool.Close()
	}
	p.buffers = make([][]byte, p.pool.Threads())
	units, err := p.pack(c, from, to)
	if err != nil {
		for _, u := range units {
			u.Free()
		}
		return nil, fmt.Errorf("model %s, %w", cfg.Name, err)
	}
	return units, nil
}

// pack packs units, region by region; on error it returns those it has.
func (p *packer) pack(c models.Checkpoint, from, to int) (units []*Unit, err error) {
	models.Expect(c, from)
	for from < to {
		group, bytes, err := p.group(c, from, to)
		if err != nil {
			return units, err
		}
		memory, err := kernel.NewMemory(bytes)
		if err != nil {
			return units, fmt.Errorf("weights: %w", err)
		}
		p.memory = &region{memory, 1}
		for i := range group {
			models.Expect(c, from+i+1) // the file is read while the unit before it is packed
			u, err := p.unit(from+i, &group[i])
			if err != nil {
				p.memory.release()
				return units, fmt.Errorf("unit %d: %w", from+i, err)
			}
			units = append(units, u)
		}
		p.memory.release()
		from += len(group)
	}
	return units, nil
}

// group returns the next units that share a region, and its size.
func (p *packer) group(c models.Checkpoint, from, to int) (group []models.Unit, bytes int, err error) {
	for u := from; u < to && (u == from || bytes < regionBytes); u++ {
		unit, err := c.Unit(u)
		if err != nil {
			return nil, 0, fmt.Errorf("unit %d: %w", u, err)
		}
		group = append(group, unit)
		for _, t := range unit.Tensors() {
			if u > 0 {
				bytes += kernel.Piece(p.path.PackedBytes(t))
			}
		}
	}
	return group, bytes, nil
}

// unit packs a unit into the present region.
func (p *packer) unit(index int, from *models.Unit) (*Unit, error) {
	p.bytes = 0
	u := &Unit{index: index}
	var err error
	switch index {
	case 0:
		u.embedding = from.Embedding
		if err = checkShape("embedding", from.Embedding, p.config.Vocab, p.config.Dim); err == nil {
			p.touch(from.Embedding.Data)
			err = p.loaded(from.Bytes())
		}
	case p.config.Layers + 1:
		u.head, err = p.newHead(from)
	default:
		u.block, err = p.newBlock(from)
	}
	if err != nil {
		return nil, err
	}
	u.bytes, u.memory = p.bytes, p.memory
	p.memory.users++
	return u, nil
}
