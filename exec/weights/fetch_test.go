package weights

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/edgeshard/edgeshard/exec/wire"
)

// fetched holds a store's copy of a model to the file it came from.
func fetched(t *testing.T, s *Store, file string, units []*wire.UnitWeights) {
	t.Helper()
	want := open(t, file)
	got, err := s.Open(want.Config(), units)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Close() }()
	for _, u := range units {
		again, err := Describe(t.Context(), got, int(u.GetUnit()))
		if err != nil {
			t.Fatal(err)
		}
		if name := Differ(u, again); name != "" {
			t.Errorf("unit %d: tensor %s of the store is not the file's", u.GetUnit(), name)
		}
	}
}

// listed are sources that together have all of a library, whatever some of them do.
func listed(l *Library) map[string][]Source {
	goes := newFake(l)
	goes.after = 3
	making := func(change func([]byte) []byte) *fake {
		f := newFake(l)
		f.change = change
		return f
	}
	forge := func(b []byte) []byte {
		if b != nil {
			b[len(b)/2] ^= 1
		}
		return b
	}
	return map[string][]Source{
		"one source":                            {newFake(l)},
		"two":                                   {newFake(l), newFake(l)},
		"one that goes, one stays":              {goes, newFake(l)},
		"one that forges, one true":             {making(forge), newFake(l)},
		"one that has nothing, a whole one":     {making(func([]byte) []byte { return nil }), newFake(l)},
		"one that cuts chunks short, one whole": {making(func(b []byte) []byte { return b[:len(b)-1] }), newFake(l)},
	}
}

func TestFetch(t *testing.T) {
	file := newModel(t, 1)
	l, units := library(t, file, nil)
	all := objects(t, units)
	for name, list := range listed(l) {
		t.Run(name, func(t *testing.T) {
			s := store(t, 0)
			var last int64
			n, unpin, err := s.Fetch(t.Context(), all, sources(list...), func(done, total int64) {
				if done < last || total != size(all) {
					t.Errorf("progress %d of %d after %d of %d", done, total, last, size(all))
				}
				last = done
			})
			if err != nil {
				t.Fatal(err)
			}
			defer unpin()
			if n != size(all) || last != n {
				t.Errorf("%d bytes fetched, %d told of: want %d", n, last, size(all))
			}
			fetched(t, s, file, units)
			if n, _, err := s.Fetch(t.Context(), all, nil, silent); n != 0 || err != nil {
				t.Errorf("a second fetch brings %d bytes, %v: want none", n, err)
			}
		})
	}
}

// TestDifference: of a model that shares tensors with another, and of a cut that
// has moved, only what is new travels.
func TestDifference(t *testing.T) {
	file := newModel(t, 1)
	l, units := library(t, file, nil)
	s := store(t, 0)
	first, second := objects(t, units[:3]), objects(t, units[1:])
	for i, want := range []int64{size(first), size(second) - size(objects(t, units[1:3]))} {
		n, unpin, err := s.Fetch(t.Context(), [][]Object{first, second}[i], sources(newFake(l)), silent)
		if err != nil {
			t.Fatal(err)
		}
		unpin()
		if n != want {
			t.Errorf("fetch %d brings %d bytes: want %d", i, n, want)
		}
	}
}

// TestResume: a fetch that was cut off goes on with what it has, and what was
// spoilt on the disk meanwhile is fetched again.
func TestResume(t *testing.T) {
	file := newModel(t, 1)
	l, units := library(t, file, nil)
	all := objects(t, units[:1]) // three chunks
	s := store(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _, err := s.Fetch(ctx, all, sources(newFake(l)), func(done, _ int64) {
		if done > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v: want %v", err, context.Canceled)
	}
	had := all[0].Size
	p, lacks, err := s.begin(all[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(lacks) == 0 || len(lacks) == len(all[0].Chunks) {
		t.Fatalf("%d of %d chunks are missing: want some", len(lacks), len(all[0].Chunks))
	}
	for _, c := range lacks {
		had -= int64(all[0].chunkBytes(c))
	}
	if err := p.abandon(); err != nil {
		t.Fatal(err)
	}
	spoil(t, filepath.Join(s.dir, partFolder, all[0].ID.String()), lacks)
	n, unpin, err := s.Fetch(t.Context(), all, sources(newFake(l)), silent)
	if err != nil {
		t.Fatal(err)
	}
	unpin()
	if want := all[0].Size - had + wire.ChunkBytes; n != want {
		t.Errorf("%d bytes fetched: want %d, the chunk that was spoilt among them", n, want)
	}
	fetched(t, s, file, units[:1])
}

// spoil changes a byte of the first whole chunk that is there.
func spoil(t *testing.T, file string, lacks []int) {
	t.Helper()
	there := 0
	for slices.Contains(lacks, there) {
		there++
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	at := int64(there)*wire.ChunkBytes + 5
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// TestSharedFolder: two stores of one folder fetch the same at the same time.
func TestSharedFolder(t *testing.T) {
	file := newModel(t, 1)
	l, units := library(t, file, nil)
	all := objects(t, units)
	a := store(t, 0)
	b, err := OpenStore(a.dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, s := range []*Store{a, b} {
		go func() {
			_, unpin, err := s.Fetch(t.Context(), all, sources(newFake(l)), silent)
			if err == nil {
				unpin()
			}
			ended <- err
		}()
	}
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Fatal(err)
	}
	fetched(t, a, file, units)
	if left, _ := os.ReadDir(filepath.Join(a.dir, partFolder)); len(left) > 0 {
		t.Errorf("%v are left behind", left)
	}
}
