package edgeshard

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/edgeshard/edgeshard/models"
)

// LoadModel refers to a model by the name of a built-in shape, the TOML file of
// one, or a checkpoint. A checkpoint's reference is an absolute path, so that it
// holds wherever a worker runs, and its precision that of its first block's
// matrices; a shape's is f32.
func LoadModel(ref string) (m ModelRef, err error) {
	m.Ref = ref
	if !HasWeights(ref) {
		m.Config, err = models.ConfigOf(ref)
		return m, err
	}
	c, err := models.Open(ref)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	block, err := c.Unit(1)
	if err != nil {
		return m, err
	}
	m.Config, m.Precision = c.Config(), block.Q.Precision
	if ref != models.Demo {
		m.Ref, err = filepath.Abs(ref)
	}
	return m, err
}

// HasWeights tells a reference to a checkpoint from one to a mere shape.
func HasWeights(ref string) bool {
	_, builtin := models.Builtin(ref)
	return ref == models.Demo || !builtin && !strings.HasSuffix(ref, ".toml")
}
