package weights

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// lastUsed makes objects of a store look as if they had last been used then.
func lastUsed(t *testing.T, s *Store, objects []Object, then time.Time) {
	t.Helper()
	for _, o := range objects {
		if err := os.Chtimes(s.path(o.ID), then, then); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEviction: what was used longest ago makes room, what is in use never does.
func TestEviction(t *testing.T) {
	file := newModel(t, 1)
	l, units := library(t, file, nil)
	parts := [][]Object{objects(t, units[:1]), objects(t, units[1:2]), objects(t, units[2:3])}
	s := store(t, size(parts[0])+size(parts[1])+size(parts[2])-1)
	fetch := func(objects []Object) (func(), error) {
		_, unpin, err := s.Fetch(t.Context(), objects, sources(newFake(l)), silent)
		return unpin, err
	}
	for i, p := range parts[:2] {
		unpin, err := fetch(p)
		if err != nil {
			t.Fatal(err)
		}
		unpin()
		lastUsed(t, s, p, time.Now().Add(time.Duration(i-10)*time.Hour))
	}
	if _, err := fetch(parts[2]); err != nil {
		t.Fatal(err)
	}
	if n := len(s.missing(parts[0])); n != len(parts[0]) {
		t.Errorf("%d of %d objects used longest ago are gone: want all", n, len(parts[0]))
	}
	if n := len(s.missing(parts[1])); n != 0 {
		t.Errorf("%d objects used later are gone", n)
	}
	unpin, err := fetch(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var full *FullError
	if _, err := fetch(parts[0]); !errors.As(err, &full) {
		t.Errorf("error %v: want a full store, all else is in use", err)
	}
	unpin()
	if _, err := fetch(parts[0]); err != nil {
		t.Error(err)
	}
}

func TestClear(t *testing.T) {
	file := newModel(t, 1)
	s := store(t, 0)
	l, units := library(t, file, s)
	kept, freed := objects(t, units[:1]), objects(t, units[1:])
	for _, p := range [][]Object{kept, freed} {
		_, unpin, err := s.Fetch(t.Context(), p, sources(newFake(l)), silent)
		if err != nil {
			t.Fatal(err)
		}
		if p[0].ID != kept[0].ID {
			unpin()
		}
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if a, b := s.missing(kept), s.missing(freed); len(a) != 0 || len(b) != len(freed) {
		t.Errorf("%d objects in use and %d of %d others are gone", len(a), len(b), len(freed))
	}
}

// TestCheck: what was damaged on the disk is found, and fetched anew.
func TestCheck(t *testing.T) {
	file := newModel(t, 1)
	l, units := library(t, file, nil)
	all := objects(t, units)
	s := store(t, 0)
	fetch := func() {
		_, unpin, err := s.Fetch(t.Context(), all, sources(newFake(l)), silent)
		if err != nil {
			t.Fatal(err)
		}
		unpin()
	}
	fetch()
	if err := os.WriteFile(s.path(all[0].ID), make([]byte, all[0].Size), 0o600); err != nil {
		t.Fatal(err)
	}
	if good, bad, err := s.Check(t.Context(), silent); good != len(all)-1 || bad != 1 || err != nil {
		t.Errorf("%d good, %d bad, %v: want %d and 1", good, bad, err, len(all)-1)
	}
	fetch()
	if good, bad, err := s.Check(t.Context(), silent); good != len(all) || bad != 0 || err != nil {
		t.Errorf("%d good, %d bad, %v after fetching anew: want %d and none", good, bad, err, len(all))
	}
}

// TestPrivate: nobody else may read what a store holds.
func TestPrivate(t *testing.T) {
	file := newModel(t, 1)
	s := store(t, 0)
	l, units := library(t, file, s)
	if _, _, err := s.Fetch(t.Context(), objects(t, units), sources(newFake(l)), silent); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == s.dir {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMemo: hashes are remembered while the file stays as it is.
func TestMemo(t *testing.T) {
	file := newModel(t, 1)
	s := store(t, 0)
	_, first := library(t, file, s)
	again := NewLibrary(open(t, file), file, s)
	for u := range first {
		if again.remember(u) == nil {
			t.Fatalf("unit %d is not remembered", u)
		}
	}
	other, err := os.ReadFile(newModel(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, other, 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	_, changed := library(t, file, s)
	if Differ(first[1], changed[1]) == "" {
		t.Error("the hashes of a file that has changed are those of before")
	}
	if err := os.WriteFile(filepath.Join(again.memo, memoName(1)), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again.remember(1) != nil {
		t.Error("a spoilt memo is believed")
	}
}

// TestObjects: descriptions that no tensor has are refused.
func TestObjects(t *testing.T) {
	good := func() *wire.TensorWeights {
		return &wire.TensorWeights{Name: "x", Precision: 0, Rows: 1, Cols: 4, Chunks: make([]byte, 32)}
	}
	for name, change := range map[string]func(*wire.TensorWeights){
		"an unknown precision":    func(w *wire.TensorWeights) { w.Precision = 99 },
		"no rows":                 func(w *wire.TensorWeights) { w.Rows = 0 },
		"rows of no whole blocks": func(w *wire.TensorWeights) { w.Precision = 3 },
		"too many elements":       func(w *wire.TensorWeights) { w.Rows, w.Cols = 1<<31-1, 1<<31-1 },
		"too few digests":         func(w *wire.TensorWeights) { w.Rows = 1 << 20 },
		"half a digest":           func(w *wire.TensorWeights) { w.Chunks = w.Chunks[:16] },
	} {
		w := good()
		change(w)
		if _, err := Objects([]*wire.UnitWeights{{Tensors: []*wire.TensorWeights{w}}}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Objects([]*wire.UnitWeights{{Tensors: []*wire.TensorWeights{good()}}}); err != nil {
		t.Error(err)
	}
}
