package models

import (
	"errors"
	"fmt"
)

// A Part is a tensor that is a file of its own.
type Part struct {
	Name       string // as NamedTensors gives it
	Precision  Precision
	Rows, Cols int
	File       string // below the folder
}

// OpenParts opens the units that parts make up; the checkpoint has no others,
// and no tokenizer. Files are mapped as they are asked for, and checked for
// their size alone: that they hold the right bytes is for the caller to know.
func OpenParts(dir string, c Config, parts []Part) (Checkpoint, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &partsSource{files: newMappedFolder(dir), parts: make(map[string]Part, len(parts))}
	for _, p := range parts {
		s.parts[p.Name] = p
	}
	return &checkpoint{source: s, cfg: c, names: &ggufNames}, nil
}

// A NamedTensor is a tensor of a unit and the name it has in GGUF files, the
// same whatever the checkpoint's format. In a tied model the output matrix has
// the embedding's name.
type NamedTensor struct {
	Name string
	Tensor
}

// NamedTensors returns the tensors of unit u of a checkpoint, in a fixed order.
func NamedTensors(c Checkpoint, u int) ([]NamedTensor, error) {
	x, err := c.Unit(u)
	if err != nil {
		return nil, err
	}
	var all []NamedTensor
	for _, s := range ggufNames.slots(c.Config(), u, &x) {
		all = append(all, NamedTensor{s.name, *s.into})
	}
	return all, nil
}

// A partsSource gives tensors that are files of their own.
type partsSource struct {
	files *mappedFolder
	parts map[string]Part
}

func (s *partsSource) tensor(name string) (Tensor, string, error) {
	p, ok := s.parts[name]
	if !ok {
		return Tensor{}, "", fmt.Errorf("%s: tensor %.99q is not among the parts", s.files.dir, name)
	}
	file := s.files.path(p.File)
	t, err := matrix(p.Precision, []uint64{uint64(p.Rows), uint64(p.Cols)})
	if err != nil {
		return Tensor{}, "", fmt.Errorf("%s: %w", file, err)
	}
	data, err := s.files.contents(p.File)
	if err != nil {
		return Tensor{}, "", err
	}
	if want := p.Precision.Bytes(int64(p.Rows) * int64(p.Cols)); int64(len(data)) != want {
		return Tensor{}, "", fmt.Errorf("%s has %d bytes: want %d for %d×%d of %v", file, len(data), want, p.Rows, p.Cols, p.Precision)
	}
	t.Data = data
	return t, file, nil
}

func (s *partsSource) tokenizer() (*Tokenizer, error) {
	return nil, errors.New("a model of parts has no tokenizer")
}

func (s *partsSource) read(dst, data []byte) error { return s.files.read(dst, data) }

func (s *partsSource) expect(data []byte) { s.files.expect(data) }

func (s *partsSource) forget(data []byte) { s.files.forget(data) }

func (s *partsSource) Close() error { return s.files.Close() }
