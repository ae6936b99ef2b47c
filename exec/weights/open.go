package weights

import (
	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// Open opens units whose objects are all in the store; see models.OpenParts.
func (s *Store) Open(c models.Config, units []*wire.UnitWeights) (models.Checkpoint, error) {
	var parts []models.Part
	for _, u := range units {
		for _, t := range u.GetTensors() {
			o, err := objectOf(t)
			if err != nil {
				return nil, err
			}
			parts = append(parts, models.Part{
				Name: t.GetName(), Precision: models.Precision(t.GetPrecision()),
				Rows: int(t.GetRows()), Cols: int(t.GetCols()), File: s.file(o.ID),
			})
		}
	}
	return models.OpenParts(s.dir, c, parts)
}
