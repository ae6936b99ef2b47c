package weights

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/edgeshard/edgeshard/exec/wire"
	"github.com/edgeshard/edgeshard/internal/wholefile"
	"github.com/edgeshard/edgeshard/models"
)

// A Library is a checkpoint whose units are known by their hashes. What it has
// hashed once it remembers beside its store, for as long as the files stay as
// they are. It is safe for concurrent use.
type Library struct {
	checkpoint models.Checkpoint
	memo       string // folder of what is remembered of these files; "": none

	mu      sync.Mutex
	units   map[int]*wire.UnitWeights
	objects map[Digest]place
}

// A place is where an object is in a checkpoint.
type place struct {
	unit   int
	tensor int // in the order of models.NamedTensors
	object Object
}

// NewLibrary returns the library of a checkpoint, opened from ref, which stays
// the caller's to close. It remembers hashes in a store; nil: nowhere.
func NewLibrary(c models.Checkpoint, ref string, s *Store) *Library {
	l := &Library{checkpoint: c, units: make(map[int]*wire.UnitWeights), objects: make(map[Digest]place)}
	if print, ok := fingerprint(ref); ok && s != nil {
		l.memo = filepath.Join(s.dir, memoFolder, print.String())
	}
	return l
}

// fingerprint names the present state of a checkpoint's files, as far as names,
// sizes and times tell. The embedded model has none.
func fingerprint(ref string) (Digest, bool) {
	abs, err := filepath.Abs(ref)
	if err != nil {
		return Digest{}, false
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	err = filepath.Walk(fingerprinted(abs), func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return enc.Encode([]any{path, info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano), info.IsDir()})
	})
	return Digest(h.Sum(nil)), err == nil
}

// fingerprinted returns the folder of a checkpoint of several files, or its one file.
func fingerprinted(path string) string {
	if filepath.Ext(path) == ".json" || filepath.Ext(path) == ".safetensors" {
		return filepath.Dir(path)
	}
	return path
}

// Unit describes a unit.
func (l *Library) Unit(ctx context.Context, unit int) (*wire.UnitWeights, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u := l.units[unit]; u != nil {
		return u, nil
	}
	u := l.remember(unit)
	if u == nil {
		var err error
		if u, err = Describe(ctx, l.checkpoint, unit); err != nil {
			return nil, err
		}
		l.keep(unit, u)
	}
	for i, t := range u.GetTensors() {
		o, err := objectOf(t)
		if err != nil {
			return nil, err
		}
		l.objects[o.ID] = place{unit, i, o}
	}
	l.units[unit] = u
	return u, nil
}

// Chunk returns the bytes of a chunk of an object of a unit that was described,
// nil if there is none. They are valid until the checkpoint is closed.
func (l *Library) Chunk(id Digest, chunk int) []byte {
	l.mu.Lock()
	p, ok := l.objects[id]
	l.mu.Unlock()
	if !ok || chunk < 0 || chunk >= len(p.object.Chunks) {
		return nil
	}
	tensors, err := models.NamedTensors(l.checkpoint, p.unit)
	if err != nil || int64(len(tensors[p.tensor].Data)) != p.object.Size {
		return nil
	}
	from, to := p.object.span(chunk)
	return tensors[p.tensor].Data[from:to]
}

// memoName is the file of a unit's description.
func memoName(unit int) string { return fmt.Sprintf("%d.unit", unit) }

// remember returns what was kept of a unit, nil if it is not to be had.
func (l *Library) remember(unit int) *wire.UnitWeights {
	if l.memo == "" {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(l.memo, memoName(unit)))
	if err != nil {
		return nil
	}
	u := new(wire.UnitWeights)
	if proto.Unmarshal(data, u) != nil || int(u.GetUnit()) != unit {
		return nil
	}
	if _, err := Objects([]*wire.UnitWeights{u}); err != nil || l.misfit(u) {
		return nil
	}
	return u
}

// misfit reports that a description is not of tensors of the checkpoint's shapes.
func (l *Library) misfit(u *wire.UnitWeights) bool {
	tensors, err := models.NamedTensors(l.checkpoint, int(u.GetUnit()))
	if err != nil || len(tensors) != len(u.GetTensors()) {
		return true
	}
	for i, t := range u.GetTensors() {
		n := tensors[i]
		if t.GetName() != n.Name || models.Precision(t.GetPrecision()) != n.Precision || int(t.GetRows()) != n.Rows || int(t.GetCols()) != n.Cols {
			return true
		}
	}
	return false
}

// keep notes a unit's description for the next time. That it cannot costs time
// then, and nothing else.
func (l *Library) keep(unit int, u *wire.UnitWeights) {
	if l.memo == "" {
		return
	}
	data, err := proto.Marshal(u)
	if err != nil || os.MkdirAll(l.memo, 0o700) != nil {
		return
	}
	_ = wholefile.WritePrivate(filepath.Join(l.memo, memoName(unit)), data)
}
