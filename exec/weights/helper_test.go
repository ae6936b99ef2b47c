package weights

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/models"
)

// shape has an embedding and a head of three chunks, the last of them short.
var shape = models.Config{
	Name: "small", Vocab: 2560, Dim: 256, Hidden: 256, Layers: 2, Heads: 8, KVHeads: 4,
	Context: 64, NormEps: 1e-5, RopeTheta: 10000, BOS: 1, EOS: 2,
}

// newModel writes a synthetic model and returns its path.
func newModel(t *testing.T, seed uint64) string {
	t.Helper()
	var b bytes.Buffer
	if err := models.WriteSynth(t.Context(), &b, shape, models.F32, 0, seed); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "small.gguf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func open(t *testing.T, file string) models.Checkpoint {
	t.Helper()
	c, err := models.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// library describes all units of a model.
func library(t *testing.T, file string, s *Store) (*Library, []*wire.UnitWeights) {
	t.Helper()
	l := NewLibrary(open(t, file), file, s)
	var units []*wire.UnitWeights
	for u := range shape.Units() {
		w, err := l.Unit(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, w)
	}
	return l, units
}

func store(t *testing.T, limit int64) *Store {
	t.Helper()
	s, err := OpenStore(t.TempDir(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func objects(t *testing.T, units []*wire.UnitWeights) []Object {
	t.Helper()
	all, err := Objects(units)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func size(all []Object) (n int64) {
	for _, o := range all {
		n += o.Size
	}
	return n
}

// A fake is a source that answers from a library as its fault lets it.
type fake struct {
	library *Library
	wants   chan want
	after   int                 // chunks until it is gone; 0: it stays
	change  func([]byte) []byte // what it makes of a chunk
	served  int
}

type want struct {
	id    Digest
	chunk int
}

func newFake(l *Library) *fake { return &fake{library: l, wants: make(chan want, window)} }

func (f *fake) Want(id Digest, chunk int) error {
	f.wants <- want{id, chunk}
	return nil
}

func (f *fake) Receive() ([]byte, error) {
	w := <-f.wants
	if f.after > 0 && f.served == f.after {
		return nil, errors.New("gone")
	}
	f.served++
	data := f.library.Chunk(w.id, w.chunk)
	if f.change != nil {
		data = f.change(bytes.Clone(data))
	}
	return data, nil
}

// sources are given to a fetch one after another.
func sources(all ...Source) <-chan Source {
	c := make(chan Source, len(all))
	for _, s := range all {
		c <- s
	}
	return c
}

func silent(int64, int64) {}
