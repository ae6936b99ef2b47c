package weights

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The folders of a store.
const (
	objectFolder = "objects" // whole ones, by their digest
	partFolder   = "parts"   // those that are being fetched
	memoFolder   = "digests" // what was hashed of checkpoints
)

// A Store keeps objects in a folder that only its owner may read, up to a limit
// of bytes: those used longest ago make room. Several processes may share one.
type Store struct {
	dir   string
	limit int64 // bytes; 0: none

	mu     sync.Mutex
	pinned map[Digest]int // in use by this process
}

// OpenStore opens the store in a folder, created if need be.
func OpenStore(dir string, limit int64) (*Store, error) {
	for _, d := range []string{objectFolder, partFolder, memoFolder} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("cache of weights: %w", err)
		}
	}
	return &Store{dir: dir, limit: limit, pinned: make(map[Digest]int)}, nil
}

// file returns where an object is, below the store's folder.
func (s *Store) file(id Digest) string {
	name := id.String()
	return filepath.Join(objectFolder, name[:2], name)
}

func (s *Store) path(id Digest) string { return filepath.Join(s.dir, s.file(id)) }

// pin keeps objects from being evicted until the returned function is called.
func (s *Store) pin(objects []Object) (unpin func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range objects {
		s.pinned[o.ID]++
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, o := range objects {
			if s.pinned[o.ID]--; s.pinned[o.ID] == 0 {
				delete(s.pinned, o.ID)
			}
		}
	})
}

// missing returns the objects that are not there, and marks the others as used.
func (s *Store) missing(objects []Object) []Object {
	var lacking []Object
	now := time.Now()
	for _, o := range objects {
		info, err := os.Stat(s.path(o.ID))
		if err != nil || info.Size() != o.Size {
			lacking = append(lacking, o)
			continue
		}
		_ = os.Chtimes(s.path(o.ID), now, now)
	}
	return lacking
}

// Chunk returns a copy of a chunk of an object that is there, nil if it is not.
func (s *Store) Chunk(id Digest, n int) []byte {
	f, err := os.Open(s.path(id))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	o := Object{Size: info.Size()}
	from, to := o.span(n)
	if n < 0 || from >= to {
		return nil
	}
	data := make([]byte, to-from)
	if _, err := f.ReadAt(data, from); err != nil {
		return nil
	}
	return data
}

// An Entry is an object in a store.
type Entry struct {
	ID   Digest
	Size int64
	Used time.Time
}

// Entries returns what is in the store, what was used longest ago first.
func (s *Store) Entries() ([]Entry, error) {
	var all []Entry
	err := filepath.WalkDir(filepath.Join(s.dir, objectFolder), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		id, ok := parseDigest(d.Name())
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) || !ok {
			return nil // evicted meanwhile, or not ours
		}
		if err == nil {
			all = append(all, Entry{id, info.Size(), info.ModTime()})
		}
		return err
	})
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Or(a.Used.Compare(b.Used), slices.Compare(a.ID[:], b.ID[:])) })
	return all, err
}

// A FullError says that a store's limit is too small for what is needed at once.
type FullError struct{ Need, Limit int64 }

func (e *FullError) Error() string {
	return fmt.Sprintf("the cache of weights may hold %d bytes, and %d are needed at once: want a larger one, or a copy of the model here", e.Limit, e.Need)
}

// makeRoom evicts until need bytes more are within the limit. What this process
// has pinned stays.
func (s *Store) makeRoom(need int64) error {
	if s.limit <= 0 || need == 0 {
		return nil
	}
	all, err := s.Entries()
	if err != nil {
		return fmt.Errorf("cache of weights: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	total, kept := need, need
	for _, e := range all {
		total += e.Size
		if s.pinned[e.ID] > 0 {
			kept += e.Size
		}
	}
	if kept > s.limit {
		return &FullError{Need: kept, Limit: s.limit}
	}
	for _, e := range all {
		if total <= s.limit {
			break
		}
		if s.pinned[e.ID] == 0 && os.Remove(s.path(e.ID)) == nil {
			total -= e.Size
		}
	}
	return nil
}

// Clear removes everything that is not in use by this process.
func (s *Store) Clear() error {
	all, err := s.Entries()
	if err != nil {
		return fmt.Errorf("cache of weights: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range all {
		if s.pinned[e.ID] == 0 {
			err = errors.Join(err, os.Remove(s.path(e.ID)))
		}
	}
	return errors.Join(err, clearFolder(filepath.Join(s.dir, partFolder)), clearFolder(filepath.Join(s.dir, memoFolder)))
}

func clearFolder(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700))
}
