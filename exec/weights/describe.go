package weights

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// Describe hashes the weights of a unit of a checkpoint, tensors side by side.
// It reads all of them, and lets go of them again.
func Describe(ctx context.Context, c models.Checkpoint, unit int) (*wire.UnitWeights, error) {
	tensors, err := models.NamedTensors(c, unit)
	if err != nil {
		return nil, err
	}
	defer models.Forget(c, unit)
	w := &wire.UnitWeights{Unit: uint32(unit), Tensors: make([]*wire.TensorWeights, len(tensors))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, t := range tensors {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			w.Tensors[i] = describeTensor(t)
			return nil
		})
	}
	return w, group.Wait()
}

func describeTensor(t models.NamedTensor) *wire.TensorWeights {
	o := describe(t.Data)
	d := &wire.TensorWeights{
		Name: t.Name, Precision: uint32(t.Precision), Rows: uint32(t.Rows), Cols: uint32(t.Cols),
		Chunks: make([]byte, 0, len(o.Chunks)*len(o.ID)),
	}
	for _, c := range o.Chunks {
		d.Chunks = append(d.Chunks, c[:]...)
	}
	return d
}

// Objects returns the objects that units are made of, each once.
func Objects(units []*wire.UnitWeights) ([]Object, error) {
	var all []Object
	seen := make(map[Digest]bool)
	for _, u := range units {
		for _, t := range u.GetTensors() {
			o, err := objectOf(t)
			if err != nil {
				return nil, fmt.Errorf("unit %d: %w", u.GetUnit(), err)
			}
			if !seen[o.ID] {
				seen[o.ID] = true
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// Differ returns the name of the first tensor that is not the same in two
// descriptions of a unit, "" if there is none.
func Differ(a, b *wire.UnitWeights) string {
	theirs := make(map[string]*wire.TensorWeights)
	for _, t := range b.GetTensors() {
		theirs[t.GetName()] = t
	}
	for _, t := range a.GetTensors() {
		o := theirs[t.GetName()]
		if o == nil || o.GetPrecision() != t.GetPrecision() || o.GetRows() != t.GetRows() || o.GetCols() != t.GetCols() ||
			string(o.GetChunks()) != string(t.GetChunks()) {
			return t.GetName()
		}
	}
	return ""
}
